//! An intent is carried out, and what a landing needed on its way is let go of.

use super::moving::{Move, Outcome, carry_out, words};
use super::runner::{AGAIN, record, requeue, with_store};
use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Error, Orchestrator, snapshots};
use orchestrator_landing::{Command as Step, Landing};
use orchestrator_protocol::MergeState;
use orchestrator_repository::{Moved, ObjectId, Store};

/// Carries an intent out, now or after a crash: what is done already is done once. A batch is one move.
pub(super) async fn finish(orchestrator: &Orchestrator, landing: &Landing) -> Result<(), Error> {
    let id = landing.id;
    let members = orchestrator.read(move |state| {
        let members = state.landings.moved_with(id);
        members.into_iter().filter_map(|id| state.landings.get(id).cloned()).collect::<Vec<Landing>>()
    });
    let members = members.await?;
    let first = members.first().and_then(|first| first.intent.clone());
    let last = members.last().and_then(|last| last.intent.clone());
    let Some((first, intent)) = first.zip(last) else { return Ok(()) };
    let commit = |text: &str| snapshots::object(text).ok_or_else(|| internal("an intent names no commit"));
    let step = Move {
        branch: intent.branch.clone(),
        from: first.from.as_deref().map(commit).transpose()?,
        to: commit(&intent.to)?,
        message: titles(&members),
    };
    let outcome = with_store(orchestrator, move |this, store| carry_out(this, store, &step));
    match outcome.await? {
        Outcome::Done { kept } => {
            if !kept.is_empty() {
                tracing::warn!(?kept, "files were changed at the moment of a landing; they stand as they are");
            }
            record(orchestrator, Step::Land { id }).await?;
            with_store(orchestrator, move |this, store| {
                members.iter().try_for_each(|landing| tidy(this, store, landing))
            })
            .await
        }
        Outcome::Blocked(found) => {
            tokio::time::sleep(AGAIN).await;
            requeue(orchestrator, id, &words(&intent.branch, &found)).await
        }
        // What is meant stays meant: nothing has to be made anew for it.
        Outcome::NotMoved(Moved::Locked) => Err(internal(format!(
            "another program holds refs/heads/{}.lock; remove it if no git is at work",
            intent.branch
        ))),
        Outcome::NotMoved(_) => requeue(orchestrator, id, &format!("{} moved at that moment", intent.branch)).await,
    }
}

/// What is noted beside the branch's move.
fn titles(members: &[Landing]) -> String {
    let one = |one: &Landing| format!("merge-{} of {}", one.id, one.agent);
    format!("landing: {}", members.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// The pin that holds the commit of a landing until its branch does.
pub(super) fn pin(id: u64) -> String {
    format!("landing-{id}")
}

/// Where the newest landing on the branch beside a target left it.
pub(super) fn left_beside(orchestrator: &Orchestrator, target: &str) -> Option<ObjectId> {
    let branch = super::beside(target);
    let core = orchestrator.shared.core.lock();
    let landed = core.state.landings.all().filter(|one| one.state == MergeState::Landed);
    let intents = landed.filter_map(|one| one.intent.as_ref()).filter(|intent| intent.branch == branch);
    intents.max_by_key(|intent| intent.seq).and_then(|intent| snapshots::object(&intent.to))
}

/// Lets go of what a landing needed on its way.
fn tidy(orchestrator: &Orchestrator, store: &Store, landing: &Landing) -> Result<(), Error> {
    store.unpin(&pin(landing.id)).map_err(internal)?;
    let is_shared = {
        let core = orchestrator.shared.core.lock();
        core.state.landings.open().any(|one| one.id != landing.id && one.kept == landing.kept)
    };
    if !is_shared {
        store.remove_ref(&landing.kept).map_err(internal)?;
    }
    // The target has caught up with the branch beside it.
    let Some(intent) = landing.intent.as_ref().filter(|intent| intent.branch == landing.target) else { return Ok(()) };
    let beside = super::beside(&landing.target);
    let stands = store.tip(&beside).map_err(internal)?.map(|(commit, _)| commit);
    let to = snapshots::object(&intent.to);
    if let (Some(stands), Some(to)) = (stands.filter(|at| left_beside(orchestrator, &landing.target) == Some(*at)), to)
        && store.merge_base(stands, to).map_err(internal)? == Some(stands)
    {
        let worktrees = orchestrator.options().project.worktrees().map_err(refused)?;
        if !worktrees.iter().any(|one| one.branch.as_deref() == Some(&beside)) {
            orchestrator.options().project.delete_branch(&beside, stands).map_err(internal)?;
        }
    }
    Ok(())
}
