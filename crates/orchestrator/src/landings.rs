//! Landing: finished work reaches its branch, merged and checked, or it is said why not.
//!
//! One landing is in work at a time. Each step is an event: what is in work when the server dies is taken up by the next
//! start from the log ([`runner`]). The order is that of [`orchestrator_landing`]: merge ([`combine`]), gates on exactly that
//! tree ([`checks`]), the same tree again by a second way, intent, compare-and-swap of the branch ([`moving`]).

mod ask;
mod checks;
mod combine;
mod failures;
mod finish;
mod moving;
mod rollback;
mod runner;
mod view;

pub use ask::Wish;
pub use rollback::{Undo, Undone};
pub(crate) use runner::run;
pub(crate) use view::push;

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// What lands where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LandingOptions {
    /// What becomes of a landing when the folder that has the branch checked out is in its way.
    pub dirty: Dirty,
    /// What the commit is.
    pub style: Style,
    /// Folders in the checkouts of gates that outlive a run, such as `target`.
    pub warm: Vec<String>,
}

impl Default for LandingOptions {
    fn default() -> Self {
        Self { dirty: Dirty::Branch, style: Style::Squash, warm: Vec::new() }
    }
}

/// What becomes of a landing when the folder that has the branch checked out is in its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dirty {
    /// It lands on `orchestrator/BRANCH`; the branch follows when nothing is in the way of a later one.
    Branch,
    /// It waits.
    Wait,
}

/// What a landing's commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One commit by the agent on the branch.
    Squash,
    /// A merge of the branch and the agent's own newest commit, where it made any.
    Merge,
}

/// What the queue needs beside the state.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Something may have to be done.
    pub(crate) look: Notify,
    pub(crate) end: CancellationToken,
    /// What stops a landing that is in work.
    pub(crate) stops: Mutex<BTreeMap<u64, CancellationToken>>,
}

impl Queue {
    /// A landing was taken out.
    pub(crate) fn cancelled(&self, id: u64) {
        if let Some(stop) = self.stops.lock().remove(&id) {
            stop.cancel();
        }
        self.look.notify_one();
    }
}

/// The queue of one orchestrator.
pub(crate) type SharedQueue = Arc<Queue>;

/// The branch that holds what could not be put onto another.
pub(crate) fn beside(target: &str) -> String {
    format!("orchestrator/{target}")
}
