//! One file of the bus: read without following links or waiting for a writer, and told apart from others.

use super::spool::{Refusal, too_large};
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

/// What tells whether a file is still the one that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) len: u64,
    pub(crate) modified: Option<SystemTime>,
    inode: u64,
}

/// What came of reading a file.
#[derive(Debug)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    /// Someone moved it meanwhile.
    Gone,
    Refused(Refusal),
}

/// Reads a plain file of at most `limit` bytes.
pub(super) fn read(path: &Path, limit: usize) -> Content {
    let refuse = |detail: String| Content::Refused(Refusal::new("not_readable", detail, "write a plain file"));
    let gone_or = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Content::Gone,
        _ => refuse(format!("the file cannot be read: {error}")),
    };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => return refuse("this is no plain file".to_owned()),
        Ok(found) if found.len() > limit as u64 => return Content::Refused(too_large("file")),
        Ok(_) => {}
        Err(error) => return gone_or(error),
    }
    let mut bytes = Vec::new();
    let opened = open(path).and_then(|file| {
        // What was a plain file may have been swapped meanwhile.
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        file.take(limit as u64 + 1).read_to_end(&mut bytes)
    });
    match opened {
        Ok(_) if bytes.len() > limit => Content::Refused(too_large("file")),
        Ok(_) => Content::Bytes(bytes),
        Err(error) => gone_or(error),
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<fs::File> {
    fs::File::open(path)
}

pub(super) fn stamp(found: &fs::Metadata) -> Stamp {
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(found);
    #[cfg(not(unix))]
    let inode = 0;
    Stamp { len: found.len(), modified: found.modified().ok(), inode }
}

/// When a file was written or moved, whichever is later: a move keeps the time of writing.
pub(super) fn touched(found: &fs::Metadata) -> Option<SystemTime> {
    let modified = found.modified().ok()?;
    #[cfg(unix)]
    {
        let moved = u64::try_from(std::os::unix::fs::MetadataExt::ctime(found)).unwrap_or_default();
        let moved = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(moved);
        Some(modified.max(moved))
    }
    #[cfg(not(unix))]
    Some(modified)
}
