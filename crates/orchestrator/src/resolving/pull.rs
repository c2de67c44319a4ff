//! Which results an agent takes, and the record of it.
//!
//! The folder is written through a workspace object of the pull's own, not the one that follows it: a full look takes
//! as long as the repository is large, and nobody's work would be merged meanwhile. Neither object changes what the
//! other knows; the one that follows sees what was written as it sees any edit.

use super::take::{Taker, Taking};
use crate::following::{Standing, open_of};
use crate::{Actor, Command, Error, Orchestrator, State};
use orchestrator_conflict::{self as conflict, Conflict};
use orchestrator_protocol::{AgentId, ErrorCode, PullAnswer, PullState, Pulled};
use orchestrator_registry as registry;
use std::collections::BTreeSet;

/// What is pulled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pull {
    /// Only the results of these conflicts; all that are new to the agent when left out.
    pub conflicts: Option<Vec<u64>>,
    /// Write nothing.
    pub dry_run: bool,
}

impl Orchestrator {
    /// Merges results that settled an agent's conflicts into its folder: what stands there is backed up first, and
    /// what does not go together is left alone.
    ///
    /// # Errors
    /// The agent is not registered or its folder not followed, a conflict is none of its own, or nothing can be
    /// recorded. What becomes of each result is no error.
    pub async fn pull(&self, actor: Actor, agent: AgentId, pull: Pull) -> Result<PullAnswer, Error> {
        let this = self.clone();
        self.alone(async move { this.pull_alone(actor, agent, pull).await }).await
    }

    async fn pull_alone(self, actor: Actor, agent: AgentId, pull: Pull) -> Result<PullAnswer, Error> {
        self.can_record()?;
        let (agent_id, number, folder) = self.folder_of(&agent).await?;
        let named = pull.conflicts.as_deref();
        // What is worked out of the records is worked out beside the lock: there may be thousands.
        let records = self.read(|state| concerning(state, &agent_id, named)).await??;
        let known = wanted(records, &agent_id, named);
        let is_new = !known.is_empty();
        let unsettled = if is_new { self.shared.following.barrier().await? } else { Vec::new() };
        let open = open_of(unsettled, &agent_id);
        let (agent, dry_run) = (agent_id.clone(), pull.dry_run);
        let take = move |this: &Self| {
            let (store, tip) = this.target()?;
            Taker { orchestrator: this, agent, number, folder, open, dry_run, tip }.take_all(&store, known)
        };
        let taken = if is_new { self.blocking(take).await? } else { Vec::new() };
        let mut results = Vec::with_capacity(taken.len());
        for (id, pulled) in taken {
            if !pull.dry_run && matches!(pulled.state, PullState::Pulled | PullState::Unchanged) {
                let backup = pulled.backup.as_ref().map(|backup| backup.name.clone());
                let command = conflict::Command::Pulled { id, agent: agent_id.clone(), backup };
                self.submit(actor.clone(), Command::Conflict(command)).await?;
            }
            results.push(pulled);
        }
        let (status, timestamp) = ("success".to_owned(), crate::engine::now());
        Ok(PullAnswer { status, agent_id, dry_run: pull.dry_run, results, timestamp })
    }

    /// The agent in the spelling first registered, its number, and its folder.
    async fn folder_of(&self, agent: &AgentId) -> Result<(AgentId, u64, String), Error> {
        let found = self.read(|state| state.registry.agent(agent).cloned()).await?;
        let found = found.ok_or_else(|| registry::Error::UnknownAgent(agent.to_string()))?;
        let standing = self.shared.following.standings().remove(&agent.key());
        match (found.workspace, standing) {
            (Some(folder), Some(Standing::Followed { .. })) => Ok((found.id, found.number, folder)),
            (_, standing) => {
                let why = match standing {
                    Some(Standing::Failed(reason)) => format!(": {reason}"),
                    _ => String::new(),
                };
                let detail = format!("no workspace of '{agent}' is followed{why}");
                let hint = "register one, or fetch the bytes: GET /api/orchestration/conflicts/{id}/resolution";
                Err(Error::invalid(ErrorCode::NotSupported, detail, hint))
            }
        }
    }
}

/// The records that concern an agent, oldest first, when all that are named are among them.
fn concerning(state: &State, agent: &AgentId, named: Option<&[u64]>) -> Result<Vec<(u64, Conflict)>, Error> {
    let conflicts = state.conflict.conflicts();
    for id in named.unwrap_or_default() {
        let record = conflicts.get(*id).ok_or_else(|| conflict::Error::Unknown(format!("c{id}")))?;
        if !has(&record.agents, agent) {
            let detail = format!("conflict 'c{id}' does not concern '{agent}'");
            let hint = "pull what the agent's own conflicts were settled by";
            return Err(Error::invalid(ErrorCode::InvalidRequest, detail, hint));
        }
    }
    let own = conflicts.all().filter(|(_, record)| has(&record.agents, agent));
    Ok(own.map(|(id, record)| (id, record.clone())).collect())
}

fn has(agents: &[AgentId], agent: &AgentId) -> bool {
    place(agents, agent).is_some()
}

fn place(agents: &[AgentId], agent: &AgentId) -> Option<usize> {
    agents.iter().position(|one| one.as_str().eq_ignore_ascii_case(agent.as_str()))
}

/// The results to take, oldest first: those that are named, or that are new to the agent.
fn wanted(records: Vec<(u64, Conflict)>, agent: &AgentId, named: Option<&[u64]>) -> Vec<Taking> {
    let superseded = conflict::superseded(records.iter().map(|(id, record)| (*id, record)));
    let named = named.map(|named| named.iter().copied().collect::<BTreeSet<u64>>());
    let is_wanted = |id: &u64, record: &Conflict| match &named {
        Some(named) => named.contains(id),
        None => record.kept().is_some() && !has(&record.pulled_by, agent) && !superseded.contains(id),
    };
    let taking = |(id, record): (u64, Conflict)| {
        let applied = record.applied.filter(|_| !record.dropped && !superseded.contains(&id));
        Taking { id, path: record.path, applied: place(&record.agents, agent).zip(applied) }
    };
    records.into_iter().filter(|(id, record)| is_wanted(id, record)).map(taking).collect()
}

/// What became of a result of which nothing was written.
pub(super) fn left(taking: &Taking, state: PullState, reason: impl Into<String>) -> Pulled {
    let file_path = taking.applied.as_ref().map_or(&taking.path, |(_, applied)| &applied.path).clone();
    let (conflict_id, reason) = (format!("c{}", taking.id), Some(reason.into()));
    Pulled { conflict_id, file_path, state, reason, regions: Vec::new(), backup: None }
}
