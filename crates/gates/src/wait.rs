//! Waiting, with an end, for a process or for something to read.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::{AsFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

/// How long the looks at a child are apart where the system has no descriptors for processes.
const GLANCE: Duration = Duration::from_millis(5);

/// A descriptor that can be read when the child has ended.
pub(crate) fn end_of(child: &Child) -> Option<OwnedFd> {
    let pid = Pid::from_raw(i32::try_from(child.id()).ok()?)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Which of the descriptors something happened at.
pub(crate) fn happened<const N: usize>(descriptors: [Option<&dyn AsFd>; N], patience: Duration) -> [bool; N] {
    let mut entries: Vec<PollFd<'_>> = descriptors
        .iter()
        .flatten()
        .map(|descriptor| PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN))
        .collect();
    let limit = Timespec::try_from(patience).ok();
    if poll(&mut entries, limit.as_ref()).is_err() {
        // Interrupted: the callers look at their clocks and come again.
        return [false; N];
    }
    let mut entries = entries.iter();
    descriptors
        .map(|descriptor| descriptor.is_some() && entries.next().is_some_and(|entry| !entry.revents().is_empty()))
}

/// Whether there is something to read, or its end, before the time is over.
pub(crate) fn readable_within(descriptor: &impl AsFd, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if happened([Some(descriptor)], left) == [true] {
            return true;
        }
        if left.is_zero() {
            return false;
        }
    }
}

/// Whether the child ends before the time is over. Its status stays with it.
pub(crate) fn ended_within(child: &mut Child, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    let end = end_of(child);
    loop {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        match &end {
            Some(end) => drop(happened([Some(end)], left)),
            None => std::thread::sleep(left.min(GLANCE)),
        }
    }
}
