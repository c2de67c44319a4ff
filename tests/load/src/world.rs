//! A repository of many files, and a worktree of it for each of many agents.

use crate::child::{Launcher, Process};
use crate::client::http::{BASE, Http};
use crate::scratch::{Scratch, wiped};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Folders with files in them, in a repository of any size.
pub(crate) const FOLDERS: usize = 500;
/// Lines of a file; each is an item that can be edited by itself.
pub(crate) const LINES: usize = 40;
/// All workspaces must be followed by then.
const PATIENCE: Duration = Duration::from_secs(300);

/// A project with worktrees beside it.
#[derive(Debug)]
pub(crate) struct World {
    scratch: Scratch,
    agents: usize,
    each: usize,
}

impl World {
    /// `each` is the number of files in each of the [`FOLDERS`].
    pub(crate) fn new(launcher: &Launcher, each: usize, agents: usize) -> Result<Self> {
        let scratch = launcher.scratch()?;
        fill(&scratch.repository(), each)?;
        git(&scratch.repository(), &["add", "--all"])?;
        git(&scratch.repository(), &["commit", "--quiet", "--message", "begin"])?;
        let world = Self { scratch, agents, each };
        for agent in 0..agents {
            let folder = world.folder(agent);
            let folder = folder.to_str().context("a folder's name is not UTF-8")?;
            git(&world.scratch.repository(), &["worktree", "add", "--quiet", "-b", &name(agent), folder])?;
        }
        Ok(world)
    }

    /// The server on it, with every worktree registered and followed, and the target branch read.
    pub(crate) async fn serve(&self, launcher: &Launcher) -> Result<Process> {
        let process = launcher.server(&self.scratch)?;
        let mut http = Http::connect(process.address()).await?;
        for agent in 0..self.agents {
            let body = json!({"agent_id": name(agent), "workspace": self.folder(agent)}).to_string();
            http.call("POST", &format!("{BASE}/agents/register"), &body).await?;
        }
        let begun = Instant::now();
        loop {
            let answer: Value = serde_json::from_slice(http.call("GET", &format!("{BASE}/workspaces"), "").await?)?;
            let all = answer.pointer("/workspaces").and_then(Value::as_array).context("no workspaces")?;
            let followed = all.iter().filter(|one| one.get("followed") == Some(&Value::Bool(true))).count();
            // What reads the target branch in the background must not count as the cost of anything else.
            let answer: Value = serde_json::from_slice(http.call("GET", &format!("{BASE}/sync/impact"), "").await?)?;
            if followed == self.agents && answer.get("indexing") == Some(&Value::Bool(false)) {
                return Ok(process);
            }
            ensure!(begun.elapsed() < PATIENCE, "{followed} of {} workspaces are followed; {answer}", self.agents);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The server on it with more arguments, and nobody registered.
    pub(crate) fn process(&self, launcher: &Launcher, arguments: &[&OsStr]) -> Result<Process> {
        launcher.server_with(&self.scratch, arguments)
    }

    /// The repository.
    pub(crate) fn repository(&self) -> PathBuf {
        self.scratch.repository()
    }

    /// The folder that holds everything.
    pub(crate) fn root(&self) -> &Path {
        self.scratch.root()
    }

    /// Files in each worktree.
    pub(crate) fn files(&self) -> usize {
        FOLDERS * self.each
    }

    /// An agent's worktree.
    pub(crate) fn folder(&self, agent: usize) -> PathBuf {
        self.scratch.root().join(format!("tree_{agent}"))
    }

    /// The path of a file; neighbours in number stand in different folders.
    pub(crate) fn path(&self, file: usize) -> String {
        path(file % FOLDERS, file / FOLDERS % self.each)
    }

    /// Saves a file with one line edited. Answers with the moment at which it was closed.
    pub(crate) fn edit(&self, agent: usize, file: usize, line: usize, word: &str) -> Result<Instant> {
        let (folder, place) = (file % FOLDERS, file / FOLDERS % self.each);
        let text = text(folder, place, Some((line, word)));
        std::fs::write(self.folder(agent).join(path(folder, place)), text)?;
        Ok(Instant::now())
    }
}

/// An agent's id, and its branch.
pub(crate) fn name(agent: usize) -> String {
    format!("agent-{agent:03}")
}

/// Makes [`FOLDERS`] folders of `each` files, in folders of folders.
pub(crate) fn fill(root: &Path, each: usize) -> Result<()> {
    for folder in 0..FOLDERS {
        for place in 0..each {
            let path = root.join(path(folder, place));
            if place == 0 {
                std::fs::create_dir_all(path.parent().context("no folder")?)?;
            }
            std::fs::write(path, text(folder, place, None))?;
        }
    }
    Ok(())
}

fn path(folder: usize, place: usize) -> String {
    format!("part_{}/module_{folder}/file_{place}.py", folder / 25)
}

fn text(folder: usize, place: usize, edited: Option<(usize, &str)>) -> String {
    let line = |number| match edited {
        Some((line, word)) if line == number => format!("VALUE_{number} = '{word}'\n"),
        _ => format!("VALUE_{number} = {}\n", folder * place + number),
    };
    (0..LINES).map(line).collect()
}

fn git(folder: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("git");
    let command = wiped(&mut command).current_dir(folder).args(["-c", "user.name=load", "-c", "user.email=load@load"]);
    let done = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    ensure!(done.success(), "git {arguments:?} failed");
    Ok(())
}
