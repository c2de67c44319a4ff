//! The last reported state of every file, folder by folder.

use std::{
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use blake3::Hash;

use crate::stamp::Stamp;

/// What is known of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) stamp: Stamp,
    /// Nothing before the first hash, or when it could not be read.
    pub(crate) hash: Option<Hash>,
    /// The stamp alone does not prove the content; see [`Stamp::racy`].
    pub(crate) racy: bool,
}

/// Files by folder. Paths are relative to the root; the root is the empty path.
#[derive(Debug, Default)]
pub(crate) struct Index {
    folders: BTreeMap<PathBuf, HashMap<OsString, Record>>,
    files: usize,
    unhashed: usize,
}

impl Index {
    pub(crate) fn len(&self) -> usize {
        self.files
    }

    pub(crate) fn unhashed(&self) -> usize {
        self.unhashed
    }

    pub(crate) fn get(&self, path: &Path) -> Option<&Record> {
        let (folder, name) = split(path)?;
        self.folders.get(folder)?.get(name)
    }

    pub(crate) fn contains(&self, path: &Path) -> bool {
        self.get(path).is_some()
    }

    pub(crate) fn insert(&mut self, path: &Path, record: Record) {
        let Some((folder, name)) = split(path) else {
            return;
        };
        match self.folders.get_mut(folder) {
            Some(names) => Self::put(names, name.to_owned(), record, &mut self.files, &mut self.unhashed),
            None => self.adopt(folder, [(name.to_owned(), record)]),
        }
    }

    /// Inserts many files of one folder.
    pub(crate) fn adopt(&mut self, folder: &Path, records: impl IntoIterator<Item = (OsString, Record)>) {
        let names = self.folders.entry(folder.to_owned()).or_default();
        for (name, record) in records {
            Self::put(names, name, record, &mut self.files, &mut self.unhashed);
        }
    }

    fn put(
        names: &mut HashMap<OsString, Record>,
        name: OsString,
        record: Record,
        files: &mut usize,
        unhashed: &mut usize,
    ) {
        *unhashed += usize::from(record.hash.is_none());
        match names.insert(name, record) {
            Some(old) => *unhashed -= usize::from(old.hash.is_none()),
            None => *files += 1,
        }
    }

    pub(crate) fn remove(&mut self, path: &Path) -> Option<Record> {
        let (folder, name) = split(path)?;
        let names = self.folders.get_mut(folder)?;
        let record = names.remove(name)?;
        if names.is_empty() {
            self.folders.remove(folder);
        }
        self.files -= 1;
        self.unhashed -= usize::from(record.hash.is_none());
        Some(record)
    }

    /// The files directly in `folder`.
    pub(crate) fn in_folder(&self, folder: &Path) -> Option<&HashMap<OsString, Record>> {
        self.folders.get(folder)
    }

    /// All files in `folder` and below.
    pub(crate) fn below(&self, folder: &Path) -> Vec<PathBuf> {
        self.folders
            .range(folder.to_owned()..)
            .take_while(|(path, _)| path.starts_with(folder))
            .flat_map(|(path, names)| names.keys().map(move |name| path.join(name)))
            .collect()
    }

    /// All files.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PathBuf, &Record)> {
        self.folders.iter().flat_map(|(path, names)| names.iter().map(move |(name, record)| (path.join(name), record)))
    }
}

fn split(path: &Path) -> Option<(&Path, &OsStr)> {
    Some((path.parent()?, path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;

    fn record(hash: Option<Hash>) -> Record {
        let stamp = Stamp { modified: 0, changed: 0, born: None, size: 0, inode: 1, entry: Entry::File };
        Record { stamp, hash, racy: false }
    }

    #[test]
    fn counts_follow_every_change() {
        let mut index = Index::default();
        let hash = blake3::hash(b"x");
        for path in ["a", "d/b", "d/e/c", "d-x/f"] {
            index.insert(Path::new(path), record(None));
        }
        index.insert(Path::new("a"), record(Some(hash)));
        assert_eq!((index.len(), index.unhashed()), (4, 3));
        let mut below = index.below(Path::new("d"));
        below.sort();
        assert_eq!(below, [Path::new("d/b"), Path::new("d/e/c")]);
        assert_eq!(index.below(Path::new("")).len(), 4);
        assert!(index.remove(Path::new("d/b")).is_some());
        assert!(index.remove(Path::new("d/b")).is_none());
        assert_eq!((index.len(), index.unhashed()), (3, 2));
        assert_eq!(index.iter().count(), 3);
    }
}
