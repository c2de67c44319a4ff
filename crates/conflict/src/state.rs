//! The state and its rules.

use crate::{Change, Command, Conflicts, Edit, Edits, Error, Event, Overlap};
use orchestrator_protocol::{AgentId, ChangeType, ConflictType, Severity};
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
                        vec![Event::Refined { id, overlap, severity, detected_at: known.detected_at }]
                    }
                    _ => vec![Event::Found { overlap, severity, at }],
                })
            }
            Command::Gone { path, agents, target, subject } => {
                let known = self.conflicts.between(path, agents, target.as_deref(), subject.as_deref());
                Ok(known.filter(|(_, known)| known.is_open()).map(|(id, _)| withdrawn(id)).into_iter().collect())
            }
            Command::StartMonitoring if self.monitoring.is_none() => Ok(vec![Event::MonitoringStarted]),
            Command::StopMonitoring if self.monitoring.is_some() => Ok(vec![Event::MonitoringStopped]),
            Command::StartMonitoring | Command::StopMonitoring => Ok(Vec::new()),
            Command::EditTermOver { path, agent, seq } => Ok(match self.edits.by(path, agent) {
                Some(edit) if edit.seq == *seq => self.end_edit(path, agent),
                _ => Vec::new(),
            }),
            Command::Withdraw { agent } => {
                let own = self.edits.all().filter(|(_, edit)| edit.agent.key() == agent.key());
                let mut events: Vec<Event> = own.flat_map(|(path, _)| self.end_edit(path, agent)).collect();
                // What was overwritten is gone whoever leaves.
                let found = self.conflicts.open().filter(|(_, conflict)| {
                    conflict.fingerprint.is_some()
                        && conflict.conflict_type != ConflictType::LostUpdate
                        && conflict.agents.iter().any(|one| one.key() == agent.key())
                });
                events.extend(found.map(|(id, _)| withdrawn(id)));
                if self.follows(agent) {
                    events.push(Event::Followed { agent: agent.clone(), merged: false });
                }
                Ok(events)
            }
            Command::Resolve { id, strategy, by, applied } => {
                let name = format!("c{id}");
                let conflict = self.conflicts.get(*id).ok_or_else(|| Error::Unknown(name.clone()))?;
                if !conflict.is_open() {
                    let strategy = conflict.strategy.clone().unwrap_or_default();
                    return Err(Error::AlreadyResolved { id: name, strategy });
                }
                if applied.as_ref().is_some_and(|made| conflict.fingerprint.as_ref() != Some(&made.fingerprint)) {
                    return Err(Error::Changed(name));
                }
                let (strategy, by, applied) = (strategy.clone(), by.clone(), applied.clone());
                Ok(vec![Event::Resolved { id: *id, strategy, by, applied }])
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
                Ok(if is_known && backup.is_none() { Vec::new() } else { vec![event()] })
            }
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
                    let detected_at = open.detected_at;
                    events.push(Event::Widened { id, path, agents, conflict_type, severity, detected_at });
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
            Event::Dropped { results } => {
                for (id, name) in results {
                    self.conflicts.change(*id, |conflict| {
                        conflict.dropped |= conflict.applied.as_ref().is_some_and(|applied| applied.kept == *name);
                    });
                }
            }
            Event::Pulled { id, agent, .. } => self.conflicts.change(*id, |conflict| {
                if !conflict.has_pulled(agent) {
                    conflict.pulled_by.push(agent.clone());
                }
            }),
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
