//! Letting go of what need not be kept, and finishing what a crash left half done.

use super::keep::pin;
use super::ledger::{Command, Record, parts};
use super::object;
use crate::{Actor, Error, Orchestrator, State};
use orchestrator_protocol::{AgentId, SnapshotKind};
use orchestrator_repository::{self as repository, ObjectId, Store};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::OwnedMutexGuard;

/// Why a snapshot is kept that a crash left without a record.
pub(crate) const FOUND: &str = "found";

/// Drops what the retention lets go, from the log first and then from the store; answers with how many went. One at a
/// time, and never while something is kept: a pin must not go that is just wanted again, and a ref that is about to be
/// recorded is none that a crash left. Nothing is answered when something is being written into a workspace or pushed:
/// it is to be tried again after that.
///
/// # Errors
/// The disk or the log refuses. It is to be tried again.
pub(crate) async fn run(
    orchestrator: &Orchestrator,
    store: &Store,
    tip: Option<(ObjectId, ObjectId)>,
    is_first: bool,
) -> Result<Option<usize>, Error> {
    if is_first {
        let Some(_alone) = alone(orchestrator) else { return Ok(None) };
        let found = blocking(orchestrator, store, find).await?;
        for record in found {
            tracing::warn!(name = record.name, "a snapshot was durable and not recorded: recording it");
            submit(orchestrator, Command::Keep(Box::new(record))).await?;
        }
    }
    let landed = blocking(orchestrator, store, move |this, store| Ok(landed(this, store, tip))).await?;
    let retention = orchestrator.options().snapshots.retention;
    submit(orchestrator, Command::Retire { retention, landed }).await?;
    // Flushed: what is dropped in the state is dropped in the log.
    let dropping = orchestrator.read(|state| state.snapshots.dropping().map(|(id, _)| id).collect::<Vec<_>>()).await?;
    if !dropping.is_empty() {
        let Some(_alone) = alone(orchestrator) else { return Ok(None) };
        blocking(orchestrator, store, remove).await?;
        submit(orchestrator, Command::Gone { snapshots: dropping.clone() }).await?;
    }
    let results = crate::resolving::upkeep::run(orchestrator, store).await?;
    Ok(results.map(|results| results + dropping.len()))
}

/// Keeps pushes, pulls, restores and removals away. Never waits for them: a removal waits for this to end.
pub(crate) fn alone(orchestrator: &Orchestrator) -> Option<OwnedMutexGuard<()>> {
    orchestrator.shared.workspaces.clone().try_lock_owned().ok()
}

async fn submit(orchestrator: &Orchestrator, command: Command) -> Result<(), Error> {
    orchestrator.submit(Actor::System, crate::Command::Snapshots(command)).await.map(drop)
}

pub(crate) async fn blocking<T: Send + 'static>(
    orchestrator: &Orchestrator,
    store: &Store,
    work: impl FnOnce(&Orchestrator, &Store) -> Result<T, repository::Error> + Send + 'static,
) -> Result<T, Error> {
    let (this, store) = (orchestrator.clone(), store.clone());
    let done = tokio::task::spawn_blocking(move || work(&this, &store)).await;
    done.map_err(crate::mail::internal)?.map_err(crate::mail::internal)
}

/// Looks whether what is recorded is there, and finds what is there and not recorded.
fn find(orchestrator: &Orchestrator, store: &Store) -> Result<Vec<Record>, repository::Error> {
    let refs: BTreeMap<String, ObjectId> = store.refs("refs/")?.into_iter().collect();
    let (known, agents, lost) = {
        let core = orchestrator.shared.core.lock();
        let snapshots = &core.state.snapshots;
        let lost = snapshots.kept().filter(|(_, record)| !refs.contains_key(&record.name));
        let lost: Vec<String> = lost.map(|(id, record)| super::wire_id(record.kind, id)).collect();
        let known: BTreeSet<String> =
            snapshots.kept().chain(snapshots.dropping()).map(|(_, record)| record.name.clone()).collect();
        (known, agents(&core.state), lost)
    };
    let degradations = &orchestrator.shared.degradations;
    if lost.is_empty() {
        degradations.clear("snapshot_lost");
    } else {
        let reason = format!("{} of the snapshots have no ref in the store, such as {}", lost.len(), lost[0]);
        degradations.raise("snapshot_lost", reason, "bring back work.git of the state folder from a backup");
    }
    let mut found = Vec::new();
    for (name, commit) in refs.into_iter().filter(|(name, _)| !known.contains(name)) {
        let Some((number, at)) = parts(&name) else { continue };
        let Some(agent) = agents.get(&number) else { continue };
        let (_, parents) = store.read_commit(commit)?;
        let base = parents.first().map(ToString::to_string);
        let kind = if name.starts_with("refs/work/") { SnapshotKind::Work } else { SnapshotKind::Backup };
        let base_pin = base.clone().filter(|_| kind == SnapshotKind::Work);
        let record = Record::backup(agent, &name, FOUND, at);
        let commit = Some(commit.to_string());
        found.push(Record { kind, commit, head: base, base: base_pin, ..record });
    }
    Ok(found)
}

/// The agents behind the numbers in refs.
fn agents(state: &State) -> BTreeMap<u64, AgentId> {
    let kept = state.snapshots.kept().map(|(_, record)| (record.number, record.agent.clone()));
    let made = state.registry.made().map(|made| (made.number, made.agent.clone()));
    let here = state.registry.agents().map(|agent| (agent.number, agent.id.clone()));
    kept.chain(made).chain(here).collect()
}

/// Snapshots of agents that left whose work the target branch holds: merging them changes nothing.
fn landed(orchestrator: &Orchestrator, store: &Store, tip: Option<(ObjectId, ObjectId)>) -> BTreeSet<u64> {
    let Some((tip, tip_tree)) = tip else { return BTreeSet::new() };
    let old: Vec<(u64, ObjectId)> = {
        let core = orchestrator.shared.core.lock();
        let here: BTreeSet<u64> = core.state.registry.agents().map(|agent| agent.number).collect();
        let now = crate::engine::now().0;
        let term = i64::try_from(orchestrator.options().snapshots.retention.work.as_millis()).unwrap_or(i64::MAX);
        let left = core.state.snapshots.kept().filter(|(_, record)| !here.contains(&record.number));
        let old = left.filter(|(_, record)| now.saturating_sub(record.at) > term);
        old.filter_map(|(id, record)| Some((id, object(record.commit.as_deref()?)?))).collect()
    };
    let has_landed = |commit: ObjectId| -> Result<bool, repository::Error> {
        let (tree, _) = store.read_commit(commit)?;
        let Some(base) = store.merge_base(commit, tip)? else { return Ok(false) };
        let merged = store.merge_trees(store.read_commit(base)?.0, tip_tree, tree)?;
        Ok(merged.conflicts.is_empty() && merged.tree == tip_tree)
    };
    old.into_iter().filter(|(_, commit)| has_landed(*commit).unwrap_or(false)).map(|(id, _)| id).collect()
}

/// Removes the refs of what was dropped, and the pins that nothing stands on any more.
fn remove(orchestrator: &Orchestrator, store: &Store) -> Result<(), repository::Error> {
    let (dropping, bases) = {
        let core = orchestrator.shared.core.lock();
        let snapshots = &core.state.snapshots;
        let dropping: Vec<Record> = snapshots.dropping().map(|(_, record)| record.clone()).collect();
        let bases: BTreeSet<String> = snapshots.kept().filter_map(|(_, record)| record.base.clone()).collect();
        (dropping, bases)
    };
    for record in dropping {
        store.remove_ref(&record.name)?;
        if let Some(base) = record.base.filter(|base| !bases.contains(base)) {
            store.unpin(&pin(&base))?;
        }
        if let Some(short) = record.name.strip_prefix("refs/backup/") {
            store.unpin(&format!("backup-{short}"))?;
        }
    }
    Ok(())
}
