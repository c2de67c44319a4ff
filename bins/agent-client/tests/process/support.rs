//! Starts the programs in a folder of their own and reads what they say.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a project of its own.
pub(crate) struct Server {
    program: Program,
    _folder: TempDir,
    project: PathBuf,
    address: SocketAddr,
}

impl Server {
    /// Starts a server on an empty project.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Workspaces are made beside the project.
        let project = folder.path().join("project");
        std::fs::create_dir(&project).unwrap();
        git(&project, &["init", "--quiet"]);
        let (program, address) = launch(&project, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        Self { program, _folder: folder, project, address }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn project(&self) -> &Path {
        &self.project
    }

    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Kills the server where it stands.
    pub(crate) fn kill(&mut self) {
        self.program.child.kill().unwrap();
        self.program.child.wait().unwrap();
    }

    /// Starts it again on the same project and address.
    pub(crate) fn restart(&mut self) {
        let (program, address) = launch(&self.project, self.address);
        assert_eq!(address, self.address);
        self.program = program;
    }

    /// A command of `agent-client` that asks this server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = agent_client(arguments);
        command.env("ORCHESTRATOR_URL", self.url());
        command
    }

    /// Runs `agent-client` to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What `agent-client` prints when it succeeds.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {} {told}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// What `agent-client --json` prints, which is one line.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[arguments, &["--json"]].concat());
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Starts `agent-client` and lets it run.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Program {
        Program::start(self.command(arguments))
    }

    /// Runs `agent-client` with something on its standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

/// Runs git without anyone's configuration; it must succeed.
pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(arguments).current_dir(folder);
    let status = command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").status().unwrap();
    assert!(status.success(), "git {arguments:?}");
}

/// `agent-client`.
pub(crate) fn agent_client(arguments: &[&str]) -> Command {
    let mut command = undisturbed(Path::new(env!("CARGO_BIN_EXE_agent-client")));
    command.args(arguments);
    command
}

/// A program without the settings of whoever runs the tests.
fn undisturbed(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"ORCHESTRATOR_")) {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// The server's program is built into the same folder.
fn server_program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_agent-client")).with_file_name("orchestrator-server");
    assert!(program.exists(), "{} is missing: cargo build -p orchestrator-server", program.display());
    program
}

fn launch(project: &Path, address: SocketAddr) -> (Program, SocketAddr) {
    let mut command = undisturbed(&server_program());
    command.args(["--bind", &address.to_string()]).current_dir(project);
    let mut program = Program::start(command);
    let line = program.line("the server's address", |line| line.contains("http://127.0.0.1:"));
    let rest = line.split_once("http://").unwrap().1;
    let address = rest.split(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ':'))).next().unwrap();
    (program, address.trim_end_matches(['.', ':']).parse().unwrap())
}

/// A program that runs, and the lines it says on both outputs.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = sync_channel(10_000);
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // What nobody reads is let go, so that the program is never held up.
                    let _ = sender.try_send(line);
                }
            });
        }
        Self { child, lines, seen: Vec::new() }
    }

    /// The next line that fits.
    pub(crate) fn line(&mut self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if fits(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("never said {what}; said:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    /// The next JSON line of a type.
    pub(crate) fn frame(&mut self, kind: &str) -> Value {
        let is_it = |line: &str| serde_json::from_str::<Value>(line).is_ok_and(|frame| frame["type"] == kind);
        serde_json::from_str(&self.line(kind, is_it)).unwrap()
    }

    /// All lines so far.
    pub(crate) fn seen(&self) -> &[String] {
        &self.seen
    }

    /// The lines so far that contain a text.
    pub(crate) fn said(&self, text: &str) -> usize {
        self.seen.iter().filter(|line| line.contains(text)).count()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        // Both outputs end with the program.
        while let Ok(line) = self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.seen.push(line);
        }
        assert!(Instant::now() < deadline, "still runs; said:\n{}", self.seen.join("\n"));
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
