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
        let (known, mut heads) = self
            .read(|state| {
                let mut known: BTreeMap<(String, String), (AgentId, bool, bool)> = BTreeMap::new();
                let heads: BTreeMap<String, Option<String>> =
                    crate::pushed::all(state).map(|(agent, record, _)| (agent.id.key(), record.head.clone())).collect();
                for made in state.registry.made() {
                    known.insert((made.agent.key(), made.path.clone()), (made.agent.clone(), true, false));
                }
                for agent in state.registry.agents() {
                    let path = agent.workspace.clone().unwrap_or_default();
                    let known = known.entry((agent.id.key(), path));
                    known.or_insert_with(|| (agent.id.clone(), false, false)).2 = true;
                }
                (known, heads)
            })
            .await?;
        let others = |key: &str, path: &str| -> Vec<AgentId> {
            let here = known.iter().filter(|((other, there), (_, _, in_use))| {
                *in_use && other != key && there == path && !path.is_empty()
            });
            here.map(|(_, (agent, ..))| agent.clone()).collect()
        };
        let shared: Vec<Vec<AgentId>> = known
            .iter()
            .map(|((key, path), (_, _, in_use))| if *in_use { others(key, path) } else { Vec::new() })
            .collect();
        let mut standings = self.shared.following.standings();
        self.blocking(move |this| {
            let own = &this.options().project;
            let shown = known.into_iter().zip(shared).map(|(((key, path), (agent, made, is_in_use)), shared_with)| {
                let standing = is_in_use.then(|| standings.remove(&key)).flatten();
                if path.is_empty() {
                    return show_out_of_reach(agent, heads.remove(&key), standing);
                }
                Workspace { shared_with, ..show(own, agent, path, made, is_in_use, standing) }
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
        // What was pushed before the agent had this folder.
        Some(Standing::Pushed { .. }) => (None, None, Some("it was not looked at yet".to_owned())),
        None if is_in_use => (None, None, Some("it was not looked at yet".to_owned())),
        None => (None, None, Some("no registered agent works there".to_owned())),
    };
    Workspace {
        agent_id,
        branch: project.as_ref().and_then(|project| project.branch().ok().flatten()),
        isolation: project.as_ref().map(|project| clones::isolation(own, project)),
        head: project.and_then(|project| project.head().ok().flatten()).map(|head| head.to_string()),
        path: Some(path),
        dirty,
        busy,
        followed: dirty.is_some(),
        reason,
        made,
        shared_with: Vec::new(),
        pushed: false,
        reports_only: false,
    }
}

/// An agent that registered no folder: `pushed` holds the commit that was checked out where it pushed from.
fn show_out_of_reach(agent_id: AgentId, pushed: Option<Option<String>>, standing: Option<Standing>) -> Workspace {
    let (dirty, reason) = match standing {
        Some(Standing::Pushed { dirty }) => (Some(dirty), None),
        Some(Standing::Failed(reason)) => (None, Some(reason)),
        _ if pushed.is_some() => (None, Some("what it pushed was not looked at yet".to_owned())),
        _ => (None, Some("it has no folder here and pushed nothing: only paths that it reports are known".to_owned())),
    };
    Workspace {
        agent_id,
        path: None,
        branch: None,
        isolation: None,
        reports_only: pushed.is_none(),
        pushed: pushed.is_some(),
        head: pushed.flatten(),
        dirty,
        busy: None,
        followed: dirty.is_some(),
        reason,
        made: false,
        shared_with: Vec::new(),
    }
}
