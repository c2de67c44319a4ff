//! The only crate that knows git: finds the project a folder belongs to.
//!
//! [`Project`] answers where the worktree's top is, which worktrees share the repository, where our state
//! lives and what one file is called. [`normalise`] is the pure part: every spelling of a path becomes one
//! forward-slash path below the root, or an error that says why not.
//!
//! Nothing here starts a program. Repositories are opened with isolated permissions: no system or user
//! configuration, no includes, no environment; hooks, filters and monitors named by a repository stay text.
//!
//! # Limitations
//! Two processes that call [`Project::exclude`] at the same instant may lose one of the two lines; the call
//! is cheap and idempotent, so callers repeat it at every start.
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

mod error;
mod exclude;
mod path;
mod project;
mod snapshot;
mod store;
mod tree;
mod workspace;
mod worktree;

pub use error::Error;
pub use gix::{ObjectId, bstr};
pub use path::{PathError, normalise};
pub use project::Project;
pub use snapshot::{Author, Delta, Deltas, Entry, Mode, Notice, Opaque, Snapshot};
pub use store::{Mark, Store};
pub use tree::{Change, Conflict, Merged, Stage};
pub use workspace::{Busy, Changes, Limits, Restore, Restored, State, Workspace};
pub use worktree::Worktree;
