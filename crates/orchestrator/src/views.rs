//! The state as the wire shows it.

use crate::core::lease_view;
use crate::resolving::resolution;
use crate::{Error, Orchestrator, State};
use orchestrator_conflict as conflict;
use orchestrator_protocol::{
    Agent, AgentId, AgentRecommendation, AgentRef, Change, Conflict, Escalation, Health, HealthStatus, Lease,
    ResolutionStatus, SyncServiceHealth, SyncStatus, Timestamp,
};
use orchestrator_registry as registry;

/// Which changes are asked for.
#[derive(Debug, Clone, Default)]
pub struct ChangeFilter {
    /// Only those with a higher number.
    pub since: u64,
    /// Only this agent's.
    pub agent: Option<AgentId>,
    /// Only this file's, or below this folder.
    pub path: Option<String>,
    /// At most so many of the newest.
    pub limit: usize,
}

impl Orchestrator {
    /// All agents, ordered by id without case.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn agents(&self) -> Result<Vec<Agent>, Error> {
        self.with_agents(|agents| agents.iter().map(AgentRef::to_agent).collect()).await
    }

    /// All agents, ordered by id without case, lent to whoever writes them. Nothing else is decided meanwhile.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn with_agents<T>(&self, write: impl Fn(Vec<AgentRef<'_>>) -> T) -> Result<T, Error> {
        self.read(|state| write(state.registry.agents_by_key().map(|(key, agent)| self.view(key, agent)).collect()))
            .await
    }

    /// One agent.
    ///
    /// # Errors
    /// [`registry::Error::UnknownAgent`] when it is not registered.
    pub async fn agent(&self, id: &AgentId) -> Result<Agent, Error> {
        let found =
            self.read(|state| state.registry.agent(id).map(|agent| self.view(&id.key(), agent).to_agent())).await?;
        found.ok_or_else(|| registry::Error::UnknownAgent(id.to_string()).into())
    }

    fn view<'a>(&self, key: &str, agent: &'a registry::Agent) -> AgentRef<'a> {
        let (last_activity, connections) = self.shared.presences.with(key, |presence| match presence {
            Some(presence) => (presence.last_activity(), presence.connections()),
            None => (Timestamp(agent.registered_at), 0),
        });
        AgentRef {
            agent_id: &agent.id,
            status: agent.status,
            current_task: agent.task.as_deref(),
            last_activity,
            workload: agent.workload,
            capabilities: &agent.capabilities,
            role: agent.role.as_deref(),
            workspace: agent.workspace.as_deref(),
            branch: agent.branch.as_deref(),
            connections,
        }
    }

    /// Agents that fit, best first.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn recommend(&self, capabilities: &[String]) -> Result<Vec<AgentRecommendation>, Error> {
        self.read(|state| {
            let found = state.registry.recommend(capabilities).into_iter();
            let workload = |id: &AgentId| state.registry.agent(id).map(|agent| agent.workload).unwrap_or_default();
            found
                .map(|found| AgentRecommendation {
                    workload: workload(&found.agent),
                    agent_id: found.agent,
                    score: found.score,
                    reasons: found.reasons,
                })
                .collect()
        })
        .await
    }

    /// The six figures of the documented status.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn sync_status(&self) -> Result<SyncStatus, Error> {
        self.read(|state| self.sync_view(state)).await
    }

    fn sync_view(&self, state: &State) -> SyncStatus {
        SyncStatus {
            monitoring_active: state.conflict.monitoring().is_some(),
            registered_agents: state.registry.len(),
            active_changes: state.conflict.edits().len(),
            active_conflicts: state.conflict.conflicts().unfinished().count(),
            resolved_conflicts: state.conflict.conflicts().resolved(),
            total_files_monitored: self.watched().map_or(0, |stats| stats.files),
        }
    }

    /// The newest changes that match, oldest first.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn changes(&self, filter: &ChangeFilter) -> Result<Vec<Change>, Error> {
        let below = |path: &str, folder: &str| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.read(|state| {
            let matching = state.conflict.edits().changes(filter.since).filter(|(_, change)| {
                let by_agent = |agent: &AgentId| change.agent.as_ref().is_some_and(|own| own.key() == agent.key());
                filter.agent.as_ref().is_none_or(by_agent)
                    && filter.path.as_ref().is_none_or(|path| below(&change.path, path))
            });
            let mut newest: Vec<Change> =
                matching.rev().take(filter.limit).map(|(seq, change)| change_view(*seq, change)).collect();
            newest.reverse();
            newest
        })
        .await
    }

    /// Conflicts in a state, or all, oldest first; and how many are kept.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn conflicts(&self, status: Option<ResolutionStatus>) -> Result<(Vec<Conflict>, usize), Error> {
        self.read(|state| {
            let all = state.conflict.conflicts().all();
            let matching = all.filter(|(_, conflict)| status.is_none_or(|status| conflict.status == status));
            let found = matching.map(|(id, conflict)| conflict_view(id, conflict)).collect();
            (found, state.conflict.conflicts().all().count())
        })
        .await
    }

    /// One conflict, with the lines that collide.
    ///
    /// # Errors
    /// [`conflict::Error::Unknown`] when there is none of this number.
    pub async fn conflict(&self, id: u64) -> Result<Conflict, Error> {
        let known = |state: &State| {
            let found = state.conflict.conflicts().get(id)?;
            let mut view = conflict_view(id, found);
            let strategy = found.strategy.as_deref().unwrap_or_default();
            let shown = |applied| resolution(strategy, found.resolved_by.as_ref(), applied, &found.pulled_by);
            view.resolution = found.applied.as_deref().map(shown).map(Box::new);
            Some((view, found.described))
        };
        let found = self.read(known).await?;
        let (mut view, described) = found.ok_or_else(|| conflict::Error::Unknown(format!("c{id}")))?;
        let body = move |this: &Self| {
            let record = this.shared.reader.record(described).map_err(crate::mail::internal)?;
            Ok(record.as_ref().and_then(crate::mail::body_of))
        };
        (view.regions, view.impact) = crate::render::shown(self.with_log(body).await?.as_ref());
        Ok(view)
    }

    /// All leases that stand, oldest first.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn leases(&self) -> Result<Vec<Lease>, Error> {
        self.read(|state| state.registry.leases().map(lease_view).collect()).await
    }

    /// How the server is. Answers at once, whatever the log does.
    #[must_use]
    pub fn health(&self, websocket_connections: usize) -> Health {
        let core = self.shared.core.lock();
        let halted = core.halted.is_some();
        let sync = self.sync_view(&core.state);
        drop(core);
        let degraded = self.shared.degradations.list();
        let status = match (halted, degraded.is_empty()) {
            (true, _) => HealthStatus::Halted,
            (false, false) => HealthStatus::Degraded,
            (false, true) => HealthStatus::Healthy,
        };
        Health {
            status,
            service: "orchestration".to_owned(),
            timestamp: crate::engine::now(),
            sync_service: SyncServiceHealth {
                monitoring_active: sync.monitoring_active,
                registered_agents: sync.registered_agents,
            },
            websocket_connections,
            degraded,
            seq: self.flushed(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

fn change_view(seq: u64, change: &conflict::Change) -> Change {
    Change {
        seq,
        file_path: change.path.clone(),
        agent_id: change.agent.clone(),
        timestamp: Timestamp(change.at),
        change_type: change.change_type,
        file_hash: change.hash.clone(),
        previous_hash: change.previous_hash.clone(),
        conflict_level: change.conflict_level,
        affected_agents: change.affected.clone(),
        previous_path: change.previous_path.clone(),
    }
}

/// A conflict without its lines.
pub(crate) fn conflict_view(id: u64, conflict: &conflict::Conflict) -> Conflict {
    Conflict {
        conflict_id: format!("c{id}"),
        file_path: conflict.path.clone(),
        conflicting_agents: conflict.agents.clone(),
        conflict_type: conflict.conflict_type,
        severity: conflict.severity,
        detected_at: Timestamp(conflict.detected_at),
        resolution_status: conflict.status,
        resolution_strategy: conflict.strategy.clone(),
        resolved_by: conflict.resolved_by.clone(),
        target: conflict.target.clone(),
        agent_paths: conflict.agent_paths.clone(),
        affected_agent: conflict.affected.clone(),
        snapshot_id: conflict.snapshot.clone(),
        union_break: conflict.union_break,
        escalation: conflict.escalation.as_ref().map(|asked| Escalation {
            by: asked.by.clone(),
            reason: asked.reason.clone(),
            at: Timestamp(asked.at),
        }),
        entities: conflict.entities.clone(),
        impact: None,
        regions: Vec::new(),
        resolution: None,
    }
}
