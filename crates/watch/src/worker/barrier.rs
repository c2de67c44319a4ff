//! Barriers: a cookie file written after the call comes out of the system's queue after every change that
//! was finished before the call.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::Worker;
use crate::{SyncPoint, inbox::Waiter, name};

/// A cookie that was not seen within this is taken as lost: everything is compared instead.
const LOST: Duration = Duration::from_secs(2);
/// A path that was found changing so often, with the settle time between the looks, is being written.
const LOOKS: usize = 3;

/// One barrier under way.
#[derive(Debug)]
pub(crate) struct Barrier {
    waiters: VecDeque<Waiter>,
    cookie: PathBuf,
    written: Instant,
    seen: Option<Instant>,
    /// What changed before the cookie and was not examined to the end since, and how often it was found changing.
    open: BTreeMap<Arc<Path>, usize>,
}

impl Barrier {
    pub(crate) fn is_seen(&self) -> bool {
        self.seen.is_some()
    }

    pub(crate) fn is_cookie(&self, path: &Path) -> bool {
        self.cookie == path
    }

    /// A path was examined to the end.
    pub(crate) fn resolve(&mut self, path: &Path) {
        self.open.remove(path);
    }

    /// A path was looked at and still changed.
    pub(crate) fn changing(&mut self, path: &Path) {
        if let Some(looks) = self.open.get_mut(path) {
            *looks += 1;
        }
    }

    /// More that belongs to it.
    pub(crate) fn widen<'a>(&mut self, paths: impl Iterator<Item = &'a Arc<Path>>) {
        for path in paths {
            self.open.entry(Arc::clone(path)).or_default();
        }
    }

    /// When to look at it again.
    pub(crate) fn wake(&self, quiet: Duration) -> Instant {
        match self.seen {
            Some(seen) => seen + quiet,
            None => self.written + LOST,
        }
    }
}

impl Worker {
    /// Starts one for everybody who waits, unless one is under way.
    pub(super) fn begin_barrier(&mut self) {
        if let Some(barrier) = &self.barrier {
            if !barrier.is_seen() && barrier.written.elapsed() >= LOST {
                tracing::warn!("a barrier's cookie was not reported; everything is compared again");
                self.overflow();
            }
            return;
        }
        if self.waiting.is_empty() {
            return;
        }
        if self.halt.is_some() {
            self.fail_barriers();
            return;
        }
        self.barriers += 1;
        let cookie = self.cookie_dir.join(format!("cookie-{}-{}", std::process::id(), self.barriers));
        let written = Instant::now();
        let reported = self.places.cookies_watched() && fs::write(&cookie, b"").is_ok();
        let waiters = std::mem::take(&mut self.waiting);
        self.barrier = Some(Barrier { waiters, cookie, written, seen: None, open: BTreeMap::new() });
        if !reported {
            self.compare_all();
            self.barrier_seen();
        }
    }

    /// Everything before the cookie is in the settle queue now.
    pub(super) fn barrier_seen(&mut self) {
        if self.barrier.as_ref().is_none_or(Barrier::is_seen) {
            return;
        }
        self.scan_unwatched();
        let Some(barrier) = &mut self.barrier else {
            return;
        };
        // A cookie that stays is emptied at the next start.
        let _ = fs::remove_file(&barrier.cookie);
        barrier.seen = Some(Instant::now());
        barrier.widen(self.settle.paths());
    }

    /// Answers when all was examined, or what is left is still being written.
    pub(super) fn end_barrier(&mut self) {
        if self.halt.is_some() {
            self.fail_barriers();
            return;
        }
        let Some(barrier) = &mut self.barrier else {
            return;
        };
        let Some(seen) = barrier.seen else { return };
        let settle = &self.settle;
        barrier.open.retain(|path, _| settle.contains(path));
        // Counted in looks, for on a slow machine time alone does not tell that anybody writes.
        let is_written = |path, looks: usize| settle.is_open(path) || looks >= LOOKS;
        let over = barrier.open.iter().all(|(path, looks)| is_written(path, *looks)) && seen.elapsed() >= self.quiet;
        if !barrier.open.is_empty() && !over {
            return;
        }
        let point = SyncPoint {
            number: self.barriers,
            unsettled: barrier.open.keys().map(|path| name::text(path).0).collect(),
        };
        self.publish();
        if let Some(barrier) = self.barrier.take() {
            for waiter in barrier.waiters {
                // Whoever stopped waiting needs no answer.
                let _ = waiter.send(Ok(point.clone()));
            }
        }
    }

    /// Nobody waits for what cannot come.
    pub(super) fn fail_barriers(&mut self) {
        let begun = self.barrier.take();
        if let Some(barrier) = &begun {
            let _ = fs::remove_file(&barrier.cookie);
        }
        let waiters = begun.into_iter().flat_map(|barrier| barrier.waiters).chain(std::mem::take(&mut self.waiting));
        for waiter in waiters.collect::<Vec<_>>() {
            if let Some(error) = self.halted() {
                let _ = waiter.send(Err(error));
            }
        }
    }
}
