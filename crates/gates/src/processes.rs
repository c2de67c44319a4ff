//! The system's table of processes, and which of them are a gate's.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use std::{fs, io};

/// One process, as `/proc/PID/stat` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pid: i32,
    parent: i32,
    session: i32,
    ended: bool,
    threads: u64,
    /// Clock ticks since the system's start. With the pid it names a process for good.
    started: u64,
    resident_pages: u64,
}

impl Process {
    fn parse(stat: &str) -> Option<Self> {
        let (pid, _) = stat.split_once(' ')?;
        // The program's name, in parentheses, may hold anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let id = |index: usize| fields.get(index)?.parse::<i32>().ok();
        Some(Self {
            pid: pid.parse().ok()?,
            parent: id(1)?,
            session: id(3)?,
            ended: matches!(*fields.first()?, "Z" | "X"),
            threads: number(17)?,
            started: number(19)?,
            resident_pages: number(21)?,
        })
    }

    pub(crate) fn read(pid: i32) -> Option<Self> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        Self::parse(&String::from_utf8_lossy(&stat))
    }

    /// The only one whose parent this is.
    pub(crate) fn child_of(parent: i32) -> Option<Self> {
        table().ok()?.into_iter().find(|process| process.parent == parent)
    }

    /// Bytes, a page that several share counted in parts; what is resident where the system does not tell that.
    fn share_of_memory(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid)).unwrap_or_default();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
        let kib = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        kib.map_or_else(|| self.resident(), |kib| kib.saturating_mul(1024))
    }

    fn resident(&self) -> u64 {
        self.resident_pages.saturating_mul(rustix::param::page_size() as u64)
    }

    /// Sends it a signal. Its number cannot have gone to another process in between: the descriptor is taken first, and
    /// then looked whether that is still the process that was meant.
    pub(crate) fn signal(&self, signal: Signal) {
        let Some(pid) = Pid::from_raw(self.pid) else { return };
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { return };
        if Self::read(self.pid).is_some_and(|now| now.started == self.started) {
            // It may have ended meanwhile, which is what is wanted.
            let _ = pidfd_send_signal(descriptor, signal);
        }
    }
}

/// How the processes of a gate are told from all others.
#[derive(Debug)]
pub(crate) enum Mark {
    /// They descend from the process that entered the namespace or from the namespace's first process, whose parent is
    /// `keeper`: nothing can leave.
    Namespace { keeper: i32 },
    /// They descend from one that was seen before, or are in its session, or have this in their environment. What
    /// escapes all three between two looks is not found.
    Traces { environment: Vec<u8> },
}

/// The processes of one gate.
#[derive(Debug)]
pub(crate) struct Family {
    first: Process,
    mark: Mark,
    seen: BTreeMap<i32, u64>,
    sessions: BTreeSet<i32>,
}

impl Family {
    /// `None` when the system has no table of processes.
    pub(crate) fn new(first: u32, mark: Mark) -> Option<Self> {
        let first = Process::read(i32::try_from(first).ok()?)?;
        Some(Self { first, mark, seen: BTreeMap::new(), sessions: BTreeSet::new() })
    }

    /// Those that live now, without the programs that only bound them.
    pub(crate) fn look(&mut self) -> io::Result<Vec<Process>> {
        Ok(self.members(&table()?, |process, text| {
            let environment = fs::read(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|variable| variable == text)
        }))
    }

    fn members(&mut self, table: &[Process], has: impl Fn(&Process, &[u8]) -> bool) -> Vec<Process> {
        let keeper = match &self.mark {
            Mark::Namespace { keeper } => Some(*keeper),
            Mark::Traces { .. } => None,
        };
        let mut members: BTreeSet<i32> = keeper.into_iter().collect();
        for process in table.iter().filter(|process| process.started >= self.first.started) {
            let same = (process.pid, process.started) == (self.first.pid, self.first.started);
            let traced = match &self.mark {
                Mark::Namespace { .. } => same,
                Mark::Traces { environment } => {
                    same || self.seen.get(&process.pid) == Some(&process.started)
                        || self.sessions.contains(&process.session)
                        || has(process, environment)
                }
            };
            if traced {
                members.insert(process.pid);
            }
        }
        loop {
            let before = members.len();
            let children = table.iter().filter(|process| members.contains(&process.parent));
            members = children.map(|process| process.pid).chain(members.iter().copied()).collect();
            if members.len() == before {
                break;
            }
        }
        let bounding = |process: &Process| match keeper {
            Some(keeper) => [process.pid, process.parent].contains(&keeper) || process.pid == self.first.pid,
            None => false,
        };
        let own = table.iter().filter(|process| members.contains(&process.pid) && !process.ended && !bounding(process));
        let own: Vec<Process> = own.copied().collect();
        if keeper.is_none() {
            self.seen = own.iter().map(|process| (process.pid, process.started)).collect();
            // Numbers are given again, so a session counts only while it has members; it is named after a process of
            // the gate that made it.
            let lives = |session: &i32| own.iter().any(|process| process.session == *session);
            self.sessions.retain(lives);
            let made = own.iter().filter(|process| process.session == process.pid);
            self.sessions.extend(made.map(|process| process.session));
        }
        own
    }

    /// Kills what lives, for as long as there is something and `patience` lasts. Whether nothing was left.
    pub(crate) fn kill(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut stopped = BTreeMap::new();
        loop {
            let Ok(living) = self.look() else { return false };
            // All are stopped before the first is killed: a bomb would fork faster than it is found.
            let new =
                living.iter().filter(|process| stopped.insert(process.pid, process.started) != Some(process.started));
            let new: Vec<_> = new.collect();
            new.iter().for_each(|process| process.signal(Signal::STOP));
            if living.is_empty() {
                return true;
            }
            if new.is_empty() || Instant::now() > until {
                living.iter().for_each(|process| process.signal(Signal::KILL));
            }
            if Instant::now() > until {
                return self.look().is_ok_and(|living| living.is_empty());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn table() -> io::Result<Vec<Process>> {
    let pids = fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(pids.filter_map(Process::read).collect())
}

/// Processes and threads.
pub(crate) fn tasks(processes: &[Process]) -> u64 {
    processes.iter().map(|process| process.threads).sum()
}

/// Whether they use more memory together than this. What each has resident is quick to read but counts shared pages
/// again and again, so it only says when the exact sum is worth its time.
pub(crate) fn use_more_memory_than(limit: u64, processes: &[Process]) -> bool {
    processes.iter().map(Process::resident).sum::<u64>() > limit
        && processes.iter().map(Process::share_of_memory).sum::<u64>() > limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, session: i32, started: u64) -> Process {
        Process { pid, parent, session, ended: false, threads: 1, started, resident_pages: 0 }
    }

    fn pids(processes: &[Process]) -> Vec<i32> {
        processes.iter().map(|process| process.pid).collect()
    }

    #[test]
    fn a_line_of_the_table_is_read_whatever_the_programs_name() {
        let stat = "42 (a) R 7 (b\n) S 41 42 43 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 3 0 999 1000 77 184";
        let read = Process::parse(stat).unwrap();
        let expected =
            Process { pid: 42, parent: 41, session: 43, ended: false, threads: 3, started: 999, resident_pages: 77 };
        assert_eq!(read, expected);
        for broken in ["", "42", "42 (a", "42 (a) ", "42 (a) S 1 2", "x (a) S 41 42 43 0 -1 0 0"] {
            assert_eq!(Process::parse(broken), None, "{broken}");
        }
        let own = Process::read(i32::try_from(std::process::id()).unwrap()).unwrap();
        assert!(own.threads >= 1 && own.resident() > 0 && own.share_of_memory() <= own.resident());
    }

    #[test]
    fn in_a_namespace_all_descendants_count_but_those_that_bound() {
        let mark = Mark::Namespace { keeper: 10 };
        let mut family =
            Family { first: process(20, 1, 20, 5), mark, seen: BTreeMap::new(), sessions: BTreeSet::new() };
        let table = [
            process(1, 0, 1, 0),
            process(10, 1, 1, 4),
            process(11, 10, 1, 4),
            process(20, 1, 20, 5),
            process(21, 20, 21, 5),
            process(25, 22, 25, 6),
            process(22, 21, 21, 6),
            process(30, 11, 30, 7),
            process(31, 1, 31, 7),
        ];
        assert_eq!(pids(&family.members(&table, |_, _| panic!("nobody asks"))), [21, 25, 22, 30]);
    }

    #[test]
    fn without_one_its_traces_are_followed_and_reused_numbers_are_not() {
        let mark = Mark::Traces { environment: b"HOME=/x".to_vec() };
        let mut family =
            Family { first: process(20, 2, 20, 5), mark, seen: BTreeMap::new(), sessions: BTreeSet::new() };
        let never = |_: &Process, _: &[u8]| false;
        let table = [process(2, 1, 2, 1), process(20, 2, 20, 5), process(21, 20, 21, 6), process(22, 2, 2, 6)];
        assert_eq!(pids(&family.members(&table, never)), [20, 21]);
        // 21 is an orphan by now, 23 a fellow of its session; 24 kept its environment; 19 is older than the gate.
        let orphans = [process(21, 1, 21, 6), process(23, 1, 21, 7), process(24, 1, 24, 8), process(19, 1, 21, 3)];
        assert_eq!(
            pids(&family.members(&orphans, |process, text| process.pid == 24 && text == b"HOME=/x")),
            [21, 23, 24]
        );
        let others = [process(20, 1, 20, 9), process(21, 1, 50, 9), process(24, 1, 50, 9)];
        assert_eq!(pids(&family.members(&others, never)), [0i32; 0]);
        let later = [process(21, 1, 21, 10)];
        assert_eq!(pids(&family.members(&later, never)), [0i32; 0]);
    }
}
