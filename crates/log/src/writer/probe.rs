//! Finding out whether a refused log can be written again.

use rusqlite::params;

use crate::{AppendError, SqliteLog, Tail};

const KEY: &str = "probe";
/// Room a probe must find, so that the batch after it does not fail at once: the largest message.
const ROOM: i64 = 256 * 1024;

impl SqliteLog {
    /// Writes and flushes a trial value, and removes it again. Succeeds when the cause of a
    /// refusal is gone.
    ///
    /// Also makes sure that the log ends where this writer believes: if a refused batch is there
    /// after all, the answer is fatal.
    pub fn probe(&mut self) -> Result<(), AppendError> {
        self.transact(|transaction| {
            transaction.execute("INSERT OR REPLACE INTO meta(key, value) VALUES (?1, zeroblob(?2))", params![KEY, ROOM])
        })?;
        self.transact(|transaction| transaction.execute("DELETE FROM meta WHERE key = ?1", [KEY]))?;
        match Tail::load(&self.connection) {
            Ok(stored) if stored == self.tail => self.relieve_wal(),
            Ok(stored) => Err(self.fatal(format!(
                "the log ends before {}, this writer knows of {}",
                stored.next_seq, self.tail.next_seq
            ))),
            Err(error) => Err(self.failure(&error)),
        }
    }
}
