//! Comparing folders with the index by stat.

use std::{
    collections::HashSet,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::Worker;
use crate::{
    index::Record,
    places::rules_stamp,
    rules::Rules,
    scan::{self, Listing},
    settle::Signal,
    stamp::{self, Stamp},
};

/// How far below the folder to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The folder, and folders in it that are not known.
    New,
    /// As `New`, and the folder's own ignore file is read again.
    Rules,
    /// Everything below.
    All,
}

impl Worker {
    /// Watches and lists `start` and what is below; differences go into the settle queue. Returns the number
    /// of files looked at.
    pub(crate) fn visit(&mut self, start: &Path, depth: Depth) -> usize {
        let mut stack = vec![start.to_owned()];
        let mut files = 0;
        while let Some(folder) = stack.pop() {
            let Some(above) = self.rules_above(&folder) else {
                continue;
            };
            let reload = depth == Depth::Rules && folder == start;
            let absolute = self.places.absolute(&folder);
            let identity = match scan::identity(&absolute) {
                Ok(Some(identity)) => identity,
                Ok(None) => {
                    self.leave(&folder);
                    continue;
                }
                Err(error) => {
                    self.places.unreadable(&folder, &error);
                    continue;
                }
            };
            let inode = identity.1;
            let known = self.places.get(&folder).map(|place| {
                let same = Arc::ptr_eq(&place.above, &above) && !reload;
                (place.inode == inode, same, Arc::clone(&place.rules))
            });
            if known.as_ref().is_some_and(|(same_inode, ..)| !same_inode) {
                self.leave(&folder);
            }
            let (keep, old_rules) = match known {
                Some((true, same, rules)) => (same, Some(rules)),
                _ => (false, None),
            };
            if old_rules.is_none() {
                self.places.insert(&folder, inode, Arc::clone(&above), Arc::clone(&above));
            }
            // Watched before it is listed: what comes between is seen twice, never not at all.
            self.places.watch(&folder);
            let listing = match scan::list(&absolute, identity) {
                Ok(listing) => listing,
                Err(error) if stamp::absent(&error) => {
                    self.leave(&folder);
                    continue;
                }
                Err(error) => {
                    self.places.unreadable(&folder, &error);
                    continue;
                }
            };
            let rules = match old_rules {
                Some(rules) if keep => rules,
                _ => Rules::enter(&above, &absolute, rules_stamp(&listing.files).is_some() && listing.has_rules),
            };
            self.places.insert(&folder, inode, above, Arc::clone(&rules));
            files += listing.files.len();
            let subfolders = self.compare(&folder, &absolute, &rules, listing);
            let all = depth == Depth::All || !keep;
            stack.extend(subfolders.into_iter().filter(|path| all || !self.places.contains(path)));
        }
        files
    }

    /// Compares the whole tree, also files whose folders are not there any more. Returns the number of files
    /// looked at.
    pub(super) fn compare_all(&mut self) -> usize {
        let files = self.visit(Path::new(""), Depth::All);
        let now = Instant::now();
        let shared = Arc::clone(&self.shared);
        for (path, _) in shared.index.read().iter() {
            if path.parent().is_some_and(|folder| !self.places.contains(folder)) {
                self.settle.note(&path, Signal::Gone, now);
            }
        }
        files
    }

    /// Notes what differs in one folder; returns its subfolders that are not ignored.
    fn compare(&mut self, folder: &Path, absolute: &Path, rules: &Rules, listing: Listing) -> Vec<PathBuf> {
        let mut present: HashSet<OsString> = HashSet::with_capacity(listing.folders.len());
        let mut subfolders = Vec::with_capacity(listing.folders.len());
        for (name, _) in listing.folders {
            let path = folder.join(&name);
            if self.is_excluded(&path) || rules.ignore(&absolute.join(&name), true) {
                self.hide(&path);
            } else {
                subfolders.push(path);
                present.insert(name);
            }
        }
        for path in self.places.children(folder) {
            if path.file_name().is_some_and(|name| !present.contains(name)) {
                self.leave(&path);
            }
        }
        let some_rules = !rules.is_empty();
        let some_excluded = !self.excluded.is_empty();
        let files = listing.files.into_iter().filter(|(name, _)| {
            let excluded = some_excluded && self.is_excluded(&folder.join(name));
            let ignored = some_rules && rules.ignore(&absolute.join(name), false);
            !excluded && !ignored
        });
        let files: Vec<_> = files.collect();
        if self.adopting {
            self.adopt(folder, files);
        } else {
            self.note_differences(folder, &files);
        }
        subfolders
    }

    fn adopt(&mut self, folder: &Path, files: Vec<(OsString, Stamp)>) {
        self.unhashed.extend(files.iter().map(|(name, _)| folder.join(name)));
        let records = files.into_iter().map(|(name, stamp)| (name, Record { stamp, hash: None, racy: false }));
        self.shared.index.write().adopt(folder, records);
    }

    fn note_differences(&mut self, folder: &Path, files: &[(OsString, Stamp)]) {
        let now = Instant::now();
        let shared = Arc::clone(&self.shared);
        let index = shared.index.read();
        let known = index.in_folder(folder);
        let present: HashSet<&OsStr> = files.iter().map(|(name, _)| name.as_os_str()).collect();
        for (name, stamp) in files {
            let record = known.and_then(|known| known.get(name));
            if record.is_none_or(|record| record.stamp != *stamp || record.racy) {
                self.settle.note(&folder.join(name), Signal::Found, now);
            }
        }
        let absolute = self.places.absolute(folder);
        let mut hidden = Vec::new();
        for name in known.into_iter().flatten().map(|(name, _)| name) {
            if present.contains(name.as_os_str()) {
                continue;
            }
            let path = folder.join(name);
            // Listed and left out: ignored by now. Not listed: gone.
            if self.is_ignored(&path, false) && stamp::stamp_at(&absolute.join(name)).is_ok_and(|found| found.is_some())
            {
                hidden.push(path);
            } else {
                self.settle.note(&path, Signal::Gone, now);
            }
        }
        drop(index);
        for path in hidden {
            self.hidden += 1;
            self.settle.forget(&path);
            self.shared.index.write().remove(&path);
        }
    }

    /// A folder is no longer there: its files are gone, and folders that lost their watch with it are
    /// visited again.
    pub(super) fn leave(&mut self, folder: &Path) {
        if folder.as_os_str().is_empty() || !self.places.contains(folder) {
            return;
        }
        let now = Instant::now();
        let lost = self.places.forget(folder);
        for path in self.settle.below(folder) {
            self.settle.left(&path, now);
        }
        for path in self.shared.index.read().below(folder) {
            self.settle.note(&path, Signal::Gone, now);
        }
        for path in lost {
            self.visit(&path, Depth::New);
        }
    }

    /// A folder became ignored: it leaves the view without a word, for nothing was deleted.
    fn hide(&mut self, folder: &Path) {
        if !self.places.contains(folder) {
            return;
        }
        let lost = self.places.forget(folder);
        for path in self.settle.below(folder) {
            self.settle.forget(&path);
        }
        let files = self.shared.index.read().below(folder);
        for path in files {
            self.hidden += 1;
            self.shared.index.write().remove(&path);
        }
        for path in lost {
            self.visit(&path, Depth::New);
        }
    }

    fn rules_above(&self, folder: &Path) -> Option<Arc<Rules>> {
        match folder.parent() {
            None => Some(Arc::clone(&self.base)),
            Some(parent) => self.places.get(parent).map(|place| Arc::clone(&place.rules)),
        }
    }
}
