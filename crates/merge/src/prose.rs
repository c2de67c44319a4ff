//! Texts for people, merged by section and by entry: change logs, and documents.
//!
//! What one side put in, took out or changed is taken from it, block by block. Where both put something into one place,
//! entries of a change log and versions that it tells of go together, in an order that content decides; of any other
//! text every order is proposed. Whatever both changed, both put in at different places, or one changed and the other removed,
//! leaves the file as it is.

mod compose;
mod merge;
mod read;
mod spacing;

use crate::data::check_lines;
use crate::form::Form;
use crate::outcome::Rule;
use crate::tree::Structured;
use merge::{Choosing, merge};
use read::{Class, Part, Text, read};
use std::collections::{BTreeSet, HashMap};

/// What a text is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    is_markdown: bool,
    /// Whether it tells of changes: entries that stand by themselves.
    is_changelog: bool,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit(['/', '\\']);
        let (name, folder) = (parts.next()?.to_lowercase(), parts.next().unwrap_or_default().to_lowercase());
        let (stem, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        const LOGS: [&str; 8] =
            ["change", "history", "news", "release-notes", "release_notes", "releasenotes", "relnotes", "whatsnew"];
        let tells = |name: &str| LOGS.iter().any(|log| name.starts_with(log));
        // A file for each version.
        let is_changelog = tells(stem) || (tells(&folder) || folder == "releases") && !ending.is_empty();
        match ending {
            "md" | "markdown" | "mdx" => Some(Self { is_markdown: true, is_changelog }),
            "rst" | "rest" => Some(Self { is_markdown: false, is_changelog }),
            // Much else is called so.
            "" | "txt" if is_changelog => Some(Self { is_markdown: false, is_changelog }),
            _ => None,
        }
    }
}

/// The merged text; `None` where it is none, or both changed one part of it.
pub(crate) fn merge_prose(base: &[u8], ours: &[u8], theirs: &[u8], path: &str) -> Option<Structured> {
    let Kind { is_markdown, is_changelog } = Kind::of(path)?;
    let form = Form::new([base, ours, theirs])?;
    let texts = form.texts.each_ref().map(String::as_str);
    let [base, ours, theirs] = texts.map(|text| read(text, is_markdown));
    let versions = [base?, ours?, theirs?];
    if !has_same_levels(&versions) {
        return None;
    }
    let answer = |is_flipped| {
        let merged = merge(&versions, Choosing { is_changelog, is_flipped })?;
        check_lines(texts, &merged.text).ok()?;
        // What a part is must not change by what it stands beside now.
        if outline(&read(&merged.text, is_markdown)?.root) != merged.outline || tells_twice(&versions, &merged.outline)
        {
            return None;
        }
        let content = form.put_back(merged.text);
        form.frame.check(&content).ok()?;
        Some((content, merged.is_choice))
    };
    let (first, is_choice) = answer(false)?;
    let other = if is_choice { answer(true).map(|(other, _)| other) } else { None };
    let other = other.filter(|other| *other != first);
    let rules = BTreeSet::from([if is_choice { Rule::Order } else { Rule::Blocks }]);
    let answers = std::iter::once(first).chain(other).collect();
    Some(Structured { answers, is_choice: is_choice || !is_changelog, rules })
}

/// Whether one mark means one level in all versions.
fn has_same_levels(versions: &[Text<'_>; 3]) -> bool {
    let longest = versions.iter().map(|text| &text.marks).max_by_key(|marks| marks.len());
    longest.is_some_and(|longest| versions.iter().all(|text| longest.starts_with(&text.marks)))
}

/// Whether an entry stands more often than in either version: both put it in, each at another place.
fn tells_twice(versions: &[Text<'_>; 3], merged: &[(Class, String)]) -> bool {
    let counts = |outline: &[(Class, String)]| {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (_, key) in outline.iter().filter(|(class, _)| matches!(class, Class::Entry { .. })) {
            // Those that say the same in one section differ by a number.
            *counts.entry(key.lines().next().unwrap_or_default().to_owned()).or_default() += 1;
        }
        counts
    };
    let [_, ours, theirs] = versions.each_ref().map(|text| counts(&outline(&text.root)));
    let of = |counts: &HashMap<String, usize>, key| counts.get(key).copied().unwrap_or_default();
    counts(merged).iter().any(|(key, count)| *count > of(&ours, key).max(of(&theirs, key)))
}

/// What the parts of a text are, in their order.
fn outline(section: &Part<'_>) -> Vec<(Class, String)> {
    let mut found = Vec::new();
    for part in &section.parts {
        found.push((part.class, part.key.clone()));
        found.extend(outline(part));
    }
    found
}
