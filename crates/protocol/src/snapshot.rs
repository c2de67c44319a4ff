//! Snapshots: what is kept of agents' work, and putting it back.

use crate::{AgentId, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a snapshot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotKind {
    /// An agent's work as it stood at some time.
    Work,
    /// What stood in a folder before something else was put there, or before the folder went.
    Backup,
}

/// What is kept of an agent's work at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Snapshot {
    /// `s` for work, `b` for a backup, and the number of the event that told of it.
    pub snapshot_id: String,
    /// Why it is kept.
    pub kind: SnapshotKind,
    /// Whose work it is.
    pub agent_id: AgentId,
    /// The ref in the server's own repository that holds it.
    #[serde(rename = "ref")]
    pub name: String,
    /// The commit, in hex; nothing when the ref is gone.
    pub commit: Option<String>,
    /// The work's tree, in hex; nothing when it cannot be read.
    pub tree: Option<String>,
    /// The commit that was checked out, in hex; nothing before the first.
    pub head: Option<String>,
    /// Paths that differed from it; nothing where they were not counted.
    pub paths: Option<usize>,
    /// Files that were too large to be kept with it.
    pub left_out: usize,
    /// When.
    pub taken_at: Timestamp,
    /// What it was taken for: `quiet`, `asked`, `left`, `shutdown`, `restore`, `removed`, `overwritten`, or `found`
    /// for one whose record a crash prevented.
    pub reason: String,
    /// Whether it can be restored.
    pub available: bool,
}

/// `GET /agents/{id}/snapshots`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotList {
    /// `success`.
    pub status: String,
    /// The agent, in the spelling first registered.
    pub agent_id: AgentId,
    /// Newest first.
    pub snapshots: Vec<Snapshot>,
    /// Absolute path of the repository that holds them.
    pub repository: String,
    /// Now.
    pub timestamp: Timestamp,
}

/// How one path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PathChange {
    /// It is new.
    Created,
    /// It has other content, or is something else.
    Modified,
    /// It is gone.
    Deleted,
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangedPath {
    /// Relative to the workspace; bytes that are no UTF-8 are written as `%FF`.
    pub path: String,
    /// How.
    pub change: PathChange,
}

/// `GET /agents/{id}/snapshots/{snapshot_id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SnapshotAnswer {
    /// `success`.
    pub status: String,
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What the work changed of the commit that was checked out; at most 1,000 paths.
    pub changes: Vec<ChangedPath>,
    /// What restoring all of it would change in the agent's workspace as it is now; at most 1,000 paths. Nothing
    /// while that is not followed.
    pub since: Option<Vec<ChangedPath>>,
    /// Whether one of the lists is longer than it is shown.
    pub truncated: bool,
}

/// `POST /agents/{id}/restore`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestoreRequest {
    /// A snapshot's id, of this agent or another one, or a commit's 40 hex digits.
    pub snapshot: String,
    /// Files and folders to put back; all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Only say what would be done.
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Answer to `POST /agents/{id}/restore`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestoreAnswer {
    /// `success`.
    pub status: String,
    /// Whose workspace.
    pub agent_id: AgentId,
    /// The commit that was put back, in hex.
    pub commit: String,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Paths that were written, or would be.
    pub written: Vec<String>,
    /// Paths that were removed, or would be.
    pub removed: Vec<String>,
    /// Submodules that differ: they are left alone.
    pub skipped: Vec<String>,
    /// What stood there before: restore it to undo this. Nothing when nothing was done.
    pub backup: Option<RestoreBackup>,
    /// For people.
    pub message: String,
}

/// What stood there before a restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RestoreBackup {
    /// To be restored by.
    pub snapshot_id: String,
    /// The ref in the server's own repository.
    #[serde(rename = "ref")]
    pub name: String,
    /// The commit, in hex.
    pub commit: String,
}
