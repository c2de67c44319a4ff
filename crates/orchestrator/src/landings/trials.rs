//! One that did not pass on the branch is tried alone: two sides that pass alone and not together collide.

use super::checks::Checks;
use super::gating::{self, Job, Outcome};
use super::runner::{Runner, Task};
use crate::Error;
use orchestrator_protocol::MergeState;
use orchestrator_repository::ObjectId;
use std::collections::{BTreeMap, VecDeque};
use tokio_util::sync::CancellationToken;

/// One that did not pass: whether it does without what it was merged onto.
#[derive(Debug)]
pub(super) struct Trial {
    id: u64,
    target: String,
    tree: ObjectId,
    checks: Checks,
    /// Why it is out.
    reason: String,
    pub(super) stop: CancellationToken,
}

#[derive(Debug, Default)]
pub(super) struct Trials {
    pub(super) waiting: VecDeque<u64>,
    pub(super) all: BTreeMap<u64, Trial>,
}

impl Runner {
    /// One that did not pass is to be tried without what it was merged onto.
    pub(super) fn try_alone(&mut self, target: &str, id: u64, tree: ObjectId, checks: Checks, reason: String) {
        let stop = CancellationToken::new();
        self.orchestrator.shared.queue.stops.lock().insert(id, stop.clone());
        self.trials.all.insert(id, Trial { id, target: target.to_owned(), tree, checks, reason, stop });
        self.trials.waiting.push_back(id);
    }

    /// As many as there are checkouts for.
    pub(super) fn begin_trials(&mut self) {
        while self.running.len() < self.limits().side_by_side
            && let Some(id) = self.trials.waiting.pop_front()
        {
            let slot = self.slot();
            let Some(trial) = self.trials.all.get(&id) else { continue };
            let (checks, stop) = (trial.checks.clone(), trial.stop.clone());
            let job = Job { id, tree: trial.tree, checks, reds: BTreeMap::new(), slot, stop };
            let task = self.tasks.spawn(gating::alone(self.orchestrator.clone(), job));
            self.running.insert(task.id(), (Task::Trial(id), slot));
        }
    }

    /// Those that were taken out are given up.
    pub(super) fn compare_trials(&mut self, in_work: &BTreeMap<u64, u32>) {
        for trial in self.trials.all.values().filter(|trial| !in_work.contains_key(&trial.id)) {
            trial.stop.cancel();
        }
        let is_running = |id: &u64| self.running.values().any(|(task, _)| *task == Task::Trial(*id));
        let over = |id: &u64| !in_work.contains_key(id) && !is_running(id);
        let gone: Vec<u64> = self.trials.all.keys().copied().filter(over).collect();
        self.trials.all.retain(|id, _| !gone.contains(id));
        self.trials.waiting.retain(|id| !gone.contains(id));
    }

    /// It is known whether it passes alone.
    pub(super) async fn tried(&mut self, id: u64, outcome: Outcome) -> Result<(), Error> {
        let Some(Trial { target, reason, .. }) = self.trials.all.remove(&id) else { return Ok(()) };
        self.orchestrator.shared.queue.stops.lock().remove(&id);
        let (state, reason) = match outcome {
            Outcome::Stopped => return Ok(()),
            Outcome::Failed(error) => return Err(error),
            Outcome::Refused { .. } => (MergeState::Rejected, reason),
            Outcome::Passed => {
                let why = format!("{reason}, and passes on the work alone: it does not go together with {target}");
                (MergeState::Conflict, why)
            }
        };
        match self.out(&target, id, state, reason, Vec::new()).await {
            // It was taken out at that moment.
            Err(Error::Landing(_)) => Ok(()),
            other => other,
        }
    }
}
