//! How long snapshots are kept: the one policy by which anything of agents' work is deleted.

use super::ledger::Snapshots;
use orchestrator_protocol::SnapshotKind;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// No backup goes before this, whatever is configured.
pub(crate) const MIN_BACKUP: Duration = Duration::from_secs(30 * 86_400);

/// How long snapshots are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// So many of an agent's work.
    pub newest: usize,
    /// An agent's work for so long.
    pub work: Duration,
    /// Backups for so long, at least 30 days.
    pub backups: Duration,
    /// Merged results of conflicts for so long, when not everyone they are for has pulled them.
    pub results: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self { newest: 50, work: Duration::from_secs(7 * 86_400), backups: MIN_BACKUP, results: MIN_BACKUP }
    }
}

impl Retention {
    /// What need not be kept any longer at the time `now`, in milliseconds since 1970, oldest first.
    ///
    /// The newest of each agent, and the newest of its work, stay for ever unless that work has landed.
    pub(super) fn over(&self, snapshots: &Snapshots, landed: &BTreeSet<u64>, now: i64) -> Vec<u64> {
        let milliseconds = |term: Duration| i64::try_from(term.as_millis()).unwrap_or(i64::MAX);
        let (work, backups) = (milliseconds(self.work), milliseconds(self.backups.max(MIN_BACKUP)));
        // By agent: snapshots of any kind, and of its work, that are newer than the one looked at.
        let mut newer: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        let mut over = Vec::new();
        for (id, record) in snapshots.kept().rev() {
            let (any, works) = newer.entry(record.number).or_default();
            let age = now.saturating_sub(record.at);
            let (is_tip, is_over) = match record.kind {
                SnapshotKind::Work => (*works == 0, age > work || *works >= self.newest),
                SnapshotKind::Backup => (*any == 0, age > backups),
            };
            *any += 1;
            *works += usize::from(record.kind == SnapshotKind::Work);
            if is_over && (!is_tip || landed.contains(&id)) {
                over.push(id);
            }
        }
        over.reverse();
        over
    }
}

#[cfg(test)]
mod tests {
    use super::super::ledger::{Event, Record};
    use super::*;
    use proptest::prelude::*;

    const DAY: i64 = 86_400_000;

    fn record(kind: SnapshotKind, number: u64, at: i64, name: usize) -> Record {
        let base = Record::backup(&"a".parse().unwrap(), &format!("refs/x/{number}-{name}"), "quiet", at);
        Record { kind, ..base }
    }

    fn ledger(records: &[(SnapshotKind, u64, i64)]) -> Snapshots {
        let mut ledger = Snapshots::default();
        for (seq, (kind, number, at)) in records.iter().enumerate() {
            ledger.apply(seq as u64 + 1, &Event::Kept(Box::new(record(*kind, *number, *at, seq))));
        }
        ledger
    }

    #[test]
    fn old_work_goes_and_the_newest_and_young_backups_stay() {
        use SnapshotKind::{Backup, Work};
        let ledger = ledger(&[
            (Work, 1, 0),
            (Backup, 1, 0),
            (Work, 1, DAY),
            (Work, 1, 2 * DAY),
            (Work, 2, 0),
            (Backup, 3, 0),
            (Backup, 3, DAY),
        ]);
        let retention = Retention::default();
        let none = BTreeSet::new();
        assert_eq!(retention.over(&ledger, &none, 7 * DAY), Vec::<u64>::new());
        assert_eq!(retention.over(&ledger, &none, 8 * DAY + 1), [1, 3]);
        assert_eq!(retention.over(&ledger, &none, 30 * DAY), [1, 3], "backups are 30 days old at most");
        assert_eq!(retention.over(&ledger, &none, 400 * DAY), [1, 2, 3, 6], "4, 5 and 7 are the newest");
        assert_eq!(retention.over(&ledger, &BTreeSet::from([4, 7]), 400 * DAY), [1, 2, 3, 4, 6, 7]);
        let few = Retention { newest: 2, ..retention };
        assert_eq!(few.over(&ledger, &none, 3 * DAY), [1]);
        let never = Retention { newest: 0, work: Duration::ZERO, backups: Duration::ZERO, ..retention };
        assert_eq!(never.over(&ledger, &none, 3 * DAY), [1, 3], "neither the newest nor a young backup");
    }

    proptest! {
        /// Whatever is configured, and however often it is asked.
        #[test]
        fn the_newest_of_each_agent_and_young_backups_are_never_over(
            records in prop::collection::vec((0..2_u8, 0..4_u64, 0..100_i64), 0..40),
            newest in 0..5_usize, days in 0..50_u64, now in 0..200_i64,
        ) {
            let kind = |kind| if kind == 0 { SnapshotKind::Work } else { SnapshotKind::Backup };
            let records: Vec<_> = records.into_iter().map(|(k, n, at)| (kind(k), n, at * DAY)).collect();
            let mut ledger = ledger(&records);
            let term = Duration::from_secs(days * 86_400);
            let retention = Retention { newest, work: term, backups: term, ..Retention::default() };
            let before = ledger.clone();
            for _ in 0..2 {
                let over = retention.over(&ledger, &BTreeSet::new(), now * DAY);
                ledger.apply(1_000, &Event::Dropped { snapshots: over });
            }
            for number in 0..4 {
                prop_assert_eq!(ledger.newest(number, |_| true), before.newest(number, |_| true));
                let is_work = |record: &Record| record.kind == SnapshotKind::Work;
                prop_assert_eq!(ledger.newest(number, is_work), before.newest(number, is_work));
            }
            for (id, record) in before.kept() {
                if record.kind == SnapshotKind::Backup && now * DAY - record.at <= 30 * DAY {
                    prop_assert!(ledger.get(id).is_some());
                }
            }
        }
    }
}
