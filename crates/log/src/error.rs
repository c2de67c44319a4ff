//! Errors: what can be retried after a cure, and what must end the process.

use std::io;
use std::path::PathBuf;

use rusqlite::ffi;

/// Opening, reading or checking the log failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the log open for writing.
    #[error("the log is already open in another process (lock file {path}); stop that process or use its address")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The log was written by a newer program.
    #[error(
        "the log has schema version {found}, this program knows up to {known}; run a newer program or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// Version in the file.
        found: u32,
        /// Newest version this program knows.
        known: u32,
    },
    /// The file is a database of some other program.
    #[error("{path} is not a log of this program; choose another state folder or move the file away")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file system cannot carry a write-ahead log.
    #[error(
        "the file system under {path} cannot hold a write-ahead log (journal mode {mode}); keep the state folder on a local disk"
    )]
    NoWriteAheadLog {
        /// The database file.
        path: PathBuf,
        /// The mode SQLite fell back to.
        mode: String,
    },
    /// The newest signed head lies beyond the newest decision.
    #[error(
        "the log was signed up to decision {signed} but its newest is {newest:?}: its end is missing; put the -wal file back beside the database or restore a backup"
    )]
    Truncated {
        /// First number of the decision that was signed last.
        signed: u64,
        /// First number of the newest decision that is there.
        newest: Option<u64>,
    },
    /// A stored record does not decode.
    #[error("record {seq} is damaged ({detail}); run the audit and restore a backup")]
    Damaged {
        /// First sequence number of the record.
        seq: u64,
        /// What does not decode.
        detail: String,
    },
    /// A key file cannot be used.
    #[error("key {path} cannot be used: {detail}")]
    Key {
        /// The key file.
        path: PathBuf,
        /// What is wrong and how to cure it.
        detail: String,
    },
    /// A public key is not 64 hexadecimal digits.
    #[error("a public key is 64 hexadecimal digits; copy it whole")]
    PublicKey,
    /// A file operation failed.
    #[error("failed to {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// SQLite answered with an error.
    #[error("the log's database failed: {0}; check the disk, then run the audit")]
    Sqlite(#[from] rusqlite::Error),
    /// A write while opening failed.
    #[error(transparent)]
    Write(#[from] AppendError),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// A write did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing of the batch is stored; the log can go on once the cause is cured
    /// ([`SqliteLog::probe`](crate::SqliteLog::probe) tells).
    #[error("the log refused the write: {reason}; {cure}")]
    Refused {
        /// What happened.
        reason: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// It is not known what reached the disk: the process must exit and recover, never retry.
    #[error("the log failed: {reason}; exit and start again, never retry the write")]
    Fatal {
        /// What happened.
        reason: String,
    },
}

impl AppendError {
    pub(crate) fn fatal(reason: impl Into<String>) -> Self {
        Self::Fatal { reason: reason.into() }
    }

    /// Sorts an SQLite error. Only causes that are known to leave nothing behind are refusals; an
    /// error that is not listed is fatal.
    pub(crate) fn classify(error: &rusqlite::Error) -> Self {
        let (code, reason) = match error {
            rusqlite::Error::SqliteFailure(failure, _) => {
                let code = failure.extended_code;
                (code, format!("{error} (code {code})"))
            }
            other => return Self::fatal(other.to_string()),
        };
        let cure = match (code & 0xff, code) {
            (ffi::SQLITE_FULL, _) => "free space on the disk",
            (_, ffi::SQLITE_IOERR_WRITE) => "check the quota and the disk's health",
            (_, ffi::SQLITE_READONLY_DBMOVED) => return Self::fatal(reason),
            (ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH, _) => "make the state folder writable",
            (ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED, _) => "close other programs that have the database open",
            (ffi::SQLITE_CANTOPEN, _) => "check the open-file limit and the state folder's rights",
            (ffi::SQLITE_NOMEM, _) | (_, ffi::SQLITE_IOERR_NOMEM) => "free memory",
            (ffi::SQLITE_TOOBIG, _) => "send a smaller record",
            _ => return Self::fatal(reason),
        };
        Self::Refused { reason, cure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(code: i32) -> AppendError {
        AppendError::classify(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    #[test]
    fn causes_that_leave_nothing_behind_are_refusals() {
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_BUSY_SNAPSHOT,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_NOMEM,
        ] {
            assert!(matches!(classified(code), AppendError::Refused { .. }), "{code}");
        }
    }

    #[test]
    fn a_failed_flush_corruption_and_unknown_causes_are_fatal() {
        for code in [
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_DIR_FSYNC,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_READONLY_DBMOVED,
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
            ffi::SQLITE_MISUSE,
        ] {
            assert!(matches!(classified(code), AppendError::Fatal { .. }), "{code}");
        }
    }
}
