//! What one report of the system means for the tree.

use std::{fs, os::unix::fs::MetadataExt, path::Path, time::Instant};

use super::{Depth, Worker};
use crate::{inbox::Raw, settle::Signal, stamp};

impl Worker {
    /// Takes note of one report. Folders are entered at once, so that little happens in them unwatched.
    pub(super) fn signal(&mut self, path: &Path, raw: Raw) {
        if path.parent() == Some(&self.cookie_dir) {
            if self.barrier.as_ref().is_some_and(|barrier| barrier.is_cookie(path)) {
                self.barrier_seen();
            }
            return;
        }
        if path == self.root {
            if raw == Raw::Gone {
                self.root_reported_gone();
            }
            return;
        }
        if self.halt_is_root() {
            return;
        }
        let Ok(below) = path.strip_prefix(&self.root) else {
            return;
        };
        let below = below.to_owned();
        if self.is_excluded(&below) || !below.parent().is_some_and(|parent| self.places.contains(parent)) {
            return;
        }
        let now = Instant::now();
        match raw {
            Raw::Gone => self.gone(&below, now),
            Raw::Arrived => self.arrived(&below, now),
            Raw::Moved { from } => {
                if let Ok(from) = from.strip_prefix(&self.root) {
                    self.settle.moved(from, &below, now);
                }
            }
            Raw::CreatedFile => {
                // Links and pipes are whole when they appear, and no close follows. A file with one name may have been
                // linked here, too, and its other name removed since: its writer, if there is one, is told of next.
                let whole = fs::symlink_metadata(path).is_ok_and(|found| !found.is_file() || found.nlink() > 1);
                self.changed(&below, if whole { Signal::Arrived } else { Signal::Found }, now);
            }
            Raw::Opened => {
                // Its writer tells of all it writes; only what is still empty has no other sign that somebody may.
                let is_empty = fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0);
                if is_empty && self.settle.contains(&below) {
                    self.changed(&below, Signal::Written, now);
                }
            }
            Raw::Written => self.changed(&below, Signal::Written, now),
            Raw::Closed => self.changed(&below, Signal::Closed, now),
            Raw::Touched => self.changed(&below, Signal::Touched, now),
        }
    }

    fn changed(&mut self, below: &Path, signal: Signal, now: Instant) {
        let swapped = below.parent().is_some_and(|parent| self.places.swapped(parent));
        let signal = match signal {
            Signal::Written if swapped => Signal::Found,
            other => other,
        };
        if !self.places.contains(below) && !self.is_ignored(below, false) {
            self.settle.note(below, signal, now);
        }
    }

    fn arrived(&mut self, below: &Path, now: Instant) {
        let is_folder = fs::symlink_metadata(self.root.join(below)).is_ok_and(|found| found.is_dir());
        if self.is_ignored(below, is_folder) {
            return;
        }
        if is_folder {
            if self.shared.index.read().contains(below) {
                self.settle.note(below, Signal::Gone, now);
            }
            // Another folder may have taken a known name: its files differ and its watch is of the old one.
            self.leave(below);
            self.visit(below, Depth::New);
        } else {
            self.leave(below);
            self.settle.note(below, Signal::Arrived, now);
        }
    }

    fn gone(&mut self, below: &Path, now: Instant) {
        let was_folder = self.places.contains(below);
        self.leave(below);
        if self.shared.index.read().contains(below) {
            self.settle.note(below, Signal::Gone, now);
        } else if !matches!(stamp::stamp_at(&self.root.join(below)), Ok(None)) {
            // A report of another file: folders changed places, and this one is here.
            self.settle.note(below, Signal::Found, now);
        } else if self.settle.contains(below) {
            // Nobody was told of it, but somebody may have read it.
            self.settle.left(below, now);
        }
        if was_folder && fs::symlink_metadata(self.root.join(below)).is_ok_and(|found| found.is_dir()) {
            self.arrived(below, now);
        }
    }

    fn root_reported_gone(&mut self) {
        if self.halt_is_root() {
            return;
        }
        if self.root_is_there() {
            // It went and came back; its watch may not have.
            self.overflow();
        } else {
            self.lose_root();
        }
    }

    pub(super) fn halt_is_root(&self) -> bool {
        matches!(self.halt, Some(super::halt::Halt::Root))
    }

    pub(super) fn is_excluded(&self, below: &Path) -> bool {
        below.file_name().is_some_and(|name| name == ".git")
            || self.excluded.iter().any(|excluded| below.starts_with(excluded))
    }

    /// True when the rules of the folder that holds `below` ignore it.
    pub(super) fn is_ignored(&self, below: &Path, is_folder: bool) -> bool {
        let place = below.parent().and_then(|parent| self.places.get(parent));
        place.is_some_and(|place| place.rules.ignore(&self.root.join(below), is_folder))
    }
}
