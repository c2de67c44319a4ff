//! Removing old telemetry, and remembering how far.

use rusqlite::{Connection, params};

use crate::rows::{self, to_sql};
use crate::{AppendError, SqliteLog};

/// Which telemetry is old. Rows go oldest first, up to the first that is not old.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PruneBefore {
    /// Everything up to and including this number
    /// ([`Reader::telemetry_beyond`](crate::Reader::telemetry_beyond) gives it for a row count).
    Seq(u64),
    /// Everything labelled with an earlier time, in unix milliseconds.
    At(i64),
}

/// What was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// First number of the first removed row.
    pub from: u64,
    /// Last number of the last removed row: the new floor.
    pub to: u64,
    /// Rows removed.
    pub rows: u64,
}

impl SqliteLog {
    /// Removes up to `max_rows` rows of old telemetry, flushed; nothing if none is old. A caller
    /// with much to remove asks again, with batches in between.
    pub fn prune_telemetry(&mut self, before: PruneBefore, max_rows: u32) -> Result<Option<Pruned>, AppendError> {
        let pruned = self.transact(|transaction| prune(transaction, before, max_rows))?;
        if pruned.is_some() {
            self.relieve_wal()?;
        }
        Ok(pruned)
    }
}

fn prune(connection: &Connection, before: PruneBefore, max_rows: u32) -> Result<Option<Pruned>, rusqlite::Error> {
    let mut pruned: Option<Pruned> = None;
    let mut newest_row = 0;
    {
        let mut statement =
            connection.prepare_cached("SELECT seq, seq + events - 1, at FROM telemetry ORDER BY seq LIMIT ?1")?;
        let mut found = statement.query([max_rows])?;
        while let Some(row) = found.next()? {
            let (seq, last) = (row.get(0)?, rows::to_seq(row.get(1)?));
            let old = match before {
                PruneBefore::Seq(through) => last <= through,
                PruneBefore::At(time) => row.get::<_, i64>(2)? < time,
            };
            if !old {
                break;
            }
            newest_row = seq;
            let from = pruned.map_or(rows::to_seq(seq), |pruned| pruned.from);
            let rows = pruned.map_or(0, |pruned| pruned.rows) + 1;
            pruned = Some(Pruned { from, to: last, rows });
        }
    }
    if let Some(pruned) = pruned {
        connection.execute("DELETE FROM telemetry WHERE seq <= ?1", [newest_row])?;
        connection.execute(
            "INSERT INTO meta(key, value) VALUES (?1, ?2)
             ON CONFLICT(key) DO UPDATE SET value = max(value, excluded.value)",
            params![rows::TELEMETRY_FLOOR, to_sql(pruned.to)],
        )?;
    }
    Ok(pruned)
}
