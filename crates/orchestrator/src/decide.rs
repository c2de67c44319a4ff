//! From a command to its events: pure, and the only place where the parts meet.

use crate::command::{Command, Outgoing};
use crate::policy;
use crate::{Error, Event, State, approvals, resolving, tasks};
use orchestrator_conflict as conflict;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{Address, AgentId, ORCHESTRATOR};
use orchestrator_registry as registry;

/// Which events follow from a command on this state. `at` is the wall clock's label, in milliseconds.
///
/// # Errors
/// [`Error`] when the command is refused; then nothing follows.
pub fn decide(state: &State, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
    match command {
        Command::Registry(command) => {
            let own = state.registry.decide(command, at)?;
            let broken = policy::lease_broken::with_leases(state, &own, at)?;
            let mut events: Vec<Event> = own.into_iter().map(Event::Registry).chain(broken.clone()).collect();
            if let registry::Command::Unregister { agent } = command {
                // A record may end both with the lease and with the agent.
                let withdrawn = policy::agent_left::edits_are_withdrawn(state, agent, at)?;
                events.extend(withdrawn.into_iter().filter(|event| !broken.contains(event)));
                events.extend(policy::agent_left::tasks_are_free(state, agent, at)?);
            }
            Ok(events)
        }
        Command::Mailbox(command) => wrap(state.mailbox.decide(command, at)?, Event::Mailbox),
        Command::Conflict(command) => decide_conflict(state, command, at),
        Command::Workflow(command) => wrap(state.workflow.decide(command)?, Event::Workflow),
        Command::Task(task) => tasks::decide(state, task, at),
        Command::Approval(command) => approvals::decide(state, command, at),
        Command::Landing(command) => wrap(state.landings.decide(command, at)?, Event::Landing),
        Command::Snapshots(command) => wrap(state.snapshots.decide(command, at), Event::Snapshots),
        Command::RetireResults { kept, term } => wrap(resolving::retire(state, kept, *term, at), Event::Conflict),
        Command::Observed { change, root } => {
            decide_conflict(state, &policy::attribution::attribute(state, change.clone(), root), at)
        }
        Command::Send(outgoing) => {
            let command = to_mailbox(state, outgoing)?;
            wrap(state.mailbox.decide(&command, at)?, Event::Mailbox)
        }
        Command::Notice { name, reason, cure } => {
            Ok(vec![Event::Notice { name: (*name).to_owned(), reason: reason.clone(), cure: (*cure).to_owned() }])
        }
        Command::EraseBody { message } => match state.mailbox.standing(*message) {
            Some(_) => Ok(vec![Event::BodyErased { message: *message }]),
            None => Err(mailbox::Error::Unknown(*message).into()),
        },
        Command::BodyGone { message } => Ok(match state.erasing.contains(message) {
            true => vec![Event::BodyGone { message: *message }],
            false => Vec::new(),
        }),
    }
}

fn decide_conflict(state: &State, command: &conflict::Command, at: i64) -> Result<Vec<Event>, Error> {
    let own = state.conflict.decide(command, at)?;
    let over = policy::lease_broken::with_edits(state, &own, at)?;
    let broken = policy::lease_broken::by_report(state, command, at)?;
    Ok(own.into_iter().map(Event::Conflict).chain(over).chain(broken).collect())
}

#[expect(clippy::unnecessary_wraps, reason = "every arm of decide answers alike")]
fn wrap<E>(events: Vec<E>, kind: fn(E) -> Event) -> Result<Vec<Event>, Error> {
    Ok(events.into_iter().map(kind).collect())
}

/// Resolves the address: whom a message is for follows from who is registered.
fn to_mailbox(state: &State, outgoing: &Outgoing) -> Result<mailbox::Command, Error> {
    let recipients = match &outgoing.to {
        Address::Agent(id) => {
            let known = state.registry.ever(id);
            vec![known.ok_or_else(|| registry::Error::UnknownAgent(id.to_string()))?.clone()]
        }
        Address::Capability(name) => {
            let agent = state.registry.most_free(name).ok_or_else(|| Error::NoCapableAgent(name.clone()))?;
            vec![agent.id.clone()]
        }
        Address::Everyone if outgoing.durable => {
            let is_sender = |id: &AgentId| id.as_str().eq_ignore_ascii_case(&outgoing.from);
            state.registry.agents().map(|agent| agent.id.clone()).filter(|id| !is_sender(id)).collect()
        }
        Address::Everyone | Address::Orchestrator => Vec::new(),
    };
    Ok(mailbox::Command::Send {
        from: sender(state, &outgoing.from),
        to: outgoing.to.to_string(),
        recipients,
        kind: outgoing.kind.clone(),
        in_reply_to: outgoing.in_reply_to,
        key: outgoing.key.clone(),
        digest: digest(outgoing),
    })
}

/// The sender in the spelling first registered.
fn sender(state: &State, from: &str) -> String {
    let known = from.parse::<AgentId>().ok().and_then(|id| state.registry.ever(&id).cloned());
    known.map_or_else(|| from.to_owned(), |id| id.to_string())
}

/// What tells a repetition from another message under the same key.
fn digest(outgoing: &Outgoing) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in [outgoing.to.to_string().as_str(), &outgoing.kind, outgoing.payload.as_str()] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.update(&outgoing.in_reply_to.unwrap_or(0).to_le_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Whether a message is for those who listen on the orchestrator's socket only.
pub(crate) fn is_for_orchestrator(to: &str) -> bool {
    to.eq_ignore_ascii_case(ORCHESTRATOR)
}
