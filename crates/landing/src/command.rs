//! What can be asked, what happens, and why something is refused.

use crate::{Batch, GateRun, Intent, Open, Region};
use orchestrator_protocol::{AgentId, MergeState};
use serde::{Deserialize, Serialize};

/// Work that is to land. Its commit is durable and held by its ref.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Whose work it is.
    pub agent: AgentId,
    /// The branch.
    pub target: String,
    /// What the commit says.
    pub message: String,
    /// Higher goes first.
    pub priority: i32,
    /// The commit of the work, in hex.
    pub commit: String,
    /// The ref in the store that holds it.
    pub kept: String,
}

/// What can be asked of the queue.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Put work into the queue. The same work for the same branch, while it is open, is the same landing.
    Request(Request),
    /// Take it out. Twice is no error.
    Cancel {
        /// Which.
        id: u64,
    },
    /// Work on it begins.
    Begin {
        /// Which.
        id: u64,
        /// The commit that it is merged onto, in hex.
        tip: String,
        /// The landing whose result that is, when that has not landed yet.
        after: Option<u64>,
    },
    /// It is merged, and its gates begin.
    Merged {
        /// Which.
        id: u64,
        /// The merged tree, in hex.
        tree: String,
        /// Paths that differ from the tip.
        paths: usize,
        /// What settled files that both sides changed.
        settled: Vec<(String, usize)>,
        /// The same region by region; a bounded number of them.
        regions: Vec<Region>,
        /// Digests of the gates that must pass on the tree.
        required: Vec<String>,
    },
    /// A gate ended.
    GateEnded {
        /// Which landing.
        id: u64,
        /// How it ended.
        run: GateRun,
    },
    /// A branch is about to move.
    Intend {
        /// Which landing; of a batch the last.
        id: u64,
        /// Those of its batch before it, in order, each with its commit in hex.
        with: Vec<(u64, String)>,
        /// The commit that the first of them stands on, in hex.
        onto: String,
        /// The branch that moves.
        branch: String,
        /// Where it stands, in hex; nothing when it is made.
        from: Option<String>,
        /// Where it goes, in hex.
        to: String,
        /// The tree of that, in hex: the one that the gates passed on.
        tree: String,
        /// The ref in the store that holds what it was.
        backup: String,
    },
    /// It moved.
    Land {
        /// Which; any of a batch stands for all.
        id: u64,
    },
    /// It begins anew, with nothing of what was found before.
    Requeue {
        /// Which.
        id: u64,
        /// Why.
        reason: String,
    },
    /// It cannot go on. A branch that was about to move has not moved.
    Stop {
        /// Which.
        id: u64,
        /// `Conflict`, `Rejected` or `Waiting`.
        state: MergeState,
        /// Why.
        reason: String,
        /// What the merge leaves to somebody.
        open: Vec<Open>,
    },
    /// Say whose unfinished work touches what landed.
    Tell {
        /// Which landing.
        id: u64,
        /// Whose work; the landing's own agent is not among them.
        agents: Vec<AgentId>,
        /// Paths that both changed; some of them, where there are many.
        paths: Vec<String>,
    },
    /// Let go of refs of what is over. Those that are still needed stay.
    Retire {
        /// Names in the store.
        refs: Vec<String>,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Command`")]
pub enum Event {
    /// Work is in the queue.
    Requested { request: Box<Request>, at: i64 },
    /// It was taken out.
    Cancelled { id: u64, at: i64 },
    /// Work on it began.
    Begun {
        id: u64,
        tip: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<u64>,
        at: i64,
    },
    /// It is merged.
    Merged {
        id: u64,
        tree: String,
        paths: usize,
        settled: Vec<(String, usize)>,
        #[serde(default)]
        regions: Vec<Region>,
        required: Vec<String>,
        at: i64,
    },
    /// A gate ended.
    GateEnded { id: u64, run: Box<GateRun>, at: i64 },
    /// A branch is about to move. Of a batch each has one of these, in one record; only the last is where it moves to.
    Intended {
        id: u64,
        branch: String,
        from: Option<String>,
        to: String,
        backup: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        onto: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        batch: Option<Box<Batch>>,
        at: i64,
    },
    /// It moved.
    Landed { id: u64, at: i64 },
    /// It begins anew.
    Requeued { id: u64, reason: String, at: i64 },
    /// It cannot go on.
    Stopped { id: u64, state: MergeState, reason: String, open: Vec<Open>, at: i64 },
    /// It landed beneath the unfinished work of these.
    Told { id: u64, agents: Vec<AgentId>, paths: Vec<String>, at: i64 },
    /// Refs were let go of.
    Retired { refs: Vec<String>, at: i64 },
}

impl Event {
    /// Which landing it is of; nothing for the one that makes it, and for what is of many.
    #[must_use]
    pub fn landing(&self) -> Option<u64> {
        match self {
            Self::Requested { .. } | Self::Retired { .. } => None,
            Self::Cancelled { id, .. }
            | Self::Begun { id, .. }
            | Self::Merged { id, .. }
            | Self::GateEnded { id, .. }
            | Self::Intended { id, .. }
            | Self::Landed { id, .. }
            | Self::Told { id, .. }
            | Self::Requeued { id, .. }
            | Self::Stopped { id, .. } => Some(*id),
        }
    }
}

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Never asked for, or ended longer ago than is remembered.
    #[error("no merge '{0}' is known: never asked for, or ended longer ago than is kept")]
    Unknown(String),
    /// It ended, or is about to.
    #[error("merge '{id}' is {state} and cannot be changed any more")]
    Over {
        /// Its id.
        id: String,
        /// How it stands.
        state: &'static str,
    },
    /// Too much is open.
    #[error("{0} merges are waiting, which is the limit")]
    Full(usize),
    /// The step may not follow: a fault of whoever asks.
    #[error("merge '{id}' is {state}: {step} cannot follow")]
    OutOfOrder {
        /// Its id.
        id: String,
        /// How it stands.
        state: &'static str,
        /// What was asked for.
        step: &'static str,
    },
}

/// The intent that an event tells of.
pub(crate) fn intent(seq: u64, branch: &str, from: Option<&String>, to: &str, backup: &str) -> Intent {
    Intent { seq, branch: branch.to_owned(), from: from.cloned(), to: to.to_owned(), backup: backup.to_owned() }
}
