//! What can be asked of the registry, and what happens then.

use orchestrator_protocol::{AgentId, AgentStatus, LeaseMode, Resource, Workload};
use serde::{Deserialize, Serialize};

/// What an agent says of itself when it registers. What is left out stays as it was.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Registration {
    /// What it can do.
    pub capabilities: Option<Vec<String>>,
    /// Its part in the team.
    pub role: Option<String>,
    /// Absolute path of the folder it works in.
    pub workspace: Option<String>,
    /// The branch it works on.
    pub branch: Option<String>,
}

/// What can be asked of the registry.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Join, or say anew what one can do.
    Register {
        /// The name.
        agent: AgentId,
        /// What it says of itself.
        registration: Registration,
        /// Do nothing when it is registered already: a socket opened without registering.
        only_if_absent: bool,
    },
    /// Say what one is doing.
    UpdateStatus {
        /// Who.
        agent: AgentId,
        /// What it is doing.
        status: AgentStatus,
        /// On what.
        task: Option<String>,
        /// At what share of its capacity.
        workload: Workload,
    },
    /// Leave. Leaving twice is no error.
    Unregister {
        /// Who.
        agent: AgentId,
    },
    /// Nothing was heard of an agent for its term.
    WentSilent {
        /// Who.
        agent: AgentId,
    },
    /// An agent that was offline is heard of again.
    CameBack {
        /// Who.
        agent: AgentId,
    },
    /// A workspace was made for an agent, which works in it from now on.
    TakeWorkspace {
        /// Who.
        agent: AgentId,
        /// Absolute path of the folder.
        path: String,
        /// The branch it was made on.
        branch: String,
    },
    /// An agent works in its folder no longer. One that was made for it is forgotten.
    LeaveWorkspace {
        /// Who; one that left may have left a workspace behind.
        agent: AgentId,
        /// The folder.
        path: String,
        /// The ref of what was kept of its work.
        backup: Option<String>,
    },
    /// Claim a resource; claiming what one holds renews it.
    Acquire {
        /// Who claims.
        agent: AgentId,
        /// What.
        resource: Resource,
        /// Whether others may hold it too.
        mode: LeaseMode,
        /// For how long, in seconds.
        ttl_seconds: u64,
    },
    /// Keep a lease for another term.
    Renew {
        /// Which.
        lease: u64,
        /// The newest token.
        token: u64,
        /// A new term; the old one when `None`.
        ttl_seconds: Option<u64>,
    },
    /// Give a lease back.
    Release {
        /// Which.
        lease: u64,
        /// The newest token.
        token: u64,
    },
    /// A lease's term is over. Does nothing when it was renewed in between.
    ExpireLease {
        /// Which.
        lease: u64,
        /// The token whose term was armed.
        token: u64,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Agent`, `Lease` and `Made`")]
pub enum Event {
    /// An agent joined or changed what it says of itself.
    Registered {
        agent: AgentId,
        capabilities: Vec<String>,
        role: Option<String>,
        workspace: Option<String>,
        branch: Option<String>,
        at: i64,
    },
    /// An agent said what it is doing.
    StatusUpdated { agent: AgentId, status: AgentStatus, task: Option<String>, workload: Workload },
    /// An agent fell silent.
    WentOffline { agent: AgentId, task: Option<String>, workload: Workload },
    /// An agent is heard of again.
    CameBack { agent: AgentId, status: AgentStatus, task: Option<String>, workload: Workload },
    /// An agent left.
    Unregistered { agent: AgentId },
    /// A workspace was made for an agent.
    WorkspaceMade { agent: AgentId, path: String, branch: String, at: i64 },
    /// A workspace is the agent's no longer.
    WorkspaceRemoved { agent: AgentId, path: String, backup: Option<String>, at: i64 },
    /// A lease was granted.
    LeaseGranted { agent: AgentId, resource: Resource, mode: LeaseMode, ttl_seconds: u64, at: i64 },
    /// A lease got another term.
    LeaseRenewed { lease: u64, ttl_seconds: u64, at: i64 },
    /// A lease ended.
    LeaseEnded { lease: u64, agent: AgentId, reason: String },
}
