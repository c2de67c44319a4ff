//! A namespace of its own for a gate's processes: what is started in it cannot leave, and all of it ends at once.

use crate::processes::Process;
use crate::wait::{ended_within, readable_within};
use rustix::process::Signal;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the first process of a namespace may take to be there, and all of them to be gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a namespace is made of here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) unshare: PathBuf,
    pub(crate) nsenter: PathBuf,
    pub(crate) env: PathBuf,
    pub(crate) shell: PathBuf,
    /// Whether a user namespace has to give the right to make the others.
    pub(crate) user: bool,
}

/// A namespace with its first process, which only waits for its end.
///
/// It is not the gate's program: a first process gets no signal by default and inherits all orphans. Instead it takes
/// in what was orphaned, and reads from a pipe that only this server can write into. When that closes, also because the
/// server was killed, it ends, and with it, by the kernel's rule, every process in there.
#[derive(Debug)]
pub(crate) struct Namespace {
    keeper: Child,
    first: Option<Process>,
    life: Option<ChildStdin>,
    kind: Kind,
    network: bool,
}

impl Namespace {
    /// `network`: whether it keeps the server's network; otherwise it has a loopback of its own and nothing else.
    /// `guarded`: a folder that nothing in it can write into.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub(crate) fn start(kind: &Kind, path: &OsString, network: bool, guarded: Option<&Path>) -> Result<Self, String> {
        let io = |error: std::io::Error| error.to_string();
        let (mut said, voice) = std::io::pipe().map_err(io)?;
        let mut command = Command::new(&kind.unshare);
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
        if kind.user {
            command.args(["--user", "--map-current-user", "--keep-caps"]);
        }
        let mut script = String::new();
        if !network {
            command.arg("--net");
            // Without `ip` there is no loopback either.
            script.push_str("ip link set lo up >/dev/null 2>&1; ");
        }
        if guarded.is_some() {
            script.push_str(r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" || exit 1; "#);
        }
        // With the signal ignored the kernel buries what is orphaned. A shell that waited itself would be woken by
        // each.
        script.push_str(r#"echo ready; exec "$0" --ignore-signal=CHLD cat > /dev/null"#);
        command.arg("--").arg(&kind.shell).args(["-c", &script]).arg(&kind.env).args(guarded);
        command.env_clear().env("PATH", path).process_group(0);
        command.stdin(Stdio::piped()).stdout(voice.try_clone().map_err(io)?).stderr(voice);
        let mut keeper = command.spawn().map_err(io)?;
        drop(command);
        let life = keeper.stdin.take();
        let mut namespace = Self { keeper, first: None, life, kind: kind.clone(), network };
        let until = Instant::now() + PATIENCE;
        let mut text = Vec::new();
        while !text.contains(&b'\n') {
            if !readable_within(&said, until.saturating_duration_since(Instant::now())) {
                return Err("unshare did not answer".to_owned());
            }
            let mut bytes = [0; 512];
            match said.read(&mut bytes).map_err(io)? {
                0 => break,
                count => text.extend(bytes.iter().take(count)),
            }
        }
        namespace.first = i32::try_from(namespace.keeper.id()).ok().and_then(Process::child_of);
        match String::from_utf8_lossy(&text).trim() {
            "ready" if namespace.first.is_some() => Ok(namespace),
            "ready" => Err("there is no first process in it".to_owned()),
            "" => Err("unshare ended without a word".to_owned()),
            other => Err(other.to_owned()),
        }
    }

    /// The process that `unshare` is, outside; the first one inside is its only child.
    pub(crate) fn keeper(&self) -> u32 {
        self.keeper.id()
    }

    /// What has to stand before a program and its arguments so that it runs in there, in this folder, as a child of the
    /// first of these programs, which ends as it ends.
    pub(crate) fn entry(&self, folder: &Path) -> Vec<OsString> {
        let from = format!("/proc/{}/ns", self.keeper.id());
        let mut words: Vec<OsString> = vec![self.kind.nsenter.clone().into()];
        if self.kind.user {
            words.extend([format!("--user={from}/user").into(), "--preserve-credentials".into()]);
        }
        words.push(format!("--mount={from}/mnt").into());
        if !self.network {
            words.push(format!("--net={from}/net").into());
        }
        words.push(format!("--pid={from}/pid_for_children").into());
        // Entering leaves the folder.
        words.extend(["--".into(), self.kind.env.clone().into(), "-C".into(), folder.into()]);
        words
    }

    /// Ends every process in there. Whether nothing is left: its keeper ends after all of them.
    ///
    /// `entered` is the child that was started with [`Namespace::entry`]; it ends too.
    pub(crate) fn end(&mut self, entered: Option<&mut Child>) -> bool {
        drop(self.life.take());
        if let Some(first) = self.first.take() {
            // What is in there may hold its pipe open.
            first.signal(Signal::KILL);
        }
        if let Some(entered) = entered
            && !ended_within(entered, PATIENCE / 10)
        {
            // It was stopped, and the kernel waits until it has buried its child.
            let _ = entered.kill();
            let _ = entered.wait();
        }
        if ended_within(&mut self.keeper, PATIENCE) {
            return true;
        }
        // The kernel then kills the first process.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
        false
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        if self.life.is_some() {
            self.end(None);
        }
    }
}
