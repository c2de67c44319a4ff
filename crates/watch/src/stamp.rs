//! What stat says about a file, and reading its content so that the hash belongs to that stamp.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use blake3::Hash;

use crate::Entry;

/// Everything stat tells that changes when content changes. Reading a file changes none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Last write, nanoseconds since 1970.
    pub(crate) modified: i128,
    /// Last change of content, mode, links or name, nanoseconds since 1970; cannot be set back by programs.
    pub(crate) changed: i128,
    /// Birth, nanoseconds since 1970, where the file system keeps it: tells a reused inode from a moved file.
    pub(crate) born: Option<i128>,
    pub(crate) size: u64,
    pub(crate) inode: u64,
    pub(crate) entry: Entry,
}

impl Stamp {
    /// Nothing for folders, pipes, sockets and devices.
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        let kind = metadata.file_type();
        let entry = if kind.is_symlink() {
            Entry::Link
        } else if !kind.is_file() || kind.is_fifo() {
            return None;
        } else if metadata.mode() & 0o100 != 0 {
            Entry::Executable
        } else {
            Entry::File
        };
        let nanos = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Some(Self {
            modified: nanos(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanos(metadata.ctime(), metadata.ctime_nsec()),
            born: metadata.created().ok().map(since_epoch),
            size: metadata.len(),
            inode: metadata.ino(),
            entry,
        })
    }

    /// True when only the name, the mode or the links changed since `old`: the content is the same.
    pub(crate) fn same_content(&self, old: &Self) -> bool {
        self.modified == old.modified && self.size == old.size && self.inode == old.inode && self.born == old.born
    }

    /// True when a write right after a read that began at `read` could leave this stamp as it is: the last
    /// write is younger than the clock's step. File systems that count whole seconds step by up to two.
    pub(crate) fn racy(&self, read: i128) -> bool {
        let step = if self.modified % 1_000_000_000 == 0 { 2_000_000_000 } else { 20_000_000 };
        self.modified.max(self.changed) > read - step
    }

    /// True when the last write is less than `span` before `now`.
    pub(crate) fn younger_than(&self, span: Duration, now: i128) -> bool {
        let age = now - self.modified;
        age >= 0 && age.unsigned_abs() < span.as_nanos()
    }
}

/// Wall time in nanoseconds since 1970; only ever compared with stamps.
pub(crate) fn wall_now() -> i128 {
    since_epoch(SystemTime::now())
}

fn since_epoch(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    }
}

/// What reading a file gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The hash is of the content at this stamp; `racy` as in [`Stamp::racy`].
    Stable { stamp: Stamp, hash: Hash, racy: bool },
    /// It changed while it was read.
    Changing,
    /// It is there and cannot be read.
    Unreadable(Stamp),
    /// No file or link is there.
    Absent,
    /// Not even stat works: nothing is known, least of all that it is gone.
    Unknown,
}

/// Hashes the file or link at `path`, never following a link and never waiting for a pipe.
pub(crate) fn read(path: &Path) -> Content {
    let begun = wall_now();
    let before = match stamp_at(path) {
        Ok(Some(before)) => before,
        Ok(None) => return Content::Absent,
        Err(_) => return Content::Unknown,
    };
    let hash = match before.entry {
        Entry::Link => fs::read_link(path).map(|target| blake3::hash(target.as_os_str().as_bytes())),
        Entry::File | Entry::Executable => hash_file(path, &before),
    };
    match (hash, stamp_at(path)) {
        (_, Err(_)) => Content::Unknown,
        (_, Ok(None)) => Content::Absent,
        (_, Ok(Some(after))) if after != before => Content::Changing,
        (Ok(hash), Ok(Some(after))) => Content::Stable { stamp: after, hash, racy: after.racy(begun) },
        // It was away for a moment: a folder above was moved and moved back.
        (Err(error), Ok(Some(_))) if absent(&error) || error.kind() == io::ErrorKind::Interrupted => Content::Changing,
        (Err(_), Ok(Some(after))) => Content::Unreadable(after),
    }
}

/// The stamp of what is at `path` itself; nothing when no file or link is there.
/// # Errors
/// Whatever keeps stat from saying whether something is there.
pub(crate) fn stamp_at(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Stamp::of(&metadata)),
        Err(error) if absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// True when the error says that nothing is there.
pub(crate) fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn hash_file(path: &Path, expected: &Stamp) -> io::Result<Hash> {
    let mut file = open(path)?;
    // Between stat and open another file may have taken the name; a pipe would give rubbish.
    if Stamp::of(&file.metadata()?) != Some(*expected) {
        return Err(io::ErrorKind::Interrupted.into());
    }
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; usize::try_from(expected.size).unwrap_or(usize::MAX).clamp(512, 1 << 17)];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}

/// Opens for reading; a link is an error and a pipe does not block.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_younger_than_the_clocks_step_is_racy() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        let mut stamp = stamp_at(&folder.path().join("a")).unwrap().unwrap();
        let second = 1_000_000_000;
        for (modified, read, racy) in [
            (100 * second + 5, 100 * second + 10_000_000, true),
            (100 * second + 5, 100 * second + 30_000_000, false),
            (100 * second, 101 * second, true),
            (100 * second, 103 * second, false),
            (100 * second + 5, 90 * second, true),
        ] {
            (stamp.modified, stamp.changed) = (modified, modified);
            assert_eq!(stamp.racy(read), racy, "{modified} {read}");
        }
    }

    #[test]
    fn links_are_hashed_by_target_and_folders_are_no_content() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        let Content::Stable { hash, stamp, .. } = read(&link) else { panic!("a link is readable") };
        assert_eq!(hash, blake3::hash(b"/etc/passwd"));
        assert_eq!(stamp.entry, Entry::Link);
        assert_eq!(read(folder.path()), Content::Absent);
        assert_eq!(read(&folder.path().join("nothing")), Content::Absent);
    }
}
