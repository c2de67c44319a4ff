//! Data files, merged by what they hold: JSON, TOML and YAML by key, requirements by package, ignore files by pattern.
//!
//! The texts are taken apart into keyed entries and put together again, so that everything untouched keeps its bytes.
//! What comes out is held against the merge of the values, which other parsers computed. Where both sides changed one
//! entry there is no answer for any part of the file: the conflict of lines stands. Versions that both raised are the
//! exception: the higher one stands. So are elements that both put into one place of a YAML sequence: each order is a
//! candidate.

mod entries;
mod json;
mod keyed;
mod toml;
mod tree;
mod values;
mod versions;
mod yaml;

use crate::form::{Form, MOST_BYTES};
use crate::outcome::Rule;
use crate::refusal::Refusal;
use crate::tree::Structured;
use keyed::{Pass, has_distinct_keys, merge_nodes};
use std::collections::{BTreeSet, HashSet};
use tree::{Item, Node};
pub(crate) use values::check_lines;
use versions::overruled;

/// What a file holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Toml,
    Yaml,
    Requirements,
    Patterns,
}

const IGNORE_FILES: [&str; 12] = [
    ".containerignore",
    ".dockerignore",
    ".eslintignore",
    ".gcloudignore",
    ".gitignore",
    ".helmignore",
    ".ignore",
    ".markdownlintignore",
    ".npmignore",
    ".prettierignore",
    ".stylelintignore",
    ".vscodeignore",
];

impl Kind {
    fn of(path: &str) -> Option<Self> {
        let mut parts = path.rsplit(['/', '\\']);
        let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let lists = |name: &str| name.starts_with("requirements") || name.starts_with("constraints");
        match name.rsplit_once('.') {
            _ if IGNORE_FILES.contains(&name) => Some(Self::Patterns),
            Some((_, "json" | "webmanifest")) => Some(Self::Json),
            Some((_, "toml")) => Some(Self::Toml),
            Some((_, "yaml" | "yml")) => Some(Self::Yaml),
            Some((stem, "txt" | "in")) if lists(stem) || folder == "requirements" => Some(Self::Requirements),
            _ if name == "Pipfile" => Some(Self::Toml),
            _ => None,
        }
    }

    /// What settles a region of such a file.
    fn rule(self) -> Rule {
        match self {
            Self::Json | Self::Toml | Self::Yaml => Rule::Values,
            Self::Requirements | Self::Patterns => Rule::EntrySet,
        }
    }

    fn parse<'a>(self, text: &'a str, file_name: &str) -> Option<Node<'a>> {
        match self {
            Self::Json => json::parse(text, file_name),
            Self::Toml => toml::parse(text, file_name),
            Self::Yaml => yaml::parse(text, file_name),
            Self::Requirements => Some(entries::requirements(text)).filter(is_all_requirements),
            Self::Patterns => Some(entries::patterns(text)),
        }
        .filter(has_distinct_keys)
    }

    /// Whether an entry's place among others changes what it means, so that nobody may add or remove one.
    fn is_fixed(self, key: &str) -> bool {
        match self {
            Self::Requirements => entries::is_option(key),
            Self::Patterns => entries::is_negative(key),
            Self::Json | Self::Toml | Self::Yaml => false,
        }
    }

    fn value(self) -> Option<values::Parse> {
        match self {
            Self::Json => Some(values::json),
            Self::Toml => Some(values::toml),
            Self::Yaml => Some(values::yaml),
            Self::Requirements | Self::Patterns => None,
        }
    }
}

/// The merged file, or both orders where the order of a sequence is a choice; `None` where it is no data or both sides
/// changed one entry.
pub(crate) fn merge_data(base: &[u8], ours: &[u8], theirs: &[u8], path: &str) -> Option<Structured> {
    let kind = Kind::of(path)?;
    let form = Form::new([base, ours, theirs])?;
    let texts = form.texts.each_ref().map(String::as_str);
    let [base, ours, theirs] = texts.map(|text| kind.parse(text, file_name(path)));
    let nodes = [base?, ours?, theirs?];
    let mut found = Structured { answers: Vec::new(), is_choice: false, rules: BTreeSet::new() };
    for is_flipped in [false, true] {
        let mut pass = Pass { is_flipped, ..Pass::default() };
        let result = merge_texts(kind, texts, nodes.each_ref(), file_name(path), &mut pass);
        found.is_choice |= pass.has_choice;
        found.rules.insert(if pass.is_raised { Rule::HigherVersion } else { kind.rule() });
        let content = result.map(|result| form.put_back(result));
        found.answers.extend(content.filter(|content| form.frame.check(content).is_ok()));
        if !pass.has_choice {
            break;
        }
        found.rules.insert(Rule::Order);
    }
    found.answers.dedup();
    (!found.answers.is_empty()).then_some(found)
}

/// Whether a merge of lines is the merge of the data that they hold, where that can be said.
///
/// # Errors
/// What is wrong with the result.
pub(crate) fn check_data(base: &[u8], ours: &[u8], theirs: &[u8], result: &[u8], path: &str) -> Result<(), Refusal> {
    let Some((kind, parse)) = Kind::of(path).and_then(|kind| Some((kind, kind.value()?))) else { return Ok(()) };
    if [base, ours, theirs].iter().any(|text| text.len() > MOST_BYTES) {
        return Ok(());
    }
    let bare = |text| std::str::from_utf8(text).ok().map(|text| text.trim_start_matches('\u{feff}'));
    let [Some(base), Some(ours), Some(theirs), Some(result)] = [base, ours, theirs, result].map(bare) else {
        return Ok(());
    };
    let name = file_name(path);
    let versions = [base, ours, theirs];
    if kind == Kind::Yaml {
        return check_yaml(versions, result, name);
    }
    values::check(parse, versions, result, name)?;
    // Parsers of JSON take the last of two members with one key.
    let is_sound = |text| kind == Kind::Json && kind.parse(text, name).is_some();
    if versions.into_iter().all(is_sound) && !is_sound(result) {
        return Err(Refusal::DataKeyTwice);
    }
    Ok(())
}

/// Where a text names parts of itself, what one side changed may be part of what the other side added elsewhere: then it
/// need only be sound.
fn check_yaml(versions: [&str; 3], result: &str, file_name: &str) -> Result<(), Refusal> {
    if versions.into_iter().all(|text| values::yaml(text).is_some()) && values::yaml(result).is_none() {
        let is_twice = values::is_yaml_with_keys_twice(result);
        return Err(if is_twice { Refusal::DataKeyTwice } else { Refusal::DataBroken });
    }
    if versions.into_iter().any(values::has_aliases) {
        return Ok(());
    }
    values::check(values::yaml, versions, result, file_name)
}

/// Whether a file's lists are sequences, whose elements are told apart.
fn is_yaml(file_name: &str) -> bool {
    Kind::of(file_name) == Some(Kind::Yaml)
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn merge_texts(
    kind: Kind,
    texts: [&str; 3],
    [base, ours, theirs]: [&Node<'_>; 3],
    file_name: &str,
    pass: &mut Pass,
) -> Option<String> {
    let fixed = [base, ours, theirs].map(|node| {
        let keys = items(node).iter().map(|item| &*item.key);
        keys.filter(|key| kind.is_fixed(key)).collect::<HashSet<_>>()
    });
    if fixed[0] != fixed[1] || fixed[0] != fixed[2] {
        return None;
    }
    let result = merge_nodes(base, ours, theirs, pass)?;
    let whole = kind.parse(&result, file_name)?;
    if kind != Kind::Json {
        // Comments are no part of the value.
        check_lines(texts, &result).ok()?;
    }
    match kind.value() {
        // Its reader is not the whole language: what the values do not tell is not known.
        Some(parse) if kind == Kind::Yaml => {
            values::is_told(parse, texts, &result, file_name).ok().filter(|is_told| *is_told)?;
        }
        Some(parse) => values::check(parse, texts, &result, file_name).ok()?,
        None => check_entries(kind, [base, ours, theirs], &whole)?,
    }
    Some(result.into_owned())
}

fn items<'n, 'a>(node: &'n Node<'a>) -> &'n [Item<'a>] {
    if let Node::List(list) = node { &list.items } else { &[] }
}

fn is_all_requirements(node: &Node<'_>) -> bool {
    items(node).iter().all(|item| entries::is_requirement(&item.node.text()))
}

/// Whether a list holds what both kept and what either added, and nothing else.
fn check_entries(kind: Kind, versions: [&Node<'_>; 3], result: &Node<'_>) -> Option<()> {
    let texts = |node: &Node<'_>| -> Option<HashSet<String>> {
        let Node::List(list) = node else { return None };
        Some(list.items.iter().map(|item| item.node.text().trim().to_owned()).collect())
    };
    let [base, ours, theirs] = versions.map(texts);
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let lower = match kind {
        Kind::Requirements => {
            let [base, ours, theirs] =
                [&base, &ours, &theirs].map(|set| set.iter().map(String::as_str).collect::<Vec<_>>());
            overruled(&base, &ours, &theirs)
        }
        _ => HashSet::new(),
    };
    let kept = ours.intersection(&theirs).cloned();
    let added = ours.symmetric_difference(&theirs).filter(|text| !base.contains(*text));
    let added = added.filter(|text| !lower.contains(text.as_str())).cloned();
    (texts(result)? == kept.chain(added).collect()).then_some(())
}
