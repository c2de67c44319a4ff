//! Listing one folder by stat.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::Path,
};

use crate::stamp::{self, Stamp};

/// What stands in a folder. Pipes, sockets and devices are left out.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<(OsString, Stamp)>,
    /// Name and inode.
    pub(crate) folders: Vec<(OsString, u64)>,
    /// There is a regular `.gitignore`.
    pub(crate) has_rules: bool,
}

/// Lists `folder`, which was `identity` a moment ago, never through a link. `.git` is left out whatever it is.
/// # Errors
/// `NotFound` when it was replaced meanwhile.
pub(crate) fn list(folder: &Path, identity: (u64, u64)) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == ".git" {
            continue;
        }
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            listing.folders.push((name, entry.ino()));
        } else if kind.is_file() || kind.is_symlink() {
            // It may vanish between listing and stat.
            let Some(stamp) = entry.metadata().ok().and_then(|metadata| Stamp::of(&metadata)) else {
                continue;
            };
            listing.has_rules |= kind.is_file() && name == ".gitignore";
            listing.files.push((name, stamp));
        }
    }
    if self::identity(folder)? != Some(identity) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(listing)
}

/// Device and inode of the folder at `path` itself; nothing when it is no folder.
/// # Errors
/// Whatever keeps stat from saying whether it is there.
pub(crate) fn identity(path: &Path) -> io::Result<Option<(u64, u64)>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(found.is_dir().then(|| (found.dev(), found.ino()))),
        Err(error) if stamp::absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}
