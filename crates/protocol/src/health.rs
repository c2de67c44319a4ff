//! Health of the server.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Overall state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    /// All is well.
    Healthy,
    /// Works, but something that it should do it cannot; `degraded` names it. Answered with 200.
    Degraded,
    /// Reads only; nothing can be recorded. Answered with 503.
    Halted,
}

/// One thing that does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Degradation {
    /// A stable word.
    pub name: String,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub cure: String,
}

/// The watcher's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncServiceHealth {
    /// Whether the project's folder is watched.
    pub monitoring_active: bool,
    /// Registered agents.
    pub registered_agents: usize,
}

/// `GET /health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// Overall state.
    pub status: HealthStatus,
    /// `orchestration`.
    pub service: String,
    /// Now.
    pub timestamp: Timestamp,
    /// The watcher's part.
    pub sync_service: SyncServiceHealth,
    /// Open sockets.
    pub websocket_connections: usize,
    /// What does not work; empty when healthy.
    pub degraded: Vec<Degradation>,
    /// The newest event on stable storage.
    pub seq: u64,
    /// The program's version.
    pub version: String,
}
