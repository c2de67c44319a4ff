//! The background thread: takes what the system said, keeps the index equal to the disk, sends notices.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::mpsc::{Sender, error::TrySendError};

use crate::{
    Notice, Options, Stats,
    brake::Counter,
    inbox::{Inbox, Mail, Waiter},
    index::Index,
    places::Places,
    rules::{self, Rules},
    settle::Settle,
    stamp::{self, Stamp},
};

mod barrier;
mod examine;
mod halt;
mod hashing;
mod signals;
mod visit;

use barrier::Barrier;
use halt::Halt;
pub(crate) use visit::Depth;

/// How often a full queue of notices, or a lost root, is looked at again.
const RETRY: Duration = Duration::from_millis(5);
const ROOT_RETRY: Duration = Duration::from_millis(100);

/// What handles may read.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) index: RwLock<Index>,
    pub(crate) stats: Mutex<Stats>,
}

/// All state of the background thread.
#[derive(Debug)]
pub(crate) struct Worker {
    root: PathBuf,
    root_identity: (u64, u64),
    cookie_dir: PathBuf,
    excluded: Vec<PathBuf>,
    quiet: Duration,
    scan_interval: Duration,
    inbox: Arc<Inbox>,
    shared: Arc<Shared>,
    notices: Sender<Notice>,
    base: Arc<Rules>,
    base_stamp: Option<Stamp>,
    places: Places,
    settle: Settle,
    counter: Counter,
    halt: Option<Halt>,
    barrier: Option<Barrier>,
    waiting: VecDeque<Waiter>,
    barriers: u64,
    unhashed: VecDeque<PathBuf>,
    /// The first listing: files are taken as known, not as changed.
    adopting: bool,
    degraded: bool,
    next_scan: Instant,
    rescans: u64,
    hidden: u64,
    ended: bool,
}

impl Worker {
    /// Lists and watches the tree. `options.root` and `options.cookie_dir` are canonical.
    pub(crate) fn new(
        options: &Options,
        root_identity: (u64, u64),
        inbox: Arc<Inbox>,
        shared: Arc<Shared>,
        notices: Sender<Notice>,
    ) -> Self {
        let root = options.root.clone();
        let below = |path: &PathBuf| match path.strip_prefix(&root) {
            Ok(below) => Some(below.to_owned()),
            Err(_) if path.is_absolute() => None,
            Err(_) => Some(path.clone()),
        };
        let excluded = options.exclude.iter().chain([&options.cookie_dir]).filter_map(below);
        let excluded = excluded.filter(|path| !path.as_os_str().is_empty()).collect();
        let places = Places::new(root.clone(), options.cookie_dir.clone(), Arc::clone(&inbox), options.watch_budget);
        let mut worker = Self {
            base: Rules::base(&root),
            base_stamp: exclude_stamp(&root),
            root,
            root_identity,
            cookie_dir: options.cookie_dir.clone(),
            excluded,
            quiet: options.settle,
            scan_interval: options.scan_interval,
            inbox,
            shared,
            notices,
            places,
            settle: Settle::new(options.settle, options.patience, options.brake.at_least),
            counter: Counter::new(options.brake),
            halt: None,
            barrier: None,
            waiting: VecDeque::new(),
            barriers: 0,
            unhashed: VecDeque::new(),
            adopting: true,
            degraded: false,
            next_scan: Instant::now() + options.scan_interval,
            rescans: 0,
            hidden: 0,
            ended: false,
        };
        worker.places.connect();
        worker.visit(Path::new(""), Depth::All);
        worker.adopting = false;
        worker.publish();
        worker
    }

    /// Runs until it is stopped or nobody receives.
    pub(crate) fn run(mut self) {
        while !self.ended {
            let mail = self.inbox.take(Some(self.wake()));
            if mail.stop {
                break;
            }
            self.turn(mail);
        }
    }

    fn turn(&mut self, mail: Mail) {
        self.waiting.extend(mail.barriers);
        if let Some((watches, scan_interval)) = mail.allotment {
            self.allot(watches, scan_interval);
        }
        if matches!(self.halt, Some(Halt::Root)) {
            self.find_root();
        } else {
            for (path, raw) in mail.signals {
                self.signal(&path, raw);
            }
            if mail.overflow {
                self.overflow();
            }
            if mail.confirm {
                self.confirm();
            }
            let now = Instant::now();
            if now >= self.next_scan {
                self.tick();
            }
        }
        self.work();
        self.report_shortage();
        self.publish();
    }

    /// Looks at what is due, then moves the barrier along.
    fn work(&mut self) {
        self.begin_barrier();
        let now = Instant::now();
        let due = match &self.barrier {
            Some(barrier) if barrier.is_seen() => self.settle.take_closed(now),
            _ => self.settle.take(now),
        };
        match &mut self.halt {
            Some(Halt::Root) => {}
            Some(Halt::Deletions { held, .. }) => {
                held.extend(due.iter().map(|due| due.path.to_path_buf()));
                self.look_for_return();
            }
            None => {
                let idle = due.is_empty();
                if !idle {
                    self.examine(due, true);
                }
                if self.settle.len() == 0 {
                    self.counter.set_strict(false);
                }
                if idle {
                    self.hash_some();
                }
            }
        }
        self.end_barrier();
    }

    /// When to look again without being woken.
    fn wake(&self) -> Instant {
        let now = Instant::now();
        if matches!(self.halt, Some(Halt::Root)) {
            return now + ROOT_RETRY;
        }
        if !self.unhashed.is_empty() && self.halt.is_none() {
            return now;
        }
        let settled = self.settle.next();
        let barrier = self.barrier.as_ref().map(|barrier| barrier.wake(self.quiet));
        settled.into_iter().chain(barrier).fold(self.next_scan, Instant::min).max(now + Duration::from_millis(1))
    }

    /// The periodic part: folders that are not watched, `info/exclude`, and whether the root is there.
    fn tick(&mut self) {
        let begun = Instant::now();
        if !self.root_is_there() {
            self.lose_root();
            return;
        }
        let stamp = exclude_stamp(&self.root);
        if stamp != self.base_stamp {
            self.base_stamp = stamp;
            self.base = Rules::base(&self.root);
            self.visit(Path::new(""), Depth::All);
        }
        self.scan_unwatched();
        // A scan that takes long must not become all this thread does.
        self.next_scan = Instant::now() + self.scan_interval.max(begun.elapsed() * 4);
    }

    fn scan_unwatched(&mut self) {
        for folder in self.places.unwatched() {
            if self.places.contains(&folder) {
                self.visit(&folder, Depth::New);
            }
        }
    }

    /// Everything is compared again, with a fresh connection to the system.
    fn overflow(&mut self) {
        self.places.connect();
        let rescanned = self.compare_all();
        self.rescans += 1;
        self.barrier_seen();
        self.deliver(Notice::Overflow { rescanned });
    }

    fn allot(&mut self, watches: usize, scan_interval: Duration) {
        self.scan_interval = scan_interval;
        self.next_scan = self.next_scan.min(Instant::now() + scan_interval);
        // A root that is lost is connected anew when it is back.
        if self.places.allot(watches) && !matches!(self.halt, Some(Halt::Root)) {
            self.places.connect();
            self.compare_all();
            self.barrier_seen();
        }
    }

    fn report_shortage(&mut self) {
        let short = self.places.scanned() > 0;
        if short == self.degraded || matches!(self.halt, Some(Halt::Root)) {
            return;
        }
        self.degraded = short;
        if !short {
            self.places.recovered();
        }
        let notice = if short { Notice::Degraded { reason: self.places.reason() } } else { Notice::Recovered };
        self.deliver(notice);
    }

    /// Waits until the consumer has room. Meanwhile the inbox coalesces.
    fn deliver(&mut self, notice: Notice) {
        self.publish();
        let mut next = Some(notice);
        while let Some(notice) = next.take().filter(|_| !self.ended) {
            match self.notices.try_send(notice) {
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => self.ended = true,
                Err(TrySendError::Full(back)) => {
                    next = Some(back);
                    self.ended = self.inbox.stopped_within(RETRY);
                }
            }
        }
    }

    fn publish(&self) {
        let index = self.shared.index.read();
        *self.shared.stats.lock() = Stats {
            files: index.len(),
            unhashed: index.unhashed(),
            folders_watched: self.places.watched(),
            folders_scanned: self.places.scanned(),
            pending: self.settle.len(),
            halted: self.halt.is_some(),
            rescans: self.rescans,
            hidden: self.hidden,
        };
    }
}

impl Drop for Worker {
    /// However the thread ends, nobody may wait for it any longer.
    fn drop(&mut self) {
        self.inbox.stop();
        drop(self.inbox.take(Some(Instant::now())));
    }
}

fn exclude_stamp(root: &Path) -> Option<Stamp> {
    rules::exclude_file(root).and_then(|file| stamp::stamp_at(&file).ok().flatten())
}
