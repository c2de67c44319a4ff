//! Agents are told what landed beneath their unfinished work.

use super::runner::{record, with_store};
use super::track::Member;
use crate::following::{Path, name};
use crate::mail::internal;
use crate::{Error, Orchestrator};
use orchestrator_landing::Command as Step;
use orchestrator_protocol::AgentId;
use orchestrator_repository::ObjectId;
use std::collections::BTreeSet;

/// So many paths are named.
const MOST: usize = 20;

/// Says of each of these, which have just landed onto `tip`, whose work changes the same paths. Beside the queue: nothing
/// waits for it, and after a crash it is not said again, for whoever asks sees the collisions themselves.
pub(super) async fn tell(orchestrator: Orchestrator, tip: ObjectId, members: Vec<Member>) {
    orchestrator.shared.following.look();
    let mut below = tip;
    for member in members {
        let commit = member.commit;
        if let Err(error) = tell_of(&orchestrator, below, member).await {
            tracing::warn!(%error, "nobody was told what landed beneath unfinished work");
        }
        below = commit;
    }
}

async fn tell_of(orchestrator: &Orchestrator, below: ObjectId, member: Member) -> Result<(), Error> {
    let (tree, own) = (member.tree, member.landing.agent);
    let changed = with_store(orchestrator, move |_, store| {
        let (before, _) = store.read_commit(below).map_err(internal)?;
        store.diff(before, tree, false).map_err(internal)
    });
    let changed: Vec<Path> = changed.await?.into_iter().map(|change| Path::from(Vec::from(change.path))).collect();
    let mut touching = orchestrator.touching(changed).await?;
    touching.retain(|(_, agent)| agent.key() != own.key());
    let paths: BTreeSet<String> = touching.iter().map(|(path, _)| name(path)).collect();
    let mut agents: Vec<AgentId> = touching.into_iter().map(|(_, agent)| agent).collect();
    agents.sort_unstable_by_key(AgentId::key);
    agents.dedup();
    let paths = paths.into_iter().take(MOST).collect();
    record(orchestrator, Step::Tell { id: member.landing.id, agents, paths }).await
}
