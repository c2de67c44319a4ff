//! A new worktree, made without starting a hook or a filter.

use std::{path::Path, sync::atomic::AtomicBool};

use gix::{
    ObjectId,
    refs::{FullName, transaction::PreviousValue},
    worktree::add::Head,
};

use crate::{Error, Project};

impl Project {
    /// Makes a linked worktree in `folder`, which must be new or empty, at the commit `start`: on the new branch
    /// `branch`, or on a detached head.
    ///
    /// No hook runs and no filter: files with a `filter` attribute hold what git stores, for LFS the pointer.
    /// # Errors
    /// The branch exists or is no name, the folder holds something, the commit is not there, or the disk
    /// refuses. Then neither branch nor worktree is left.
    pub fn create_worktree(&self, folder: &Path, branch: Option<&str>, start: ObjectId) -> Result<(), Error> {
        let failed = |detail: &dyn std::fmt::Display| Error::Worktree {
            path: folder.to_owned(),
            detail: detail.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
        };
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
        let repository = options.open(common).map_err(|error| failed(&error))?.to_thread_local();
        repository.find_commit(start).map_err(|error| failed(&error))?;
        let head = match branch {
            None => Head::Detached(start),
            Some(branch) => {
                let name = branch_name(branch).ok_or_else(|| failed(&format!("{branch:?} is no name for a branch")))?;
                // `MustNotExist` alone lets one pass that exists at the same commit.
                if repository.try_find_reference(name.as_ref()).map_err(|error| failed(&error))?.is_some() {
                    return Err(failed(&format!("the branch {branch:?} exists")));
                }
                repository
                    .reference(name.as_ref(), start, PreviousValue::MustNotExist, "branch: made by the orchestrator")
                    .map_err(|error| failed(&error))?;
                Head::Attached(name)
            }
        };
        let added = repository.add_worktree(folder, head.clone(), gix::progress::Discard, &AtomicBool::new(false));
        if added.is_err()
            && let Head::Attached(name) = head
            && let Ok(made) = repository.find_reference(name.as_ref())
        {
            // The first error is the one to report.
            let _ = made.delete();
        }
        added.map(drop).map_err(|error| failed(&error))
    }
}

/// git refuses more for branches than for refs.
fn branch_name(branch: &str) -> Option<FullName> {
    if branch.starts_with('-') || branch == "HEAD" {
        return None;
    }
    FullName::try_from(format!("refs/heads/{branch}")).ok()
}
