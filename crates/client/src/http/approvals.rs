//! Questions to a person.

use crate::{Client, Error};
use orchestrator_protocol::{ApprovalAnswer, ApprovalAnswerRequest, ApprovalList, ApprovalRequest, ApprovalState};

/// Which approvals are asked for; what is left out restricts nothing.
#[derive(Debug, Clone, Default)]
pub struct ApprovalsQuery {
    /// Those in this state.
    pub state: Option<ApprovalState>,
    /// Those of this kind.
    pub kind: Option<String>,
    /// Those after the number that `next` of the last page told.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl Client {
    /// Puts a question to a person.
    ///
    /// # Errors
    /// `idempotency_mismatch`, another refusal, or why the server could not be asked.
    pub async fn ask_approval(&self, request: &ApprovalRequest) -> Result<ApprovalAnswer, Error> {
        let call = self.post(&["approvals"])?.body(request);
        if request.idempotency_key.is_some() { call.repeatable().answer().await } else { call.answer().await }
    }

    /// Approvals that match, oldest first, a page of them.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn approvals(&self, query: &ApprovalsQuery) -> Result<ApprovalList, Error> {
        let pairs = [
            ("state", query.state.map(|state| state.as_str().to_owned())),
            ("kind", query.kind.clone()),
            ("after", query.after.map(|number| number.to_string())),
            ("limit", query.limit.map(|number| number.to_string())),
        ];
        self.get(&["approvals"], &pairs)?.answer().await
    }

    /// One approval.
    ///
    /// # Errors
    /// `unknown_approval`, or why the server could not be asked.
    pub async fn approval(&self, id: &str) -> Result<ApprovalAnswer, Error> {
        self.get(&["approvals", id], &[])?.answer().await
    }

    /// Answers a question: once. Needs the operator's secret.
    ///
    /// # Errors
    /// `operator_only`, `approval_over`, `unknown_approval`, or why the server could not be asked.
    pub async fn answer_approval(&self, id: &str, request: &ApprovalAnswerRequest) -> Result<ApprovalAnswer, Error> {
        self.post(&["approvals", id, "answer"])?.body(request).answer().await
    }
}
