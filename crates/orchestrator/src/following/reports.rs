//! What was told of each overlap, so that it is told once: a new one at once, one that changes or vanishes only
//! when it stays so for a moment. Who types through a conflict and out again sees one record and no flicker.

use orchestrator_predict::{Finding, Path};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// A change must last so long to be told.
const HOLD: Duration = Duration::from_secs(1);

/// An overlap: where, and between whom.
pub(crate) type Overlap = (Path, u64, Option<u64>);

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Report {
    /// Work collides.
    Found(Finding),
    /// It does not any more.
    Gone(Overlap),
}

/// All that was told, and all that waits to be.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    told: HashMap<Path, BTreeMap<(u64, Option<u64>), Finding>>,
    waiting: HashMap<Overlap, (Instant, Option<Finding>)>,
}

impl Reports {
    /// Takes over all findings at a path. Returns what is to be told at once.
    pub(crate) fn at(&mut self, path: &Path, findings: Vec<Finding>, now: Instant) -> Vec<Report> {
        let mut found: BTreeMap<(u64, Option<u64>), Finding> = BTreeMap::new();
        for finding in findings {
            found.entry((finding.first, finding.second)).or_insert(finding);
        }
        let told = self.told.entry(path.clone()).or_default();
        let mut reports = Vec::new();
        for between in told.keys().filter(|between| !found.contains_key(between)) {
            let (_, kept) =
                self.waiting.entry((path.clone(), between.0, between.1)).or_insert_with(|| (now + HOLD, None));
            *kept = None;
        }
        for (between, finding) in found {
            let overlap = (path.clone(), between.0, between.1);
            match told.get(&between) {
                None => {
                    told.insert(between, finding.clone());
                    reports.push(Report::Found(finding));
                }
                Some(same) if *same == finding => {
                    self.waiting.remove(&overlap);
                }
                Some(_) => {
                    let (_, kept) = self.waiting.entry(overlap).or_insert_with(|| (now + HOLD, None));
                    *kept = Some(finding);
                }
            }
        }
        if told.is_empty() {
            self.told.remove(path);
        }
        reports
    }

    /// What has lasted long enough to be told by now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Report> {
        let due: Vec<Overlap> =
            self.waiting.iter().filter(|(_, (at, _))| *at <= now).map(|(overlap, _)| overlap.clone()).collect();
        let mut reports = Vec::new();
        for overlap in due {
            let Some((_, finding)) = self.waiting.remove(&overlap) else { continue };
            let (path, first, second) = &overlap;
            let Some(told) = self.told.get_mut(path) else { continue };
            match finding {
                Some(finding) => {
                    told.insert((*first, *second), finding.clone());
                    reports.push(Report::Found(finding));
                }
                None => {
                    told.remove(&(*first, *second));
                    if told.is_empty() {
                        self.told.remove(path);
                    }
                    reports.push(Report::Gone(overlap));
                }
            }
        }
        reports
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.values().map(|(at, _)| *at).min()
    }

    /// Whether an overlap was told and not taken back.
    pub(crate) fn has_told(&self, (path, first, second): &Overlap) -> bool {
        self.told.get(path).is_some_and(|told| told.contains_key(&(*first, *second)))
    }

    /// Forgets an agent that left, with all that was told of it.
    pub(crate) fn forget(&mut self, agent: u64) {
        let concerns = |first: u64, second: Option<u64>| first == agent || second == Some(agent);
        self.waiting.retain(|(_, first, second), _| !concerns(*first, *second));
        self.told.retain(|_, told| {
            told.retain(|(first, second), _| !concerns(*first, *second));
            !told.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_predict::{Kind, Part, Region};

    fn finding(text: &str) -> Finding {
        let part = || Part { start: 1, lines: 1, text: text.as_bytes().to_vec() };
        let regions = vec![Region { base: part(), first: part(), second: part() }];
        Finding { path: path(), first: 1, second: Some(2), kind: Kind::Content, regions, paths: [None, None] }
    }

    fn path() -> Path {
        b"a".as_slice().into()
    }

    #[test]
    fn a_new_overlap_is_told_at_once_and_a_flicker_never() {
        let (mut reports, start) = (Reports::default(), Instant::now());
        let later = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(reports.at(&path(), vec![finding("x")], start), [Report::Found(finding("x"))]);
        assert_eq!(reports.at(&path(), vec![finding("x")], start), []);
        assert_eq!(reports.at(&path(), vec![], later(100)), []);
        assert_eq!(reports.at(&path(), vec![finding("x")], later(200)), []);
        assert_eq!(reports.due(later(5_000)), [], "it was back in time");
    }

    #[test]
    fn what_changes_or_vanishes_for_good_is_told_once() {
        let (mut reports, start) = (Reports::default(), Instant::now());
        let later = |milliseconds| start + Duration::from_millis(milliseconds);
        reports.at(&path(), vec![finding("x")], start);
        reports.at(&path(), vec![finding("xy")], later(100));
        reports.at(&path(), vec![finding("xyz")], later(900));
        assert_eq!(reports.next(), Some(later(1_100)), "who types on and on is told, too");
        assert_eq!(reports.due(later(1_099)), []);
        assert_eq!(reports.due(later(1_100)), [Report::Found(finding("xyz"))]);
        reports.at(&path(), vec![], later(2_000));
        assert_eq!(reports.due(later(3_000)), [Report::Gone((path(), 1, Some(2)))]);
        assert_eq!(reports.due(later(9_000)), []);
        assert!(!reports.has_told(&(path(), 1, Some(2))));
    }
}
