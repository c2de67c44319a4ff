//! An agent leaves: its edits are no longer in work, and conflicts with them are withdrawn.

use crate::{Error, Event, State};
use orchestrator_conflict::Command;
use orchestrator_protocol::AgentId;

pub(crate) fn edits_are_withdrawn(state: &State, agent: &AgentId, at: i64) -> Result<Vec<Event>, Error> {
    let withdrawn = state.conflict.decide(&Command::Withdraw { agent: agent.clone() }, at)?;
    Ok(withdrawn.into_iter().map(Event::Conflict).collect())
}
