//! The only crate that knows notify: which files of a working tree changed, settled and complete.
//!
//! [`Options::build`] lists and watches a tree and starts one background thread; it returns a cheap
//! [`Handle`] and a bounded receiver of [`Notice`]s. [`Handle::sync`] is the barrier: it answers when every
//! change finished before the call is in the receiver.
//!
//! The edge (watching, stat, reading) and the decisions are apart: `settle` says when a path may be looked
//! at, `batch` what two sides of a path mean, `brake` how many deletions are too many; all three are pure.
//!
//! What is promised: after any storm the index equals the disk; a half-written file is not taken as settled;
//! an overflow is a rescan; a lost root or a mass deletion is asked about and never passed on. `.git` is
//! never entered, links are never followed, pipes never opened.
//!
//! # Limitations
//! - Unix only. Writes through memory maps are seen when their times change, without an event; so are writes through
//!   another name of the same file.
//! - A file that git tracks although a rule ignores it is not seen. A file that becomes ignored leaves the
//!   list without a notice.
//! - Nobody tells whether a file that only a scan found is open in a writer: it counts as settled when its
//!   last write is older than the settle time. Of two writers of one file the first close counts.
//! - A folder that is swapped for a link while a file in it is read may have a file elsewhere hashed, not
//!   reported.
//! - Folders get watches in the order they are found; they are not exchanged by activity.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use orchestrator_watch::{ChangeKind, Notice, Options};
//!
//! let folder = tempfile::tempdir()?;
//! let cookies = tempfile::tempdir()?;
//! let (handle, mut notices) = Options::new(folder.path(), cookies.path()).build()?;
//! std::fs::write(folder.path().join("a.txt"), "hello")?;
//! handle.sync().await?;
//! let Some(Notice::Changes(changes)) = notices.recv().await else { panic!("a change") };
//! assert_eq!((changes[0].path.as_str(), &changes[0].kind), ("a.txt", &ChangeKind::Created));
//! # Ok(())
//! # }
//! ```

mod batch;
mod brake;
mod error;
mod handle;
mod inbox;
mod index;
mod name;
mod notice;
mod options;
mod places;
mod rules;
mod scan;
#[doc(hidden)]
pub mod seam;
mod settle;
mod stamp;
mod worker;

pub use error::Error;
pub use handle::Handle;
pub use name::unescape;
pub use notice::{Change, ChangeKind, Entry, Known, Notice, Stats, SyncPoint};
pub use options::{Brake, Options, default_budget};
