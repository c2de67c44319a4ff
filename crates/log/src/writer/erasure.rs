//! Erasing a payload while the chain stays whole.

use rusqlite::Connection;

use crate::rows::{self, to_sql};
use crate::{AppendError, SqliteLog};

impl SqliteLog {
    /// Erases the payload of the record that holds the number: the body is overwritten on disk,
    /// a mark and the chained hash stay. Answers whether there was a payload to erase.
    ///
    /// The write-ahead log is emptied too, unless a read that is running keeps it; then the body
    /// goes from there with the next copy.
    pub fn erase_payload(&mut self, seq: u64) -> Result<bool, AppendError> {
        let erased = self.transact(|transaction| erase(transaction, seq))?;
        if erased {
            self.truncate_wal()?;
        }
        Ok(erased)
    }
}

fn erase(connection: &Connection, seq: u64) -> Result<bool, rusqlite::Error> {
    let Some(start) = rows::holding(connection, seq)? else {
        return Ok(false);
    };
    let decision = connection
        .execute("UPDATE payloads SET body = NULL, erased = 1 WHERE seq = ?1 AND erased = 0", [to_sql(start)])?;
    let telemetry = connection.execute(
        "UPDATE telemetry SET payload = NULL, erased = 1
         WHERE seq = ?1 AND erased = 0 AND payload IS NOT NULL",
        [to_sql(start)],
    )?;
    Ok(decision + telemetry > 0)
}
