//! Approvals: questions that only a person answers, once.
//!
//! Whoever needs a decision asks and goes on with something else; the answer is an event. A deadline ends the wait: with the
//! default answer where one was given, else the approval expires and nothing was decided.
//!
//! # Limitations
//! What follows from an answer is the asker's business.

mod command;
mod state;

pub use command::{Answer, Command, Error, Event, Request};
pub use state::{Approval, Approvals, MOST_ENDED, MOST_PENDING};

/// Longest deadline, in seconds.
pub const MAX_DEADLINE: u64 = 31 * 86_400;

/// An approval as callers know it.
#[must_use]
pub fn name(id: u64) -> String {
    format!("approval-{id}")
}
