//! The error body and its stable codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, as a word that programs can rely on. Codes are added, never renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is not of the route's form.
    InvalidRequest,
    /// The body is not JSON.
    InvalidJson,
    /// The id cannot name an agent.
    InvalidAgentId,
    /// `status` is none of the five.
    InvalidStatus,
    /// `workload` is no number from 0 to 1.
    InvalidWorkload,
    /// The path leaves the project, or names something that is not the project's.
    InvalidPath,
    /// `change_type` is none of the known ones.
    InvalidChangeType,
    /// The address is no agent id, `capability:NAME` or `*`.
    InvalidAddress,
    /// The text is no control command.
    UnknownCommand,
    /// A frame of a type that the server does not know.
    UnknownFrame,
    /// No agent of that name is registered.
    UnknownAgent,
    /// No agent has the capability asked for.
    NoCapableAgent,
    /// No such conflict.
    UnknownConflict,
    /// No such message, or it is older than what is kept.
    UnknownMessage,
    /// No such lease: never granted, released or expired.
    UnknownLease,
    /// No route answers this path.
    UnknownRoute,
    /// The route answers other methods.
    MethodNotAllowed,
    /// The message is not in that agent's mailbox.
    NotYourMessage,
    /// The same idempotency key came with another body.
    IdempotencyMismatch,
    /// Someone holds a lease that overlaps.
    LeaseHeld,
    /// The fencing token is not the newest.
    StaleToken,
    /// The conflict is settled already.
    AlreadyResolved,
    /// What collides is no longer what the record says.
    ConflictChanged,
    /// The conflict was not settled by a merged result.
    UnknownResolution,
    /// The strategy does not settle this conflict.
    CannotSettle,
    /// The merged result holds something that it must not, such as conflict markers.
    ResultRefused,
    /// Both sides parse, the merged result does not.
    ResultDoesNotParse,
    /// The agent has no workspace.
    UnknownWorkspace,
    /// No such snapshot: never kept, or let go of.
    UnknownSnapshot,
    /// Removing the workspace would lose work that nothing else holds.
    UnlandedWork,
    /// Something on the disk or in git is in the way of making or removing the workspace.
    WorkspaceBlocked,
    /// The pack cannot be taken: damaged, not whole, or with content that no worktree may hold.
    InvalidPack,
    /// The pack stands on commits that the target branch does not have.
    UnknownBase,
    /// No such landing: never asked for, or ended long ago.
    UnknownMerge,
    /// The landing ended, or its branch is just moving.
    MergeOver,
    /// No such task: never made, or ended long ago.
    UnknownTask,
    /// Someone else works on the task.
    TaskClaimed,
    /// The task is for another agent.
    TaskAssigned,
    /// The task ended.
    TaskOver,
    /// The agent cannot do what the task needs.
    MissingCapability,
    /// The agent says that it is offline.
    AgentOffline,
    /// No such approval: never asked for, or ended long ago.
    UnknownApproval,
    /// The approval was answered, or its deadline passed.
    ApprovalOver,
    /// What was asked needs a part that is not there yet.
    NotSupported,
    /// No workflow of that name is defined.
    NoWorkflowDefined,
    /// The mailbox holds as many unread messages as it may.
    MailboxFull,
    /// The body is larger than the route takes.
    BodyTooLarge,
    /// The message is larger than 256 KiB.
    MessageTooLarge,
    /// JSON nested deeper than 64.
    TooDeep,
    /// More of something than the server keeps.
    LimitReached,
    /// A web page of a foreign origin asked.
    OriginNotAllowed,
    /// The `Host` header does not name this server.
    HostNotAllowed,
    /// Needs the operator's secret.
    OperatorOnly,
    /// The route speaks WebSocket only.
    UpgradeRequired,
    /// The log cannot be written at the moment; nothing was changed.
    StorageUnavailable,
    /// The watcher cannot answer at the moment.
    WatchUnavailable,
    /// The server is going down.
    ShuttingDown,
    /// The file changes did not come to rest in time.
    Timeout,
    /// A fault of the server's own; the log has the details.
    Internal,
}

/// Body of every answer that is no success: a superset of both forms of the documented system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What and why, for people.
    pub detail: String,
    /// The stable code.
    pub code: ErrorCode,
    /// The same as `detail`.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Who holds what is in the way: the lease (`lease_held`), the task (`task_claimed`, `stale_token`, `task_assigned`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
    /// Since when they hold it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<crate::Timestamp>,
}

impl ErrorBody {
    /// A body from its three parts.
    pub fn new(code: ErrorCode, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { message: detail.clone(), detail, code, hint: hint.into(), held_by: None, since: None }
    }
}
