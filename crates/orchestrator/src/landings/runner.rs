//! The loop that works the queue off. What it does is in the log step by step, so it can be cut off anywhere.

use super::combine::{Combined, Sides, combine, join};
use super::failures::Failures;
use super::finish::{finish, left_beside, pin};
use super::moving::{Line, Move, NoLine, choose, commit, in_the_way, line};
use super::{Dirty, checks};
use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Actor, Command, Error, Orchestrator, snapshots};
use orchestrator_gates::{Definitions, Gate};
use orchestrator_landing::{Command as Step, GateRun, Landing, Open};
use orchestrator_protocol::MergeState;
use orchestrator_repository::{ObjectId, Store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often what waits is looked at, and what failed is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(2);
/// What a gate whose run was given up may still write to its folder within.
const DYING: Duration = Duration::from_millis(500);
/// After so many beginnings a landing whose branch keeps moving rests for a moment.
const HASTY: u32 = 20;

/// How a landing's turn ended.
pub(super) enum Turn {
    /// It is recorded how.
    Told,
    /// Somebody took the landing out.
    Cancelled,
}

/// Works the queue off until the server stops.
pub(crate) async fn run(orchestrator: Orchestrator) {
    let queue = orchestrator.shared.queue.clone();
    if orchestrator.options().project.git_common_dir().is_none() {
        return;
    }
    let mut failures = Failures::default();
    let work = async {
        // Gates of a server that was killed a moment ago may still be dying.
        tokio::time::sleep(DYING).await;
        let mut cleared = false;
        loop {
            if !cleared {
                cleared = clear_locks(&orchestrator).await;
            }
            match step(&orchestrator).await {
                Ok(true) => {
                    orchestrator.shared.degradations.clear("landing");
                    continue;
                }
                Ok(false) => {}
                Err(Error::ShuttingDown) => return,
                Err(error) => {
                    let cure = "tried again every 2 s; after three times the merge is refused, and the others go on";
                    orchestrator.shared.degradations.raise("landing", error.to_string(), cure);
                    tokio::time::sleep(AGAIN).await;
                    if let Err(error) = failures.count(&orchestrator, &error).await {
                        tracing::warn!(%error, "a landing that cannot go on could not be refused; trying again");
                    }
                }
            }
            let _woken = tokio::time::timeout(AGAIN, queue.look.notified()).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = queue.end.cancelled() => {}
    }
}

/// Clears what an earlier run of the server left locked, but not before a branch that it was moving has moved: until then
/// the index of the folder may be ahead of it.
async fn clear_locks(orchestrator: &Orchestrator) -> bool {
    let moving = |one: &Landing| one.is_in_work() && one.intent.is_some();
    match orchestrator.read(move |state| state.landings.open().any(moving)).await {
        Ok(false) => {}
        Ok(true) | Err(_) => return false,
    }
    let done = orchestrator.blocking(|this| this.options().project.clear_locks().map_err(internal)).await;
    if let Err(error) = done {
        let cure = "remove the old *.lock by hand; then restart";
        orchestrator.shared.degradations.raise("locks", error.to_string(), cure);
    }
    true
}

/// Does what is next; false when there is nothing.
async fn step(orchestrator: &Orchestrator) -> Result<bool, Error> {
    let (in_work, next, waiting) = orchestrator
        .read(|state| {
            let in_work = state.landings.open().find(|one| one.is_in_work()).cloned();
            let waits = |one: &&Landing| one.state == MergeState::Waiting;
            let waiting: Vec<Landing> = state.landings.open().filter(waits).cloned().collect();
            (in_work, state.landings.next().cloned(), waiting)
        })
        .await?;
    if let Some(landing) = in_work {
        // An earlier run of the server, or a step of this one, was cut off.
        match landing.intent {
            Some(_) => finish(orchestrator, &landing).await?,
            None => requeue(orchestrator, landing.id, "it was cut off and begins anew").await?,
        }
        return Ok(true);
    }
    for landing in waiting {
        // What cannot be looked at begins anew, and fails by itself.
        if is_free(orchestrator, &landing).await.unwrap_or(true) {
            requeue(orchestrator, landing.id, "nothing is in the way any more").await?;
            return Ok(true);
        }
    }
    let Some(landing) = next else { return Ok(false) };
    let cancelled = CancellationToken::new();
    orchestrator.shared.queue.stops.lock().insert(landing.id, cancelled.clone());
    let turn = land(orchestrator, &landing, &cancelled).await;
    orchestrator.shared.queue.stops.lock().remove(&landing.id);
    match turn {
        Ok(Turn::Told) => Ok(true),
        Ok(Turn::Cancelled) => {
            tokio::time::sleep(DYING).await;
            Ok(true)
        }
        // A step that may not follow any more: it was taken out at that moment.
        Err(Error::Landing(_)) if !is_in_work(orchestrator, landing.id).await? => Ok(true),
        Err(error) => Err(error),
    }
}

async fn is_in_work(orchestrator: &Orchestrator, id: u64) -> Result<bool, Error> {
    orchestrator.read(|state| state.landings.get(id).is_some_and(Landing::is_in_work)).await
}

pub(super) async fn record(orchestrator: &Orchestrator, step: Step) -> Result<(), Error> {
    orchestrator.submit(Actor::System, Command::Landing(step)).await.map(drop)
}

pub(super) async fn requeue(orchestrator: &Orchestrator, id: u64, reason: &str) -> Result<(), Error> {
    record(orchestrator, Step::Requeue { id, reason: reason.to_owned() }).await
}

/// The landing's turn ends, and it is said why.
pub(super) async fn stop(
    orchestrator: &Orchestrator,
    id: u64,
    state: MergeState,
    reason: String,
    open: Vec<Open>,
) -> Result<Turn, Error> {
    record(orchestrator, Step::Stop { id, state, reason, open }).await.map(|()| Turn::Told)
}

pub(super) async fn with_store<T: Send + 'static>(
    orchestrator: &Orchestrator,
    work: impl FnOnce(&Orchestrator, &Store) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    orchestrator
        .blocking(move |this| {
            let store = this.shared.following.store(&this.options().project).map_err(refused)?;
            work(this, &store)
        })
        .await
}

/// One landing from its merge to its end.
async fn land(orchestrator: &Orchestrator, landing: &Landing, cancelled: &CancellationToken) -> Result<Turn, Error> {
    let (id, target) = (landing.id, landing.target.clone());
    let found = with_store(orchestrator, move |this, store| line(store, &target, left_beside(this, &target))).await?;
    let tip = found.as_ref().map(|line| line.tip.to_string()).unwrap_or_default();
    record(orchestrator, Step::Begin { id, tip }).await?;
    let target = &landing.target;
    let line = match found {
        Ok(line) => line,
        Err(NoLine::Gone) => {
            let reason = format!("the branch {target} is gone");
            return stop(orchestrator, id, MergeState::Rejected, reason, Vec::new()).await;
        }
        Err(NoLine::Apart) => {
            let other = super::beside(target);
            let reason = format!("{target} and {other} have each what the other has not: merge {other} into {target}");
            return stop(orchestrator, id, MergeState::Waiting, reason, Vec::new()).await;
        }
    };
    let work = snapshots::object(&landing.work).ok_or_else(|| internal("a landing's work is no object's id"))?;
    let sides = Sides { tip: line.tip, work };
    let whole = match with_store(orchestrator, move |_, store| combine(store, sides)).await? {
        Combined::Whole(whole) => whole,
        Combined::Nothing => {
            let reason = format!("{target} holds all of it already: there is nothing to land");
            return stop(orchestrator, id, MergeState::Rejected, reason, Vec::new()).await;
        }
        Combined::Left(open) => {
            let paths =
                if open.len() == 1 { "1 path collides".to_owned() } else { format!("{} paths collide", open.len()) };
            let reason = format!("{paths} with what {target} has");
            return stop(orchestrator, id, MergeState::Conflict, reason, open).await;
        }
    };
    let definitions = match with_store(orchestrator, move |_, store| checks::defined(store, line.tip)).await? {
        Ok(definitions) => definitions,
        Err(error) => {
            let reason = format!("the gates cannot be read from orchestrator.toml of {target}: {error}");
            return stop(orchestrator, id, MergeState::Rejected, reason, Vec::new()).await;
        }
    };
    let gates: Vec<_> = checks::concerning(&definitions, &whole.changed).cloned().collect();
    let required = gates.iter().filter(|gate| gate.required).map(|gate| checks::digest(gate, &definitions)).collect();
    let (tree, tree_id, paths) = (whole.tree.to_string(), whole.tree, whole.changed.len());
    record(orchestrator, Step::Merged { id, tree: tree.clone(), paths, settled: whole.settled, required }).await?;
    for gate in &gates {
        let run = match checks::known(orchestrator, &tree, &checks::digest(gate, &definitions)) {
            Some(run) => GateRun { cached: true, name: gate.name.clone(), required: gate.required, ..run },
            None => match checks::run(orchestrator, id, tree_id, (gate, &definitions), cancelled).await? {
                Some(run) => run,
                None => return Ok(Turn::Cancelled),
            },
        };
        let objection = checks::objection(&run);
        record(orchestrator, Step::GateEnded { id, run }).await?;
        let Some(reason) = objection else { continue };
        // Two sides that pass alone and not together collide, though no line does.
        let alone = passes_alone(orchestrator, id, sides, (gate, &definitions), cancelled).await?;
        let Some(alone) = alone else { return Ok(Turn::Cancelled) };
        return match alone {
            false => stop(orchestrator, id, MergeState::Rejected, reason, Vec::new()).await,
            true => {
                let reason = format!("{reason}, and passes on the work alone: it does not go together with {target}");
                stop(orchestrator, id, MergeState::Conflict, reason, Vec::new()).await
            }
        };
    }
    prove_again(orchestrator, sides, tree_id).await?;
    begin_to_move(orchestrator, id, line, tree_id).await
}

/// Whether a gate that did not pass on the merge passes on the work as its agent has it; nothing when it was stopped. Of
/// work on the newest commit that is the merge itself.
async fn passes_alone(
    orchestrator: &Orchestrator,
    id: u64,
    sides: Sides,
    (gate, definitions): (&Gate, &Definitions),
    stopped: &CancellationToken,
) -> Result<Option<bool>, Error> {
    let own = with_store(orchestrator, move |_, store| {
        let is_on_tip = store.merge_base(sides.tip, sides.work).map_err(internal)? == Some(sides.tip);
        let (tree, _) = store.read_commit(sides.work).map_err(internal)?;
        Ok((!is_on_tip).then_some(tree))
    });
    let Some(tree) = own.await? else { return Ok(Some(false)) };
    let again = Gate { name: format!("{}.alone", gate.name), ..gate.clone() };
    let run = checks::run(orchestrator, id, tree, (&again, definitions), stopped).await?;
    Ok(run.map(|run| checks::objection(&run).is_none()))
}

/// The same tree by a second way: merged anew with the sides swapped, by a store that holds nothing of the first.
async fn prove_again(orchestrator: &Orchestrator, sides: Sides, tree: ObjectId) -> Result<(), Error> {
    let swapped = Sides { tip: sides.work, work: sides.tip };
    let again = orchestrator.blocking(move |this| {
        let store = Store::open(&this.options().project).map_err(refused)?;
        join(&store, swapped).map(|joined| joined.tree)
    });
    match again.await? {
        again if again == tree => Ok(()),
        again => Err(internal(format!("the merge of {sides:?} gives {tree}, and swapped {again}"))),
    }
}

/// Everything is proved: the branch is chosen, the intent recorded, and carried out.
async fn begin_to_move(orchestrator: &Orchestrator, id: u64, line: Line, tree: ObjectId) -> Result<Turn, Error> {
    // With its gates.
    let known = orchestrator.read(|state| state.landings.get(id).cloned()).await?;
    let Some(landing) = known.filter(Landing::is_in_work) else { return Ok(Turn::Cancelled) };
    let backup = format!("refs/landing/before-{id}-{}", landing.attempts);
    let (name, wanted, target) = (backup.clone(), landing.clone(), landing.target.clone());
    let prepared = with_store(orchestrator, move |this, store| {
        if self::line(store, &target, left_beside(this, &target))? != Ok(line) {
            return Ok(None);
        }
        let to = commit(this, store, &wanted, line.tip, tree)?;
        let chosen = choose(this, store, &wanted, line, to)?;
        if let Ok(step) = &chosen {
            store.keep(&[(name, step.from.unwrap_or(line.tip))]).map_err(internal)?;
            store.publish(to).map_err(internal)?;
            // Until a branch holds it.
            store.pin(&pin(id), to).map_err(internal)?;
        }
        Ok(Some(chosen))
    });
    match prepared.await? {
        None => {
            if landing.attempts.is_multiple_of(HASTY) {
                tokio::time::sleep(AGAIN).await;
            }
            requeue(orchestrator, id, &format!("{} moved while it was checked", landing.target)).await?;
        }
        Some(Err(reason)) => return stop(orchestrator, id, MergeState::Waiting, reason, Vec::new()).await,
        Some(Ok(Move { branch, from, to, .. })) => {
            let (from, to) = (from.map(|from| from.to_string()), to.to_string());
            record(orchestrator, Step::Intend { id, branch, from, to, tree: tree.to_string(), backup }).await?;
            let meant = orchestrator.read(|state| state.landings.get(id).cloned()).await?;
            if let Some(landing) = meant {
                finish(orchestrator, &landing).await?;
            }
        }
    }
    Ok(Turn::Told)
}

/// Whether what waits can go on.
async fn is_free(orchestrator: &Orchestrator, landing: &Landing) -> Result<bool, Error> {
    let landing = landing.clone();
    with_store(orchestrator, move |this, store| {
        let line = match line(store, &landing.target, left_beside(this, &landing.target))? {
            Ok(line) => line,
            // It begins anew, and is told so.
            Err(NoLine::Gone) => return Ok(true),
            Err(NoLine::Apart) => return Ok(false),
        };
        let [tip, tree] = [&landing.tip, &landing.tree].map(|text| text.as_deref().and_then(snapshots::object));
        let (Some(tip), Some(tree)) = (tip, tree) else { return Ok(true) };
        if line.tip != tip || this.options().landing.dirty == Dirty::Branch {
            return Ok(true);
        }
        let to = commit(this, store, &landing, tip, tree)?;
        let step = Move { branch: landing.target, from: Some(line.target), to, message: String::new() };
        Ok(in_the_way(this, store, &step)?.is_empty())
    })
    .await
}
