//! What is kept of a worktree's index: its difference to HEAD, and sixteen bytes an entry.
//!
//! Paths, ids and modes that equal HEAD's are looked up in HEAD's tree, which all worktrees share, so an
//! index of 50,000 entries takes 800 KB.

mod compare;

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File, Metadata},
    hash::{BuildHasher, RandomState},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::Path,
    sync::LazyLock,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::{Flags, Mode as IndexMode, Stat},
};

use self::compare::Compare;
use crate::{Error, snapshot::Mode, store::objects::Objects};

/// Keyed, so that nobody makes two paths of one number.
static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

pub(super) fn number(path: &BStr) -> u64 {
    KEY.hash_one::<&[u8]>(path)
}

/// What tells one state of a file from the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Identity(Option<([i64; 6], Vec<u8>)>);

impl Identity {
    /// Of a file that is replaced when it changes; its last 20 bytes are the index's own check sum.
    pub(super) fn of(path: &Path) -> Self {
        let read = || -> io::Result<_> {
            let mut file = File::open(path)?;
            let meta = file.metadata()?;
            let mut tail = Vec::new();
            file.seek(SeekFrom::Start(meta.len().saturating_sub(20)))?;
            file.read_to_end(&mut tail)?;
            let numbers = [
                meta.mtime(),
                meta.mtime_nsec(),
                meta.ctime(),
                meta.ctime_nsec(),
                meta.size() as i64,
                meta.ino() as i64,
            ];
            Ok((numbers, tail))
        };
        Self(read().ok())
    }
}

/// What the index says of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    path: u64,
    /// The upper bits: a fingerprint of the file's stat when git last looked. The lowest: [`SKIP`] and so on.
    stat: u64,
}

/// The file is meant to be absent (sparse checkout).
const SKIP: u64 = 1;
/// `git update-index --assume-unchanged`.
const ASSUME: u64 = 2;
/// A submodule.
const LINK: u64 = 4;
/// The stat proves nothing: git has to look into the file too.
const RACY: u64 = 8;
const BITS: u64 = 15;

impl Record {
    pub(super) fn skip(self) -> bool {
        self.stat & SKIP != 0
    }
    pub(super) fn assume(self) -> bool {
        self.stat & ASSUME != 0
    }
    pub(super) fn submodule(self) -> bool {
        self.stat & LINK != 0
    }
    /// True when git takes the file for unchanged without looking into it.
    pub(super) fn is_clean(self, meta: &Metadata) -> bool {
        self.stat & RACY == 0 && self.stat & !BITS == of_file(meta)
    }
}

/// An index beside the HEAD tree it was compared to.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) identity: Identity,
    records: Vec<Record>,
    /// Folders that hold an entry.
    folders: Vec<u64>,
    /// Where the index differs from HEAD. Nothing: it has no such path. No id: only meant to be added.
    pub(super) staged: BTreeMap<BString, Option<(Mode, Option<ObjectId>)>>,
    /// Folders that are one entry (sparse index), with their trees.
    sparse: Vec<(BString, ObjectId)>,
    /// Only the ignore and attribute files.
    pub(super) rules: gix::index::State,
    /// A merge left stages.
    pub(super) conflicted: bool,
}

impl Index {
    pub(super) fn empty() -> Self {
        Self {
            identity: Identity::default(),
            records: Vec::new(),
            folders: Vec::new(),
            staged: BTreeMap::new(),
            sparse: Vec::new(),
            rules: gix::index::State::new(gix::hash::Kind::Sha1),
            conflicted: false,
        }
    }

    /// Reads the index at `path` and compares it with the tree `head`. `differs` gets every path that `old`
    /// says something else of.
    pub(super) fn read(
        path: &Path,
        objects: &Objects,
        head: ObjectId,
        old: &Self,
        differs: &mut dyn FnMut(BString),
    ) -> Result<Self, Error> {
        let mut new = Self { identity: Identity::of(path), ..Self::empty() };
        let file = open(path)?;
        let mut folders = HashMap::new();
        new.records.reserve_exact(file.entries().len());
        for entry in file.entries() {
            let path = entry.path(&file);
            if entry.stage_raw() != 0 {
                new.conflicted = true;
                continue;
            }
            if entry.mode == IndexMode::DIR {
                let folder = path.trim_end_with(|character| character == '/').as_bstr();
                new.sparse.push((folder.to_owned(), entry.id));
                remember(&mut folders, folder);
                folders.insert(number(folder), ());
                continue;
            }
            remember(&mut folders, path);
            let record = record(entry, path, file.timestamp().seconds());
            if old.record(path) != Some(record) {
                differs(path.to_owned());
            }
            new.records.push(record);
            let name = path.rfind_byte(b'/').map_or(path, |at| path[at + 1..].as_bstr());
            if name == ".gitignore" || name == ".gitattributes" {
                new.rules.dangerously_push_entry(entry.stat, entry.id, entry.flags, entry.mode, path);
            }
        }
        new.records.sort_unstable_by_key(|record| record.path);
        new.folders = folders.into_keys().collect();
        new.folders.sort_unstable();
        let mut compare = Compare { objects, file: &file, staged: &mut new.staged };
        compare.folder(file.tree(), Some(head), "".into(), 0..file.entries().len())?;
        let both = old.staged.iter().filter(|(path, stage)| new.staged.get(*path) != Some(stage));
        let others = new.staged.iter().filter(|(path, stage)| old.staged.get(*path) != Some(stage));
        both.chain(others).for_each(|(path, _)| differs(path.clone()));
        Ok(new)
    }

    pub(super) fn record(&self, path: &BStr) -> Option<Record> {
        let wanted = number(path);
        let found = self.records.binary_search_by_key(&wanted, |record| record.path);
        match found {
            Ok(at) => Some(self.records[at]),
            Err(_) if self.sparse.is_empty() => None,
            Err(_) => self.in_sparse_folder(path).then_some(Record { path: wanted, stat: SKIP }),
        }
    }

    /// True when an entry is below `folder`.
    pub(super) fn has_folder(&self, folder: &BStr) -> bool {
        self.folders.binary_search(&number(folder)).is_ok() || self.in_sparse_folder(folder)
    }

    /// Number of entries; nothing when some folders are one entry.
    pub(super) fn len(&self) -> Option<usize> {
        self.sparse.is_empty().then_some(self.records.len())
    }

    fn in_sparse_folder(&self, path: &BStr) -> bool {
        self.sparse
            .iter()
            .any(|(folder, _)| path.strip_prefix(folder.as_slice()).is_some_and(|rest| rest.first() == Some(&b'/')))
    }
}

/// One that is not there holds nothing.
pub(super) fn open(path: &Path) -> Result<gix::index::File, Error> {
    match gix::index::File::at(path, gix::hash::Kind::Sha1, true, Default::default()) {
        Ok(file) => Ok(file),
        Err(_) if fs::symlink_metadata(path).is_err() => {
            Ok(gix::index::File::from_state(gix::index::State::new(gix::hash::Kind::Sha1), path))
        }
        Err(error) => Err(Error::git(format!("read the index {}", path.display()), &error)),
    }
}

/// Paths of the files that git looks at on disk.
pub(super) fn visible(path: &Path) -> Result<Vec<BString>, Error> {
    let file = open(path)?;
    let hidden = Flags::SKIP_WORKTREE | Flags::ASSUME_VALID;
    let is_visible = |entry: &&gix::index::Entry| {
        !matches!(entry.mode, IndexMode::DIR | IndexMode::COMMIT) && !entry.flags.intersects(hidden)
    };
    Ok(file.entries().iter().filter(is_visible).map(|entry| entry.path(&file).to_owned()).collect())
}

fn remember(folders: &mut HashMap<u64, ()>, path: &BStr) {
    let ends = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
    for (end, _) in ends {
        if folders.insert(number(path[..end].as_bstr()), ()).is_some() {
            break;
        }
    }
}

fn record(entry: &gix::index::Entry, path: &BStr, written: i64) -> Record {
    let submodule = entry.mode == IndexMode::COMMIT;
    let racy = i64::from(entry.stat.mtime.secs) >= written || entry.flags.contains(Flags::INTENT_TO_ADD);
    let bits = [
        (SKIP, entry.flags.contains(Flags::SKIP_WORKTREE)),
        (ASSUME, entry.flags.contains(Flags::ASSUME_VALID)),
        (LINK, submodule),
        (RACY, racy),
    ];
    let bits = bits.iter().filter(|(_, set)| *set).fold(0, |all, (bit, _)| all | bit);
    Record { path: number(path), stat: of_index(&entry.stat, entry.mode == IndexMode::SYMLINK) | bits }
}

fn of_index(stat: &Stat, link: bool) -> u64 {
    let numbers = [
        stat.mtime.secs,
        stat.mtime.nsecs,
        stat.ctime.secs,
        stat.ctime.nsecs,
        stat.ino,
        stat.uid,
        stat.gid,
        stat.size,
        u32::from(link),
    ];
    KEY.hash_one(numbers) & !BITS
}

/// As git does, numbers are cut to 32 bits.
fn of_file(meta: &Metadata) -> u64 {
    let numbers = [
        meta.mtime() as u32,
        meta.mtime_nsec() as u32,
        meta.ctime() as u32,
        meta.ctime_nsec() as u32,
        meta.ino() as u32,
        meta.uid(),
        meta.gid(),
        meta.size() as u32,
        u32::from(meta.is_symlink()),
    ];
    KEY.hash_one(numbers) & !BITS
}
