//! Which snapshots there are: a pure function of the log. It holds names and numbers, never content.

use super::retention::Retention;
use orchestrator_protocol::{AgentId, SnapshotKind};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A durable commit of an agent's work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Why it is kept.
    pub kind: SnapshotKind,
    /// Whose work it is.
    pub agent: AgentId,
    /// The agent's number when it was taken.
    pub number: u64,
    /// The ref in the store.
    pub name: String,
    /// The commit, in hex; the ref says it where it was not recorded.
    pub commit: Option<String>,
    /// The commit that was checked out, in hex; nothing before the first.
    pub head: Option<String>,
    /// The commit of the project's repository that it stands on and that is pinned for it, in hex.
    pub base: Option<String>,
    /// Paths that differed from `head`.
    pub paths: Option<usize>,
    /// Files that were too large to be kept with it.
    pub left_out: usize,
    /// What for, as one word.
    pub reason: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

impl Record {
    /// A backup of which only the ref is known; its number is the name's first part.
    pub fn backup(agent: &AgentId, name: &str, reason: &str, at: i64) -> Self {
        Self {
            kind: SnapshotKind::Backup,
            agent: agent.clone(),
            number: parts(name).map_or(0, |(number, _)| number),
            name: name.to_owned(),
            commit: None,
            head: None,
            base: None,
            paths: None,
            left_out: 0,
            reason: reason.to_owned(),
            at,
        }
    }
}

/// The agent's number and the time in a ref's name, `refs/KIND/NUMBER-MILLISECONDS`.
pub(super) fn parts(name: &str) -> Option<(u64, i64)> {
    let (number, stamp) = name.rsplit('/').next()?.split_once('-')?;
    Some((number.parse().ok()?, stamp.parse().ok()?))
}

/// What can be asked of the ledger.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A snapshot is durable and its ref is set. Twice is no error.
    Keep(Box<Record>),
    /// A snapshot's files were put into a workspace.
    Restored {
        /// What was asked for.
        from: String,
        /// The commit, in hex.
        commit: String,
        /// Paths that were written.
        written: usize,
        /// Paths that were removed.
        removed: usize,
        /// What stood there before.
        backup: Box<Record>,
    },
    /// Let go of what need not be kept any longer.
    Retire {
        /// How long things are kept.
        retention: Retention,
        /// Snapshots whose work has landed.
        landed: BTreeSet<u64>,
    },
    /// The refs of dropped snapshots are gone. Twice is no error.
    Gone {
        /// Which.
        snapshots: Vec<u64>,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Command`")]
pub enum Event {
    /// A snapshot is kept from now on.
    Kept(Box<Record>),
    /// A snapshot's files were put into a workspace, and what stood there is kept.
    Restored { from: String, commit: String, written: usize, removed: usize, backup: Box<Record> },
    /// Snapshots are not kept any longer; their refs go.
    Dropped { snapshots: Vec<u64> },
    /// Their refs are gone.
    Gone { snapshots: Vec<u64> },
}

/// All snapshots, by the number of the event that told of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshots {
    kept: BTreeMap<u64, Record>,
    /// Dropped, and their refs may still be there.
    dropping: BTreeMap<u64, Record>,
}

impl Snapshots {
    /// What is kept, oldest first.
    pub fn kept(&self) -> impl DoubleEndedIterator<Item = (u64, &Record)> {
        self.kept.iter().map(|(id, record)| (*id, record))
    }

    /// One that is kept.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Record> {
        self.kept.get(&id)
    }

    /// What was dropped and may still be in the store.
    pub fn dropping(&self) -> impl Iterator<Item = (u64, &Record)> {
        self.dropping.iter().map(|(id, record)| (*id, record))
    }

    /// The newest of an agent's number that fits.
    pub(crate) fn newest(&self, number: u64, fits: impl Fn(&Record) -> bool) -> Option<(u64, &Record)> {
        self.kept().rev().find(|(_, record)| record.number == number && fits(record))
    }

    /// The least time that no ref of an agent's number has or had, in milliseconds.
    pub(crate) fn next_stamp(&self, number: u64) -> i64 {
        let known = self.kept().chain(self.dropping()).filter_map(|(_, record)| parts(&record.name));
        known.filter(|(whose, _)| *whose == number).map(|(_, stamp)| stamp + 1).max().unwrap_or(0)
    }

    /// Whether any snapshot has this ref.
    pub(crate) fn has_ref(&self, name: &str) -> bool {
        self.kept.values().chain(self.dropping.values()).any(|record| record.name == name)
    }

    /// Which events follow from a command. `at` is the wall clock's label, in milliseconds.
    pub(crate) fn decide(&self, command: &Command, at: i64) -> Vec<Event> {
        match command {
            Command::Keep(record) if self.has_ref(&record.name) => Vec::new(),
            Command::Keep(record) => vec![Event::Kept(record.clone())],
            Command::Restored { from, commit, written, removed, backup } => vec![Event::Restored {
                from: from.clone(),
                commit: commit.clone(),
                written: *written,
                removed: *removed,
                backup: backup.clone(),
            }],
            Command::Retire { retention, landed } => {
                let snapshots = retention.over(self, landed, at);
                if snapshots.is_empty() { Vec::new() } else { vec![Event::Dropped { snapshots }] }
            }
            Command::Gone { snapshots } => {
                let known: Vec<u64> = snapshots.iter().copied().filter(|id| self.dropping.contains_key(id)).collect();
                if known.is_empty() { Vec::new() } else { vec![Event::Gone { snapshots: known }] }
            }
        }
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub(crate) fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Kept(record) | Event::Restored { backup: record, .. } => self.note(seq, (**record).clone()),
            Event::Dropped { snapshots } => {
                let gone = snapshots.iter().filter_map(|id| Some((*id, self.kept.remove(id)?)));
                self.dropping.extend(gone.collect::<Vec<_>>());
            }
            Event::Gone { snapshots } => self.dropping.retain(|id, _| !snapshots.contains(id)),
        }
    }

    /// Takes in a snapshot that another part's event tells of. A ref that is known already is not counted twice.
    pub(crate) fn note(&mut self, seq: u64, record: Record) {
        if !self.has_ref(&record.name) {
            self.kept.insert(seq, record);
        }
    }
}
