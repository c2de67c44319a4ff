//! Why a command was refused.

use orchestrator_protocol::AgentId;

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// No agent of that name.
    #[error("no agent named '{0}' is registered")]
    UnknownAgent(String),
    /// The agent has no such workspace.
    #[error("agent '{0}' has no workspace")]
    UnknownWorkspace(String),
    /// More agents than the registry keeps.
    #[error("the registry holds {0} agents, its limit; unregister those that are gone")]
    TooManyAgents(usize),
    /// No lease of that id.
    #[error("no lease 'l{0}' stands: it was never granted, was released, or expired")]
    UnknownLease(u64),
    /// A lease that overlaps is held by another agent.
    #[error("lease 'l{lease}' of agent '{held_by}' covers what was asked for")]
    Held {
        /// The lease in the way.
        lease: u64,
        /// Its holder.
        held_by: AgentId,
        /// When it was granted, in milliseconds since the Unix epoch.
        since: i64,
    },
    /// The token is not the newest one of that lease.
    #[error("fencing token {given} is stale; the newest is {newest}")]
    StaleToken {
        /// What came.
        given: u64,
        /// What stands.
        newest: u64,
    },
    /// A pattern that no matcher takes.
    #[error("'{0}' is no glob: {1}")]
    InvalidGlob(String, String),
    /// A term outside 1 s to one day.
    #[error("a term is 1 to 86400 seconds, not {0}")]
    InvalidTerm(u64),
    /// More leases than one agent may hold.
    #[error("agent holds {0} leases, its limit; release some")]
    TooManyLeases(usize),
}
