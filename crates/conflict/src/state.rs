//! The state and its rules.

use crate::{Change, Closing, Command, Conflict, Conflicts, Edit, Edits, Error, Escalation, Event, Overlap};
use orchestrator_protocol::{AgentId, ChangeType, ConflictType, ResolutionStatus, Severity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How an overlap is settled that vanished.
pub const WITHDRAWN: &str = "withdrawn";

/// Edits, conflicts, and whether the folder is watched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    monitoring: Option<u64>,
    edits: Edits,
    conflicts: Conflicts,
    /// Keys of the agents whose work is merged.
    #[serde(default)]
    followed: BTreeSet<String>,
}

impl State {
    /// The edits in work.
    #[must_use]
    pub fn edits(&self) -> &Edits {
        &self.edits
    }

    /// The conflicts.
    #[must_use]
    pub fn conflicts(&self) -> &Conflicts {
        &self.conflicts
    }

    /// The number of the event with which monitoring began, while it is on.
    #[must_use]
    pub fn monitoring(&self) -> Option<u64> {
        self.monitoring
    }

    /// Whether an agent's work is merged with that of others.
    #[must_use]
    pub fn follows(&self, agent: &AgentId) -> bool {
        self.followed.contains(&agent.key())
    }

    /// Which events follow from a command. `at` is the wall clock's label for them, in milliseconds.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        match command {
            Command::Change { path, agent, change_type, hash, previous_hash, previous_path } => {
                let change = Change {
                    path: path.clone(),
                    agent: agent.clone(),
                    change_type: *change_type,
                    hash: hash.clone(),
                    previous_hash: previous_hash.clone().or_else(|| self.edits.last_hash(path).map(str::to_owned)),
                    previous_path: previous_path.clone(),
                    conflict_level: Severity::Low,
                    affected: Vec::new(),
                    at,
                    merged: agent.as_ref().is_some_and(|agent| self.follows(agent)),
                };
                Ok(self.decide_change(change))
            }
            Command::Follow { agent, merged } => Ok(match self.follows(agent) == *merged {
                true => Vec::new(),
                false => vec![Event::Followed { agent: agent.clone(), merged: *merged }],
            }),
            Command::Found { overlap, settles, signature, .. } => {
                let severity = severity(overlap, *settles, *signature);
                let overlap = Overlap::clone(overlap);
                let (target, subject) = (overlap.target.as_deref(), overlap.subject.as_deref());
                let known = self.conflicts.between(&overlap.path, &overlap.agents, target, subject);
                Ok(match known {
                    // The same as before: told already, or marked as settled and quiet until it changes.
                    Some((_, known)) if known.is_quiet_about(&overlap.fingerprint) => Vec::new(),
                    Some((id, known)) if known.is_open() => {
                        let (detected_at, escalation) = (known.detected_at, known.escalation.clone());
                        vec![Event::Refined { id, overlap, severity, detected_at, escalation }]
                    }
                    // The record's payload is that of its first event.
                    known => {
                        let replaced = known.and_then(|(id, known)| known.closed(id, Closing::Replaced));
                        [Event::Found { overlap, severity, at }].into_iter().chain(replaced).collect()
                    }
                })
            }
            Command::Gone { path, agents, target, subject } => {
                let known = self.conflicts.between(path, agents, target.as_deref(), subject.as_deref());
                let over = known.and_then(|(id, known)| match known.is_open() {
                    true => Some(withdrawn(id)),
                    false => known.closed(id, Closing::Gone),
                });
                Ok(over.into_iter().collect())
            }
            Command::StartMonitoring if self.monitoring.is_none() => Ok(vec![Event::MonitoringStarted]),
            Command::StopMonitoring if self.monitoring.is_some() => Ok(vec![Event::MonitoringStopped]),
            Command::StartMonitoring | Command::StopMonitoring => Ok(Vec::new()),
            Command::EditTermOver { path, agent, seq } => Ok(match self.edits.by(path, agent) {
                Some(edit) if edit.seq == *seq => self.end_edit(path, agent),
                _ => Vec::new(),
            }),
            Command::Withdraw { agent } => {
                let is_own = |one: &AgentId| one.key() == agent.key();
                let own = self.edits.all().filter(|(_, edit)| is_own(&edit.agent));
                let mut events: Vec<Event> = own.flat_map(|(path, _)| self.end_edit(path, agent)).collect();
                // What was overwritten is gone whoever leaves.
                let found = self.conflicts.open().filter(|(_, conflict)| {
                    conflict.fingerprint.is_some()
                        && conflict.conflict_type != ConflictType::LostUpdate
                        && conflict.agents.iter().any(is_own)
                });
                events.extend(found.map(|(id, _)| withdrawn(id)));
                let settled = self.conflicts.unfinished().filter(|(_, one)| one.agents.iter().any(is_own));
                events.extend(settled.filter_map(|(id, one)| one.closed(id, Closing::Left)));
                if self.follows(agent) {
                    events.push(Event::Followed { agent: agent.clone(), merged: false });
                }
                Ok(events)
            }
            Command::Resolve { id, strategy, by, applied } => {
                let conflict = self.unsettled(*id)?;
                if applied.as_ref().is_some_and(|made| conflict.fingerprint.as_ref() != Some(&made.fingerprint)) {
                    return Err(Error::Changed(format!("c{id}")));
                }
                let (strategy, by, applied) = (strategy.clone(), by.clone(), applied.clone());
                Ok(vec![Event::Resolved { id: *id, strategy, by, applied }])
            }
            Command::Escalate { id, by, reason } => {
                let conflict = self.unsettled(*id)?;
                let is_known = |known: &Escalation| known.by == *by && known.reason == *reason;
                if conflict.escalation.as_ref().is_some_and(is_known) {
                    return Ok(Vec::new());
                }
                let escalation = Escalation { by: by.clone(), reason: reason.clone(), at };
                Ok(vec![Event::Escalated { id: *id, path: conflict.path.clone(), escalation }])
            }
            Command::Pulled { id, agent, backup } => {
                let conflict = self.conflicts.get(*id).filter(|conflict| conflict.applied.is_some());
                let conflict = conflict.ok_or_else(|| Error::Unknown(format!("c{id}")))?;
                let is_known = conflict.has_pulled(agent);
                let event = || Event::Pulled {
                    id: *id,
                    path: conflict.path.clone(),
                    agent: agent.clone(),
                    backup: backup.clone(),
                    at,
                };
                if is_known && backup.is_none() {
                    return Ok(Vec::new());
                }
                let closed = conflict.is_with_all(agent).then(|| conflict.closed(*id, Closing::Pulled)).flatten();
                Ok([event()].into_iter().chain(closed).collect())
            }
        }
    }

    /// A conflict that nobody has settled.
    fn unsettled(&self, id: u64) -> Result<&Conflict, Error> {
        let name = format!("c{id}");
        let conflict = self.conflicts.get(id).ok_or_else(|| Error::Unknown(name.clone()))?;
        match conflict.is_open() {
            true => Ok(conflict),
            false => Err(Error::AlreadyResolved { id: name, strategy: conflict.strategy.clone().unwrap_or_default() }),
        }
    }

    fn decide_change(&self, mut change: Change) -> Vec<Event> {
        let Some(agent) = change.agent.clone() else { return vec![Event::Changed(change)] };
        let is_other = |edit: &&Edit| edit.agent.key() != agent.key() && !(edit.merged && change.merged);
        let others: Vec<_> = self.edits.of(&change.path).into_iter().filter(is_other).collect();
        if others.is_empty() {
            return vec![Event::Changed(change)];
        }
        let deleted = change.change_type == ChangeType::Deleted;
        let (conflict_type, severity) =
            if others.iter().any(|edit| (edit.change_type == ChangeType::Deleted) != deleted) {
                (ConflictType::DeleteModify, Severity::Critical)
            } else {
                (ConflictType::Overlap, Severity::Medium)
            };
        change.conflict_level = severity;
        change.affected = others.iter().map(|edit| edit.agent.clone()).collect();
        let mut agents = change.affected.clone();
        match self.edits.by(&change.path, &agent) {
            // Those who began earlier come first, this agent among them.
            Some(own) => agents.insert(others.partition_point(|edit| edit.since < own.since), agent.clone()),
            None => agents.push(agent.clone()),
        }
        let path = change.path.clone();
        let at = change.at;
        let mut events = vec![Event::Changed(change)];
        match self.conflicts.open_on(&path) {
            None => events.push(Event::Detected { path, agents, conflict_type, severity, at }),
            Some((id, open)) => {
                let joined = agents.iter().any(|agent| !open.agents.contains(agent));
                if joined || severity > open.severity {
                    let severity = severity.max(open.severity);
                    let conflict_type = if severity == open.severity { open.conflict_type } else { conflict_type };
                    let (detected_at, escalation) = (open.detected_at, open.escalation.clone());
                    events.push(Event::Widened { id, path, agents, conflict_type, severity, detected_at, escalation });
                }
            }
        }
        events
    }

    /// An edit ends, and with it the conflict of which it was one of two sides.
    fn end_edit(&self, path: &str, agent: &AgentId) -> Vec<Event> {
        let mut events = vec![Event::EditEnded { path: path.to_owned(), agent: agent.clone() }];
        let left = self.edits.of(path).len().saturating_sub(1);
        if left < 2
            && let Some((id, _)) = self.conflicts.open_on(path)
        {
            events.push(withdrawn(id));
        }
        events
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Changed(change) => self.edits.record(seq, change),
            Event::MonitoringStarted => self.monitoring = Some(seq),
            Event::MonitoringStopped => self.monitoring = None,
            Event::EditEnded { path, agent } => self.edits.end(path, agent),
            Event::Detected { .. } | Event::Widened { .. } | Event::Found { .. } | Event::Refined { .. } => {
                if let Some((id, record)) = event.record(seq) {
                    self.conflicts.put(id, record);
                }
            }
            Event::Followed { agent, merged: true } => {
                self.followed.insert(agent.key());
            }
            Event::Followed { agent, merged: false } => {
                self.followed.remove(&agent.key());
            }
            Event::Resolved { id, strategy, by, applied } => {
                self.conflicts.resolve(*id, strategy, by.as_ref(), applied.as_deref());
            }
            Event::Escalated { id, escalation, .. } => self.conflicts.change(*id, |conflict| {
                conflict.status = ResolutionStatus::Escalated;
                conflict.escalation = Some(escalation.clone());
            }),
            Event::Closed { id, .. } => self.conflicts.close(*id),
            Event::Dropped { results } => {
                for (id, name) in results {
                    self.conflicts.change(*id, |conflict| {
                        conflict.dropped |= conflict.applied.as_ref().is_some_and(|applied| applied.kept == *name);
                    });
                }
            }
            Event::Pulled { id, agent, .. } => {
                // Logs of earlier versions do not say that it is over.
                if self.conflicts.get(*id).is_some_and(|conflict| conflict.is_with_all(agent)) {
                    self.conflicts.close(*id);
                }
                self.conflicts.change(*id, |conflict| {
                    if !conflict.has_pulled(agent) {
                        conflict.pulled_by.push(agent.clone());
                    }
                });
            }
        }
    }
}

/// How bad it is when work collides so.
fn severity(overlap: &Overlap, settles: bool, signature: bool) -> Severity {
    match overlap.conflict_type {
        _ if settles => Severity::Low,
        _ if overlap.union_break.is_some() => Severity::Critical,
        ConflictType::DeleteModify | ConflictType::LostUpdate => Severity::Critical,
        ConflictType::Semantic | ConflictType::Lease => Severity::High,
        _ if signature || overlap.regions > 1 => Severity::High,
        _ => Severity::Medium,
    }
}

/// The overlap is gone by itself.
fn withdrawn(id: u64) -> Event {
    Event::Resolved { id, strategy: WITHDRAWN.to_owned(), by: None, applied: None }
}
