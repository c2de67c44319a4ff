//! Times when nothing is reported: the root is lost, or so much vanished that it must be asked about.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{Worker, exclude_stamp};
use crate::{Error, Notice, rules::Rules, scan, settle::Due, stamp};

/// Why nothing is reported.
#[derive(Debug)]
pub(crate) enum Halt {
    Root,
    /// Many files vanished: all that waits, and how many of it vanished when it began.
    Deletions {
        held: BTreeSet<PathBuf>,
        missing: BTreeSet<PathBuf>,
        count: usize,
    },
}

impl Worker {
    pub(super) fn root_is_there(&self) -> bool {
        matches!(scan::identity(&self.root), Ok(Some(found)) if found == self.root_identity)
    }

    pub(super) fn lose_root(&mut self) {
        tracing::warn!(root = %self.root.display(), "the watched folder is gone or was replaced; halted");
        self.halt = Some(Halt::Root);
        self.settle.clear();
        self.places.disconnect();
        self.places.forget(Path::new(""));
        self.fail_barriers();
        self.deliver(Notice::RootLost);
    }

    pub(super) fn find_root(&mut self) {
        self.fail_barriers();
        let Ok(Some(identity)) = scan::identity(&self.root) else {
            return;
        };
        self.root_identity = identity;
        self.halt = None;
        self.counter.set_strict(true);
        self.base = Rules::base(&self.root);
        self.base_stamp = exclude_stamp(&self.root);
        self.places.connect();
        self.compare_all();
        self.rescans += 1;
        self.deliver(Notice::RootBack);
    }

    pub(super) fn confirm(&mut self) {
        if let Some(Halt::Deletions { held, .. }) = self.halt.take() {
            self.counter.reset();
            self.deliver(Notice::MassDeletionCleared { confirmed: true });
            self.examine(held.into_iter().map(as_due).collect(), false);
        }
    }

    /// Ends a mass deletion when nearly all files are back and nothing moves any more.
    pub(super) fn look_for_return(&mut self) {
        let settled = self.settle.len() == 0;
        let root = &self.root;
        let Some(Halt::Deletions { missing, count, .. }) = &mut self.halt else {
            return;
        };
        missing.retain(|path| matches!(stamp::stamp_at(&root.join(path)), Ok(None)));
        if !settled || missing.len() * 10 > *count {
            return;
        }
        if let Some(Halt::Deletions { held, .. }) = self.halt.take() {
            self.deliver(Notice::MassDeletionCleared { confirmed: false });
            self.examine(held.into_iter().map(as_due).collect(), true);
        }
    }

    /// The error for whoever asks for a barrier now.
    pub(super) fn halted(&self) -> Option<Error> {
        let reason = match self.halt.as_ref()? {
            Halt::Root => "the watched folder is gone; put it back",
            Halt::Deletions { .. } => "many files vanished together; put them back or confirm the deletions",
        };
        Some(Error::Halted { reason })
    }
}

fn as_due(path: PathBuf) -> Due {
    Due { path: path.into(), found: false }
}
