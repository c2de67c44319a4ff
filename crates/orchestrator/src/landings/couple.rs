//! Putting what is next onto a train: who is chosen, merged onto what is before it, car by car.

use super::checks::{self, Checks};
use super::combine::{Combined, Sides, combine};
use super::finish::left_beside;
use super::footprints::footprint;
use super::moving::{NoLine, commit, line};
use super::runner::{Failed, Runner, record, requeue, stop, with_store};
use super::track::{Load, Member, Track};
use crate::Error;
use crate::mail::internal;
use orchestrator_landing::{Candidate, Command as Step, Footprint, Landing, Limits, Open, Queue, RAISE, order};
use orchestrator_protocol::MergeState;
use orchestrator_repository::ObjectId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What of those that wait decides who shares a car.
pub(super) struct Waiting {
    urgencies: BTreeMap<u64, i64>,
    footprints: BTreeMap<u64, Arc<Footprint>>,
}

impl Queue for Waiting {
    fn depends(&self, one: u64, other: u64) -> bool {
        match (self.footprints.get(&one), self.footprints.get(&other)) {
            (Some(one), Some(other)) => one.depends(other),
            _ => true,
        }
    }

    fn alike(&self, one: u64, other: u64) -> bool {
        self.urgencies.get(&one) == self.urgencies.get(&other)
    }

    /// What changes the gates is judged by the old ones, and what comes after it by the new ones.
    fn is_alone(&self, id: u64) -> bool {
        self.footprints.get(&id).is_none_or(|print| print.paths.iter().any(|path| checks::is_definition(path)))
    }
}

/// What came of putting one landing onto a train.
enum Joined {
    On(Box<Member>, BTreeSet<String>),
    /// It is recorded what became of it.
    Off,
}

impl Runner {
    /// Puts the next car onto a train. False when nothing can be put on at the moment.
    pub(super) async fn fill(&mut self) -> Result<bool, Failed> {
        let limits = self.limits();
        let free = limits.side_by_side.saturating_sub(self.running.len() + self.trials.waiting.len());
        if free == 0 {
            return Ok(false);
        }
        let window: Vec<Landing> =
            self.orchestrator.read(|state| state.landings.window().into_iter().cloned().collect()).await?;
        if window.is_empty() {
            return Ok(false);
        }
        self.read_footprints(&window).await?;
        let waiting = Waiting {
            urgencies: window.iter().map(|one| (one.id, one.urgency())).collect(),
            footprints: self.footprints.clone(),
        };
        let candidate = |one: &Landing| Candidate {
            id: one.id,
            priority: one.urgency(),
            footprint: waiting.footprints.get(&one.id).map(Arc::as_ref),
        };
        let ordered = order(&window.iter().map(candidate).collect::<Vec<_>>());
        self.orchestrator.shared.queue.order.lock().clone_from(&ordered);
        let by_id: BTreeMap<u64, &Landing> = window.iter().map(|one| (one.id, one)).collect();
        let ordered: Vec<&Landing> = ordered.iter().filter_map(|id| by_id.get(id).copied()).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for first in &ordered {
            if !seen.insert(&first.target) {
                continue;
            }
            let track = self.tracks.entry(first.target.clone()).or_default();
            let mut ids = Vec::new();
            for one in ordered.iter().filter(|one| one.target == first.target) {
                if !track.held.contains(&one.id) {
                    ids.push(one.id);
                } else if one.passed_over >= RAISE {
                    // It has been passed over often enough: nothing more goes before it.
                    break;
                }
            }
            let planned = track.train.plan(&ids, free, limits, &waiting);
            if !planned.is_empty() {
                return self.couple(&first.target.clone(), planned).await.map(|()| true);
            }
        }
        Ok(false)
    }

    pub(super) fn limits(&self) -> Limits {
        let options = &self.orchestrator.options().landing;
        Limits { side_by_side: options.side_by_side.max(1), batch: options.batch.max(1) }
    }

    /// Of those that wait and are not known yet.
    async fn read_footprints(&mut self, window: &[Landing]) -> Result<(), Error> {
        let ids: BTreeSet<u64> = window.iter().map(|one| one.id).collect();
        self.footprints.retain(|id, _| ids.contains(id));
        let unknown: Vec<Landing> =
            window.iter().filter(|one| !self.footprints.contains_key(&one.id)).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = with_store(&self.orchestrator, move |_, store| {
            let of = |one: &Landing| {
                let Some((branch, _)) = store.tip(&one.target).map_err(internal)? else {
                    return Ok(Footprint::default());
                };
                footprint(store, branch, Member::work(one)?)
            };
            // What cannot be read fails by itself when its turn comes.
            let found = unknown.iter().map(|one| (one.id, Arc::new(of(one).unwrap_or_else(|_: Error| unread()))));
            Ok(found.collect::<Vec<_>>())
        });
        self.footprints.extend(found.await?);
        Ok(())
    }

    /// Merges these onto the end of the train, one after the other, and has the end of them gated.
    async fn couple(&mut self, target: &str, planned: Vec<u64>) -> Result<(), Failed> {
        let Some(first) = planned.first().copied() else { return Ok(()) };
        let branch = target.to_owned();
        let found = with_store(&self.orchestrator, move |this, store| line(store, &branch, left_beside(this, &branch)));
        let found = found.await;
        let stands = self.tracks.entry(target.to_owned()).or_default().tip;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                // It is this one's failure, of which nobody else is to be refused.
                record(&self.orchestrator, Step::Begin { id: first, tip: String::new(), after: None }).await?;
                return Err(Failed { id: Some(first), error });
            }
        };
        let tip = match found {
            Ok(line) if stands.is_none_or(|stands| stands == line.tip) => line.tip,
            Err(gone) if stands.is_none() => return self.no_line(first, target, gone).await.map_err(Failed::of(first)),
            _ => {
                let reason = format!("{target} moved while it was checked");
                return self.begin_anew(target, &reason).await.map_err(Failed::of(first));
            }
        };
        self.tracks.entry(target.to_owned()).or_default().tip = Some(tip);
        let mut car: Vec<Member> = Vec::new();
        let mut changed: BTreeSet<String> = BTreeSet::new();
        let mut definitions = None;
        for id in planned {
            let track = self.tracks.entry(target.to_owned()).or_default();
            let before = (
                car.last().map(|last| last.landing.id).or(track.train.last()),
                car.last().map(|last| last.commit).or(track.end()).unwrap_or(tip),
            );
            let joined = self.join(id, tip, before, &mut changed, &mut definitions);
            if let Joined::On(member, paths) = joined.await.map_err(Failed::of(id))? {
                changed = paths;
                car.push(*member);
            }
        }
        let track = self.tracks.entry(target.to_owned()).or_default();
        let Some(last) = car.last().cloned() else {
            if track.train.is_empty() {
                track.tip = None;
            }
            return Ok(());
        };
        self.keys += 1;
        let key = self.keys;
        let checks = Checks::of(&definitions.unwrap_or_default(), &changed);
        let stop = CancellationToken::new();
        let ids: Vec<u64> = car.iter().map(|member| member.landing.id).collect();
        self.orchestrator.shared.queue.stops.lock().extend(ids.iter().map(|id| (*id, stop.clone())));
        track.members.extend(car.into_iter().map(|member| (member.landing.id, member)));
        track.train.couple(key, ids);
        let is_gated = !checks.gates.is_empty();
        track.loads.insert(key, Load { checks, stop, refusal: None });
        if is_gated {
            self.gate(target, key, last.landing.id, last.tree);
        } else {
            track.train.ended(key, true);
        }
        Ok(())
    }

    /// Merges one onto what is before it. What cannot be put there is out, if it cannot be put onto the branch, either;
    /// otherwise it is its turn when what is before it is over.
    async fn join(
        &mut self,
        id: u64,
        tip: ObjectId,
        (after, base): (Option<u64>, ObjectId),
        changed: &mut BTreeSet<String>,
        definitions: &mut Option<orchestrator_gates::Definitions>,
    ) -> Result<Joined, Error> {
        let orchestrator = self.orchestrator.clone();
        record(&orchestrator, Step::Begin { id, tip: base.to_string(), after }).await?;
        let Some(landing) = orchestrator.read(|state| state.landings.get(id).cloned()).await? else {
            return Ok(Joined::Off);
        };
        let (work, target) = (Member::work(&landing)?, landing.target.clone());
        let is_known = definitions.is_some();
        let (mut combined, mut defined) = with_store(&orchestrator, move |_, store| {
            let defined = if is_known { None } else { Some(checks::defined(store, base)?) };
            Ok((combine(store, Sides { tip: base, work })?, defined))
        })
        .await?;
        let is_refused = !matches!(combined, Combined::Whole(_)) || matches!(defined, Some(Err(_)));
        if is_refused && base != tip {
            let again = with_store(&orchestrator, move |_, store| {
                Ok((combine(store, Sides { tip, work })?, Some(checks::defined(store, tip)?)))
            });
            (combined, defined) = again.await?;
            if matches!((&combined, &defined), (Combined::Whole(_), Some(Ok(_)))) {
                self.tracks.entry(target).or_default().held.insert(id);
                requeue(&orchestrator, id, "it does not go together with what is about to land before it").await?;
                return Ok(Joined::Off);
            }
        }
        let whole = match combined {
            Combined::Whole(whole) => whole,
            Combined::Nothing => {
                let reason = format!("{target} holds all of it already: there is nothing to land");
                self.out(&target, id, MergeState::Rejected, reason, Vec::new()).await?;
                return Ok(Joined::Off);
            }
            Combined::Left(open) => {
                let paths = if open.len() == 1 {
                    "1 path collides".to_owned()
                } else {
                    format!("{} paths collide", open.len())
                };
                self.out(&target, id, MergeState::Conflict, format!("{paths} with what {target} has"), open).await?;
                return Ok(Joined::Off);
            }
        };
        match defined {
            Some(Ok(defined)) => *definitions = Some(defined),
            Some(Err(error)) => {
                let reason = format!("the gates cannot be read from orchestrator.toml of {target}: {error}");
                self.out(&target, id, MergeState::Rejected, reason, Vec::new()).await?;
                return Ok(Joined::Off);
            }
            None => {}
        }
        // The gates of a car are those that concern any of it.
        let mut paths = std::mem::take(changed);
        paths.extend(whole.changed.iter().cloned());
        let required = definitions.as_ref().map(|known| Checks::of(known, &paths).required()).unwrap_or_default();
        let (tree, count, settled, regions) = (whole.tree, whole.changed.len(), whole.settled, whole.regions);
        let merged = Step::Merged { id, tree: tree.to_string(), paths: count, settled, regions, required };
        record(&orchestrator, merged).await?;
        let wanted = landing.clone();
        let made = with_store(&orchestrator, move |this, store| commit(this, store, &wanted, base, tree)).await?;
        Ok(Joined::On(Box::new(Member { landing, work, tree, commit: made }), paths))
    }

    /// One is out for good.
    pub(super) async fn out(
        &mut self,
        target: &str,
        id: u64,
        state: MergeState,
        reason: String,
        open: Vec<Open>,
    ) -> Result<(), Error> {
        stop(&self.orchestrator, id, state, reason, open).await?;
        if let Some(track) = self.tracks.get_mut(target) {
            track.train.forget(id);
        }
        Ok(())
    }

    async fn no_line(&mut self, id: u64, target: &str, why: NoLine) -> Result<(), Error> {
        record(&self.orchestrator, Step::Begin { id, tip: String::new(), after: None }).await?;
        let (state, reason) = match why {
            NoLine::Gone => (MergeState::Rejected, format!("the branch {target} is gone")),
            NoLine::Apart => {
                let other = super::beside(target);
                let reason =
                    format!("{target} and {other} have each what the other has not: merge {other} into {target}");
                (MergeState::Waiting, reason)
            }
        };
        self.out(target, id, state, reason, Vec::new()).await
    }

    /// What is on its way to a branch is put onto it anew.
    pub(super) async fn begin_anew(&mut self, target: &str, reason: &str) -> Result<(), Error> {
        let Some(track) = self.tracks.get_mut(target) else { return Ok(()) };
        let cars = track.train.clear();
        track.drop_cars(&cars, &self.orchestrator);
        self.requeue_first(&cars, reason).await
    }

    /// The first of these begins anew, and with it all that stand on it.
    pub(super) async fn requeue_first(&self, cars: &[orchestrator_landing::Car], reason: &str) -> Result<(), Error> {
        match cars.first().and_then(|car| car.members.first()) {
            Some(first) => requeue(&self.orchestrator, *first, reason).await,
            None => Ok(()),
        }
    }
}

/// What could not be read depends on everything.
fn unread() -> Footprint {
    Footprint { paths: BTreeSet::from(["orchestrator.toml".to_owned()]), ..Footprint::default() }
}

/// Which of the tracks holds a car.
pub(super) fn track_of(tracks: &mut BTreeMap<String, Track>, key: u64) -> Option<(&String, &mut Track)> {
    tracks.iter_mut().find(|(_, track)| track.loads.contains_key(&key))
}
