//! Tasks: what the rules of [`orchestrator_workflow::task`] need of the other parts, and who is told.
//!
//! A task's description is the payload of the record that makes it, its result that of the record that ends it; the
//! state holds neither. Where an agent is to be told, the same record holds a message to it, and the payload is the message's
//! ([`letters`]): handing a task over is as durable as the task, and reaches sockets, inboxes and the bus the way
//! every message does.

mod ask;
mod history;
mod letters;
mod view;

pub use ask::{TaskFilter, TaskPage};
pub(crate) use letters::{body, digest, letter};
pub(crate) use view::push;

use crate::{Error, Event, State};
use orchestrator_protocol::{AgentId, AgentStatus, ErrorCode, Json, Task};
use orchestrator_registry as registry;
use orchestrator_workflow::task::{Command, Event as Happened, Request};
use std::borrow::Cow;

/// What can be asked of tasks, with what the state does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskCommand {
    /// What is asked.
    pub command: Command,
    /// The description, where a task is made or handed over.
    pub description: Option<String>,
    /// What came of it, where a task ends.
    pub result: Option<Json>,
}

impl From<Command> for TaskCommand {
    fn from(command: Command) -> Self {
        Self { command, description: None, result: None }
    }
}

impl TaskCommand {
    /// Brings a task's result, or why it could not be done, with the token of its claim.
    #[must_use]
    pub fn finish((id, token): (u64, u64), agent: Option<AgentId>, failed: bool, result: Option<Json>) -> Self {
        let command = Command::Finish { id, token, agent, failed, digest: digest(&result) };
        Self { command, description: None, result }
    }
}

/// Which events follow from a command.
pub(crate) fn decide(state: &State, task: &TaskCommand, at: i64) -> Result<Vec<Event>, Error> {
    let own = state.tasks.decide(&*resolved(state, &task.command)?, at)?;
    let told = letters::of(state, &own, at)?;
    Ok(own.into_iter().map(Event::Task).chain(told.into_iter().map(Event::Mailbox)).collect())
}

/// The command with agents as they are registered.
fn resolved<'c>(state: &State, command: &'c Command) -> Result<Cow<'c, Command>, Error> {
    let registered = |id: &AgentId| {
        state.registry.agent(id).ok_or_else(|| Error::from(registry::Error::UnknownAgent(id.to_string())))
    };
    Ok(Cow::Owned(match command {
        Command::Create(request) => {
            let key = request.key.as_ref();
            let is_known = key.is_some_and(|key| state.tasks.asked_with(&request.created_by, key).is_some());
            let assigned_to = match &request.assigned_to {
                // What is asked again was checked when it was asked first.
                Some(agent) if !is_known => Some(registered(agent)?.id.clone()),
                other => other.clone(),
            };
            Command::Create(Request { assigned_to, ..Request::clone(request) }.into())
        }
        Command::Assign { id, agent: Some(agent) } => {
            Command::Assign { id: *id, agent: Some(registered(agent)?.id.clone()) }
        }
        Command::Claim { id, agent, .. } => {
            let agent = registered(agent)?;
            // One that fell silent is back with this call; one that says so of itself has to take it back.
            if agent.status == AgentStatus::Offline && agent.silenced.is_none() {
                let detail = format!("'{}' says that it is offline", agent.id);
                let hint = "say that it is back first: POST /api/orchestration/agents/{id}/status";
                return Err(Error::invalid(ErrorCode::AgentOffline, detail, hint));
            }
            Command::Claim { id: *id, agent: agent.id.clone(), capabilities: agent.capabilities.clone() }
        }
        _ => return Ok(Cow::Borrowed(command)),
    }))
}

/// The task that a caller asked about, as it stands now; `seq` is the number of the first event that followed.
pub(crate) fn reply(state: &State, task: &TaskCommand, seq: u64) -> Option<Task> {
    let id = match &task.command {
        Command::Create(request) => {
            let known = request.key.as_ref().and_then(|key| state.tasks.asked_with(&request.created_by, key));
            known.unwrap_or(seq)
        }
        Command::Assign { id, .. }
        | Command::Claim { id, .. }
        | Command::Report { id, .. }
        | Command::Finish { id, .. }
        | Command::Release { id, .. }
        | Command::Cancel { id, .. }
        | Command::Expire { id } => *id,
        Command::HolderGone { .. } | Command::HolderLeft { .. } => return None,
    };
    state.tasks.get(id).map(view::view)
}

/// The first event of a record that is a task's.
fn first(events: &[Event]) -> Option<&Happened> {
    events.iter().find_map(|event| match event {
        Event::Task(event) => Some(event),
        _ => None,
    })
}
