//! Removing a workspace: nothing goes that is not landed, kept, or told.

use super::keep::{Kept, Stood, Whose, additions, open};
use super::marker::{self, Marker};
use super::{refused, stands};
use crate::snapshots::{Record, keep::record_one};
use crate::{Actor, Error, Orchestrator};
use orchestrator_protocol::{AgentId, Isolation, Keep, RemoveWorkspaceRequest, RemovedAnswer};
use orchestrator_registry as registry;
use orchestrator_repository::{ObjectId, Removed, Store};
use std::path::Path;

impl Orchestrator {
    /// Removes the workspace that was made for an agent; one that the agent brought itself stays where it is and is
    /// only no longer the agent's.
    ///
    /// # Errors
    /// There is none, it holds work that has not landed and is not to be kept, something is in the way, or nothing
    /// can be recorded.
    pub async fn remove_workspace(
        &self,
        actor: Actor,
        agent: AgentId,
        request: RemoveWorkspaceRequest,
    ) -> Result<RemovedAnswer, Error> {
        let this = self.clone();
        self.alone(async move { this.remove(actor, agent, request).await }).await
    }

    async fn remove(
        self,
        actor: Actor,
        agent: AgentId,
        request: RemoveWorkspaceRequest,
    ) -> Result<RemovedAnswer, Error> {
        self.can_record()?;
        let (registered, made) = self.who(&agent).await?;
        let own = registered.as_ref().and_then(|agent| agent.workspace.clone());
        match (own, made) {
            (Some(own), made) if made.as_ref().is_none_or(|made| made.path != own) => {
                let id = registered.map_or(agent, |agent| agent.id);
                let leave = registry::Command::LeaveWorkspace { agent: id.clone(), path: own.clone(), backup: None };
                self.record(actor, leave).await?;
                Ok(answer(id, own, false, Removed::default()))
            }
            (_, Some(made)) => self.remove_made(actor, made, request).await,
            (_, None) => {
                let number = registered.map_or(0, |agent| agent.number);
                self.blocking(move |this| this.finish(&agent, number)).await
            }
        }
    }

    async fn remove_made(
        &self,
        actor: Actor,
        made: registry::Made,
        request: RemoveWorkspaceRequest,
    ) -> Result<RemovedAnswer, Error> {
        let work = made.clone();
        let kept = self
            .blocking(move |this| {
                let folder = Path::new(&work.path);
                if !stands(folder) {
                    return Ok(None);
                }
                let store = this.shared.following.store(&this.options().project).map_err(refused)?;
                let marker = marker::read(this, &work.agent).filter(|marker| marker.path == work.path);
                let whose = Whose { agent: &work.agent, number: work.number, folder, marker: marker.as_ref() };
                let kept = this.keep(&store, &whose, &request)?;
                let none = Marker {
                    path: work.path.clone(),
                    branch: work.branch.clone(),
                    isolation: if folder.join(".git").is_dir() { Isolation::Clone } else { Isolation::Worktree },
                    new_branch_at: None,
                    copied: Vec::new(),
                    linked: Vec::new(),
                    left_out: Vec::new(),
                };
                let marker = marker.map_or(none, |marker| Marker { new_branch_at: None, ..marker });
                marker::write(this, &work.agent, &marker)?;
                Ok(Some(kept))
            })
            .await?;
        let stood = kept.as_ref().map(|kept| kept.stood);
        let (backup, ignored_files) = kept.map(|kept| (kept.backup, kept.ignored_files)).unwrap_or_default();
        let leave = registry::Command::LeaveWorkspace {
            agent: made.agent.clone(),
            path: made.path.clone(),
            backup: backup.as_ref().map(|backup| backup.name.clone()),
        };
        self.record(actor, leave).await?;
        // Whoever still follows it would take the end of its files for the agent's work.
        self.shared.following.looked().await?;
        self.shared.following.idle().await?;
        let work = made.clone();
        let (removed, is_clone, late) = self
            .blocking(move |this| {
                let marker = marker::read(this, &work.agent);
                let late = stood.map(|stood| this.keep_late(&work, marker.as_ref(), stood)).transpose()?.flatten();
                let removed = this.unmake(Path::new(&work.path), marker.as_ref())?;
                marker::remove(this, &work.agent)?;
                Ok((removed, marker.is_some_and(|marker| marker.isolation == Isolation::Clone), late))
            })
            .await?;
        let (backup, ignored_files) = match late {
            None => (backup, ignored_files),
            Some(late) => {
                if let Some(backup) = &late.backup {
                    let record = Record::backup(&made.agent, &backup.name, "removed", crate::engine::now().0);
                    record_one(self, Record { commit: Some(backup.commit.clone()), ..record }, true).await?;
                }
                (late.backup.or(backup), late.ignored_files)
            }
        };
        let told = answer(made.agent, made.path, true, removed);
        if is_clone {
            let message = "Workspace removed, and its branches with it".to_owned();
            return Ok(RemovedAnswer { ignored_files, backup, message, ..told });
        }
        Ok(RemovedAnswer { branch: Some(made.branch), ignored_files, backup, ..told })
    }

    /// Keeps what was written while the workspace's end was recorded and waited for; nothing when it stands as it was.
    fn keep_late(&self, work: &registry::Made, left: Option<&Marker>, stood: Stood) -> Result<Option<Kept>, Error> {
        let folder = Path::new(&work.path);
        if !stands(folder) {
            return Ok(None);
        }
        let store = self.shared.following.store(&self.options().project).map_err(refused)?;
        let snapshot = open(&store, folder)?.snapshot();
        if (snapshot.head, snapshot.tree().map_err(refused)?) == stood {
            return Ok(None);
        }
        tracing::warn!(agent = %work.agent, "a workspace was written into while it was being removed: keeping it");
        let request = RemoveWorkspaceRequest { keep: Some(Keep::Snapshot), discard_ignored: Some(true) };
        let whose = Whose { agent: &work.agent, number: work.number, folder, marker: left };
        self.keep(&store, &whose, &request).map(Some)
    }

    /// Removes what a crash left of a workspace.
    fn finish(&self, agent: &AgentId, number: u64) -> Result<RemovedAnswer, Error> {
        let Some(left) = marker::read(self, agent) else {
            return Err(registry::Error::UnknownWorkspace(agent.to_string()).into());
        };
        let store = self.shared.following.store(&self.options().project).map_err(refused)?;
        let removed = self.clear(&store, agent, number, &left)?;
        let branch = (left.isolation == Isolation::Worktree).then_some(left.branch);
        Ok(RemovedAnswer { branch, ..answer(agent.clone(), left.path, true, removed) })
    }

    /// Clears away what a crash left between a workspace and its record. What stands there beyond its commit is kept
    /// first.
    pub(super) fn clear(&self, store: &Store, agent: &AgentId, number: u64, left: &Marker) -> Result<Removed, Error> {
        let folder = Path::new(&left.path);
        if let Some(paths) = additions(store, &self.options().project, folder) {
            tracing::warn!(%agent, ?paths, "a workspace that was half made or half removed held work: keeping it");
            let request = RemoveWorkspaceRequest { keep: Some(Keep::Snapshot), discard_ignored: Some(true) };
            let whose = Whose { agent, number, folder, marker: Some(left) };
            let kept = self.keep(store, &whose, &request)?;
            tracing::warn!(%agent, backup = ?kept.backup, "kept");
        }
        let removed = self.unmake(folder, Some(left))?;
        if let Some(at) = left.new_branch_at.as_ref().and_then(|at| ObjectId::from_hex(at.as_bytes()).ok()) {
            self.options().project.delete_branch(&left.branch, at).map_err(refused)?;
        }
        marker::remove(self, agent)?;
        Ok(removed)
    }
}

fn answer(agent_id: AgentId, path: String, removed: bool, gone: Removed) -> RemovedAnswer {
    let message = match removed {
        true => "Workspace removed; its branch stays",
        false => "The folder was not made by this server: it stays, and is the agent's no longer",
    };
    RemovedAnswer {
        status: "success".to_owned(),
        agent_id,
        path,
        removed,
        branch: None,
        files: gone.files,
        bytes: gone.bytes,
        ignored_files: 0,
        backup: None,
        message: message.to_owned(),
    }
}
