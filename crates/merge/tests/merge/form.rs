//! Byte-order marks, line endings, final newlines; files that are absent; what a conflict holds and how it is written.

use crate::support::{clean, conflict, conflict_of, merged};
use orchestrator_merge::{Kind, Label, Labels, Layer, Lines, Options, Outcome, Rule, Style, leave_open, merge};

#[test]
fn the_side_that_changed_the_form_decides_it() {
    for (base, ours, theirs, expected) in [
        ("a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\nb\nC\nd\n", "a\r\nb\r\nC\r\nd\r\n"),
        ("a\r\nb\r\nc\r\n", "a\nb\nc\n", "a\r\nb\r\nC\r\n", "a\nb\nC\n"),
        ("a\nb\nc\n", "\u{feff}a\nb\nc\n", "A\nb\nc\n", "\u{feff}A\nb\nc\n"),
        ("\u{feff}a\nb\nc\n", "a\nb\nc\n", "\u{feff}A\nb\nc\n", "A\nb\nc\n"),
        ("a\nb\nc", "a\nb\nc\n", "a\nb\nC", "a\nb\nC\n"),
        ("a\nb\nc\n", "a\nb\nc", "a\nb\nC\n", "a\nb\nC"),
        ("a\nb\nc\n", "a\nb\nc", "a\nb\n", "a\nb"),
        ("a\r\nb\r\nc", "a\r\nb\r\nc\r\n", "A\r\nb\r\nc", "A\r\nb\r\nc\r\n"),
        ("a\nb\nc", "\u{feff}a\r\nb\r\nc\r\n", "A\nb\nc", "\u{feff}A\r\nb\r\nc\r\n"),
        ("a", "a\r\nb\r\n", "\u{feff}a", "\u{feff}a\r\nb\r\n"),
        ("a\nb\nc\n", "a\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "a\r\nb\r\nC\r\n"),
    ] {
        for (ours, theirs) in [(ours, theirs), (theirs, ours)] {
            let text = clean(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
            assert_eq!(String::from_utf8(text).unwrap(), expected, "{base:?} {ours:?} {theirs:?}");
        }
    }
}

#[test]
fn forms_that_cannot_be_told_are_left_as_they_are() {
    // Mixed endings: lines with another ending are other lines.
    assert_eq!(clean(b"a\r\nb\nc\n", b"A\r\nb\nc\n", b"a\r\nb\nC\n"), b"A\r\nb\nC\n");
    assert_eq!(conflict(b"a\r\nb\nc\n", b"a\nb\nc\n", b"A\r\nb\nc\n").kind, Kind::Content);
    // Each side chose its own.
    for base in ["x", "x\r\ny\nz\n"] {
        assert_eq!(conflict(base.as_bytes(), b"x\ny\nz\n", b"x\r\ny\r\nz\r\n").kind, Kind::LineEndings);
    }
    // A carriage return inside a line is content.
    assert_eq!(clean(b"a\rb\nc\nd\n", b"a\rb\nc\nD\n", b"a\rB\nc\nd\n"), b"a\rB\nc\nD\n");
}

#[test]
fn absent_files_are_decided_too() {
    let (old, new, other) = (Some(&b"a\n"[..]), Some(&b"b\n"[..]), Some(&b"c\n"[..]));
    for (base, ours, theirs, expected, rule) in [
        (None, None, None, None, Rule::SameFile),
        (None, new, None, new, Rule::OnlyOurs),
        (None, None, new, new, Rule::OnlyTheirs),
        (None, new, new, new, Rule::SameFile),
        (old, None, None, None, Rule::SameFile),
        (old, old, None, None, Rule::OnlyTheirs),
        (old, None, old, None, Rule::OnlyOurs),
    ] {
        let answer = merge(base, ours, theirs, "f", &Options::default());
        assert_eq!(answer.content(), Some(expected));
        let Outcome::Clean { regions, .. } = answer else { unreachable!() };
        assert_eq!(regions.len(), 1);
        assert_eq!((regions[0].rule, regions[0].label), (rule, Label::Proven));
        assert_eq!(rule.layer(), Layer::Identity);
    }
    let both_added = conflict_of(merge(None, new, other, "f", &Options::default()));
    assert_eq!(both_added.kind, Kind::AddAdd);
    // An empty file is there.
    let left = conflict_of(merge(old, Some(b""), new, "f", &Options::default()));
    assert_eq!(left.kind, Kind::Content);
}

#[test]
fn a_clean_merge_tells_what_settled_each_region() {
    let answer = merged(b"a\nb\nc\nd\ne\nf", b"A\nb\nc\nd\nE\nf\n", b"a\nb\nX\nc\nd\nE\nf");
    let Outcome::Clean { content, regions } = answer else { panic!("{answer:?}") };
    assert_eq!(content.unwrap(), b"A\nb\nX\nc\nd\nE\nf\n");
    let found: Vec<_> = regions.iter().map(|proof| (proof.rule, proof.label, proof.base)).collect();
    let lines = |start, count| Lines { start, count };
    assert_eq!(
        found,
        [
            (Rule::FinalNewline, Label::Proven, lines(1, 6)),
            (Rule::OursChanged, Label::Verified, lines(1, 1)),
            (Rule::TheirsChanged, Label::Verified, lines(3, 0)),
            (Rule::SameChange, Label::Proven, lines(5, 1)),
        ]
    );
}

#[test]
fn a_region_is_minimal_and_knows_its_lines() {
    let left = conflict(b"a\nb\nc\nd\n", b"a\nsame\nours\nend\nd\n", b"0\na\nsame\ntheirs\n2\nend\nd\n");
    let regions: Vec<_> = left.regions().collect();
    assert_eq!(regions.len(), 1);
    let region = regions[0];
    assert_eq!((region.before.as_slice(), region.after.as_slice()), (&b"same\n"[..], &b"end\n"[..]));
    assert_eq!((region.base.lines, region.base.text.as_slice()), (Lines { start: 2, count: 2 }, &b"b\nc\n"[..]));
    assert_eq!((region.ours.lines, region.ours.text.as_slice()), (Lines { start: 3, count: 1 }, &b"ours\n"[..]));
    assert_eq!(
        (region.theirs.lines, region.theirs.text.as_slice()),
        (Lines { start: 4, count: 2 }, &b"theirs\n2\n"[..])
    );
    assert_eq!(left.resolve(|region| region.ours.text.clone()), b"0\na\nsame\nours\nend\nd\n");
    assert_eq!(left.resolve(|region| region.theirs.text.clone()), b"0\na\nsame\ntheirs\n2\nend\nd\n");
}

#[test]
fn a_conflict_is_written_in_the_form_of_the_merged_file() {
    let labels = Labels { ours: "", base: "", theirs: "t" };
    // Ours changed the line endings and a line, theirs the same line.
    let left = conflict(b"a\nb\n", b"a\r\nB\r\n", b"a\nC\n");
    let text = left.markers(Style::Diff3, &labels).unwrap();
    assert_eq!(text, b"a\r\n<<<<<<<\r\nB\r\n|||||||\r\nb\r\n=======\r\nC\r\n>>>>>>> t\r\n");
    // Ours took the final newline away.
    let left = conflict(b"a\nb\n", b"a\nB", b"a\nC\n");
    assert_eq!(left.resolve(|region| region.theirs.text.clone()), b"a\nC");
    // Not text, or deleted.
    assert_eq!(conflict(b"\0a", b"\0b", b"\0c").markers(Style::Merge, &labels), None);
    let deleted = conflict_of(merge(Some(b"a\n"), None, Some(b"b\n"), "f", &Options::default()));
    assert_eq!(deleted.markers(Style::Merge, &labels), None);
}

#[test]
fn a_merge_that_costs_too_much_is_left() {
    let with = |budget| {
        merge(
            Some(b"a\nb\nc\n"),
            Some(b"A\nb\nc\n"),
            Some(b"a\nb\nC\n"),
            "f",
            &Options { budget, ..Options::default() },
        )
    };
    assert_eq!(conflict_of(with(23)).kind, Kind::Budget { needed: 24 });
    assert!(matches!(with(24), Outcome::Clean { .. }));
    let unchanged = merge(Some(b"a\n"), Some(b"a\n"), Some(b"b\n"), "f", &Options { budget: 0, ..Options::default() });
    assert_eq!(unchanged.content(), Some(Some(&b"b\n"[..])));
}

#[test]
fn markers_are_as_long_as_asked_for() {
    let left = conflict(b"a\n", b"b\n", b"c\n");
    let labels = Labels { ours: "o", base: "b", theirs: "t" };
    let text = left.markers_of_size(Style::Diff3, &labels, 9).unwrap();
    assert_eq!(text, b"<<<<<<<<< o\nb\n||||||||| b\na\n=========\nc\n>>>>>>>>> t\n");
}

#[test]
fn what_is_only_verified_can_be_left_open() {
    let (base, ours, theirs) = (b"a\nb\nc\nd\ne\n", b"A\nb\nC\nd\ne\n", b"a\nb\nC\nd\nE\n");
    assert_eq!(clean(base, ours, theirs), b"A\nb\nC\nd\nE\n");
    let left = leave_open(Some(base), Some(ours), Some(theirs), "f");
    assert_eq!(left.kind, Kind::Content);
    let open: Vec<_> = left.regions().map(|region| region.base.lines.start).collect();
    assert_eq!(open, [1, 5]);
    assert_eq!(left.resolve(|region| region.ours.text.clone()), ours);
    assert_eq!(leave_open(None, Some(b"a\n"), Some(b"b\n"), "f").kind, Kind::AddAdd);
    assert_eq!(leave_open(Some(b"\0"), Some(b"\0a"), Some(b"\0b"), "f").kind, Kind::Binary);
}
