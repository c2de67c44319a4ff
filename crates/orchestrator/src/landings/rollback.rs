//! Taking back what landed: a landing like any other, of the change turned round. So it is merged with all that came
//! later, checked by the same gates, and can be taken back itself.

use super::ask::Wish;
use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Actor, Error, Orchestrator, snapshots};
use orchestrator_landing::Landing;
use orchestrator_protocol::{AgentId, ErrorCode, Merge, MergeState, Timestamp};
use orchestrator_repository::{ObjectId, Store};
use std::collections::BTreeSet;

/// What is to be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// Exactly one landing; what came later stays.
    Merge(u64),
    /// Everything that landed after a moment.
    Since(Timestamp),
}

/// What taking back would do, or has been asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Undone {
    /// The branch.
    pub target: String,
    /// Landings that are taken back.
    pub merges: Vec<u64>,
    /// Paths that change.
    pub paths: Vec<String>,
    /// Later landings that changed any of these paths, and stay.
    pub dependents: Vec<u64>,
    /// The landing that takes it back; nothing when nothing was asked for.
    pub merge: Option<Merge>,
}

impl Orchestrator {
    /// Takes back what landed. With `dry_run` only says what that would do.
    ///
    /// # Errors
    /// Somebody else than the operator asks, it never landed, or nothing can be recorded.
    pub async fn rollback(
        &self,
        actor: Actor,
        undo: Undo,
        target: Option<String>,
        dry_run: bool,
    ) -> Result<Undone, Error> {
        if actor != Actor::Operator {
            let detail = "only the operator takes back what landed";
            let hint = "send the operator's secret in the header X-Orchestrator-Operator";
            return Err(Error::invalid(ErrorCode::OperatorOnly, detail, hint));
        }
        let landed = self.read(|state| {
            let landed = state.landings.all().filter(|one| one.state == MergeState::Landed);
            landed.cloned().collect::<Vec<Landing>>()
        });
        let plan = Plan::of(landed.await?, undo, target)?;
        let planned = plan.clone();
        let (work, paths, dependents) = self
            .blocking(move |this| {
                let store = this.shared.following.store(&this.options().project).map_err(refused)?;
                planned.make(&store)
            })
            .await?;
        let merges = plan.merges.iter().map(|landing| landing.id).collect();
        let mut undone = Undone { target: plan.target.clone(), merges, paths, dependents, merge: None };
        if !dry_run {
            let agent: AgentId = "operator".parse().map_err(internal)?;
            let wish = Wish {
                agent: agent.clone(),
                target: Some(plan.target.clone()),
                message: Some(plan.message()),
                priority: i32::MAX,
                snapshot: None,
            };
            undone.merge = Some(self.enqueue(actor, agent, plan.target, wish, work).await?);
        }
        Ok(undone)
    }
}

/// Which landings are taken back, and where.
#[derive(Debug, Clone)]
struct Plan {
    undo: Undo,
    target: String,
    /// Oldest first; at least one.
    merges: Vec<Landing>,
    /// Landings on the same branch after the first of these.
    later: Vec<Landing>,
}

impl Plan {
    fn of(landed: Vec<Landing>, undo: Undo, target: Option<String>) -> Result<Self, Error> {
        let unknown = |detail: String| {
            Error::invalid(ErrorCode::UnknownMerge, detail, "list what landed: GET /api/orchestration/merges")
        };
        match undo {
            Undo::Merge(id) => {
                let found = landed.iter().find(|one| one.id == id).cloned();
                let found = found.ok_or_else(|| unknown(format!("merge-{id} has not landed, or long ago")))?;
                let is_later = |one: &Landing| one.target == found.target && place(one) > place(&found);
                let later = landed.into_iter().filter(is_later).collect();
                Ok(Self { undo, target: found.target.clone(), merges: vec![found], later })
            }
            Undo::Since(at) => {
                let target = target.or_else(|| landed.last().map(|one| one.target.clone()));
                let target = target.ok_or_else(|| unknown("nothing has landed yet".to_owned()))?;
                let is_after = |one: &Landing| one.target == target && one.changed_at > at.0;
                let mut merges: Vec<Landing> = landed.into_iter().filter(is_after).collect();
                merges.sort_by_key(place);
                if merges.is_empty() {
                    return Err(unknown(format!("nothing landed on {target} after that moment")));
                }
                Ok(Self { undo, target, merges, later: Vec::new() })
            }
        }
    }

    fn message(&self) -> String {
        let names: Vec<String> = self.merges.iter().map(|one| format!("merge-{}", one.id)).collect();
        match (self.undo, self.merges.as_slice()) {
            (Undo::Merge(_), [one]) => {
                let first = one.message.lines().next().unwrap_or_default();
                format!("Undo \"{first}\"\n\nTakes back {}.", names.join(", "))
            }
            _ => format!("Undo {} landings\n\nTakes back {}.", names.len(), names.join(", ")),
        }
    }

    /// The commit of the turned change, in memory, the paths it changes, and which later landings changed them too.
    fn make(&self, store: &Store) -> Result<(ObjectId, Vec<String>, Vec<u64>), Error> {
        let commit = |landing: &Landing| {
            let to = landing.intent.as_ref().and_then(|intent| snapshots::object(&intent.to));
            to.ok_or_else(|| internal("a landing names no commit"))
        };
        let (Some(first), Some(last)) = (self.merges.first(), self.merges.last()) else {
            return Err(internal("nothing is to be taken back"));
        };
        let (first, last) = (commit(first)?, commit(last)?);
        let (stands, _) = store.read_commit(last).map_err(internal)?;
        let (_, parents) = store.read_commit(first).map_err(internal)?;
        let before = parents.first().ok_or_else(|| internal("a landing's commit has no parent"))?;
        let (before, _) = store.read_commit(*before).map_err(internal)?;
        let changed = paths(store, before, stands)?;
        let mut dependents = Vec::new();
        for landing in &self.later {
            let (tree, parents) = store.read_commit(commit(landing)?).map_err(internal)?;
            let Some(parent) = parents.first() else { continue };
            let (parent, _) = store.read_commit(*parent).map_err(internal)?;
            if !paths(store, parent, tree)?.is_disjoint(&changed) {
                dependents.push(landing.id);
            }
        }
        let author = snapshots::keep::author(&"operator".parse().map_err(internal)?, crate::engine::now().0);
        let work = store.commit(before, &[last], &author, &self.message()).map_err(internal)?;
        Ok((work, changed.into_iter().collect(), dependents))
    }
}

/// In the order in which they are on the branch, those of one batch, too.
fn place(landing: &Landing) -> Option<u64> {
    landing.intent.as_ref().map(|intent| intent.seq)
}

fn paths(store: &Store, from: ObjectId, to: ObjectId) -> Result<BTreeSet<String>, Error> {
    let changes = store.diff(from, to, false).map_err(internal)?;
    Ok(changes.into_iter().map(|change| change.path.to_string()).collect())
}
