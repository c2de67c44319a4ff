//! The only crate that knows git: finds the project, keeps work that nobody committed, and puts it back.
//!
//! [`Project`] answers where the worktree's top is, which worktrees share the repository, where our state
//! lives and what one file is called, and makes new worktrees. [`normalise`] is the pure part: every spelling of
//! a path becomes one forward-slash path below the root, or an error that says why not.
//!
//! [`Store`] is `work.git`, a bare repository of our own on top of the user's objects. [`Workspace`] is one
//! agent's folder: [`Workspace::refresh`] looks at the paths that a save touched, at a cost that does not grow
//! with the repository, and [`Workspace::snapshot`] is the difference to HEAD. Its tree is what `git add -A &&
//! git write-tree` on a copy would give. All writing is in memory until [`Store::make_durable`]. Trees are
//! compared and merged without a worktree ([`Store::diff`], [`Store::merge_trees`]). [`Workspace::restore`]
//! puts a state back after a durable backup of what stands there. [`History`] does again the merges that people made.
//!
//! Nothing here starts a program. Repositories are opened with isolated permissions: no system or user
//! configuration, no includes, no environment; hooks, filters and monitors named by a repository stay text.
//!
//! # Why this shape
//! A worktree's index is not kept: what equals HEAD is looked up in HEAD's tree, which all worktrees share, and
//! an entry costs sixteen bytes, for its path's hash and for the hash of the stat by which git takes a file for
//! unchanged. That stat decides what `git add -A` does, so it decides here too.
//!
//! # Limitations
//! - Two processes that call [`Project::exclude`] at the same instant may lose one of the two lines; the call
//!   is cheap and idempotent, so callers repeat it at every start. One process writes a store.
//! - Unix only, SHA-1 repositories only. Names that differ by case only are two files, as where
//!   `core.ignoreCase` is off; `core.symlinks=false` is not heeded.
//! - Ignore rules and attributes of the user and the system are not read, only the repository's.
//! - A submodule is its HEAD commit, whatever `submodule.<name>.ignore` says. Where `git add -A` fails (a
//!   repository without a commit inside, a pipe in place of a file, a name like `git~1`), the rest is taken and a
//!   [`Notice`] says so.
//! - Files outside the sparse checkout that are present are taken, as `git add -A --sparse` does.
//! - A file changed twice within one tick of the file system's clock may be read torn; the next refresh, which
//!   the second change asks for, mends it.
//! - Merges heed no `merge=` attribute, for attributes are the user's text.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let project = orchestrator_repository::Project::discover(folder.path())?;
//! assert!(project.git_common_dir().is_none());
//! assert_eq!(project.relative("./src//main.rs")?, "src/main.rs");
//! # Ok(())
//! # }
//! ```

mod checkout;
mod clone;
mod error;
mod exclude;
mod history;
mod landing;
mod path;
mod project;
mod snapshot;
mod store;
mod tree;
mod workspace;
mod worktree;

/// Packs that a store has room for. The library counts the packs when it opens a repository, and without room for those that
/// come later, objects in them are not found. Room costs time when the repository is closed, with the threads there are.
const MOST_PACKS: u16 = 4_096;

pub use checkout::CheckedOut;
pub use error::Error;
pub use gix::{ObjectId, bstr};
pub use history::{History, LineResult, Merge, MergedFile, Merges, Reader, Redone, Written};
pub use landing::Moved;
pub use path::{PathError, normalise};
pub use project::{Project, Tracked};
pub use snapshot::{Author, Delta, Deltas, Entry, Mode, Notice, Opaque, Snapshot};
pub use store::{Mark, Store};
pub use tree::{Change, Conflict, Merged, Stage};
pub use workspace::{Advanced, Busy, Changes, InTheWay, Limits, Planned, Restore, Restored, State, Workspace};
pub use worktree::{Removed, Start, Worktree};
