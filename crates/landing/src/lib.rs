//! The queue of landings: which work is to reach which branch, how far each is, and what proves that it landed.
//!
//! The crate is pure. [`Landings`] takes what happened as data: that a merge was made, how a gate ended, that the branch
//! moved. It decides which steps may follow which, so that no landing skips one: a branch is only meant to move after every
//! required gate passed on the tree that moves it ([`Command::Intend`]), and what was meant is either done or taken back.
//! A landing may be merged onto the result of another that has not landed yet; when that one does not land, it begins anew.
//!
//! [`order`] says who goes first, and [`Train`] what is gated side by side and in batches.
//!
//! ```
//! use orchestrator_landing::{Command, Landings, Request};
//!
//! let mut landings = Landings::default();
//! let request = Request {
//!     agent: "dev".parse()?,
//!     target: "main".into(),
//!     message: "Add a parser".into(),
//!     priority: 0,
//!     commit: "5e1c309dae7f45e0f39b1bf3ac3cd9db12e7d689".into(),
//!     kept: "refs/landing/1-5".into(),
//! };
//! for (seq, event) in (7..).zip(landings.decide(&Command::Request(request), 0)?) {
//!     landings.apply(seq, &event);
//! }
//! assert_eq!(landings.window().first().map(|landing| landing.id), Some(7));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Limitations
//! Of ended landings the newest [`MOST_ENDED`] are remembered; the log has the others. Who goes first is decided among the
//! [`WINDOW`] most urgent.

mod command;
mod landing;
mod landings;
mod order;
mod train;

pub use command::{Command, Error, Event, Request};
pub use landing::{Batch, GateRun, Intent, Landing, Open, Region};
pub use landings::{Landings, MOST_ENDED, MOST_OPEN, WINDOW};
pub use order::{Candidate, Footprint, RAISE, order};
pub use train::{Car, Front, Limits, Queue, Train};
