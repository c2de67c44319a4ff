//! One agent's workspace: watched, and turned into what the agent changed since it left the target branch.

use super::budget::scan_interval;
use super::shared::{Member, Shared};
use super::source::{at, version};
use super::{Standing, Work};
use crate::Orchestrator;
use crate::snapshots::keep::{Reason, Work as ToKeep};
use orchestrator_predict::{Change, Path, Version};
use orchestrator_protocol::{AgentId, WorkspaceBusy};
use orchestrator_repository::bstr::BString;
use orchestrator_repository::{Busy, Changes, Delta, Error, Limits, ObjectId, Snapshot, State, Store, Workspace};
use orchestrator_watch::{Handle, Notice};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::Receiver;

/// What a star takes over: paths with the agent's change of each, or nothing where there is none any more.
pub(crate) type Update = Vec<(Path, Option<Change>)>;

/// An agent whose workspace is followed.
pub(crate) struct Follower {
    pub(crate) agent: AgentId,
    /// The agent's number, which names its pin.
    pub(crate) number: u64,
    /// As registered.
    pub(crate) folder: String,
    pub(crate) handle: Arc<Handle>,
    pub(crate) notices: Receiver<Notice>,
    /// When something was changed there last, as far as it was seen.
    pub(crate) changed_at: Instant,
    /// Whether the system reports on it; else it is compared again and again.
    pub(crate) is_watched: bool,
    /// Why some of its folders are not watched.
    pub(crate) shortage: Option<String>,
    /// Other agents that work in the folder, in the order in which they came.
    pub(crate) others: Vec<Member>,
    /// What is remembered of the folder since several work in it.
    pub(crate) shared: Option<Shared>,
    workspace: Workspace,
    /// HEAD and the tip that the rest was worked out for.
    stands_on: Option<(Option<ObjectId>, Option<ObjectId>)>,
    /// Tree of the newest commit that HEAD and the target branch share.
    base: Option<ObjectId>,
    /// What HEAD has other than that.
    committed: BTreeMap<Path, Option<Version>>,
    /// Where the agent changed anything.
    changed: BTreeSet<Path>,
    /// Tracked files that the watcher does not tell of: the ignore rules name them, or they are gone.
    untold: Vec<Vec<u8>>,
    /// How often the index was read, and files left the watcher's view, when they were found.
    untold_at: (u64, u64),
}

/// Why a workspace cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowError {
    #[error(transparent)]
    Repository(#[from] Error),
    #[error(transparent)]
    Watch(#[from] orchestrator_watch::Error),
}

impl Follower {
    /// Watches the folder, with at most so many watches, and then looks at all of it, so that no change falls in
    /// between. Blocks.
    pub(crate) fn open(
        orchestrator: &Orchestrator,
        store: &Store,
        (agent, number, folder): (AgentId, u64, String),
        watches: usize,
    ) -> Result<Self, FollowError> {
        let own = orchestrator.options();
        let workspace = Workspace::open(store, std::path::Path::new(&folder), Limits::default())?;
        let cookies = own.state_dir.join("cookies").join(number.to_string());
        let mut options = orchestrator_watch::Options::new(workspace.root(), cookies);
        options.settle = own.settle;
        options.watch_budget = watches;
        options.exclude.clone_from(&own.exclude);
        options.exclude.push(own.state_dir.clone());
        let (handle, notices) = options.build()?;
        // All of it or nothing: half a workspace that is watched is of no use.
        let is_watched = handle.stats().folders_scanned == 0;
        if !is_watched {
            handle.allot(0, scan_interval(1));
        }
        let mut follower = Self {
            agent,
            number,
            folder,
            handle: Arc::new(handle),
            notices,
            changed_at: Instant::now(),
            is_watched,
            shortage: None,
            others: Vec::new(),
            shared: None,
            workspace,
            stands_on: None,
            base: None,
            committed: BTreeMap::new(),
            changed: BTreeSet::new(),
            untold: Vec::new(),
            untold_at: (0, 0),
        };
        follower.workspace.rescan()?;
        follower.pin();
        Ok(follower)
    }

    /// Looks at these paths, and at what git did meanwhile. `None` asks for everything.
    pub(crate) fn refresh(
        &mut self,
        store: &Store,
        tip: Option<(ObjectId, ObjectId)>,
        paths: Option<&[Vec<u8>]>,
    ) -> Result<Update, Error> {
        // A look that fails half way leaves differences that nobody was told: the next one compares everything.
        let stood_on = self.stands_on.take();
        let Changes { paths, .. } = match paths {
            Some(paths) => self.workspace.refresh(paths)?,
            None => self.workspace.rescan()?,
        };
        let snapshot = self.workspace.snapshot();
        let stands_on = Some((snapshot.head, tip.map(|(commit, _)| commit)));
        if stood_on == stands_on {
            let paths = paths.into_iter().map(path).collect();
            let update = self.changes(store, &snapshot, paths)?;
            self.stands_on = stands_on;
            return Ok(update);
        }
        self.pin();
        let shared = match (snapshot.head, tip) {
            (Some(head), Some((tip, _))) => store.merge_base(head, tip)?,
            _ => None,
        };
        self.base = shared.map(|commit| store.read_commit(commit)).transpose()?.map(|(tree, _)| tree);
        self.committed = committed(store, self.base, &snapshot)?;
        let keys = snapshot.delta.keys().cloned().map(path);
        let all = self.committed.keys().cloned().chain(keys).chain(self.changed.iter().cloned()).collect();
        let update = self.changes(store, &snapshot, all)?;
        self.stands_on = stands_on;
        Ok(update)
    }

    /// Tracked files whose changes nobody tells: they have to be looked at.
    pub(crate) fn untold(&mut self) -> Result<Vec<Vec<u8>>, Error> {
        let at = (self.workspace.index_readings(), self.handle.stats().hidden);
        if at != self.untold_at {
            let untold = self.workspace.untold(&|path| self.handle.knows(OsStr::from_bytes(path).as_ref()))?;
            self.untold = untold.into_iter().map(Vec::from).collect();
            self.untold_at = at;
        }
        Ok(self.untold.clone())
    }

    /// The work as last seen, to be kept.
    pub(crate) fn work_to_keep(&self, reason: Reason) -> ToKeep {
        let snapshot = self.workspace.snapshot();
        ToKeep { agent: self.agent.clone(), number: self.number, snapshot, reason }
    }

    /// All agents that work in the folder; the one that it is followed for first.
    pub(crate) fn members(&self) -> Vec<Member> {
        let lead = Member { agent: self.agent.clone(), number: self.number };
        std::iter::once(lead).chain(self.others.iter().cloned()).collect()
    }

    /// One of them.
    pub(crate) fn member(&self, key: &str) -> Option<Member> {
        self.members().into_iter().find(|member| member.agent.key() == key)
    }

    /// Follows the folder for another of its agents from now on.
    pub(crate) fn hand_over(&mut self, to: Member) {
        self.others.retain(|other| *other != to);
        let before = std::mem::replace(&mut self.number, to.number);
        self.agent = to.agent;
        self.pin();
        if let Err(error) = self.workspace.unpin(&before.to_string()) {
            tracing::warn!(agent = %self.agent, %error, "a pin was not removed");
        }
    }

    /// Whose which part of an update is. What nobody is known for is the first one's.
    pub(crate) fn parts(&self, update: Update) -> Vec<(Member, Update)> {
        let members = self.members();
        let Some(shared) = self.shared.as_ref().filter(|_| members.len() > 1) else {
            return members.into_iter().zip([update]).collect();
        };
        let owner = |path: &Path| shared.owner(path).filter(|owner| members.iter().any(|one| one.number == *owner));
        let part = |member: &Member| {
            let own = |path| owner(path).unwrap_or(self.number) == member.number;
            update.iter().map(|(path, change)| (path.clone(), change.filter(|_| own(path)))).collect()
        };
        members.iter().map(|member| (member.clone(), part(member))).collect()
    }

    /// Where anything was changed.
    pub(crate) fn seen_paths(&self) -> BTreeSet<Path> {
        self.changed.clone()
    }

    /// What was seen last at these paths, to be told again.
    pub(crate) fn seen(&mut self, store: &Store, paths: BTreeSet<Path>) -> Result<Update, Error> {
        let snapshot = self.workspace.snapshot();
        self.changes(store, &snapshot, paths)
    }

    /// The version that was seen last at a path.
    pub(crate) fn version(&self, store: &Store, path: &Path) -> Result<Option<Version>, Error> {
        let snapshot = self.workspace.snapshot();
        Ok(match snapshot.delta.get::<[u8]>(path.as_ref()) {
            Some(Delta::Deleted) => None,
            Some(Delta::Entry(entry)) => Some(version(entry.mode, entry.oid, entry.opaque.is_some())),
            None => at(store, Some(snapshot.head_tree), path)?,
        })
    }

    /// The tree of the work as last seen.
    pub(crate) fn tree(&self) -> Result<ObjectId, Error> {
        self.workspace.snapshot().tree()
    }

    /// The same number is the same work.
    pub(crate) fn generation(&self) -> u64 {
        self.workspace.snapshot().generation
    }

    /// The work as last seen; nothing when git's data cannot be read.
    pub(crate) fn work(&self) -> Option<Work> {
        let snapshot = self.workspace.snapshot();
        let tree = snapshot.tree().inspect_err(|error| tracing::warn!(%error, "a workspace's tree cannot be made"));
        Some(Work {
            head: snapshot.head.map(|head| head.to_string()),
            tree: tree.ok()?.to_string(),
            changed: self.changed.len(),
        })
    }

    /// The agent's change of each of these paths.
    fn changes(&mut self, store: &Store, snapshot: &Snapshot, paths: BTreeSet<Path>) -> Result<Update, Error> {
        let mut update = Vec::with_capacity(paths.len());
        for path in paths {
            let base = at(store, self.base, &path)?;
            let side = match snapshot.delta.get::<[u8]>(path.as_ref()) {
                Some(Delta::Deleted) => None,
                Some(Delta::Entry(entry)) => Some(version(entry.mode, entry.oid, entry.opaque.is_some())),
                None => match self.committed.get(&path) {
                    Some(committed) => *committed,
                    None => base,
                },
            };
            let change = (base != side).then_some(Change { base, side });
            update.push((path, change));
        }
        for (path, change) in &update {
            if change.is_some() {
                self.changed.insert(path.clone());
            } else {
                self.changed.remove(path);
            }
        }
        Ok(update)
    }

    /// Tree of the newest commit that the work shares with the target branch.
    pub(crate) fn base(&self) -> Option<ObjectId> {
        self.base
    }

    /// How the workspace was seen last.
    pub(crate) fn standing(&self) -> Standing {
        let busy = match self.workspace.state() {
            State::Ready => None,
            State::Busy(Busy::Locked) => Some(WorkspaceBusy::Locked),
            State::Busy(Busy::Unfinished) => Some(WorkspaceBusy::Unfinished),
            State::Busy(Busy::Conflicted) => Some(WorkspaceBusy::Conflicted),
        };
        Standing::Followed { dirty: self.changed.len(), busy }
    }

    /// What our work stands on must outlive the user's garbage collection.
    fn pin(&self) {
        if let Err(error) = self.workspace.pin(&self.number.to_string()) {
            tracing::warn!(agent = %self.agent, %error, "the commit that a workspace stands on is not pinned");
        }
    }

    pub(crate) fn unpin(&self) {
        if let Err(error) = self.workspace.unpin(&self.number.to_string()) {
            tracing::warn!(agent = %self.agent, %error, "a pin was not removed");
        }
    }
}

/// What HEAD has other than the commit it shares with the target branch.
fn committed(
    store: &Store,
    base: Option<ObjectId>,
    snapshot: &Snapshot,
) -> Result<BTreeMap<Path, Option<Version>>, Error> {
    let from = match base {
        Some(tree) => tree,
        None => store.tree_with(ObjectId::empty_tree(snapshot.head_tree.kind()), &BTreeMap::new())?,
    };
    let found = store.diff(from, snapshot.head_tree, false)?.into_iter();
    let side = |to: Option<_>| to.map(|(mode, oid)| version(mode, oid, false));
    Ok(found.map(|change| (path(change.path), side(change.to))).collect())
}

pub(super) fn path(path: BString) -> Path {
    Vec::from(path).into()
}
