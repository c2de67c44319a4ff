//! Reading: a small pool of read-only connections.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension};

use crate::writer::SignedHead;
use crate::{Error, Payload, Record, connection, rows};

/// Reads flushed records; cheap to clone, shared between threads, blocking.
///
/// A reader never waits for the writer. It opens its connections when they are first needed.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Arc<Pool>,
}

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    slots: Box<[Mutex<Option<Connection>>]>,
    turn: AtomicUsize,
}

impl Reader {
    /// A reader of an existing log, without its writer: for an audit or a backup.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let reader = Self::pooled(path.as_ref().to_owned(), 1);
        reader.with(|_| Ok(()))?;
        Ok(reader)
    }

    pub(crate) fn pooled(path: PathBuf, connections: usize) -> Self {
        Self {
            pool: Arc::new(Pool {
                path,
                slots: (0..connections.max(1)).map(|_| Mutex::new(None)).collect(),
                turn: AtomicUsize::new(0),
            }),
        }
    }

    /// Up to `limit` records in order, beginning with the one whose range holds `from` or, where
    /// there is none, the first after it. The next page begins at [`Record::next_seq`] of the last.
    pub fn read(&self, from: u64, limit: usize) -> Result<Vec<Record>, Error> {
        self.read_range(from, u64::MAX, limit)
    }

    /// Like [`Reader::read`], but only records that begin at `to` or before.
    pub fn read_range(&self, from: u64, to: u64, limit: usize) -> Result<Vec<Record>, Error> {
        self.with(|connection| rows::read(connection, from, to, limit))
    }

    /// The record that holds the number; it need not be the record's first.
    pub fn record(&self, seq: u64) -> Result<Option<Record>, Error> {
        self.with(|connection| rows::record(connection, seq))
    }

    /// The payload of the record that holds the number; nothing if there is no such record.
    pub fn payload(&self, seq: u64) -> Result<Option<Payload>, Error> {
        Ok(self.record(seq)?.map(|record| record.payload))
    }

    /// The highest number ever pruned, 0 if none. A resume from at or below it has a gap.
    pub fn telemetry_floor(&self) -> Result<u64, Error> {
        self.with(|connection| Ok(rows::meta(connection, rows::TELEMETRY_FLOOR)?.unwrap_or(0)))
    }

    /// The number up to which telemetry must be pruned so that its newest `keep` rows stay;
    /// nothing if there are no more rows than that.
    pub fn telemetry_beyond(&self, keep: u64) -> Result<Option<u64>, Error> {
        self.with(|connection| {
            let found: Option<i64> = connection
                .prepare_cached("SELECT seq + events - 1 FROM telemetry ORDER BY seq DESC LIMIT 1 OFFSET ?1")?
                .query_row([rows::to_sql(keep)], |row| row.get(0))
                .optional()?;
            Ok(found.map(rows::to_seq))
        })
    }

    /// The newest signed head.
    pub fn newest_head(&self) -> Result<Option<SignedHead>, Error> {
        self.with(|connection| Ok(SignedHead::newest(connection)?))
    }

    /// Runs a read on a free connection, or waits for one.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        let slots = &self.pool.slots;
        let free = slots.iter().find_map(Mutex::try_lock);
        let mut slot = free.unwrap_or_else(|| {
            let turn = self.pool.turn.fetch_add(1, Ordering::Relaxed);
            slots[turn % slots.len()].lock()
        });
        let connection = match &mut *slot {
            Some(connection) => connection,
            empty => empty.insert(connection::open_reader(&self.pool.path)?),
        };
        read(connection)
    }
}
