//! Objects that are not on disk: uncommitted content and the trees made of it, shared by all workspaces.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use gix::{ObjectId, objs::Kind};
use parking_lot::RwLock;

/// A point in time of the memory; what was written after it is not swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

#[derive(Debug, Default)]
pub(crate) struct Memory {
    objects: RwLock<HashMap<ObjectId, Held>>,
    bytes: AtomicUsize,
    clock: AtomicU64,
    /// Read while something is written that nothing names yet.
    writers: RwLock<()>,
}

#[derive(Debug)]
struct Held {
    kind: Kind,
    data: Arc<[u8]>,
    written: u64,
}

impl Memory {
    pub(crate) fn get(&self, id: &gix::oid) -> Option<(Kind, Arc<[u8]>)> {
        self.objects.read().get(id).map(|held| (held.kind, Arc::clone(&held.data)))
    }

    pub(crate) fn contains(&self, id: &gix::oid) -> bool {
        self.objects.read().contains_key(id)
    }

    /// Keeps an object, or notes that it was wanted again.
    pub(crate) fn put(&self, id: ObjectId, kind: Kind, data: &[u8]) {
        let written = self.clock.load(Ordering::Relaxed);
        let mut objects = self.objects.write();
        let held = objects.entry(id).or_insert_with(|| {
            self.bytes.fetch_add(data.len(), Ordering::Relaxed);
            Held { kind, data: data.into(), written }
        });
        held.written = written;
    }

    pub(crate) fn forget(&self, ids: &[ObjectId]) {
        let mut objects = self.objects.write();
        for id in ids {
            if let Some(held) = objects.remove(id) {
                self.bytes.fetch_sub(held.data.len(), Ordering::Relaxed);
            }
        }
        objects.shrink_to_fit();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn blobs(&self) -> Vec<ObjectId> {
        self.objects.read().iter().filter(|(_, held)| held.kind == Kind::Blob).map(|(id, _)| *id).collect()
    }

    /// Held while objects are written, until a snapshot names them.
    pub(crate) fn writing(&self) -> parking_lot::RwLockReadGuard<'_, ()> {
        self.writers.read()
    }

    /// Waits for those who are writing: what they wrote has a name then.
    pub(crate) fn mark(&self) -> Mark {
        let _none = self.writers.write();
        Mark(self.clock.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Drops what was last written before `mark` and is not in `live`; returns how many.
    pub(crate) fn sweep(&self, mark: Mark, live: &HashSet<ObjectId>) -> usize {
        let mut objects = self.objects.write();
        let before = objects.len();
        objects.retain(|id, held| {
            let keep = held.written >= mark.0 || live.contains(id);
            if !keep {
                self.bytes.fetch_sub(held.data.len(), Ordering::Relaxed);
            }
            keep
        });
        before - objects.len()
    }
}
