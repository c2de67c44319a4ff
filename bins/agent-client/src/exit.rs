//! Exit codes, and failures on their way to them.

use orchestrator_client::Error;
use orchestrator_protocol::ErrorCode;
use serde_json::{Value, json};
use std::process::ExitCode;

/// How the program ends. The numbers are part of its interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Success = 0,
    /// Anything that has no number of its own.
    Failed = 1,
    /// What was asked cannot be meant.
    Usage = 2,
    NotFound = 3,
    /// The server does not do this, or not for this caller.
    Refused = 4,
    /// Someone else was first.
    Conflict = 5,
    /// The server cannot be reached, or cannot do it at the moment.
    Unavailable = 6,
    Timeout = 7,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<ErrorCode> for Exit {
    fn from(code: ErrorCode) -> Self {
        use ErrorCode as E;
        match code {
            E::InvalidRequest
            | E::InvalidJson
            | E::InvalidAgentId
            | E::InvalidStatus
            | E::InvalidWorkload
            | E::InvalidPath
            | E::InvalidChangeType
            | E::InvalidAddress
            | E::UnknownCommand
            | E::UnknownFrame
            | E::TooDeep => Self::Usage,
            E::UnknownAgent
            | E::NoCapableAgent
            | E::UnknownConflict
            | E::UnknownMessage
            | E::UnknownResolution
            | E::UnknownLease
            | E::UnknownWorkspace
            | E::UnknownSnapshot
            | E::UnknownMerge
            | E::UnknownTask
            | E::UnknownApproval
            | E::UnknownRoute
            | E::NoWorkflowDefined => Self::NotFound,
            E::MethodNotAllowed
            | E::NotYourMessage
            | E::NotSupported
            | E::MailboxFull
            | E::InvalidPack
            | E::BodyTooLarge
            | E::MessageTooLarge
            | E::LimitReached
            | E::OriginNotAllowed
            | E::HostNotAllowed
            | E::OperatorOnly
            | E::MissingCapability
            | E::UpgradeRequired => Self::Refused,
            E::IdempotencyMismatch
            | E::LeaseHeld
            | E::StaleToken
            | E::AlreadyResolved
            | E::ConflictChanged
            | E::CannotSettle
            | E::MergeOver
            | E::TaskClaimed
            | E::TaskAssigned
            | E::TaskOver
            | E::AgentOffline
            | E::ApprovalOver
            | E::ResultRefused
            | E::ResultDoesNotParse
            | E::UnlandedWork
            | E::WorkspaceBlocked
            | E::UnknownBase => Self::Conflict,
            E::StorageUnavailable | E::WatchUnavailable | E::ShuttingDown => Self::Unavailable,
            E::Timeout => Self::Timeout,
            E::Internal => Self::Failed,
        }
    }
}

/// The same by status, for answers whose code this program does not know.
fn by_status(status: u16) -> Exit {
    match status {
        404 | 410 => Exit::NotFound,
        408 | 504 => Exit::Timeout,
        409 | 412 => Exit::Conflict,
        400 | 422 => Exit::Usage,
        401..=499 => Exit::Refused,
        502 | 503 => Exit::Unavailable,
        _ => Exit::Failed,
    }
}

/// Why the program does not do what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// What and why.
    what: String,
    /// What to do about it.
    cure: String,
    /// What programs get to read.
    body: Value,
    /// The reader of our output has gone: there is nobody to tell.
    pub(crate) is_silent: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: &str, what: impl Into<String>, cure: impl Into<String>) -> Self {
        let (what, cure) = (what.into(), cure.into());
        let body = json!({"detail": what, "code": code, "message": what, "hint": cure});
        Self { exit, what, cure, body, is_silent: false }
    }

    pub(crate) fn usage(what: impl Into<String>, cure: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", what, cure)
    }

    /// One line for people: what, why, what to do.
    pub(crate) fn line(&self) -> String {
        if self.cure.is_empty() { self.what.clone() } else { format!("{}; {}", self.what, self.cure) }
    }

    /// The error body for programs.
    pub(crate) fn body(&self) -> &Value {
        &self.body
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let (exit, code) = match &error {
            Error::Refused { body, .. } => (body.code.into(), ""),
            Error::BaseUrl { .. } | Error::Argument { .. } => (Exit::Usage, "usage"),
            Error::UnknownCode { status, code, .. } => (by_status(*status), code.as_str()),
            // Whoever answered, it was no orchestrator: there is none at this address.
            Error::Unexpected { .. } => (Exit::Unavailable, "unexpected_answer"),
            Error::Unreachable { .. } => (Exit::Unavailable, "unreachable"),
            Error::Timeout { .. } => (Exit::Timeout, "timeout"),
            Error::Closed => (Exit::Unavailable, "closed"),
            Error::Unconfirmed(_) => (Exit::Unavailable, "unconfirmed"),
        };
        let mut failure = Self::new(exit, code, error.to_string(), error.hint());
        if let Error::Refused { body, .. } = &error {
            failure.body = serde_json::to_value(body).unwrap_or_default();
        }
        failure
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let is_silent = error.kind() == std::io::ErrorKind::BrokenPipe;
        // As usual for filters: `agent-client events | head -1` has done what it was asked.
        let exit = if is_silent { Exit::Success } else { Exit::Failed };
        Self { is_silent, ..Self::new(exit, "io", error.to_string(), "") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::ErrorBody;

    #[test]
    fn every_code_has_its_exit_code() {
        for (number, codes) in [
            (1, "internal"),
            (
                2,
                "invalid_request invalid_json invalid_agent_id invalid_status invalid_workload invalid_path \
                 invalid_change_type invalid_address unknown_command unknown_frame too_deep",
            ),
            (
                3,
                "unknown_agent no_capable_agent unknown_conflict unknown_message unknown_lease unknown_workspace \
                 unknown_route no_workflow_defined unknown_resolution unknown_merge unknown_snapshot \
                 unknown_task unknown_approval",
            ),
            (
                4,
                "method_not_allowed not_your_message not_supported mailbox_full body_too_large message_too_large \
                 limit_reached origin_not_allowed host_not_allowed operator_only upgrade_required invalid_pack \
                 missing_capability",
            ),
            (
                5,
                "idempotency_mismatch lease_held stale_token already_resolved conflict_changed cannot_settle result_refused \
                 result_does_not_parse unlanded_work workspace_blocked unknown_base merge_over \
                 task_claimed task_assigned task_over agent_offline approval_over",
            ),
            (6, "storage_unavailable watch_unavailable shutting_down"),
            (7, "timeout"),
        ] {
            for word in codes.split_whitespace() {
                let code: ErrorCode = serde_json::from_value(json!(word)).unwrap();
                assert_eq!(Exit::from(code) as u8, number, "{word}");
            }
        }
    }

    #[test]
    fn failures_without_a_code_have_theirs_too() {
        let newer = |status| {
            let text = String::new;
            Error::UnknownCode { status, code: text(), detail: text(), hint: text() }
        };
        for (error, exit) in [
            (newer(404), Exit::NotFound),
            (newer(403), Exit::Refused),
            (newer(409), Exit::Conflict),
            (newer(503), Exit::Unavailable),
            (newer(500), Exit::Failed),
            (Error::Unexpected { status: 404, url: String::new(), reason: String::new() }, Exit::Unavailable),
            (Error::Unreachable { url: String::new(), reason: String::new() }, Exit::Unavailable),
            (Error::Timeout { url: String::new(), after: std::time::Duration::ZERO }, Exit::Timeout),
            (Error::BaseUrl { url: String::new(), reason: String::new() }, Exit::Usage),
        ] {
            let text = error.to_string();
            assert_eq!(Failure::from(error).exit, exit, "{text}");
        }
    }

    #[test]
    fn a_refusal_says_what_why_and_what_to_do() {
        let body = Box::new(ErrorBody::new(ErrorCode::UnknownAgent, "no agent 'x' is registered", "register it first"));
        let failure = Failure::from(Error::Refused { status: 404, body });
        assert_eq!(failure.line(), "no agent 'x' is registered; register it first");
        assert_eq!(failure.body()["code"], "unknown_agent");
    }
}
