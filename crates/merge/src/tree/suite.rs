//! Tests: what runs in any order, so that two of them at one place mean the same whichever comes first.

use orchestrator_syntax::statements::{Atom, Element, Item, ItemRole, List, ListRole, TokenKind};

/// Calls that name a test or a group of tests.
const CALLS: [&[u8]; 6] = [b"context", b"describe", b"it", b"specify", b"suite", b"test"];

/// Folders with nothing but tests and what they need.
const FOLDERS: [&str; 4] = ["__tests__", "spec", "test", "tests"];

/// Whether a file is one of tests, by where it stands and what it is called.
pub(crate) fn is_of_tests(path: &str) -> bool {
    let mut parts = path.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    let has_suffix = [".test.", ".spec.", "_test.", "_spec."].iter().any(|suffix| name.contains(suffix));
    has_suffix || name.starts_with("test_") || parts.any(|folder| FOLDERS.contains(&folder))
}

/// What a call statement names that has a text first and a function or block last, such as `it("adds", () => {})`.
pub(super) fn called(item: &Item<'_>) -> Option<Vec<u8>> {
    let [Atom::Token(call), rest @ ..] = &item.atoms[..] else { return None };
    if item.role != ItemRole::Statement || !CALLS.contains(&call.text) {
        return None;
    }
    let rest = match rest {
        [rest @ .., Atom::Token(end)] if end.text == b";" => rest,
        rest => rest,
    };
    let name = match rest {
        [Atom::List(arguments)] if arguments.role == ListRole::Arguments => match &arguments.elements[..] {
            [name, .., last] if is_function(last) => match &name.atoms[..] {
                [Atom::Token(name)] => name,
                _ => return None,
            },
            _ => return None,
        },
        // Ruby: a text and a block.
        [name, Atom::Token(open), .., Atom::Token(close)] if open.text == b"do" && close.text == b"end" => match name {
            Atom::Token(name) => name,
            Atom::List(List { open: None, elements, .. }) => match &elements[..] {
                [Element { atoms, .. }] => match &atoms[..] {
                    [Atom::Token(name)] => name,
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    let text = name.text;
    let is_text = name.kind == TokenKind::Text && !text.contains(&b'$') && !text.windows(2).any(|two| two == b"#{");
    let bare = text.strip_prefix(&text[..1])?.strip_suffix(&text[..1])?;
    is_text.then(|| [call.text, b" ", bare].concat())
}

fn is_function(element: &Element<'_>) -> bool {
    let is_sign =
        |atom: &Atom<'_>| matches!(atom, Atom::Token(token) if matches!(token.text, b"=>" | b"function" | b"fn"));
    element.atoms.iter().any(is_sign)
}

/// Whether a definition is a test by its name or by what stands before it: `test_x`, `TestX`, `@Test`.
pub(super) fn is_defined(item: &Item<'_>) -> bool {
    let is_marked = item.atoms.windows(2).any(|atoms| match atoms {
        [Atom::Token(sign), Atom::Token(mark)] => sign.text == b"@" && mark.text.ends_with(b"Test"),
        _ => false,
    });
    let is_named = item.name.as_ref().is_some_and(|name| name.starts_with(b"test") || name.starts_with(b"Test"));
    item.role == ItemRole::Definition && (is_marked || is_named)
}
