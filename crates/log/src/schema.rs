//! Tables, and how an older log becomes a current one.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::Error;

/// Marks the file as ours ("orlg"), so that a foreign database is never taken for an empty log.
const APPLICATION_ID: i32 = 0x6f72_6c67;

/// Entry `n` leads from schema version `n` to `n + 1`. Entries are never edited, only added.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE decisions(
        seq INTEGER PRIMARY KEY,
        events INTEGER NOT NULL,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        kind TEXT NOT NULL,
        version INTEGER NOT NULL,
        facts BLOB NOT NULL,
        payload_hash BLOB,
        previous BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE payloads(
        seq INTEGER PRIMARY KEY,
        body BLOB,
        erased INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE telemetry(
        seq INTEGER PRIMARY KEY,
        events INTEGER NOT NULL,
        at INTEGER NOT NULL,
        actor TEXT NOT NULL,
        kind TEXT NOT NULL,
        version INTEGER NOT NULL,
        facts BLOB NOT NULL,
        payload BLOB,
        erased INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE heads(
        seq INTEGER PRIMARY KEY,
        hash BLOB NOT NULL,
        at INTEGER NOT NULL,
        signature BLOB NOT NULL
    ) STRICT;
    CREATE TABLE checkpoints(
        seq INTEGER PRIMARY KEY,
        version INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE meta(
        key TEXT PRIMARY KEY,
        value ANY
    ) STRICT, WITHOUT ROWID;
"];

/// The newest schema this program knows.
pub(crate) const KNOWN: u32 = MIGRATIONS.len() as u32;

/// Brings the database to the newest schema, in one transaction.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let found = check(connection, path)?;
    if found == KNOWN {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if found == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.execute_batch("CREATE TABLE schema_version(version INTEGER NOT NULL) STRICT")?;
        transaction.execute("INSERT INTO schema_version VALUES (0)", [])?;
    }
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.execute("UPDATE schema_version SET version = ?1", [KNOWN])?;
    transaction.commit()?;
    Ok(())
}

/// The schema version of the file: 0 for an empty one. Refuses foreign and newer files.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<u32, Error> {
    let foreign = || Error::Foreign { path: path.to_owned() };
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(0);
    }
    let id: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id != APPLICATION_ID {
        return Err(foreign());
    }
    let found: u32 = connection
        .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
        .optional()?
        .ok_or_else(foreign)?;
    if found > KNOWN {
        return Err(Error::NewerSchema { found, known: KNOWN });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new("log.db");
        migrate(&mut connection, path).unwrap();
        migrate(&mut connection, path).unwrap();
        assert_eq!(check(&connection, path).unwrap(), KNOWN);
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        let path = Path::new("log.db");
        migrate(&mut connection, path).unwrap();
        connection.execute("UPDATE schema_version SET version = ?1", [KNOWN + 1]).unwrap();
        let error = migrate(&mut connection, path).unwrap_err();
        assert!(matches!(error, Error::NewerSchema { found, known } if found == KNOWN + 1 && known == KNOWN));
    }

    #[test]
    fn a_foreign_database_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE bookmarks(url TEXT)").unwrap();
        let error = migrate(&mut connection, Path::new("log.db")).unwrap_err();
        assert!(matches!(error, Error::Foreign { .. }));
    }
}
