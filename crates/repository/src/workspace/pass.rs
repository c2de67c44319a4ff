//! One look at the disk: what `git add -A` would store, path by path, against HEAD.

mod entry;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::PathBuf,
    sync::Arc,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
};

use self::entry::is_below;
use super::{
    Limits, Workspace,
    beneath::{Folder, Way, is_no_folder},
    index::{Index, Record, number},
    is_git,
    rules::Rules,
};
use crate::{
    Error, Store,
    snapshot::{Deltas, Entry, Mode, Notice},
    store::objects::Objects,
    tree::join,
};

/// What the repository's configuration says of the file system.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// The executable bit means something.
    file_mode: bool,
    /// Paths are left out of the checkout.
    sparse: bool,
}

impl Settings {
    pub(super) fn of(repository: &gix::Repository) -> Self {
        let config = repository.config_snapshot();
        Self {
            file_mode: config.boolean("core.fileMode").unwrap_or(true),
            sparse: config.boolean("core.sparseCheckout").unwrap_or(false),
        }
    }
}

pub(super) struct Pass<'a> {
    store: Store,
    objects: Objects,
    rules: Rules,
    top: PathBuf,
    root: Folder,
    index: &'a Index,
    head: ObjectId,
    limits: &'a Limits,
    settings: Settings,
    delta: &'a mut Deltas,
    notices: &'a mut BTreeMap<BString, Notice>,
    changed: BTreeSet<BString>,
    /// Folders that may not be read: nothing below them is taken for gone.
    closed: Vec<BString>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(of: &'a mut Workspace, local: &gix::Repository, objects: Objects) -> Result<Self, Error> {
        let gone = |source| Error::Folder { path: of.root.clone(), source };
        let root = Folder::root(&of.root).map_err(gone)?;
        // Without its git data the folder is not the worktree any more, and nothing in it counts as deleted.
        root.stat(".git".into()).map_err(gone)?;
        Ok(Self {
            store: of.store.clone(),
            objects,
            rules: Rules::new(local, &of.index.rules)?,
            top: of.root.clone(),
            root,
            index: &of.index,
            head: of.head_tree,
            limits: &of.limits,
            settings: of.settings,
            delta: Arc::make_mut(&mut of.delta),
            notices: Arc::make_mut(&mut of.notices),
            changed: BTreeSet::new(),
            closed: Vec::new(),
        })
    }

    /// Looks at each path; the empty one is everything.
    pub(super) fn run(&mut self, paths: &BTreeSet<BString>) -> Result<(), Error> {
        for path in paths {
            self.look(path.as_ref())?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> BTreeSet<BString> {
        self.changed
    }

    fn look(&mut self, path: &BStr) -> Result<(), Error> {
        if path.is_empty() {
            return self.scan(path);
        }
        let (parent, name) = match path.rfind_byte(b'/') {
            Some(at) => (path[..at].as_bstr(), path[at + 1..].as_bstr()),
            None => (b"".as_bstr(), path),
        };
        let folder = match self.root.below(parent) {
            Ok(Way::Whole(folder)) => folder,
            Ok(Way::Ends(at)) => return self.look(parent[..at].as_bstr()),
            Err(error) => return self.shut(parent, &error),
        };
        for (at, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = path[..at].as_bstr();
            if self.is_repository(above)? {
                return self.scan(above);
            }
            // A folder stands where a file was.
            if self.index.record(above).is_some()
                || self.index.staged.contains_key(above)
                || self.delta.contains_key(above)
            {
                self.gone(above)?;
            }
        }
        match folder.stat(name) {
            Ok(meta) if meta.is_dir() => self.scan(path),
            Ok(_) => {
                if self.index.record(path).is_none() || self.index.staged.contains_key(path) || self.has_delta(path) {
                    for below in self.known_below(path, false)? {
                        self.gone(below.as_ref())?;
                    }
                }
                self.file(path, &folder, name).map(drop)
            }
            Err(error) if is_no_folder(&error) => {
                self.forget_notices(path);
                for below in self.known_below(path, false)? {
                    self.gone(below.as_ref())?;
                }
                self.gone(path)
            }
            Err(error) => self.shut(path, &error),
        }
    }

    /// A folder with everything below it.
    fn scan(&mut self, path: &BStr) -> Result<(), Error> {
        self.forget_notices(path);
        let mut seen = Seen::default();
        let way = self.root.below(path);
        match way {
            Ok(Way::Whole(folder)) => self.folder(path, &folder, &mut seen)?,
            Ok(Way::Ends(_)) => {}
            Err(error) => self.shut(path, &error)?,
        }
        let all_tracked = path.is_empty() && self.index.len() == Some(seen.tracked);
        let known = self.known_below(path, all_tracked)?;
        if !path.is_empty() && !seen.paths.contains(&number(path)) {
            self.gone(path)?;
        }
        for below in known {
            let is_closed = |closed: &BString| {
                closed.is_empty() || closed == below.as_bstr() || is_below(below.as_ref(), closed.as_ref())
            };
            let closed = self.closed.iter().any(is_closed);
            if !closed && !seen.paths.contains(&number(below.as_ref())) {
                self.gone(below.as_ref())?;
            }
        }
        Ok(())
    }

    /// One folder, unless it is ignored and holds nothing tracked.
    fn folder(&mut self, path: &BStr, folder: &Folder, seen: &mut Seen) -> Result<(), Error> {
        if !path.is_empty() && !self.enters(path, folder, seen)? {
            return Ok(());
        }
        let entries = match folder.entries() {
            Ok(entries) => entries,
            Err(error) => return self.shut(path, &error),
        };
        for (name, kind) in entries {
            if is_git(name.as_ref()) {
                continue;
            }
            let child = join(path, name.as_ref());
            if kind.is_dir() {
                match folder.child(name.as_ref()) {
                    Ok(opened) => self.folder(child.as_ref(), &opened, seen)?,
                    Err(error) if is_no_folder(&error) => {}
                    Err(_)
                        if !self.index.has_folder(child.as_ref())
                            && self.rules.excludes(child.as_ref(), true, &self.objects)? => {}
                    Err(error) => self.shut(child.as_ref(), &error)?,
                }
            } else if self.file(child.as_ref(), folder, name.as_ref())? {
                seen.tracked += usize::from(self.index.record(child.as_ref()).is_some());
                seen.paths.insert(number(child.as_ref()));
            }
        }
        Ok(())
    }

    /// False for a folder that is ignored, or another repository.
    fn enters(&mut self, path: &BStr, folder: &Folder, seen: &mut Seen) -> Result<bool, Error> {
        let tracked = self.index.record(path);
        let submodule = tracked.is_some_and(Record::submodule);
        if !submodule && self.index.has_folder(path) {
            return Ok(true);
        }
        if tracked.is_none() {
            match self.rules.excludes(path, true, &self.objects) {
                Ok(true) => return Ok(false),
                Ok(false) => {}
                Err(_) => return self.unreadable(path).map(|()| false),
            }
        }
        let has_git = folder.stat(".git".into()).is_ok();
        if !submodule && !has_git {
            return Ok(true);
        }
        match if has_git { self.nested(path) } else { Nested::No } {
            Nested::Commit(oid) => self.set(path, Some(Entry { mode: Mode::Submodule, oid, opaque: None }))?,
            _ if submodule => self.keep(path)?,
            Nested::Unborn => {
                self.notices.insert(path.to_owned(), Notice::UnbornRepository);
                return Ok(false);
            }
            Nested::No => return Ok(true),
        }
        seen.tracked += usize::from(tracked.is_some());
        seen.paths.insert(number(path));
        Ok(false)
    }

    /// True when everything below `path` is another repository's.
    fn is_repository(&mut self, path: &BStr) -> Result<bool, Error> {
        if self.index.record(path).is_some_and(Record::submodule) {
            return Ok(true);
        }
        if self.index.has_folder(path) {
            return Ok(false);
        }
        let has_git = match self.root.below(path) {
            Ok(Way::Whole(folder)) => folder.stat(".git".into()).is_ok(),
            _ => false,
        };
        Ok(has_git && !matches!(self.nested(path), Nested::No))
    }

    fn nested(&self, path: &BStr) -> Nested {
        let Ok(path) = path.to_path() else { return Nested::No };
        let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
        let Ok(opened) = options.open(self.top.join(path)) else { return Nested::No };
        match opened.to_thread_local().head_id() {
            Ok(id) => Nested::Commit(id.detach()),
            Err(_) => Nested::Unborn,
        }
    }
}

#[derive(Default)]
struct Seen {
    paths: HashSet<u64>,
    /// How many of them the index has.
    tracked: usize,
}

enum Nested {
    Commit(ObjectId),
    Unborn,
    No,
}
