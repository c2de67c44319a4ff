//! The values of data files, and what their merge must be: computed from other parsers than those that merge texts.

use super::toml::{has_requirements, has_sets, is_set_of};
use super::versions::{Pin, Scheme, overruled};
use crate::refusal::Refusal;
use crate::three_way::three_way;
use serde_json::{Map, Value};
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
    let [Some(base), Some(ours), Some(theirs)] = texts.map(parse) else { return Ok(()) };
    let found = parse(result).ok_or(Refusal::DataBroken)?;
    let [base, ours, theirs, found] =
        [base, ours, theirs, found].map(|value| unordered(value, file_name, &mut Vec::new()));
    match merged(Some(&base), Some(&ours), Some(&theirs), file_name, &mut Vec::new()) {
        Ok(expected) if expected.as_ref() != Some(&found) => Err(Refusal::DataValue),
        _ => Ok(()),
    }
}

/// Both changed the same.
struct Collision;

/// The three-way merge of values; `None` is one that is not there.
fn merged<'a>(
    base: Option<&'a Value>,
    ours: Option<&'a Value>,
    theirs: Option<&'a Value>,
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
                let value = merged(base.get(key), ours.get(key), theirs.get(key), file_name, path)?;
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
