//! What can go wrong while finding a project, each with its cure.

use std::path::PathBuf;

use crate::PathError;

/// Why a project could not be found or read.
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
}
