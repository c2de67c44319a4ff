//! YAML merged by what it holds, as properties: values against a merge of the trees that were written.

use crate::data::{Tree, edited, edits, held, root};
use orchestrator_merge::{Options, Outcome, Rule, merge, verify_laws};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use std::cell::Cell;

fn parsed(text: &str) -> Option<Value> {
    serde_saphyr::from_str(text).ok()
}

/// Mappings in blocks, with comments; lists between brackets.
fn written(tree: &Tree, indent: usize) -> String {
    let Tree::Object(entries) = tree else { return String::new() };
    let margin = " ".repeat(indent);
    let entry = |(key, tree): &(String, Tree)| match tree {
        Tree::Number(number) => format!("{margin}\"{key}\": {number} # {key}\n"),
        Tree::Array(numbers) => format!("{margin}\"{key}\": {numbers:?}\n"),
        Tree::Object(entries) if entries.is_empty() => format!("{margin}\"{key}\": {{}}\n"),
        Tree::Object(_) => format!("{margin}# about {key}\n{margin}\"{key}\":\n{}", written(tree, indent + 2)),
    };
    if entries.is_empty() && indent == 0 { "{}\n".to_owned() } else { entries.iter().map(entry).collect() }
}

#[test]
fn yaml_is_merged_as_its_value_is() {
    let (settled, all) = (Cell::new(0_u32), Cell::new(0_u32));
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { failure_persistence: None, cases: 1_000, ..Config::default() };
    let run = TestRunner::new_with_rng(config, rng).run(&(root(), edits(), edits()), |(base, ours, theirs)| {
        let [ours, theirs] = [edited(&base, &ours), edited(&base, &theirs)];
        let trees = [base, ours, theirs];
        let texts = trees.each_ref().map(|tree| written(tree, 0));
        all.set(all.get() + 1);
        settled.set(settled.get() + u32::from(held("a.yaml", &texts, &trees, parsed)?));
        Ok(())
    });
    run.unwrap();
    assert!(settled.get() * 5 > all.get(), "{} of {}", settled.get(), all.get());
}

/// A sequence: elements with a name and a value, or bare ones.
fn sequence() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
    prop::collection::vec((0..12_u8, prop::option::of(0..3_u8)), 0..7).prop_map(distinct)
}

fn distinct(elements: Vec<(u8, Option<u8>)>) -> Vec<(u8, Option<u8>)> {
    let mut found: Vec<(u8, Option<u8>)> = Vec::new();
    for (name, value) in elements {
        if found.iter().all(|(other, _)| *other != name) {
            found.push((name, value));
        }
    }
    found
}

/// An edit of a sequence: at a place, how many elements go, and which come.
type Edit = (prop::sample::Index, usize, Vec<(u8, Option<u8>)>);

fn changed(elements: &[(u8, Option<u8>)], (at, gone, new): &Edit) -> Vec<(u8, Option<u8>)> {
    let mut elements = elements.to_vec();
    let at = at.index(elements.len() + 1);
    let end = (at + gone).min(elements.len());
    elements.splice(at..end, new.iter().copied());
    distinct(elements)
}

fn listed(elements: &[(u8, Option<u8>)]) -> String {
    let element = |(name, value): &(u8, Option<u8>)| match value {
        Some(value) => format!("  # about {name}\n  - name: n{name}\n    value: {value}\n"),
        None => format!("  - b{name}\n"),
    };
    let elements: String = elements.iter().map(element).collect();
    format!("before: 1\nlist:\n{elements}behind: 2\n")
}

fn edit() -> impl Strategy<Value = Edit> {
    (any::<prop::sample::Index>(), 0..3_usize, prop::collection::vec((0..12_u8, prop::option::of(0..3_u8)), 0..3))
}

proptest! {
    /// An answer has what both kept and what either added, each side's in its order.
    #[test]
    fn elements_are_neither_lost_nor_doubled_nor_put_in_another_order(
        base in sequence(), mine in edit(), other in edit(),
    ) {
        let versions = [base.clone(), changed(&base, &mine), changed(&base, &other)];
        let texts = versions.each_ref().map(|elements| listed(elements));
        let [b, o, t] = texts.each_ref().map(|text| Some(text.as_bytes()));
        let answer = |base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>| {
            merge(base, ours, theirs, "a.yml", &Options::default())
        };
        let found = answer(b, o, t);
        let (answers, is_choice) = match &found {
            Outcome::Clean { content: Some(content), regions } => {
                if regions.iter().any(|proof| proof.rule == Rule::Values) {
                    prop_assert_eq!(verify_laws(b, o, t, Some(content), answer), Ok(()));
                }
                (vec![content.clone()], false)
            }
            Outcome::Candidates { candidates, .. } => {
                let swapped = answer(b, t, o);
                let Outcome::Candidates { candidates: others, .. } = swapped else { panic!("{swapped:?}") };
                let [contents, others] = [candidates, &others].map(|all| {
                    all.iter().map(|candidate| candidate.content.clone()).collect::<Vec<_>>()
                });
                prop_assert_eq!(&contents, &others);
                (contents, true)
            }
            _ => return Ok(()),
        };
        prop_assert_eq!(answers.len(), 1 + usize::from(is_choice));
        let names = |text: &str| -> Vec<String> {
            let value: Value = serde_saphyr::from_str(text).unwrap();
            let elements = value["list"].as_array().cloned().unwrap_or_default();
            elements.iter().map(|element| element.get("name").unwrap_or(element).as_str().unwrap().to_owned()).collect()
        };
        // Lines far apart: that a name stands once is the habit of some files, and no law of the language.
        let is_new = |element: &&(u8, Option<u8>)| versions[0].iter().all(|(name, _)| *name != element.0);
        let mut pairs = versions[1].iter().filter(is_new).flat_map(|one| versions[2].iter().map(move |two| (one, two)));
        if pairs.any(|(one, two)| one.0 == two.0 && one != two) {
            return Ok(());
        }
        let [base, ours, theirs] = texts.each_ref().map(|text| names(text));
        for answer in answers {
            let found = names(std::str::from_utf8(&answer).unwrap());
            let mut wanted: Vec<_> = ours.iter().chain(&theirs).filter(|name| {
                !base.contains(name) || (ours.contains(name) && theirs.contains(name))
            }).cloned().collect();
            wanted.sort_unstable();
            wanted.dedup();
            let mut sorted = found.clone();
            sorted.sort_unstable();
            prop_assert_eq!(&sorted, &wanted, "{:?}", found);
            // What one side moved is where that side has it.
            let in_all = |one: &[String]| -> Vec<String> {
                one.iter().filter(|name| [&base, &ours, &theirs].iter().all(|all| all.contains(name))).cloned().collect()
            };
            if in_all(&base) != in_all(&ours) || in_all(&base) != in_all(&theirs) {
                continue;
            }
            for side in [&ours, &theirs] {
                let kept: Vec<_> = side.iter().filter(|name| found.contains(name)).collect();
                let order: Vec<_> = found.iter().filter(|name| side.contains(name)).collect();
                prop_assert_eq!(kept, order);
            }
        }
    }
}

#[test]
fn hostile_yaml_costs_neither_the_stack_nor_much_time() {
    let deep = |n: &str| {
        (0..3_000).map(|depth| " ".repeat(depth) + "a:\n").collect::<String>() + &" ".repeat(3_000) + n + "\n"
    };
    let dashes = |n: &str| "- ".repeat(20_000) + n + "\n";
    let brackets = |n: &str| "a: ".to_owned() + &"[".repeat(50_000) + n + &"]".repeat(50_000) + "\n";
    let bomb = |n: &str| {
        let level =
            |at: usize| format!("l{at}: &l{at} [*l{0}, *l{0}, *l{0}, *l{0}, *l{0}, *l{0}, *l{0}, *l{0}]\n", at - 1);
        format!("l0: &l0 [{n}]\n{}", (1..12).map(level).collect::<String>())
    };
    let wide = |n: &str| (0..50_000).map(|at| format!("k{at}: {at}\n")).collect::<String>() + "last: " + n + "\n";
    for write in [&deep as &dyn Fn(&str) -> String, &dashes, &brackets, &bomb, &wide] {
        let [base, ours, theirs] = ["1", "2", "3"].map(|n| write(n).into_bytes());
        let answer = merge(Some(&base), Some(&ours), Some(&theirs), "a.yaml", &Options::default());
        assert!(matches!(answer, Outcome::Conflict(_)));
    }
}
