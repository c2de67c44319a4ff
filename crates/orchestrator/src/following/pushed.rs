//! An agent whose folder is out of reach: its work is the commit that it pushed last.

use super::Work;
use super::follower::{Update, path};
use super::source::version;
use orchestrator_predict::{Change, Path};
use orchestrator_protocol::AgentId;
use orchestrator_repository::{Error, ObjectId, Store};
use std::collections::{BTreeMap, BTreeSet};

/// What a push made of an agent's work. Nothing there changes until the next one.
pub(super) struct Pushed {
    pub(super) agent: AgentId,
    pub(super) number: u64,
    pub(super) commit: ObjectId,
    tree: Option<ObjectId>,
    /// Tree of the newest commit that it shares with the target branch.
    base: Option<ObjectId>,
    head: Option<ObjectId>,
    /// The commit and the tip that the rest was worked out for.
    stands_on: Option<(ObjectId, Option<ObjectId>)>,
    /// Where the agent changed anything.
    changed: BTreeSet<Path>,
}

impl Pushed {
    pub(super) fn new(agent: AgentId, number: u64, commit: ObjectId) -> Self {
        Self { agent, number, commit, tree: None, base: None, head: None, stands_on: None, changed: BTreeSet::new() }
    }

    /// What is other than before; nothing when neither the work nor the tip moved.
    pub(super) fn update(&mut self, store: &Store, tip: Option<(ObjectId, ObjectId)>) -> Result<Option<Update>, Error> {
        let stands_on = (self.commit, tip.map(|(commit, _)| commit));
        if self.stands_on == Some(stands_on) {
            return Ok(None);
        }
        let (tree, parents) = store.read_commit(self.commit)?;
        let base = match tip {
            Some((tip, _)) => store.merge_base(self.commit, tip)?,
            None => None,
        };
        let from = match base {
            Some(base) => store.read_commit(base)?.0,
            None => store.tree_with(ObjectId::empty_tree(tree.kind()), &BTreeMap::new())?,
        };
        let side = |stage: Option<_>| stage.map(|(mode, oid)| version(mode, oid, false));
        let changes = store.diff(from, tree, false)?.into_iter();
        let now: BTreeMap<Path, Change> = changes
            .map(|change| (path(change.path), Change { base: side(change.from), side: side(change.to) }))
            .collect();
        let gone = self.changed.iter().filter(|path| !now.contains_key(*path)).map(|path| (path.clone(), None));
        let mut update: Update = gone.collect();
        self.changed = now.keys().cloned().collect();
        update.extend(now.into_iter().map(|(path, change)| (path, Some(change))));
        (self.tree, self.head) = (Some(tree), parents.first().copied());
        self.base = base.map(|_| from);
        self.stands_on = Some(stands_on);
        Ok(Some(update))
    }

    /// Whether what was pushed last was compared with this tip.
    pub(super) fn is_read(&self, tip: Option<(ObjectId, ObjectId)>) -> bool {
        self.stands_on == Some((self.commit, tip.map(|(commit, _)| commit)))
    }

    /// The tree that the work began with; nothing when it shares no commit with the target branch.
    pub(super) fn base(&self) -> Option<ObjectId> {
        self.base
    }

    /// Paths that are other than where the agent began.
    pub(super) fn dirty(&self) -> usize {
        self.changed.len()
    }

    pub(super) fn work(&self) -> Option<Work> {
        let head = self.head.map(|head| head.to_string());
        Some(Work { head, tree: self.tree?.to_string(), changed: self.changed.len() })
    }
}
