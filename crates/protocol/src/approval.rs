//! Approvals: questions that only a person answers.

use crate::{Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How an approval stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// Nobody has answered yet.
    Pending,
    /// Yes.
    Approved,
    /// No.
    Denied,
    /// Its deadline passed, and it has no default answer.
    Expired,
}

impl ApprovalState {
    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
        }
    }
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// `approval-` and the number of the event that asked.
    pub approval_id: String,
    /// What sort of decision: `rollback`, `landing`, `resolution`, or another word.
    pub kind: String,
    /// What it is about, such as `merge-42`.
    pub subject: Option<String>,
    /// The question.
    pub question: String,
    /// What can be approved; empty where it is yes or no.
    pub options: Vec<String>,
    /// Who asks.
    pub asked_by: String,
    /// When it ends by itself, as a label: the server counts on its monotonic clock, and a restart grants the full term.
    pub deadline: Option<Timestamp>,
    /// The answer when the deadline passes; without one it expires.
    pub default: Option<Verdict>,
    /// Which option the default approves.
    pub default_option: Option<String>,
    /// How it stands.
    pub state: ApprovalState,
    /// Which option was approved.
    pub option: Option<String>,
    /// `operator`, or `deadline` where the default was taken.
    pub answered_by: Option<String>,
    /// When it was answered or expired.
    pub answered_at: Option<Timestamp>,
    /// What was said with the answer.
    pub note: Option<String>,
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// `POST /approvals`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalRequest {
    /// What sort of decision: `rollback`, `landing`, `resolution`, or another word.
    #[serde(default)]
    pub kind: String,
    /// What it is about, such as `merge-42`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The question.
    #[serde(default)]
    pub question: String,
    /// What can be approved; nothing where it is yes or no.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::words")]
    pub options: Option<Vec<String>>,
    /// Who asks: an agent is told the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// It ends by itself after so many seconds, at most 31 days; never when left out.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::integer")]
    #[schema(minimum = 1, maximum = 2_678_400)]
    pub deadline_seconds: Option<u64>,
    /// The answer when the deadline passes; without one it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Verdict>,
    /// Which option the default approves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_option: Option<String>,
    /// The same key from the same asker is the same question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `POST /approvals/{id}/answer`: operator only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalAnswerRequest {
    /// Yes or no.
    pub answer: Verdict,
    /// Which option is approved; may be left out where there is one at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// What to say with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Answer of every route of one approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalAnswer {
    /// `success`.
    pub status: String,
    /// The approval as it stood right after what was asked.
    pub approval: Approval,
    /// Now.
    pub timestamp: Timestamp,
}

/// `GET /approvals`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalList {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub approvals: Vec<Approval>,
    /// How many match, on all pages.
    pub total: usize,
    /// Give this as `after` for the next page; null when this is the last.
    pub next: Option<u64>,
    /// Now.
    pub timestamp: Timestamp,
}

/// `approval_update`: a question was asked, answered, or ended by itself. What a step does not tell is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApprovalPush {
    /// Which.
    pub approval_id: String,
    /// How it stands now.
    pub state: ApprovalState,
    /// What sort of decision, when it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is about, when it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The question, when it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// What can be approved, when it is asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Who asks, when it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// When it ends by itself, when it is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Which option was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// `operator`, or `deadline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<&'static str>,
    /// What was said with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Payload of the message that tells an agent the answer to its question; its `type` is `event`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalNews {
    /// `approval_answered` or `approval_expired`.
    pub event: String,
    /// Which.
    pub approval_id: String,
    /// What sort of decision.
    pub kind: String,
    /// What it is about.
    pub subject: Option<String>,
    /// How it stands now.
    pub state: ApprovalState,
    /// Which option was approved.
    pub option: Option<String>,
    /// What was said with the answer.
    pub note: Option<String>,
}
