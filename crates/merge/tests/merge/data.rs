//! Data merged by what it holds, as properties: values against a merge of the trees that were written.

use orchestrator_merge::{Label, Layer, Layers, Options, Outcome, Rule, merge, verify_laws};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value};
use std::cell::Cell;

/// What a data file holds, in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tree {
    Number(u8),
    Array(Vec<u8>),
    Object(Vec<(String, Tree)>),
}

fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "g", "h", "key \\\"q\\\"", "ä"]).prop_map(str::to_owned)
}

fn leaf() -> impl Strategy<Value = Tree> {
    prop_oneof![
        4 => any::<u8>().prop_map(Tree::Number),
        1 => prop::collection::vec(0..4_u8, 0..3).prop_map(Tree::Array),
    ]
}

fn object(entries: Vec<(String, Tree)>) -> Tree {
    let mut distinct: Vec<(String, Tree)> = Vec::new();
    for (key, tree) in entries {
        if distinct.iter().all(|(other, _)| *other != key) {
            distinct.push((key, tree));
        }
    }
    Tree::Object(distinct)
}

pub(crate) fn root() -> impl Strategy<Value = Tree> {
    let tree = leaf().prop_recursive(2, 16, 5, |inner| prop::collection::vec((keys(), inner), 0..5).prop_map(object));
    prop::collection::vec((keys(), tree), 0..7).prop_map(object)
}

/// A change somewhere in a tree.
#[derive(Debug, Clone)]
pub(crate) struct Edit {
    way: Vec<prop::sample::Index>,
    key: String,
    /// What stands there then; nothing is a removal.
    new: Option<Tree>,
}

pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let way = prop::collection::vec(any::<prop::sample::Index>(), 0..3);
    let edit = (way, keys(), prop::option::weighted(0.8, leaf()));
    prop::collection::vec(edit.prop_map(|(way, key, new)| Edit { way, key, new }), 1..4)
}

pub(crate) fn edited(tree: &Tree, edits: &[Edit]) -> Tree {
    let mut tree = tree.clone();
    for edit in edits {
        apply(&mut tree, &edit.way, edit);
    }
    tree
}

fn apply(tree: &mut Tree, way: &[prop::sample::Index], edit: &Edit) {
    let Tree::Object(entries) = tree else { return };
    if let [first, rest @ ..] = way
        && !entries.is_empty()
    {
        let at = first.index(entries.len());
        if matches!(entries[at].1, Tree::Object(_)) {
            return apply(&mut entries[at].1, rest, edit);
        }
    }
    let at = entries.iter().position(|(key, _)| *key == edit.key);
    match (at, &edit.new) {
        (Some(at), Some(new)) => entries[at].1 = new.clone(),
        (Some(at), None) => drop(entries.remove(at)),
        (None, Some(new)) => {
            let at = way.first().map_or(entries.len(), |index| index.index(entries.len() + 1));
            entries.insert(at, (edit.key.clone(), new.clone()));
        }
        (None, None) => {}
    }
}

fn json(tree: &Tree, indent: Option<usize>) -> String {
    let (open, between, close) = match indent {
        Some(depth) => (
            "\n".to_owned() + &"  ".repeat(depth + 1),
            ",\n".to_owned() + &"  ".repeat(depth + 1),
            "\n".to_owned() + &"  ".repeat(depth),
        ),
        None => (String::new(), ", ".to_owned(), String::new()),
    };
    match tree {
        Tree::Number(number) => number.to_string(),
        Tree::Array(numbers) => format!("{numbers:?}"),
        Tree::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Tree::Object(entries) => {
            let entries =
                entries.iter().map(|(key, tree)| format!("\"{key}\": {}", json(tree, indent.map(|depth| depth + 1))));
            format!("{{{open}{}{close}}}", entries.collect::<Vec<_>>().join(&between))
        }
    }
}

/// Scalars first, then a section for each object; objects in sections are inline tables.
fn toml(tree: &Tree) -> String {
    let Tree::Object(entries) = tree else { return String::new() };
    let inline = |tree: &Tree| json(tree, None).replace("\": ", "\" = ");
    let (sections, plain): (Vec<_>, Vec<_>) =
        entries.iter().partition(|(_, tree)| matches!(tree, Tree::Object(entries) if !entries.is_empty()));
    let plain = plain.iter().map(|(key, tree)| format!("\"{key}\" = {}\n", inline(tree)));
    let sections = sections.iter().map(|(key, tree)| {
        let Tree::Object(entries) = tree else { return String::new() };
        let entries = entries.iter().map(|(key, tree)| format!("\"{key}\" = {} # {key}\n", inline(tree)));
        format!("\n# about {key}\n[\"{key}\"]\n{}", entries.collect::<String>())
    });
    plain.chain(sections).collect()
}

fn value(tree: &Tree) -> Value {
    match tree {
        Tree::Number(number) => Value::from(*number),
        Tree::Array(numbers) => Value::from(numbers.clone()),
        Tree::Object(entries) => {
            let plain = |key: &String| key.replace('\\', "");
            Value::Object(entries.iter().map(|(key, tree)| (plain(key), value(tree))).collect())
        }
    }
}

/// The merge of the values; `Err` where both changed the same.
fn three_way(base: Option<&Value>, ours: Option<&Value>, theirs: Option<&Value>) -> Result<Option<Value>, ()> {
    if ours == theirs || theirs == base {
        return Ok(ours.cloned());
    }
    if ours == base {
        return Ok(theirs.cloned());
    }
    let (Some(Value::Object(base)), Some(Value::Object(ours)), Some(Value::Object(theirs))) = (base, ours, theirs)
    else {
        return Err(());
    };
    let mut merged = Map::new();
    for key in ours.keys().chain(theirs.keys()) {
        if let Some(value) = three_way(base.get(key), ours.get(key), theirs.get(key))? {
            merged.insert(key.clone(), value);
        }
    }
    Ok(Some(Value::Object(merged)))
}

fn parsed_toml(text: &str) -> Option<Value> {
    fn of(item: &toml_edit::Item) -> Value {
        if let Some(table) = item.as_table_like() {
            Value::Object(table.iter().map(|(key, item)| (key.to_owned(), of(item))).collect())
        } else if let Some(array) = item.as_array() {
            array.iter().map(|value| Value::from(value.as_integer().unwrap())).collect()
        } else {
            Value::from(item.as_integer().unwrap())
        }
    }
    Some(of(text.parse::<toml_edit::DocumentMut>().ok()?.as_item()))
}

/// Which data merge answered, if one did; and that the answer keeps the laws.
pub(crate) fn held(
    path: &str,
    texts: &[String; 3],
    trees: &[Tree; 3],
    parse: fn(&str) -> Option<Value>,
) -> Result<bool, TestCaseError> {
    let [base, ours, theirs] = texts.each_ref().map(|text| Some(text.as_bytes()));
    let answer = |base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>| {
        merge(base, ours, theirs, path, &Options::default())
    };
    let first = answer(base, ours, theirs);
    let swapped = answer(base, theirs, ours);
    prop_assert_eq!(first.content(), swapped.content());
    let Outcome::Clean { content: Some(content), regions } = &first else { return Ok(false) };
    let text = std::str::from_utf8(content).unwrap();
    let values = trees.each_ref().map(value);
    let found = parse(text);
    prop_assert!(found.is_some(), "{}", text);
    if let Ok(expected) = three_way(Some(&values[0]), Some(&values[1]), Some(&values[2])) {
        prop_assert_eq!(found, expected, "{}", text);
    }
    let is_by_value = regions.iter().any(|proof| proof.rule == Rule::Values);
    if is_by_value {
        prop_assert_eq!(verify_laws(base, ours, theirs, Some(content), answer), Ok(()), "{}", text);
        // Nothing that a side wrote is written otherwise.
        let lines = |text: &str| text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect::<Vec<_>>();
        let known = [lines(&texts[1]), lines(&texts[2])].concat();
        prop_assert!(
            texts[0].lines().count() < 2
                || lines(text).iter().all(|line| line.contains('{') || line.contains('}') || known.contains(line)),
            "{}",
            text
        );
    }
    Ok(is_by_value)
}

/// How many of many merges are settled by value.
fn settled(write: fn(&Tree) -> String, path: &str, parse: fn(&str) -> Option<Value>) -> (u32, u32) {
    let (settled, all) = (Cell::new(0), Cell::new(0));
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { failure_persistence: None, cases: 1_000, ..Config::default() };
    let run = TestRunner::new_with_rng(config, rng).run(&(root(), edits(), edits()), |(base, ours, theirs)| {
        let trees = [edited(&base, &ours), edited(&base, &theirs)];
        let [ours, theirs] = trees;
        let trees = [base, ours, theirs];
        let texts = trees.each_ref().map(write);
        all.set(all.get() + 1);
        settled.set(settled.get() + u32::from(held(path, &texts, &trees, parse)?));
        Ok(())
    });
    run.unwrap();
    (settled.get(), all.get())
}

#[test]
fn json_is_merged_as_its_value_is() {
    let parse = |text: &str| serde_json::from_str(text).ok();
    let (by_value, all) = settled(|tree| json(tree, Some(0)) + "\n", "a.json", parse);
    assert!(by_value * 5 > all, "{by_value} of {all}");
    let (by_value, all) = settled(|tree| json(tree, None), "a.json", parse);
    assert!(by_value * 3 > all, "{by_value} of {all}");
}

#[test]
fn toml_is_merged_as_its_value_is() {
    let (by_value, all) = settled(toml, "a.toml", parsed_toml);
    assert!(by_value * 5 > all, "{by_value} of {all}");
}

#[test]
fn without_its_layer_data_is_lines() {
    let [base, ours, theirs] =
        ["{\n\"a\": 1,\n\"b\": 2\n}\n", "{\n\"a\": 3,\n\"b\": 2\n}\n", "{\n\"a\": 1,\n\"b\": 4\n}\n"];
    let merged = |layers| {
        let options = Options { layers, ..Options::default() };
        merge(Some(base.as_bytes()), Some(ours.as_bytes()), Some(theirs.as_bytes()), "a.json", &options)
    };
    assert!(matches!(merged(Layers::ALL), Outcome::Clean { .. }));
    assert!(matches!(merged(Layers::ALL.without(Layer::Sets)), Outcome::Conflict(_)));
}

#[test]
fn hostile_data_costs_neither_the_stack_nor_much_time() {
    let deep = |middle: &str| format!("{}{middle}{}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let wide = |last: &str| {
        let members: String = (0..100_000).map(|n| format!("\"k{n}\":{n},")).collect();
        format!("{{{members}\"last\":{last}}}")
    };
    let tables = |middle: &str| format!("a = {}{middle}{}\n", "{ a = ".repeat(20_000), " }".repeat(20_000));
    for (path, [base, ours, theirs]) in [
        ("a.json", ["1", "2", "3"].map(deep)),
        ("a.json", ["1", "2", "3"].map(wide)),
        ("a.toml", ["1", "2", "3"].map(tables)),
        ("a.toml", ["1", "2", "3"].map(|n| format!("a = [{}{n}\n", "[".repeat(100_000)))),
        ("a.json", ["1", "2", "3"].map(|n| format!("\"{}{n}", "\\".repeat(100_001)))),
    ] {
        let [base, ours, theirs] = [base, ours, theirs].map(String::into_bytes);
        let answer = merge(Some(&base), Some(&ours), Some(&theirs), path, &Options::default());
        assert!(matches!(answer, Outcome::Conflict(_)), "{path}");
    }
}

/// A version as it is drawn: an operator, numbers, perhaps a pre-release.
type Drawn = (usize, [u8; 3], Option<u8>);

fn drawn() -> impl Strategy<Value = Drawn> {
    (
        prop_oneof![8 => Just(0_usize), 1 => 1..3_usize],
        prop::array::uniform3(0..12_u8),
        prop::option::weighted(0.2, 8..12_u8),
    )
}

fn written((operator, [major, minor, patch], pre): Drawn) -> String {
    let pre = pre.map(|pre| format!("-beta.{pre}")).unwrap_or_default();
    format!("{}{major}.{minor}.{patch}{pre}", ["^", "~", ">="][operator])
}

proptest! {
    #[test]
    fn of_two_raised_versions_the_higher_stands(base in drawn(), ours in drawn(), theirs in drawn()) {
        let rank = |(_, numbers, pre): Drawn| (numbers, pre.is_none(), pre);
        let are_raised = rank(ours) > rank(base) && rank(theirs) > rank(base);
        let are_alike = base.0 == ours.0 && base.0 == theirs.0;
        let text = |version| format!("{{\n  \"dependencies\": {{\n    \"a\": \"{}\"\n  }}\n}}\n", written(version));
        let texts = [base, ours, theirs].map(text);
        let [b, o, t] = texts.each_ref().map(|text| Some(text.as_bytes()));
        prop_assume!(b != o && b != t && o != t);
        let answer = |base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>| {
            merge(base, ours, theirs, "package.json", &Options::default())
        };
        let found = answer(b, o, t);
        if are_raised && are_alike {
            let Outcome::Clean { content, regions } = found else { panic!("a conflict") };
            let expected = if rank(ours) > rank(theirs) { o } else { t };
            prop_assert_eq!(content.as_deref(), expected);
            prop_assert!(regions.iter().all(|proof| (proof.rule, proof.label) == (Rule::HigherVersion, Label::Verified)));
            prop_assert_eq!(verify_laws(b, o, t, content.as_deref(), answer), Ok(()));
        } else {
            prop_assert!(matches!(found, Outcome::Conflict(_)));
        }
    }
}
