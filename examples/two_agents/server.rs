//! A server on a clone, in a temporary folder.

use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A running server. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Server {
    /// Clones the repository and serves the clone on a port of its choice.
    pub(crate) fn start(repository: &Path, program: Option<PathBuf>) -> Result<Self> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe()?.with_file_name("orchestrator-server"),
        };
        ensure!(program.is_file(), "no server at {}; build it with 'cargo build --release'", program.display());
        let folder = tempfile::Builder::new().prefix("two-agents-").tempdir()?;
        let project = folder.path().join("project");
        let repository = repository.canonicalize().with_context(|| format!("no folder {}", repository.display()))?;
        let cloned = Command::new("git").args(["clone", "--quiet"]).arg(&repository).arg(&project).status()?;
        ensure!(cloned.success(), "git could not clone {}", repository.display());
        let mut command = Command::new(&program);
        command.args(["--bind", "127.0.0.1:0", "--repo"]).arg(&project).current_dir(folder.path());
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdout = child.stdout.take().context("no standard output")?;
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        while stdout.read_line(&mut line)? > 0 {
            if let Some(at) = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:")) {
                return Ok(Self { child, url: at.trim_end_matches('/').to_owned(), _folder: folder });
            }
            line.clear();
        }
        bail!("{} ended at its start; run it by hand to see why", program.display())
    }

    /// Where it serves.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends it.
    pub(crate) fn stop(mut self) -> Result<()> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(asked.success() && self.child.wait()?.success(), "the server did not end well");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not there any more after `stop`.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
