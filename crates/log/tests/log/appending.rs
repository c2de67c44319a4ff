//! Appending and reading back.

use bytes::Bytes;
use orchestrator_log::{AppendError, Class, Draft, Log, Reader, SqliteLog};
use proptest::prelude::*;

use crate::support::{Folder, as_draft, decision, telemetry};

#[test]
fn both_classes_interleaved_read_back_in_order() {
    let folder = Folder::new();
    let mut log = folder.open();
    assert_eq!(log.tail().next_seq, 1);
    let batch = [
        decision(1, Some("hello")),
        telemetry(2),
        Draft { events: 3, ..decision(5, None) },
        Draft { payload: Some(Bytes::from_static(b"gate output")), ..telemetry(8) },
        decision(9, Some("")),
    ];
    assert_eq!(log.append(&batch[..2]).unwrap(), 2);
    assert_eq!(log.append(&batch[2..]).unwrap(), 9);
    let read: Vec<_> = log.reader().read(1, 100).unwrap();
    assert_eq!(read, log.read(1, 100).unwrap());
    assert_eq!(read.into_iter().map(as_draft).collect::<Vec<_>>(), batch);
    assert_eq!(log.tail().next_seq, 10);
    assert_eq!(log.tail().unsigned, 3);
}

#[test]
fn a_number_inside_a_record_finds_the_record() {
    let folder = Folder::new();
    let mut log = folder.open();
    let wide = Draft { events: 3, ..decision(5, Some("body")) };
    log.append(&[telemetry(2), wide, telemetry(10)]).unwrap();
    let reader = log.reader();
    for (seq, holder) in
        [(0, None), (2, Some(2)), (4, None), (5, Some(5)), (7, Some(5)), (8, None), (10, Some(10)), (u64::MAX, None)]
    {
        let found = reader.record(seq).unwrap().map(|record| record.seq);
        assert_eq!(found, holder, "number {seq}");
        assert_eq!(reader.payload(seq).unwrap().is_some(), holder.is_some());
    }
    let begins = |from, to| {
        let records = reader.read_range(from, to, 10).unwrap();
        records.iter().map(|record| record.seq).collect::<Vec<_>>()
    };
    assert_eq!(begins(7, 10), [5, 10]);
    assert_eq!(begins(3, 9), [5]);
    assert_eq!(begins(8, 9), [0; 0]);
    assert_eq!(begins(u64::MAX, u64::MAX), [0; 0]);
}

#[test]
fn a_batch_that_does_not_follow_is_refused_whole() {
    let folder = Folder::new();
    let mut log = folder.open();
    log.append(&[decision(1, None), decision(4, None)]).unwrap();
    let empty = Draft { events: 0, ..decision(6, None) };
    let wide = Draft { events: 2, ..decision(6, None) };
    for batch in [
        vec![decision(4, None)],
        vec![decision(5, None), decision(5, None)],
        vec![decision(5, None), empty],
        vec![decision(5, None), wide, telemetry(7)],
        vec![decision(u64::MAX, None)],
        vec![decision(i64::MAX as u64, None)],
    ] {
        let error = log.append(&batch).unwrap_err();
        assert!(matches!(error, AppendError::Refused { .. }), "{error}");
        assert_eq!(log.read(0, 10).unwrap().len(), 2);
    }
    assert_eq!(log.append(&[]).unwrap(), 4);
    assert_eq!(log.append(&[decision(5, None)]).unwrap(), 5);
}

#[test]
fn readers_on_many_threads_see_whole_batches_only() {
    let folder = Folder::new();
    let mut log = folder.open();
    let reader = log.reader();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            let reader = reader.clone();
            scope.spawn(move || {
                loop {
                    let records = reader.read(1, 1000).unwrap();
                    assert_eq!(records.len() % 10, 0);
                    if records.len() == 200 {
                        break;
                    }
                }
            });
        }
        for first in (1..=191).step_by(10) {
            let batch: Vec<_> = (first..first + 10)
                .map(|seq| if seq % 3 == 0 { telemetry(seq) } else { decision(seq, None) })
                .collect();
            log.append(&batch).unwrap();
        }
    });
}

/// Records of both classes with gaps, cut into batches.
fn batches() -> impl Strategy<Value = Vec<Vec<Draft>>> {
    let draft = (
        1u64..4,
        1u32..4,
        any::<bool>(),
        any::<i64>(),
        ".{0,8}",
        "[a-z.]{1,12}",
        any::<u16>(),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
    );
    prop::collection::vec(prop::collection::vec(draft, 0..6), 0..6).prop_map(|batches| {
        let mut end = 0;
        let mut number = |gap: u64, events: u32| {
            let seq = end + gap;
            end = seq + u64::from(events) - 1;
            seq
        };
        batches
            .into_iter()
            .map(|batch| {
                batch
                    .into_iter()
                    .map(|(gap, events, chained, at, actor, kind, version, facts, payload)| Draft {
                        seq: number(gap, events),
                        events,
                        class: if chained { Class::Decision } else { Class::Telemetry },
                        at,
                        actor: actor.into(),
                        kind: kind.into(),
                        version,
                        facts: facts.into(),
                        payload: payload.map(Into::into),
                    })
                    .collect()
            })
            .collect()
    })
}

/// Everything from a number on, in pages.
fn paged(reader: &Reader, from: u64, page: usize) -> Vec<Draft> {
    let (mut from, mut all) = (from, Vec::new());
    loop {
        let records = reader.read(from, page).unwrap();
        let Some(last) = records.last() else {
            return all;
        };
        from = last.next_seq();
        all.extend(records.into_iter().map(as_draft));
    }
}

fn append_all(log: &mut SqliteLog, batches: &[Vec<Draft>]) {
    for batch in batches {
        log.append(batch).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_batches_read_back_identical_from_any_number_in_pages_of_any_size(
        batches in batches(),
        page in 1usize..8,
        reopen in any::<bool>(),
    ) {
        let folder = Folder::new();
        let mut log = folder.open();
        let half = batches.len() / 2;
        append_all(&mut log, &batches[..half]);
        if reopen {
            drop(log);
            log = folder.open();
        }
        append_all(&mut log, &batches[half..]);
        let appended: Vec<_> = batches.concat();
        let end = appended.last().map_or(1, |last| last.seq + u64::from(last.events));
        prop_assert_eq!(log.tail().next_seq, end);
        for from in 0..=end {
            let expected: Vec<_> = appended
                .iter()
                .filter(|draft| draft.seq + u64::from(draft.events) > from)
                .cloned()
                .collect();
            prop_assert_eq!(paged(&log.reader(), from, page), expected);
        }
        let report = orchestrator_log::audit::verify(&log.reader(), &folder.key().public_key()).unwrap();
        prop_assert!(report.is_clean(), "{:?}", report);
        prop_assert_eq!(report.records, appended.len() as u64);
        let tail = log.tail();
        drop(log);
        prop_assert_eq!(folder.open().tail(), tail);
    }
}
