//! Tests that need the writer's own connection: a full disk, a reader in the way, a lost write.

use std::sync::Arc;

use super::*;
use crate::Class;

fn draft(seq: u64, body: &[u8]) -> Draft {
    Draft {
        seq,
        events: 1,
        class: Class::Decision,
        at: 7,
        actor: Arc::from("alice"),
        kind: "message.sent".into(),
        version: 1,
        facts: bytes::Bytes::from_static(b"facts"),
        payload: Some(bytes::Bytes::copy_from_slice(body)),
    }
}

fn open(folder: &tempfile::TempDir, options: Options) -> SqliteLog {
    SqliteLog::open(folder.path().join("log.db"), options).unwrap()
}

/// SQLite answers with "full" beyond this many pages, just as on a full disk.
fn limit_pages(log: &SqliteLog, pages: u32) {
    log.connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
}

fn pages(log: &SqliteLog) -> u32 {
    log.connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_full_disk_refuses_the_whole_batch_and_the_log_works_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(&folder, Options::default());
    log.append(&[draft(1, b"first")]).unwrap();
    let before = log.tail();
    limit_pages(&log, pages(&log) + 2);

    let batch = [draft(2, b"small"), draft(3, &[7; 100_000])];
    let error = log.append(&batch).unwrap_err();
    assert!(matches!(&error, AppendError::Refused { cure, .. } if *cure == "free space on the disk"), "{error}");
    assert_eq!(log.tail(), before);
    assert_eq!(log.read(1, 10).unwrap().len(), 1);
    assert_eq!(log.reader().read(1, 10).unwrap().len(), 1);
    assert!(matches!(log.probe(), Err(AppendError::Refused { .. })));

    limit_pages(&log, u32::MAX - 1);
    log.probe().unwrap();
    assert_eq!(log.append(&batch).unwrap(), 3);
    assert_eq!(log.reader().read(1, 10).unwrap().len(), 3);
    assert_eq!(Tail::load(&log.connection).unwrap(), log.tail());
}

#[test]
fn a_probe_is_fatal_if_the_log_does_not_end_where_the_writer_believes() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(&folder, Options::default());
    log.append(&[draft(1, b"first")]).unwrap();
    log.tail.next_seq = 1;
    assert!(matches!(log.probe(), Err(AppendError::Fatal { .. })));
}

#[test]
fn after_a_fatal_failure_nothing_is_written_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(&folder, Options::default());
    log.append(&[draft(1, b"first")]).unwrap();
    // A number the database already has: something else wrote, or a refused batch is there.
    log.tail.next_seq = 1;
    let error = log.append(&[draft(1, b"again")]).unwrap_err();
    assert!(matches!(error, AppendError::Fatal { .. }), "{error}");
    log.tail.next_seq = 2;
    let error = log.append(&[draft(2, b"second")]).unwrap_err();
    assert!(matches!(error, AppendError::Fatal { .. }), "{error}");
    assert!(log.probe().is_err());
    assert!(log.discard_checkpoints().is_err());
    assert_eq!(log.read(1, 10).unwrap().len(), 1);
}

#[test]
fn a_foreign_program_that_holds_the_database_is_a_refusal() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { busy_timeout: Duration::from_millis(1), ..Options::default() };
    let mut log = open(&folder, options);
    let foreign = Connection::open(log.path()).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = log.append(&[draft(1, b"first")]).unwrap_err();
    assert!(matches!(error, AppendError::Refused { .. }), "{error}");
    foreign.execute_batch("ROLLBACK").unwrap();
    log.append(&[draft(1, b"first")]).unwrap();
}

#[test]
fn the_write_ahead_log_stays_bounded_and_a_reader_only_puts_it_off() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { wal_frames: 16, ..Options::default() };
    let mut log = open(&folder, options);
    let wal = folder.path().join("log.db-wal");
    let size = || std::fs::metadata(&wal).unwrap().len();
    for seq in 1..200 {
        log.append(&[draft(seq, &[1; 2000])]).unwrap();
    }
    let quiet = size();
    assert!(quiet < 64 * 4120, "{quiet} bytes");

    let reading = Connection::open(log.path()).unwrap();
    reading.execute_batch("BEGIN").unwrap();
    reading.query_row("SELECT count(*) FROM decisions", [], |_| Ok(())).unwrap();
    for seq in 200..400 {
        log.append(&[draft(seq, &[1; 2000])]).unwrap();
    }
    let held = size();
    assert!(held > quiet);
    drop(reading);
    for seq in 400..600 {
        log.append(&[draft(seq, &[1; 2000])]).unwrap();
    }
    assert!(size() < held + 64 * 4120, "it was started afresh, not grown");
}

#[test]
fn an_erased_payload_is_gone_from_the_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = open(&folder, Options::default());
    let secret = b"a very secret sentence that must not stay".repeat(300);
    log.append(&[draft(1, &secret), draft(2, b"other")]).unwrap();
    assert!(log.erase_payload(1).unwrap());
    for name in ["log.db", "log.db-wal"] {
        let stored = std::fs::read(folder.path().join(name)).unwrap();
        assert!(!stored.windows(13).any(|window| window == b"very secret s"), "found in {name}");
    }
}
