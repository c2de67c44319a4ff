//! Whom an event of a task is told by a message, and the payload of that record.

use super::{TaskCommand, first};
use crate::{Error, Event, State};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{AgentId, Json, ORCHESTRATOR, TaskMessage, TaskNews, TaskState};
use orchestrator_workflow::task::{Cause, Event as Happened, Task, name};

/// The `type` of the message that hands a task over.
const TASK: &str = "task";
/// The `type` of messages that tell what became of something.
const EVENT: &str = "event";

/// The messages that go with events. A task that cannot be handed over, because its agent's mailbox is full, is refused;
/// news that cannot be told are not.
pub(super) fn of(state: &State, events: &[Happened], at: i64) -> Result<Vec<mailbox::Event>, Error> {
    let mut letters = Vec::new();
    for event in events {
        let task = event.task().and_then(|id| state.tasks.get(id));
        match event {
            Happened::Created { request, .. } => {
                if let Some(agent) = &request.assigned_to {
                    letters.extend(letter(state, agent, TASK, at)?);
                }
            }
            Happened::Assigned { agent: Some(agent), .. } => letters.extend(letter(state, agent, TASK, at)?),
            Happened::Finished { agent, .. } => {
                news(state, task.and_then(creator).filter(|creator| creator.key() != agent.key()), at, &mut letters);
            }
            Happened::GivenBack { agent, cause: Cause::Offline | Cause::Taken, .. } => {
                news(state, Some(agent.clone()), at, &mut letters);
            }
            Happened::Cancelled { .. } => news(state, task.and_then(doer), at, &mut letters),
            Happened::Expired { .. } => {
                news(state, task.and_then(doer), at, &mut letters);
                news(state, task.and_then(creator), at, &mut letters);
            }
            Happened::Assigned { agent: None, .. }
            | Happened::Claimed { .. }
            | Happened::Progressed { .. }
            | Happened::GivenBack { .. } => {}
        }
    }
    Ok(letters)
}

/// Who works on a task, or is to.
fn doer(task: &Task) -> Option<AgentId> {
    task.claim.as_ref().map(|claim| &claim.agent).or(task.assigned_to.as_ref()).cloned()
}

/// Who asked for a task, where that may be an agent.
fn creator(task: &Task) -> Option<AgentId> {
    task.request.created_by.parse().ok()
}

/// Tells an agent, once a record and where there is room.
fn news(state: &State, agent: Option<AgentId>, at: i64, letters: &mut Vec<mailbox::Event>) {
    let Some(agent) = agent else { return };
    let is_told = |letter: &mailbox::Event| match letter {
        mailbox::Event::Sent { recipients, .. } => recipients.iter().any(|told| told.key() == agent.key()),
        _ => false,
    };
    if !letters.iter().any(is_told) {
        letters.extend(letter(state, &agent, EVENT, at).unwrap_or_default());
    }
}

/// A message of the server's own to an agent; none where it was never registered.
pub(crate) fn letter(state: &State, agent: &AgentId, kind: &str, at: i64) -> Result<Vec<mailbox::Event>, Error> {
    let Some(agent) = state.registry.ever(agent) else { return Ok(Vec::new()) };
    let send = mailbox::Command::Send {
        from: ORCHESTRATOR.to_owned(),
        to: agent.to_string(),
        recipients: vec![agent.clone()],
        kind: kind.to_owned(),
        in_reply_to: None,
        key: None,
        digest: String::new(),
    };
    Ok(state.mailbox.decide(&send, at)?)
}

/// The payload of a record of tasks: what its message says, and what the state does not hold. The state has taken the
/// events in.
pub(crate) fn body(state: &State, command: &TaskCommand, events: &[Event]) -> Option<Json> {
    let event = first(events)?;
    let is_told = events.iter().any(|event| matches!(event, Event::Mailbox(_)));
    match event {
        Happened::Created { .. } => {
            // The newest task is the one that was made.
            let task = state.tasks.all().next_back()?;
            json(&message(task, command.description.clone()))
        }
        Happened::Assigned { id, .. } if is_told => json(&message(state.tasks.get(*id)?, command.description.clone())),
        Happened::Finished { id, agent, state: ended, .. } => {
            let (agent_id, result) = (Some(agent.clone()), command.result.clone());
            let event = if *ended == TaskState::Done { "task_done" } else { "task_failed" };
            json(&TaskNews { agent_id, result, ..about(state, event, &[*id]) })
        }
        Happened::GivenBack { agent, cause, .. } if is_told => {
            let ids: Vec<u64> = events.iter().filter_map(|event| first(std::slice::from_ref(event))?.task()).collect();
            let (agent_id, reason) = (Some(agent.clone()), Some(cause.text().to_owned()));
            json(&TaskNews { agent_id, reason, ..about(state, "task_taken", &ids) })
        }
        Happened::Cancelled { id, reason, .. } if is_told => {
            json(&TaskNews { reason: reason.clone(), ..about(state, "task_cancelled", &[*id]) })
        }
        Happened::Expired { id, .. } if is_told => json(&about(state, "task_expired", &[*id])),
        _ => None,
    }
}

fn about(state: &State, event: &str, ids: &[u64]) -> TaskNews {
    let title = match ids {
        [id] => state.tasks.get(*id).map(|task| task.request.title.clone()),
        _ => None,
    };
    TaskNews {
        event: event.to_owned(),
        task_ids: ids.iter().map(|id| name(*id)).collect(),
        title,
        agent_id: None,
        reason: None,
        result: None,
    }
}

fn message(task: &Task, description: Option<String>) -> TaskMessage {
    let view = super::view::view(task);
    TaskMessage {
        task_id: view.task_id,
        title: view.title,
        description,
        kind: view.kind,
        priority: view.priority,
        capabilities: view.capabilities,
        paths: view.paths,
        entities: view.entities,
        depends_on: view.depends_on,
        deadline: view.deadline,
        created_by: view.created_by,
    }
}

fn json(value: &impl serde::Serialize) -> Option<Json> {
    // Kept as text: a result's numbers stay as they were written.
    Json::parse(&serde_json::to_string(value).ok()?).ok()
}

/// Tells a repetition from something else under the same key.
pub(crate) fn digest(value: &impl serde::Serialize) -> String {
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    blake3::hash(&bytes).to_hex()[..32].to_owned()
}
