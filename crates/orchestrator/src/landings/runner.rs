//! The loop that works the queue off. What it does is in the log step by step, so it can be cut off anywhere.

use super::failures::Failures;
use super::finish::{finish, left_beside};
use super::gating::{self, DYING, Job, Outcome};
use super::moving::{NoLine, choose, commit, line};
use super::track::Track;
use super::trials::Trials;
use super::upkeep::Upkeep;
use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Actor, Command, Error, Orchestrator, snapshots};
use orchestrator_landing::{Command as Step, Footprint, Landing, Open};
use orchestrator_protocol::MergeState;
use orchestrator_repository::{ObjectId, Store};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{Id, JoinSet};

/// How often what waits is looked at, and what failed is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(2);

/// A landing could not go on, in a way that nobody expects.
pub(super) struct Failed {
    /// Which, where that is known.
    pub(super) id: Option<u64>,
    pub(super) error: Error,
}

impl Failed {
    pub(super) fn of(id: u64) -> impl Fn(Error) -> Self {
        move |error| Self { id: Some(id), error }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { id: None, error }
    }
}

/// What a task is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    /// The gates of a car, by its key.
    Car(u64),
    /// One that did not pass, alone.
    Trial(u64),
}

/// What is in work.
pub(super) struct Runner {
    pub(super) orchestrator: Orchestrator,
    /// By the branch.
    pub(super) tracks: BTreeMap<String, Track>,
    pub(super) trials: Trials,
    pub(super) footprints: BTreeMap<u64, Arc<Footprint>>,
    pub(super) keys: u64,
    pub(super) tasks: JoinSet<Outcome>,
    /// What runs, and in which checkout.
    pub(super) running: HashMap<Id, (Task, usize)>,
    failures: Failures,
    upkeep: Upkeep,
    /// When what waits was looked at last.
    looked: Option<Instant>,
}

/// Works the queue off until the server stops.
pub(crate) async fn run(orchestrator: Orchestrator) {
    let queue = orchestrator.shared.queue.clone();
    if orchestrator.options().project.git_common_dir().is_none() {
        return;
    }
    let mut runner = Runner {
        orchestrator,
        tracks: BTreeMap::new(),
        trials: Trials::default(),
        footprints: BTreeMap::new(),
        keys: 0,
        tasks: JoinSet::new(),
        running: HashMap::new(),
        failures: Failures::default(),
        upkeep: Upkeep::default(),
        looked: None,
    };
    tokio::select! {
        () = runner.work() => {}
        () = queue.end.cancelled() => {}
    }
    runner.tasks.shutdown().await;
}

impl Runner {
    async fn work(&mut self) {
        let queue = self.orchestrator.shared.queue.clone();
        // Gates of a server that was killed a moment ago may still be dying.
        tokio::time::sleep(DYING).await;
        let mut cleared = false;
        loop {
            if !cleared {
                cleared = clear_locks(&self.orchestrator).await;
            }
            match self.step().await {
                Ok(true) => {
                    self.orchestrator.shared.degradations.clear("landing");
                    continue;
                }
                Ok(false) => {}
                Err(Failed { error: Error::ShuttingDown, .. }) => return,
                Err(Failed { id, error }) => self.failed(id, error).await,
            }
            self.upkeep.run(&self.orchestrator).await;
            let ended = tokio::select! {
                ended = self.tasks.join_next_with_id(), if !self.tasks.is_empty() => ended,
                _woken = tokio::time::timeout(AGAIN, queue.look.notified()) => None,
            };
            if let Some(ended) = ended
                && let Err(Failed { id, error }) = self.ended(ended).await
            {
                self.failed(id, error).await;
            }
        }
    }

    /// Does what can be done now; false when all waits for something.
    async fn step(&mut self) -> Result<bool, Failed> {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.ended(ended).await?;
        }
        self.compare().await?;
        if self.take_up().await? || self.wake().await? {
            return Ok(true);
        }
        self.begin_trials();
        // First what cannot land is taken off, then what is free gets work, then the branch moves.
        let is_red = |track: &Track| matches!(track.train.front(), orchestrator_landing::Front::Refuse(_));
        if self.tracks.values().any(is_red) {
            return self.settled().await;
        }
        if self.filled().await? {
            return Ok(true);
        }
        self.settled().await
    }

    async fn filled(&mut self) -> Result<bool, Failed> {
        match self.fill().await {
            Err(Failed { id, error: Error::Landing(error) }) => self.was_taken_out(id, error).await,
            other => other,
        }
    }

    async fn settled(&mut self) -> Result<bool, Failed> {
        match self.settle().await {
            Err(Failed { id, error: Error::Landing(error) }) => self.was_taken_out(id, error).await,
            other => other,
        }
    }

    /// A step that may not follow any more: it was taken out at that moment.
    async fn was_taken_out(&self, id: Option<u64>, error: orchestrator_landing::Error) -> Result<bool, Failed> {
        let gone = match id {
            Some(id) => {
                !self.orchestrator.read(move |state| state.landings.get(id).is_some_and(Landing::is_in_work)).await?
            }
            None => false,
        };
        if gone { Ok(true) } else { Err(Failed { id, error: error.into() }) }
    }

    /// Takes off whoever is in work no more, and what stands on it.
    async fn compare(&mut self) -> Result<(), Failed> {
        let in_work: BTreeMap<u64, u32> = self
            .orchestrator
            .read(|state| {
                state.landings.open().filter(|one| one.is_in_work()).map(|one| (one.id, one.attempts)).collect()
            })
            .await?;
        for track in self.tracks.values_mut() {
            let gone = |track: &Track| {
                let is_gone = |(id, member): (&u64, &super::track::Member)| {
                    (in_work.get(id) != Some(&member.landing.attempts)).then_some(*id)
                };
                track.members.iter().find_map(is_gone)
            };
            while let Some(id) = gone(track) {
                let cars = track.train.cut(id);
                track.drop_cars(&cars, &self.orchestrator);
                track.train.forget(id);
                track.members.remove(&id);
            }
        }
        self.tracks
            .retain(|_, track| !track.train.is_empty() || !track.train.suspects().is_empty() || !track.held.is_empty());
        self.compare_trials(&in_work);
        Ok(())
    }

    /// What is in work and not ours: an earlier run of the server, or a step of this one, was cut off.
    async fn take_up(&mut self) -> Result<bool, Failed> {
        let in_work: Vec<Landing> = self
            .orchestrator
            .read(|state| state.landings.open().filter(|one| one.is_in_work()).cloned().collect())
            .await?;
        let is_ours = |one: &&Landing| {
            let on_track = self.tracks.get(&one.target).is_some_and(|track| track.train.holds(one.id));
            on_track || self.trials.all.contains_key(&one.id)
        };
        // What was meant is what the branch may be already.
        let Some(lost) = in_work
            .iter()
            .filter(|one| one.intent.is_some() || !is_ours(one))
            .min_by_key(|one| (one.intent.is_none(), one.id))
        else {
            return Ok(false);
        };
        let done = match lost.intent {
            Some(_) => finish(&self.orchestrator, lost).await,
            None => requeue(&self.orchestrator, lost.id, "it was cut off and begins anew").await,
        };
        done.map_err(Failed::of(lost.id)).map(|()| true)
    }

    /// What waits is looked at now and then.
    async fn wake(&mut self) -> Result<bool, Failed> {
        if self.looked.is_some_and(|looked| looked.elapsed() < AGAIN) {
            return Ok(false);
        }
        self.looked = Some(Instant::now());
        let waiting: Vec<Landing> = self
            .orchestrator
            .read(|state| state.landings.open().filter(|one| one.state == MergeState::Waiting).cloned().collect())
            .await?;
        for landing in waiting {
            // What cannot be looked at begins anew, and fails by itself.
            if is_free(&self.orchestrator, &landing).await.unwrap_or(true) {
                let reason = "nothing is in the way any more";
                requeue(&self.orchestrator, landing.id, reason).await.map_err(Failed::of(landing.id))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A checkout that nobody is at.
    pub(super) fn slot(&self) -> usize {
        (0..).find(|slot| self.running.values().all(|(_, taken)| taken != slot)).unwrap_or_default()
    }

    /// Has the end of a car gated.
    pub(super) fn gate(&mut self, target: &str, key: u64, id: u64, tree: ObjectId) {
        let slot = self.slot();
        let Some(track) = self.tracks.get(target) else { return };
        let Some(load) = track.loads.get(&key) else { return };
        // Only while it is looked for who did it: what failed once may pass when somebody asks again.
        let reds = if track.train.suspects().is_empty() { BTreeMap::new() } else { track.reds.clone() };
        let job = Job { id, tree, checks: load.checks.clone(), reds, slot, stop: load.stop.clone() };
        let task = self.tasks.spawn(gating::gate(self.orchestrator.clone(), job));
        self.running.insert(task.id(), (Task::Car(key), slot));
    }

    async fn ended(&mut self, ended: Result<(Id, Outcome), tokio::task::JoinError>) -> Result<(), Failed> {
        let (task, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) => (error.id(), Outcome::Failed(internal(error))),
        };
        match self.running.remove(&task) {
            Some((Task::Car(key), _)) => self.gated(key, outcome),
            Some((Task::Trial(id), _)) => self.tried(id, outcome).await.map_err(Failed::of(id)),
            None => Ok(()),
        }
    }

    /// All that is in work begins anew, and what always fails is refused.
    async fn failed(&mut self, id: Option<u64>, error: Error) {
        let cure = "tried again every 2 s; after three times the merge is refused, and the others go on";
        self.orchestrator.shared.degradations.raise("landing", error.to_string(), cure);
        for track in self.tracks.values_mut() {
            let cars = track.train.clear();
            track.drop_cars(&cars, &self.orchestrator);
        }
        self.trials.all.values().for_each(|trial| trial.stop.cancel());
        while self.tasks.join_next().await.is_some() {}
        self.tracks.clear();
        self.running.clear();
        self.trials = Trials::default();
        tokio::time::sleep(AGAIN).await;
        if let Err(error) = self.failures.count(&self.orchestrator, id, &error).await {
            tracing::warn!(%error, "a landing that cannot go on could not be refused; trying again");
        }
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
) -> Result<(), Error> {
    record(orchestrator, Step::Stop { id, state, reason, open }).await
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
        if line.tip != tip {
            return Ok(true);
        }
        let to = commit(this, store, &landing, tip, tree)?;
        Ok(choose(this, store, &landing, line, to)?.is_ok())
    })
    .await
}
