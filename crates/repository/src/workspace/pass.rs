//! One look at the disk: what `git add -A` would store, path by path, against HEAD.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::PathBuf,
    sync::Arc,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    objs::Kind,
};

use super::{
    Limits, Workspace,
    beneath::{Folder, Way, is_no_folder},
    content::{self, Content},
    index::{Index, Record, number},
    is_git,
    rules::Rules,
};
use crate::{
    Error, Store,
    snapshot::{Delta, Deltas, Entry, Mode, Notice, Opaque},
    store::objects::Objects,
    tree::{for_each, join, lookup},
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

    /// A file or link; true when git has or would have it.
    fn file(&mut self, path: &BStr, folder: &Folder, name: &BStr) -> Result<bool, Error> {
        let meta = match folder.stat(name) {
            Ok(meta) => meta,
            Err(error) if is_no_folder(&error) => return Ok(false),
            Err(error) => return self.shut(path, &error).map(|()| true),
        };
        let record = self.index.record(path);
        match record {
            Some(record) => {
                let hidden = record.assume() || (record.skip() && !self.settings.sparse);
                if hidden || (!record.skip() && record.is_clean(&meta)) {
                    self.notices.remove(path);
                    return self.keep(path).map(|()| true);
                }
            }
            None => match self.rules.excludes(path, false, &self.objects) {
                Ok(true) => {
                    self.notices.remove(path);
                    return self.set(path, None).map(|()| false);
                }
                Ok(false) => {}
                Err(_) => return self.unreadable(path).map(|()| true),
            },
        }
        self.notices.remove(path);
        if meta.is_symlink() {
            return self.link(path, folder, name);
        }
        if !meta.is_file() {
            if record.is_some() {
                self.notices.insert(path.to_owned(), Notice::NotAFile);
                self.keep(path)?;
            }
            return Ok(record.is_some());
        }
        match content::read(folder, name, self.limits.max_file, self.limits.read_again) {
            Ok(Some(content)) => self.content(path, record, content).map(|()| true),
            Ok(None) => {
                self.notices.insert(path.to_owned(), Notice::Unsettled);
                Ok(true)
            }
            Err(error) if is_no_folder(&error) => Ok(false),
            Err(error) => self.shut(path, &error).map(|()| true),
        }
    }

    fn link(&mut self, path: &BStr, folder: &Folder, name: &BStr) -> Result<bool, Error> {
        match folder.link(name) {
            Ok(target) => {
                let oid = self.objects.put(Kind::Blob, &target)?;
                self.set(path, Some(Entry { mode: Mode::Link, oid, opaque: None }))?;
                Ok(true)
            }
            Err(error) if is_no_folder(&error) => Ok(false),
            Err(error) => self.shut(path, &error).map(|()| true),
        }
    }

    fn content(&mut self, path: &BStr, record: Option<Record>, content: Content) -> Result<(), Error> {
        let known = if record.is_some() { self.indexed(path)? } else { None };
        let (meta, bytes) = match content {
            Content::Large(meta, oid) => {
                let mode = self.mode(&meta, known);
                let same = known.is_some_and(|(_, known)| known == oid);
                if !same {
                    self.notices.insert(path.to_owned(), Notice::TooLarge { size: meta.len() });
                }
                let opaque = (!same).then_some(Opaque::Large);
                return self.set(path, Some(Entry { mode, oid, opaque }));
            }
            Content::Whole(meta, bytes) => (meta, bytes),
        };
        let mode = self.mode(&meta, known);
        let Ok(filtered) = self.rules.filters(path, &self.objects) else { return self.unreadable(path) };
        let stored = if filtered {
            bytes
        } else {
            match self.rules.stored(path, &bytes, known.map(|(_, oid)| oid), &self.objects) {
                Ok(stored) => stored,
                Err(_) => {
                    self.notices.insert(path.to_owned(), Notice::Unconverted);
                    bytes
                }
            }
        };
        let oid = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, &stored)
            .map_err(|error| Error::git(format!("hash {path:?}"), &error))?;
        let same = known.is_some_and(|(_, known)| known == oid);
        if !same {
            self.objects.memory.put(oid, Kind::Blob, &stored);
            if self.store.memory_bytes() > self.limits.max_memory {
                self.store.spill()?;
            }
        }
        let opaque = (filtered && !same).then_some(Opaque::Filtered);
        self.set(path, Some(Entry { mode, oid, opaque }))
    }

    fn mode(&self, meta: &Metadata, known: Option<(Mode, ObjectId)>) -> Mode {
        match known {
            _ if self.settings.file_mode && meta.mode() & 0o100 != 0 => Mode::Executable,
            Some((Mode::Executable, _)) if !self.settings.file_mode => Mode::Executable,
            _ => Mode::File,
        }
    }

    /// What may not be read stays as it was known.
    fn shut(&mut self, path: &BStr, error: &io::Error) -> Result<(), Error> {
        if is_no_folder(error) { Ok(()) } else { self.unreadable(path) }
    }

    /// The path, or a rule file on the way to it.
    fn unreadable(&mut self, path: &BStr) -> Result<(), Error> {
        self.notices.insert(path.to_owned(), Notice::Unreadable);
        self.closed.push(path.to_owned());
        Ok(())
    }

    fn forget_notices(&mut self, path: &BStr) {
        let inside = |known: &BString| path.is_empty() || known == path || is_below(known.as_ref(), path);
        self.notices.retain(|known, _| !inside(known));
    }

    /// Nothing is on disk there.
    fn gone(&mut self, path: &BStr) -> Result<(), Error> {
        match self.index.record(path) {
            Some(record) if record.skip() || record.assume() => self.keep(path),
            _ => self.set(path, None),
        }
    }

    /// As the index has it.
    fn keep(&mut self, path: &BStr) -> Result<(), Error> {
        match self.index.staged.get(path) {
            None => {
                self.put(path, None);
                Ok(())
            }
            Some(Some((mode, Some(oid)))) => {
                let entry = Entry { mode: *mode, oid: *oid, opaque: None };
                self.set(path, Some(entry))
            }
            Some(_) => self.set(path, None),
        }
    }

    fn set(&mut self, path: &BStr, now: Option<Entry>) -> Result<(), Error> {
        let head = self.head_entry(path)?;
        let delta = match (head, now) {
            (None, None) => None,
            (Some(_), None) => Some(Delta::Deleted),
            (Some(head), Some(entry)) if entry.opaque.is_none() && head == (entry.mode, entry.oid) => None,
            (_, Some(entry)) => Some(Delta::Entry(entry)),
        };
        self.put(path, delta);
        Ok(())
    }

    fn put(&mut self, path: &BStr, delta: Option<Delta>) {
        if self.delta.get(path) == delta.as_ref() {
            return;
        }
        self.changed.insert(path.to_owned());
        match delta {
            Some(delta) => self.delta.insert(path.to_owned(), delta),
            None => self.delta.remove(path),
        };
    }

    fn indexed(&self, path: &BStr) -> Result<Option<(Mode, ObjectId)>, Error> {
        match self.index.staged.get(path) {
            Some(staged) => Ok(staged.and_then(|(mode, oid)| Some((mode, oid?)))),
            None => self.head_entry(path),
        }
    }

    fn head_entry(&self, path: &BStr) -> Result<Option<(Mode, ObjectId)>, Error> {
        let found = lookup(&self.objects, self.head, path)?;
        Ok(found.and_then(|(mode, oid)| Some((Mode::of(mode)?, oid))))
    }

    fn has_delta(&self, folder: &BStr) -> bool {
        below(self.delta, folder).next().is_some()
    }

    /// Paths below `folder` that HEAD, the index or the delta have; without those of HEAD that the index has
    /// too when `all_tracked`.
    fn known_below(&self, folder: &BStr, all_tracked: bool) -> Result<BTreeSet<BString>, Error> {
        let mut found: BTreeSet<BString> = below(self.delta, folder).map(|(path, _)| path.clone()).collect();
        found.extend(below(&self.index.staged, folder).map(|(path, _)| path.clone()));
        if !all_tracked
            && let Some((mode, tree)) = lookup(&self.objects, self.head, folder)?
            && mode.is_tree()
        {
            for_each(&self.objects, tree, folder, &mut |path, _| {
                found.insert(path);
            })?;
        }
        Ok(found)
    }
}

fn is_below(path: &BStr, folder: &BStr) -> bool {
    path.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
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

fn below<'a, V>(map: &'a BTreeMap<BString, V>, folder: &'a BStr) -> impl Iterator<Item = (&'a BString, &'a V)> {
    let mut start = BString::from(folder);
    if !start.is_empty() {
        start.push(b'/');
    }
    let prefix = start.clone();
    map.range(start..).take_while(move |(path, _)| path.starts_with(prefix.as_slice()))
}
