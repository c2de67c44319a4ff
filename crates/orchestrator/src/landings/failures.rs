//! A landing that fails in a way that nobody expects is refused after a few tries: it is in nobody's way.

use super::runner::{record, stop, with_store};
use crate::mail::internal;
use crate::{Error, Orchestrator, snapshots};
use orchestrator_landing::Command as Step;
use orchestrator_protocol::MergeState;

/// So often one is tried.
const TRIES: u32 = 3;

/// How often the landing in work failed, so that one that always does is in nobody's way.
#[derive(Default)]
pub(super) struct Failures {
    of: u64,
    times: u32,
}

impl Failures {
    pub(super) async fn count(&mut self, orchestrator: &Orchestrator, error: &Error) -> Result<(), Error> {
        // A log that cannot be written is nobody's fault.
        if matches!(error, Error::StorageUnavailable { .. }) {
            return Ok(());
        }
        let in_work = orchestrator.read(|state| state.landings.open().find(|one| one.is_in_work()).cloned()).await?;
        let Some(landing) = in_work else { return Ok(()) };
        self.times = if self.of == landing.id { self.times + 1 } else { 1 };
        self.of = landing.id;
        if self.times < TRIES {
            return Ok(());
        }
        *self = Self::default();
        if let Some(intent) = &landing.intent {
            let (branch, to) = (intent.branch.clone(), snapshots::object(&intent.to));
            let holds = with_store(orchestrator, move |_, store| {
                let stands = store.tip(&branch).map_err(internal)?.map(|(commit, _)| commit);
                let (Some(stands), Some(to)) = (stands, to) else { return Ok(false) };
                Ok(store.merge_base(stands, to).map_err(internal)? == Some(to))
            });
            if holds.await? {
                // It has landed, whatever became of the folder.
                let reason = format!("the folder that has {} checked out did not follow: {error}", intent.branch);
                let cure = "see 'git status' there; 'git restore' brings its files to what landed";
                orchestrator.shared.degradations.raise("landing_folder", reason, cure);
                return record(orchestrator, Step::Land { id: landing.id }).await;
            }
        }
        let reason = format!("it cannot be landed: {error}");
        stop(orchestrator, landing.id, MergeState::Rejected, reason, Vec::new()).await.map(drop)
    }
}
