//! One agent's folder and the work in it that no commit holds.

mod advance;
mod beneath;
mod content;
mod index;
mod pass;
mod restore;
mod rules;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
};

pub use self::advance::{Advanced, InTheWay};
pub use self::restore::{Planned, Restore, Restored};
pub(crate) use self::restore::{holdable, place::standing_file};
pub(crate) use self::standing::head;
use self::{
    index::{Identity, Index},
    pass::{Pass, Settings},
    rules::Rules,
    standing::{busy, open, shares_history, sources},
};
use crate::{
    Error, PathError, Project, Store,
    path::is_git_folder,
    snapshot::{Deltas, Notice, Snapshot},
    store,
};

/// Bounds of what a workspace reads and keeps.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Larger files are known by hash only. Bytes; 8 MiB.
    pub max_file: u64,
    /// When more than this is in the store's memory, contents are written to its disk. Bytes; 256 MiB.
    pub max_memory: usize,
    /// How often a file is read again that changed meanwhile; 3.
    pub read_again: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_file: 8 << 20, max_memory: 256 << 20, read_again: 3 }
    }
}

/// Whether a snapshot follows the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does.
    Ready,
    /// The agent's own git is at work: the last snapshot stands.
    Busy(Busy),
}

/// What the agent's git is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// `index.lock` is there.
    Locked,
    /// A rebase, merge, cherry-pick or revert is not finished.
    Unfinished,
    /// The index holds a conflict.
    Conflicted,
}

/// What a look at the disk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Whose difference to HEAD is another now, sorted.
    pub paths: Vec<BString>,
    /// Busy: nothing was looked at, and is looked at when it is over.
    pub state: State,
}

/// A worktree of the repository, or a clone of it, with the difference between its files and its HEAD.
///
/// It never writes the index and never takes its lock.
#[derive(Debug)]
pub struct Workspace {
    store: Store,
    root: PathBuf,
    common: PathBuf,
    repository: gix::ThreadSafeRepository,
    limits: Limits,
    settings: Settings,
    /// Of the files that the settings and rules came from.
    sources: Vec<Identity>,
    head: Option<ObjectId>,
    head_tree: ObjectId,
    index: Index,
    /// How often the index was read.
    readings: u64,
    delta: Arc<Deltas>,
    notices: Arc<BTreeMap<BString, Notice>>,
    generation: u64,
    state: State,
    /// Told while busy, to be looked at after.
    pending: BTreeSet<BString>,
    /// Everything has to be looked at.
    stale: bool,
}

/// More paths than this while busy are a full look.
const MAX_PENDING: usize = 10_000;

impl Workspace {
    /// Opens the worktree that holds `folder` and looks at all of it. A clone's objects become readable in the
    /// store.
    /// # Errors
    /// It is no worktree, shares no history with the store's repository, or cannot be read. A busy git is no
    /// error: the snapshot is HEAD until it has finished.
    pub fn open(store: &Store, folder: &Path, limits: Limits) -> Result<Self, Error> {
        let project = Project::discover(folder)?;
        let Some(common) = project.git_common_dir() else {
            return Err(Error::Unrelated { path: folder.to_owned() });
        };
        let repository = open(project.root())?;
        if common != store.git_common_dir() {
            if !shares_history(&repository.to_thread_local(), store)? {
                return Err(Error::Unrelated { path: folder.to_owned() });
            }
            store.add_alternate(&common.join("objects"))?;
        }
        let empty = ObjectId::empty_tree(gix::hash::Kind::Sha1);
        let mut opened = Self {
            store: store.clone(),
            root: project.root().to_owned(),
            common: common.to_owned(),
            settings: Settings::of(&repository.to_thread_local()),
            repository,
            limits,
            sources: Vec::new(),
            head: None,
            head_tree: empty,
            index: Index::empty(),
            readings: 0,
            delta: Arc::default(),
            notices: Arc::default(),
            generation: 0,
            state: State::Ready,
            pending: BTreeSet::new(),
            stale: true,
        };
        opened.rescan()?;
        Ok(opened)
    }

    /// Top of the worktree, canonical.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the snapshot follows the disk.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// The work as last seen.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            head: self.head,
            head_tree: self.head_tree,
            generation: self.generation,
            delta: Arc::clone(&self.delta),
            notices: Arc::clone(&self.notices),
            store: self.store.clone(),
        }
    }

    /// Grows whenever the index is read.
    #[must_use]
    pub fn index_readings(&self) -> u64 {
        self.readings
    }

    /// Tracked files that `is_told` denies and that are there or are ignored: those whose changes a watcher that
    /// follows the ignore rules does not tell.
    /// # Errors
    /// The index or a rule file cannot be read.
    pub fn untold(&self, is_told: &dyn Fn(&BStr) -> bool) -> Result<Vec<BString>, Error> {
        let local = self.repository.to_thread_local();
        let objects = self.store.objects();
        let mut rules = Rules::new(&local, &self.index.rules)?;
        let mut untold = Vec::new();
        for path in index::visible(&local.index_path())? {
            let is_there = || path.to_path().is_ok_and(|path| self.root.join(path).symlink_metadata().is_ok());
            if !is_told(path.as_ref()) && (is_there() || rules.excludes(path.as_ref(), false, &objects)?) {
                untold.push(path);
            }
        }
        Ok(untold)
    }

    /// Looks at exactly these paths again, a folder meaning everything below it, and at what changed with
    /// HEAD or the index. A rule file means its folder.
    /// # Errors
    /// A path is absolute or holds `..` or NUL; the root is gone; git data cannot be read. What was known
    /// stays.
    pub fn refresh<P: AsRef<[u8]>>(&mut self, paths: &[P]) -> Result<Changes, Error> {
        let mut clean = BTreeSet::new();
        for path in paths {
            clean.extend(cleaned(path.as_ref().as_bstr())?);
        }
        self.look(clean)
    }

    /// Looks at everything, ignored folders left out.
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub fn rescan(&mut self) -> Result<Changes, Error> {
        self.stale = true;
        self.look(BTreeSet::new())
    }

    /// Holds this workspace's HEAD against its repository's own garbage collection; nothing before the first
    /// commit.
    /// # Errors
    /// As [`Store::pin`].
    pub fn pin(&self, name: &str) -> Result<(), Error> {
        self.head.map_or(Ok(()), |head| store::pin(&self.common, name, head))
    }

    /// Removes a pin of this workspace's repository; true when it was there.
    /// # Errors
    /// As [`Store::unpin`].
    pub fn unpin(&self, name: &str) -> Result<bool, Error> {
        store::unpin(&self.common, name)
    }

    fn look(&mut self, mut paths: BTreeSet<BString>) -> Result<Changes, Error> {
        let found = self.try_look(&mut paths);
        if found.is_err() {
            // What was half done is done again.
            self.stale = true;
        }
        found
    }

    fn try_look(&mut self, paths: &mut BTreeSet<BString>) -> Result<Changes, Error> {
        let mut local = self.repository.to_thread_local();
        if let Some(busy) = busy(local.git_dir()) {
            return Ok(self.wait(busy, paths));
        }
        let sources = sources(&local);
        if sources != self.sources {
            self.repository = open(&self.root)?;
            local = self.repository.to_thread_local();
            self.settings = Settings::of(&local);
            self.sources = sources;
            self.stale = true;
        }
        let objects = self.store.objects();
        let memory = Arc::clone(&objects.memory);
        let _writing = memory.writing();
        let head = head(&local)?;
        let head_tree = match head {
            Some(head) => objects.tree_of(&head)?,
            None => ObjectId::empty_tree(gix::hash::Kind::Sha1),
        };
        if head_tree != self.head_tree || Identity::of(&local.index_path()) != self.index.identity || self.stale {
            let mut differs = |path| {
                paths.insert(path);
            };
            let index = Index::read(&local.index_path(), &objects, head_tree, &self.index, &mut differs)?;
            if index.conflicted {
                return Ok(self.wait(Busy::Conflicted, paths));
            }
            if head_tree != self.head_tree {
                match self.store.diff(self.head_tree, head_tree, false) {
                    Ok(moved) => paths.extend(moved.into_iter().map(|change| change.path)),
                    // The old tree may be collected by now: then nothing is known of what moved.
                    Err(_) => self.stale = true,
                }
                paths.extend(self.delta.keys().cloned());
            }
            self.index = index;
            self.readings += 1;
        }
        paths.append(&mut self.pending);
        let rules: Vec<BString> =
            paths.iter().filter(|path| is_rule_file(path.as_ref())).map(|path| folder_of(path.as_ref())).collect();
        paths.extend(rules);
        if self.stale || paths.contains(BStr::new("")) {
            *paths = BTreeSet::from([BString::default()]);
        }
        let moved = head != self.head;
        (self.head, self.head_tree) = (head, head_tree);
        let mut pass = Pass::new(self, &local, objects)?;
        pass.run(paths)?;
        let changed = pass.finish();
        if moved || !changed.is_empty() {
            self.generation += 1;
        }
        self.stale = false;
        self.state = State::Ready;
        Ok(Changes { paths: changed.into_iter().collect(), state: State::Ready })
    }

    fn wait(&mut self, busy: Busy, paths: &mut BTreeSet<BString>) -> Changes {
        self.pending.append(paths);
        if self.pending.len() > MAX_PENDING {
            self.pending.clear();
            self.stale = true;
        }
        self.state = State::Busy(busy);
        Changes { paths: Vec::new(), state: self.state }
    }
}

fn is_rule_file(path: &BStr) -> bool {
    let name = path.rfind_byte(b'/').map_or(path, |at| path[at + 1..].as_bstr());
    name == ".gitignore" || name == ".gitattributes"
}

fn folder_of(path: &BStr) -> BString {
    path.rfind_byte(b'/').map_or_else(BString::default, |at| path[..at].into())
}

/// The one name of a path, or of the folder whose `.git` it is in; nothing for the worktree's own `.git`.
fn cleaned(path: &BStr) -> Result<Option<BString>, Error> {
    let text = || path.to_str_lossy().into_owned();
    if path.contains(&0) {
        return Err(PathError::Nul(text()).into());
    }
    if path.starts_with(b"/") {
        return Err(PathError::Outside { input: text(), root: PathBuf::from(".") }.into());
    }
    let mut clean = BString::default();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => continue,
            b".." => return Err(PathError::Parent(text()).into()),
            part if is_git(part.as_bstr()) => return Ok((!clean.is_empty()).then_some(clean)),
            _ => {}
        }
        if !clean.is_empty() {
            clean.push(b'/');
        }
        clean.extend_from_slice(part);
    }
    Ok(Some(clean))
}

/// True for a name that some system takes for git's own folder.
pub(crate) fn is_git(name: &BStr) -> bool {
    name.to_str_lossy().split('\\').any(is_git_folder)
}
