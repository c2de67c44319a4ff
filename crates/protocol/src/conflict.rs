//! Conflicts between agents' work.

use crate::{AgentId, Resolution, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Settles by itself.
    Low,
    /// One place of one file.
    Medium,
    /// Several places.
    High,
    /// One side's work would be lost, or the work of all does not go together.
    Critical,
}

/// What collides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConflictType {
    /// Several agents edit one file.
    Overlap,
    /// One edits a file that another deletes.
    DeleteModify,
    /// Both changed the same lines, or a content that is not lines.
    Content,
    /// Both added the file with different contents.
    AddAdd,
    /// One renamed what the other changed, and the changes do not merge; or both renamed it differently.
    Rename,
    /// Different kinds of things: a file and a link, a file and a folder, different permissions.
    Mode,
    /// One changed, renamed or removed a definition, and the other's new code uses it as it was.
    Semantic,
    /// One changed what the other has claimed for itself alone.
    Lease,
    /// In a folder that both work in, one wrote over what the other had changed, as if that had not been.
    LostUpdate,
}

/// In which way the union of several agents' work breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnionBreak {
    /// The last one's version does not merge with the union of the others.
    Collides,
    /// Every version can be parsed, and so can the union of the others, but not with the last one's.
    DoesNotParse,
}

/// Where in its life a conflict stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResolutionStatus {
    /// Found, and nobody has settled it.
    Pending,
    /// Settled by a merged result: not everyone has pulled it, and the work may still collide.
    Resolving,
    /// Over: settled, or gone (`resolution_strategy` is then `withdrawn`).
    Resolved,
    /// A person was asked, and has not settled it.
    Escalated,
}

impl std::str::FromStr for ResolutionStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "pending" => Ok(Self::Pending),
            "resolving" => Ok(Self::Resolving),
            "resolved" => Ok(Self::Resolved),
            "escalated" => Ok(Self::Escalated),
            _ => Err(format!("'{text}' is no resolution status; use pending, resolving, resolved or escalated")),
        }
    }
}

/// One conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Conflict {
    /// `c` and the number of the event that found it.
    pub conflict_id: String,
    /// The file, relative to the project.
    pub file_path: String,
    /// Who collides, in the order in which they began.
    pub conflicting_agents: Vec<AgentId>,
    /// What collides.
    pub conflict_type: ConflictType,
    /// How bad it is.
    pub severity: Severity,
    /// When it was found.
    pub detected_at: Timestamp,
    /// Where in its life it stands.
    pub resolution_status: ResolutionStatus,
    /// How it was settled.
    pub resolution_strategy: Option<String>,
    /// Who settled it.
    pub resolved_by: Option<String>,
    /// The branch whose landed work the only agent collides with; left out between agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Where each of `conflicting_agents` has the file, when one of them renamed it; null where it did not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agent_paths: Vec<Option<String>>,
    /// Whose code uses what the other one changed, in semantic conflicts; who changed what the other one has claimed, in
    /// those of leases; whose work is gone, in lost updates; whose addition breaks the union.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affected_agent: Option<AgentId>,
    /// The snapshot that holds the file as it was before it was overwritten. Only in lost updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot_id: Option<String>,
    /// The agents' work goes together two by two and not as a whole, and in which way. The agent whose addition breaks
    /// the union comes first, and each region has its side and that of the union of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_break: Option<UnionBreak>,
    /// Who asked a person to decide, and why; stays when it is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Escalation>,
    /// What collides, as far as the language is known: `src/a.py::Class.method`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
    /// What was changed and what that breaks, in semantic conflicts. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impact: Option<Box<ConflictImpact>>,
    /// The lines that collide, where the agents' work was merged. Not in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<ConflictRegion>,
    /// The merged result that settled it, when it was not only marked. Not in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Box<Resolution>>,
}

/// A person was asked to decide a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Escalation {
    /// Who asked.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// `POST /conflicts/{id}/escalate`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EscalateRequest {
    /// Why a person has to decide: free text, required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_by: Option<String>,
}

/// Answer to `POST /conflicts/{id}/escalate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EscalatedAnswer {
    /// `success`.
    pub status: String,
    /// Which.
    pub conflict_id: String,
    /// For people.
    pub message: String,
    /// When it was answered.
    pub timestamp: Timestamp,
}

/// A changed definition and what the change breaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictImpact {
    /// What was changed.
    pub definition: ChangedDefinition,
    /// What breaks, by file and line; at most 64.
    pub uses: Vec<AffectedUse>,
}

/// A definition that was changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChangedDefinition {
    /// Its file.
    pub path: String,
    /// Its path below the file before the change, such as `Class.method`.
    pub entity: String,
    /// Who changed it; null for landed work.
    pub changed_by: Option<AgentId>,
    /// How, in words.
    pub change: String,
    /// Its head before the change.
    pub before: Option<RegionLines>,
    /// Its head after the change; null when it is gone.
    pub after: Option<RegionLines>,
}

/// A use that breaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AffectedUse {
    /// Its file.
    pub path: String,
    /// Its first line, counted from 1.
    pub line: usize,
    /// The entity it stands in.
    pub entity: Option<String>,
    /// The name used.
    pub name: String,
    /// How: `call`, `construct`, `reference`, `type`, `import`, `member` or `inherit`.
    pub kind: String,
    /// Its lines in the user's version.
    pub text: RegionLines,
}

/// How sure it is that a use means a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// By import, scope or receiver. New uses of this kind are conflicts.
    Definite,
    /// By name alone.
    Possible,
}

/// A change and one use that it breaks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Impact {
    /// Who changed the definition; null for landed work.
    pub author: Option<AgentId>,
    /// Whose the use is; null for a file that no agent changed.
    pub user: Option<AgentId>,
    /// How sure it is.
    pub certainty: Certainty,
    /// The user added or changed the use; else it stood there before.
    pub is_new: bool,
    /// What was changed.
    pub definition: ChangedDefinition,
    /// What breaks.
    pub affected: AffectedUse,
}

/// One use of a definition, broken or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SymbolUse {
    /// The definition: `src/a.py::Class.method`.
    pub definition: String,
    /// Whose work the use is in; null for a file that no agent changed.
    pub agent: Option<AgentId>,
    /// How sure it is.
    pub certainty: Certainty,
    /// The use.
    pub used: AffectedUse,
}

/// `GET /sync/impact`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImpactList {
    /// `success`.
    pub status: String,
    /// Not all files of the target branch are read yet: there may be more.
    pub indexing: bool,
    /// Files of the target branch that are source and are not read: too large, or beyond the memory for all.
    pub left_out: usize,
    /// What changes break: those that are conflicts first, then definite ones, then possible ones.
    pub impacts: Vec<Impact>,
    /// Who uses what `symbol` or `path` names.
    pub uses: Vec<SymbolUse>,
    /// There is more than was asked for.
    pub truncated: bool,
    /// Now.
    pub timestamp: Timestamp,
}

/// Lines that collide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictRegion {
    /// Before both changes.
    pub base: RegionLines,
    /// As each of `conflicting_agents` has them, in that order; then, in a conflict with landed work, as the
    /// branch has them; where the union breaks, as the first agent has them and as the union of the others does.
    pub sides: Vec<RegionLines>,
}

/// Lines of one version of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegionLines {
    /// The first line, counted from 1. Without lines: the line before which the place lies.
    pub start_line: usize,
    /// How many lines.
    pub line_count: usize,
    /// Their text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// The text was cut at 8 KiB.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Whose version this is deleted the whole file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

/// `GET /conflicts/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictAnswer {
    /// `success`.
    pub status: String,
    /// The whole record.
    pub conflict: Conflict,
}

/// `GET /conflicts?status=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ConflictList {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub conflicts: Vec<Conflict>,
    /// All conflicts kept, whatever the filter.
    pub total_conflicts: usize,
    /// The filter, as given.
    pub filtered_by: Option<String>,
    /// Now.
    pub timestamp: Timestamp,
}

/// `POST /conflicts/{id}/resolve`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResolveRequest {
    /// How it was settled, free text; `manual` when left out. With `apply`: `ours`, `theirs`, `take`, `union`, `auto`
    /// or `manual`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_strategy: Option<String>,
    /// Who settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// Merge for real instead of marking.
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    pub apply: Option<bool>,
    /// With `take`: whose side, an agent or, in a conflict with landed work, the branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// With `manual`: the whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// How `content` is written: `utf-8`, as when left out, or `base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<ContentEncoding>,
    /// With `manual`: take the content though it does not parse, or holds conflict markers.
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<bool>)]
    pub force: Option<bool>,
}

/// How a content is written in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum ContentEncoding {
    /// As the text that it is.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// As base64, for what is no text.
    #[serde(rename = "base64")]
    Base64,
}

/// Answer to `POST /conflicts/{id}/resolve`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResolvedAnswer {
    /// `success`.
    pub status: String,
    /// The conflict.
    pub conflict_id: String,
    /// For people.
    pub message: String,
    /// The merged result, with `apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<Box<Resolution>>,
    /// Now.
    pub timestamp: Timestamp,
}
