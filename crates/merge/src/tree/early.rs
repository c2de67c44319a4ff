//! Definitions that must stand before what uses them: those of C and C++, and macros of Rust.

use orchestrator_syntax::Language;
use orchestrator_syntax::statements::{Atom, Item, ItemRole, TokenKind, Tree};
use std::collections::HashSet;

/// The names of a file's own definitions that stand in it before they are defined.
pub(super) fn used_early(language: Language, tree: &Tree<'_>) -> HashSet<Vec<u8>> {
    let must_come_first = |item: &Item<'_>| match language {
        Language::C | Language::Cpp => item.role == ItemRole::Definition,
        Language::Rust => is_macro(item),
        _ => false,
    };
    let mut early = HashSet::new();
    if !tree.body.items.iter().any(must_come_first) {
        return early;
    }
    let mut seen = HashSet::new();
    for item in &tree.body.items {
        if let Some(name) = item.name.as_ref().filter(|name| must_come_first(item) && seen.contains(&name[..])) {
            early.insert(name.clone());
        }
        item.each_token(&mut |token| {
            if token.kind == TokenKind::Word {
                seen.insert(token.text);
            }
        });
    }
    early
}

/// Whether an item defines a macro of Rust.
pub(super) fn is_macro(item: &Item<'_>) -> bool {
    item.atoms.iter().any(|atom| matches!(atom, Atom::Token(token) if token.text.starts_with(b"macro_rules")))
}
