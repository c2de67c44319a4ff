//! An agent leaves: its edits are no longer in work, conflicts with them are withdrawn, and its tasks are anyone's.

use crate::{Error, Event, State};
use orchestrator_conflict::Command;
use orchestrator_protocol::AgentId;
use orchestrator_workflow::task;

pub(crate) fn edits_are_withdrawn(state: &State, agent: &AgentId, at: i64) -> Result<Vec<Event>, Error> {
    let withdrawn = state.conflict.decide(&Command::Withdraw { agent: agent.clone() }, at)?;
    Ok(withdrawn.into_iter().map(Event::Conflict).collect())
}

pub(crate) fn tasks_are_free(state: &State, agent: &AgentId, at: i64) -> Result<Vec<Event>, Error> {
    let free = state.tasks.decide(&task::Command::HolderLeft { agent: agent.clone() }, at)?;
    Ok(free.into_iter().map(Event::Task).collect())
}
