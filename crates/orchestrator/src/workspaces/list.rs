//! All workspaces, as they are.

use super::clones;
use crate::following::Standing;
use crate::{Error, Orchestrator};
use orchestrator_protocol::{AgentId, Workspace};
use orchestrator_repository::Project;
use std::collections::BTreeMap;
use std::path::Path;

impl Orchestrator {
    /// The folders that agents work in, and those that were made for agents that left; ordered by agent.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn workspaces(&self) -> Result<Vec<Workspace>, Error> {
        let known = self
            .read(|state| {
                let mut known: BTreeMap<(String, String), (AgentId, bool, bool)> = BTreeMap::new();
                for made in state.registry.made() {
                    known.insert((made.agent.key(), made.path.clone()), (made.agent.clone(), true, false));
                }
                for agent in state.registry.agents() {
                    let Some(path) = &agent.workspace else { continue };
                    let known = known.entry((agent.id.key(), path.clone()));
                    known.or_insert_with(|| (agent.id.clone(), false, false)).2 = true;
                }
                known
            })
            .await?;
        let mut standings = self.shared.following.standings();
        self.blocking(move |this| {
            let own = &this.options().project;
            let shown = known.into_iter().map(|((key, path), (agent, made, is_in_use))| {
                let standing = is_in_use.then(|| standings.remove(&key)).flatten();
                show(own, agent, path, made, is_in_use, standing)
            });
            Ok(shown.collect())
        })
        .await
    }
}

fn show(
    own: &Project,
    agent_id: AgentId,
    path: String,
    made: bool,
    is_in_use: bool,
    standing: Option<Standing>,
) -> Workspace {
    let project = Project::discover(Path::new(&path)).ok();
    let (dirty, busy, reason) = match standing {
        Some(Standing::Followed { dirty, busy }) => (Some(dirty), busy, None),
        Some(Standing::Failed(reason)) => (None, None, Some(reason)),
        None if is_in_use => (None, None, Some("it was not looked at yet".to_owned())),
        None => (None, None, Some("no registered agent works there".to_owned())),
    };
    Workspace {
        agent_id,
        branch: project.as_ref().and_then(|project| project.branch().ok().flatten()),
        isolation: project.as_ref().map(|project| clones::isolation(own, project)),
        head: project.and_then(|project| project.head().ok().flatten()).map(|head| head.to_string()),
        path,
        dirty,
        busy,
        followed: dirty.is_some(),
        reason,
        made,
    }
}
