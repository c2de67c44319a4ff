//! Recordings in memory.

use super::{Edit, Key, Recorded, Recording};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Recordings in memory, by key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recordings {
    edits: BTreeMap<Key, BTreeSet<Edit>>,
    /// Keys by what near ones share.
    near: HashMap<u64, BTreeSet<Key>>,
}

impl Recordings {
    /// Keeps what a person made of a region. A second answer for the same key stands beside the first: from then on
    /// both are only proposed.
    pub fn record(&mut self, recording: Recording) {
        for hash in recording.key.near_hashes() {
            self.near.entry(hash).or_default().insert(recording.key.clone());
        }
        self.edits.entry(recording.key).or_default().insert(recording.edit);
    }

    /// Forgets a resolution that did not survive. Whether it was there.
    pub fn forget(&mut self, recording: &Recording) -> bool {
        let Some(edits) = self.edits.get_mut(&recording.key) else { return false };
        let was_there = edits.remove(&recording.edit);
        if edits.is_empty() {
            self.edits.remove(&recording.key);
            for hash in recording.key.near_hashes() {
                if let Some(keys) = self.near.get_mut(&hash) {
                    keys.remove(&recording.key);
                    if keys.is_empty() {
                        self.near.remove(&hash);
                    }
                }
            }
        }
        was_there
    }

    /// All of them, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = Recording> {
        let all = self.edits.iter().flat_map(|(key, edits)| edits.iter().map(move |edit| (key, edit)));
        all.map(|(key, edit)| Recording { key: key.clone(), edit: edit.clone() })
    }
}

impl Extend<Recording> for Recordings {
    fn extend<I: IntoIterator<Item = Recording>>(&mut self, recordings: I) {
        recordings.into_iter().for_each(|recording| self.record(recording));
    }
}

impl FromIterator<Recording> for Recordings {
    fn from_iter<I: IntoIterator<Item = Recording>>(recordings: I) -> Self {
        let mut all = Self::default();
        all.extend(recordings);
        all
    }
}

impl Recorded for Recordings {
    fn exact(&self, key: &Key) -> Vec<Edit> {
        self.edits.get(key).into_iter().flatten().cloned().collect()
    }

    fn near(&self, key: &Key) -> Vec<Recording> {
        let mut seen = BTreeSet::new();
        let keys = key.near_hashes().into_iter().filter_map(|hash| self.near.get(&hash)).flatten();
        let keys = keys.filter(|other| key.is_near(other)).filter(|other| seen.insert(*other));
        let of = |key: &Key| {
            let edits = self.edits.get(key).into_iter().flatten().cloned();
            edits.map(|edit| Recording { key: key.clone(), edit }).collect::<Vec<_>>()
        };
        keys.flat_map(of).collect()
    }
}
