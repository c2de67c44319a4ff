//! Gates from one line, and the proof that processes are dead.

use orchestrator_gates::{Gate, Limits, Report, run};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Set in processes of this test program that a test starts again.
pub(crate) const ROLE: &str = "GATES_TEST_ROLE";

/// What a gate runs in.
pub(crate) fn checkout() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A gate that has half a minute.
pub(crate) fn gate(run: &[&str]) -> Gate {
    Gate {
        name: "test".to_owned(),
        run: run.iter().map(|&word| word.to_owned()).collect(),
        paths: Vec::new(),
        timeout: Duration::from_secs(30),
        required: true,
        retries: 0,
    }
}

/// A gate that is a shell script.
pub(crate) fn sh(script: &str) -> Gate {
    gate(&["sh", "-c", script])
}

/// Runs it and keeps what it printed.
pub(crate) async fn outcome(gate: &Gate, folder: &Path, limits: &Limits) -> (Report, Vec<u8>) {
    let mut printed = Vec::new();
    let report = run(gate, folder, limits, |bytes| printed.extend_from_slice(bytes)).await;
    (report, printed)
}

/// Runs a script in a folder of its own, with the default limits.
pub(crate) async fn of(script: &str) -> (Report, String) {
    let folder = checkout();
    let (report, printed) = outcome(&sh(script), folder.path(), &Limits::default()).await;
    (report, String::from_utf8_lossy(&printed).into_owned())
}

/// Tells whether anybody who opened it for writing still lives: the read end of a pipe with a name.
pub(crate) struct Lifeline {
    pub(crate) path: PathBuf,
    reader: File,
}

impl Lifeline {
    pub(crate) fn new(folder: &Path) -> Self {
        let path = folder.join("lifeline");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = File::options().read(true).custom_flags(libc_nonblock()).open(&path).unwrap();
        Self { path, reader }
    }

    /// What was written, when all writers are dead. Panics when one lives.
    pub(crate) fn written_by_the_dead(&mut self) -> String {
        let mut written = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match self.reader.read(&mut piece) {
                Ok(0) => return String::from_utf8(written).unwrap(),
                Ok(count) => written.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("a writer lives"),
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Waits until somebody has written.
    pub(crate) async fn first_word(&mut self) -> String {
        let mut piece = [0; 4096];
        loop {
            match self.reader.read(&mut piece) {
                Ok(count) if count > 0 => return String::from_utf8(piece[..count].to_vec()).unwrap(),
                _ => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    }

    /// Waits until all writers are dead.
    pub(crate) async fn end(&mut self) {
        let mut piece = [0; 4096];
        while !matches!(self.reader.read(&mut piece), Ok(0)) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Doubles `levels` times and then waits: grows as a fork bomb does, but does not take the machine when nothing bounds
/// it.
pub(crate) fn bomb(levels: u32) -> String {
    format!("f() {{ if [ $1 = 0 ]; then sleep 60; else f $(($1-1)) & f $(($1-1)) & wait; fi; }}; f {levels}")
}

fn libc_nonblock() -> i32 {
    i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap()
}

/// Whether this is enforced, which has to be told exactly when the system cannot: asked here in another way.
pub(crate) fn enforced(report: &Report, what: &str) -> bool {
    let told = report.not_enforced.iter().any(|line| line.starts_with(&format!("{what}: ")));
    let namespace: &[&str] = match rustix::process::geteuid().is_root() {
        true => &["unshare", "--pid", "--fork", "--mount-proc"],
        false => &["unshare", "--user", "--map-current-user", "--pid", "--fork", "--mount-proc"],
    };
    let words = match what {
        "descendants" => namespace.to_vec(),
        "network" => [namespace, &["--net"]].concat(),
        "cpu" | "file" | "memory" => vec!["prlimit", "--core=0"],
        other => panic!("{other}"),
    };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg("true").stdout(Stdio::null()).stderr(Stdio::null());
    let possible = command.status().is_ok_and(|status| status.success());
    assert_eq!(possible, !told, "{what}: {:?}", report.not_enforced);
    possible
}

/// The role that this process was started again for.
pub(crate) fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// One test of this program in a process of its own, in a role.
pub(crate) fn again(test: &str, role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(ROLE, role);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
