//! One lease.

use crate::overlap::covers;
use orchestrator_protocol::{AgentId, LeaseMode, Resource};
use serde::{Deserialize, Serialize};

/// Longest term, in seconds.
pub const MAX_TTL_SECONDS: u64 = 86_400;

/// Most leases of one agent.
pub(crate) const MAX_LEASES: usize = 1_000;

/// A claim that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Sequence number of the event that granted it.
    pub id: u64,
    /// The fencing token: the sequence number of the newest grant or renewal.
    pub token: u64,
    /// The holder's key.
    pub agent: String,
    /// The holder.
    pub agent_id: AgentId,
    /// What is claimed.
    pub resource: Resource,
    /// Whether others may hold it too.
    pub mode: LeaseMode,
    /// The term, in seconds.
    pub ttl_seconds: u64,
    /// When it was granted, in milliseconds since the Unix epoch: a label.
    pub granted_at: i64,
    /// When it was granted or renewed last: a label.
    pub renewed_at: i64,
}

impl Lease {
    /// Whether it covers a file, or a part of it.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        covers(&self.resource, path)
    }
}
