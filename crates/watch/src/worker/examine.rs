//! Looking at settled paths: stat, hash, compare, tell.

use std::{ffi::OsStr, fs, path::Path, time::Instant};

use super::{Depth, Worker, halt::Halt};
use crate::{
    Notice,
    batch::{self, Batch, Outcome},
    index::Record,
    scan,
    settle::{Due, Signal},
    stamp::{self, Content, Stamp},
};

/// What stands at a path.
enum Seen {
    /// No file or link.
    Nothing,
    /// Something that is not reported.
    Ignored,
    /// It cannot be told; the last state stands.
    Unknown,
    /// It still changes.
    Changing,
    /// This.
    Is(Record),
}

impl Worker {
    /// Examines paths that settled together and reports what changed. `braked`: too many deletions are
    /// withheld and halt the watcher.
    pub(super) fn examine(&mut self, due: Vec<Due>, braked: bool) {
        let mut batch = Batch::new();
        let mut reload = Vec::new();
        for Due { path, found } in due {
            let before = self.shared.index.read().get(&path).copied();
            let now = match self.look(&path, before, found) {
                Seen::Is(record) => Some(record),
                Seen::Nothing => None,
                Seen::Changing => {
                    self.settle.note(&path, Signal::Deferred, Instant::now());
                    if let Some(barrier) = &mut self.barrier {
                        barrier.changing(&path);
                    }
                    continue;
                }
                Seen::Ignored => {
                    self.hidden += u64::from(self.shared.index.write().remove(&path).is_some());
                    self.resolved(&path);
                    continue;
                }
                Seen::Unknown => {
                    self.resolved(&path);
                    continue;
                }
            };
            self.resolved(&path);
            if path.file_name() == Some(OsStr::new(".gitignore")) && before.map(key) != now.map(key) {
                reload.extend(path.parent().map(Path::to_owned));
            }
            batch.insert(path.to_path_buf(), Outcome { before, now });
        }
        if !self.settle_batch(&batch, braked) {
            return;
        }
        for folder in reload {
            self.visit(&folder, Depth::Rules);
            if let Some(barrier) = self.barrier.as_mut().filter(|barrier| barrier.is_seen()) {
                barrier.widen(self.settle.paths());
            }
        }
    }

    /// Puts a batch into the index and tells it; false when it was withheld.
    fn settle_batch(&mut self, batch: &Batch, braked: bool) -> bool {
        let vanished = batch::vanished(batch).next().is_some();
        if vanished && !self.root_is_there() {
            self.lose_root();
            return false;
        }
        let renames = batch::renames(batch);
        let count = batch::deletions(batch, &renames);
        let total = self.shared.index.read().len();
        if braked && !self.counter.admit(count, total, Instant::now()) {
            tracing::warn!(count, total, "many files vanished together; halted");
            let missing = batch::vanished(batch).map(|(path, _)| path.to_owned()).collect();
            let held = batch.keys().cloned().collect();
            self.halt = Some(Halt::Deletions { held, missing, count });
            self.deliver(Notice::MassDeletion { count, total });
            return false;
        }
        {
            let mut index = self.shared.index.write();
            for (path, outcome) in batch {
                match outcome.now {
                    Some(record) => index.insert(path, record),
                    None => {
                        index.remove(path);
                    }
                }
            }
        }
        let changes = batch::changes(batch, &renames);
        if !changes.is_empty() {
            self.deliver(Notice::Changes(changes));
        }
        let unchanged = batch::unchanged(batch);
        if !unchanged.is_empty() {
            self.deliver(Notice::Unchanged(unchanged));
        }
        true
    }

    fn look(&mut self, path: &Path, before: Option<Record>, found: bool) -> Seen {
        if self.is_excluded(path) {
            return Seen::Ignored;
        }
        let Some(parent) = path.parent() else {
            return Seen::Unknown;
        };
        if let Some(seen) = self.reach(parent) {
            return seen;
        }
        let absolute = self.root.join(path);
        let stamp = match fs::symlink_metadata(&absolute) {
            Ok(found) if found.is_dir() => {
                if !self.places.contains(path) && !self.is_ignored(path, true) {
                    self.visit(path, Depth::New);
                }
                return Seen::Nothing;
            }
            Ok(found) => Stamp::of(&found),
            Err(error) if stamp::absent(&error) => None,
            Err(_) => return Seen::Unknown,
        };
        let Some(stamp) = stamp else {
            return Seen::Nothing;
        };
        if self.is_ignored(path, false) {
            return Seen::Ignored;
        }
        if let Some(before) = before.filter(|before| before.stamp == stamp && before.hash.is_some() && !before.racy) {
            return Seen::Is(before);
        }
        // No event told whether a writer has it open; a young file may be half written.
        if found && stamp.younger_than(self.quiet, stamp::wall_now()) {
            return Seen::Changing;
        }
        match stamp::read(&absolute) {
            Content::Stable { stamp, hash, racy } => Seen::Is(Record { stamp, hash: Some(hash), racy }),
            Content::Unreadable(stamp) => Seen::Is(Record { stamp, hash: None, racy: false }),
            Content::Changing => Seen::Changing,
            Content::Absent => Seen::Nothing,
            Content::Unknown => Seen::Unknown,
        }
    }

    /// Enters the folders down to `folder`. Says what a file in it is when that cannot be done: a folder that
    /// became a link, for example, holds no file of this tree.
    fn reach(&mut self, folder: &Path) -> Option<Seen> {
        if self.places.contains(folder) {
            return None;
        }
        let mut steps: Vec<_> = folder.ancestors().collect();
        steps.reverse();
        for step in steps {
            if self.places.contains(step) {
                continue;
            }
            if self.is_excluded(step) || self.is_ignored(step, true) {
                return Some(Seen::Ignored);
            }
            self.visit(step, Depth::New);
            if !self.places.contains(step) {
                return Some(match scan::identity(&self.places.absolute(step)) {
                    Ok(None) => Seen::Nothing,
                    Ok(Some(_)) | Err(_) => Seen::Unknown,
                });
            }
        }
        None
    }

    fn resolved(&mut self, path: &Path) {
        if let Some(barrier) = &mut self.barrier {
            barrier.resolve(path);
        }
    }
}

fn key(record: Record) -> (Option<blake3::Hash>, crate::Entry) {
    (record.hash, record.stamp.entry)
}
