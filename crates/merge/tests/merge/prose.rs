//! What holds for every merge of change logs: random ones, with random edits of both sides.

use crate::structure::cases;
use orchestrator_merge::{Layer, Layers, Options, Outcome, merge, verify_laws};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Versions with the numbers of their entries.
type Log = Vec<(u8, Vec<u16>)>;

fn entry(number: u16) -> String {
    // Some go on in a second line.
    if number.is_multiple_of(3) {
        format!("- entry {number}\n  goes on with {number}\n")
    } else {
        format!("- entry {number} (#{number})\n")
    }
}

fn written(log: &Log, is_markdown: bool) -> String {
    let mut text =
        if is_markdown { "# Changes\n\nAll of them.\n" } else { "Changes\n=======\n\nAll of them.\n" }.to_owned();
    for (version, entries) in log {
        text += &if is_markdown {
            format!("\n## 1.{version}\n\n")
        } else {
            format!("\n\nVersion 1.{version}\n-----------\n\n")
        };
        for number in entries {
            text += &entry(*number);
        }
    }
    text
}

#[derive(Debug, Clone)]
enum Edit {
    Version(u8, Vec<u16>),
    Entry(usize, usize, u16),
    Remove(usize, usize),
    Change(usize, usize, u16),
}

fn edits(numbers: std::ops::Range<u16>) -> impl Strategy<Value = Vec<Edit>> {
    let numbers = move || numbers.clone();
    prop::collection::vec(
        prop_oneof![
            2 => (6..12_u8, prop::collection::vec(numbers(), 1..3)).prop_map(|(version, new)| Edit::Version(version, new)),
            4 => (0..3_usize, 0..4_usize, numbers()).prop_map(|(at, place, new)| Edit::Entry(at, place, new)),
            1 => (0..3_usize, 0..4_usize).prop_map(|(at, place)| Edit::Remove(at, place)),
            1 => (0..3_usize, 0..4_usize, numbers()).prop_map(|(at, place, new)| Edit::Change(at, place, new)),
        ],
        1..4,
    )
}

fn edited(log: &Log, edits: &[Edit]) -> Log {
    let mut log = log.clone();
    let mut used: BTreeSet<u16> = log.iter().flat_map(|(_, entries)| entries).copied().collect();
    for edit in edits {
        match edit.clone() {
            Edit::Version(version, entries) if log.iter().all(|(other, _)| *other != version) => {
                let entries: Vec<_> = entries.into_iter().filter(|number| used.insert(*number)).collect();
                let at = log.iter().take_while(|(other, _)| *other > version).count();
                log.insert(at, (version, entries));
            }
            Edit::Entry(at, place, number) if used.insert(number) => {
                if let Some((_, entries)) = log.get_mut(at) {
                    entries.insert(place.min(entries.len()), number);
                }
            }
            Edit::Remove(at, place) => {
                if let Some((_, entries)) = log.get_mut(at).filter(|(_, entries)| place < entries.len()) {
                    entries.remove(place);
                }
            }
            Edit::Change(at, place, number) if used.insert(number) => {
                if let Some(old) = log.get_mut(at).and_then(|(_, entries)| entries.get_mut(place)) {
                    *old = number;
                }
            }
            _ => {}
        }
    }
    log
}

/// The entries of a text by version, as a set; `None` where one stands twice.
fn told(text: &str) -> Option<BTreeSet<(String, String)>> {
    let (mut version, mut found) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        if line.contains("1.") {
            version = line.trim_matches(|c: char| !c.is_ascii_digit()).to_owned();
        } else if line.starts_with("- ") && !found.insert((version.clone(), line.to_owned())) {
            return None;
        }
    }
    Some(found)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn merges_of_change_logs_lose_and_double_no_entry(
        base in prop::collection::vec(prop::collection::btree_set(0..30_u16, 0..4), 3),
        mine in edits(100..130),
        other in edits(120..150),
        is_markdown in any::<bool>(),
    ) {
        let mut used = BTreeSet::new();
        let entries = |set: BTreeSet<u16>| set.into_iter().filter(|number| used.insert(*number)).collect();
        let base: Log = [5, 4, 2].into_iter().zip(base.into_iter().map(entries)).collect();
        let texts = [base.clone(), edited(&base, &mine), edited(&base, &other)].map(|log| written(&log, is_markdown));
        let [base, ours, theirs] = texts.each_ref().map(|text| Some(text.as_bytes()));
        let path = if is_markdown { "CHANGELOG.md" } else { "docs/changes.rst" };
        let answer = |base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>| {
            merge(base, ours, theirs, path, &Options::default())
        };
        let found = answer(base, ours, theirs);
        let by_lines = Options { layers: Layers::ALL.without(Layer::Sets), ..Options::default() };
        let is_by_lines = matches!(merge(base, ours, theirs, path, &by_lines), Outcome::Clean { .. });
        if let (Outcome::Clean { content: Some(content), .. }, false) = (&found, is_by_lines) {
            let merged = told(std::str::from_utf8(content).unwrap());
            let [before, mine, other] = texts.each_ref().map(|text| told(text).unwrap());
            let kept = mine.intersection(&other).cloned();
            let added = mine.symmetric_difference(&other).filter(|entry| !before.contains(*entry)).cloned();
            prop_assert_eq!(merged, Some(kept.chain(added).collect::<BTreeSet<_>>()));
            let laws = verify_laws(base, ours, theirs, Some(content), answer);
            prop_assert!(laws.is_ok(), "{:?}\n{}", laws, String::from_utf8_lossy(content));
        } else {
            let swapped = answer(base, theirs, ours);
            prop_assert_eq!(std::mem::discriminant(&swapped), std::mem::discriminant(&found));
        }
    }
}
