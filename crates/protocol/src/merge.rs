//! Landings: work on its way to a branch.

use crate::{AgentId, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a landing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MergeState {
    /// It waits for its turn.
    Queued,
    /// It is being merged onto the target branch.
    Merging,
    /// The project's checks run on the merged tree.
    Gating,
    /// Something on the disk is in the way; tried again by itself.
    Waiting,
    /// The branch holds it.
    Landed,
    /// The merge leaves something to somebody.
    Conflict,
    /// A check did not pass, or there is nothing to land.
    Rejected,
    /// It was taken out of the queue.
    Cancelled,
}

impl MergeState {
    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Merging => "merging",
            Self::Gating => "gating",
            Self::Waiting => "waiting",
            Self::Landed => "landed",
            Self::Conflict => "conflict",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How a check of the project ended. Everything but `passed` is a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// Its program ended by itself, in time, with 0.
    Passed,
    /// It ended with something else.
    Failed,
    /// It took too long.
    TimedOut,
    /// A signal ended it.
    Killed,
    /// It went over a limit.
    OverLimit,
    /// Its program could not be started.
    NotStarted,
}

/// How one gate of a landing ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeGate {
    /// Its name.
    pub name: String,
    /// Whether the landing depends on it.
    pub required: bool,
    /// How it ended.
    pub verdict: GateVerdict,
    /// What its program ended with; null when it did not end by itself.
    pub exit_code: Option<i32>,
    /// How long it ran.
    pub seconds: f64,
    /// It passed at the second try only.
    pub flaky: bool,
    /// It ran for the same tree and definition before.
    pub cached: bool,
    /// Limits that the system did not enforce.
    pub not_enforced: Vec<String>,
    /// The end of what it printed, where it did not pass.
    pub output: String,
}

/// A path that a merge leaves to somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeOpen {
    /// The path.
    pub file_path: String,
    /// Why.
    pub reason: String,
}

/// What settled files that both sides had changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeSettled {
    /// The layer of the merge engine.
    pub layer: String,
    /// How many files.
    pub files: usize,
}

/// Landings that were gated once, together. Each has a commit of its own; the branch moved to the last in one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeBatch {
    /// In the order of their commits.
    pub merges: Vec<String>,
    /// The tree that the gates passed on, in hex: that of the last.
    pub tree: String,
}

/// A landing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Merge {
    /// `merge-` and the number of the event that asked for it.
    pub merge_id: String,
    /// Whose work it is.
    pub agent_id: AgentId,
    /// The branch.
    pub target: String,
    /// What the commit says.
    pub message: String,
    /// Higher goes first.
    pub priority: i32,
    /// How far it is.
    pub state: MergeState,
    /// Why it is so.
    pub reason: Option<String>,
    /// The commit of the work, in hex.
    pub work: String,
    /// The commit that it was merged onto, in hex.
    pub base: Option<String>,
    /// The merged tree, in hex.
    pub tree: Option<String>,
    /// The commit that lands, in hex.
    pub commit: Option<String>,
    /// The branch that moved, or is about to.
    pub branch: Option<String>,
    /// The ref in the server's own repository that holds what the branch was before.
    pub backup: Option<String>,
    /// The landing that it was merged onto, while that has not landed yet.
    pub after: Option<String>,
    /// With which it was gated together; null when `gates` ran on its own `tree`.
    pub batch: Option<MergeBatch>,
    /// Paths that differ from `base`.
    pub paths: usize,
    /// What settled files that both sides had changed.
    pub settled: Vec<MergeSettled>,
    /// The checks that ran on `tree`, or on that of `batch`.
    pub gates: Vec<MergeGate>,
    /// What the merge leaves to somebody.
    pub open: Vec<MergeOpen>,
    /// How often it began.
    pub attempts: u32,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
}

/// `POST /merges`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeRequest {
    /// Whose work is to land.
    #[serde(default)]
    pub agent_id: String,
    /// The branch; the one that is checked out in the project when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the commit says; who worked on what when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Higher goes first; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::signed")]
    pub priority: Option<i32>,
    /// A snapshot (`s42`), a branch or a commit instead of the work as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
}

/// `POST /merges`, `GET /merges/{id}`, `POST /merges/{id}/cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeAnswer {
    /// `success`.
    pub status: String,
    /// The landing.
    pub merge: Merge,
    /// Now.
    pub timestamp: Timestamp,
}

/// `GET /merges`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MergeList {
    /// `success`.
    pub status: String,
    /// Those that are not over in the order in which they will be worked on, then the others, newest first.
    pub merges: Vec<Merge>,
    /// Now.
    pub timestamp: Timestamp,
}

/// `POST /rollback`: operator only. One of `merge_id` and `since`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RollbackRequest {
    /// The landing to take back; what came later stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_id: Option<String>,
    /// Take back everything that landed after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// With `since`: the branch; the one that something landed on last when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Only say what would be done.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::boolean")]
    pub dry_run: Option<bool>,
}

/// `POST /rollback`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RollbackAnswer {
    /// `success`.
    pub status: String,
    /// Nothing was asked for.
    pub dry_run: bool,
    /// The branch.
    pub target: String,
    /// The landings that are taken back, oldest first.
    pub merges: Vec<String>,
    /// Paths that change.
    pub paths: Vec<String>,
    /// Later landings that changed any of these paths, and stay.
    pub dependents: Vec<String>,
    /// The landing that takes it back: it is merged and checked like any other.
    pub merge: Option<Merge>,
    /// Now.
    pub timestamp: Timestamp,
}
