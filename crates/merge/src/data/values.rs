//! The values of data files, and what their merge must be: computed from other parsers than those that merge texts.

use super::is_yaml;
use super::toml::{has_requirements, has_sets, is_set_of};
use super::versions::{Pin, Scheme, overruled};
use super::yaml::{IDENTITIES, identity};
use crate::refusal::Refusal;
use crate::three_way::three_way;
use serde_json::{Map, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use toml_edit::{DocumentMut, Item};

/// What a file holds, without its form.
pub(super) type Parse = fn(&str) -> Option<Value>;

/// The value of a JSON text. Keys that stand twice are looked for elsewhere.
pub(super) fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

/// The value of a TOML text. Values that JSON does not know are texts that say what they are.
pub(super) fn toml(text: &str) -> Option<Value> {
    let document: DocumentMut = text.parse().ok()?;
    Some(of_item(document.as_item()))
}

/// The value of a YAML text none of whose mappings has a key twice: its document's, or the list of its documents'.
pub(super) fn yaml(text: &str) -> Option<Value> {
    let mut documents = documents(text, DuplicateKeyPolicy::Error)?;
    let is_stream =
        documents.len() > 1 || documents.first().is_some_and(|document| name_of_resource(document).is_some());
    if is_stream { Some(Value::Array(documents)) } else { Some(documents.pop().unwrap_or_default()) }
}

/// Whether a YAML text could be read but for keys that stand twice.
pub(super) fn is_yaml_with_keys_twice(text: &str) -> bool {
    documents(text, DuplicateKeyPolicy::LastWins).is_some()
}

/// Whether a text may name parts of itself, so that one place says what stands at another.
pub(super) fn has_aliases(text: &str) -> bool {
    let is_name = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices([' ', '[', ',']).any(|(at, _)| text[at + 1..].strip_prefix('*').is_some_and(is_name))
}

fn documents(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Option<Vec<Value>> {
    let options = serde_saphyr::options! {
        duplicate_keys: duplicate_keys,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
    };
    serde_saphyr::from_multiple_with_options(text, options).ok()
}

fn name_of_resource(document: &Value) -> Option<String> {
    let name = document.get("metadata")?.get("name")?.as_str()?;
    Some(format!("{} {name}", document.get("kind")?.as_str()?))
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => Value::Object(table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect()),
        Item::ArrayOfTables(tables) => {
            let table = |table: &toml_edit::Table| {
                Value::Object(table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect())
            };
            Value::Array(tables.iter().map(table).collect())
        }
    }
}

fn of_value(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => Value::String(text.value().clone()),
        Toml::Integer(number) => Value::from(*number.value()),
        Toml::Float(number) => Value::String(format!("float {}", number.value())),
        Toml::Boolean(truth) => Value::Bool(*truth.value()),
        Toml::Datetime(time) => Value::String(format!("time {}", time.value())),
        Toml::Array(values) => Value::Array(values.iter().map(of_value).collect()),
        Toml::InlineTable(table) => {
            Value::Object(table.iter().map(|(key, value)| (key.to_owned(), of_value(value))).collect())
        }
    }
}

/// Whether a merged text has the value that it must have, where the three values tell what that is.
pub(super) fn check(parse: Parse, texts: [&str; 3], result: &str, file_name: &str) -> Result<(), Refusal> {
    is_told(parse, texts, result, file_name).map(|_| ())
}

/// As [`check`], and whether the three values tell what the merged one must be.
pub(super) fn is_told(parse: Parse, texts: [&str; 3], result: &str, file_name: &str) -> Result<bool, Refusal> {
    let [Some(base), Some(ours), Some(theirs)] = texts.map(parse) else { return Ok(false) };
    let found = parse(result).ok_or(Refusal::DataBroken)?;
    let [base, ours, theirs, found] =
        [base, ours, theirs, found].map(|value| unordered(value, file_name, &mut Vec::new()));
    match merged(Some(&base), Some(&ours), Some(&theirs), Some(&found), file_name, &mut Vec::new()) {
        Ok(expected) if expected.as_ref() != Some(&found) => Err(Refusal::DataValue),
        told => Ok(told.is_ok()),
    }
}

/// Both changed the same.
struct Collision;

/// The three-way merge of values; `None` is one that is not there. Where the sides leave the order of elements open, it is
/// that of `found`.
fn merged<'a>(
    base: Option<&'a Value>,
    ours: Option<&'a Value>,
    theirs: Option<&'a Value>,
    found: Option<&Value>,
    file_name: &str,
    path: &mut Vec<&'a str>,
) -> Result<Option<Value>, Collision> {
    if let Some(value) = three_way(base, ours, theirs) {
        return Ok(value.cloned());
    }
    match (base, ours, theirs) {
        (Some(Value::Object(base)), Some(Value::Object(ours)), Some(Value::Object(theirs))) => {
            let mut object = Map::new();
            for key in ours.keys().chain(theirs.keys().filter(|key| !ours.contains_key(*key))) {
                path.push(key);
                let found = found.and_then(|found| found.get(key));
                let value = merged(base.get(key), ours.get(key), theirs.get(key), found, file_name, path)?;
                path.pop();
                if let Some(value) = value {
                    object.insert(key.clone(), value);
                }
            }
            Ok(Some(Value::Object(object)))
        }
        (Some(Value::Array(base)), Some(Value::Array(ours)), Some(Value::Array(theirs)))
            if is_set_of(file_name, path) =>
        {
            let [before, our, their] = [base, ours, theirs].map(|set| set.iter().map(Value::to_string).collect());
            let [before, our, their]: [HashSet<String>; 3] = [before, our, their];
            let is_kept = |value: &&Value| {
                let text = value.to_string();
                !before.contains(&text) || (our.contains(&text) && their.contains(&text))
            };
            let requirements = |set: &'a [Value]| -> Vec<&'a str> {
                if has_requirements(file_name) { set.iter().filter_map(Value::as_str).collect() } else { Vec::new() }
            };
            let [before, our, their] = [base, ours, theirs].map(|set| requirements(set));
            let lower = overruled(&before, &our, &their);
            let is_overruled = |value: &Value| value.as_str().is_some_and(|text| lower.contains(text));
            let set = ours.iter().chain(theirs).filter(is_kept).filter(|value| !is_overruled(value));
            let mut set: Vec<Value> = set.cloned().collect();
            set.sort_by_cached_key(Value::to_string);
            set.dedup();
            Ok(Some(Value::Array(set)))
        }
        (Some(Value::Array(base)), Some(Value::Array(ours)), Some(Value::Array(theirs))) if is_yaml(file_name) => {
            sequence([base, ours, theirs], found, file_name, path).map(Some)
        }
        (Some(Value::String(base)), Some(Value::String(our)), Some(Value::String(their))) => {
            let pin = |text: &'a str| Pin::at(Scheme::of(file_name), path, text, 0, text.len());
            let [Some(before), Some(one), Some(other)] = [base, our, their].map(|text| pin(text)) else {
                return Err(Collision);
            };
            let order = Pin::higher(&before, &one, &other).ok_or(Collision)?;
            Ok(if order == Ordering::Greater { ours.cloned() } else { theirs.cloned() })
        }
        _ => Err(Collision),
    }
}

/// Elements that both kept or either added, each side's in its order.
fn sequence<'a>(
    versions: [&'a Vec<Value>; 3],
    found: Option<&Value>,
    file_name: &str,
    path: &mut Vec<&'a str>,
) -> Result<Value, Collision> {
    let names = versions.map(|elements| names(elements));
    let [Some(base), Some(ours), Some(theirs)] = &names else { return Err(Collision) };
    let at = |names: &[String], name: &String| names.iter().position(|other| other == name);
    let of = |version: usize, name: &String| at(names[version].as_deref()?, name).map(|at| &versions[version][at]);
    let common = |one: &[String], two: &[String], three: &[String]| -> Vec<String> {
        let is_common = |name: &&String| two.contains(name) && three.contains(name);
        one.iter().filter(is_common).cloned().collect()
    };
    let kept = common(base, ours, theirs);
    if common(ours, base, theirs) != kept || common(theirs, base, ours) != kept {
        return Err(Collision);
    }
    let elements = found.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = self::names(elements).unwrap_or_default();
    let element = |name: &String| at(&named, name).and_then(|at| elements.get(at));
    let mut expected = Vec::new();
    for name in ours.iter().chain(theirs.iter().filter(|name| !ours.contains(name))) {
        if let Some(value) = merged(of(0, name), of(1, name), of(2, name), element(name), file_name, path)? {
            expected.push((name, value));
        }
    }
    let is_in_order = |side: &[String]| {
        let places = side.iter().filter_map(|name| at(&named, name));
        places.is_sorted()
    };
    if is_in_order(ours) && is_in_order(theirs) {
        expected.sort_by_key(|(name, _)| at(&named, name));
    }
    Ok(Value::Array(expected.into_iter().map(|(_, value)| value).collect()))
}

/// What tells each element from the others; `None` where two are alike.
fn names(elements: &[Value]) -> Option<Vec<String>> {
    let name = |element: &Value| {
        let entry = IDENTITIES.iter().find_map(|entry| Some((entry, element.get(entry)?)));
        let value = entry.and_then(|(entry, value)| match value {
            Value::Object(_) | Value::Array(_) | Value::Null => None,
            value => Some(identity(entry, value.as_str().unwrap_or(&value.to_string()))),
        });
        name_of_resource(element).or(value)
    };
    let identities: Vec<_> = elements.iter().map(name).collect();
    let name = |(element, identity): (&Value, &Option<String>)| match identity {
        Some(name) if identities.iter().filter(|other| *other == identity).count() == 1 => name.clone(),
        _ => element.to_string(),
    };
    let names: Vec<_> = elements.iter().zip(&identities).map(name).collect();
    let distinct: HashSet<_> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

/// A value whose sets are in one order.
fn unordered(value: Value, file_name: &str, path: &mut Vec<String>) -> Value {
    match value {
        value if !has_sets(file_name) => value,
        Value::Object(object) => {
            let entries = object.into_iter().map(|(key, value)| {
                path.push(key.clone());
                let value = unordered(value, file_name, path);
                path.pop();
                (key, value)
            });
            Value::Object(entries.collect())
        }
        Value::Array(mut values) => {
            if is_set_of(file_name, &path.iter().map(String::as_str).collect::<Vec<_>>()) {
                values.sort_by_cached_key(Value::to_string);
            }
            Value::Array(values)
        }
        value => value,
    }
}

/// Whether every line stands as often as it can: no comment twice, and none lost that all three have.
pub(crate) fn check_lines(texts: [&str; 3], result: &str) -> Result<(), Refusal> {
    let [base, ours, theirs] = texts.map(counts);
    let found = counts(result);
    let count = |file: &HashMap<&str, usize>, line| file.get(line).copied().unwrap_or_default();
    for line in base.keys().chain(ours.keys()).chain(theirs.keys()).chain(found.keys()) {
        let [in_base, in_ours, in_theirs] = [&base, &ours, &theirs].map(|file| count(file, line));
        let in_result = count(&found, line);
        if in_ours + in_theirs == 0 && !line.starts_with('#') {
            // Parts of both put into one line: what it says is a matter of values.
            continue;
        }
        let most = in_ours.max(in_theirs).max((in_ours + in_theirs).saturating_sub(in_base));
        if in_result > most {
            return Err(Refusal::Repeated { text: (*line).to_owned() });
        }
        if in_result < in_base.min(in_ours).min(in_theirs) {
            return Err(Refusal::LineLost { text: (*line).to_owned() });
        }
    }
    Ok(())
}

/// Lines that say something by themselves, without what sets them apart from their neighbours.
fn counts(text: &str) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for line in text.lines().map(|line| line.trim().trim_end_matches(',')) {
        if line.contains(char::is_alphanumeric) {
            *counts.entry(line).or_default() += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_with_another_value_is_refused() {
        let texts = ["{\"a\": 1, \"b\": 2}", "{\"a\": 1, \"b\": 2, \"o\": 3}", "{\"b\": 2, \"t\": 4}"];
        let refused = |result| check(json, texts, result, "a.json").err();
        assert_eq!(refused("{\"t\": 4, \"b\": 2, \"o\": 3}"), None);
        assert_eq!(refused("{\"t\": 4, \"b\": 2, \"o\": 3,}"), Some(Refusal::DataBroken));
        for wrong in
            ["{\"b\": 2, \"o\": 3}", "{\"a\": 1, \"b\": 2, \"o\": 3, \"t\": 4}", "{\"b\": 2, \"o\": 4, \"t\": 4}"]
        {
            assert_eq!(refused(wrong), Some(Refusal::DataValue), "{wrong}");
        }
        let texts = ["a = 1\n[b]\nc = 1.0\n", "a = 2\n[b]\nc = 1.0\n", "a = 1\nb = { c = 1.5 }\n"];
        assert_eq!(check(toml, texts, "a = 2\nb.c = 1.5\n", "a.toml"), Ok(()));
        assert_eq!(check(toml, texts, "a = 2\nb.c = 1.0\n", "a.toml"), Err(Refusal::DataValue));
        assert_eq!(check(toml, texts, "a = 2\na = 2\nb.c = 1.5\n", "a.toml"), Err(Refusal::DataBroken));
    }

    #[test]
    fn a_comment_that_stands_twice_or_is_gone_is_refused() {
        let texts = ["# c\na = 1\n", "# c\nb = 1\na = 1\n", "# c\nc = 1\na = 1\n"];
        assert_eq!(check_lines(texts, "# c\nb = 1\nc = 1\na = 1\n"), Ok(()));
        assert!(check_lines(texts, "# c\nb = 1\n# c\nc = 1\na = 1\n").is_err());
        assert!(check_lines(texts, "b = 1\nc = 1\na = 1\n").is_err());
    }
}
