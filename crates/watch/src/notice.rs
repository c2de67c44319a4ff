//! What the watcher tells: changes that are settled, and the times when it must not be believed.

use std::path::PathBuf;

/// One message of the watcher, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// Files that settled together, sorted by path.
    Changes(Vec<Change>),
    /// Files that were touched and came to rest as they were last told, sorted; relative to the root. Whoever read one
    /// meanwhile may have seen what stood there only for a moment.
    Unchanged(Vec<PathBuf>),
    /// The system dropped events; every file was compared again by stat. Changes found follow as usual.
    Overflow {
        /// Files looked at.
        rescanned: usize,
    },
    /// The root is gone or was replaced. Nothing is reported until it is back; its files are not deletions.
    RootLost,
    /// The root is back and was compared with the last known state. Differences follow as usual.
    RootBack,
    /// So many files vanished together that the deletions are withheld. Nothing is reported until
    /// [`crate::Handle::confirm_deletions`], or until the files return.
    MassDeletion {
        /// Files that vanished.
        count: usize,
        /// Files known before.
        total: usize,
    },
    /// A mass deletion is over; what was withheld follows.
    MassDeletionCleared {
        /// True when it was confirmed, false when the files returned.
        confirmed: bool,
    },
    /// Part of the tree is seen later than usual, by stat scans.
    Degraded {
        /// What is missing and the cure.
        reason: String,
    },
    /// Every folder is watched again.
    Recovered,
}

/// One settled change of one file or symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the root, forward slashes. When [`Change::escaped`], bytes that are not UTF-8, and `%`
    /// itself, are written `%XX`; see [`crate::unescape`].
    pub path: String,
    /// True when `path` is escaped because the name on disk is not UTF-8.
    pub escaped: bool,
    /// What happened.
    pub kind: ChangeKind,
    /// blake3 of the content as 64 hex digits (of a link: of its target's bytes). Nothing when deleted, or
    /// when the file cannot be read.
    pub hash: Option<String>,
    /// The hash this watcher knew before: of the old content, or of the source of a rename. Nothing when
    /// there was no file, or it changed before it was first hashed.
    pub previous: Option<String>,
    /// Size in bytes; nothing when deleted.
    pub size: Option<u64>,
    /// What stands at the path now; nothing when deleted.
    pub entry: Option<Entry>,
}

/// What happened to a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// The path is new.
    Created,
    /// Its content, its executable bit or its type changed.
    Modified,
    /// The path is gone.
    Deleted,
    /// The path is new and its content is known to come from another one that is gone.
    Renamed {
        /// The old path, written as [`Change::path`]; it has no `Deleted` of its own.
        from: String,
    },
}

/// What stands at a path, as far as git tells it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File,
    /// A regular file its owner may execute.
    Executable,
    /// A symbolic link; never followed.
    Link,
}

/// The answer to [`crate::Handle::sync`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncPoint {
    /// Grows by one with every answered barrier.
    pub number: u64,
    /// Paths that a writer still holds open or is still changing, sorted; their changes follow later.
    pub unsettled: Vec<String>,
}

/// One file the watcher knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// As [`Change::path`].
    pub path: String,
    /// As [`Change::escaped`].
    pub escaped: bool,
    /// As [`Change::hash`]; nothing until the file was first hashed.
    pub hash: Option<String>,
    /// Size in bytes.
    pub size: u64,
    /// What it is.
    pub entry: Entry,
}

/// Counts for metrics and tests; a moment old at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Files and links known.
    pub files: usize,
    /// Of these, not hashed yet.
    pub unhashed: usize,
    /// Folders the system reports on.
    pub folders_watched: usize,
    /// Folders compared by stat every scan interval.
    pub folders_scanned: usize,
    /// Paths that changed and are not settled.
    pub pending: usize,
    /// True while a lost root or a mass deletion withholds everything.
    pub halted: bool,
    /// Full comparisons after the first one.
    pub rescans: u64,
    /// How often files left the view because they are ignored by now.
    pub hidden: u64,
}
