//! Workspaces: the folders that agents work in.

use crate::{AgentId, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How far a workspace is apart from the project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A git worktree: files of its own, branches and settings shared.
    #[default]
    Worktree,
    /// A repository of its own: branches and settings too.
    Clone,
}

/// `POST /agents/{id}/workspace`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceRequest {
    /// The branch to work on: a new one, or one that is checked out nowhere. Left out: `agent/` and the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// A branch, a tag, or at least four hex digits of a commit to begin at. Left out: what the project has
    /// checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// `worktree` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
}

/// Answer to `POST /agents/{id}/workspace`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceAnswer {
    /// `success`.
    pub status: String,
    /// The agent, in the spelling first registered.
    pub agent_id: AgentId,
    /// What was made, now or before.
    pub workspace: MadeWorkspace,
}

/// A workspace that the server made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MadeWorkspace {
    /// Absolute path of the folder.
    pub path: String,
    /// The branch that is checked out there; nothing on a detached head.
    pub branch: Option<String>,
    /// The commit that is checked out there, in hex.
    pub head: Option<String>,
    /// How far it is apart from the project.
    pub isolation: Isolation,
    /// Untracked files and folders of the project that were copied into it when it was made.
    pub copied: Vec<String>,
    /// Those that are links to the project's own.
    pub linked: Vec<String>,
    /// Those that were configured and left out.
    pub left_out: Vec<LeftOut>,
}

/// Something that was configured to be copied or linked and was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftOut {
    /// Relative to the project.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What an agent's git is in the middle of; its work is looked at when that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceBusy {
    /// It holds the lock of the index.
    Locked,
    /// A rebase, merge, cherry-pick or revert is not finished.
    Unfinished,
    /// The index holds a conflict.
    Conflicted,
}

/// One workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Workspace {
    /// Whose it is.
    pub agent_id: AgentId,
    /// Absolute path of the folder; nothing for one that the server cannot see.
    pub path: Option<String>,
    /// The branch that is checked out there; nothing on a detached head.
    pub branch: Option<String>,
    /// The commit that is checked out there, in hex.
    pub head: Option<String>,
    /// How far it is apart from the project; nothing where it cannot be read.
    pub isolation: Option<Isolation>,
    /// Paths that are other than where the agent began, committed or not; nothing while it is not followed.
    pub dirty: Option<usize>,
    /// What its git is in the middle of.
    pub busy: Option<WorkspaceBusy>,
    /// Whether the server follows what changes there.
    pub followed: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Whether the server made it, and so may remove it.
    pub made: bool,
    /// Other registered agents that work in the same folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<AgentId>,
    /// Whether its work is what the agent pushed last.
    #[serde(default)]
    pub pushed: bool,
    /// Whether nothing is known of it but the paths that the agent reports.
    #[serde(default)]
    pub reports_only: bool,
}

/// `POST /agents/{id}/snapshot/known`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnownRequest {
    /// Commits in hex, newest first; at most 256.
    pub commits: Vec<String>,
}

/// Answer to `POST /agents/{id}/snapshot/known`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KnownAnswer {
    /// `success`.
    pub status: String,
    /// The first of the commits that leads to the target branch; nothing where none does.
    pub commit: Option<String>,
}

/// Query of `PUT /agents/{id}/snapshot`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PushRequest {
    /// The commit of the work in hex; its only parent is what is checked out.
    pub commit: String,
}

/// Answer to `PUT /agents/{id}/snapshot`: the work is on stable storage and merged with that of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PushAnswer {
    /// `success`.
    pub status: String,
    /// The agent, in the spelling first registered.
    pub agent_id: AgentId,
    /// Names it among the agent's snapshots.
    pub snapshot_id: String,
    /// The commit, in hex.
    pub commit: String,
    /// Its parent; nothing before the first commit.
    pub head: Option<String>,
    /// Paths that differ from that.
    pub paths: usize,
}

/// `GET /workspaces`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WorkspaceList {
    /// `success`.
    pub status: String,
    /// Ordered by agent.
    pub workspaces: Vec<Workspace>,
    /// Now.
    pub timestamp: Timestamp,
}

/// What to keep of a workspace that is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// A commit of all its work.
    Snapshot,
}

/// Query of `DELETE /agents/{id}/workspace`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoveWorkspaceRequest {
    /// Keep unlanded work instead of refusing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<Keep>,
    /// Let files go that git ignores and that no snapshot holds.
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    pub discard_ignored: Option<bool>,
}

/// Answer to `DELETE /agents/{id}/workspace`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RemovedAnswer {
    /// `success`.
    pub status: String,
    /// The agent.
    pub agent_id: AgentId,
    /// The folder.
    pub path: String,
    /// False for a folder that the server did not make: it stays as it is, and is the agent's no longer.
    pub removed: bool,
    /// The branch, which stays; nothing where it went with a clone.
    pub branch: Option<String>,
    /// Files and links that went with the folder.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Those among them that git ignored, without what was copied from the project and not changed.
    pub ignored_files: usize,
    /// What was kept; nothing where all work had landed.
    pub backup: Option<Backup>,
    /// For people.
    pub message: String,
}

/// What was kept of a workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// The ref in the repository below.
    #[serde(rename = "ref")]
    pub name: String,
    /// The commit, in hex.
    pub commit: String,
    /// Absolute path of the repository that holds it.
    pub repository: String,
    /// Run in the project, this makes a branch of it.
    pub restore: String,
}
