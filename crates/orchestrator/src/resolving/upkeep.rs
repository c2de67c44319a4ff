//! Letting go of merged results that nobody needs any longer: first the log says so, then the refs go.

use super::kept::REFS;
use super::retention::{KeptResult, number};
use crate::snapshots::upkeep::{alone, blocking};
use crate::{Actor, Command, Error, Orchestrator, State};
use orchestrator_repository::{self as repository, Store};
use std::collections::BTreeSet;

/// Drops what the retention lets go; answers with how many refs went. Nothing is answered while a conflict is settled or
/// a result pulled: it is to be tried again after that.
///
/// # Errors
/// The disk or the log refuses. It is to be tried again.
pub(crate) async fn run(orchestrator: &Orchestrator, store: &Store) -> Result<Option<usize>, Error> {
    let Some(_alone) = alone(orchestrator) else { return Ok(None) };
    let kept = blocking(orchestrator, store, |_, store| kept(store)).await?;
    if kept.is_empty() {
        return Ok(Some(0));
    }
    let term = orchestrator.options().snapshots.retention.results;
    let names: Vec<String> = kept.iter().map(|one| one.name.clone()).collect();
    let command = Command::RetireResults { kept, term };
    orchestrator.submit(Actor::System, command).await?;
    // Flushed: what is dropped in the state is dropped in the log. What a crash left of an earlier time goes, too.
    let needed = orchestrator.read(needed).await?;
    let over: Vec<String> = names.into_iter().filter(|name| !needed.contains(name)).collect();
    let count = over.len();
    blocking(orchestrator, store, move |_, store| over.iter().try_for_each(|name| store.remove_ref(name).map(drop)))
        .await?;
    Ok(Some(count))
}

/// The refs that records name.
fn needed(state: &State) -> BTreeSet<String> {
    state.conflict.conflicts().all().filter_map(|(_, record)| Some(record.kept()?.kept.clone())).collect()
}

/// What the store keeps. A name that is not ours stays.
fn kept(store: &Store) -> Result<Vec<KeptResult>, repository::Error> {
    let ours = store.refs(REFS)?.into_iter().filter_map(|(name, commit)| Some((number(&name)?, name, commit)));
    let read = |(conflict, name, commit)| {
        let at = store.committed_at(commit)?.saturating_mul(1_000);
        Ok(KeptResult { conflict, name, at })
    };
    ours.map(read).collect()
}
