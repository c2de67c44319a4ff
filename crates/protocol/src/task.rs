//! Tasks: work that one agent takes at a time.

use crate::{AgentId, Json, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// Nobody works on it.
    Open,
    /// One agent does.
    Claimed,
    /// It has a result.
    Done,
    /// The agent that had claimed it could not do it.
    Failed,
    /// Nobody is to do it any more.
    Cancelled,
    /// Its deadline passed.
    Expired,
}

impl TaskState {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 6] = [Self::Open, Self::Claimed, Self::Done, Self::Failed, Self::Cancelled, Self::Expired];

    /// As on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Claimed => "claimed",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing can happen to it any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Open | Self::Claimed)
    }
}

/// A task held by an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskClaim {
    /// Who works on it.
    pub agent_id: AgentId,
    /// The fencing token: every later claim of anything has a larger one.
    pub token: u64,
    /// Since when.
    pub since: Timestamp,
}

/// How far a task is, as its holder said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskProgress {
    /// 0 to 100.
    #[schema(maximum = 100)]
    pub percent: Option<u8>,
    /// In words.
    pub note: Option<String>,
    /// When it was said.
    pub at: Timestamp,
}

/// One step of a task's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskStep {
    /// The event's number.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who did it, as the log names it.
    pub by: String,
    /// `created`, `assigned`, `unassigned`, `claimed`, `progress`, `given_back`, `done`, `failed`, `cancelled` or
    /// `expired`.
    pub event: String,
    /// The agent that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The claim that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// 0 to 100 (`progress` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// In words (`progress` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// `task-` and the number of the event that made it.
    pub task_id: String,
    /// What it is, in a line.
    pub title: String,
    /// What is to be done; null in lists, and once it was erased.
    pub description: Option<String>,
    /// What sort of task, a word.
    pub kind: String,
    /// Higher is more urgent.
    pub priority: i32,
    /// What whoever takes it must be able to do.
    pub capabilities: Vec<String>,
    /// Files, folders and patterns that it will change.
    pub paths: Vec<String>,
    /// Named parts of files that it will change, `PATH::NAME`.
    pub entities: Vec<String>,
    /// Tasks that it builds upon.
    pub depends_on: Vec<String>,
    /// When it expires, as a label: the server counts on its monotonic clock, and a restart grants the full term.
    pub deadline: Option<Timestamp>,
    /// Who asked for it.
    pub created_by: String,
    /// The agent that is to do it, when one was named: nobody else may claim it.
    pub assigned_to: Option<AgentId>,
    /// How it stands.
    pub state: TaskState,
    /// Why it stands so.
    pub reason: Option<String>,
    /// Who works on it.
    pub claim: Option<TaskClaim>,
    /// How far it is.
    pub progress: Option<TaskProgress>,
    /// Who brought its result.
    pub finished_by: Option<AgentId>,
    /// What came of it, or why not; null in lists, while there is none, and once it was erased.
    pub result: Option<Json>,
    /// How often it was claimed.
    pub claims: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
    /// Its life, oldest first: the creation and the newest 100 steps; only in `GET /tasks/{id}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<TaskStep>,
}

/// `POST /tasks`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskRequest {
    /// What it is, in a line of at most 200 characters.
    #[serde(default)]
    pub title: String,
    /// What is to be done, at most 64 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What sort of task, a word; `task` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Higher is more urgent; 0 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::signed")]
    pub priority: Option<i32>,
    /// What whoever takes it must be able to do.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::words")]
    pub capabilities: Option<Vec<String>>,
    /// Files, folders and patterns that it will change.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::words")]
    pub paths: Option<Vec<String>>,
    /// Named parts of files that it will change, `PATH::NAME`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::words")]
    pub entities: Option<Vec<String>>,
    /// Tasks that it builds upon, such as `task-42`.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::words")]
    pub depends_on: Option<Vec<String>>,
    /// It expires after so many seconds, at most 31 days; never when left out.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::integer")]
    #[schema(minimum = 1, maximum = 2_678_400)]
    pub deadline_seconds: Option<u64>,
    /// The agent that is to do it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// Who asks for it: an agent is told what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// The same key from the same asker is the same task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// `POST /tasks/{id}/claim`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskClaimRequest {
    /// Who takes it.
    #[serde(default)]
    pub agent_id: String,
}

/// `POST /tasks/{id}/assign`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskAssignRequest {
    /// The agent that is to do it; anyone who can when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
}

/// `POST /tasks/{id}/progress`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskProgressRequest {
    /// The fencing token of the claim.
    #[serde(default, deserialize_with = "lenient::integer")]
    #[schema(value_type = u64)]
    pub token: Option<u64>,
    /// Who reports; must hold the task when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::integer")]
    #[schema(maximum = 100)]
    pub percent: Option<u64>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// `POST /tasks/{id}/result`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskResultRequest {
    /// The fencing token of the claim.
    #[serde(default, deserialize_with = "lenient::integer")]
    #[schema(value_type = u64)]
    pub token: Option<u64>,
    /// Who reports; must hold the task when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// `done` or `failed`; `done` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<TaskState>,
    /// What came of it, or why not: any JSON value of at most 256 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
}

/// `POST /tasks/{id}/release`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskReleaseRequest {
    /// The fencing token of the claim; the operator may leave it out to take the task away.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "lenient::integer")]
    pub token: Option<u64>,
    /// Who gives it back; must hold the task when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `POST /tasks/{id}/cancel`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TaskCancelRequest {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer of every route of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskAnswer {
    /// `success`.
    pub status: String,
    /// The task as it stood right after what was asked.
    pub task: Task,
    /// Now.
    pub timestamp: Timestamp,
}

/// `GET /tasks`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskList {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub tasks: Vec<Task>,
    /// How many match, on all pages.
    pub total: usize,
    /// Give this as `after` for the next page; null when this is the last.
    pub next: Option<u64>,
    /// Now.
    pub timestamp: Timestamp,
}

/// `task_update`: a task went a step on. What a step does not tell is left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TaskPush {
    /// Which.
    pub task_id: String,
    /// The step, as in a task's history.
    pub event: &'static str,
    /// How it stands now.
    pub state: TaskState,
    /// What it is, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What sort of task, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How urgent it is, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// What it needs, when it is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// The agent that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The claim that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<u64>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Payload of the message that hands a task to the agent that is to do it; its `type` is `task`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are those of `Task`")]
pub struct TaskMessage {
    pub task_id: String,
    pub title: String,
    pub description: Option<String>,
    pub kind: String,
    pub priority: i32,
    pub capabilities: Vec<String>,
    pub paths: Vec<String>,
    pub entities: Vec<String>,
    pub depends_on: Vec<String>,
    pub deadline: Option<Timestamp>,
    pub created_by: String,
}

/// Payload of the message that tells an agent what became of tasks; its `type` is `event`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskNews {
    /// `task_done`, `task_failed`, `task_cancelled`, `task_expired` or `task_taken`: it is no longer the receiver's.
    pub event: String,
    /// Which tasks.
    pub task_ids: Vec<String>,
    /// What the task is, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Who brought the result, or held the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What came of it, or why not (`task_done` and `task_failed`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Json>,
}
