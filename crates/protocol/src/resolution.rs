//! Merged results that settle conflicts, and taking them over.

use crate::{AgentId, Backup, ConflictRegion, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a version of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileMode {
    /// A file.
    File,
    /// A file that can be executed.
    Executable,
    /// A symbolic link; its content is where it leads.
    Link,
    /// The commit of a submodule.
    Submodule,
}

/// A merged result that settled a conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Resolution {
    /// `ours`, `theirs`, `take`, `union`, `auto` or `manual`.
    pub strategy: String,
    /// Whose side was taken, where the strategy names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who asked for it.
    pub by: Option<String>,
    /// It was taken though it does not parse, or holds conflict markers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Where the result stands.
    pub file_path: String,
    /// git's id of the content, in hex; null when the file is deleted.
    pub result: Option<String>,
    /// What the result is; null when the file is deleted.
    pub mode: Option<FileMode>,
    /// Bytes of the result.
    pub size: u64,
    /// git's id of what both sides changed; null when both added the file.
    pub base: Option<String>,
    /// What each side had: in the order of `conflicting_agents`, then the branch.
    pub sides: Vec<ResolutionSide>,
    /// The ref under which all versions are kept in the store of unfinished work.
    #[serde(rename = "ref")]
    pub kept: String,
    /// The commit that it points to, in hex: `base`, `first`, `second` and `result` are in its tree.
    pub commit: String,
    /// The agents that have taken the result.
    pub pulled_by: Vec<AgentId>,
}

/// One side that a result was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResolutionSide {
    /// The agent, or the branch.
    pub name: String,
    /// Where it had the file.
    pub file_path: String,
    /// git's id of the content that was merged, in hex; null where it had none.
    pub content: Option<String>,
}

/// `POST /agents/{id}/pull`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PullRequest {
    /// Only the results of these conflicts, also such as were taken before; all that are new to the agent when left out.
    #[serde(default, deserialize_with = "lenient::words", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub conflicts: Option<Vec<String>>,
    /// Say what would happen, and write nothing.
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<bool>)]
    pub dry_run: Option<bool>,
}

/// Answer to `POST /agents/{id}/pull`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PullAnswer {
    /// `success`: what became of each result stands in `results`.
    pub status: String,
    /// The agent.
    pub agent_id: AgentId,
    /// Nothing was written, whatever the states say.
    pub dry_run: bool,
    /// By conflict, oldest first.
    pub results: Vec<Pulled>,
    /// Now.
    pub timestamp: Timestamp,
}

/// What became of one result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pulled {
    /// The conflict.
    pub conflict_id: String,
    /// Where the result stands.
    pub file_path: String,
    /// What became of it.
    pub state: PullState,
    /// Why nothing was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The lines that do not go together, in the state `conflict`. `sides`: what stands in the folder, the result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<ConflictRegion>,
    /// What stood there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<Backup>,
}

/// What became of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// It was merged into what stood in the folder.
    Pulled,
    /// The folder has it already.
    Unchanged,
    /// It does not go together with what the agent did since: the file is as it was.
    Conflict,
    /// Something is at work there, or stands there that could not be backed up: the file is as it was.
    Busy,
    /// There is no such result: the conflict was only marked, or found anew since.
    Gone,
}
