//! Tasks: work that one agent takes at a time.
//!
//! A claim gives a fencing token, the number of its event, so every later claim has a larger one. Whoever reports
//! shows it: an agent whose claim ended meanwhile is told so instead of being believed. A claim ends with a result, when
//! it is given back, and when its holder leaves or stays silent for a term.
//!
//! [`Tasks`] holds what is decided upon; descriptions and results stay outside.
//!
//! # Limitations
//! What a task depends on is stored and does not order anything here.

mod command;
mod error;
mod record;
mod tasks;

pub use command::{Command, Event, Request};
pub use error::Error;
pub use record::{Cause, Claim, Fallen, Finished, Progress, Task};
pub use tasks::{MOST_ENDED, MOST_OPEN, Tasks};

/// Longest deadline, in seconds.
pub const MAX_DEADLINE: u64 = 31 * 86_400;
/// Most tasks that one may depend on.
pub const MOST_DEPENDENCIES: usize = 100;
/// Steps of a task's life that are remembered, beside its creation.
pub const MOST_STEPS: usize = 100;

/// A task as callers know it.
#[must_use]
pub fn name(id: u64) -> String {
    format!("task-{id}")
}
