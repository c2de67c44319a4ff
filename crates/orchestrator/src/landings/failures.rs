//! A landing that fails in a way that nobody expects is refused after a few tries: it is in nobody's way.

use super::runner::{record, stop, with_store};
use crate::mail::internal;
use crate::{Error, Orchestrator, snapshots};
use orchestrator_landing::{Command as Step, Landing};
use orchestrator_protocol::MergeState;
use std::collections::BTreeMap;

/// So often one is tried.
const TRIES: u32 = 3;

/// How often landings failed, so that one that always does is in nobody's way.
#[derive(Default)]
pub(super) struct Failures(BTreeMap<u64, u32>);

impl Failures {
    /// `id` is whose failure it is; when that is not known, that of the one that a branch is moving for, or of the oldest.
    pub(super) async fn count(
        &mut self,
        orchestrator: &Orchestrator,
        id: Option<u64>,
        error: &Error,
    ) -> Result<(), Error> {
        // A log that cannot be written is nobody's fault.
        if matches!(error, Error::StorageUnavailable { .. }) {
            return Ok(());
        }
        let in_work = orchestrator.read(move |state| {
            let in_work = state.landings.open().filter(|one| one.is_in_work());
            let (open, known): (Vec<u64>, Vec<Landing>) = in_work.map(|one| (one.id, one.clone())).unzip();
            (open, known.into_iter().min_by_key(|one| (Some(one.id) != id, one.intent.is_none(), one.id)))
        });
        let (open, Some(landing)) = in_work.await? else { return Ok(()) };
        if id.is_some_and(|id| id != landing.id) {
            // Whose it was is over.
            return Ok(());
        }
        self.0.retain(|id, _| open.contains(id));
        let times = self.0.entry(landing.id).or_default();
        *times += 1;
        if *times < TRIES {
            return Ok(());
        }
        self.0.remove(&landing.id);
        if let Some(intent) = &landing.intent {
            // Of a batch that of the last is where the branch goes.
            let members = orchestrator.read({
                let id = landing.id;
                move |state| {
                    let last = state.landings.moved_with(id).last().and_then(|last| state.landings.get(*last));
                    last.and_then(|last| last.intent.clone())
                }
            });
            let to = members.await?.map_or_else(|| intent.to.clone(), |last| last.to);
            let (branch, to) = (intent.branch.clone(), snapshots::object(&to));
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
        stop(orchestrator, landing.id, MergeState::Rejected, reason, Vec::new()).await
    }
}
