//! What the tests share: shorter calls, and files to merge.

use orchestrator_merge::{Conflict, Options, Outcome, Refusal, merge, verify};
use proptest::prelude::*;

/// Merges three texts that are there.
pub(crate) fn merged(base: &[u8], ours: &[u8], theirs: &[u8]) -> Outcome {
    merge(Some(base), Some(ours), Some(theirs), "file.txt", &Options::default())
}

/// The content of a clean merge.
pub(crate) fn clean(base: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<u8> {
    let answer = merged(base, ours, theirs);
    answer.content().unwrap_or_else(|| panic!("not clean: {answer:?}")).unwrap().to_vec()
}

/// A merge that is not clean.
pub(crate) fn conflict(base: &[u8], ours: &[u8], theirs: &[u8]) -> Conflict {
    conflict_of(merged(base, ours, theirs))
}

/// The conflict in an answer.
pub(crate) fn conflict_of(answer: Outcome) -> Conflict {
    match answer {
        Outcome::Conflict(conflict) => conflict,
        other => panic!("no conflict: {other:?}"),
    }
}

/// What the verifier has against a result.
pub(crate) fn refusal(base: &str, ours: &str, theirs: &str, result: &str) -> Refusal {
    let [base, ours, theirs, result] = [base, ours, theirs, result].map(|text| Some(text.as_bytes()));
    let one = verify(base, ours, theirs, result, "file.txt").unwrap_err();
    let other = verify(base, theirs, ours, result, "file.txt").unwrap_err();
    assert_eq!(std::mem::discriminant(&one), std::mem::discriminant(&other), "{one} / {other}");
    one
}

/// Lines that differ from each other, as a text.
pub(crate) fn text(lines: &[String]) -> Vec<u8> {
    lines.concat().into_bytes()
}

/// A few lines of a small alphabet, many of them equal: the hardest to align.
pub(crate) fn repetitive() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec!["a\n", "b\n", "c\n", "}\n", "\n"]), 0..12)
        .prop_map(|lines| lines.concat().into_bytes())
}

/// One edit of a list of lines: at a place, how many lines go, how many new ones come.
#[derive(Debug, Clone)]
struct Edit {
    at: usize,
    gone: usize,
    new: Vec<u8>,
}

/// Edits that leave most of a file as it is.
fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (0..40_usize, 0..4_usize, prop::collection::vec(0..12_u8, 0..4));
    prop::collection::vec(edit.prop_map(|(at, gone, new)| Edit { at, gone, new }), 0..4)
}

/// Lines as source code has them: most once, some often.
fn source() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(0..60_u8, 0..40).prop_map(|lines| lines.into_iter().map(line).collect())
}

fn line(n: u8) -> String {
    match n {
        0..5 => "}\n".to_owned(),
        5..9 => "\n".to_owned(),
        9 | 10 => "    return None\n".to_owned(),
        n => format!("line {n}\n"),
    }
}

/// The lines after some edits.
fn edited(lines: &[String], edits: &[Edit]) -> Vec<String> {
    let mut lines = lines.to_vec();
    for edit in edits {
        let at = edit.at.min(lines.len());
        let end = (at + edit.gone).min(lines.len());
        lines.splice(at..end, edit.new.iter().map(|n| line(*n + 4 + 5 * (n % 2) * 10)));
    }
    lines
}

/// A base and two edited versions of it.
pub(crate) fn edited_versions() -> impl Strategy<Value = [Vec<u8>; 3]> {
    (source(), edits(), edits())
        .prop_map(|(base, ours, theirs)| [text(&base), text(&edited(&base, &ours)), text(&edited(&base, &theirs))])
}

/// A base in which no line stands twice, and two versions of it whose new lines are their own.
pub(crate) fn distinct_versions() -> impl Strategy<Value = [Vec<u8>; 3]> {
    (1..30_usize, edits(), edits()).prop_map(|(lines, ours, theirs)| {
        let base: Vec<String> = (0..lines).map(|n| format!("line {n}\n")).collect();
        let side = |edits: &[Edit], name: &str| {
            let mut lines = base.clone();
            for (n, edit) in edits.iter().enumerate() {
                let at = edit.at.min(lines.len());
                let end = (at + edit.gone).min(lines.len());
                lines.splice(at..end, (0..edit.new.len()).map(|m| format!("{name} {n} {m}\n")));
            }
            text(&lines)
        };
        [text(&base), side(&ours, "ours"), side(&theirs, "theirs")]
    })
}

/// Three files, related or not.
pub(crate) fn three() -> impl Strategy<Value = [Vec<u8>; 3]> {
    prop_oneof![edited_versions(), [repetitive(), repetitive(), repetitive()]]
}
