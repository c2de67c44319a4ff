//! What is on its way to one branch: the train of cars, and what was made for them.

use super::checks::Checks;
use crate::mail::internal;
use crate::{Error, Orchestrator, snapshots};
use orchestrator_landing::{Car, GateRun, Landing, Train};
use orchestrator_repository::ObjectId;
use std::collections::{BTreeMap, BTreeSet};
use tokio_util::sync::CancellationToken;

/// A landing that was merged onto what is before it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// As it was when it began.
    pub(super) landing: Landing,
    pub(super) work: ObjectId,
    /// Merged with all before it.
    pub(super) tree: ObjectId,
    /// What the next is merged onto: as the commit that will land, without what its gates will say. In memory.
    pub(super) commit: ObjectId,
}

impl Member {
    pub(super) fn work(landing: &Landing) -> Result<ObjectId, Error> {
        snapshots::object(&landing.work).ok_or_else(|| internal("a landing's work is no object's id"))
    }
}

/// What did not pass, and why.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) reason: String,
    /// The gate that said so; nothing when it is in the way of a folder.
    pub(super) gate: Option<String>,
}

/// What a car has beside its place in the train.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) checks: Checks,
    pub(super) stop: CancellationToken,
    pub(super) refusal: Option<Refusal>,
}

/// What is on its way to one branch.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) train: Train,
    /// What the car in front was put onto; nothing before there is one.
    pub(super) tip: Option<ObjectId>,
    pub(super) members: BTreeMap<u64, Member>,
    /// By the car's key.
    pub(super) loads: BTreeMap<u64, Load>,
    /// What did not pass while it is looked for who did it, by tree and gate.
    pub(super) reds: BTreeMap<(String, String), GateRun>,
    /// Those that cannot be put onto what is on its way, and can be put onto the branch.
    pub(super) held: BTreeSet<u64>,
}

impl Track {
    /// What the next car is put onto.
    pub(super) fn end(&self) -> Option<ObjectId> {
        let last = self.train.last().and_then(|last| self.members.get(&last));
        last.map(|last| last.commit).or(self.tip)
    }

    /// Takes down what belongs to cars that are off the train; their gates are stopped.
    pub(super) fn drop_cars(&mut self, cars: &[Car], orchestrator: &Orchestrator) {
        let mut stops = orchestrator.shared.queue.stops.lock();
        for car in cars {
            if let Some(load) = self.loads.remove(&car.key) {
                load.stop.cancel();
            }
            for id in &car.members {
                self.members.remove(id);
                stops.remove(id);
            }
        }
        if self.train.is_empty() {
            self.tip = None;
        }
        self.held.clear();
    }
}
