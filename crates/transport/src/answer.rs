//! Errors as answers: one body, and one place that maps codes to statuses.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use orchestrator_protocol::{ErrorBody, ErrorCode, InvalidAddress, InvalidId};

/// An answer that is no success.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) ErrorBody);

/// What every handler gives back.
pub(crate) type Answer = Result<HttpResponse, Refusal>;

impl Refusal {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self(ErrorBody::new(code, detail, hint))
    }
}

/// The status that goes with a code.
pub(crate) fn status_of(code: ErrorCode) -> StatusCode {
    use ErrorCode as C;
    match code {
        C::InvalidJson | C::TooDeep => StatusCode::BAD_REQUEST,
        C::InvalidRequest
        | C::InvalidAgentId
        | C::InvalidStatus
        | C::InvalidWorkload
        | C::InvalidPath
        | C::InvalidChangeType
        | C::InvalidAddress
        | C::UnknownCommand
        | C::UnknownFrame
        | C::InvalidPack
        | C::NotSupported => StatusCode::UNPROCESSABLE_ENTITY,
        C::UnknownAgent
        | C::NoCapableAgent
        | C::UnknownConflict
        | C::UnknownMessage
        | C::UnknownResolution
        | C::UnknownLease
        | C::UnknownWorkspace
        | C::UnknownSnapshot
        | C::UnknownMerge
        | C::UnknownTask
        | C::UnknownApproval
        | C::UnknownRoute
        | C::NoWorkflowDefined => StatusCode::NOT_FOUND,
        C::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        C::NotYourMessage | C::OriginNotAllowed | C::HostNotAllowed | C::OperatorOnly | C::MissingCapability => {
            StatusCode::FORBIDDEN
        }
        C::IdempotencyMismatch
        | C::LeaseHeld
        | C::StaleToken
        | C::AlreadyResolved
        | C::ConflictChanged
        | C::CannotSettle
        | C::MergeOver
        | C::TaskClaimed
        | C::TaskAssigned
        | C::TaskOver
        | C::AgentOffline
        | C::ApprovalOver
        | C::ResultRefused
        | C::ResultDoesNotParse
        | C::UnlandedWork
        | C::WorkspaceBlocked
        | C::UnknownBase => StatusCode::CONFLICT,
        C::MailboxFull | C::LimitReached => StatusCode::TOO_MANY_REQUESTS,
        C::BodyTooLarge | C::MessageTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        C::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        C::StorageUnavailable | C::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        C::WatchUnavailable => StatusCode::CONFLICT,
        C::Timeout => StatusCode::REQUEST_TIMEOUT,
        C::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for Refusal {
    fn status_code(&self) -> StatusCode {
        status_of(self.0.code)
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        if self.0.code == ErrorCode::UpgradeRequired {
            answer.insert_header(("Upgrade", "websocket"));
        }
        answer.json(&self.0)
    }
}

impl From<orchestrator::Error> for Refusal {
    fn from(error: orchestrator::Error) -> Self {
        Self(error.body())
    }
}

impl From<InvalidId> for Refusal {
    fn from(error: InvalidId) -> Self {
        let hint = "choose an id such as dev-agent: letters, digits, '.', '_' and '-', at most 64";
        Self::new(error.code(), error.to_string(), hint)
    }
}

impl From<InvalidAddress> for Refusal {
    fn from(error: InvalidAddress) -> Self {
        Self::new(error.code(), error.to_string(), "address an agent by its id, or capability:NAME, or *")
    }
}
