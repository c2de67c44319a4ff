//! What imports bring in, and whether their order says something.

use orchestrator_syntax::statements::{Atom, Body, Item, ItemRole, TokenKind, words_of};
use std::collections::HashSet;

/// What an item is ordered by: its name, or else its words.
pub(super) fn key(item: &Item<'_>) -> Vec<u8> {
    item.name.clone().unwrap_or_else(|| words_of(&item.atoms))
}

/// Whether the imports of a body stand in order.
pub(super) fn are_sorted(body: &Body<'_>) -> bool {
    let keys: Vec<Vec<u8>> = body.items.iter().filter(|item| item.role == ItemRole::Import).map(key).collect();
    keys.len() > 1 && keys.is_sorted()
}

/// Whether the order of imports may mean something: they bring in one name, or none at all.
pub(super) fn are_ordered(one: &[&Item<'_>], two: &[&Item<'_>]) -> bool {
    let mine: HashSet<&[u8]> = one.iter().flat_map(|item| bound(item)).collect();
    let is_for_effect = |item: &Item<'_>| bound(item).is_empty() && !is_system_header(item);
    let is_first =
        |item: &Item<'_>| bound(item).contains(&b"__future__"[..]) || key(item).starts_with(b"from __future__");
    two.iter().flat_map(|item| bound(item)).any(|name| mine.contains(name))
        || one.iter().chain(two).any(|item| is_for_effect(item) || is_first(item))
}

fn is_system_header(item: &Item<'_>) -> bool {
    matches!(item.atoms.last(), Some(Atom::Token(token)) if token.text.starts_with(b"<"))
        || matches!(&item.atoms[..], [Atom::Token(name)] if name.kind == TokenKind::Text)
}

/// The names that an import brings in: its words that no path goes on from.
fn bound<'a>(item: &'a Item<'_>) -> HashSet<&'a [u8]> {
    let mut tokens = Vec::new();
    item.atoms.iter().for_each(|atom| atom.each_token(&mut |token| tokens.push((token.text, token.kind))));
    let from_end = tokens.iter().position(|(text, _)| *text == b"from");
    // Python has the module before the names, JavaScript behind them.
    let (start, end) = match from_end {
        Some(0) => (tokens.iter().position(|(text, _)| *text == b"import").unwrap_or_default(), tokens.len()),
        Some(end) => (0, end),
        None => (0, tokens.len()),
    };
    let words = tokens.get(start..end).unwrap_or_default();
    let mut names = HashSet::new();
    for (at, (text, kind)) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or(&b""[..], |(text, _)| text);
        let is_path = matches!(next, b"." | b"::" | b"\\" | b"as");
        if *kind == TokenKind::Word && !is_path {
            names.insert(*text);
        }
    }
    names
}
