//! Tasks that are handed over as files: taking the file claims the task, and its result is the task's.

use super::Error;
use super::folders::OFFICE;
use super::hall::Hall;
use orchestrator::{Actor, Command, Reply, TaskCommand};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{AgentId, ErrorBody, Json, Message, ORCHESTRATOR, TaskMessage};
use orchestrator_workflow::task;
use serde_json::{Value, json};

/// The task that a message of the server's hands over.
pub(crate) fn handed_over(message: &Message) -> Option<u64> {
    let is_task = message.kind == "task" && message.from == ORCHESTRATOR;
    let payload = message.payload.as_ref().filter(|_| is_task)?;
    let task: TaskMessage = serde_json::from_str(payload.as_str()).ok()?;
    task.task_id.strip_prefix("task-")?.parse().ok()
}

/// An agent took a message's file. Where that hands a task over, the task is its own; where it cannot be, the agent
/// learns why when it brings the result.
pub(crate) async fn take(hall: &Hall, agent: &AgentId, message: u64) -> Result<(), Error> {
    use orchestrator::Error as E;
    let task = match hall.orchestrator.message(message).await {
        Ok(sent) => handed_over(&sent),
        Err(E::Mailbox(mailbox::Error::Unknown(_))) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(id) = task
        && let Err(refusal) = claim(hall, agent, id).await?
    {
        tracing::debug!(code = ?refusal.code, %agent, id, "a task was not claimed with its file");
    }
    Ok(())
}

/// The token with which an agent holds a task.
async fn claim(hall: &Hall, agent: &AgentId, id: u64) -> Result<Result<u64, ErrorBody>, Error> {
    let command = task::Command::Claim { id, agent: agent.clone(), capabilities: Vec::new() };
    Ok(match hall.submit(Actor::Agent(agent.clone()), Command::Task(command.into())).await? {
        Ok(Reply::Task(task)) => Ok(task.claim.map_or(0, |claim| claim.token)),
        Ok(_) => Ok(0),
        Err(error) => Err(error.body()),
    })
}

/// An agent brought the result of a message that hands a task over. What cannot be taken is told to it, once. False when
/// that must be tried again.
pub(crate) async fn finish(
    hall: &Hall,
    agent: &AgentId,
    (id, message): (u64, u64),
    (ok, result): (bool, Value),
) -> Result<bool, Error> {
    let is_done = |state: &orchestrator::State| {
        let finished = state.tasks.get(id).and_then(|task| task.finished.as_ref());
        finished.is_some_and(|finished| finished.agent.key() == agent.key())
    };
    if hall.orchestrator.read(is_done).await? {
        return Ok(true);
    }
    // Who holds it needs no claim, and may have said that it is off by now.
    let held = hall.orchestrator.read(|state| {
        let claim = state.tasks.get(id)?.claim.as_ref()?;
        (claim.agent.key() == agent.key()).then_some(claim.token)
    });
    let token = match held.await? {
        Some(token) => Ok(token),
        None => claim(hall, agent, id).await?,
    };
    let refusal = match token {
        Err(refusal) => refusal,
        Ok(token) => {
            let command = TaskCommand::finish((id, token), Some(agent.clone()), !ok, Some(Json::from(result)));
            match hall.submit(Actor::Agent(agent.clone()), Command::Task(command)).await? {
                Ok(_) => return Ok(true),
                Err(error) => error.body(),
            }
        }
    };
    let payload = json!({
        "event": "task_refused", "task_ids": [task::name(id)], "code": refusal.code, "reason": refusal.detail,
        "hint": refusal.hint,
    });
    hall.tell(OFFICE, agent.as_str(), payload, message, format!("bus:task:{message}")).await
}
