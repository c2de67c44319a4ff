//! The worktrees of one repository.

mod create;
mod remove;

use std::path::PathBuf;

pub use create::Start;
pub(crate) use create::branch_name;
pub use remove::Removed;
pub(crate) use remove::count;

/// One checkout of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worktree {
    /// Top folder; canonical when it exists, else as git recorded it.
    pub path: PathBuf,
    /// Short name of the checked-out branch; nothing on a detached head.
    pub branch: Option<String>,
    /// Checked-out commit as hex; nothing before the first commit.
    pub head: Option<String>,
    /// True for the worktree the repository was made with.
    pub main: bool,
    /// True when git lists it but the folder is gone.
    pub missing: bool,
}

/// Main worktree first (a bare repository has none), then the linked ones in git's order.
pub(crate) fn list(repository: &gix::Repository) -> Result<Vec<Worktree>, gix::Error> {
    let mut found = Vec::new();
    let main = repository.main_repo()?;
    if let Some(path) = main.workdir() {
        found.push(describe(path.to_owned(), Some(&main), true));
    }
    for linked in repository.worktrees()? {
        let Ok(path) = linked.base() else { continue };
        let opened = linked.into_repo_with_possibly_inaccessible_worktree().ok();
        found.push(describe(path, opened.as_ref(), false));
    }
    Ok(found)
}

fn describe(path: PathBuf, repository: Option<&gix::Repository>, main: bool) -> Worktree {
    let branch = repository.and_then(|repository| repository.head_name().ok().flatten());
    let head = repository.and_then(|repository| repository.head_id().ok().map(|id| id.to_string()));
    Worktree {
        branch: branch.map(|name| name.shorten().to_string()),
        head,
        main,
        missing: !path.is_dir(),
        path: path.canonicalize().unwrap_or(path),
    }
}
