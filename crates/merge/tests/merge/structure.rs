//! What holds for every merge of programs: random ones, with random edits of both sides.

use crate::programs::{Form, edit, edited, program};
use orchestrator_merge::{Layer, Layers, Options, Outcome, Rule, merge, verify_laws};
use orchestrator_syntax::{Language, Limits, parse};
use proptest::prelude::*;

fn answer(base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>, path: &str) -> Outcome {
    merge(base, ours, theirs, path, &Options::default())
}

/// How often each of the words stands that the program and its edits are made of.
fn words(text: &str) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn merges_of_programs_keep_the_laws(
        base in program(),
        mine in prop::collection::vec(edit(), 1..5),
        other in prop::collection::vec(edit(), 1..5),
        form in prop::sample::select(vec![Form::Python, Form::Script]),
    ) {
        lawful(&[&base, &edited(&base, &mine), &edited(&base, &other)].map(|program| form.file(program)), form)?;
    }
}

/// Which of two definitions that changed places was moved can be read in two ways, and merging the answer again read it
/// in the other one.
#[test]
fn a_moved_definition_is_no_clean_answer_where_it_does_not_stay_there() {
    let file = |functions: &[(&str, &str)]| -> String {
        functions.iter().map(|(name, body)| format!("\ndef {name}():\n    {body}\n")).collect()
    };
    let base = file(&[("f0", "pass"), ("f1", "pass"), ("f2", "pass")]);
    let renamed = file(&[("f0", "c0()"), ("g1", "pass"), ("f2", "pass")]);
    let swapped = file(&[("f1", "pass"), ("f0", "pass"), ("f2", "pass")]);
    let found = lawful(&[base, renamed, swapped], Form::Python).unwrap().unwrap();
    assert!(!matches!(found, Outcome::Clean { .. }), "{found:?}");
}

pub(crate) fn answer_by_lines(base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>, path: &str) -> bool {
    let options = Options { layers: Layers::LINES, ..Options::default() };
    matches!(merge(base, ours, theirs, path, &options), Outcome::Clean { .. })
}

/// The answer for a base and its versions, which keeps the laws; `None` where a version is no program.
pub(crate) fn lawful(texts: &[String; 3], form: Form) -> Result<Option<Outcome>, TestCaseError> {
    let [base, ours, theirs] = texts.each_ref().map(|text| Some(text.as_bytes()));
    let path = form.path();
    let language = Language::of_path(path).unwrap();
    let is_sound = |text: &[u8]| parse(language, text, Limits::default()).is_ok_and(|file| file.is_sound());
    if !texts.iter().all(|text| is_sound(text.as_bytes())) {
        return Ok(None);
    }
    let found = answer(base, ours, theirs, path);
    let swapped = answer(base, theirs, ours, path);
    let is_by_lines = answer_by_lines(base, ours, theirs, path);
    match &found {
        Outcome::Clean { content: Some(content), regions } => {
            prop_assert!(
                regions.iter().all(|proof| !matches!(proof.rule, Rule::Wrapped | Rule::Renamed)),
                "{:?}",
                regions
            );
            prop_assert_eq!(swapped.content(), found.content());
            if !is_by_lines {
                if regions.iter().any(|proof| proof.rule == Rule::Moved) {
                    let again =
                        |base: Option<&[u8]>, one: Option<&[u8]>, two: Option<&[u8]>| answer(base, one, two, path);
                    prop_assert_eq!(verify_laws(base, ours, theirs, Some(content), again), Ok(()));
                }
                prop_assert!(is_sound(content), "{}", String::from_utf8_lossy(content));
                // Nothing that neither wrote, and nothing that both wrote is gone.
                let merged = words(&String::from_utf8_lossy(content));
                let [_, ours, theirs] = texts.each_ref().map(|text| words(text));
                for (word, count) in &merged {
                    let most =
                        ours.get(word).copied().unwrap_or_default() + theirs.get(word).copied().unwrap_or_default();
                    prop_assert!(*count <= most, "{}", word);
                }
            }
        }
        Outcome::Candidates { candidates, .. } => {
            let Outcome::Candidates { candidates: others, .. } = &swapped else { panic!("{swapped:?}") };
            let contents =
                |all: &[orchestrator_merge::Candidate]| all.iter().map(|one| one.content.clone()).collect::<Vec<_>>();
            prop_assert_eq!(contents(candidates), contents(others));
            prop_assert!(!candidates.is_empty() && candidates.len() <= 4);
            for candidate in candidates {
                prop_assert!(is_sound(&candidate.content), "{}", String::from_utf8_lossy(&candidate.content));
            }
        }
        Outcome::Conflict(_) => prop_assert!(matches!(swapped, Outcome::Conflict(_))),
        _ => prop_assert!(false, "{:?}", found),
    }
    Ok(Some(found))
}

/// More in the long run.
pub(crate) fn cases() -> u32 {
    std::env::var("ORCHESTRATOR_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
}

#[test]
fn a_layer_that_is_switched_off_settles_nothing() {
    let file = |names: &str| format!("from shop import {names}\n\nprint(a, c)\n");
    let [base, ours, theirs] = ["a, c", "a, b, c", "a, c, d"].map(file);
    let merged = |layers: Layers| {
        let options = Options { layers, ..Options::default() };
        let found = merge(Some(base.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()), "a.py", &options);
        found.content().flatten().map(|text| String::from_utf8(text.to_vec()).unwrap())
    };
    let right = Some(file("a, b, c, d"));
    assert_eq!(merged(Layers::ALL), right);
    assert_eq!(merged(Layers::ALL.without(Layer::Structure).without(Layer::Sets)), right);
    assert_eq!(merged(Layers::ALL.without(Layer::Regions)), None);
    assert_eq!(merged(Layers::LINES), None);
}

#[test]
fn what_nests_too_deep_is_left() {
    let nested = |names: &str| format!("x = {}{names}{};\n", "[".repeat(150), "]".repeat(150));
    let [base, ours, theirs] = ["a, b, c", "a, B, c", "a, b, c, d"].map(nested);
    let found = answer(Some(base.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()), "a.js");
    let Outcome::Conflict(left) = found else { panic!("{found:?}") };
    assert_eq!(left.why, Some(orchestrator_merge::Why::Budget));
}
