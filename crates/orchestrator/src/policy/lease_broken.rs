//! An edit of what another agent has claimed for itself alone is a conflict at once, and ends with the edit or the claim.

use crate::{Error, Event, State};
use orchestrator_conflict::{Command, Conflict, Event as Happened, Overlap};
use orchestrator_protocol::{AgentId, ConflictType, ResourceKind};
use orchestrator_registry::{self as registry, Lease};

/// An edit that breaks a lease. `entities` are the claimed parts of the file that it changes, for a lease on a part.
pub(crate) fn found(lease: u64, holder: &AgentId, breaker: &AgentId, path: &str, entities: Vec<String>) -> Command {
    let overlap = Overlap {
        path: path.to_owned(),
        agents: parties(holder, breaker),
        target: None,
        conflict_type: ConflictType::Lease,
        fingerprint: format!("l{lease} {}", entities.join(" ")),
        agent_paths: Vec::new(),
        regions: 0,
        subject: Some(subject(lease, path)),
        affected: Some(breaker.clone()),
        entities,
        snapshot: None,
        union_break: None,
    };
    Command::Found { overlap: Box::new(overlap), settles: false, signature: false, impact: None, regions: Vec::new() }
}

/// The edit is taken back.
pub(crate) fn gone(lease: u64, holder: &AgentId, breaker: &AgentId, path: &str) -> Command {
    let (agents, subject) = (parties(holder, breaker), Some(subject(lease, path)));
    Command::Gone { path: path.to_owned(), agents, target: None, subject }
}

/// Whether a record is of edits that break this lease.
pub(crate) fn is_about(record: &Conflict, lease: &Lease) -> bool {
    record.subject.as_ref().is_some_and(|named| named.starts_with(&subject(lease.id, "")))
}

/// What a reported change breaks. A report names no part of a file, so leases on parts do not count; nor do reports of
/// agents whose work is merged, for there the work itself tells.
pub(crate) fn by_report(state: &State, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
    let Command::Change { path, agent: Some(agent), .. } = command else { return Ok(Vec::new()) };
    if state.conflict.follows(agent) {
        return Ok(Vec::new());
    }
    let broken = state.registry.claims_on(path, agent).filter(|lease| lease.resource.kind != ResourceKind::Entity);
    decided(state, broken.map(|lease| found(lease.id, &lease.agent_id, agent, path, Vec::new())), at)
}

/// What ends with leases that end.
pub(crate) fn with_leases(state: &State, events: &[registry::Event], at: i64) -> Result<Vec<Event>, Error> {
    let ended: Vec<String> = events
        .iter()
        .filter_map(|event| match event {
            registry::Event::LeaseEnded { lease, .. } => Some(subject(*lease, "")),
            _ => None,
        })
        .collect();
    if ended.is_empty() {
        return Ok(Vec::new());
    }
    withdrawn(state, at, |_, _, subject| ended.iter().any(|lease| subject.starts_with(lease)))
}

/// What ends with edits in work that end, where only reports tell of them; and with reports being all that is known: the
/// work itself tells what still stands.
pub(crate) fn with_edits(state: &State, events: &[Happened], at: i64) -> Result<Vec<Event>, Error> {
    let over = |path: &str, breaker: Option<&AgentId>| {
        events.iter().any(|event| match event {
            Happened::EditEnded { path: ended, agent } => ended == path && Some(agent) == breaker,
            Happened::Followed { agent, merged: true } => Some(agent) == breaker,
            _ => false,
        })
    };
    let ends = |event: &Happened| matches!(event, Happened::EditEnded { .. } | Happened::Followed { merged: true, .. });
    if !events.iter().any(ends) {
        return Ok(Vec::new());
    }
    withdrawn(state, at, |path, breaker, _| {
        over(path, breaker) && breaker.is_some_and(|one| !state.conflict.follows(one))
    })
}

/// Withdraws the open records of broken leases for which this holds: by path, by who broke it, by subject.
fn withdrawn(
    state: &State,
    at: i64,
    holds: impl Fn(&str, Option<&AgentId>, &str) -> bool,
) -> Result<Vec<Event>, Error> {
    let open = state.conflict.conflicts().open().filter(|(_, one)| one.conflict_type == ConflictType::Lease);
    let gone = open.filter_map(|(_, one)| {
        let subject = one.subject.as_ref()?;
        let (path, agents, target) = (one.path.clone(), one.agents.clone(), one.target.clone());
        let subject = holds(&path, one.affected.as_ref(), subject).then(|| subject.clone())?;
        Some(Command::Gone { path, agents, target, subject: Some(subject) })
    });
    decided(state, gone, at)
}

fn decided(state: &State, commands: impl Iterator<Item = Command>, at: i64) -> Result<Vec<Event>, Error> {
    let mut events = Vec::new();
    for command in commands {
        events.extend(state.conflict.decide(&command, at)?.into_iter().map(Event::Conflict));
    }
    Ok(events)
}

/// Tells the record from others of the same agents. No lease's begins like another's.
fn subject(lease: u64, path: &str) -> String {
    format!("lease l{lease}\n{path}")
}

fn parties(holder: &AgentId, breaker: &AgentId) -> Vec<AgentId> {
    let mut agents = vec![holder.clone(), breaker.clone()];
    agents.sort_by_key(AgentId::key);
    agents
}
