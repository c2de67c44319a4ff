//! What can be asked of tasks, and what happens then.

use super::Cause;
use orchestrator_protocol::{AgentId, TaskState};
use serde::{Deserialize, Serialize};

/// A task that is asked for. Its description is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What it is, in a line.
    pub title: String,
    /// What sort of task, a word.
    pub kind: String,
    /// Higher is more urgent.
    pub priority: i32,
    /// What whoever takes it must be able to do.
    pub capabilities: Vec<String>,
    /// Files, folders and patterns that it will change, relative to the project.
    pub paths: Vec<String>,
    /// Named parts of files that it will change, `PATH::NAME`.
    pub entities: Vec<String>,
    /// Tasks that it builds upon, by number.
    pub depends_on: Vec<u64>,
    /// It expires after so many seconds.
    pub deadline_seconds: Option<u64>,
    /// Who asks for it: an agent's id, or another label.
    pub created_by: String,
    /// The agent that is to do it: nobody else may claim it.
    pub assigned_to: Option<AgentId>,
    /// The same key from the same asker is the same task.
    pub key: Option<String>,
    /// Hash of everything that makes the task what it is, to tell a repetition from a reuse of the key.
    pub digest: String,
}

impl Request {
    /// A task with nothing but its title, for anyone.
    #[must_use]
    pub fn new(title: impl Into<String>, created_by: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            kind: "task".to_owned(),
            priority: 0,
            capabilities: Vec::new(),
            paths: Vec::new(),
            entities: Vec::new(),
            depends_on: Vec::new(),
            deadline_seconds: None,
            created_by: created_by.into(),
            assigned_to: None,
            key: None,
            digest: String::new(),
        }
    }
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make a task.
    Create(Box<Request>),
    /// Name the agent that is to do it, or nobody. The same again hands it over again.
    Assign {
        /// Which.
        id: u64,
        /// Who.
        agent: Option<AgentId>,
    },
    /// Take it. Who holds it already keeps claim and token.
    Claim {
        /// Which.
        id: u64,
        /// Who takes it.
        agent: AgentId,
        /// What the agent can do.
        capabilities: Vec<String>,
    },
    /// Say how far it is.
    Report {
        /// Which.
        id: u64,
        /// The token of the claim.
        token: u64,
        /// Who reports, where that is known.
        agent: Option<AgentId>,
        /// 0 to 100.
        percent: Option<u8>,
        /// In words.
        note: Option<String>,
    },
    /// Bring its result. The same again is no error.
    Finish {
        /// Which.
        id: u64,
        /// The token of the claim.
        token: u64,
        /// Who reports, where that is known.
        agent: Option<AgentId>,
        /// Whether it could not be done.
        failed: bool,
        /// Hash of the result, to tell a repetition from another result.
        digest: String,
    },
    /// Give it back. The same again is no error.
    Release {
        /// Which.
        id: u64,
        /// The token of the claim; the operator needs none.
        token: Option<u64>,
        /// Who gives it back, where that is known.
        agent: Option<AgentId>,
        /// Whether the operator asks.
        operator: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Nobody is to do it any more. Twice is no error.
    Cancel {
        /// Which.
        id: u64,
        /// Why.
        reason: Option<String>,
    },
    /// Its deadline passed. Does nothing when it is over.
    Expire {
        /// Which.
        id: u64,
    },
    /// A holder was silent for the term. Does nothing when it was heard of meanwhile.
    HolderGone {
        /// Who.
        agent: AgentId,
        /// The number of the event with which it fell silent.
        since: u64,
    },
    /// An agent leaves: what it holds or was to do is anyone's.
    HolderLeft {
        /// Who.
        agent: AgentId,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Command`")]
pub enum Event {
    /// A task was made.
    Created { request: Box<Request>, at: i64 },
    /// An agent is to do it, or anyone.
    Assigned { id: u64, agent: Option<AgentId>, at: i64 },
    /// An agent took it; the event's number is the token.
    Claimed { id: u64, agent: AgentId, at: i64 },
    /// Its holder said how far it is.
    Progressed { id: u64, agent: AgentId, token: u64, percent: Option<u8>, note: Option<String>, at: i64 },
    /// It has a result, whose content is the record's payload. `state` is done or failed.
    Finished { id: u64, agent: AgentId, token: u64, state: TaskState, digest: String, at: i64 },
    /// A claim ended without a result.
    GivenBack { id: u64, agent: AgentId, token: u64, cause: Cause, reason: Option<String>, at: i64 },
    /// Nobody is to do it any more.
    Cancelled { id: u64, reason: Option<String>, at: i64 },
    /// Its deadline passed.
    Expired { id: u64, at: i64 },
}

impl Event {
    /// Which task it is of; nothing for the one that makes it.
    #[must_use]
    pub fn task(&self) -> Option<u64> {
        match self {
            Self::Created { .. } => None,
            Self::Assigned { id, .. }
            | Self::Claimed { id, .. }
            | Self::Progressed { id, .. }
            | Self::Finished { id, .. }
            | Self::GivenBack { id, .. }
            | Self::Cancelled { id, .. }
            | Self::Expired { id, .. } => Some(*id),
        }
    }

    /// When, in milliseconds since the Unix epoch: a label.
    #[must_use]
    pub fn at(&self) -> i64 {
        match self {
            Self::Created { at, .. }
            | Self::Assigned { at, .. }
            | Self::Claimed { at, .. }
            | Self::Progressed { at, .. }
            | Self::Finished { at, .. }
            | Self::GivenBack { at, .. }
            | Self::Cancelled { at, .. }
            | Self::Expired { at, .. } => *at,
        }
    }
}
