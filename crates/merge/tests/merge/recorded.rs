//! Recorded resolutions: where they apply, where they are only proposed, and where they must not even be that.

use crate::support::{distinct_versions, three};
use orchestrator_merge::{
    Conflict, Edit, Key, Label, Layer, Layers, Options, Outcome, Place, Recorded, Recording, Recordings, Rule, Step,
    Version, Why, learn, merge, verify_laws,
};
use proptest::prelude::*;

/// A module with one function, and a last line that says which file it is.
fn module(function: &str, line: &str) -> String {
    format!("import os\n\n\ndef {function}(path):\n    check(path)\n    {line}\n    close(path)\n\n\nlast = 1\n")
}

/// Three versions of a module in which both sides changed one line.
fn versions(function: &str) -> [String; 3] {
    ["mode = 1", "mode = 2", "mode = 3"].map(|line| module(function, line))
}

fn learnt([base, ours, theirs]: &[String; 3], path: &str, resolved: &str) -> Recording {
    let found = learn(Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes(), path, resolved.as_bytes());
    let [Some(recording)] = &found[..] else { panic!("{found:?}") };
    recording.clone()
}

fn merged([base, ours, theirs]: &[String; 3], path: &str, recorded: &dyn Recorded) -> Outcome {
    let options = Options { recorded: Some(recorded), ..Options::default() };
    let [base, ours, theirs] = [base, ours, theirs].map(|text| Some(text.as_bytes()));
    let outcome = merge(base, ours, theirs, path, &options);
    let swapped = merge(base, theirs, ours, path, &options);
    assert_eq!(texts(&outcome), texts(&swapped), "swapping the sides changes the answer");
    if let Outcome::Clean { content, .. } = &outcome {
        let again =
            |base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>| merge(base, ours, theirs, path, &options);
        assert_eq!(verify_laws(base, ours, theirs, content.as_deref(), again), Ok(()));
    }
    outcome
}

/// Whether it is clean, and all answers.
fn texts(outcome: &Outcome) -> (bool, Vec<String>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match outcome {
        Outcome::Clean { content, .. } => (true, content.iter().map(|content| text(content)).collect()),
        Outcome::Candidates { candidates, .. } => {
            (false, candidates.iter().map(|candidate| text(&candidate.content)).collect())
        }
        _ => (false, Vec::new()),
    }
}

fn rules(outcome: &Outcome) -> Vec<(Rule, Label)> {
    let Outcome::Clean { regions, .. } = outcome else { panic!("not clean: {outcome:?}") };
    regions.iter().map(|proof| (proof.rule, proof.label)).collect()
}

fn store(recordings: impl IntoIterator<Item = Recording>) -> Recordings {
    recordings.into_iter().collect()
}

#[test]
fn what_was_recorded_settles_the_same_conflict_and_says_so() {
    let versions = versions("load");
    let own = module("load", "mode = 3");
    let found = learnt(&versions, "a.py", &own);
    assert_eq!(found.key.place, Place::Entities(vec!["load".to_owned()]));
    assert!(!found.edit.has_typed());
    let recorded = store([found]);
    let outcome = merged(&versions, "a.py", &recorded);
    assert_eq!(texts(&outcome), (true, vec![own]));
    assert_eq!(rules(&outcome), [(Rule::Recorded, Label::Recorded)]);
    // Lines that neither side wrote have a rule of their own.
    let typed = module("load", "mode = both(2, 3)");
    let outcome = merged(&versions, "a.py", &store([learnt(&versions, "a.py", &typed)]));
    assert_eq!(texts(&outcome), (true, vec![typed]));
    assert_eq!(rules(&outcome), [(Rule::RecordedText, Label::Recorded)]);
    // The layer can be switched off.
    let options =
        Options { layers: Layers::ALL.without(Layer::Recorded), recorded: Some(&recorded), ..Options::default() };
    let [base, ours, theirs] = versions.each_ref().map(|text| Some(text.as_bytes()));
    assert!(matches!(merge(base, ours, theirs, "a.py", &options), Outcome::Conflict(_)));
}

#[test]
fn a_recorded_resolution_is_not_replayed_elsewhere() {
    let recorded = store([learnt(&versions("load"), "a.py", &module("load", "mode = both(2, 3)"))]);
    // The same lines in another function or file are proposed, and no more.
    for (function, path) in [("save", "a.py"), ("load", "b.py")] {
        let answer = texts(&merged(&versions(function), path, &recorded));
        assert_eq!(answer, (false, vec![module(function, "mode = both(2, 3)")]), "{function} {path}");
    }
    // In another language they are something else.
    for path in ["a.rb", "a.txt", "a.toml"] {
        assert!(matches!(merged(&versions("load"), path, &recorded), Outcome::Conflict(_)), "{path}");
    }
    // Outside of all entities the lines around say where it is.
    let section = |name: &str, number: &str| format!("[{name}]\nkind = x\nversion = {number}\n");
    let ini = |numbers: [&str; 2]| section("one", numbers[0]) + &section("two", numbers[1]);
    let (first, second) =
        ([["1", "1"], ["2", "1"], ["3", "1"]].map(ini), [["1", "1"], ["1", "2"], ["1", "3"]].map(ini));
    let recorded = store([learnt(&first, "a.ini", &ini(["4", "1"]))]);
    assert_eq!(texts(&merged(&first, "a.ini", &recorded)), (true, vec![ini(["4", "1"])]));
    assert_eq!(texts(&merged(&second, "a.ini", &recorded)), (false, vec![ini(["1", "4"])]));
}

#[test]
fn overloads_are_two_entities() {
    let class = |first: &str, second: &str| {
        let method =
            |parameter: &str, line: &str| format!("  int f({parameter} x) {{\n    {line}\n    return 1;\n  }}\n");
        format!("class A {{\n{}{}}}\n", method("int", first), method("long", second))
    };
    let first = ["a = 1;", "a = 2;", "a = 3;"].map(|line| class(line, "a = 1;"));
    let second = ["a = 1;", "a = 2;", "a = 3;"].map(|line| class("a = 1;", line));
    let recorded = store([learnt(&first, "A.java", &class("a = 9;", "a = 1;"))]);
    assert_eq!(texts(&merged(&first, "A.java", &recorded)), (true, vec![class("a = 9;", "a = 1;")]));
    assert_eq!(texts(&merged(&second, "A.java", &recorded)), (false, vec![class("a = 1;", "a = 9;")]));
}

#[test]
fn indentation_and_line_endings_do_not_matter() {
    let recorded = store([learnt(&versions("load"), "a.py", &module("load", "mode = both(2, 3)"))]);
    let deeper = |text: &String| {
        let text = text.replace("    mode", "    if path:\n        mode");
        text.replace('\n', "\r\n")
    };
    let expected = deeper(&module("load", "mode = both(2, 3)"));
    let outcome = merged(&versions("load").each_ref().map(deeper), "a.py", &recorded);
    assert_eq!(texts(&outcome), (true, vec![expected]));
}

#[test]
fn two_answers_for_one_key_are_proposed_until_one_is_forgotten() {
    let versions = versions("load");
    let (one, two) = (module("load", "mode = 2"), module("load", "mode = 23"));
    let [first, second] = [&one, &two].map(|text| learnt(&versions, "a.py", text));
    let mut recorded = store([first.clone(), second.clone(), second.clone()]);
    assert_eq!(recorded.iter().count(), 2);
    let (is_clean, answers) = texts(&merged(&versions, "a.py", &recorded));
    assert!(!is_clean && answers.len() == 2 && answers.contains(&one) && answers.contains(&two), "{answers:?}");
    assert!(recorded.forget(&second) && !recorded.forget(&second));
    assert_eq!(texts(&merged(&versions, "a.py", &recorded)), (true, vec![one]));
    assert!(recorded.forget(&first));
    assert_eq!(recorded, Recordings::default());
    assert!(matches!(merged(&versions, "a.py", &recorded), Outcome::Conflict(_)));
}

#[test]
fn lines_of_one_shape_in_the_same_file_are_proposed_for() {
    let of = |lines: [&str; 3]| lines.map(|line| module("load", line));
    let recorded = store([learnt(&of(["v = 1", "v = 2", "v = (3)"]), "a.py", &module("load", "v = (3)"))]);
    let later = of(["w = 7", "w = (8)", "w = 9"]);
    assert_eq!(texts(&merged(&later, "a.py", &recorded)), (false, vec![module("load", "w = (8)")]));
    assert!(matches!(merged(&later, "b.py", &recorded), Outcome::Conflict(_)));
    // What was typed for other words is not.
    let recorded = store([learnt(&of(["v = 1", "v = 2", "v = (3)"]), "a.py", &module("load", "v = 5"))]);
    assert!(matches!(merged(&later, "a.py", &recorded), Outcome::Conflict(_)));
    // Of two sides of one shape nobody knows which is which.
    let recorded = store([learnt(&of(["v = 1", "v = 2", "v = 3"]), "a.py", &module("load", "v = 3"))]);
    let (is_clean, mut answers) = texts(&merged(&of(["w = 7", "w = 8", "w = 9"]), "a.py", &recorded));
    answers.sort();
    assert_eq!((is_clean, answers), (false, vec![module("load", "w = 8"), module("load", "w = 9")]));
}

/// Two functions with a line each.
fn two_functions(first: &str, second: &str) -> String {
    format!("def f():\n    {first}\n    return 1\n\n\ndef g():\n    {second}\n    return 2\n")
}

#[test]
fn the_other_layers_settle_the_rest() {
    let call = ["call(a=1, b=1)", "call(a=2, b=1)", "call(a=1, b=2)"];
    let mode = ["mode = 1", "mode = 2", "mode = 3"];
    let all = [0, 1, 2].map(|at| two_functions(mode[at], call[at]));
    let one = mode.map(|line| two_functions(line, call[0]));
    let recorded = store([learnt(&one, "a.py", &two_functions("mode = 9", call[0]))]);
    let outcome = merged(&all, "a.py", &recorded);
    assert_eq!(texts(&outcome), (true, vec![two_functions("mode = 9", "call(a=2, b=2)")]));
    let settled = rules(&outcome);
    assert!(settled.contains(&(Rule::RecordedText, Label::Recorded)), "{settled:?}");
    assert!(settled.iter().any(|(rule, _)| rule.layer() == Layer::Regions), "{settled:?}");
}

#[test]
fn what_nobody_settled_stays_open_beside_what_was_recorded() {
    let mode = ["mode = 1", "mode = 2", "mode = 3"];
    let all = mode.map(|line| two_functions(line, line));
    let one = mode.map(|line| two_functions(line, mode[0]));
    let recorded = store([learnt(&one, "a.py", &two_functions("mode = 9", mode[0]))]);
    let options = Options { recorded: Some(&recorded), ..Options::default() };
    let [base, ours, theirs] = all.each_ref().map(|text| Some(text.as_bytes()));
    // The same text in the other function is proposed, so that there is a candidate, too.
    let Outcome::Candidates { candidates, conflict } = merge(base, ours, theirs, "a.py", &options) else {
        panic!("one of two regions is near")
    };
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0].content, two_functions("mode = 9", "mode = 9").as_bytes());
    let open: Vec<usize> = conflict.regions().map(|region| region.base.lines.start).collect();
    assert_eq!(open, [7]);
    let resolved = conflict.resolve(|region| region.ours.text.clone());
    assert_eq!(resolved, two_functions("mode = 9", "mode = 2").as_bytes());
}

#[test]
fn what_the_verifier_refuses_is_not_applied() {
    let versions = versions("load");
    let found = learnt(&versions, "a.py", &module("load", "mode = 3"));
    for typed in ["mode = (", "<<<<<<< mine"] {
        let edit = Edit(vec![Step::Typed(vec![typed.to_owned()])]);
        let outcome = merged(&versions, "a.py", &store([Recording { edit, ..found.clone() }]));
        let Outcome::Conflict(Conflict { why, .. }) = outcome else { panic!("{typed}: {outcome:?}") };
        assert_eq!(why, Some(Why::Recording), "{typed}");
    }
    // Lines that the region does not have.
    let edit = Edit(vec![Step::Lines { of: Version::Base, from: 7, count: 1 }]);
    let outcome = merged(&versions, "a.py", &store([Recording { edit, ..found }]));
    assert!(matches!(outcome, Outcome::Conflict(_)));
}

#[test]
fn what_cannot_be_aligned_is_not_learnt() {
    let [base, ours, theirs] = versions("load");
    let of = |resolved: &str| {
        let found = learn(Some(base.as_bytes()), ours.as_bytes(), theirs.as_bytes(), "a.py", resolved.as_bytes());
        assert_eq!(found.len(), 1);
        found[0].is_some()
    };
    assert!(of(&module("load", "mode = 4")));
    assert!(of(&module("load", "mode = 4\n    more = 5")));
    assert!(of(&module("load", "mode = 4").replace("last = 1", "last = 2")), "a change far away");
    assert!(!of(&module("load", "<<<<<<< HEAD\n    mode = 2\n=======\n    mode = 3\n>>>>>>> other")));
    assert!(!of(&module("load", "mode = 4").replace("    close(path)\n", "    shut(path)\n")), "a line beside it");
    assert!(!of(&module("load", "mode = 4").replace("    check(path)\n", "")));
    assert!(!of(""));
    // Nothing is in conflict, or the files as a whole.
    assert!(learn(Some(b"a\n"), b"a\n", b"b\n", "a.py", b"b\n").is_empty());
    assert!(learn(Some(b"a\0"), b"b\0", b"c\0", "a.py", b"b\0").is_empty());
    assert!(learn(Some(b"{}"), b"{\"a\":1}", b"{\"a\":2}", "package-lock.json", b"{}").is_empty());
}

#[test]
fn a_recording_is_read_as_it_was_written() {
    let recording = learnt(&versions("load"), "a.py", &module("load", "mode = 3\n    more = 4"));
    let text = serde_json::to_string(&recording).unwrap();
    assert_eq!(
        text,
        r#"{"key":{"path":"a.py","language":"Python","place":{"entities":["load"]},"base":["mode = 1"],"one":["mode = 2"],"two":["mode = 3"]},"edit":[{"lines":{"of":"two","from":0,"count":1}},{"typed":["more = 4"]}]}"#
    );
    assert_eq!(serde_json::from_str::<Recording>(&text).unwrap(), recording);
}

/// Which lines of a region's versions a person takes, or types.
fn choices() -> impl Strategy<Value = Vec<Vec<(u8, usize)>>> {
    prop::collection::vec(prop::collection::vec((0..4_u8, 0..6_usize), 0..4), 12)
}

/// A file with its regions settled by a person, and how many regions there are.
fn settled_by_hand([base, ours, theirs]: &[Vec<u8>; 3], choices: &[Vec<(u8, usize)>]) -> Option<(Vec<u8>, usize)> {
    let lines = Options { layers: Layers::LINES, ..Options::default() };
    let Outcome::Conflict(conflict) = merge(Some(base), Some(ours), Some(theirs), "a.txt", &lines) else { return None };
    if matches!(conflict.kind, orchestrator_merge::Kind::Refused(_)) {
        return None;
    }
    let (mut choices, mut number) = (choices.iter(), 0);
    let resolved = conflict.resolve(|region| {
        number += 1;
        let pick = |(which, at): &(u8, usize)| {
            let part = match which {
                0 => &region.base,
                1 => &region.ours,
                2 => &region.theirs,
                _ => return format!("typed {number} {at}\n").into_bytes(),
            };
            part.text.split_inclusive(|byte| *byte == b'\n').nth(*at).unwrap_or_default().to_vec()
        };
        choices.next().into_iter().flatten().flat_map(pick).collect()
    });
    Some((resolved, number))
}

fn replayed(versions: &[Vec<u8>; 3], resolved: &[u8], swapped: bool) -> (Vec<Option<Recording>>, Outcome) {
    let [base, ours, theirs] = versions;
    let found = learn(Some(base), ours, theirs, "a.txt", resolved);
    let recorded = store(found.iter().flatten().cloned());
    let (ours, theirs) = if swapped { (theirs, ours) } else { (ours, theirs) };
    let options = Options { recorded: Some(&recorded), ..Options::default() };
    (found, merge(Some(base), Some(ours), Some(theirs), "a.txt", &options))
}

proptest! {
    #[test]
    fn a_merge_with_what_was_learnt_from_it_gives_what_the_person_made(
        versions in distinct_versions(), choices in choices(),
    ) {
        if let Some((resolved, regions)) = settled_by_hand(&versions, &choices) {
            for swapped in [false, true] {
                let (found, outcome) = replayed(&versions, &resolved, swapped);
                prop_assert_eq!(found.iter().flatten().count(), regions);
                prop_assert_eq!(outcome.content(), Some(Some(&resolved[..])), "{:?}", outcome);
            }
        }
    }

    /// Where lines repeat, regions can be alike and resolutions aligned in several ways; what is clean is right all the same.
    #[test]
    fn what_was_learnt_never_gives_another_file(versions in three(), choices in choices()) {
        if let Some((resolved, _)) = settled_by_hand(&versions, &choices) {
            let (found, outcome) = replayed(&versions, &resolved, false);
            if let Some(content) = outcome.content() {
                prop_assert_eq!(content, Some(&resolved[..]), "{:?}", found);
            }
            let (swapped, mirrored) = replayed(&versions, &resolved, true);
            prop_assert_eq!(swapped, found);
            prop_assert_eq!(texts(&outcome), texts(&mirrored));
        }
    }

    #[test]
    fn recordings_do_not_depend_on_which_side_is_which(versions in three(), choices in choices()) {
        if let Some((resolved, _)) = settled_by_hand(&versions, &choices) {
            let [base, ours, theirs] = &versions;
            let one = learn(Some(base), ours, theirs, "a.txt", &resolved);
            prop_assert_eq!(learn(Some(base), theirs, ours, "a.txt", &resolved), &one[..]);
            let keys: Vec<&Key> = one.iter().flatten().map(|recording| &recording.key).collect();
            prop_assert!(keys.iter().all(|key| !key.is_near(key)));
        }
    }
}
