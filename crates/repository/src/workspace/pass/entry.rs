//! One path: what git would store for it, and what that makes of the delta.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    objs::Kind,
};

use super::{
    super::{
        beneath::{Folder, is_no_folder},
        content::{self, Content},
        index::Record,
    },
    Pass,
};
use crate::{
    Error,
    snapshot::{Delta, Entry, Mode, Notice, Opaque},
    tree::{for_each, lookup},
};

impl Pass<'_> {
    /// A file or link; true when git has or would have it.
    pub(super) fn file(&mut self, path: &BStr, folder: &Folder, name: &BStr) -> Result<bool, Error> {
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

    pub(super) fn link(&mut self, path: &BStr, folder: &Folder, name: &BStr) -> Result<bool, Error> {
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

    pub(super) fn content(&mut self, path: &BStr, record: Option<Record>, content: Content) -> Result<(), Error> {
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

    pub(super) fn mode(&self, meta: &Metadata, known: Option<(Mode, ObjectId)>) -> Mode {
        match known {
            _ if self.settings.file_mode && meta.mode() & 0o100 != 0 => Mode::Executable,
            Some((Mode::Executable, _)) if !self.settings.file_mode => Mode::Executable,
            _ => Mode::File,
        }
    }

    /// What may not be read stays as it was known.
    pub(super) fn shut(&mut self, path: &BStr, error: &io::Error) -> Result<(), Error> {
        if is_no_folder(error) { Ok(()) } else { self.unreadable(path) }
    }

    /// The path, or a rule file on the way to it.
    pub(super) fn unreadable(&mut self, path: &BStr) -> Result<(), Error> {
        self.notices.insert(path.to_owned(), Notice::Unreadable);
        self.closed.push(path.to_owned());
        Ok(())
    }

    pub(super) fn forget_notices(&mut self, path: &BStr) {
        let inside = |known: &BString| path.is_empty() || known == path || is_below(known.as_ref(), path);
        self.notices.retain(|known, _| !inside(known));
    }

    /// Nothing is on disk there.
    pub(super) fn gone(&mut self, path: &BStr) -> Result<(), Error> {
        match self.index.record(path) {
            Some(record) if record.skip() || record.assume() => self.keep(path),
            _ => self.set(path, None),
        }
    }

    /// As the index has it.
    pub(super) fn keep(&mut self, path: &BStr) -> Result<(), Error> {
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

    pub(super) fn set(&mut self, path: &BStr, now: Option<Entry>) -> Result<(), Error> {
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

    pub(super) fn put(&mut self, path: &BStr, delta: Option<Delta>) {
        if self.delta.get(path) == delta.as_ref() {
            return;
        }
        self.changed.insert(path.to_owned());
        match delta {
            Some(delta) => self.delta.insert(path.to_owned(), delta),
            None => self.delta.remove(path),
        };
    }

    pub(super) fn indexed(&self, path: &BStr) -> Result<Option<(Mode, ObjectId)>, Error> {
        match self.index.staged.get(path) {
            Some(staged) => Ok(staged.and_then(|(mode, oid)| Some((mode, oid?)))),
            None => self.head_entry(path),
        }
    }

    pub(super) fn head_entry(&self, path: &BStr) -> Result<Option<(Mode, ObjectId)>, Error> {
        let found = lookup(&self.objects, self.head, path)?;
        Ok(found.and_then(|(mode, oid)| Some((Mode::of(mode)?, oid))))
    }

    pub(super) fn has_delta(&self, folder: &BStr) -> bool {
        below(self.delta, folder).next().is_some()
    }

    /// Paths below `folder` that HEAD, the index or the delta have; without those of HEAD that the index has
    /// too when `all_tracked`.
    pub(super) fn known_below(&self, folder: &BStr, all_tracked: bool) -> Result<BTreeSet<BString>, Error> {
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

pub(super) fn is_below(path: &BStr, folder: &BStr) -> bool {
    path.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
}

fn below<'a, V>(map: &'a BTreeMap<BString, V>, folder: &'a BStr) -> impl Iterator<Item = (&'a BString, &'a V)> {
    let mut start = BString::from(folder);
    if !start.is_empty() {
        start.push(b'/');
    }
    let prefix = start.clone();
    map.range(start..).take_while(move |(path, _)| path.starts_with(prefix.as_slice()))
}
