//! The records of conflicts.

use crate::{Applied, Escalation};
use orchestrator_protocol::{AgentId, ConflictType, ResolutionStatus, Severity, UnionBreak};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Resolved conflicts that are kept for lists.
const KEPT_RESOLVED: usize = 10_000;

/// One conflict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The file.
    pub path: String,
    /// Who collides, in the order in which they began.
    pub agents: Vec<AgentId>,
    /// What collides.
    pub conflict_type: ConflictType,
    /// How bad it is.
    pub severity: Severity,
    /// When it was found, in milliseconds since the Unix epoch.
    pub detected_at: i64,
    /// Where in its life it stands.
    pub status: ResolutionStatus,
    /// How it was settled.
    pub strategy: Option<String>,
    /// Who settled it.
    pub resolved_by: Option<String>,
    /// The branch whose landed work the only agent collides with.
    #[serde(default)]
    pub target: Option<String>,
    /// Where each agent has the file, when one of them renamed it.
    #[serde(default)]
    pub agent_paths: Vec<Option<String>>,
    /// Set when merging found it: what tells these regions from others.
    #[serde(default)]
    pub fingerprint: Option<String>,
    /// How many regions collide.
    #[serde(default)]
    pub regions: usize,
    /// What tells it from others of the same agents, when it is semantic.
    #[serde(default)]
    pub subject: Option<String>,
    /// Who has to change course, when it is semantic; whose work is gone, in a lost update; who breaks the union.
    #[serde(default)]
    pub affected: Option<AgentId>,
    /// The snapshot that holds what was overwritten, in a lost update.
    #[serde(default)]
    pub snapshot: Option<String>,
    /// In which way the union of the agents' work breaks, when that is it.
    #[serde(default)]
    pub union_break: Option<UnionBreak>,
    /// Names of what collides.
    #[serde(default)]
    pub entities: Vec<String>,
    /// The number of the event that holds the regions.
    #[serde(default)]
    pub described: u64,
    /// The merged result that settled it.
    #[serde(default)]
    pub applied: Option<Box<Applied>>,
    /// Which agents have taken that.
    #[serde(default)]
    pub pulled_by: Vec<AgentId>,
    /// The merged result is not kept any longer.
    #[serde(default)]
    pub dropped: bool,
    /// Set when a person was asked.
    #[serde(default)]
    pub escalation: Option<Escalation>,
}

impl Conflict {
    /// The merged result that settled it, while it is kept.
    #[must_use]
    pub fn kept(&self) -> Option<&Applied> {
        self.applied.as_deref().filter(|_| !self.dropped)
    }

    /// Names what it is about.
    fn name(&self) -> String {
        overlap(&self.path, &self.agents, self.target.as_deref(), self.subject.as_deref())
    }

    /// Whether these regions need no further word: they were told, or somebody settled just them.
    #[must_use]
    pub(crate) fn is_quiet_about(&self, fingerprint: &str) -> bool {
        let is_told = self.fingerprint.as_deref() == Some(fingerprint);
        let is_between =
            self.applied.as_ref().is_some_and(|applied| applied.between.iter().any(|one| one == fingerprint));
        (is_told || is_between) && self.strategy.as_deref() != Some(crate::WITHDRAWN)
    }
}

/// All conflicts, by the number of the event that found them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Conflicts {
    records: BTreeMap<u64, Conflict>,
    resolved: usize,
    /// The newest record of each overlap that merging found.
    newest: BTreeMap<String, u64>,
}

/// Names an overlap: between whom, and where, or about what when it has a subject.
fn overlap(path: &str, agents: &[AgentId], target: Option<&str>, subject: Option<&str>) -> String {
    let mut name = agents.iter().map(|agent| agent.key() + "\n").collect::<String>();
    name.push_str(target.unwrap_or_default());
    name.push('\n');
    match subject {
        // No path begins so.
        Some(subject) => {
            name.push('\n');
            name.push_str(subject);
        }
        None => name.push_str(path),
    }
    name
}

/// Those of some records, given oldest first, whose overlap one of them tells of anew.
pub fn superseded<'a>(records: impl DoubleEndedIterator<Item = (u64, &'a Conflict)>) -> BTreeSet<u64> {
    let (mut newer, mut superseded) = (HashSet::new(), BTreeSet::new());
    for (id, record) in records.rev() {
        let name = record.name();
        if newer.contains(&name) {
            superseded.insert(id);
        } else if record.fingerprint.is_some() && record.strategy.as_deref() != Some(crate::WITHDRAWN) {
            newer.insert(name);
        }
    }
    superseded
}

impl Conflicts {
    /// All that are kept, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = (u64, &Conflict)> {
        self.records.iter().map(|(id, conflict)| (*id, conflict))
    }

    /// One by its number.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Conflict> {
        self.records.get(&id)
    }

    /// Those that nobody has settled.
    pub fn open(&self) -> impl Iterator<Item = (u64, &Conflict)> {
        self.all().filter(|(_, conflict)| conflict.is_open())
    }

    /// Those that are not over: open, or with a merged result on its way.
    pub fn unfinished(&self) -> impl Iterator<Item = (u64, &Conflict)> {
        self.all().filter(|(_, conflict)| conflict.status != ResolutionStatus::Resolved)
    }

    /// The open one on a file that reports told of.
    #[must_use]
    pub fn open_on(&self, path: &str) -> Option<(u64, &Conflict)> {
        self.open().find(|(_, conflict)| conflict.path == path && conflict.fingerprint.is_none())
    }

    /// The newest one that was found between these on this file, or on this subject.
    #[must_use]
    pub fn between(
        &self,
        path: &str,
        agents: &[AgentId],
        target: Option<&str>,
        subject: Option<&str>,
    ) -> Option<(u64, &Conflict)> {
        let id = *self.newest.get(&overlap(path, agents, target, subject))?;
        Some((id, self.records.get(&id)?))
    }

    /// Conflicts resolved since the project began.
    #[must_use]
    pub fn resolved(&self) -> usize {
        self.resolved
    }

    /// Takes in a new record, or what has become of an open one.
    pub(crate) fn put(&mut self, id: u64, conflict: Conflict) {
        if conflict.fingerprint.is_some() {
            let earlier = self.newest.insert(conflict.name(), id).filter(|earlier| *earlier != id);
            // Logs of earlier versions do not say so.
            earlier.into_iter().for_each(|earlier| self.close(earlier));
        }
        self.records.insert(id, conflict);
    }

    /// What a merged result settled is over. Twice is once.
    pub(crate) fn close(&mut self, id: u64) {
        if let Some(conflict) = self.records.get_mut(&id).filter(|conflict| conflict.is_resolving()) {
            conflict.status = ResolutionStatus::Resolved;
            self.resolved += 1;
        }
    }

    pub(crate) fn change(&mut self, id: u64, change: impl FnOnce(&mut Conflict)) {
        if let Some(conflict) = self.records.get_mut(&id) {
            change(conflict);
        }
    }

    pub(crate) fn resolve(&mut self, id: u64, strategy: &str, by: Option<&String>, applied: Option<&Applied>) {
        self.change(id, |conflict| {
            conflict.applied = applied.cloned().map(Box::new);
            conflict.status = if applied.is_some() { ResolutionStatus::Resolving } else { ResolutionStatus::Resolved };
            conflict.strategy = Some(strategy.to_owned());
            conflict.resolved_by = by.cloned();
        });
        self.resolved += usize::from(applied.is_none());
        if self.records.len() > KEPT_RESOLVED {
            let oldest = self.all().find(|(_, conflict)| !conflict.is_open()).map(|(id, _)| id);
            if let Some((id, oldest)) = oldest.and_then(|id| Some((id, self.records.remove(&id)?))) {
                let name = oldest.name();
                if self.newest.get(&name) == Some(&id) {
                    self.newest.remove(&name);
                }
            }
        }
    }
}
