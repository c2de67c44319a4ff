//! Landing: finished work reaches its branch, merged and checked, or it is said why not.
//!
//! Each step is an event: what is in work when the server dies is taken up by the next start from the log ([`runner`]). The
//! order is that of [`orchestrator_landing`]: merge ([`combine`]) onto what is before it ([`couple`]), gates on exactly that
//! tree ([`gating`]), the same tree again by a second way, intent ([`arrive`]), compare-and-swap of the branch ([`moving`]).
//! Which branch moves to what, and what waits for what, is all decided by one loop; beside it only gates run.

mod arrive;
mod ask;
mod checks;
mod combine;
mod couple;
mod failures;
mod finish;
mod footprints;
mod gating;
mod moving;
mod receipt;
mod rollback;
mod runner;
mod told;
mod track;
mod trials;
mod upkeep;
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
    /// So many trees are gated at once, each in a checkout of its own; at least one.
    pub side_by_side: usize,
    /// So many landings are gated as one where they depend on each other or more wait than are gated at once; with one,
    /// each is gated alone.
    pub batch: usize,
}

impl Default for LandingOptions {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let side_by_side = (processors / 2).max(1);
        Self { dirty: Dirty::Branch, style: Style::Squash, warm: Vec::new(), side_by_side, batch: 4 }
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
    /// The order of those that wait, as it was seen last.
    pub(crate) order: Mutex<Vec<u64>>,
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
