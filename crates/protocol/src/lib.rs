//! Wire types of the Independent Orchestration Agent: what callers send and what they get back.
//!
//! Every transport (HTTP, WebSocket, the file bus) and every client speaks in these types, and nothing
//! else is shared between them. The crate derives serialisation and schemas and does nothing more: no
//! clock, no network, no rules beyond "is this value well formed".
//!
//! The shapes are those of `docs/PROTOCOL.md`. Fields are only ever added.
//!
//! ```
//! use orchestrator_protocol::{AgentId, ErrorCode};
//!
//! let id: AgentId = "dev-agent".parse()?;
//! assert_eq!(id.as_str(), "dev-agent");
//! let refused = "a/b".parse::<AgentId>().unwrap_err();
//! assert_eq!(refused.code(), ErrorCode::InvalidAgentId);
//! # Ok::<(), orchestrator_protocol::InvalidId>(())
//! ```
//!
//! # Limitations
//! Numbers in message payloads are kept as written ([`Json`] holds raw text), but a `workload` is an
//! IEEE double and is read as one.

mod agent;
mod approval;
mod audit;
mod base64;
mod change;
mod conflict;
mod control;
mod error;
mod event;
mod frame;
mod health;
mod id;
mod lease;
mod lenient;
mod merge;
mod message;
mod push;
mod raw;
mod resolution;
mod snapshot;
mod task;
mod time;
mod union;
mod workspace;

pub use agent::{
    Agent, AgentAnswer, AgentList, AgentListRef, AgentRecommendation, AgentRef, AgentStatus, InvalidWorkload,
    Recommendations, RegisterAnswer, RegisterRequest, StatusRequest, Workload,
};
pub use approval::{
    Approval, ApprovalAnswer, ApprovalAnswerRequest, ApprovalList, ApprovalNews, ApprovalPush, ApprovalRequest,
    ApprovalState, Verdict,
};
pub use audit::AuditKey;
pub use base64::{from_base64, to_base64};
pub use change::{Change, ChangeList, ChangeType, SyncAnswer, SyncBarrier, SyncStatus};
pub use conflict::{
    AffectedUse, Certainty, ChangedDefinition, Conflict, ConflictAnswer, ConflictImpact, ConflictList, ConflictRegion,
    ConflictType, ContentEncoding, EscalateRequest, EscalatedAnswer, Escalation, Impact, ImpactList, RegionLines,
    ResolutionStatus, ResolveRequest, ResolvedAnswer, Severity, SymbolUse, UnionBreak,
};
pub use control::{Autonomy, CommandAnswer, CommandRequest};
pub use error::{ErrorBody, ErrorCode};
pub use event::EventPage;
pub use frame::{ClientFrame, FrameError, ServerFrame};
pub use health::{Degradation, Health, HealthStatus, SyncServiceHealth};
pub use id::{AgentId, InvalidId, ORCHESTRATOR};
pub use lease::{Lease, LeaseAnswer, LeaseList, LeaseMode, LeaseRequest, RenewRequest, Resource, ResourceKind};
pub use merge::{
    GateVerdict, Merge, MergeAnswer, MergeBatch, MergeGate, MergeList, MergeOpen, MergeRequest, MergeSettled,
    MergeState, RollbackAnswer, RollbackRequest,
};
pub use message::{
    Ack, Address, ClaimRequest, Inbox, InboxMessage, InvalidAddress, Message, MessageAnswer, MessageList,
    MessageRequest, MessageState, SendAnswer,
};
pub use push::{AgentMessagePush, BroadcastPush, ChangePush, ConflictPush, MergePush, Push, PushBody};
pub use raw::{Json, MAX_DEPTH};
pub use resolution::{FileMode, PullAnswer, PullRequest, PullState, Pulled, Resolution, ResolutionSide};
pub use snapshot::{
    ChangedPath, PathChange, RestoreAnswer, RestoreBackup, RestoreRequest, Snapshot, SnapshotAnswer, SnapshotKind,
    SnapshotList,
};
pub use task::{
    Task, TaskAnswer, TaskAssignRequest, TaskCancelRequest, TaskClaim, TaskClaimRequest, TaskList, TaskMessage,
    TaskNews, TaskProgress, TaskProgressRequest, TaskPush, TaskReleaseRequest, TaskRequest, TaskResultRequest,
    TaskState, TaskStep,
};
pub use time::Timestamp;
pub use union::{Union, UnionAnswer, UnionBroken, UnionCollision, UnionLeftOut, UnionPath};
pub use workspace::{
    Backup, Isolation, Keep, KnownAnswer, KnownRequest, LeftOut, MadeWorkspace, PushAnswer, PushRequest,
    RemoveWorkspaceRequest, RemovedAnswer, Workspace, WorkspaceAnswer, WorkspaceBusy, WorkspaceList, WorkspaceRequest,
};
