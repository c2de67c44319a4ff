//! Erasing payloads and pruning telemetry.

use bytes::Bytes;
use orchestrator_log::{Draft, Log, Payload, PruneBefore, Pruned, audit};

use crate::support::{Folder, decision, telemetry};

#[test]
fn an_erased_payload_leaves_the_chain_whole() {
    let folder = Folder::new();
    let key = folder.key();
    let mut log = folder.open();
    let wide = Draft { events: 3, ..decision(2, Some("secret")) };
    let output = Draft { payload: Some(Bytes::from_static(b"output")), ..telemetry(5) };
    log.append(&[decision(1, None), wide, output, decision(6, Some("kept"))]).unwrap();
    log.sign_head(&key, 1).unwrap();

    assert!(log.erase_payload(3).unwrap(), "a number inside the record");
    assert!(!log.erase_payload(3).unwrap(), "already erased");
    assert!(log.erase_payload(5).unwrap());
    assert!(!log.erase_payload(1).unwrap(), "there is none");
    assert!(!log.erase_payload(99).unwrap(), "there is no such record");

    let reader = log.reader();
    assert_eq!(reader.payload(2).unwrap(), Some(Payload::Erased));
    assert_eq!(reader.payload(5).unwrap(), Some(Payload::Erased));
    assert_eq!(reader.payload(1).unwrap(), Some(Payload::None));
    assert_eq!(reader.payload(6).unwrap(), Some(Payload::Present("kept".into())));
    assert_eq!(reader.record(2).unwrap().unwrap().facts, "facts of 2");
    let report = audit::verify(&reader, &key.public_key()).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.erased, report.vouched), (1, Some(1..=6)));
}

#[test]
fn pruned_telemetry_reports_its_range_and_the_floor() {
    let folder = Folder::new();
    let mut log = folder.open();
    let reader = log.reader();
    let wide = Draft { events: 2, ..telemetry(4) };
    log.append(&[telemetry(1), decision(2, None), telemetry(3), wide, telemetry(7), telemetry(8)]).unwrap();
    assert_eq!(reader.telemetry_floor().unwrap(), 0);
    assert_eq!(log.prune_telemetry(PruneBefore::Seq(0), 100).unwrap(), None);
    assert_eq!(log.prune_telemetry(PruneBefore::At(1), 100).unwrap(), None);

    let pruned = log.prune_telemetry(PruneBefore::Seq(4), 100).unwrap();
    assert_eq!(pruned, Some(Pruned { from: 1, to: 3, rows: 2 }), "4 is inside 4..=5");
    assert_eq!(reader.telemetry_floor().unwrap(), 3);
    let pruned = log.prune_telemetry(PruneBefore::At(8), 1).unwrap();
    assert_eq!(pruned, Some(Pruned { from: 4, to: 5, rows: 1 }));
    assert_eq!(reader.telemetry_beyond(1).unwrap(), Some(7));
    assert_eq!(reader.telemetry_beyond(2).unwrap(), None);
    log.prune_telemetry(PruneBefore::Seq(7), 100).unwrap();
    assert_eq!(reader.telemetry_floor().unwrap(), 7);
    let left: Vec<_> = reader.read(0, 10).unwrap().iter().map(|record| record.seq).collect();
    assert_eq!(left, [2, 8]);
}

#[test]
fn a_row_that_is_not_old_stops_pruning_by_time() {
    let folder = Folder::new();
    let mut log = folder.open();
    let late = Draft { at: 1000, ..telemetry(2) };
    log.append(&[telemetry(1), late, telemetry(3)]).unwrap();
    let pruned = log.prune_telemetry(PruneBefore::At(100), 100).unwrap();
    assert_eq!(pruned, Some(Pruned { from: 1, to: 1, rows: 1 }));
}

#[test]
fn numbers_of_pruned_telemetry_are_not_given_again() {
    let folder = Folder::new();
    let mut log = folder.open();
    log.append(&[decision(1, None), telemetry(2), telemetry(3)]).unwrap();
    log.prune_telemetry(PruneBefore::Seq(3), 100).unwrap();
    drop(log);
    assert_eq!(folder.open().tail().next_seq, 4);
}
