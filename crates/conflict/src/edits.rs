//! Who has which file in work, and the newest changes.

use orchestrator_protocol::{AgentId, ChangeType, Severity};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Changes that are kept for `GET /sync/changes`.
const KEPT_CHANGES: usize = 10_000;

/// One change of one file, as recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Relative to the project, with forward slashes.
    pub path: String,
    /// Who did it, where that is known.
    pub agent: Option<AgentId>,
    /// What happened.
    pub change_type: ChangeType,
    /// blake3 of the content, in hex.
    pub hash: Option<String>,
    /// The same before the change.
    pub previous_hash: Option<String>,
    /// The old name of a renamed file.
    pub previous_path: Option<String>,
    /// Low when nobody else edits the file.
    pub conflict_level: Severity,
    /// Who else has the file in work.
    pub affected: Vec<AgentId>,
    /// When the server learned of it, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The agent's work is merged with that of others, which tells more than that both edit a file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
}

/// One agent's edit of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    /// Number of the event of its newest change; its term runs from there.
    pub seq: u64,
    /// Number of the event with which it began.
    pub since: u64,
    /// The agent.
    pub agent: AgentId,
    /// What it did last.
    pub change_type: ChangeType,
    /// The agent's work is merged with that of others.
    #[serde(default)]
    pub merged: bool,
}

/// All edits in work, and the newest changes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Edits {
    by_path: BTreeMap<String, BTreeMap<String, Edit>>,
    changes: VecDeque<(u64, Change)>,
}

impl Edits {
    /// Files that agents have in work.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    /// Whether no file is in work.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The edits of a file, in the order in which they began.
    #[must_use]
    pub fn of(&self, path: &str) -> Vec<&Edit> {
        let mut edits: Vec<&Edit> = self.by_path.get(path).into_iter().flat_map(BTreeMap::values).collect();
        edits.sort_by_key(|edit| edit.since);
        edits
    }

    /// An agent's edit of a file.
    #[must_use]
    pub fn by(&self, path: &str, agent: &AgentId) -> Option<&Edit> {
        self.by_path.get(path)?.get(&agent.key())
    }

    /// All edits: path, edit.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Edit)> {
        self.by_path.iter().flat_map(|(path, edits)| edits.values().map(move |edit| (path.as_str(), edit)))
    }

    /// The newest changes with a number above `after`, oldest first.
    pub fn changes(&self, after: u64) -> impl DoubleEndedIterator<Item = &(u64, Change)> {
        let start = self.changes.partition_point(|(seq, _)| *seq <= after);
        self.changes.range(start..)
    }

    /// The newest recorded content of a file.
    #[must_use]
    pub fn last_hash(&self, path: &str) -> Option<&str> {
        self.changes.iter().rev().find(|(_, change)| change.path == path)?.1.hash.as_deref()
    }

    pub(crate) fn record(&mut self, seq: u64, change: &Change) {
        if let Some(agent) = &change.agent {
            if let Some(previous) = &change.previous_path {
                self.end(previous, agent);
            }
            let edits = self.by_path.entry(change.path.clone()).or_default();
            let edit = edits.entry(agent.key()).or_insert_with(|| Edit {
                seq,
                since: seq,
                agent: agent.clone(),
                change_type: change.change_type,
                merged: change.merged,
            });
            edit.seq = seq;
            edit.merged = change.merged;
            edit.change_type = change.change_type;
        }
        self.changes.push_back((seq, change.clone()));
        if self.changes.len() > KEPT_CHANGES {
            self.changes.pop_front();
        }
    }

    pub(crate) fn end(&mut self, path: &str, agent: &AgentId) {
        if let Some(edits) = self.by_path.get_mut(path) {
            edits.remove(&agent.key());
            if edits.is_empty() {
                self.by_path.remove(path);
            }
        }
    }
}
