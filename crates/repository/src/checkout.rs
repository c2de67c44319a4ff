//! A plain folder that holds exactly the files of a tree, for programs that look at them.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, PermissionsExt},
    },
    path::Path,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString},
    objs::Kind,
};

use crate::{
    Error, Store,
    snapshot::Mode,
    tree::{Stage, for_each, join},
    workspace::{holdable, standing_file},
};

/// What making a folder equal to a tree took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckedOut {
    /// Files that the tree has.
    pub files: usize,
    /// Files that were written.
    pub written: usize,
    /// Files and folders that were removed.
    pub removed: usize,
}

impl Store {
    /// Makes `folder` hold exactly the files of `tree`, byte for byte as git stores them: no filter runs and no line ends
    /// are converted. Files that are right already keep their times. Below the folders named in `warm` (relative, such
    /// as `target`) what the tree does not have is left alone. Submodules are empty folders.
    ///
    /// Every file is read, so what an earlier user of the folder did to it is found. Nothing is flushed.
    /// # Errors
    /// The tree holds a name that no folder may hold, an object is missing, or the disk refuses.
    pub fn check_out(&self, tree: ObjectId, folder: &Path, warm: &[String]) -> Result<CheckedOut, Error> {
        let objects = self.objects();
        let mut wanted: BTreeMap<BString, Stage> = BTreeMap::new();
        for_each(&objects, tree, "".into(), &mut |path, stage| {
            wanted.insert(path, stage);
        })?;
        wanted.keys().try_for_each(holdable)?;
        fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
        let mut found = Found { folders: folders_of(&wanted), wanted, warm, right: HashSet::new(), removed: 0 };
        found.compare("".into(), folder).map_err(Error::io("read", folder))?;
        let mut done = CheckedOut { files: found.wanted.len(), written: 0, removed: found.removed };
        for (path, (mode, id)) in found.wanted.iter().filter(|(path, _)| !found.right.contains(*path)) {
            let content = if *mode == Mode::Submodule { Vec::new() } else { objects.read_as(id, Kind::Blob)? };
            let at = folder.join(std::ffi::OsStr::from_bytes(path));
            write(&at, *mode, &content).map_err(Error::io("write", &at))?;
            done.written += 1;
        }
        Ok(done)
    }
}

/// The folders that files stand in.
fn folders_of(wanted: &BTreeMap<BString, Stage>) -> HashSet<BString> {
    let mut folders = HashSet::new();
    for (path, (mode, _)) in wanted {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        folders.extend(ends.map(|end| BString::from(&path[..end])));
        if *mode == Mode::Submodule {
            folders.insert(path.clone());
        }
    }
    folders
}

struct Found<'a> {
    wanted: BTreeMap<BString, Stage>,
    folders: HashSet<BString>,
    warm: &'a [String],
    right: HashSet<BString>,
    removed: usize,
}

impl Found<'_> {
    /// Removes what the tree does not have, and notes what is right.
    fn compare(&mut self, path: &BStr, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let child = join(path, entry.file_name().as_bytes().into());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                let is_warm = self.is_warm(child.as_ref());
                if self.folders.contains(&child) || is_warm {
                    // A program may have taken the right away.
                    fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755))?;
                    self.compare(child.as_ref(), &entry.path())?;
                } else {
                    open_all(&entry.path())?;
                    fs::remove_dir_all(entry.path())?;
                    self.removed += 1;
                }
            } else if self.wanted.get(&child).is_some_and(|stage| is_right(&entry.path(), *stage)) {
                self.right.insert(child);
            } else if self.wanted.contains_key(&child) || !self.is_warm(child.as_ref()) {
                fs::remove_file(entry.path())?;
                self.removed += 1;
            }
        }
        Ok(())
    }

    fn is_warm(&self, path: &BStr) -> bool {
        self.warm.iter().any(|warm| {
            let rest = path.strip_prefix(warm.trim_end_matches('/').as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
        })
    }
}

/// A folder without the right to list it cannot be removed.
fn open_all(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_all(&entry.path())?;
        }
    }
    Ok(())
}

fn is_right(path: &Path, (mode, id): Stage) -> bool {
    standing_file(path).is_some_and(|(stands, oid)| stands == mode && oid == id)
}

fn write(path: &Path, mode: Mode, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match mode {
        Mode::Submodule => fs::create_dir_all(path),
        Mode::Link => std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(content), path),
        Mode::File | Mode::Executable => {
            let bits = if mode == Mode::Executable { 0o755 } else { 0o644 };
            OpenOptions::new().write(true).create_new(true).mode(bits).open(path)?.write_all(content)
        }
    }
}
