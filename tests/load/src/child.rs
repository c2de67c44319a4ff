//! Measured processes: the real server and the yardstick, each its own process with its own accounting.

use crate::scratch::{Scratch, wiped};
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Worker threads of both sides.
pub(crate) const WORKERS: usize = 2;

/// A start that takes longer has failed. Generous: a million records may have to be replayed.
const START: Duration = Duration::from_secs(120);
/// A stop that takes longer has failed.
const STOP: Duration = Duration::from_secs(120);

/// Starts both sides.
#[derive(Debug)]
pub(crate) struct Launcher {
    own: PathBuf,
    server: PathBuf,
    server_args: Vec<String>,
    self_check: bool,
    dir: PathBuf,
}

impl Launcher {
    /// `server` is by default the program of that name beside this one.
    pub(crate) fn new(server: Option<PathBuf>, server_args: Vec<String>, self_check: bool, dir: &Path) -> Result<Self> {
        let own = std::env::current_exe().context("failed to find this program")?;
        let server = server.unwrap_or_else(|| own.with_file_name("orchestrator-server"));
        ensure!(
            self_check || server.is_file(),
            "no server at {}; build it with 'cargo build --release', or name it with --server",
            server.display()
        );
        Ok(Self { own, server, server_args, self_check, dir: dir.to_owned() })
    }

    /// Whether the yardstick stands in for the server.
    pub(crate) fn is_self_check(&self) -> bool {
        self.self_check
    }

    /// A new repository and state folder.
    pub(crate) fn scratch(&self) -> Result<Scratch> {
        Scratch::new(&self.dir)
    }

    /// Starts the server on its folders; in a self-check, the yardstick.
    pub(crate) fn server(&self, scratch: &Scratch) -> Result<Process> {
        self.server_flushing(scratch, Duration::ZERO)
    }

    /// Starts the server with more arguments.
    pub(crate) fn server_with(&self, scratch: &Scratch, arguments: &[&OsStr]) -> Result<Process> {
        Process::start(self.command(scratch).args(arguments), Some(&scratch.root().join("server.err")))
    }

    fn command(&self, scratch: &Scratch) -> Command {
        let mut command = Command::new(&self.server);
        command.args(["--bind", "127.0.0.1:0", "--state"]).arg(scratch.state());
        command.arg("--repo").arg(scratch.repository()).current_dir(scratch.root());
        command.args(["--workers", &WORKERS.to_string()]).args(&self.server_args);
        command
    }

    /// Starts the server on a disk whose flushes take longer by `delay`.
    pub(crate) fn server_flushing(&self, scratch: &Scratch, delay: Duration) -> Result<Process> {
        if self.self_check {
            return self.yardstick();
        }
        let mut command = self.command(scratch);
        if !delay.is_zero() {
            command.env("LD_PRELOAD", slow_flush(scratch.root())?);
            command.env("LOAD_FLUSH_MICROSECONDS", delay.as_micros().to_string());
        }
        Process::start(&mut command, Some(&scratch.root().join("server.err")))
    }

    /// Starts a yardstick.
    pub(crate) fn yardstick(&self) -> Result<Process> {
        let mut command = Command::new(&self.own);
        command.args(["yardstick", "--workers", &WORKERS.to_string()]);
        Process::start(&mut command, None)
    }
}

/// A process that serves on a port of its choice. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts it and waits for the line that names its address.
    fn start(command: &mut Command, errors: Option<&Path>) -> Result<Self> {
        let stderr = match errors {
            Some(path) => Stdio::from(File::create(path)?),
            None => Stdio::inherit(),
        };
        let command = wiped(command).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().with_context(|| format!("failed to start {command:?}"))?;
        let stdout = child.stdout.take().context("no standard output")?;
        let (found, address) = sync_channel(1);
        // Reads on after that, so that a server that says more is never held up.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    let _ = found.try_send(address);
                }
            }
        });
        let address = match address.recv_timeout(START) {
            Ok(address) => address,
            Err(reason) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = errors.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
                let what = if reason == RecvTimeoutError::Timeout { "named no address" } else { "ended" };
                bail!("{command:?} {what} at its start. {said}");
            }
        };
        Ok(Self { child, address })
    }

    /// Where it serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(self) -> Result<()> {
        let stopped = self.stop_within(STOP)?;
        ensure!(stopped.is_some(), "the server did not end within {STOP:?} of SIGTERM");
        Ok(())
    }

    /// Asks it to end. Answers with the time that it took, or kills it when it takes longer than this.
    pub(crate) fn stop_within(mut self, patience: Duration) -> Result<Option<Duration>> {
        let asked = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        ensure!(asked.success(), "failed to signal the server");
        let begun = Instant::now();
        while self.child.try_wait()?.is_none() {
            if begun.elapsed() > patience {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Some(begun.elapsed()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds the library that makes flushes slow.
fn slow_flush(folder: &Path) -> Result<PathBuf> {
    let (source, library) = (folder.join("slow_flush.c"), folder.join("slow_flush.so"));
    std::fs::write(&source, include_str!("slow_flush.c"))?;
    let mut compiler = Command::new("cc");
    let built = compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    ensure!(built.context("failed to run cc; install a C compiler")?.success(), "slow_flush.c does not compile");
    Ok(library)
}

/// The loopback address in a line such as `listening on http://127.0.0.1:8000`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(SocketAddr::from(([127, 0, 0, 1], port.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_a_line() {
        let line = "Listening on http://127.0.0.1:8123 and http://[::1]:8123";
        assert_eq!(address_in(line), Some("127.0.0.1:8123".parse().unwrap()));
        assert_eq!(address_in("starting"), None);
    }
}
