//! Every way of changing a log behind its back is named.

use bytes::Bytes;
use orchestrator_log::audit::{self, Anchor, Fault, Report};
use orchestrator_log::{Draft, Log, Payload, Reader, SqliteLog};

use crate::support::{Folder, decision, telemetry};

/// Decisions 1, 3, 5 (two numbers), 7, 8, 9, of which 1, 5 and 8 have a payload and 8's is erased;
/// telemetry 2 and 4; heads signed at 5 and 8.
fn filled(folder: &Folder) -> SqliteLog {
    let key = folder.key();
    let mut log = folder.open();
    let wide = Draft { events: 2, ..decision(5, Some("five")) };
    log.append(&[decision(1, Some("one")), telemetry(2), decision(3, None), telemetry(4), wide]).unwrap();
    log.sign_head(&key, 50).unwrap().unwrap();
    log.append(&[decision(7, None), decision(8, Some("eight"))]).unwrap();
    log.sign_head(&key, 80).unwrap().unwrap();
    log.append(&[decision(9, None)]).unwrap();
    log.erase_payload(8).unwrap();
    log
}

#[test]
fn a_head_signed_with_its_batch_is_as_good_as_one_signed_later() {
    let folder = Folder::new();
    let mut log = folder.open();
    log.append_signed(&[decision(1, None), decision(2, Some("two"))], &folder.key(), 50).unwrap();
    assert_eq!(log.tail().unsigned, 0);
    log.append_signed(&[telemetry(3)], &folder.key(), 60).unwrap();
    let head = log.reader().newest_head().unwrap().unwrap();
    assert_eq!((head.seq, head.at), (2, 50), "telemetry has no head to sign");
    log.shutdown().unwrap();
    assert!(verify(&folder).problems.is_empty());
}

fn verify(folder: &Folder) -> Report {
    let reader = Reader::open(folder.database()).unwrap();
    audit::verify(&reader, &folder.key().public_key()).unwrap()
}

fn tampered(sql: &str) -> Report {
    let folder = Folder::new();
    filled(&folder).shutdown().unwrap();
    let changed = folder.intruder().execute_batch(sql);
    changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
    verify(&folder)
}

fn faults(report: &Report) -> Vec<(u64, &Fault)> {
    report.problems.iter().map(|problem| (problem.seq, &problem.fault)).collect()
}

#[test]
fn an_untouched_log_is_clean_and_vouched_for_up_to_the_newest_head() {
    let folder = Folder::new();
    let log = filled(&folder);
    let report = verify(&folder);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.records, report.decisions), (8, 6));
    assert_eq!((report.first, report.last), (Some(1), Some(9)));
    assert_eq!((report.heads, report.erased), (2, 1));
    assert_eq!(report.vouched, Some(1..=8));
    assert_eq!(log.tail().unsigned, 1);
}

#[test]
fn an_empty_log_is_clean_and_vouches_for_nothing() {
    let folder = Folder::new();
    folder.open();
    let report = verify(&folder);
    assert!(report.is_clean());
    assert_eq!((report.vouched, report.first), (None, None));
}

#[test]
fn every_kind_of_change_is_named() {
    let unlinked = |after| Fault::Unlinked { after: Some(after) };
    let cases: Vec<(&str, Vec<(u64, Fault)>)> = vec![
        // Each column of a decision.
        ("UPDATE decisions SET seq = 4 WHERE seq = 3", vec![(4, Fault::Altered)]),
        ("UPDATE decisions SET events = 2 WHERE seq = 3", vec![(3, Fault::Altered)]),
        ("UPDATE decisions SET at = at + 1 WHERE seq = 3", vec![(3, Fault::Altered)]),
        ("UPDATE decisions SET actor = 'mallory' WHERE seq = 3", vec![(3, Fault::Altered)]),
        ("UPDATE decisions SET kind = 'x' WHERE seq = 3", vec![(3, Fault::Altered)]),
        ("UPDATE decisions SET version = 2 WHERE seq = 3", vec![(3, Fault::Altered)]),
        ("UPDATE decisions SET facts = x'00' WHERE seq = 3", vec![(3, Fault::Altered)]),
        (
            "UPDATE decisions SET payload_hash = zeroblob(32) WHERE seq = 3",
            vec![(3, Fault::Altered), (3, Fault::PayloadMissing)],
        ),
        ("UPDATE decisions SET payload_hash = NULL WHERE seq = 1", vec![(1, Fault::Altered), (1, Fault::PayloadAdded)]),
        ("UPDATE decisions SET previous = zeroblob(32) WHERE seq = 3", vec![(3, Fault::Altered), (3, unlinked(1))]),
        ("UPDATE decisions SET hash = zeroblob(32) WHERE seq = 3", vec![(3, Fault::Altered)]),
        ("UPDATE decisions SET hash = x'00' WHERE seq = 9", vec![(9, Fault::Altered)]),
        (
            "UPDATE decisions SET events = 3 WHERE seq = 5",
            vec![(5, Fault::Altered), (5, Fault::OtherHead), (7, Fault::Overlapping { with: 5 })],
        ),
        // The text behind the separator-free encoding: bytes moved from one field to the next.
        ("UPDATE decisions SET actor = 'alicem', kind = 'essage.sent' WHERE seq = 3", vec![(3, Fault::Altered)]),
        // Payloads.
        ("UPDATE payloads SET body = x'00' WHERE seq = 5", vec![(5, Fault::PayloadAltered)]),
        ("UPDATE payloads SET body = NULL WHERE seq = 5", vec![(5, Fault::PayloadMissing)]),
        ("DELETE FROM payloads WHERE seq = 5", vec![(5, Fault::PayloadMissing)]),
        ("DELETE FROM payloads WHERE seq = 8", vec![(8, Fault::PayloadMissing)]),
        ("UPDATE payloads SET body = x'00' WHERE seq = 8", vec![(8, Fault::PayloadAdded)]),
        ("INSERT INTO payloads(seq, body) VALUES (3, x'00')", vec![(3, Fault::PayloadAdded)]),
        ("INSERT INTO payloads(seq, body) VALUES (99, x'00')", vec![(99, Fault::PayloadAdded)]),
        (
            "UPDATE payloads SET seq = seq + 100; UPDATE payloads SET seq = 106 - seq WHERE seq < 106;
          UPDATE payloads SET seq = seq - 100 WHERE seq > 100",
            vec![(1, Fault::PayloadAltered), (5, Fault::PayloadAltered)],
        ),
        // Removed, added, swapped.
        ("DELETE FROM decisions WHERE seq = 3", vec![(5, unlinked(1))]),
        ("DELETE FROM decisions WHERE seq = 1", vec![(3, Fault::Unlinked { after: None }), (1, Fault::PayloadAdded)]),
        (
            "DELETE FROM decisions WHERE seq = 5; DELETE FROM payloads WHERE seq = 5",
            vec![(7, unlinked(3)), (5, Fault::Removed)],
        ),
        (
            "INSERT INTO decisions SELECT 4, events, at, actor, kind, version, facts, payload_hash,
          previous, hash FROM decisions WHERE seq = 3",
            vec![(4, Fault::Altered), (4, unlinked(3))],
        ),
        (
            "UPDATE decisions SET seq = 1000 WHERE seq = 3; UPDATE decisions SET seq = 3 WHERE seq = 7;
          UPDATE decisions SET seq = 7 WHERE seq = 1000",
            vec![
                (3, Fault::Altered),
                (3, unlinked(1)),
                (5, unlinked(3)),
                (7, Fault::Altered),
                (7, unlinked(5)),
                (8, unlinked(7)),
            ],
        ),
        // A tail cut before the newest signed head.
        (
            "DELETE FROM decisions WHERE seq >= 8; DELETE FROM payloads WHERE seq >= 8",
            vec![(8, Fault::Truncated { last: Some(7) })],
        ),
        (
            "DELETE FROM decisions; DELETE FROM payloads",
            vec![(5, Fault::Truncated { last: None }), (8, Fault::Truncated { last: None })],
        ),
        // Heads.
        ("UPDATE heads SET at = at + 1 WHERE seq = 5", vec![(5, Fault::BadSignature)]),
        ("UPDATE heads SET hash = zeroblob(32) WHERE seq = 5", vec![(5, Fault::BadSignature)]),
        ("UPDATE heads SET hash = x'00' WHERE seq = 5", vec![(5, Fault::BadSignature)]),
        ("UPDATE heads SET signature = zeroblob(64) WHERE seq = 8", vec![(8, Fault::BadSignature)]),
        ("UPDATE heads SET seq = 9 WHERE seq = 8", vec![(9, Fault::BadSignature)]),
        // Values that do not decode.
        ("UPDATE decisions SET version = 70000 WHERE seq = 9", vec![(9, malformed())]),
        ("UPDATE decisions SET events = -1 WHERE seq = 9", vec![(9, malformed())]),
        ("UPDATE decisions SET previous = x'00' WHERE seq = 9", vec![(9, malformed()), (9, unlinked(8))]),
    ];
    for (sql, expected) in cases {
        let report = tampered(sql);
        let found: Vec<_> = faults(&report)
            .into_iter()
            .map(|(seq, fault)| match fault {
                Fault::Malformed { .. } => (seq, malformed()),
                other => (seq, other.clone()),
            })
            .collect();
        assert_eq!(found, expected, "{sql}");
        assert_eq!(report.problem_count, expected.len() as u64);
        for problem in &report.problems {
            assert!(problem.to_string().contains(&problem.seq.to_string()), "{problem}");
        }
    }
}

fn malformed() -> Fault {
    Fault::Malformed { detail: String::new() }
}

#[test]
fn a_problem_ends_the_range_that_is_vouched_for() {
    for (sql, vouched) in [
        ("UPDATE decisions SET at = 0 WHERE seq = 9", Some(1..=8)),
        ("UPDATE decisions SET at = 0 WHERE seq = 7", Some(1..=6)),
        ("UPDATE decisions SET at = 0 WHERE seq = 3", None),
        ("DELETE FROM heads", None),
    ] {
        assert_eq!(tampered(sql).vouched, vouched, "{sql}");
    }
}

#[test]
fn a_chain_rewritten_with_fitting_hashes_is_named_by_the_signed_head() {
    let folder = Folder::new();
    filled(&folder).shutdown().unwrap();
    // The same log written anew with another third record, under the true heads.
    let other = Folder::new();
    let mut forged = other.open();
    for record in Reader::open(folder.database()).unwrap().read(0, 100).unwrap() {
        let payload = match record.payload {
            Payload::Present(body) => Some(body),
            Payload::None => None,
            Payload::Erased => Some(Bytes::from_static(b"eight")),
        };
        let facts = if record.seq == 3 { Bytes::from_static(b"forged") } else { record.facts };
        forged
            .append(&[Draft {
                seq: record.seq,
                events: record.events,
                class: record.class,
                at: record.at,
                actor: record.actor.into(),
                kind: record.kind.into(),
                version: record.version,
                facts,
                payload,
            }])
            .unwrap();
    }
    forged.shutdown().unwrap();
    other
        .intruder()
        .execute_batch(&format!(
            "ATTACH '{}' AS truth; INSERT INTO heads SELECT * FROM truth.heads",
            folder.database().display()
        ))
        .unwrap();
    let reader = Reader::open(other.database()).unwrap();
    let report = audit::verify(&reader, &folder.key().public_key()).unwrap();
    assert_eq!(faults(&report), [(5, &Fault::OtherHead), (8, &Fault::OtherHead)]);
    assert_eq!(report.vouched, None);
}

#[test]
fn heads_of_another_key_are_not_believed() {
    let folder = Folder::new();
    let _log = filled(&folder);
    let stranger = Folder::new().key();
    let reader = Reader::open(folder.database()).unwrap();
    let report = audit::verify(&reader, &stranger.public_key()).unwrap();
    assert_eq!(faults(&report), [(5, &Fault::BadSignature), (8, &Fault::BadSignature)]);
}

#[test]
fn an_anchor_outside_the_log_names_a_tail_cut_together_with_its_heads() {
    let folder = Folder::new();
    let log = filled(&folder);
    let tail = log.tail();
    let anchor = Anchor { seq: tail.head_seq.unwrap(), hash: tail.head };
    let key = folder.key().public_key();
    let anchors = [anchor.clone()];
    let check = |anchors: &[Anchor]| {
        let reader = Reader::open(folder.database()).unwrap();
        audit::verify_anchored(&reader, &key, anchors).unwrap()
    };
    assert_eq!(check(&anchors).vouched, Some(1..=9));
    let wrong = Anchor { hash: [0; 32], ..anchor };
    assert_eq!(faults(&check(&[wrong])), [(9, &Fault::OtherHead)]);
    log.shutdown().unwrap();
    folder
        .intruder()
        .execute_batch(
            "DELETE FROM decisions WHERE seq > 5; DELETE FROM payloads WHERE seq > 5;
             DELETE FROM heads WHERE seq > 5",
        )
        .unwrap();
    assert!(check(&[]).is_clean(), "only the anchor can tell");
    assert_eq!(faults(&check(&anchors)), [(9, &Fault::Truncated { last: Some(6) })]);
}

#[test]
fn a_damaged_file_is_named_and_not_a_panic() {
    let folder = Folder::new();
    let mut log = folder.open();
    for seq in 1..400 {
        log.append(&[decision(seq, Some(&"body".repeat(100)))]).unwrap();
    }
    log.shutdown().unwrap();
    let whole = std::fs::read(folder.database()).unwrap();
    let clean = verify(&folder);
    assert!(clean.is_clean());
    // Every page in turn, overwritten; what is free or internal may go unnoticed, a panic may not.
    let mut noticed = 0;
    for page in 1..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..page * 4096 + 2048].fill(0xa5);
        std::fs::write(folder.database(), damaged).unwrap();
        let checked =
            Reader::open(folder.database()).and_then(|reader| audit::verify(&reader, &folder.key().public_key()));
        noticed += usize::from(!matches!(checked, Ok(report) if report == clean));
    }
    let pages = whole.len() / 4096 - 1;
    assert!(noticed + 12 > pages, "{noticed} of {pages} damaged pages noticed");
}
