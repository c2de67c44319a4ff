//! What the system's watcher and the handles tell the worker.
//!
//! Bounded: past [`LIMIT`] signals all are dropped and a rescan is asked for, which finds the same changes.
//! Putting in never waits, because the thread that puts in must keep emptying the kernel's queue.

use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant},
};

use notify_debouncer_full::notify::{
    self, Event, EventKind,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::{Error, SyncPoint};

/// Signals kept before a rescan is cheaper.
pub(crate) const LIMIT: usize = 1 << 16;
/// Barriers that may wait.
pub(crate) const BARRIERS: usize = 1024;
/// New files whose open is waited for: more than can come between the two reports of one call.
const MADE: usize = 64;

/// What the system said of one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    /// A new file: made by an open, which is reported next, or linked here, which opens nothing.
    CreatedFile,
    /// A file that was made a moment ago was opened.
    Opened,
    /// A folder was made, or something came by rename.
    Arrived,
    Written,
    Closed,
    Touched,
    Gone,
    /// The path came from this one.
    Moved {
        from: PathBuf,
    },
}

/// Who waits for a barrier.
pub(crate) type Waiter = oneshot::Sender<Result<SyncPoint, Error>>;

/// Everything that came since the last look.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) signals: Vec<(PathBuf, Raw)>,
    /// The newest files that were made and not opened since.
    made: VecDeque<PathBuf>,
    /// Signals were lost.
    pub(crate) overflow: bool,
    pub(crate) barriers: VecDeque<Waiter>,
    pub(crate) confirm: bool,
    /// Most folders to watch from now on, and how often the others are scanned.
    pub(crate) allotment: Option<(usize, Duration)>,
    pub(crate) stop: bool,
}

/// The place where it is kept.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    mail: Mutex<Mail>,
    arrived: Condvar,
}

impl Inbox {
    /// What the system's watcher calls.
    pub(crate) fn put(&self, event: notify::Result<Event>) {
        let mut mail = self.mail.lock();
        match event {
            Ok(event) if event.need_rescan() => mail.overflow = true,
            Ok(event) => mail.add(event),
            Err(error) => {
                tracing::warn!(%error, "the system's watcher failed; everything is compared again");
                mail.overflow = true;
            }
        }
        if mail.overflow || !mail.signals.is_empty() {
            self.arrived.notify_one();
        }
    }

    /// Queues a barrier.
    pub(crate) fn barrier(&self, waiter: Waiter) -> Result<(), Error> {
        let mut mail = self.mail.lock();
        if mail.stop {
            return Err(Error::Stopped);
        }
        if mail.barriers.len() >= BARRIERS {
            return Err(Error::Busy(BARRIERS));
        }
        mail.barriers.push_back(waiter);
        self.arrived.notify_one();
        Ok(())
    }

    pub(crate) fn confirm(&self) {
        self.mail.lock().confirm = true;
        self.arrived.notify_one();
    }

    pub(crate) fn allot(&self, watches: usize, scan_interval: Duration) {
        self.mail.lock().allotment = Some((watches, scan_interval));
        self.arrived.notify_one();
    }

    pub(crate) fn overflow(&self) {
        self.mail.lock().overflow = true;
        self.arrived.notify_one();
    }

    pub(crate) fn stop(&self) {
        self.mail.lock().stop = true;
        self.arrived.notify_all();
    }

    /// Waits until something came or `until`, and takes all of it.
    pub(crate) fn take(&self, until: Option<Instant>) -> Mail {
        let mut mail = self.mail.lock();
        while mail.is_empty() {
            match until {
                None => self.arrived.wait(&mut mail),
                Some(until) if self.arrived.wait_until(&mut mail, until).timed_out() => break,
                Some(_) => {}
            }
        }
        let (stop, made) = (mail.stop, std::mem::take(&mut mail.made));
        let taken = std::mem::take(&mut *mail);
        (mail.stop, mail.made) = (stop, made);
        taken
    }

    /// Waits at most `span`; true when the worker must end.
    pub(crate) fn stopped_within(&self, span: Duration) -> bool {
        let mut mail = self.mail.lock();
        let until = Instant::now() + span;
        while !mail.stop {
            if self.arrived.wait_until(&mut mail, until).timed_out() {
                break;
            }
        }
        mail.stop
    }
}

impl Mail {
    fn is_empty(&self) -> bool {
        let nothing = self.signals.is_empty() && self.barriers.is_empty() && self.allotment.is_none();
        nothing && !self.overflow && !self.confirm && !self.stop
    }

    fn add(&mut self, event: Event) {
        if self.overflow {
            return;
        }
        let raw = match event.kind {
            EventKind::Create(CreateKind::Folder) => Raw::Arrived,
            EventKind::Create(_) => {
                self.made.extend(event.paths.iter().cloned());
                self.made.drain(..self.made.len().saturating_sub(MADE));
                Raw::CreatedFile
            }
            // Every other open is a reader's, or is followed by a write.
            EventKind::Access(AccessKind::Open(_)) if self.take_made(&event.paths) => Raw::Opened,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Raw::Gone,
            EventKind::Modify(ModifyKind::Name(RenameMode::Both)) => {
                let mut paths = event.paths.into_iter();
                if let (Some(from), Some(to)) = (paths.next(), paths.next()) {
                    self.push(to, Raw::Moved { from });
                }
                return;
            }
            EventKind::Modify(ModifyKind::Name(_)) => Raw::Arrived,
            EventKind::Modify(ModifyKind::Metadata(_)) => Raw::Touched,
            EventKind::Modify(_) => Raw::Written,
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Raw::Closed,
            EventKind::Access(_) => return,
            EventKind::Any | EventKind::Other => Raw::Touched,
        };
        for path in event.paths {
            self.push(path, raw.clone());
        }
    }

    /// True the first time after one of these was made.
    fn take_made(&mut self, paths: &[PathBuf]) -> bool {
        let at = self.made.iter().position(|made| paths.contains(made));
        at.and_then(|at| self.made.remove(at)).is_some()
    }

    fn push(&mut self, path: PathBuf, raw: Raw) {
        if self.signals.last().is_some_and(|(last, kind)| *last == path && *kind == raw) {
            return;
        }
        if self.signals.len() >= LIMIT {
            self.signals = Vec::new();
            self.overflow = true;
            return;
        }
        self.signals.push((path, raw));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_writes_are_one_signal_and_a_flood_becomes_a_rescan() {
        let inbox = Inbox::default();
        let written = |path: &str| {
            let kind = EventKind::Modify(ModifyKind::Data(notify::event::DataChange::Any));
            Ok(Event::new(kind).add_path(path.into()))
        };
        for _ in 0..1000 {
            inbox.put(written("/a"));
        }
        assert_eq!(inbox.take(None).signals.len(), 1);
        for number in 0..=LIMIT {
            inbox.put(written(&format!("/{number}")));
        }
        let mail = inbox.take(None);
        assert!(mail.overflow && mail.signals.is_empty());
    }

    #[test]
    fn the_open_that_made_a_file_is_told_and_no_other() {
        let inbox = Inbox::default();
        let told = |kind, path: &str| inbox.put(Ok(Event::new(kind).add_path(path.into())));
        let made = EventKind::Create(CreateKind::File);
        let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
        told(made, "/a");
        assert_eq!(inbox.take(None).signals, [("/a".into(), Raw::CreatedFile)]);
        told(opened, "/b");
        told(opened, "/a");
        told(opened, "/a");
        assert_eq!(inbox.take(None).signals, [("/a".into(), Raw::Opened)]);
        for number in 0..=MADE {
            told(made, &format!("/{number}"));
        }
        inbox.take(None);
        told(opened, "/0");
        told(opened, "/1");
        assert_eq!(inbox.take(None).signals, [("/1".into(), Raw::Opened)], "only the newest are waited for");
    }

    #[test]
    fn reading_wakes_nobody() {
        let inbox = Inbox::default();
        let kind = EventKind::Access(AccessKind::Open(AccessMode::Any));
        inbox.put(Ok(Event::new(kind).add_path("/a".into())));
        assert!(inbox.take(Some(Instant::now())).is_empty());
    }
}
