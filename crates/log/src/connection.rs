//! Connections: the one that writes and the ones that read, and their settings.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::{Error, durable, schema};

/// Opens the database for writing, creating it, its folder and its tables where missing.
pub(crate) fn open_writer(path: &Path, busy: Duration) -> Result<Connection, Error> {
    // SQLite gives the -wal and -shm files the mode of the database.
    if !path.exists() {
        durable::private().create_new(true).open(path).map_err(Error::io("create", path))?;
    }
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(busy)?;
    schema::check(&connection, path)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Error::NoWriteAheadLog { path: path.to_owned(), mode });
    }
    // Checkpoints of the write-ahead log are run by the writer itself: SQLite's automatic ones
    // swallow their errors, and a failed flush must not be swallowed.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(32);
    schema::migrate(&mut connection, path)?;
    durable::sync_folder(&durable::folder_of(path))?;
    Ok(connection)
}

/// Opens an existing database for reading.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, Error> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.execute_batch(
        "PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -4096;
         PRAGMA query_only = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;",
    )?;
    connection.set_prepared_statement_cache_capacity(16);
    if schema::check(&connection, path)? != schema::KNOWN {
        return Err(Error::Foreign { path: path.to_owned() });
    }
    Ok(connection)
}
