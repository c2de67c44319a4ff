//! Asking for tasks, working on them, and looking at them.

use super::view::view;
use super::{TaskCommand, digest};
use crate::{Actor, Command, Error, Orchestrator, Reply};
use orchestrator_protocol::{AgentId, Json, Task, TaskState};
use orchestrator_registry as registry;
use orchestrator_workflow::task;

/// Which tasks are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only those in one of these states; all when empty.
    pub states: Vec<TaskState>,
    /// Only those that this agent holds, is to do, or ended.
    pub agent: Option<AgentId>,
    /// Only those that need this capability.
    pub capability: Option<String>,
    /// Only those that this agent could claim now.
    pub claimable_by: Option<AgentId>,
    /// Only those with a higher number.
    pub after: u64,
    /// At most so many; 0 for all.
    pub limit: usize,
}

/// Some of the tasks that match.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskPage {
    /// Oldest first.
    pub tasks: Vec<Task>,
    /// How many match, `after` apart.
    pub total: usize,
    /// The number to go on after; nothing at the end.
    pub next: Option<u64>,
}

impl Orchestrator {
    /// Makes a task. The same key from the same asker is the same task.
    ///
    /// # Errors
    /// It is refused by the rules, an agent is not registered, or nothing can be recorded.
    pub async fn create_task(
        &self,
        actor: Actor,
        mut request: task::Request,
        description: Option<String>,
    ) -> Result<Task, Error> {
        let key = request.key.take();
        request.digest = String::new();
        request.digest = digest(&(&request, &description));
        request.key = key;
        let command = TaskCommand { command: task::Command::Create(request.into()), description, result: None };
        self.change_task(actor, command).await
    }

    /// Names the agent that is to do a task, or nobody. The task is handed over by a message.
    ///
    /// # Errors
    /// It is refused by the rules, the agent is not registered, or nothing can be recorded.
    pub async fn assign_task(&self, actor: Actor, id: u64, agent: Option<AgentId>) -> Result<Task, Error> {
        let description = self.task_description(id).await?;
        let command = TaskCommand { command: task::Command::Assign { id, agent }, description, result: None };
        self.change_task(actor, command).await
    }

    /// Brings a task's result, or why it could not be done, with the token of its claim. The same again is no error.
    ///
    /// # Errors
    /// The token does not hold it, it is over, or nothing can be recorded.
    pub async fn finish_task(
        &self,
        actor: Actor,
        (id, token): (u64, u64),
        agent: Option<AgentId>,
        failed: bool,
        result: Option<Json>,
    ) -> Result<Task, Error> {
        self.change_task(actor, TaskCommand::finish((id, token), agent, failed, result)).await
    }

    /// Changes a task; answers with it as it stood right after.
    ///
    /// # Errors
    /// It is refused by the rules, or nothing can be recorded.
    pub async fn change_task(&self, actor: Actor, command: TaskCommand) -> Result<Task, Error> {
        let Reply::Task(task) = self.submit(actor, Command::Task(command)).await? else {
            return Err(Error::Internal("a task was answered by something else".to_owned()));
        };
        let id = task.task_id.strip_prefix("task-").and_then(|digits| digits.parse().ok()).unwrap_or_default();
        let result = self.read(|state| result_of(state.tasks.get(id)?)).await?;
        self.described(*task, id, result).await
    }

    /// A task with its history.
    ///
    /// # Errors
    /// [`task::Error::Unknown`] when it was never made or is older than what is kept.
    pub async fn task(&self, id: u64) -> Result<Task, Error> {
        let known = |task: &task::Task| {
            let steps: Vec<u64> = std::iter::once(id).chain(task.steps.iter().copied()).collect();
            (view(task), result_of(task), steps)
        };
        let found = self.read(|state| state.tasks.get(id).map(known)).await?;
        let (view, result, steps) = found.ok_or_else(|| task::Error::Unknown(task::name(id)))?;
        let mut view = self.described(view, id, result).await?;
        view.history = self.task_steps(id, steps).await?;
        Ok(view)
    }

    /// Tasks that match, a page of them, without descriptions and results.
    ///
    /// # Errors
    /// `claimable_by` names nobody who is registered.
    pub async fn tasks(&self, filter: &TaskFilter) -> Result<TaskPage, Error> {
        self.read(|state| {
            let asker = filter
                .claimable_by
                .as_ref()
                .map(|id| state.registry.agent(id).ok_or_else(|| registry::Error::UnknownAgent(id.to_string())));
            let asker = asker.transpose()?;
            let needs = |task: &task::Task, capability: &String| {
                task.request.capabilities.iter().any(|needed| needed.eq_ignore_ascii_case(capability))
            };
            let matches = |task: &&task::Task| {
                (filter.states.is_empty() || filter.states.contains(&task.state))
                    && filter.agent.as_ref().is_none_or(|agent| task.concerns(agent))
                    && filter.capability.as_ref().is_none_or(|capability| needs(task, capability))
                    && asker.is_none_or(|agent| task.is_free_for(&agent.id, &agent.capabilities))
            };
            let matching: Vec<&task::Task> = state.tasks.all().filter(matches).collect();
            let limit = if filter.limit == 0 { usize::MAX } else { filter.limit };
            let rest = matching.partition_point(|task| task.id <= filter.after);
            let mut page = matching.get(rest..).unwrap_or_default().iter();
            let shown: Vec<&task::Task> = page.by_ref().take(limit).copied().collect();
            let next = page.next().and(shown.last()).map(|task| task.id);
            Ok(TaskPage { tasks: shown.into_iter().map(view).collect(), total: matching.len(), next })
        })
        .await?
    }
}

/// The number of the record that holds a task's result.
fn result_of(task: &task::Task) -> Option<u64> {
    task.finished.as_ref().map(|finished| finished.seq)
}
