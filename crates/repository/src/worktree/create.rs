//! A new worktree, made without starting a hook or a filter.

use std::{path::Path, sync::atomic::AtomicBool};

use gix::{
    ObjectId,
    refs::{FullName, transaction::PreviousValue},
    worktree::add::Head,
};

use crate::{Error, Project};

/// What a new worktree stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// A new branch at the commit.
    NewBranch(&'a str, ObjectId),
    /// A branch that exists and is checked out nowhere.
    Branch(&'a str),
    /// The commit, on no branch.
    Detached(ObjectId),
}

impl Project {
    /// Makes a linked worktree in `folder`, which must be new or empty.
    ///
    /// No hook runs and no filter: files with a `filter` attribute hold what git stores, for LFS the pointer.
    /// # Errors
    /// A new branch exists or is no name, an old one does not or is checked out, the folder holds something, the
    /// commit is not there, or the disk refuses. Then neither a new branch nor the worktree is left.
    pub fn create_worktree(&self, folder: &Path, start: Start<'_>) -> Result<(), Error> {
        let failed = |detail: &dyn std::fmt::Display| Error::Worktree {
            path: folder.to_owned(),
            detail: detail.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let repository = self.writable(|error| failed(error))?;
        let named =
            |branch: &str| branch_name(branch).ok_or_else(|| failed(&format!("{branch:?} is no name for a branch")));
        let mut made = None;
        let head = match start {
            Start::Detached(commit) => Head::Detached(commit),
            Start::Branch(branch) => Head::Attached(named(branch)?),
            Start::NewBranch(branch, start) => {
                repository.find_commit(start).map_err(|error| failed(&error))?;
                let name = named(branch)?;
                // `MustNotExist` alone lets one pass that exists at the same commit.
                if repository.try_find_reference(name.as_ref()).map_err(|error| failed(&error))?.is_some() {
                    return Err(failed(&format!("the branch {branch:?} exists")));
                }
                repository
                    .reference(name.as_ref(), start, PreviousValue::MustNotExist, "branch: made by the orchestrator")
                    .map_err(|error| failed(&error))?;
                made = Some(name.clone());
                Head::Attached(name)
            }
        };
        let added = repository.add_worktree(folder, head, gix::progress::Discard, &AtomicBool::new(false));
        if added.is_err()
            && let Some(name) = made
            && let Ok(made) = repository.find_reference(name.as_ref())
        {
            // The first error is the one to report.
            let _ = made.delete();
        }
        added.map(drop).map_err(|error| failed(&error))
    }

    /// Whether git takes the text as the name of a branch.
    #[must_use]
    pub fn is_branch_name(text: &str) -> bool {
        branch_name(text).is_some()
    }

    /// Deletes a branch that points to this commit; true when it did. It must be checked out nowhere.
    /// # Errors
    /// It is no name, or git's data cannot be written.
    pub fn delete_branch(&self, branch: &str, at: ObjectId) -> Result<bool, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git(format!("delete the branch {branch:?}"), error);
        let name = branch_name(branch).ok_or_else(|| failed(&"it is no name for a branch"))?;
        let repository = self.writable(|error| failed(error))?;
        let Some(found) = repository.try_find_reference(name.as_ref()).map_err(|error| failed(&error))? else {
            return Ok(false);
        };
        if found.try_id().is_none_or(|id| id.detach() != at) {
            return Ok(false);
        }
        found.delete().map_err(|error| failed(&error))?;
        Ok(true)
    }

    /// The repository, for writing refs.
    pub(crate) fn writable(&self, failed: impl Fn(&dyn std::fmt::Display) -> Error) -> Result<gix::Repository, Error> {
        let Some(common) = self.git_common_dir() else {
            return Err(Error::NotGit { path: self.root().to_owned() });
        };
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            .with(gix::sec::Trust::Full)
            // Programs that the repository's configuration names are not known.
            .filter_config_section(|_| false)
            // For the reflog.
            .config_overrides(["user.name=orchestrator", "user.email=orchestrator@localhost"]);
        Ok(options.open(common).map_err(|error| failed(&error))?.to_thread_local())
    }
}

/// git refuses more for branches than for refs.
pub(crate) fn branch_name(branch: &str) -> Option<FullName> {
    if branch.starts_with('-') || branch == "HEAD" {
        return None;
    }
    FullName::try_from(format!("refs/heads/{branch}")).ok()
}
