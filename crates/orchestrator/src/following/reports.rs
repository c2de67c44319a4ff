//! What was told of each overlap, so that it is told once: a new one at once, one that changes or vanishes only
//! when it stays so for a moment. Who types through a conflict and out again sees one record and no flicker.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::{Duration, Instant};

/// A change must last so long to be told.
const HOLD: Duration = Duration::from_secs(1);

/// Something to tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Report<G, K, F> {
    /// Work collides.
    Found(F),
    /// It does not any more.
    Gone(G, K),
}

/// A change that waits: when it is told, and what there is by then.
type Waiting<F> = (Instant, Option<F>);

/// All that was told, and all that waits to be. Findings come in groups, each with a key within its group: those of
/// lines by path and then by whom they are between, those of meaning by whom and then by what was changed.
#[derive(Debug)]
pub(crate) struct Reports<G, K, F> {
    told: HashMap<G, BTreeMap<K, F>>,
    waiting: HashMap<(G, K), Waiting<F>>,
}

impl<G, K, F> Default for Reports<G, K, F> {
    fn default() -> Self {
        Self { told: HashMap::new(), waiting: HashMap::new() }
    }
}

impl<G: Hash + Eq + Clone, K: Hash + Ord + Clone, F: PartialEq + Clone> Reports<G, K, F> {
    /// Takes over all findings of a group. Returns what is to be told at once.
    pub(crate) fn at(&mut self, group: &G, found: BTreeMap<K, F>, now: Instant) -> Vec<Report<G, K, F>> {
        let told = self.told.entry(group.clone()).or_default();
        let mut reports = Vec::new();
        for key in told.keys().filter(|key| !found.contains_key(key)) {
            let (_, kept) = self.waiting.entry((group.clone(), key.clone())).or_insert_with(|| (now + HOLD, None));
            *kept = None;
        }
        for (key, finding) in found {
            let overlap = (group.clone(), key.clone());
            match told.get(&key) {
                None => {
                    told.insert(key, finding.clone());
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
            self.told.remove(group);
        }
        reports
    }

    /// What has lasted long enough to be told by now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Report<G, K, F>> {
        let due = self.waiting.extract_if(|_, (at, _)| *at <= now);
        let due: Vec<((G, K), Waiting<F>)> = due.collect();
        let mut reports = Vec::new();
        for ((group, key), (_, finding)) in due {
            let Some(told) = self.told.get_mut(&group) else { continue };
            match finding {
                Some(finding) => {
                    told.insert(key, finding.clone());
                    reports.push(Report::Found(finding));
                }
                None => {
                    told.remove(&key);
                    if told.is_empty() {
                        self.told.remove(&group);
                    }
                    reports.push(Report::Gone(group, key));
                }
            }
        }
        reports
    }

    /// When something is due next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.waiting.values().map(|(at, _)| *at).min()
    }

    /// Whether a finding was told and not taken back.
    pub(crate) fn has_told(&self, group: &G, key: &K) -> bool {
        self.told.get(group).is_some_and(|told| told.contains_key(key))
    }

    /// All that was told and not taken back.
    pub(crate) fn told(&self) -> impl Iterator<Item = &F> {
        self.told.values().flat_map(BTreeMap::values)
    }

    /// Forgets all that concerns an agent that left. Returns what was told of it.
    pub(crate) fn forget(&mut self, concerns: impl Fn(&G, &K) -> bool) -> Vec<(G, K)> {
        self.waiting.retain(|(group, key), _| !concerns(group, key));
        let mut gone = Vec::new();
        self.told.retain(|group, told| {
            gone.extend(told.extract_if(.., |key, _| concerns(group, key)).map(|(key, _)| (group.clone(), key)));
            !told.is_empty()
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Texts = Reports<&'static str, u64, String>;

    fn one(text: &str) -> BTreeMap<u64, String> {
        BTreeMap::from([(7, text.to_owned())])
    }

    fn found(text: &str) -> Report<&'static str, u64, String> {
        Report::Found(text.to_owned())
    }

    #[test]
    fn a_new_overlap_is_told_at_once_and_a_flicker_never() {
        let (mut reports, start) = (Texts::default(), Instant::now());
        let later = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!(reports.at(&"a", one("x"), start), [found("x")]);
        assert_eq!(reports.at(&"a", one("x"), start), []);
        assert_eq!(reports.at(&"a", BTreeMap::new(), later(100)), []);
        assert_eq!(reports.at(&"a", one("x"), later(200)), []);
        assert_eq!(reports.due(later(5_000)), [], "it was back in time");
    }

    #[test]
    fn what_changes_or_vanishes_for_good_is_told_once() {
        let (mut reports, start) = (Texts::default(), Instant::now());
        let later = |milliseconds| start + Duration::from_millis(milliseconds);
        reports.at(&"a", one("x"), start);
        reports.at(&"a", one("xy"), later(100));
        reports.at(&"a", one("xyz"), later(900));
        assert_eq!(reports.next(), Some(later(1_100)), "who types on and on is told, too");
        assert_eq!(reports.due(later(1_099)), []);
        assert_eq!(reports.due(later(1_100)), [found("xyz")]);
        reports.at(&"a", BTreeMap::new(), later(2_000));
        assert_eq!(reports.due(later(3_000)), [Report::Gone("a", 7)]);
        assert_eq!(reports.due(later(9_000)), []);
        assert!(!reports.has_told(&"a", &7));
    }
}
