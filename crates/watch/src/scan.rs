//! Listing one folder by stat.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::fs::{DirEntryExt, MetadataExt},
    path::Path,
};

use crate::stamp::Stamp;

/// What stands in a folder. Pipes, sockets and devices are left out.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    pub(crate) files: Vec<(OsString, Stamp)>,
    /// Name and inode.
    pub(crate) folders: Vec<(OsString, u64)>,
    /// There is a regular `.gitignore`.
    pub(crate) has_rules: bool,
    /// The folder's own device and inode.
    pub(crate) identity: (u64, u64),
}

/// Lists `folder`, never through a link. `.git` is left out whatever it is.
/// # Errors
/// `NotFound` when it is no folder, or was replaced meanwhile.
pub(crate) fn list(folder: &Path) -> io::Result<Listing> {
    let identity = identity(folder).ok_or(io::ErrorKind::NotFound)?;
    let mut listing = Listing { identity, ..Listing::default() };
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
    if self::identity(folder) != Some(identity) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(listing)
}

/// Device and inode of the folder at `path` itself; nothing when it is no folder.
pub(crate) fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_dir)?;
    Some((metadata.dev(), metadata.ino()))
}
