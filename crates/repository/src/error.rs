//! What can go wrong, each with its cure.

use std::path::{Path, PathBuf};

use crate::PathError;

/// Why a project could not be found, or work in it not be read, kept or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder does not exist or cannot be read.
    #[error("failed to open the folder {path:?}: {source}; give a folder that exists and that you may read")]
    Folder {
        /// The folder as it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The repository has no working tree.
    #[error("failed to use {path:?}: the repository is bare; run `git worktree add <folder>` and start in that folder")]
    Bare {
        /// The folder as it was given.
        path: PathBuf,
    },
    /// The repository's own configuration places its working tree somewhere that does not hold the folder.
    #[error(
        "failed to use {path:?}: core.worktree places the working tree at {worktree:?}, elsewhere; start there or run `git config --unset core.worktree`"
    )]
    ForeignWorktree {
        /// The folder as it was given.
        path: PathBuf,
        /// Where the configuration points.
        worktree: PathBuf,
    },
    /// git data is there but cannot be read.
    #[error(
        "failed to read the git repository of {path:?}: {detail}; run `git status` there and repair what it reports"
    )]
    Repository {
        /// The folder as it was given.
        path: PathBuf,
        /// What the git library said.
        detail: String,
    },
    /// A pattern for `info/exclude` would be more than one line, or none.
    #[error(
        "failed to exclude {pattern:?}: a pattern is one line that is not empty and not a comment; pass a single pattern"
    )]
    Pattern {
        /// The pattern as it was given.
        pattern: String,
    },
    /// The exclude file could not be written.
    #[error("failed to write {path:?}: {source}; make the folder writable or add the pattern by hand")]
    Exclude {
        /// The exclude file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A path is not one of this project.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Snapshots need git.
    #[error("failed to open a store in {path:?}: the folder is not in a git repository; run `git init` there first")]
    NotGit {
        /// The project's root.
        path: PathBuf,
    },
    /// The folder is neither a worktree nor a clone of this repository.
    #[error(
        "failed to use {path:?} as a workspace: it shares no history with this repository; give a worktree (`git worktree add`) or a clone of it"
    )]
    Unrelated {
        /// The folder as it was given.
        path: PathBuf,
    },
    /// The git library could not do something.
    #[error("failed to {action}: {detail}; run `git fsck` in the repository and repair what it reports")]
    Git {
        /// What was tried, fits "failed to ..".
        action: String,
        /// What the git library said.
        detail: String,
    },
    /// The file system refused.
    #[error("failed to {action} {path:?}: {source}; see that the disk has room and the file is accessible")]
    Io {
        /// What was tried, fits "failed to .." before the path.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An object is in neither memory, the store nor its alternates.
    #[error("failed to find the object {id}: neither the store nor its alternates hold it; take a new snapshot")]
    Missing {
        /// Its id.
        id: gix::ObjectId,
    },
    /// A ref name that the store does not keep.
    #[error(
        "failed to use the ref {name:?}: names are `refs/work/<name>`, `refs/backup/<name>` or `refs/resolution/<name>`; give such a name"
    )]
    Ref {
        /// The name as it was given.
        name: String,
    },
    /// A ref stands already, with another commit.
    #[error(
        "failed to set {name:?}: it names another commit already; nothing was written: try again under another name"
    )]
    Taken {
        /// The ref.
        name: String,
    },
    /// A worktree could not be made.
    #[error(
        "failed to make a worktree in {path:?}: {detail}; give a folder that is new or empty, a branch that does not exist yet and a commit of this repository"
    )]
    Worktree {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// A clone could not be made.
    #[error(
        "failed to make a clone in {path:?}: {detail}; give a folder that is new or empty and a commit of this repository"
    )]
    Clone {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        detail: String,
    },
    /// A pack that came from outside cannot be taken.
    #[error("failed to take the pack: {detail}; nothing of it is kept")]
    Pack {
        /// What is wrong with it.
        detail: String,
    },
    /// A pack stands on a commit that is not the target branch's.
    #[error(
        "failed to take the pack: it stands on {commit}, which is not in it and does not lead to the target branch"
    )]
    UnknownBase {
        /// The commit.
        commit: gix::ObjectId,
    },
    /// A workspace was not removed.
    #[error("failed to remove the workspace {path:?}: {detail}")]
    Removal {
        /// Its folder.
        path: PathBuf,
        /// Why not, and the cure.
        detail: String,
    },
    /// git is in the middle of something in the workspace.
    #[error(
        "failed to write into {path:?}: its git is busy; finish or abort the rebase or merge there, or remove a stale index.lock"
    )]
    Busy {
        /// The workspace.
        path: PathBuf,
    },
    /// A commit to put back holds a path that leads out of the worktree, or into git's own folder.
    #[error(
        "failed to restore {path:?}: no worktree may hold such a name; nothing was written: restore another commit"
    )]
    Name {
        /// As the commit has it.
        path: PathBuf,
    },
    /// What stands in the workspace is not what the caller saw when it made what is to stand there.
    #[error("failed to write {path:?}: it changed meanwhile; nothing was written: look at it and try again")]
    Unseen {
        /// Relative to the workspace.
        path: PathBuf,
    },
    /// What stands in the workspace is not in the backup, so it is not written over.
    #[error(
        "failed to restore {path:?}: what stands there now is not in the backup ({detail}); nothing was written over it: save, refresh and restore again"
    )]
    Unsaved {
        /// Relative to the workspace.
        path: PathBuf,
        /// Why it is not held.
        detail: String,
    },
}

impl Error {
    pub(crate) fn git(action: impl Into<String>, detail: &dyn std::fmt::Display) -> Self {
        let detail = detail.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        Self::Git { action: action.into(), detail }
    }

    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
