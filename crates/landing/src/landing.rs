//! One landing.

use crate::order::RAISE;
use orchestrator_protocol::{AgentId, GateVerdict, MergeState};
use serde::{Deserialize, Serialize};

/// How one gate ended on the merged tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateRun {
    /// Its name.
    pub name: String,
    /// Names its definition: the same digest is the same check.
    pub digest: String,
    /// Whether the landing depends on it.
    pub required: bool,
    /// How it ended.
    pub verdict: GateVerdict,
    /// What its program ended with; nothing when it did not end by itself.
    pub exit_code: Option<i32>,
    /// How long it ran, in milliseconds.
    pub millis: u64,
    /// It passed at the second try only.
    pub flaky: bool,
    /// It ran for the same tree and definition before.
    pub cached: bool,
    /// Limits that the system did not enforce.
    pub not_enforced: Vec<String>,
    /// The end of what it printed, where it did not pass.
    pub tail: String,
}

impl GateRun {
    /// Whether it passed, at the first try.
    pub(crate) fn is_sure(&self) -> bool {
        self.verdict == GateVerdict::Passed && !self.flaky
    }
}

/// A region of a file that both sides changed, and what settled it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// The file.
    pub path: String,
    /// Its lines in the base of the merge: the first, counted from 1, and how many.
    pub lines: (usize, usize),
    /// The layer of the merge engine.
    pub layer: String,
    /// The rule of that layer.
    pub rule: String,
    /// `proven` or `verified`.
    pub proof: String,
}

/// A path that the merge leaves to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The path.
    pub path: String,
    /// Why.
    pub detail: String,
}

/// A branch is about to move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Number of the event.
    pub seq: u64,
    /// The branch that moves: the target, or another where the target cannot move.
    pub branch: String,
    /// Where it stands, in hex; nothing when it is made.
    pub from: Option<String>,
    /// Where it goes, in hex.
    pub to: String,
    /// The ref in the store that holds what it was; empty when that was let go of.
    pub backup: String,
}

/// Landings that were gated once, together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// In the order in which they are put onto each other. The branch moves to the last of them in one step.
    pub members: Vec<u64>,
    /// The tree that the gates passed on, in hex: that of the last.
    pub tree: String,
}

impl Batch {
    /// The landing whose gates stand for all.
    #[must_use]
    pub fn last(&self) -> Option<u64> {
        self.members.last().copied()
    }
}

/// Work on its way to a branch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Landing {
    /// The number of the event that asked for it.
    pub id: u64,
    /// Whose work it is.
    pub agent: AgentId,
    /// The branch.
    pub target: String,
    /// What the commit says.
    pub message: String,
    /// Higher goes first.
    pub priority: i32,
    /// The commit of the work, in hex.
    pub work: String,
    /// The ref in the store that holds it.
    pub kept: String,
    /// How far it is.
    pub state: MergeState,
    /// Why it is so, for people.
    pub reason: Option<String>,
    /// The commit that it was merged onto, in hex.
    pub tip: Option<String>,
    /// The merged tree, in hex.
    pub tree: Option<String>,
    /// Paths that differ from the tip.
    pub paths: usize,
    /// What settled files that both sides changed: a layer's name and how many.
    pub settled: Vec<(String, usize)>,
    /// The same region by region; a bounded number of them.
    #[serde(default)]
    pub regions: Vec<Region>,
    /// Digests of the gates that must pass on the merged tree.
    pub required: Vec<String>,
    /// How gates ended on the merged tree.
    pub gates: Vec<GateRun>,
    /// What the merge leaves to somebody.
    pub open: Vec<Open>,
    /// The branch is about to move, or has moved.
    pub intent: Option<Intent>,
    /// The landing that it was merged onto, which has not landed yet; nothing when it was merged onto the branch.
    #[serde(default)]
    pub after: Option<u64>,
    /// With whom it was gated; nothing when the gates passed on its own tree.
    #[serde(default)]
    pub batch: Option<Batch>,
    /// How many that were asked for later began before it.
    #[serde(default)]
    pub passed_over: u32,
    /// How often it began.
    pub attempts: u32,
    /// When it was asked for, in milliseconds since 1970.
    pub asked_at: i64,
    /// When it was changed last, in milliseconds since 1970.
    pub changed_at: i64,
}

impl Landing {
    /// Whether anything is still to happen.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, MergeState::Queued | MergeState::Merging | MergeState::Gating | MergeState::Waiting)
    }

    /// Its priority, raised for each [`RAISE`] that were asked for later and began before it: nothing waits for ever.
    #[must_use]
    pub fn urgency(&self) -> i64 {
        i64::from(self.priority) + i64::from(self.passed_over / RAISE)
    }

    /// Whether it is being worked on.
    #[must_use]
    pub fn is_in_work(&self) -> bool {
        matches!(self.state, MergeState::Merging | MergeState::Gating)
    }

    /// Whether it was merged and every required gate passed on the result.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        let passed =
            |digest: &String| self.gates.iter().any(|run| run.digest == *digest && run.verdict == GateVerdict::Passed);
        self.state == MergeState::Gating && self.tree.is_some() && self.required.iter().all(passed)
    }
}
