//! Why a command was refused.

use super::{Fallen, MAX_DEADLINE, MOST_DEPENDENCIES};
use orchestrator_protocol::AgentId;

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Never made, or ended longer ago than is remembered.
    #[error("no task '{0}' is known: never made, or ended longer ago than is kept")]
    Unknown(String),
    /// It ended.
    #[error("{task} is {state}{} and cannot be changed any more", finisher(.by.as_ref()))]
    Over {
        /// The task.
        task: String,
        /// How it stands.
        state: &'static str,
        /// Who brought its result.
        by: Option<AgentId>,
    },
    /// Another agent works on it.
    #[error("{task} is claimed by '{held_by}'")]
    Claimed {
        /// The task.
        task: String,
        /// Who.
        held_by: AgentId,
        /// Since when, in milliseconds since the Unix epoch.
        since: i64,
    },
    /// Another agent is to do it.
    #[error("{task} is assigned to '{to}'")]
    Assigned {
        /// The task.
        task: String,
        /// Who.
        to: AgentId,
    },
    /// The agent cannot do what it needs.
    #[error("{task} needs '{capability}', which '{agent}' does not have")]
    Incapable {
        /// The task.
        task: String,
        /// What it needs.
        capability: String,
        /// Who cannot.
        agent: AgentId,
    },
    /// The token is not that of the claim that stands, or not of this agent's.
    #[error("token {given} does not hold {task}: {}", stale(*.given, .fallen.as_ref(), .held_by.as_ref()))]
    Stale {
        /// The task.
        task: String,
        /// What came.
        given: u64,
        /// The newest claim that ended.
        fallen: Option<Fallen>,
        /// Who holds it now.
        held_by: Option<AgentId>,
        /// Since when, in milliseconds since the Unix epoch.
        since: Option<i64>,
    },
    /// Nobody but the operator takes a task away.
    #[error("only the operator gives {0} back without its token")]
    OperatorOnly(String),
    /// The same key came before with another task.
    #[error("the idempotency key '{0}' was used for another task")]
    KeyReused(String),
    /// A deadline outside 1 s to 31 days.
    #[error("a deadline is 1 to {MAX_DEADLINE} seconds, not {0}")]
    Deadline(u64),
    /// Too many dependencies.
    #[error("a task depends on at most {MOST_DEPENDENCIES} others, not {0}")]
    Dependencies(usize),
    /// More than 100 percent.
    #[error("'percent' is 0 to 100, not {0}")]
    Percent(u8),
    /// Too many are open.
    #[error("{0} tasks are open, which is the limit")]
    Full(usize),
}

fn finisher(agent: Option<&AgentId>) -> String {
    agent.map(|agent| format!(" by '{agent}'")).unwrap_or_default()
}

/// Why a token does not hold, for people.
fn stale(given: u64, fallen: Option<&Fallen>, held_by: Option<&AgentId>) -> String {
    let lost = fallen.filter(|fallen| fallen.token == given);
    let lost = lost.map(|fallen| format!("the claim of '{}' ended, {}; ", fallen.agent, fallen.cause.text()));
    let now = held_by.map_or_else(|| "nobody holds it now".to_owned(), |agent| format!("'{agent}' holds it now"));
    lost.unwrap_or_default() + &now
}
