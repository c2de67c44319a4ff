//! One try of a gate, on a thread of its own.

use crate::cgroup::Group;
use crate::home::Home;
use crate::printed::Printed;
use crate::processes::{Family, Mark, tasks, use_more_memory_than};
use crate::system::{Bounds, System, found, is_program};
use crate::wait::{end_of, ended_within, happened};
use crate::{Gate, Limits, Report, Verdict};
use rustix::process::Signal;
use std::io::{PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long the looks at the gate's processes are apart at least, and how much longer than a look takes.
const LOOK: (Duration, u32) = (Duration::from_millis(50), 20);
/// How soon it is noticed that nobody waits any more.
const NOTICE: Duration = Duration::from_millis(20);
/// How soon a reader without room is asked again.
const ROOM: Duration = Duration::from_millis(2);
/// How long is waited for the end of what was killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes read at once.
const CHUNK: usize = 64 << 10;

/// Why a gate was killed.
enum Stop {
    Unwanted,
    Timeout,
    Limit(String),
}

/// Runs the gate once, to the end of everything that it started.
pub(crate) fn attempt(
    system: &System,
    gate: &Gate,
    folder: &Path,
    limits: &Limits,
    mut printed: Printed<'_>,
) -> Report {
    let begun = Instant::now();
    let mut run = match Run::start(system, gate, folder, limits) {
        Ok(run) => run,
        Err(why) => return Report { took: begun.elapsed(), ..Report::not_started(why) },
    };
    let stop = run.watch(Instant::now() + gate.timeout, limits, &mut printed);
    let (status, clean) = run.end();
    run.drain(&mut printed);
    let mut not_enforced = system.not_enforced(limits);
    if run.family.is_none() {
        not_enforced.push("memory: that of all processes together is not bounded: there is no /proc".to_owned());
    }
    let signal = status.and_then(|status| status.signal());
    let exit_code = status.and_then(|status| status.code());
    let (verdict, reason) = match (stop, clean) {
        (Some(Stop::Unwanted), _) => (Verdict::Killed, "nobody waits for it any more".to_owned()),
        (Some(Stop::Timeout), _) => (Verdict::TimedOut, format!("it did not end within {:?}", gate.timeout)),
        (Some(Stop::Limit(reason)), _) => (Verdict::OverLimit, reason),
        (None, true) if run.bounds.group.as_ref().is_some_and(Group::refused) => {
            (Verdict::OverLimit, format!("processes: it wanted more than {} at one time", limits.processes))
        }
        (None, true) => judge(exit_code, signal, &printed, limits),
        (None, false) => (Verdict::Failed, "what it started could not be ended".to_owned()),
    };
    if !clean {
        not_enforced.push("descendants: what it started did not end when it was killed".to_owned());
    }
    Report {
        verdict,
        exit_code,
        signal,
        reason,
        dropped_bytes: printed.dropped,
        tail: printed.tail(),
        not_enforced,
        took: begun.elapsed(),
        flaky: false,
    }
}

/// What the end of a program means that ended before it was killed.
fn judge(exit_code: Option<i32>, signal: Option<i32>, printed: &Printed<'_>, limits: &Limits) -> (Verdict, String) {
    let over = |what: String| (Verdict::OverLimit, what);
    match (exit_code, signal) {
        _ if printed.dropped > 0 => over(format!("output: it printed more than {} bytes", limits.output)),
        (Some(0), _) => (Verdict::Passed, String::new()),
        (Some(code), _) => (Verdict::Failed, format!("exit code {code}")),
        (None, Some(signal)) if signal == Signal::XCPU.as_raw() => {
            over(format!("cpu: it used more than {:?} of processor time", limits.cpu))
        }
        (None, Some(signal)) if signal == Signal::XFSZ.as_raw() => {
            over(format!("file: it wrote a file beyond {} bytes", limits.file))
        }
        (None, Some(signal)) => (Verdict::Killed, format!("signal {signal} ended it")),
        (None, None) => (Verdict::Failed, "how it ended is not known".to_owned()),
    }
}

/// A started gate. Dropped in this order: processes first, then their folders.
struct Run {
    child: Child,
    status: Option<ExitStatus>,
    output: PipeReader,
    ended: bool,
    family: Option<Family>,
    bounds: Bounds,
    _home: Home,
}

impl Run {
    fn start(system: &System, gate: &Gate, folder: &Path, limits: &Limits) -> Result<Self, String> {
        let io = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
        let folder = std::path::absolute(folder).map_err(io("its folder"))?;
        if !std::fs::metadata(&folder).map_err(io("its folder"))?.is_dir() {
            return Err("its folder: it is no folder".to_owned());
        }
        let program = gate.run.first().filter(|program| !program.is_empty()).ok_or("it names no program")?;
        if program.contains('/') {
            is_program(&folder.join(program)).map_err(|why| format!("'{program}': {why}"))?;
        } else if found(program, &system.path).is_none() {
            return Err(format!("'{program}': it was not found in PATH, or is not executable there"));
        }
        let home = Home::new(&folder).map_err(io("a folder for its home"))?;
        let group = system.group(limits).map_err(|why| format!("its control group: {why}"))?;
        let namespace = system.namespace(limits).map_err(|why| format!("its namespace: {why}"))?;
        let bounds = Bounds { namespace, group };
        let mut command = system.command(gate, &folder, limits, &bounds);
        let (output, voice) = std::io::pipe().map_err(io("its output"))?;
        command.current_dir(&folder).env_clear().env("PATH", &system.path);
        command.envs([("HOME", home.home()), ("TMPDIR", home.temporary())]).envs([("LANG", "C.UTF-8"), ("CI", "1")]);
        // The folder may lie in somebody's repository, which is not the one that is checked.
        command.env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap_or(&folder));
        command.stdin(Stdio::null()).stdout(voice.try_clone().map_err(io("its output"))?).stderr(voice);
        let child = command.spawn().map_err(io("it cannot be started"))?;
        let mark = match &bounds.namespace {
            Some(namespace) => Mark::Namespace { keeper: i32::try_from(namespace.keeper()).unwrap_or_default() },
            None => {
                let mut environment = b"HOME=".to_vec();
                environment.extend(home.home().as_os_str().as_encoded_bytes());
                Mark::Traces { environment }
            }
        };
        let family = Family::new(child.id(), mark);
        Ok(Self { child, status: None, output, ended: false, family, bounds, _home: home })
    }

    /// Until its program has ended, or has to be killed.
    fn watch(&mut self, deadline: Instant, limits: &Limits, printed: &mut Printed<'_>) -> Option<Stop> {
        let end = end_of(&self.child);
        let mut chunk = vec![0; CHUNK];
        let mut next_look = Instant::now() + LOOK.0;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                self.status = Some(status);
                return None;
            }
            let now = Instant::now();
            if printed.unwanted() {
                return Some(Stop::Unwanted);
            }
            if now >= deadline {
                return Some(Stop::Timeout);
            }
            if now >= next_look {
                if let Some(limit) = self.over(limits) {
                    return Some(Stop::Limit(limit));
                }
                next_look = Instant::now() + LOOK.0.max(now.elapsed() * LOOK.1);
            }
            let room = printed.ready();
            let listens: Option<&dyn AsFd> = if room && !self.ended { Some(&self.output) } else { None };
            let pause = if room { NOTICE } else { ROOM };
            let until = deadline.min(next_look).min(now + pause);
            let end = end.as_ref().map(|end| end as &dyn AsFd);
            if let [_, true] = happened([end, listens], until.saturating_duration_since(now)) {
                self.read(&mut chunk, printed);
            }
        }
    }

    fn read(&mut self, chunk: &mut [u8], printed: &mut Printed<'_>) {
        match self.output.read(chunk) {
            Ok(0) => self.ended = true,
            Ok(count) => printed.take(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => (),
            Err(_) => self.ended = true,
        }
    }

    /// The limit that its processes are over.
    fn over(&mut self, limits: &Limits) -> Option<String> {
        let living = self.family.as_mut()?.look().ok()?;
        if tasks(&living) > limits.processes {
            return Some(format!("processes: it had more than {} at one time", limits.processes));
        }
        let much = use_more_memory_than(limits.memory, &living);
        much.then(|| format!("memory: it used more than {} bytes", limits.memory))
    }

    /// Ends everything that it started. Its program's status, and whether nothing was left.
    fn end(&mut self) -> (Option<ExitStatus>, bool) {
        let clean = match (&mut self.bounds.namespace, &mut self.family) {
            (Some(namespace), _) => namespace.end(Some(&mut self.child)),
            (None, Some(family)) => family.kill(PATIENCE),
            (None, None) => self.child.kill().is_ok(),
        };
        let gone = ended_within(&mut self.child, PATIENCE);
        let status = self.status.or_else(|| self.child.try_wait().ok().flatten());
        (status, clean && gone)
    }

    /// Takes what is still in the pipe: all writers are dead. One that escaped does not hold us up.
    fn drain(&mut self, printed: &mut Printed<'_>) {
        let mut chunk = vec![0; CHUNK];
        printed.hand_on();
        while !self.ended && happened([Some(&self.output)], Duration::ZERO) == [true] {
            self.read(&mut chunk, printed);
            printed.hand_on();
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if self.status.is_none() && matches!(self.child.try_wait(), Ok(None)) {
            self.end();
        }
    }
}
