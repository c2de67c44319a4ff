//! What can be asked, what happens, and why something is refused.

use super::MAX_DEADLINE;
use orchestrator_protocol::{ApprovalState, Timestamp, Verdict};
use serde::{Deserialize, Serialize};

/// Yes or no, and to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Yes or no.
    pub verdict: Verdict,
    /// Which option is approved, where there are any.
    pub option: Option<String>,
}

impl Answer {
    /// How an approval stands with this answer.
    #[must_use]
    pub fn state(&self) -> ApprovalState {
        match self.verdict {
            Verdict::Approve => ApprovalState::Approved,
            Verdict::Deny => ApprovalState::Denied,
        }
    }
}

/// A question that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What sort of decision, a word.
    pub kind: String,
    /// What it is about.
    pub subject: Option<String>,
    /// The question.
    pub question: String,
    /// What can be approved; empty where it is yes or no.
    pub options: Vec<String>,
    /// Who asks: an agent's id, or another label.
    pub asked_by: String,
    /// It ends by itself after so many seconds.
    pub deadline_seconds: Option<u64>,
    /// The answer then; without one it expires.
    pub default: Option<Answer>,
    /// The same key from the same asker is the same question.
    pub key: Option<String>,
    /// Hash of everything that makes the question what it is, to tell a repetition from a reuse of the key.
    pub digest: String,
}

impl Request {
    /// A question to be answered by yes or no.
    #[must_use]
    pub fn new(kind: impl Into<String>, question: impl Into<String>, asked_by: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            subject: None,
            question: question.into(),
            options: Vec::new(),
            asked_by: asked_by.into(),
            deadline_seconds: None,
            default: None,
            key: None,
            digest: String::new(),
        }
    }
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Put a question.
    Ask(Box<Request>),
    /// Answer it: once, and only the operator.
    Answer {
        /// Which.
        id: u64,
        /// The answer.
        answer: Answer,
        /// What is said with it.
        note: Option<String>,
        /// Whether the operator answers.
        operator: bool,
    },
    /// Its deadline passed. Does nothing when it was answered.
    Expire {
        /// Which.
        id: u64,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Command`")]
pub enum Event {
    /// A question was put.
    Asked { request: Box<Request>, at: i64 },
    /// The operator answered it.
    Answered { id: u64, answer: Answer, note: Option<String>, at: i64 },
    /// Its deadline passed; `answer` is the default, where there is one.
    Expired { id: u64, answer: Option<Answer>, at: i64 },
}

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Never asked, or ended longer ago than is remembered.
    #[error("no approval '{0}' is known: never asked for, or ended longer ago than is kept")]
    Unknown(String),
    /// It ended.
    #[error("{}", over(.approval, *.state, .option.as_deref(), *.by_default, *.at))]
    Over {
        /// The approval.
        approval: String,
        /// How it stands.
        state: ApprovalState,
        /// Which option was approved.
        option: Option<String>,
        /// Whether that was the default answer, at the deadline.
        by_default: bool,
        /// When, in milliseconds since the Unix epoch.
        at: i64,
    },
    /// Somebody else answers.
    #[error("only the operator answers {0}")]
    OperatorOnly(String),
    /// What is approved is no option.
    #[error("'{given}' is no option: {}", offered(.options))]
    NoOption {
        /// What was given.
        given: String,
        /// What there is.
        options: Vec<String>,
    },
    /// It is not said which option is approved.
    #[error("say which option is approved: {}", offered(.0))]
    WhichOption(Vec<String>),
    /// Who denies chooses nothing.
    #[error("a denial takes no option")]
    OptionDenied,
    /// A default answer without a deadline is never taken.
    #[error("a default answer needs a deadline")]
    DefaultWithoutDeadline,
    /// A deadline outside 1 s to 31 days.
    #[error("a deadline is 1 to {MAX_DEADLINE} seconds, not {0}")]
    Deadline(u64),
    /// The same key came before with another question.
    #[error("the idempotency key '{0}' was used for another question")]
    KeyReused(String),
    /// Too many are pending.
    #[error("{0} approvals are pending, which is the limit")]
    Full(usize),
}

fn offered(options: &[String]) -> String {
    match options {
        [] => "it is yes or no".to_owned(),
        options => format!("there are '{}'", options.join("', '")),
    }
}

fn over(approval: &str, state: ApprovalState, option: Option<&str>, by_default: bool, at: i64) -> String {
    let option = option.map(|option| format!(" ('{option}')")).unwrap_or_default();
    let by = match (state, by_default) {
        (ApprovalState::Expired, _) => "",
        (_, true) => " by default, when its deadline passed",
        (_, false) => " by the operator",
    };
    format!("{approval} is {}{option}{by} since {} and cannot be answered again", state.as_str(), Timestamp(at))
}
