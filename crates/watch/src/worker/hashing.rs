//! The first hash of every file, taken a little at a time when nothing else is due.

use std::time::{Duration, Instant};

use super::Worker;
use crate::{
    index::Record,
    settle::Signal,
    stamp::{self, Content},
};

/// How long one slice may take: far below the settle time.
const SLICE: Duration = Duration::from_millis(8);
/// Larger files are hashed when they change and not before.
const LARGEST: u64 = 64 << 20;

impl Worker {
    /// Hashes files that were only listed so far, for at most one slice.
    pub(super) fn hash_some(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < SLICE {
            let Some(path) = self.unhashed.pop_front() else {
                return;
            };
            let record = self.shared.index.read().get(&path).copied();
            let Some(record) = record.filter(|record| record.hash.is_none() && record.stamp.size <= LARGEST) else {
                continue;
            };
            if self.settle.contains(&path) {
                continue;
            }
            match stamp::read(&self.root.join(&path)) {
                Content::Stable { stamp, hash, racy } if stamp == record.stamp => {
                    self.shared.index.write().insert(&path, Record { stamp, hash: Some(hash), racy });
                }
                Content::Absent => self.settle.note(&path, Signal::Gone, Instant::now()),
                Content::Stable { .. } | Content::Changing => {
                    self.settle.note(&path, Signal::Found, Instant::now());
                }
                Content::Unreadable(_) | Content::Unknown => {}
            }
        }
    }
}
