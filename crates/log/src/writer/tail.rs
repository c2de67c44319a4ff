//! Where the log ends.

use rusqlite::{Connection, OptionalExtension};

use crate::writer::SignedHead;
use crate::{chain, rows};

/// The end of the log: what the next append continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The lowest number the next record may begin with.
    pub next_seq: u64,
    /// Hash of the newest decision; zeros if there is none.
    pub head: [u8; 32],
    /// First number of the newest decision.
    pub head_seq: Option<u64>,
    /// Decisions appended since the newest signed head.
    pub unsigned: u64,
}

impl Tail {
    /// Reads the tail from the tables. Pruned telemetry counts: its numbers are not given again.
    pub(crate) fn load(connection: &Connection) -> Result<Self, rusqlite::Error> {
        let newest = connection
            .query_row("SELECT seq, seq + events, hash FROM decisions ORDER BY seq DESC LIMIT 1", [], |row| {
                let hash = rows::hash_column(row, 2)?.unwrap_or(chain::GENESIS);
                Ok((rows::to_seq(row.get(0)?), rows::to_seq(row.get(1)?), hash))
            })
            .optional()?;
        let telemetry: Option<i64> = connection
            .query_row("SELECT seq + events FROM telemetry ORDER BY seq DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        let floor = rows::meta(connection, rows::TELEMETRY_FLOOR)?.unwrap_or(0);
        let signed = SignedHead::newest(connection)?.map_or(0, |head| head.seq);
        let unsigned: i64 =
            connection
                .query_row("SELECT count(*) FROM decisions WHERE seq > ?1", [rows::to_sql(signed)], |row| row.get(0))?;
        let (head_seq, decisions_end, head) = match newest {
            Some((seq, end, hash)) => (Some(seq), end, hash),
            None => (None, 1, chain::GENESIS),
        };
        Ok(Self {
            next_seq: decisions_end.max(telemetry.map_or(1, rows::to_seq)).max(floor.saturating_add(1)),
            head,
            head_seq,
            unsigned: rows::to_seq(unsigned),
        })
    }
}
