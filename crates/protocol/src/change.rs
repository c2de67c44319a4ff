//! File changes and the state of their monitoring.

use crate::{AgentId, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeType {
    /// It is new.
    Created,
    /// Its content differs.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another name; `previous_path` is the old one.
    Renamed,
}

impl std::str::FromStr for ChangeType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "created" => Ok(Self::Created),
            "modified" => Ok(Self::Modified),
            "deleted" => Ok(Self::Deleted),
            "renamed" => Ok(Self::Renamed),
            _ => Err(format!("'{text}' is no change type; use created, modified, deleted or renamed")),
        }
    }
}

/// One change of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Sequence number of its event.
    pub seq: u64,
    /// Relative to the project, with forward slashes.
    pub file_path: String,
    /// Who did it; null when nobody reported it and no workspace tells.
    pub agent_id: Option<AgentId>,
    /// When the server learned of it.
    pub timestamp: Timestamp,
    /// What happened.
    pub change_type: ChangeType,
    /// blake3 of the content, in hex; null when unknown or deleted.
    pub file_hash: Option<String>,
    /// The same before the change.
    pub previous_hash: Option<String>,
    /// How bad an overlap it is: low when nobody else edits the file.
    pub conflict_level: Severity,
    /// Who else has the file in work.
    pub affected_agents: Vec<AgentId>,
    /// The old name of a renamed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
}

/// `GET /sync/changes?since=&agent=&path=&limit=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangeList {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub changes: Vec<Change>,
    /// Now.
    pub timestamp: Timestamp,
}

/// The six figures of the documented status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncStatus {
    /// Whether the project's folder is watched.
    pub monitoring_active: bool,
    /// Registered agents, offline ones included.
    pub registered_agents: usize,
    /// Files that agents have in work.
    pub active_changes: usize,
    /// Conflicts that are neither resolved nor withdrawn.
    pub active_conflicts: usize,
    /// Conflicts resolved since the project began.
    pub resolved_conflicts: usize,
    /// Files that the watcher knows.
    pub total_files_monitored: usize,
}

/// Answers of `/sync/start`, `/sync/stop` and `/sync/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncAnswer {
    /// `success`.
    pub status: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The figures (`/sync/status` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_status: Option<SyncStatus>,
    /// Now.
    pub timestamp: Timestamp,
}

/// Result of `*sync:force`: everything that was on disk when it was asked has been seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncBarrier {
    /// The newest event when the barrier was passed.
    pub seq: u64,
    /// Files that were still being written.
    pub unsettled: Vec<String>,
}
