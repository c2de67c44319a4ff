//! What stands in a receipt.

use serde::{Deserialize, Serialize};

/// The form that is written now.
pub(crate) const VERSION: u32 = 1;

/// What a server saw when it landed a commit. Ids of objects are hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Which form this is.
    pub version: u32,
    /// The landing, as `merge-42`.
    pub merge: String,
    /// Whose work it is.
    pub agent: String,
    /// The branch that it was landed for.
    pub target: String,
    /// The commit that it was merged onto; its `orchestrator.toml` defines the gates.
    pub base: String,
    /// The commit of the work.
    pub work: String,
    /// The tree that the gates ran on, where it is not the commit's own: that of a later commit, which landed in the same
    /// step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gated: Option<String>,
    /// The gates that concern the change.
    pub gates: Vec<GateResult>,
    /// What the merge engine settled, of files that both sides had changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<Region>,
    /// How many more it settled; the log has them.
    #[serde(default, skip_serializing_if = "is_none")]
    pub settled_more: usize,
    /// What the agent held then: leases, as claimed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leases: Vec<String>,
    /// The newest signed head of the server's log: a log that does not lead there was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Head>,
}

impl Receipt {
    /// One of the form that is written now, with nothing but what every receipt has.
    #[must_use]
    pub fn new(merge: String, agent: String, target: String, base: String, work: String) -> Self {
        Self {
            version: VERSION,
            merge,
            agent,
            target,
            base,
            work,
            gated: None,
            gates: Vec::new(),
            settled: Vec::new(),
            settled_more: 0,
            leases: Vec::new(),
            log: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// How a gate ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// Its name.
    pub name: String,
    /// Names its definition and limits.
    pub digest: String,
    /// `passed`, or how else it ended.
    pub verdict: String,
    /// What its program ended with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// It passed at the second try only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flaky: bool,
    /// Limits that the system did not enforce.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_enforced: Vec<String>,
}

/// A region of a file that both sides had changed, and what settled it.
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

/// A signed head of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The decision.
    pub seq: u64,
    /// Its hash in the chain, in hex.
    pub hash: String,
}
