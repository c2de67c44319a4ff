//! Leases: claims on paths with a fencing token.

use crate::{AgentId, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What kind of thing is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// One file, or a folder and all below it.
    Path,
    /// All paths that match.
    Glob,
    /// A named part of a file, `src/a.py::Class.method`.
    Entity,
}

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Resource {
    /// How `value` is read.
    pub kind: ResourceKind,
    /// The path, pattern or name, relative to the project.
    #[schema(example = "src/api/**")]
    pub value: String,
}

/// Whether others may hold it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseMode {
    /// One holder.
    #[default]
    Exclusive,
    /// Any number of shared holders, no exclusive one.
    Shared,
}

/// `POST /leases`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaseRequest {
    /// Who claims.
    pub agent_id: String,
    /// What is claimed.
    pub resource: Resource,
    /// Exclusive when left out.
    #[serde(default)]
    pub mode: LeaseMode,
    /// Term in seconds, 1 to 86,400; 300 when left out.
    #[serde(default, deserialize_with = "lenient::integer", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86400)]
    pub ttl_seconds: Option<u64>,
}

/// `POST /leases/{id}/renew`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RenewRequest {
    /// The newest fencing token of the lease.
    #[serde(default, deserialize_with = "lenient::integer")]
    #[schema(value_type = u64)]
    pub token: Option<u64>,
    /// A new term in seconds; the old one when left out.
    #[serde(default, deserialize_with = "lenient::integer", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86400)]
    pub ttl_seconds: Option<u64>,
}

/// A claim that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Lease {
    /// `l` and the number of the event that granted it.
    pub lease_id: String,
    /// The fencing token: every later grant of anything has a larger one.
    pub token: u64,
    /// Who holds it.
    pub agent_id: AgentId,
    /// What is claimed.
    pub resource: Resource,
    /// Whether others may hold it too.
    pub mode: LeaseMode,
    /// When the term ends, as a label: the server counts on its monotonic clock, and a restart grants a full term.
    pub expires_at: Timestamp,
    /// Since when it is held.
    pub since: Timestamp,
}

/// Answer to `POST /leases` and `/leases/{id}/renew`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaseAnswer {
    /// `success`.
    pub status: String,
    /// The lease.
    pub lease: Lease,
}

/// `GET /leases`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LeaseList {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub leases: Vec<Lease>,
}
