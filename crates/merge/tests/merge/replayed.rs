//! What one side does to the form of a program, and the other edits: random programs and edits, held against the program
//! that comes out when one does both.

use crate::programs::{Edit, Form, Statement, edited, program, touch, wrap};
use crate::structure::{answer_by_lines, cases, lawful};
use orchestrator_merge::{Layer, Layers, Options, Outcome, Proof, Rule, merge};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::Cell;

/// How often a rule answered, and of how many merges that lines and the sides alone do not settle.
#[derive(Default)]
struct Tally {
    answers: Cell<u32>,
    cases: Cell<u32>,
}

fn replayed(rule: Rule, edits: impl Strategy<Value = (Edit, Vec<Edit>)>) -> Tally {
    let tally = Tally::default();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { failure_persistence: None, cases: cases(), ..Config::default() };
    let forms = prop::sample::select(vec![Form::Python, Form::Script]);
    let run = TestRunner::new_with_rng(config, rng).run(&(program(), edits, forms), |(base, (change, edits), form)| {
        let other = edited(&base, &edits);
        let both = edited(&other, std::slice::from_ref(&change));
        let texts = [&base, &edited(&base, &[change]), &other].map(|program| form.file(program));
        let expected = form.file(&both);
        let Some(found) = lawful(&texts, form)? else { return Ok(()) };
        let [base, ours, theirs] = texts.each_ref().map(|text| Some(text.as_bytes()));
        let is_settled = texts.contains(&expected) || answer_by_lines(base, ours, theirs, form.path());
        tally.cases.set(tally.cases.get() + u32::from(!is_settled));
        let has_rule = |regions: &[Proof]| regions.iter().any(|proof| proof.rule == rule);
        let answers: Vec<&[u8]> = match &found {
            Outcome::Clean { content: Some(content), regions } if has_rule(regions) => vec![content],
            Outcome::Candidates { candidates, .. } if candidates.iter().any(|one| has_rule(&one.regions)) => {
                candidates.iter().map(|one| &one.content[..]).collect()
            }
            _ => return Ok(()),
        };
        tally.answers.set(tally.answers.get() + 1);
        prop_assert!(answers.contains(&expected.as_bytes()), "expected {}\nfound {:?}", expected, found);
        Ok(())
    });
    run.unwrap();
    tally
}

/// That the rule answered, and at least a part of the merges that are left to it, in hundredths.
fn assert_answered(tally: &Tally, least: u32) {
    let (answers, cases) = (tally.answers.get(), tally.cases.get());
    assert!(answers > 20 && answers * 100 > cases * least, "{answers} of {cases}");
}

#[test]
fn an_edit_goes_into_what_the_other_side_wrapped() {
    let edits = (0..3_usize).prop_flat_map(|at| (wrap(at), prop::collection::vec(touch(at), 1..3)));
    assert_answered(&replayed(Rule::Wrapped, edits), 80);
}

#[test]
fn an_edit_goes_with_what_the_other_side_moved() {
    let moved = |at| (0..3_usize).prop_map(move |to| Edit::Move(at, to));
    let edits = (0..3_usize).prop_flat_map(move |at| (moved(at), prop::collection::vec(touch(at), 1..3)));
    assert_answered(&replayed(Rule::Moved, edits), 60);
}

#[test]
fn new_uses_have_the_name_that_the_other_side_gave() {
    let new = |at: u8| {
        (0..3_usize, 0..5_usize, 6..9_u8)
            .prop_map(move |(into, place, argument)| Edit::Insert(into, place, Statement::Own(at, vec![argument])))
    };
    let edits =
        (0..3_u8).prop_flat_map(move |at| (Just(Edit::Rename(at.into())), prop::collection::vec(new(at), 1..3)));
    assert_answered(&replayed(Rule::Renamed, edits), 40);
}

const BASE: &str = "def one(a):\n    open(a)\n    read(a)\n    close(a)\n";
const WRAPPED: &str = "def one(a):\n    if a:\n        open(a)\n        read(a)\n        close(a)\n";

#[test]
fn with_too_few_steps_nothing_is_proposed() {
    let edited = BASE.replace("read(a)", "read(a, 1)");
    let expected = WRAPPED.replace("read(a)", "read(a, 1)");
    let [base, ours, theirs] = [BASE, WRAPPED, &edited].map(|text| Some(text.as_bytes()));
    let mut answered = 0;
    for budget in (0..4_000).step_by(10) {
        let options = Options { budget, ..Options::default() };
        match merge(base, ours, theirs, "a.py", &options) {
            Outcome::Conflict(_) => assert_eq!(answered, 0, "{budget}"),
            Outcome::Candidates { candidates, .. } => {
                assert_eq!(candidates.iter().map(|one| &one.content[..]).collect::<Vec<_>>(), [expected.as_bytes()]);
                answered += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((1..399).contains(&answered), "{answered}");
}

#[test]
fn a_layer_that_is_switched_off_proposes_nothing() {
    let edited = BASE.replace("read(a)", "read(a, 1)");
    let again = BASE.replace("    close(a)\n", "    one(close(a))\n");
    let renamed = BASE.replace("one", "two").replace("close(a)", "close(a, 1)");
    for (ours, theirs, layer) in [(WRAPPED, &edited, Layer::Structure), (&renamed, &again, Layer::Renames)] {
        let answer = |layers| {
            let options = Options { layers, ..Options::default() };
            merge(Some(BASE.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()), "a.py", &options)
        };
        assert!(matches!(answer(Layers::ALL), Outcome::Candidates { .. }), "{layer:?}");
        assert!(matches!(answer(Layers::ALL.without(layer)), Outcome::Conflict(_)), "{layer:?}");
    }
}
