//! Edits that break a lease.

use super::Runner;
use super::known::Missing;
use crate::following::reports::Report;
use crate::following::source::{Tip, name};
use crate::policy::lease_broken::{found, gone, is_about};
use orchestrator_conflict::Command;
use orchestrator_predict::{Agent, Path, changed_entities};
use orchestrator_protocol::{AgentId, ConflictType, ResourceKind};
use orchestrator_registry::{Lease, is_within};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// An edit of what somebody else holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broken {
    lease: u64,
    holder: AgentId,
    breaker: Agent,
    path: String,
    entities: Vec<String>,
}

impl Runner {
    /// Which of the changes at these paths break a lease: what is to be told.
    pub(super) fn broken_leases(&mut self, paths: &BTreeSet<Path>) -> Vec<Command> {
        let agents = self.agents();
        let claims: Vec<Lease> = self.orchestrator.shared.core.lock().state.registry.exclusive().cloned().collect();
        let Some(store) = &self.store else { return Vec::new() };
        let source = Tip::new(store, &mut self.memory, self.tip.map(|(_, tree)| tree));
        let mut reports = Vec::new();
        for path in paths {
            let file = name(path);
            let mut broken: BTreeMap<(u64, Agent), Broken> = BTreeMap::new();
            for (breaker, change) in self.star.changes_at(path) {
                let Some(agent) = agents.get(&breaker) else { continue };
                let mut changed = None;
                for lease in claims.iter().filter(|lease| lease.agent != agent.key() && lease.covers(&file)) {
                    let mut entities = Vec::new();
                    if lease.resource.kind == ResourceKind::Entity {
                        // What cannot be read or parsed is not said to be broken.
                        let changed =
                            changed.get_or_insert_with(|| changed_entities(path, change, &source).unwrap_or_default());
                        let named = changed.iter().map(|one| (format!("{file}::{}", one.path), one.whole));
                        let claimed = &lease.resource.value;
                        let broken = named.filter(|(entity, whole)| {
                            is_within(entity, claimed) || (*whole && is_within(claimed, entity))
                        });
                        entities.extend(broken.map(|(entity, _)| entity));
                        if entities.is_empty() {
                            continue;
                        }
                    }
                    let (lease, holder) = (lease.id, lease.agent_id.clone());
                    broken.insert((lease, breaker), Broken { lease, holder, breaker, path: file.clone(), entities });
                }
            }
            reports.extend(self.broken.at(path, broken, Instant::now()));
        }
        self.as_commands(reports)
    }

    /// Looks at everything when leases came or went.
    pub(super) async fn look_at_leases(&mut self) {
        let leases: BTreeSet<u64> =
            self.orchestrator.shared.core.lock().state.registry.leases().map(|lease| lease.id).collect();
        if leases != self.leases {
            // With a lease its records ended.
            let _withdrawn = self.broken.forget(|_, (lease, _)| !leases.contains(lease));
            let is_new = !leases.is_subset(&self.leases);
            self.leases = leases;
            if !is_new {
                return;
            }
            let paths = self.star.paths().cloned().collect();
            let commands = self.broken_leases(&paths);
            self.submit(commands).await;
        }
    }

    /// What has lasted long enough to be told by now.
    pub(super) fn due_leases(&mut self) -> Vec<Command> {
        let due = self.broken.due(Instant::now());
        self.as_commands(due)
    }

    /// Records of an earlier run whose edits are not there any more.
    pub(super) fn stale_leases(&self, missing: &Missing) -> Vec<Command> {
        let told: BTreeSet<(&str, u64, Agent)> =
            self.broken.told().map(|broken| (broken.path.as_str(), broken.lease, broken.breaker)).collect();
        let core = self.orchestrator.shared.core.lock();
        let open = core.state.conflict.conflicts().open().filter(|(_, one)| one.conflict_type == ConflictType::Lease);
        let stale = open.filter_map(|(_, one)| {
            let breaker = one.affected.as_ref().filter(|breaker| !missing.concerns(&one.path, [*breaker]))?;
            let holders = core.state.registry.claims_on(&one.path, breaker);
            let lease = holders.into_iter().find(|lease| is_about(one, lease))?;
            let is_told = |number| told.contains(&(one.path.as_str(), lease.id, number));
            let stands = self.number_of(breaker).is_some_and(is_told);
            (!stands).then(|| gone(lease.id, &lease.agent_id, breaker, &one.path))
        });
        stale.collect()
    }

    fn as_commands(&self, reports: Vec<Report<Path, (u64, Agent), Broken>>) -> Vec<Command> {
        let command = |report| match report {
            Report::Found(Broken { lease, holder, breaker, path, entities }) => {
                Some(found(lease, &holder, &self.agent_of(breaker)?, &path, entities))
            }
            Report::Gone(path, (lease, number)) => {
                // With the lease its records ended.
                let core = self.orchestrator.shared.core.lock();
                let holder = core.state.registry.lease(lease)?.agent_id.clone();
                Some(gone(lease, &holder, &self.agent_of(number)?, &name(&path)))
            }
        };
        reports.into_iter().filter_map(command).collect()
    }
}
