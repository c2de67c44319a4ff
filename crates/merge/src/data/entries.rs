//! Files of one entry a line: requirements of Python projects, and what tools are to ignore.

use super::tree::{Item, List, Node, Order};
use super::versions::Pin;
use std::borrow::Cow;
use std::collections::HashMap;

/// A requirements file: entries by package, options by their text.
pub(super) fn requirements(text: &str) -> Node<'_> {
    let key = |line: &str| {
        let line = line.trim();
        if is_option(line) { line.to_owned() } else { requirement_name(line) }
    };
    taken_apart(text, key, Pin::of_requirement)
}

/// Whether an entry of a requirements file asks for a package; prose does not.
pub(super) fn is_requirement(entry: &str) -> bool {
    let entry = entry.trim();
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let rest = entry.trim_start_matches(is_part).trim_start();
    is_option(entry) || entry.contains("://") || entry.starts_with(['.', '/']) || !rest.starts_with(is_part)
}

/// A list of patterns. One that stands several times is counted.
pub(super) fn patterns<'a>(text: &'a str) -> Node<'a> {
    let mut counted: HashMap<&'a str, usize> = HashMap::new();
    let key = |line: &'a str| {
        let line = line.trim_end();
        let count = counted.entry(line).or_default();
        *count += 1;
        if *count == 1 { line.to_owned() } else { format!("{line}\n{count}") }
    };
    let mut node = taken_apart(text, key, |_| None);
    if let Node::List(list) = &mut node
        && list.items.iter().any(|item| is_negative(&item.key))
    {
        list.order = Order::Kept;
    }
    node
}

/// Whether a line means something else depending on the lines before it.
pub(super) fn is_option(line: &str) -> bool {
    line.starts_with('-')
}

/// Whether a pattern takes back what others before it say.
pub(super) fn is_negative(line: &str) -> bool {
    line.starts_with('!')
}

/// The package that a requirement is about, as the packaging rules compare names.
pub(super) fn requirement_name(requirement: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name = requirement.trim().split(|c| !is_part(c)).next().unwrap_or_default().to_lowercase();
    name.split(['-', '_', '.']).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

/// Entries with the comments and empty lines before them. A line that ends with a backslash goes on.
fn taken_apart<'a>(
    text: &'a str,
    mut key: impl FnMut(&'a str) -> String,
    pin: fn(&'a str) -> Option<Pin<'a>>,
) -> Node<'a> {
    let (mut items, mut lead, mut start, mut at) = (Vec::new(), 0, None, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let is_entry = start.is_some() || !(line.trim().is_empty() || line.trim_start().starts_with('#'));
        if is_entry {
            let from = *start.get_or_insert(at);
            if !line.trim_end().ends_with('\\') || end == text.len() {
                let entry = &text[from..end];
                let node = Node::pinned(entry, pin(entry));
                items.push(Item { key: Cow::Owned(key(entry)), lead: &text[lead..from], node });
                (lead, start) = (end, None);
            }
        }
        at = end;
    }
    Node::List(List { head: "", items, tail: &text[lead..], separator: "", order: Order::Free })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_taken_apart_is_the_same_when_put_together() {
        for text in
            ["", "\n# c\n", "a==1\nb \\\n  --hash=x \\\n  --hash=y\n\n# c\nC_d[e]>=1 # f\n-r other.txt\n# end\n"]
        {
            assert_eq!(requirements(text).text(), text);
            assert_eq!(patterns(text).text(), text);
        }
    }

    #[test]
    fn packages_are_known_by_their_name() {
        for (requirement, name) in [
            ("Foo_Bar.baz[x]>=1 ; python_version < '3'", "foo-bar-baz"),
            ("a", "a"),
            ("zope--interface~=1", "zope-interface"),
            ("", ""),
        ] {
            assert_eq!(requirement_name(requirement), name);
        }
    }
}
