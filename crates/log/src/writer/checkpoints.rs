//! Checkpoints of the caller's state: they bound start-up, and are never trusted unchecked.

use bytes::Bytes;
use rusqlite::params;

use crate::rows::{self, to_sql};
use crate::{AppendError, Error, SqliteLog, chain};

/// How many are kept: the newest, and one to fall back on.
const KEPT: i64 = 2;

/// A stored state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last number the state includes.
    pub seq: u64,
    /// Version of its encoding.
    pub version: u32,
    /// The state.
    pub bytes: Bytes,
}

impl SqliteLog {
    /// Stores the state that includes every number up to `seq`, flushed, and drops all but the
    /// newest two.
    pub fn checkpoint(&mut self, seq: u64, version: u32, bytes: &[u8]) -> Result<(), AppendError> {
        self.usable()?;
        if seq >= self.tail.next_seq {
            return Err(AppendError::Refused {
                reason: format!("a checkpoint at {seq} is ahead of the log, which ends before {}", self.tail.next_seq),
                cure: "checkpoint only what is flushed",
            });
        }
        let hash = chain::checkpoint_hash(seq, version, bytes);
        self.transact(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO checkpoints(seq, version, bytes, hash)
                 VALUES (?1, ?2, ?3, ?4)",
                params![to_sql(seq), version, bytes, hash],
            )?;
            transaction.execute(
                "DELETE FROM checkpoints WHERE seq NOT IN
                 (SELECT seq FROM checkpoints ORDER BY seq DESC LIMIT ?1)",
                [KEPT],
            )
        })?;
        self.relieve_wal()
    }

    /// The newest checkpoint that is whole; a damaged one is passed over.
    pub fn latest_checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        Ok(self.checkpoints()?.into_iter().next())
    }

    /// Every checkpoint that is whole, newest first: for a caller whose newest does not decode.
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>, Error> {
        let mut statement =
            self.connection.prepare_cached("SELECT seq, version, bytes, hash FROM checkpoints ORDER BY seq DESC")?;
        let mut found = statement.query([])?;
        let mut whole = Vec::new();
        while let Some(row) = found.next()? {
            let (Ok(seq), Ok(version), Ok(bytes), Ok(Some(hash))) = (
                row.get(0).map(rows::to_seq),
                row.get::<_, u32>(1),
                row.get::<_, Vec<u8>>(2),
                rows::hash_column(row, 3),
            ) else {
                continue;
            };
            if seq < self.tail.next_seq && chain::checkpoint_hash(seq, version, &bytes) == hash {
                whole.push(Checkpoint { seq, version, bytes: Bytes::from(bytes) });
            }
        }
        Ok(whole)
    }

    /// Throws all checkpoints away: the state is rebuilt from the records.
    pub fn discard_checkpoints(&mut self) -> Result<(), AppendError> {
        self.transact(|transaction| transaction.execute("DELETE FROM checkpoints", []))?;
        Ok(())
    }
}
