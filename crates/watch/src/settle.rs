//! When a changed path may be looked at. Pure: fed with paths, signals and instants.
//!
//! A path is due after `quiet` without a signal. One that was written and not closed waits for the close, or
//! for `patience`: a writer that pauses longer than `quiet` is not taken as finished. While indexed files
//! keep vanishing, everything waits, so that one `rm -r` or one folder rename is one batch.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// What was seen of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Content was written, or a new file was opened as it was made: a writer has it open.
    Written,
    /// A writer closed it.
    Closed,
    /// It came by rename or link, whole.
    Arrived,
    /// A known file vanished.
    Gone,
    /// Mode, times or links changed.
    Touched,
    /// A scan found it different, or a new name is reported without an open; whether a writer has it open is unknown.
    Found,
    /// It was due and still changed while it was read.
    Deferred,
}

/// A path that may be looked at now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) path: Arc<Path>,
    /// No event told of a writer or of its close: one may have it open.
    pub(crate) found: bool,
}

#[derive(Debug, Clone, Copy)]
struct Pending {
    last: Instant,
    open: bool,
    gone: bool,
    found: bool,
    /// It came by rename and nobody wrote to it since.
    arrived: bool,
    deferred: bool,
}

/// All paths that changed and were not looked at since.
#[derive(Debug)]
pub(crate) struct Settle {
    quiet: Duration,
    patience: Duration,
    /// More vanished files than this are held back for longer.
    many: usize,
    pending: HashMap<Arc<Path>, Pending>,
    queue: BTreeSet<(Instant, Arc<Path>)>,
    gone: usize,
    /// First and last vanishing of the files that wait now.
    vanishing: Option<(Instant, Instant)>,
}

impl Settle {
    pub(crate) fn new(quiet: Duration, patience: Duration, many: usize) -> Self {
        Self {
            quiet,
            patience: patience.max(quiet),
            many,
            pending: HashMap::new(),
            queue: BTreeSet::new(),
            gone: 0,
            vanishing: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }

    pub(crate) fn contains(&self, path: &Path) -> bool {
        self.pending.contains_key(path)
    }

    /// True when a writer is known to have the path open.
    pub(crate) fn is_open(&self, path: &Path) -> bool {
        self.pending.get(path).is_some_and(|pending| pending.open)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &Arc<Path>> {
        self.pending.keys()
    }

    /// Takes note of a signal at `now`.
    pub(crate) fn note(&mut self, path: &Path, signal: Signal, now: Instant) {
        // What scans see again and again must not put itself off.
        let again = |old: &Pending| match signal {
            Signal::Found => !old.gone,
            Signal::Gone => old.gone,
            _ => false,
        };
        if self.pending.get(path).is_some_and(again) {
            return;
        }
        let old = self.drop(path);
        let key = old.as_ref().map_or_else(|| Arc::from(path), |(key, _)| Arc::clone(key));
        let old = old.map(|(_, pending)| pending);
        let was_open = old.is_some_and(|old| old.open);
        let open = match signal {
            Signal::Written => true,
            Signal::Closed | Signal::Arrived | Signal::Gone => false,
            Signal::Touched | Signal::Found | Signal::Deferred => was_open,
        };
        let gone = signal == Signal::Gone;
        // A path that events describe completely needs no guess about writers.
        let found = match signal {
            Signal::Found => old.is_none_or(|old| old.found || old.gone),
            Signal::Deferred => true,
            Signal::Touched => old.is_some_and(|old| old.found),
            _ => false,
        };
        let pending = Pending {
            last: now,
            open,
            gone,
            found,
            arrived: signal == Signal::Arrived,
            deferred: signal == Signal::Deferred,
        };
        if gone {
            self.gone += 1;
            let first = self.vanishing.map_or(now, |(first, _)| first);
            self.vanishing = Some((first, now));
        }
        self.queue.insert((self.due_at(&pending), Arc::clone(&key)));
        self.pending.insert(key, pending);
    }

    /// A rename carries an open writer to the new name.
    pub(crate) fn moved(&mut self, from: &Path, to: &Path, now: Instant) {
        if self.pending.get(from).is_some_and(|pending| pending.open) {
            self.note(to, Signal::Written, now);
        }
    }

    /// Forgets a path that is ignored by now.
    pub(crate) fn forget(&mut self, path: &Path) {
        self.drop(path);
    }

    /// No event will tell more of what is known by this name: its writer is not waited for.
    pub(crate) fn left(&mut self, path: &Path, now: Instant) {
        self.drop(path);
        self.note(path, Signal::Found, now);
    }

    /// What waits below a folder.
    pub(crate) fn below(&self, folder: &Path) -> Vec<Arc<Path>> {
        self.paths().filter(|path| path.starts_with(folder)).map(Arc::clone).collect()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.quiet, self.patience, self.many);
    }

    /// When [`Settle::take`] can next return something.
    pub(crate) fn next(&self) -> Option<Instant> {
        let (first, _) = self.queue.first()?;
        Some(self.hold_until().map_or(*first, |hold| hold.max(*first)))
    }

    /// The paths that are due at `now`, all together.
    pub(crate) fn take(&mut self, now: Instant) -> Vec<Due> {
        if self.hold_until().is_some_and(|hold| hold > now) {
            return Vec::new();
        }
        let mut due = Vec::new();
        let mut vanished = false;
        while self.queue.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, path)) = self.queue.pop_first() else {
                break;
            };
            vanished |= self.pending.get(&path).is_some_and(|pending| pending.gone);
            due.extend(self.remove(path));
        }
        if vanished {
            // The other half of a move may have been noted a moment later; both belong to one batch.
            due.extend(
                self.take_if(|_, pending| (pending.arrived || pending.found) && !pending.deferred && !pending.open),
            );
        }
        due
    }

    /// For a barrier: the paths that no writer holds open, without waiting for quiet.
    pub(crate) fn take_closed(&mut self, now: Instant) -> Vec<Due> {
        self.take_if(|settle, pending| !pending.open && !pending.deferred || settle.due_at(pending) <= now)
    }

    fn take_if(&mut self, wanted: impl Fn(&Self, &Pending) -> bool) -> Vec<Due> {
        let found = self.pending.iter().filter(|(_, pending)| wanted(self, pending));
        let found: Vec<_> = found.map(|(path, pending)| (self.due_at(pending), Arc::clone(path))).collect();
        let mut due = Vec::with_capacity(found.len());
        for entry in found {
            self.queue.remove(&entry);
            due.extend(self.remove(entry.1));
        }
        due
    }

    fn due_at(&self, pending: &Pending) -> Instant {
        pending.last + if pending.open { self.patience } else { self.quiet }
    }

    /// Until when vanishing files hold everything back. Bounded, so that a steady trickle cannot do it
    /// forever; a flood is held longer, for it is what the brake must see whole.
    fn hold_until(&self) -> Option<Instant> {
        let (first, last) = self.vanishing?;
        let longest = self.quiet * if self.gone > self.many { 170 } else { 50 };
        Some((last + self.quiet).min(first + longest))
    }

    fn remove(&mut self, path: Arc<Path>) -> Option<Due> {
        let pending = self.pending.remove(&path)?;
        self.count_down(&pending);
        Some(Due { path, found: pending.found })
    }

    fn drop(&mut self, path: &Path) -> Option<(Arc<Path>, Pending)> {
        let (key, pending) = self.pending.remove_entry(path)?;
        self.queue.remove(&(self.due_at(&pending), Arc::clone(&key)));
        self.count_down(&pending);
        Some((key, pending))
    }

    fn count_down(&mut self, pending: &Pending) {
        self.gone -= usize::from(pending.gone);
        if self.gone == 0 {
            self.vanishing = None;
        }
    }
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
