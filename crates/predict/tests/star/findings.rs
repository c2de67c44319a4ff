//! What is found, and what is not.

use crate::memory::{Memory, TEXT, path};
use orchestrator_predict::{Change, Finding, Kind, Mode, Path, Star, Version};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn all(star: &mut Star, memory: &Memory) -> Vec<Finding> {
    let mut paths: Vec<Path> = star.paths().cloned().collect();
    paths.sort();
    paths.iter().flat_map(|path| star.examine(path, memory).unwrap()).collect()
}

type Work<'a> = &'a [(&'a str, Option<&'a str>)];

/// The kinds found when two agents change what stands at the tip, with the number of regions.
fn between(tip: &[(&str, &str)], first: Work<'_>, second: Work<'_>) -> Vec<(String, Kind, usize)> {
    let memory = Memory::with_tip(tip);
    let mut star = Star::default();
    for (agent, work) in [(1, first), (2, second)] {
        star.update(agent, work.iter().map(|(name, text)| memory.change(name, *text)));
    }
    let found = all(&mut star, &memory).into_iter();
    found.map(|f| (String::from_utf8_lossy(&f.path).into_owned(), f.kind, f.regions.len())).collect()
}

#[test]
fn two_agents_collide_where_their_changes_do_and_nowhere_else() {
    let tip = &[("a", TEXT), ("b", TEXT)][..];
    let found = |kind, regions| vec![("a".to_owned(), kind, regions)];
    let (top, end) = (TEXT.replace("one", "ONE"), TEXT.replace("seven", "SEVEN"));
    let other_top = TEXT.replace("one", "1");
    let both = TEXT.replace("one", "I").replace("seven", "VII");
    let many = TEXT.replace("one", "eins").replace("seven", "sieben");
    let crlf = TEXT.replace('\n', "\r\n");
    let cases: [(&str, Work<'_>, Work<'_>, Vec<_>); 11] = [
        ("different files", &[("a", Some(&top))], &[("b", Some(&top))], vec![]),
        ("different lines", &[("a", Some(&top))], &[("a", Some(&end))], vec![]),
        ("the same change", &[("a", Some(&top))], &[("a", Some(&top))], vec![]),
        ("the same line", &[("a", Some(&top))], &[("a", Some(&other_top))], found(Kind::Content, 1)),
        ("two places", &[("a", Some(&both))], &[("a", Some(&many))], found(Kind::Content, 2)),
        ("deleted and changed", &[("a", None)], &[("a", Some(&top))], found(Kind::DeleteModify, 1)),
        ("both deleted", &[("a", None)], &[("a", None)], vec![]),
        ("renamed and changed", &[("a", None), ("c", Some(TEXT))], &[("a", Some(&top))], vec![]),
        (
            "renamed with an edit, and the same line changed",
            &[("a", Some(&other_top))],
            &[("a", None), ("c", Some(&top))],
            found(Kind::Rename, 1),
        ),
        ("line endings and an edit", &[("a", Some(&crlf))], &[("a", Some(&top))], found(Kind::Settles, 0)),
        (
            "a folder in place of the file",
            &[("n", Some("x"))],
            &[("n/in", Some("y"))],
            vec![("n".into(), Kind::Mode, 0)],
        ),
    ];
    for (name, first, second, expected) in cases {
        assert_eq!(between(tip, first, second), expected, "{name}");
        let mirrored: Vec<_> = between(tip, second, first);
        assert_eq!(mirrored, expected, "{name}, the other way round");
    }
    assert_eq!(between(tip, &[("n", Some("x\n"))], &[("n", Some("y\n"))]), [("n".into(), Kind::AddAdd, 1)]);
    fn moved(text: &str) -> [(&str, Option<&str>); 2] {
        [("a", None), ("c", Some(text))]
    }
    assert_eq!(between(tip, &moved(&top), &moved(&end)), [], "both renamed it alike, with edits that go together");
    assert_eq!(between(tip, &moved(&top), &moved(&other_top)), found(Kind::Rename, 1));
}

#[test]
fn halves_of_a_rename_that_are_seen_one_after_the_other_are_judged_anew() {
    let memory = Memory::with_tip(&[("a", TEXT)]);
    let (top, end) = (TEXT.replace("one", "ONE"), TEXT.replace("seven", "SEVEN"));
    let mut star = Star::default();
    star.update(1, [memory.change("a", None), memory.change("c", Some(&top))]);
    star.update(2, [memory.change("c", Some(&end))]);
    assert_eq!(star.examine(&path("c"), &memory).unwrap()[0].kind, Kind::AddAdd);
    let touched = star.update(2, [memory.change("a", None)]);
    assert!(touched.contains(&path("c")), "{touched:?}");
    assert_eq!(star.examine(&path("c"), &memory).unwrap(), []);
}

#[test]
fn regions_name_the_lines_of_both_sides() {
    let memory = Memory::with_tip(&[("a", TEXT)]);
    let mut star = Star::default();
    star.update(1, [memory.change("a", Some(&TEXT.replace("two", "2")))]);
    star.update(7, [memory.change("a", Some(&format!("zero\n{}", TEXT.replace("two", "II\nand more"))))]);
    let found = star.examine(&path("a"), &memory).unwrap();
    assert_eq!((found.len(), found[0].first, found[0].second), (1, 1, Some(7)));
    let region = &found[0].regions[0];
    assert_eq!((region.base.start, region.base.text.as_slice()), (2, &b"two\n"[..]));
    assert_eq!((region.first.start, region.first.text.as_slice()), (2, &b"2\n"[..]));
    assert_eq!((region.second.start, region.second.lines), (3, 2));
}

#[test]
fn beside_a_deletion_stand_the_lines_that_the_other_changed() {
    let memory = Memory::with_tip(&[("a", TEXT)]);
    for deleter in [1, 2] {
        let mut star = Star::default();
        star.update(deleter, [memory.change("a", None)]);
        star.update(3 - deleter, [memory.change("a", Some(&TEXT.replace("two", "2\nand more")))]);
        let found = star.examine(&path("a"), &memory).unwrap();
        let region = &found[0].regions[0];
        let (gone, left) = if deleter == 1 { (&region.first, &region.second) } else { (&region.second, &region.first) };
        assert_eq!((found[0].kind, found[0].regions.len()), (Kind::DeleteModify, 1));
        assert_eq!((region.base.start, region.base.text.as_slice(), region.base.deleted), (2, &b"two\n"[..], false));
        assert_eq!((left.start, left.text.as_slice(), left.deleted), (2, &b"2\nand more\n"[..], false));
        assert_eq!((gone.lines, gone.deleted), (0, true));
    }
}

#[test]
fn what_landed_meanwhile_is_the_third_side() {
    let mut memory = Memory::with_tip(&[("a", TEXT)]);
    let mut star = Star::default();
    let mine = memory.change("a", Some(&TEXT.replace("one", "mine")));
    let yours = memory.change("a", Some(&TEXT.replace("seven", "yours")));
    star.update(1, [mine]);
    star.update(2, [yours]);
    assert_eq!(all(&mut star, &memory), []);
    let landed = memory.file(&TEXT.replace("one", "landed"));
    memory.tip.insert(b"a".to_vec(), landed);
    let found = all(&mut star, &memory);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].first, found[0].second, found[0].kind), (1, None, Kind::Content));
}

#[test]
fn the_versions_behind_a_finding_are_those_that_were_compared() {
    let memory = Memory::with_tip(&[("a", &TEXT.replace("seven", "VII")), ("old", TEXT)]);
    let (base, version) = (memory.file(TEXT), |text: &str| Some(memory.file(text)));
    let mut star = Star::default();
    for (agent, text) in [(1, TEXT.replace("one", "ONE")), (2, TEXT.replace("one", "1"))] {
        star.update(agent, [(path("a"), Some(Change { base: Some(base), side: version(&text) }))]);
    }
    let sides = star.sides(&path("a"), 1, Some(2), &memory).unwrap().unwrap();
    let landed = TEXT.replace("seven", "VII");
    assert_eq!(sides.base, version(&landed));
    assert_eq!(sides.first.merged, version(&landed.replace("one", "ONE")), "the change is put onto the tip");
    assert_eq!(sides.first.own, version(&TEXT.replace("one", "ONE")));
    assert_eq!(sides.second.merged, version(&landed.replace("one", "1")));
    assert_eq!(star.sides(&path("a"), 1, None, &memory).unwrap(), None, "it goes onto the tip");
    assert_eq!(star.sides(&path("a"), 1, Some(3), &memory).unwrap(), None);

    star.update(1, [memory.change("old", None), memory.change("new", Some(&TEXT.replace("one", "ONE")))]);
    star.update(2, [memory.change("old", Some(&TEXT.replace("one", "1")))]);
    let sides = star.sides(&path("old"), 1, Some(2), &memory).unwrap().unwrap();
    assert_eq!((sides.first.path, sides.second.path), (path("new"), path("old")));
    assert_eq!(sides.first.own, version(&TEXT.replace("one", "ONE")));
    assert_eq!(sides.finding.kind, Kind::Rename);
}

#[test]
fn content_that_must_not_be_read_is_only_compared() {
    let memory = Memory::with_tip(&[("a", TEXT)]);
    let mut star = Star::default();
    for (agent, byte) in [(1, 1), (2, 2)] {
        let side = Some(Version { mode: Mode::File, id: [byte; 20], opaque: true });
        let base = memory.tip.get(&b"a"[..]).copied();
        star.update(agent, [(path("a"), Some(Change { base, side }))]);
    }
    let found = all(&mut star, &memory);
    assert_eq!((found.len(), found[0].kind, found[0].regions.len()), (1, Kind::Content, 0));
    assert_eq!(*memory.read.borrow(), 0);
}

#[test]
fn a_save_reads_only_what_is_shared_and_no_merge_is_made_twice() {
    let memory = Memory::with_tip(&[("a", TEXT), ("b", TEXT)]);
    let mut star = Star::default();
    star.update(1, [memory.change("a", Some("x\n")), memory.change("b", Some("x\n"))]);
    let touched = star.update(2, [memory.change("b", Some("y\n"))]);
    assert_eq!(touched.into_iter().collect::<Vec<_>>(), [path("b")]);
    star.examine(&path("b"), &memory).unwrap();
    let read = *memory.read.borrow();
    assert_eq!(read, 3);
    assert!(star.update(2, [memory.change("b", Some("y\n"))]).is_empty(), "nothing changed");
    star.examine(&path("b"), &memory).unwrap();
    assert_eq!(*memory.read.borrow(), read);
    assert_eq!(star.remove(1).len(), 2);
    assert_eq!(all(&mut star, &memory), []);
}

proptest! {
    /// Whatever is saved in whatever order, the findings are those of a star that is built anew.
    #[test]
    fn findings_follow_from_the_last_state_alone(
        saves in prop::collection::vec((1..5_u64, 0..3_usize, prop::option::of(0..6_usize)), 1..40),
    ) {
        let names = ["a", "b", "a/c"];
        let texts = [TEXT.to_owned(), TEXT.replace("one", "1"), TEXT.replace("one", "I"), TEXT.replace("six", "6"),
            "other\n".to_owned(), String::new()];
        let memory = Memory::with_tip(&[("a", TEXT), ("b", TEXT)]);
        let mut star = Star::default();
        let mut last = BTreeMap::new();
        for (agent, name, text) in saves {
            let (path, change) = memory.change(names[name], text.map(|text| texts[text].as_str()));
            let change = change.filter(|change| change.base != change.side);
            last.insert((agent, path.clone()), change);
            for path in star.update(agent, [(path, change)]) {
                star.examine(&path, &memory).unwrap();
            }
        }
        let mut anew = Star::default();
        for ((agent, path), change) in last {
            anew.update(agent, [(path, change)]);
        }
        prop_assert_eq!(all(&mut star, &memory), all(&mut anew, &memory));
    }
}
