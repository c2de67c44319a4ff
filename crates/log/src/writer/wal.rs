//! Copying the write-ahead log into the database, seldom and with its errors seen.
//!
//! It runs on the writer and not on a thread of its own: copying never catches up with a writer
//! that does not pause, and a log that is not copied whole is never started afresh.

use std::fs::File;
use std::io::ErrorKind;

use crate::{AppendError, SqliteLog};

const MEASURE: &str = "PRAGMA wal_checkpoint(NOOP)";
const COPY: &str = "PRAGMA wal_checkpoint(PASSIVE)";
const TRUNCATE: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// When the next copy is due.
#[derive(Debug)]
pub(super) struct Pressure {
    step: i64,
    due: i64,
}

impl Pressure {
    pub(super) fn new(frames: u32) -> Self {
        let step = i64::from(frames.max(1));
        Self { step, due: step }
    }
}

/// Frames in the write-ahead log, and how many of them stand in the database.
struct Frames {
    written: i64,
    copied: i64,
}

impl SqliteLog {
    /// Copies when enough frames have gathered. A reader in the way only puts off the rest, and
    /// a refusal (disk full) loses nothing: the frames stay where they are.
    pub(super) fn relieve_wal(&mut self) -> Result<(), AppendError> {
        let measured = self.wal_pragma(MEASURE);
        let frames = self.unless_fatal(measured)?;
        let Some(frames) = frames.filter(|frames| frames.written >= self.wal.due) else {
            return Ok(());
        };
        let copied = self.wal_pragma(COPY);
        self.wal.due = match self.unless_fatal(copied)? {
            Some(after) if after.copied == after.written => self.wal.step,
            _ => frames.written + self.wal.step,
        };
        Ok(())
    }

    /// Copies everything and empties the file, so that what was erased is gone from it as well.
    /// Waits for running reads up to the busy timeout; a read that lasts longer is not an error.
    pub(super) fn truncate_wal(&mut self) -> Result<(), AppendError> {
        let truncated = self.wal_pragma(TRUNCATE);
        self.unless_fatal(truncated)?;
        // SQLite does not flush the shorter length: after a power loss the old frames could be back.
        let mut name = self.path.as_os_str().to_owned();
        name.push("-wal");
        match File::open(&name).and_then(|file| file.sync_all()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                let fatal = AppendError::fatal(format!("the write-ahead log could not be flushed: {error}"));
                self.failed = Some(fatal.to_string());
                return Err(fatal);
            }
            _ => {}
        }
        self.wal.due = self.wal.step;
        Ok(())
    }

    fn wal_pragma(&self, pragma: &str) -> Result<Frames, rusqlite::Error> {
        self.connection
            .prepare_cached(pragma)?
            .query_row([], |row| Ok(Frames { written: row.get(1)?, copied: row.get(2)? }))
    }

    fn unless_fatal(&mut self, outcome: Result<Frames, rusqlite::Error>) -> Result<Option<Frames>, AppendError> {
        match outcome {
            Ok(frames) => Ok(Some(frames)),
            Err(error) => match self.failure(&error) {
                AppendError::Refused { .. } => Ok(None),
                fatal => Err(fatal),
            },
        }
    }
}
