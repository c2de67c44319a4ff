//! The same text but for the order of the entries of unordered lists.

use std::collections::BTreeMap;

/// Whether two texts say the same line by line, each list's entries in any order and however many empty lines stand between
/// them. An entry goes from its sign to the next entry that is not indented deeper, or to what is not indented deeper and
/// follows an empty line.
pub(crate) fn same(one: &[u8], two: &[u8]) -> bool {
    let [one, two] = [one, two].map(|text| String::from_utf8_lossy(text).into_owned());
    let (one, two) = (parts(&one), parts(&two));
    one == two && one.iter().any(|part| matches!(part, Part::List(_)))
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Line(String),
    /// How often each entry stands in it.
    List(BTreeMap<Vec<String>, usize>),
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut entry: Option<(usize, Vec<String>)> = None;
    let mut is_after_empty = false;
    for line in text.lines() {
        if line.trim().is_empty() {
            is_after_empty = true;
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let is_entry = ["- ", "* ", "+ "].iter().any(|sign| line.trim_start().starts_with(sign));
        let goes_on = entry.as_ref().is_some_and(|(deep, _)| indent > *deep || !is_entry && !is_after_empty);
        if !goes_on {
            end(&mut parts, entry.take());
        }
        let is_next_entry = is_entry && matches!(parts.last(), Some(Part::List(_)));
        if entry.is_none() && is_after_empty && !is_next_entry {
            parts.push(Part::Line(String::new()));
        }
        let line = line.trim_end().to_owned();
        match &mut entry {
            Some((_, lines)) => lines.push(line),
            None if is_entry => entry = Some((indent, vec![line])),
            None => parts.push(Part::Line(line)),
        }
        is_after_empty = false;
    }
    end(&mut parts, entry);
    parts
}

fn end(parts: &mut Vec<Part>, entry: Option<(usize, Vec<String>)>) {
    let Some((_, lines)) = entry else { return };
    match parts.last_mut() {
        Some(Part::List(entries)) => *entries.entry(lines).or_default() += 1,
        _ => parts.push(Part::List(BTreeMap::from([(lines, 1)]))),
    }
}
