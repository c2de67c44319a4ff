//! What holds for every merge.

use crate::support::{clean, distinct_versions, merged, repetitive, text, three};
use orchestrator_merge::{
    Choice, Conflict, Kind, Labels, Options, Outcome, Piece, Proof, Refusal, Region, Rule, Side, Style, Unsettled,
    merge, settle, verify, verify_laws,
};
use proptest::prelude::*;

/// Anything at all, with the bytes that matter to us more often than others.
fn anything() -> impl Strategy<Value = Option<Vec<u8>>> {
    let byte = prop_oneof![
        6 => prop::sample::select(b"ab\n\n\n\r".to_vec()),
        1 => any::<u8>(),
    ];
    let bytes = prop::collection::vec(byte, 0..24);
    let marked = bytes.clone().prop_map(|bytes| [b"\xEF\xBB\xBF", &bytes[..]].concat());
    let crlf = repetitive().prop_map(|text| String::from_utf8(text).unwrap().replace('\n', "\r\n").into_bytes());
    let cut = repetitive().prop_map(|mut text| {
        text.pop();
        text
    });
    prop::option::weighted(0.9, prop_oneof![bytes, marked, crlf, cut, repetitive()])
}

fn answer(base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>) -> Outcome {
    merge(base, ours, theirs, "f", &Options::default())
}

/// The answer with the sides swapped.
fn mirrored(answer: Outcome) -> Outcome {
    match answer {
        Outcome::Clean { content, regions } => {
            Outcome::Clean { content, regions: regions.into_iter().map(mirrored_proof).collect() }
        }
        Outcome::Conflict(Conflict { kind, pieces, why }) => {
            let kind = match kind {
                Kind::DeleteModify { deleted: Side::Ours } => Kind::DeleteModify { deleted: Side::Theirs },
                Kind::DeleteModify { deleted: Side::Theirs } => Kind::DeleteModify { deleted: Side::Ours },
                other => other,
            };
            let mirror = |piece| match piece {
                Piece::Settled { text, proof } => Piece::Settled { text, proof: proof.map(mirrored_proof) },
                Piece::Open(region) => Piece::Open(Region { ours: region.theirs, theirs: region.ours, ..region }),
            };
            Outcome::Conflict(Conflict { kind, pieces: pieces.into_iter().map(mirror).collect(), why })
        }
        other => other,
    }
}

fn mirrored_proof(proof: Proof) -> Proof {
    let rule = match proof.rule {
        Rule::OnlyOurs => Rule::OnlyTheirs,
        Rule::OnlyTheirs => Rule::OnlyOurs,
        Rule::OursChanged => Rule::TheirsChanged,
        Rule::TheirsChanged => Rule::OursChanged,
        other => other,
    };
    Proof { rule, ours: proof.theirs, theirs: proof.ours, ..proof }
}

const LABELS: Labels<'_> = Labels { ours: "o", base: "b", theirs: "t" };

/// A file with markers, with one side taken everywhere.
fn taken(file: &[u8], side: Side) -> Vec<u8> {
    let mut taken = Vec::new();
    let mut within = None;
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        match line {
            b"<<<<<<< o\n" => within = Some(Some(Side::Ours)),
            b"||||||| b\n" => within = Some(None),
            b"=======\n" => within = Some(Some(Side::Theirs)),
            b">>>>>>> t\n" => within = None,
            line if within.is_none_or(|within| within == Some(side)) => taken.extend_from_slice(line),
            _ => {}
        }
    }
    taken
}

proptest! {
    #[test]
    fn a_side_that_changed_nothing_yields(base in anything(), x in anything()) {
        let (base, x) = (base.as_deref(), x.as_deref());
        for yielding in [answer(base, x, base), answer(base, base, x), answer(base, x, x)] {
            prop_assert_eq!(yielding.content(), Some(x));
        }
    }

    #[test]
    fn swapping_the_sides_swaps_the_answer(base in anything(), ours in anything(), theirs in anything()) {
        let (base, ours, theirs) = (base.as_deref(), ours.as_deref(), theirs.as_deref());
        prop_assert_eq!(mirrored(answer(base, ours, theirs)), answer(base, theirs, ours));
    }

    #[test]
    fn swapping_the_sides_swaps_the_answer_for_edited_files([base, ours, theirs] in three()) {
        prop_assert_eq!(mirrored(merged(&base, &ours, &theirs)), merged(&base, &theirs, &ours));
    }

    #[test]
    fn a_clean_answer_passes_the_verifier(
        base in anything(), ours in anything(), theirs in anything(), [b, o, t] in three(),
    ) {
        for (base, ours, theirs) in
            [(base.as_deref(), ours.as_deref(), theirs.as_deref()), (Some(&b[..]), Some(&o[..]), Some(&t[..]))]
        {
            if let Some(result) = answer(base, ours, theirs).content() {
                prop_assert_eq!(verify(base, ours, theirs, result, "f"), Ok(()));
            }
        }
    }

    /// Where no line stands twice. Equal lines may be paired otherwise when the result is merged again.
    #[test]
    fn merging_the_result_with_a_side_again_changes_nothing([base, ours, theirs] in distinct_versions()) {
        let (base, ours, theirs) = (Some(&base[..]), Some(&ours[..]), Some(&theirs[..]));
        let first = answer(base, ours, theirs);
        if let Some(result) = first.content() {
            prop_assert_eq!(verify_laws(base, ours, theirs, result, answer), Ok(()));
            for side in [ours, theirs] {
                for again in [answer(base, result, side), answer(base, side, result)] {
                    prop_assert_eq!(again.content(), Some(result));
                }
            }
        }
    }

    #[test]
    fn the_verifier_refuses_no_line_merge_but_what_stands_twice_or_came_back([base, ours, theirs] in three()) {
        if let Outcome::Conflict(Conflict { kind: Kind::Refused(refusal), .. }) = merged(&base, &ours, &theirs) {
            let known = matches!(refusal, Refusal::Twice { .. } | Refusal::DeletionUndone { .. });
            prop_assert!(known, "{refusal}");
        }
    }

    #[test]
    fn branches_that_do_not_overlap_merge_in_any_order(
        edits in prop::collection::vec(prop::option::of(0..3_usize), 1..8),
        order in any::<prop::sample::Index>(),
    ) {
        // Every branch edits its own third line.
        let base: Vec<String> = (0..3 * edits.len() + 1).map(|n| format!("line {n}\n")).collect();
        let branch = |(at, edit): (usize, &Option<usize>)| {
            let mut lines = base.clone();
            if let Some(count) = edit {
                lines[3 * at + 1] = (0..*count).map(|n| format!("branch {at} {n}\n")).collect();
            }
            text(&lines)
        };
        let branches: Vec<Vec<u8>> = edits.iter().enumerate().map(branch).collect();
        let base = text(&base);
        let fold = |branches: &[Vec<u8>]| {
            branches.iter().fold(base.clone(), |merged, branch| clean(&base, &merged, branch))
        };
        let expected = fold(&branches);
        let mut other = branches.clone();
        other.rotate_left(order.index(branches.len()));
        prop_assert_eq!(&fold(&other), &expected);
        other.reverse();
        prop_assert_eq!(&fold(&other), &expected);
    }

    #[test]
    fn a_conflict_resolved_by_one_side_is_that_side_plus_what_the_other_alone_changed([base, ours, theirs] in three()) {
        if let Outcome::Conflict(conflict) = merged(&base, &ours, &theirs) {
            let resolved = conflict.resolve(|region| region.ours.text.clone());
            // Ours with the changes that only theirs made: pieces that theirs settled, put over ours.
            let lines: Vec<&[u8]> = ours.split_inclusive(|byte| *byte == b'\n').collect();
            let (mut expected, mut done) = (Vec::new(), 0);
            for piece in &conflict.pieces {
                if let Piece::Settled { text, proof: Some(Proof { rule: Rule::TheirsChanged, ours: at, .. }) } = piece {
                    expected.extend(lines[done..at.start - 1].concat());
                    expected.extend_from_slice(text);
                    done = at.start - 1 + at.count;
                }
            }
            expected.extend(lines[done..].concat());
            prop_assert_eq!(resolved, expected);
        }
    }

    #[test]
    fn a_choice_settles_every_conflict_of_lines([base, ours, theirs] in distinct_versions()) {
        let is_refused = matches!(merged(&base, &ours, &theirs), Outcome::Conflict(Conflict { kind: Kind::Refused(_), .. }));
        for choice in [Choice::Ours, Choice::Theirs, Choice::Union] {
            let settled = settle(Some(&base), &ours, &theirs, "f", choice, &Options::default());
            prop_assert_eq!(settled.is_err(), is_refused, "{:?}", settled);
        }
    }

    #[test]
    fn swapping_the_sides_swaps_the_choice(base in anything(), ours in anything(), theirs in anything()) {
        if let (Some(ours), Some(theirs)) = (ours, theirs) {
            let [one, two] = [(&ours, &theirs, Choice::Ours), (&theirs, &ours, Choice::Theirs)].map(
                |(ours, theirs, choice)| settle(base.as_deref(), ours, theirs, "f", choice, &Options::default()),
            );
            let kind = |unsettled: Unsettled| std::mem::discriminant(&unsettled);
            prop_assert_eq!(one.map_err(kind), two.map_err(kind));
        }
    }

    #[test]
    fn a_file_with_markers_holds_both_sides_whole([base, ours, theirs] in three()) {
        if let Outcome::Conflict(conflict) = merged(&base, &ours, &theirs) {
            for style in [Style::Merge, Style::Diff3, Style::Zdiff3] {
                let file = conflict.markers(style, &LABELS).unwrap();
                prop_assert_eq!(taken(&file, Side::Ours), conflict.resolve(|region| region.ours.text.clone()));
                prop_assert_eq!(taken(&file, Side::Theirs), conflict.resolve(|region| region.theirs.text.clone()));
            }
        }
    }

    #[test]
    fn any_conflict_can_be_written(base in anything(), ours in anything(), theirs in anything()) {
        if let Outcome::Conflict(conflict) = answer(base.as_deref(), ours.as_deref(), theirs.as_deref()) {
            let marked = !matches!(conflict.kind, Kind::Binary | Kind::DeleteModify { .. });
            for style in [Style::Merge, Style::Diff3, Style::Zdiff3] {
                prop_assert_eq!(conflict.markers(style, &LABELS).is_some(), marked);
            }
        }
    }

    #[test]
    fn every_region_says_where_its_text_stands([base, ours, theirs] in three()) {
        if let Outcome::Conflict(conflict) = merged(&base, &ours, &theirs) {
            for region in conflict.regions() {
                prop_assert!(region.ours.text != region.theirs.text || matches!(conflict.kind, Kind::Refused(_)));
                for (file, part) in [(&base, &region.base), (&ours, &region.ours), (&theirs, &region.theirs)] {
                    let lines = file.split_inclusive(|byte| *byte == b'\n').skip(part.lines.start - 1);
                    let found = lines.take(part.lines.count).collect::<Vec<_>>().concat();
                    prop_assert_eq!(&found, &part.text);
                }
            }
        }
    }
}
