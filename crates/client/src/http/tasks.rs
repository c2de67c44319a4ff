//! Tasks.

use crate::{Client, Error};
use orchestrator_protocol::{
    TaskAnswer, TaskAssignRequest, TaskCancelRequest, TaskClaimRequest, TaskList, TaskProgressRequest,
    TaskReleaseRequest, TaskRequest, TaskResultRequest,
};

/// Which tasks are asked for; what is left out restricts nothing.
#[derive(Debug, Clone, Default)]
pub struct TasksQuery {
    /// One state, or several separated by commas.
    pub state: Option<String>,
    /// Those that this agent holds, is to do, or ended.
    pub agent: Option<String>,
    /// Those that need this capability.
    pub capability: Option<String>,
    /// Those that this agent could claim now.
    pub claimable_by: Option<String>,
    /// Those after the number that `next` of the last page told.
    pub after: Option<u64>,
    /// At most so many.
    pub limit: Option<u64>,
}

impl Client {
    /// Makes a task.
    ///
    /// # Errors
    /// `unknown_agent`, `unknown_task`, `idempotency_mismatch`, another refusal, or why the server could not be asked.
    pub async fn create_task(&self, request: &TaskRequest) -> Result<TaskAnswer, Error> {
        let call = self.post(&["tasks"])?.body(request);
        // With a key the same task comes of it, however often it is asked for.
        if request.idempotency_key.is_some() { call.repeatable().answer().await } else { call.answer().await }
    }

    /// Tasks that match, oldest first, a page of them.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn tasks(&self, query: &TasksQuery) -> Result<TaskList, Error> {
        let TasksQuery { state, agent, capability, claimable_by, after, limit } = query.clone();
        let pairs = [
            ("state", state),
            ("agent", agent),
            ("capability", capability),
            ("claimable_by", claimable_by),
            ("after", after.map(|number| number.to_string())),
            ("limit", limit.map(|number| number.to_string())),
        ];
        self.get(&["tasks"], &pairs)?.answer().await
    }

    /// One task, with its description, result and history.
    ///
    /// # Errors
    /// `unknown_task`, or why the server could not be asked.
    pub async fn task(&self, id: &str) -> Result<TaskAnswer, Error> {
        self.get(&["tasks", id], &[])?.answer().await
    }

    /// Hands a task to an agent, or opens it to everyone.
    ///
    /// # Errors
    /// `unknown_task`, `unknown_agent`, `task_claimed`, `task_over`, or why the server could not be asked.
    pub async fn assign_task(&self, id: &str, request: &TaskAssignRequest) -> Result<TaskAnswer, Error> {
        self.post(&["tasks", id, "assign"])?.body(request).answer().await
    }

    /// Takes a task. Claiming what one holds changes nothing.
    ///
    /// # Errors
    /// `task_claimed`, whose body says by whom and since when, `task_assigned`, `missing_capability`, `task_over`,
    /// `unknown_task`, `unknown_agent`, or why the server could not be asked.
    pub async fn claim_task(&self, id: &str, agent: &str) -> Result<TaskAnswer, Error> {
        let request = TaskClaimRequest { agent_id: agent.to_owned() };
        self.post(&["tasks", id, "claim"])?.repeatable().body(&request).answer().await
    }

    /// Says how far a task is.
    ///
    /// # Errors
    /// `stale_token`, `task_over`, `unknown_task`, or why the server could not be asked.
    pub async fn report_task(&self, id: &str, request: &TaskProgressRequest) -> Result<TaskAnswer, Error> {
        self.post(&["tasks", id, "progress"])?.repeatable().body(request).answer().await
    }

    /// Brings a task's result. The same again is no error.
    ///
    /// # Errors
    /// `stale_token`, `task_over`, `unknown_task`, or why the server could not be asked.
    pub async fn finish_task(&self, id: &str, request: &TaskResultRequest) -> Result<TaskAnswer, Error> {
        self.post(&["tasks", id, "result"])?.repeatable().body(request).answer().await
    }

    /// Gives a task back.
    ///
    /// # Errors
    /// `stale_token`, `task_over`, `operator_only`, `unknown_task`, or why the server could not be asked.
    pub async fn release_task(&self, id: &str, request: &TaskReleaseRequest) -> Result<TaskAnswer, Error> {
        self.post(&["tasks", id, "release"])?.repeatable().body(request).answer().await
    }

    /// Takes a task back. Twice is no error.
    ///
    /// # Errors
    /// `task_over`, `unknown_task`, or why the server could not be asked.
    pub async fn cancel_task(&self, id: &str, reason: Option<String>) -> Result<TaskAnswer, Error> {
        self.post(&["tasks", id, "cancel"])?.repeatable().body(&TaskCancelRequest { reason }).answer().await
    }
}
