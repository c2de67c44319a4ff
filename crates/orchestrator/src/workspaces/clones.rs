//! What is other for a workspace that is a clone: it takes branches and commits of its own with it.

use super::marker::Marker;
use super::refused;
use crate::{Error, Orchestrator};
use orchestrator_protocol::Isolation;
use orchestrator_repository::{ObjectId, Project, Removed, Store, Workspace};
use std::path::Path;

/// Commits that nothing but a clone holds, beside those below its HEAD.
#[derive(Default)]
pub(super) struct Loose {
    /// The refs that lead to them, with their commits.
    pub(super) tips: Vec<(String, ObjectId)>,
    /// All of them.
    pub(super) commits: Vec<ObjectId>,
}

/// How far the workspace in a folder is apart from the project; nothing where there is none.
pub(super) fn isolation(project: &Project, folder: &Project) -> Isolation {
    match folder.git_common_dir() == project.git_common_dir() {
        true => Isolation::Worktree,
        false => Isolation::Clone,
    }
}

/// What a clone's branches, tags and stash hold and neither the project's nor its own HEAD do; nothing for a worktree,
/// whose refs are the project's.
pub(super) fn loose(
    store: &Store,
    project: &Project,
    clone: &Project,
    head: Option<ObjectId>,
    limit: usize,
) -> Result<Option<Loose>, orchestrator_repository::Error> {
    if isolation(project, clone) == Isolation::Worktree {
        return Ok(None);
    }
    let held: Vec<ObjectId> = project.tips()?.into_iter().map(|(_, commit)| commit).chain(head).collect();
    let mut loose = Loose::default();
    for (name, commit) in clone.tips()? {
        if !store.beyond(&[commit], &held, 1)?.is_empty() {
            loose.tips.push((name, commit));
        }
    }
    let tips: Vec<ObjectId> = loose.tips.iter().map(|(_, commit)| *commit).collect();
    if !tips.is_empty() {
        loose.commits = store.beyond(&tips, &held, limit)?;
    }
    Ok(Some(loose))
}

/// The folder of another worktree that stands on this clone's repository.
pub(super) fn other_worktree(clone: &Project) -> Option<String> {
    let worktrees = clone.worktrees().unwrap_or_default();
    let other = worktrees.into_iter().find(|one| !one.main && !one.missing);
    other.map(|one| one.path.display().to_string())
}

/// Whether a folder holds commits that would go with it.
pub(super) fn holds_commits(store: &Store, project: &Project, workspace: &Workspace) -> bool {
    let Ok(clone) = Project::discover(workspace.root()) else { return false };
    if isolation(project, &clone) == Isolation::Worktree {
        return false;
    }
    let held = || -> Result<Vec<ObjectId>, orchestrator_repository::Error> {
        Ok(project.tips()?.into_iter().map(|(_, commit)| commit).collect())
    };
    let head = workspace.snapshot().head;
    let own = held().and_then(|held| {
        let below_head = store.beyond(head.as_slice(), &held, 1)?;
        Ok(!below_head.is_empty()
            || loose(store, project, &clone, head, 1)?.is_some_and(|loose| !loose.tips.is_empty()))
    });
    // What cannot be told is kept.
    own.unwrap_or(true)
}

impl Orchestrator {
    /// Removes a workspace's folder, and what is known of it elsewhere. None is no error.
    pub(super) fn unmake(&self, folder: &Path, marker: Option<&Marker>) -> Result<Removed, Error> {
        let project = &self.options().project;
        let is_clone = match marker {
            Some(marker) => marker.isolation == Isolation::Clone,
            None => folder.join(".git").is_dir(),
        };
        if !is_clone {
            return project.remove_worktree(folder).map_err(refused);
        }
        let removed = project.remove_clone(folder).map_err(refused)?;
        let store = self.shared.following.store(project).map_err(refused)?;
        store.remove_alternate(&folder.join(".git/objects")).map_err(refused)?;
        Ok(removed)
    }
}
