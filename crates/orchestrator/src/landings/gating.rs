//! Running the gates of one car, beside those of others.

use super::checks::{self, Checks};
use super::runner::record;
use crate::{Error, Orchestrator};
use orchestrator_gates::Gate;
use orchestrator_landing::{Command as Step, GateRun};
use orchestrator_repository::ObjectId;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What a gate whose run was given up may still write to its folder within.
pub(super) const DYING: Duration = Duration::from_millis(500);

/// What is to be found out on one tree.
#[derive(Debug)]
pub(super) struct Job {
    /// The landing that the runs are of: the last of its car.
    pub(super) id: u64,
    pub(super) tree: ObjectId,
    pub(super) checks: Checks,
    /// What is known not to pass, by tree and gate.
    pub(super) reds: BTreeMap<(String, String), GateRun>,
    /// The checkout.
    pub(super) slot: usize,
    pub(super) stop: CancellationToken,
}

/// How the gates of a tree ended.
#[derive(Debug)]
pub(super) enum Outcome {
    /// All that are required passed.
    Passed,
    /// One did not.
    Refused { reason: String, gate: String, run: Box<GateRun> },
    /// They were stopped, and nothing of them runs any more.
    Stopped,
    /// They could not be run.
    Failed(Error),
}

/// Runs the gates of a car on the tree at its end, each recorded as it ends.
pub(super) async fn gate(orchestrator: Orchestrator, job: Job) -> Outcome {
    match all(&orchestrator, &job).await {
        Ok(Outcome::Stopped) => {
            tokio::time::sleep(DYING).await;
            Outcome::Stopped
        }
        Ok(outcome) => outcome,
        // It was taken out at that moment.
        Err(Error::Landing(_)) => Outcome::Stopped,
        Err(error) => Outcome::Failed(error),
    }
}

async fn all(orchestrator: &Orchestrator, job: &Job) -> Result<Outcome, Error> {
    let tree = job.tree.to_string();
    for gate in &job.checks.gates {
        let digest = job.checks.definitions.digest(gate);
        let known = checks::known(orchestrator, &tree, &digest);
        let known = known.or_else(|| job.reds.get(&(tree.clone(), digest)).cloned());
        let run = match known {
            Some(run) => GateRun { cached: true, name: gate.name.clone(), required: gate.required, ..run },
            None => {
                let with = (gate, &job.checks.definitions);
                match checks::run(orchestrator, job.id, job.tree, with, job.slot, &job.stop).await? {
                    Some(run) => run,
                    None => return Ok(Outcome::Stopped),
                }
            }
        };
        if job.stop.is_cancelled() {
            // By now the landing may stand on another tree.
            return Ok(Outcome::Stopped);
        }
        let objection = checks::objection(&run);
        record(orchestrator, Step::GateEnded { id: job.id, run: run.clone() }).await?;
        if let Some(reason) = objection {
            return Ok(Outcome::Refused { reason, gate: gate.name.clone(), run: Box::new(run) });
        }
    }
    Ok(Outcome::Passed)
}

/// Whether a gate that did not pass on the merge passes on the work as its agent has it: two sides that pass alone and not
/// together collide, though no line does. Its output has a file of its own.
pub(super) async fn alone(orchestrator: Orchestrator, job: Job) -> Outcome {
    for gate in &job.checks.gates {
        let again = Gate { name: format!("{}.alone", gate.name), ..gate.clone() };
        let with = (&again, &job.checks.definitions);
        match checks::run(&orchestrator, job.id, job.tree, with, job.slot, &job.stop).await {
            Ok(Some(run)) => {
                if let Some(reason) = checks::objection(&run) {
                    return Outcome::Refused { reason, gate: gate.name.clone(), run: Box::new(run) };
                }
            }
            Ok(None) => {
                tokio::time::sleep(DYING).await;
                return Outcome::Stopped;
            }
            Err(error) => return Outcome::Failed(error),
        }
    }
    Outcome::Passed
}
