//! One agent.

use orchestrator_protocol::{AgentId, AgentStatus, Workload};
use serde::{Deserialize, Serialize};

/// An agent as the log knows it. When it was last heard of is not here: that is derived from its traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// Sequence number of its first registration; names its files and refs.
    pub number: u64,
    /// The id, in the spelling first registered.
    pub id: AgentId,
    /// What it can do, as given.
    pub capabilities: Vec<String>,
    /// Its part in the team.
    pub role: Option<String>,
    /// Absolute path of the folder it works in.
    pub workspace: Option<String>,
    /// The branch it works on.
    pub branch: Option<String>,
    /// What it said last, or `offline`.
    pub status: AgentStatus,
    /// What it was before it fell silent; `None` while it is heard of.
    pub silenced: Option<AgentStatus>,
    /// What it works on.
    pub task: Option<String>,
    /// Share of its capacity in use.
    pub workload: Workload,
    /// When it registered first, in milliseconds since the Unix epoch: a label.
    pub registered_at: i64,
}

impl Agent {
    /// Whether the agent has this capability, without case.
    #[must_use]
    pub fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|own| own.eq_ignore_ascii_case(capability))
    }

    /// Whether work can be given to it: neither offline nor in error.
    #[must_use]
    pub fn is_available(&self) -> bool {
        !matches!(self.status, AgentStatus::Offline | AgentStatus::Error)
    }
}

/// A workspace that was made for an agent. It outlives the agent's registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Whose it is.
    pub agent: AgentId,
    /// The agent's number when it was made; names what is kept of its work.
    pub number: u64,
    /// Absolute path of the folder.
    pub path: String,
    /// The branch it was made on.
    pub branch: String,
    /// When, in milliseconds since the Unix epoch: a label.
    pub at: i64,
}
