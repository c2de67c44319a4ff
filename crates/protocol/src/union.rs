//! The union of everyone's unfinished work.

use crate::{AgentId, Timestamp, UnionBreak};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /sync/union`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnionAnswer {
    /// `success`.
    pub status: String,
    /// The union as it stands.
    pub union: Union,
    /// Now.
    pub timestamp: Timestamp,
}

/// The union of everyone's unfinished work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Union {
    /// The branch onto which everyone's work is put; null when none is checked out in the project's folder.
    pub target: Option<String>,
    /// Its newest commit; null before the first.
    pub tip: Option<String>,
    /// Whose work is in the union, in the order in which it is merged.
    pub agents: Vec<AgentId>,
    /// Whose work is left out, as it collides with another one's or with landed work.
    pub left_out: Vec<UnionLeftOut>,
    /// Agents whose work is not known: they have no workspace, it cannot be followed, or it could not be read at the
    /// last look. Of the last, what was seen before is in the union.
    pub unknown: Vec<AgentId>,
    /// Paths at which the union differs from the branch.
    pub paths: usize,
    /// Paths of which several agents' versions were merged, by path.
    pub merged: Vec<UnionPath>,
    /// Where the work in it goes together two by two and not as a whole.
    pub breaks: Vec<UnionBroken>,
    /// The id of the union's tree, which is written nowhere; null where it breaks, where something could not be read,
    /// and before the first commit.
    pub tree: Option<String>,
    /// Merged paths of which it is not known whether they can be parsed: their language is, but they are too large.
    pub unparsed: usize,
    /// Paths that could not be read, and of which nothing is known.
    pub unread: usize,
    /// There are more merged paths, breaks or reasons than were asked for.
    pub truncated: bool,
}

/// An agent that is left out of the union.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnionLeftOut {
    /// Who.
    pub agent_id: AgentId,
    /// Why: each collision.
    pub collisions: Vec<UnionCollision>,
}

/// Why an agent is left out of the union.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnionCollision {
    /// The file.
    pub file_path: String,
    /// With whose work it collides; null for landed work.
    pub with: Option<AgentId>,
    /// The record, once there is one.
    pub conflict_id: Option<String>,
}

/// A path of which several agents' versions were merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnionPath {
    /// Where the union has it.
    pub file_path: String,
    /// The agents, in the order in which their versions were merged.
    pub agents: Vec<AgentId>,
    /// Where the branch has it, when it was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

/// Where the union breaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UnionBroken {
    /// The file.
    pub file_path: String,
    /// Whose work does not go together: first the agent whose addition breaks it.
    pub agents: Vec<AgentId>,
    /// In which way.
    pub cause: UnionBreak,
    /// The record, once there is one.
    pub conflict_id: Option<String>,
}
