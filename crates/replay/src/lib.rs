//! Does a repository's merges again and scores the merge engine by what people committed.
//!
//! [`mine`] walks the history and gives the [`Cases`]: every file that git's line merge leaves in conflict with all
//! three stages, and every file that it merges though both sides changed it. [`judge`] asks the engine, and other merge
//! programs, for an answer to each and puts the answer into a [`Class`] by the committed file. [`Score`] counts them, and
//! [`report`] writes that down. With the [`Lessons`] that [`learn`] takes from all cases, each case may be settled by what
//! people committed for older ones.
//!
//! Nothing of the repository is run, checked out or written to. The only programs started are the [`Peer`]s that the
//! caller names. Answers and their order do not depend on the number of threads; times do.
//!
//! # Limitations
//! - What people committed is not always right, and one resolution is not the only right one: a clean answer that
//!   differs is to be read before it is called wrong.
//! - Merges with several merge bases are left out and counted, as are those of which an object is missing.
//! - A merge whose person renamed or removed the file has no answer at its path; such a case is left out and counted.
//!
//! ```
//! use orchestrator_replay::{Class, classify};
//!
//! let sides = (&b"a = 1\n"[..], &b"a = 2\n"[..]);
//! assert_eq!(classify("a.rs", sides, b"fn a() {}\n", b"fn a()  {}\n"), Class::White);
//! assert_eq!(classify("a.py", sides, b"a = 3\n", b"  a = 3\n"), Class::Differs);
//! ```

mod case;
mod class;
mod error;
mod judge;
mod language;
mod lessons;
mod mine;
mod parallel;
mod peer;
pub mod report;
mod score;

pub use case::{Case, Cases, Clean, Skipped};
pub use class::{Class, classify};
pub use error::Error;
pub use judge::{Answer, CleanAnswer, Judged, Judgement, judge};
pub use language::language;
pub use lessons::{Lessons, learn};
pub use mine::{Wanted, mine};
pub use peer::Peer;
pub use score::{Rate, Score, Tally, Times};

/// Told while work goes on: what is done, how much of how much.
pub type Progress<'a> = &'a (dyn Fn(&str, usize, usize) + Sync);
