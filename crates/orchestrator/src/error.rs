//! Why something could not be done, with the code and the cure that every transport shows.

use orchestrator_conflict as conflict;
use orchestrator_landing as landing;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{ErrorBody, ErrorCode, Timestamp};
use orchestrator_registry as registry;
use orchestrator_workflow::{self as workflow, approval, task};

/// Why a command or a read failed. Nothing was changed, save where [`Error::Internal`] says otherwise.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Refused by the rules of agents and leases.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// Refused by the rules of messages.
    #[error(transparent)]
    Mailbox(#[from] mailbox::Error),
    /// Refused by the rules of conflicts.
    #[error(transparent)]
    Conflict(#[from] conflict::Error),
    /// Refused by the rules of the queue of landings.
    #[error(transparent)]
    Landing(#[from] landing::Error),
    /// Refused by the rules of autonomy and workflows.
    #[error(transparent)]
    Workflow(#[from] workflow::Error),
    /// Refused by the rules of tasks.
    #[error(transparent)]
    Task(#[from] task::Error),
    /// Refused by the rules of approvals.
    #[error(transparent)]
    Approval(#[from] approval::Error),
    /// The request itself is wrong.
    #[error("{detail}")]
    Invalid {
        /// The stable code.
        code: ErrorCode,
        /// What and why.
        detail: String,
        /// What to do.
        hint: &'static str,
    },
    /// No available agent has that capability.
    #[error("no available agent can '{0}'")]
    NoCapableAgent(String),
    /// The log cannot be written.
    #[error("nothing can be recorded at the moment: {reason}")]
    StorageUnavailable {
        /// Why.
        reason: String,
        /// What to do.
        cure: String,
    },
    /// The watcher cannot answer.
    #[error("the watcher cannot answer: {0}")]
    Watch(String),
    /// File changes did not come to rest in time.
    #[error("{0}")]
    Timeout(String),
    /// Going down.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// A fault of ours; the log has the details.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// An error of the request.
    pub fn invalid(code: ErrorCode, detail: impl Into<String>, hint: &'static str) -> Self {
        Self::Invalid { code, detail: detail.into(), hint }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Registry(error) => match error {
                registry::Error::UnknownAgent(_) => ErrorCode::UnknownAgent,
                registry::Error::TooManyAgents(_) | registry::Error::TooManyLeases(_) => ErrorCode::LimitReached,
                registry::Error::UnknownWorkspace(_) => ErrorCode::UnknownWorkspace,
                registry::Error::UnknownLease(_) => ErrorCode::UnknownLease,
                registry::Error::Held { .. } => ErrorCode::LeaseHeld,
                registry::Error::StaleToken { .. } => ErrorCode::StaleToken,
                registry::Error::InvalidGlob(..) | registry::Error::InvalidTerm(_) => ErrorCode::InvalidRequest,
            },
            Self::Mailbox(error) => match error {
                mailbox::Error::Full(_) => ErrorCode::MailboxFull,
                mailbox::Error::KeyReused(_) => ErrorCode::IdempotencyMismatch,
                mailbox::Error::Unknown(_) => ErrorCode::UnknownMessage,
                mailbox::Error::NotYours(..) => ErrorCode::NotYourMessage,
                mailbox::Error::NotDead(_) => ErrorCode::InvalidRequest,
            },
            Self::Conflict(error) => match error {
                conflict::Error::Unknown(_) => ErrorCode::UnknownConflict,
                conflict::Error::AlreadyResolved { .. } => ErrorCode::AlreadyResolved,
                conflict::Error::Changed(_) => ErrorCode::ConflictChanged,
            },
            Self::Landing(error) => match error {
                landing::Error::Unknown(_) => ErrorCode::UnknownMerge,
                landing::Error::Over { .. } | landing::Error::OutOfOrder { .. } => ErrorCode::MergeOver,
                landing::Error::Full(_) => ErrorCode::LimitReached,
            },
            Self::Workflow(error) => match error {
                workflow::Error::OperatorOnly { .. } => ErrorCode::OperatorOnly,
                workflow::Error::NoWorkflowDefined(_) => ErrorCode::NoWorkflowDefined,
            },
            Self::Task(error) => task_code(error),
            Self::Approval(error) => approval_code(error),
            Self::Invalid { code, .. } => *code,
            Self::NoCapableAgent(_) => ErrorCode::NoCapableAgent,
            Self::StorageUnavailable { .. } => ErrorCode::StorageUnavailable,
            Self::Watch(_) => ErrorCode::WatchUnavailable,
            Self::Timeout(_) => ErrorCode::Timeout,
            Self::ShuttingDown => ErrorCode::ShuttingDown,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// What to do about it.
    fn hint(&self) -> String {
        let hint = match self {
            Self::StorageUnavailable { cure, .. } => return cure.clone(),
            Self::Invalid { hint, .. } => hint,
            _ => match self.code() {
                ErrorCode::UnknownAgent => "register it first: POST /api/orchestration/agents/register",
                ErrorCode::UnknownWorkspace => "make one: POST /api/orchestration/agents/{id}/workspace",
                ErrorCode::UnknownLease => "list what stands: GET /api/orchestration/leases",
                ErrorCode::UnknownConflict => "list what is known: GET /api/orchestration/conflicts",
                ErrorCode::UnknownMessage => "check the id; ids look like m42",
                ErrorCode::LeaseHeld => "wait until it ends, ask the holder, or claim something smaller",
                ErrorCode::StaleToken => "someone renewed or took over; stop, and acquire or claim it anew",
                ErrorCode::MailboxFull => "wait until the receiver has read, then send again",
                ErrorCode::IdempotencyMismatch => "use a new key for something new",
                ErrorCode::NotYourMessage => "acknowledge with the id of the agent that it was sent to",
                ErrorCode::AlreadyResolved => "nothing is left to do",
                ErrorCode::UnknownMerge => "list what is known: GET /api/orchestration/merges",
                ErrorCode::MergeOver => "ask for another: POST /api/orchestration/merges",
                ErrorCode::UnknownTask => "list what is known: GET /api/orchestration/tasks",
                ErrorCode::TaskClaimed => "take another: GET /api/orchestration/tasks?claimable_by=AGENT",
                ErrorCode::TaskAssigned => {
                    "take another, or have it assigned: POST /api/orchestration/tasks/{id}/assign"
                }
                ErrorCode::MissingCapability => "register with that capability, or have the task assigned by name",
                ErrorCode::TaskOver => "nothing is left to do; make a new task for more",
                ErrorCode::UnknownApproval => "list what is known: GET /api/orchestration/approvals",
                ErrorCode::ApprovalOver => "an approval is answered once; ask for a new one",
                ErrorCode::ConflictChanged => "look at what collides now: GET /api/orchestration/conflicts/{id}",
                ErrorCode::NoWorkflowDefined => "see *help for what works without workflows",
                ErrorCode::NoCapableAgent => "register an agent with that capability, or address one by its id",
                ErrorCode::OperatorOnly => "send the operator's secret in the header X-Orchestrator-Operator",
                ErrorCode::LimitReached => "free some before asking for more",
                ErrorCode::WatchUnavailable => "start monitoring first: POST /api/orchestration/sync/start",
                ErrorCode::Timeout => "try again when the files are at rest",
                ErrorCode::ShuttingDown => "try again when it is back",
                _ => "see /docs for the form of each request",
            },
        };
        hint.to_owned()
    }

    /// The body that transports answer with. What went wrong inside stays inside.
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        let detail = match self {
            Self::Internal(_) => "the server failed; its log has the details".to_owned(),
            _ => self.to_string(),
        };
        let mut body = ErrorBody::new(self.code(), detail, self.hint());
        let (held_by, since) = match self {
            Self::Registry(registry::Error::Held { held_by, since, .. })
            | Self::Task(task::Error::Claimed { held_by, since, .. }) => (Some(held_by), Some(*since)),
            Self::Task(task::Error::Stale { held_by, since, .. }) => (held_by.as_ref(), *since),
            Self::Task(task::Error::Assigned { to, .. }) => (Some(to), None),
            _ => (None, None),
        };
        body.held_by = held_by.map(ToString::to_string);
        body.since = since.map(Timestamp);
        body
    }
}

fn task_code(error: &task::Error) -> ErrorCode {
    use task::Error as E;
    match error {
        E::Unknown(_) => ErrorCode::UnknownTask,
        E::Over { .. } => ErrorCode::TaskOver,
        E::Claimed { .. } => ErrorCode::TaskClaimed,
        E::Assigned { .. } => ErrorCode::TaskAssigned,
        E::Incapable { .. } => ErrorCode::MissingCapability,
        E::Stale { .. } => ErrorCode::StaleToken,
        E::OperatorOnly(_) => ErrorCode::OperatorOnly,
        E::KeyReused(_) => ErrorCode::IdempotencyMismatch,
        E::Deadline(_) | E::Dependencies(_) | E::Percent(_) => ErrorCode::InvalidRequest,
        E::Full(_) => ErrorCode::LimitReached,
    }
}

fn approval_code(error: &approval::Error) -> ErrorCode {
    use approval::Error as E;
    match error {
        E::Unknown(_) => ErrorCode::UnknownApproval,
        E::Over { .. } => ErrorCode::ApprovalOver,
        E::OperatorOnly(_) => ErrorCode::OperatorOnly,
        E::KeyReused(_) => ErrorCode::IdempotencyMismatch,
        E::NoOption { .. } | E::WhichOption(_) | E::OptionDenied | E::DefaultWithoutDeadline | E::Deadline(_) => {
            ErrorCode::InvalidRequest
        }
        E::Full(_) => ErrorCode::LimitReached,
    }
}
