//! What to watch, how long to wait and how much to spend.

use std::{fs, path::PathBuf, time::Duration};

use tokio::sync::mpsc::Receiver;

use crate::{Error, Handle, Notice, handle};

/// How to watch one folder; [`Options::build`] starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// Top of the worktree.
    pub root: PathBuf,
    /// Folder for the barrier's cookie files, made when missing and emptied at start. Only this watcher may
    /// use it. Best on a path that is not reported: git's own folder, an ignored one, or elsewhere.
    pub cookie_dir: PathBuf,
    /// A file is settled after this long without an event.
    pub settle: Duration,
    /// A file that was written and not yet closed is held back until it is closed, or this long without an
    /// event: log files that stay open are reported at last.
    pub patience: Duration,
    /// Most folders to watch; further ones are scanned.
    pub watch_budget: usize,
    /// How often folders that are not watched are compared by stat.
    pub scan_interval: Duration,
    /// When deletions are withheld.
    pub brake: Brake,
    /// Files and folders never looked at: absolute, or relative to the root.
    pub exclude: Vec<PathBuf>,
    /// Notices that may wait for the consumer; when full the watcher waits and keeps coalescing.
    pub queue: usize,
}

/// Deletions are withheld when more files vanish together than both bounds allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brake {
    /// Share of the known files, from 0 to 1.
    pub fraction: f64,
    /// Number of files that may always vanish.
    pub at_least: usize,
}

impl Default for Brake {
    fn default() -> Self {
        Self { fraction: 0.5, at_least: 50 }
    }
}

impl Options {
    /// Options with the usual values.
    pub fn new(root: impl Into<PathBuf>, cookie_dir: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            cookie_dir: cookie_dir.into(),
            settle: Duration::from_millis(60),
            patience: Duration::from_secs(2),
            watch_budget: default_budget(),
            scan_interval: Duration::from_secs(2),
            brake: Brake::default(),
            exclude: Vec::new(),
            queue: 256,
        }
    }

    /// Lists and watches the tree, then starts the background thread. Blocks for about the time of a stat
    /// walk; every change after it returns is reported.
    /// # Errors
    /// The root or the cookie folder cannot be used, or no thread can be started. A shortage of watches is
    /// not an error but [`Notice::Degraded`].
    pub fn build(self) -> Result<(Handle, Receiver<Notice>), Error> {
        handle::start(self)
    }
}

/// Half of what the system allows one user, so that editors keep theirs.
#[must_use]
pub fn default_budget() -> usize {
    fs::read_to_string("/proc/sys/fs/inotify/max_user_watches")
        .ok()
        .and_then(|text| text.trim().parse::<usize>().ok())
        .map_or(100_000, |limit| limit / 2)
}
