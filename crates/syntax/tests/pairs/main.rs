//! Pairs of edits: A changes a definition, B adds a use. Half of them are decoys, where the names are the same and
//! nothing breaks. Each language's recall and its pushes on decoys are printed and have to stay within the promise.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "the figures are what the test is for")]

mod c;
mod cpp;
mod csharp;
mod go;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod rust;
mod typescript;
mod unseen;

use orchestrator_syntax::{Certainty, Index, Language, Limits, impact, parse};
use std::collections::BTreeMap;

/// A file's path, the text to replace and what takes its place. An empty old text appends, or makes a new file.
type Edit = (&'static str, &'static str, &'static str);

/// One pair.
struct Case {
    /// What it is about.
    name: &'static str,
    /// A's edits.
    a: &'static [Edit],
    /// B's edits.
    b: &'static [Edit],
    /// The entity whose change breaks B's use; empty for a decoy.
    hits: &'static str,
}

/// A language's project and pairs.
struct Suite {
    name: &'static str,
    base: &'static [(&'static str, &'static str)],
    cases: &'static [Case],
}

const fn hit(name: &'static str, hits: &'static str, a: &'static [Edit], b: &'static [Edit]) -> Case {
    Case { name, a, b, hits }
}

const fn decoy(name: &'static str, a: &'static [Edit], b: &'static [Edit]) -> Case {
    Case { name, a, b, hits: "" }
}

fn index(files: &BTreeMap<String, String>) -> Index {
    let mut index = Index::new();
    for (path, text) in files {
        let file = parse(Language::of_path(path).unwrap(), text.as_bytes(), Limits::default()).unwrap();
        assert!(file.is_sound(), "{path} does not parse: {:?}\n{text}", file.errors);
        index.set(path, Some(file));
    }
    index
}

/// The files that edits change, as they are then.
fn edited(base: &BTreeMap<String, String>, edits: &[Edit], case: &str) -> Index {
    let mut changed: BTreeMap<String, String> = BTreeMap::new();
    for (path, old, new) in edits {
        let text = changed.get(*path).or_else(|| base.get(*path)).cloned().unwrap_or_default();
        assert!(old.is_empty() || text.matches(old).count() == 1, "{case}: '{old}' is not once in {path}");
        let text = if old.is_empty() { format!("{text}\n{new}\n") } else { text.replacen(old, new, 1) };
        changed.insert((*path).to_owned(), text);
    }
    index(&changed)
}

/// How a suite went: hits found, hits, decoys pushed, decoys.
fn run(suite: &Suite) -> (usize, usize, usize, usize) {
    let base: BTreeMap<String, String> =
        suite.base.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let project = index(&base);
    let (mut found, mut hits, mut pushed, mut decoys) = (0, 0, 0, 0);
    for case in suite.cases {
        let name = format!("{}: {}", suite.name, case.name);
        let (a, b) = (edited(&base, case.a, &name), edited(&base, case.b, &name));
        let all = impact(&project, &a, &b);
        let sure: Vec<_> = all.iter().filter(|one| one.certainty == Certainty::Definite).collect();
        if case.hits.is_empty() {
            decoys += 1;
            if !sure.is_empty() {
                pushed += 1;
                println!("pushed  {name}\n{sure:#?}");
            }
        } else {
            hits += 1;
            if sure.iter().any(|one| one.definition.entity == case.hits) {
                found += 1;
            } else {
                println!("missed  {name}\n{all:#?}");
            }
        }
    }
    (found, hits, pushed, decoys)
}

#[test]
fn most_breaks_are_found_and_decoys_are_left_alone() {
    let mut failed = Vec::new();
    for suite in [
        &python::SUITE,
        &typescript::SUITE,
        &javascript::SUITE,
        &rust::SUITE,
        &go::SUITE,
        &java::SUITE,
        &csharp::SUITE,
        &cpp::SUITE,
        &c::SUITE,
        &ruby::SUITE,
        &php::SUITE,
    ] {
        let (found, hits, pushed, decoys) = run(suite);
        println!("{:<12} recall {found}/{hits}  pushes on decoys {pushed}/{decoys}", suite.name);
        assert!(hits + decoys >= 20 && decoys * 2 >= hits + decoys - 1, "{}: {hits} hits, {decoys} decoys", suite.name);
        if (found as f64) < 0.9 * hits as f64 || pushed as f64 > 0.05 * decoys as f64 {
            failed.push(suite.name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn pairs_written_after_the_rules_are_counted_apart() {
    let (mut all_found, mut all_hits, mut all_pushed, mut all_decoys) = (0, 0, 0, 0);
    for (suite, cases) in unseen::CASES {
        let (found, hits, pushed, decoys) = run(&Suite { name: suite.name, base: suite.base, cases });
        println!("{:<12} unseen: recall {found}/{hits}  pushes on decoys {pushed}/{decoys}", suite.name);
        (all_found, all_hits) = (all_found + found, all_hits + hits);
        (all_pushed, all_decoys) = (all_pushed + pushed, all_decoys + decoys);
    }
    println!("unseen: recall {all_found}/{all_hits}  pushes on decoys {all_pushed}/{all_decoys}");
    assert!(all_found * 10 >= all_hits * 6 && all_pushed * 10 <= all_decoys);
}
