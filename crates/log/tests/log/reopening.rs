//! Closing, opening again, and what checkpoints are worth.

use orchestrator_log::{AppendError, Error, Log, Options, SqliteLog, audit};

use crate::support::{Folder, decision, telemetry};

#[test]
fn a_reopened_log_continues_the_chain_and_the_numbers() {
    let folder = Folder::new();
    let key = folder.key();
    let mut log = folder.open();
    log.append(&[decision(1, Some("a")), telemetry(2)]).unwrap();
    log.sign_head(&key, 1).unwrap().unwrap();
    log.append(&[decision(5, None)]).unwrap();
    let tail = log.tail();
    log.shutdown().unwrap();

    let mut log = folder.open();
    assert_eq!(log.tail(), tail);
    log.append(&[decision(6, None)]).unwrap();
    let records = log.read(5, 2).unwrap();
    let links: Vec<_> = records.iter().filter_map(|record| record.link.clone()).collect();
    assert_eq!(links[1].previous, links[0].hash);
    assert_eq!(links[0].hash, tail.head);
    let report = audit::verify(&log.reader(), &key.public_key()).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = Folder::new();
    let log = folder.open();
    let error = SqliteLog::open(folder.database(), Options::default()).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    assert!(error.to_string().contains("already open in another process"));
    drop(log);
    folder.open();
}

#[test]
fn a_log_whose_signed_end_is_missing_is_refused() {
    let folder = Folder::new();
    let mut log = folder.open();
    log.append(&[decision(1, None), decision(2, None)]).unwrap();
    log.sign_head(&folder.key(), 1).unwrap();
    log.shutdown().unwrap();
    folder.intruder().execute_batch("DELETE FROM decisions WHERE seq = 2").unwrap();
    let error = SqliteLog::open(folder.database(), Options::default()).unwrap_err();
    assert!(matches!(error, Error::Truncated { signed: 2, newest: Some(1) }), "{error}");
}

#[cfg(unix)]
#[test]
fn the_files_are_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mut log = folder.open();
    log.append(&[decision(1, None)]).unwrap();
    let state = folder.database().parent().unwrap().to_owned();
    assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&state).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["log.db", "log.db-shm", "log.db-wal", "log.db.lock"]);
}

#[test]
fn the_newest_two_checkpoints_are_kept() {
    let folder = Folder::new();
    let mut log = folder.open();
    log.append(&[decision(1, None), decision(2, None), decision(3, None)]).unwrap();
    assert_eq!(log.latest_checkpoint().unwrap(), None);
    for seq in 1..=3 {
        log.checkpoint(seq, 7, format!("state {seq}").as_bytes()).unwrap();
    }
    let kept: Vec<_> = log.checkpoints().unwrap().iter().map(|kept| kept.seq).collect();
    assert_eq!(kept, [3, 2]);
    let newest = log.latest_checkpoint().unwrap().unwrap();
    assert_eq!((newest.version, &*newest.bytes), (7, b"state 3".as_slice()));
    assert!(matches!(log.checkpoint(4, 7, b""), Err(AppendError::Refused { .. })));
    log.discard_checkpoints().unwrap();
    assert_eq!(log.latest_checkpoint().unwrap(), None);
}

#[test]
fn damaged_checkpoints_are_passed_over() {
    let folder = Folder::new();
    let mut log = folder.open();
    log.append(&[decision(1, None), decision(2, None)]).unwrap();
    let fill = |log: &mut SqliteLog| {
        log.discard_checkpoints().unwrap();
        log.checkpoint(1, 1, b"older").unwrap();
        log.checkpoint(2, 1, b"newer").unwrap();
    };
    for (damage, left) in [
        ("UPDATE checkpoints SET bytes = x'00' WHERE seq = 2", Some(1)),
        ("UPDATE checkpoints SET version = 2 WHERE seq = 2", Some(1)),
        ("UPDATE checkpoints SET version = -1 WHERE seq = 2", Some(1)),
        ("UPDATE checkpoints SET hash = x'00' WHERE seq = 2", Some(1)),
        ("UPDATE checkpoints SET seq = 9 WHERE seq = 2", Some(1)),
        ("UPDATE checkpoints SET bytes = x'00' WHERE seq = 1", Some(2)),
        ("UPDATE checkpoints SET bytes = x'00'", None),
    ] {
        fill(&mut log);
        folder.intruder().execute_batch(damage).unwrap();
        let found = log.latest_checkpoint().unwrap().map(|found| found.seq);
        assert_eq!(found, left, "{damage}");
    }
}
