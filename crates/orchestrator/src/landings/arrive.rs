//! The car in front: it passed and lands, or it did not and is taken apart.

use super::checks::Checks;
use super::combine::{Sides, join};
use super::couple::track_of;
use super::finish::{finish, left_beside, pin};
use super::gating::Outcome;
use super::moving::{Line, Move, choose, commit, line};
use super::runner::{AGAIN, Failed, Runner, record, requeue, with_store};
use super::told::tell;
use super::track::{Member, Refusal, Track};
use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Error, Orchestrator};
use orchestrator_landing::{Command as Step, Front, Landing};
use orchestrator_protocol::MergeState;
use orchestrator_repository::{ObjectId, Store};

/// After so many beginnings a landing whose branch keeps moving rests for a moment.
const HASTY: u32 = 20;

/// What the branch would become.
struct Prepared {
    step: Move,
    /// Each before the last, with its commit.
    with: Vec<(u64, String)>,
    onto: ObjectId,
}

impl Runner {
    /// The gates of a car ended.
    pub(super) fn gated(&mut self, key: u64, outcome: Outcome) -> Result<(), Failed> {
        let Some((_, track)) = track_of(&mut self.tracks, key) else { return Ok(()) };
        match outcome {
            Outcome::Passed => track.train.ended(key, true),
            Outcome::Refused { reason, gate, run } => {
                let car = track.train.cars().find(|car| car.key == key);
                let last = car.and_then(|car| car.members.last()).and_then(|last| track.members.get(last));
                if let Some(last) = last {
                    track.reds.insert((last.tree.to_string(), run.digest.clone()), *run);
                }
                if let Some(load) = track.loads.get_mut(&key) {
                    load.refusal = Some(Refusal { reason, gate: Some(gate) });
                }
                track.train.ended(key, false);
            }
            // Whoever was taken out is taken off, and the others begin anew.
            Outcome::Stopped => {
                let member = track.train.cars().find(|car| car.key == key).and_then(|car| car.members.first().copied());
                let cars = member.map(|member| track.train.cut(member)).unwrap_or_default();
                track.drop_cars(&cars, &self.orchestrator);
            }
            Outcome::Failed(error) => {
                let place = track.train.cars().position(|car| car.key == key);
                let car = track.train.cars().find(|car| car.key == key);
                let members = car.map(|car| car.members.clone()).unwrap_or_default();
                match (place, members.as_slice()) {
                    (Some(0), [id]) => return Err(Failed { id: Some(*id), error }),
                    // Of several, it is looked for whose fault it is, as if they had not passed.
                    (Some(0), _) => refuse(track, key, error.to_string()),
                    // It may be the fault of what is before it.
                    (_, [id, ..]) => {
                        let cars = track.train.cut(*id);
                        track.drop_cars(&cars, &self.orchestrator);
                        track.held.extend(cars.into_iter().flat_map(|car| car.members));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Does what the cars in front ask for. False when that is nothing.
    pub(super) async fn settle(&mut self) -> Result<bool, Failed> {
        let fronts: Vec<(String, Front)> =
            self.tracks.iter().map(|(target, track)| (target.clone(), track.train.front())).collect();
        let mut did = false;
        for (target, front) in fronts {
            match front {
                Front::Wait => continue,
                Front::Land(ids) => {
                    let last = ids.last().copied().unwrap_or_default();
                    self.land(&target, &ids).await.map_err(Failed::of(last))?;
                }
                Front::Refuse(ids) => {
                    let last = ids.last().copied().unwrap_or_default();
                    self.refuse(&target, &ids).await.map_err(Failed::of(last))?;
                }
            }
            did = true;
        }
        Ok(did)
    }

    /// The car in front did not pass. Of several, it is looked for who did it; one is out.
    async fn refuse(&mut self, target: &str, ids: &[u64]) -> Result<(), Error> {
        let Some(track) = self.tracks.get_mut(target) else { return Ok(()) };
        let key = track.train.cars().next().map(|car| car.key);
        let load = key.and_then(|key| track.loads.remove(&key));
        let member = ids.first().and_then(|id| track.members.get(id).cloned());
        let tip = track.tip;
        let cars = track.train.refused();
        track.drop_cars(&cars, &self.orchestrator);
        let (reason, gate, checks) = match load {
            Some(load) => {
                let refusal = load.refusal.unwrap_or(Refusal { reason: "it did not pass".to_owned(), gate: None });
                (refusal.reason, refusal.gate, load.checks)
            }
            None => ("it did not pass".to_owned(), None, Checks::default()),
        };
        if ids.len() > 1 {
            let reason = format!("{reason} with {} others; it is looked for who did it", ids.len() - 1);
            return self.requeue_first(&cars, &reason).await;
        }
        track.reds.clear();
        let Some((member, tip)) = member.zip(tip) else { return self.requeue_first(&cars, &reason).await };
        // Those behind it are put onto the branch without it.
        let behind = cars.get(1).and_then(|car| car.members.first().copied());
        let id = member.landing.id;
        let Some(gate) = gate else {
            return self.out(target, id, MergeState::Waiting, reason, Vec::new()).await;
        };
        let own = with_store(&self.orchestrator, move |_, store| {
            let is_on_tip = store.merge_base(tip, member.work).map_err(internal)? == Some(tip);
            let (tree, _) = store.read_commit(member.work).map_err(internal)?;
            Ok((!is_on_tip).then_some(tree))
        });
        match own.await? {
            // Of work on the newest commit that is the merge itself.
            None => self.out(target, id, MergeState::Rejected, reason, Vec::new()).await,
            Some(tree) => {
                if let Some(behind) = behind {
                    let reason = format!("merge-{id}, which it was merged onto, did not pass");
                    requeue(&self.orchestrator, behind, &reason).await?;
                }
                let gates = checks.gates.into_iter().filter(|one| one.name == gate).collect();
                self.try_alone(target, id, tree, Checks { gates, ..checks_of(checks.definitions) }, reason);
                Ok(())
            }
        }
    }

    /// The car in front passed on what the branch is with it.
    async fn land(&mut self, target: &str, ids: &[u64]) -> Result<(), Error> {
        let Some(track) = self.tracks.get(target) else { return Ok(()) };
        let members: Vec<Member> = ids.iter().filter_map(|id| track.members.get(id).cloned()).collect();
        let (Some(last), Some(tip)) = (members.last().cloned(), track.tip) else {
            return self.begin_anew(target, "it was cut off and begins anew").await;
        };
        let id = last.landing.id;
        // With their gates. Somebody may have been taken out at this moment.
        let wanted = ids.to_vec();
        let known = self.orchestrator.read(move |state| {
            let known = wanted.iter().filter_map(|id| state.landings.get(*id)).filter(|one| one.is_in_work());
            known.cloned().collect::<Vec<Landing>>()
        });
        let known = known.await?;
        if known.len() != members.len() {
            return Ok(());
        }
        let attempts = known.last().map(|last| last.attempts).unwrap_or_default();
        let backup = format!("refs/landing/before-{id}-{attempts}-{}", crate::engine::now().0);
        let (name, trees) = (backup.clone(), members.iter().map(|member| member.tree).collect::<Vec<_>>());
        let prepared = match prove_again(&self.orchestrator, tip, members.clone()).await {
            Ok(()) => {
                with_store(&self.orchestrator, move |this, store| prepare(this, store, tip, (known, trees), &name))
                    .await
            }
            Err(error) => Err(error),
        };
        let prepared = match prepared {
            // Of several, it is looked for whose fault it is.
            Err(error @ Error::Internal(_)) if members.len() > 1 => Some(Err(error.to_string())),
            other => other?,
        };
        match prepared {
            None => {
                if attempts.is_multiple_of(HASTY) {
                    tokio::time::sleep(AGAIN).await;
                }
                self.begin_anew(target, &format!("{target} moved while it was checked")).await
            }
            // A folder is in the way, of one of them at least.
            Some(Err(reason)) => {
                let Some(track) = self.tracks.get_mut(target) else { return Ok(()) };
                let key = track.train.cars().next().map(|car| car.key);
                if let Some(key) = key {
                    refuse(track, key, reason);
                }
                Ok(())
            }
            Some(Ok(Prepared { step, with, onto })) => {
                let (from, to) = (step.from.map(|from| from.to_string()), step.to.to_string());
                let (branch, onto, tree) = (step.branch, onto.to_string(), last.tree.to_string());
                let intend = Step::Intend { id, with, onto, branch, from, to, tree, backup };
                record(&self.orchestrator, intend).await?;
                let meant = self.orchestrator.read(move |state| state.landings.get(id).cloned()).await?;
                if let Some(landing) = meant {
                    finish(&self.orchestrator, &landing).await?;
                }
                let (to, orchestrator) = (step.to, self.orchestrator.clone());
                if self.arrived(target, id, to).await? {
                    tokio::spawn(tell(orchestrator, tip, members));
                }
                Ok(())
            }
        }
    }

    /// The next is in front, on what the branch is now; or the branch has not moved, and all begin anew.
    async fn arrived(&mut self, target: &str, id: u64, to: ObjectId) -> Result<bool, Error> {
        let landed = self
            .orchestrator
            .read(move |state| state.landings.get(id).map(|one| one.state) == Some(MergeState::Landed));
        let landed = landed.await?;
        let Some(track) = self.tracks.get_mut(target) else { return Ok(landed) };
        if !landed {
            let cars = track.train.clear();
            track.drop_cars(&cars, &self.orchestrator);
            return Ok(false);
        }
        let car = track.train.cars().next().cloned();
        track.train.landed();
        track.drop_cars(car.as_slice(), &self.orchestrator);
        track.tip = (!track.train.is_empty()).then_some(to);
        if track.train.suspects().is_empty() {
            track.reds.clear();
        }
        Ok(true)
    }
}

/// A car cannot land, and no gate says why.
fn refuse(track: &mut Track, key: u64, reason: String) {
    if let Some(load) = track.loads.get_mut(&key) {
        load.refusal = Some(Refusal { reason, gate: None });
    }
    track.train.ended(key, false);
}

fn checks_of(definitions: orchestrator_gates::Definitions) -> Checks {
    Checks { gates: Vec::new(), definitions }
}

/// The same trees by a second way: merged anew with the sides swapped, each onto what the one before it gave, by a store
/// that holds nothing of the first.
async fn prove_again(orchestrator: &Orchestrator, tip: ObjectId, members: Vec<Member>) -> Result<(), Error> {
    let again = orchestrator.blocking(move |this| {
        let store = Store::open(&this.options().project).map_err(refused)?;
        let mut below = tip;
        for Member { landing, work, tree, .. } in members {
            let again = join(&store, Sides { tip: work, work: below })?.tree;
            if again != tree {
                let id = landing.id;
                return Err(internal(format!("merge-{id}: {work} onto {below} gives {tree}, and swapped {again}")));
            }
            below = commit(this, &store, &landing, below, tree)?;
        }
        Ok(())
    });
    again.await
}

/// Everything is proved: the commits are made, the branch is chosen, and what it was is kept. Nothing when it stands
/// elsewhere; an error text when nothing can be moved.
fn prepare(
    orchestrator: &Orchestrator,
    store: &Store,
    tip: ObjectId,
    (known, trees): (Vec<Landing>, Vec<ObjectId>),
    backup: &str,
) -> Result<Option<Result<Prepared, String>>, Error> {
    let Some(last) = known.last() else { return Ok(None) };
    let found = line(store, &last.target, left_beside(orchestrator, &last.target))?;
    let Ok(line @ Line { tip: stands, .. }) = found else { return Ok(None) };
    if stands != tip {
        return Ok(None);
    }
    let batch: Vec<u64> = known.iter().map(|one| one.id).collect();
    let tree = trees.last().map(ToString::to_string).unwrap_or_default();
    let (mut below, mut commits) = (tip, Vec::new());
    for (landing, own) in known.iter().zip(&trees) {
        // One of a batch has the gates of the last.
        let mut landing = Landing { gates: last.gates.clone(), ..landing.clone() };
        if batch.len() > 1 {
            landing.batch = Some(orchestrator_landing::Batch { members: batch.clone(), tree: tree.clone() });
        }
        below = commit(orchestrator, store, &landing, below, *own)?;
        commits.push((landing.id, below.to_string()));
    }
    let chosen = choose(orchestrator, store, last, line, below)?;
    let step = match chosen {
        Ok(step) => step,
        Err(reason) => return Ok(Some(Err(reason))),
    };
    store.keep(&[(backup.to_owned(), step.from.unwrap_or(line.tip))]).map_err(internal)?;
    store.publish(below).map_err(internal)?;
    // Until a branch holds it.
    store.pin(&pin(last.id), below).map_err(internal)?;
    commits.pop();
    Ok(Some(Ok(Prepared { step, with: commits, onto: line.tip })))
}
