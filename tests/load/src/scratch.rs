//! Folders for one measurement: a git repository and a state folder, removed afterwards.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A project and its state.
#[derive(Debug)]
pub(crate) struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// An empty git repository and a place for a state folder.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("load-")
            .tempdir_in(dir)
            .with_context(|| format!("failed to make a folder in {}", dir.display()))?;
        let scratch = Self { folder };
        std::fs::create_dir(scratch.repository())?;
        let done = wiped(&mut Command::new("git"))
            .args(["init", "--quiet"])
            .arg(scratch.repository())
            .stdin(Stdio::null())
            .status()
            .context("failed to run git; install it")?;
        ensure!(done.success(), "git init failed");
        Ok(scratch)
    }

    /// The folder that holds everything.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The repository.
    pub(crate) fn repository(&self) -> PathBuf {
        self.root().join("repository")
    }

    /// The state folder; the server makes it.
    pub(crate) fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// The log in the state folder.
    pub(crate) fn log(&self) -> PathBuf {
        self.state().join("log.db")
    }
}

/// A command that no setting of the person at the machine reaches.
pub(crate) fn wiped(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("GIT_") || text.starts_with("ORCHESTRATOR_") {
            command.env_remove(name);
        }
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null")
}
