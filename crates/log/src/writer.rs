//! The writer: one transaction and one flush a batch.

mod append;
mod checkpoints;
mod erasure;
mod heads;
mod probe;
mod pruning;
mod tail;
mod wal;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::lock::ProcessLock;
use crate::{AppendError, Draft, Error, Reader, Record, connection, durable, rows};

pub use checkpoints::Checkpoint;
pub use heads::SignedHead;
pub use pruning::{PruneBefore, Pruned};
pub use tail::Tail;

/// An append-only log of opaque records. Kept narrow, so that another store can stand behind it.
pub trait Log: Send {
    /// Stores the whole batch or nothing, flushes it, and answers with the last number flushed.
    /// An empty batch costs no flush.
    fn append(&mut self, batch: &[Draft]) -> Result<u64, AppendError>;

    /// Up to `limit` records in order, beginning with the one whose range holds `from` or, where
    /// there is none, the first after it.
    fn read(&self, from: u64, limit: usize) -> Result<Vec<Record>, Error>;
}

/// How a log is opened. Nothing here weakens durability.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Read-only connections a [`Reader`] and its clones share.
    pub readers: usize,
    /// How long a write waits for a foreign program that holds the database.
    pub busy_timeout: Duration,
    /// Frames (of 4 KiB) after which the write-ahead log is copied into the database. A larger
    /// number means fewer and longer stalls.
    pub wal_frames: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { readers: 4, busy_timeout: Duration::from_secs(2), wal_frames: 16_384 }
    }
}

/// The writer. There is one a log: a lock file beside the database keeps a second process out.
#[derive(Debug)]
pub struct SqliteLog {
    // Fields drop in order: the database is closed before the lock is let go.
    connection: Connection,
    tail: Tail,
    reader: Reader,
    wal: wal::Pressure,
    failed: Option<String>,
    path: PathBuf,
    _lock: ProcessLock,
}

impl SqliteLog {
    /// Opens the log, or creates it and its folder.
    ///
    /// A log whose signed end is missing is refused: to go on would give its numbers, already
    /// acknowledged, a second time.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        let Options { readers, busy_timeout, wal_frames } = options;
        let path = path.as_ref().to_owned();
        durable::create_folder(&durable::folder_of(&path))?;
        let lock = ProcessLock::take(&path)?;
        let connection = connection::open_writer(&path, busy_timeout)?;
        let tail = Tail::load(&connection)?;
        let signed = SignedHead::newest(&connection)?.map_or(0, |head| head.seq);
        if tail.head_seq.unwrap_or(0) < signed {
            return Err(Error::Truncated { signed, newest: tail.head_seq });
        }
        Ok(Self {
            connection,
            tail,
            reader: Reader::pooled(path.clone(), readers),
            wal: wal::Pressure::new(wal_frames),
            failed: None,
            path,
            _lock: lock,
        })
    }

    /// A reader of this log, for any thread.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Where the log ends.
    pub fn tail(&self) -> Tail {
        self.tail.clone()
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the write-ahead log into the database, empties it, and closes.
    pub fn shutdown(mut self) -> Result<(), Error> {
        self.usable()?;
        self.truncate_wal()?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(())
    }

    /// Refuses to go on after a failure that left the disk in doubt.
    fn usable(&self) -> Result<(), AppendError> {
        match &self.failed {
            Some(reason) => Err(AppendError::fatal(reason.clone())),
            None => Ok(()),
        }
    }

    /// Runs a write in a transaction of its own and flushes it: all or nothing.
    fn transact<T>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> Result<T, rusqlite::Error>,
    ) -> Result<T, AppendError> {
        self.usable()?;
        let outcome =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let written = write(&transaction)?;
                transaction.commit()?;
                Ok(written)
            });
        match outcome {
            Ok(written) => Ok(written),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Sorts the error, and remembers one after which nothing may be written any more.
    fn failure(&mut self, error: &rusqlite::Error) -> AppendError {
        let sorted = if self.connection.is_autocommit() {
            AppendError::classify(error)
        } else {
            AppendError::fatal(format!("the write could not be taken back after: {error}"))
        };
        if let AppendError::Fatal { reason } = &sorted {
            self.failed = Some(reason.clone());
        }
        sorted
    }

    /// Ends the use of the log for a reason of our own.
    fn fatal(&mut self, reason: String) -> AppendError {
        self.failed = Some(reason.clone());
        AppendError::Fatal { reason }
    }
}

impl Log for SqliteLog {
    fn append(&mut self, batch: &[Draft]) -> Result<u64, AppendError> {
        self.append_batch(batch, None)
    }

    fn read(&self, from: u64, limit: usize) -> Result<Vec<Record>, Error> {
        rows::read(&self.connection, from, u64::MAX, limit)
    }
}

#[cfg(test)]
mod tests;
