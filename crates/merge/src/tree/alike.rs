//! How alike two parts are, when they are not equal: 0 to 99.

use super::version::is_version;
use orchestrator_syntax::Language;
use orchestrator_syntax::statements::{Atom, Element, Item, ItemRole, List, Token, TokenKind};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Tokens by hash, with their number.
pub(super) type Bag = HashMap<u64, u32>;

fn hash(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn add(bag: &mut Bag, token: &Token<'_>) {
    if token.kind != TokenKind::Comment {
        *bag.entry(hash(token.text)).or_default() += 1;
    }
}

pub(super) fn bag_of_atoms(atoms: &[Atom<'_>]) -> Bag {
    let mut bag = Bag::new();
    atoms.iter().for_each(|atom| atom.each_token(&mut |token| add(&mut bag, token)));
    bag
}

/// Twice the tokens in both, of all tokens of both, in hundredths.
pub(super) fn share(one: &Bag, two: &Bag) -> u32 {
    let all: u32 = one.values().chain(two.values()).sum();
    let both: u32 = one.iter().map(|(token, count)| two.get(token).map_or(0, |other| (*other).min(*count))).sum();
    (200 * both).checked_div(all).map_or(0, |share| share.min(99))
}

/// What a statement assigns to: what stands before its first `=` or `:=`.
pub(super) fn target<'a>(item: &'a Item<'_>) -> Option<Vec<&'a [u8]>> {
    let is_assign = |atom: &Atom<'_>| matches!(atom, Atom::Token(token) if matches!(token.text, b"=" | b":="));
    let end = item.atoms.iter().position(is_assign)?;
    let mut words = Vec::new();
    item.atoms[..end].iter().for_each(|atom| atom.each_token(&mut |token| words.push(token.text)));
    Some(words)
}

/// What a statement with statements in it begins with.
fn header<'a, 't>(item: &'a Item<'t>) -> Option<&'a [Atom<'t>]> {
    let end = item.atoms.iter().position(|atom| matches!(atom, Atom::Body(_)))?;
    Some(&item.atoms[..end])
}

/// An item with what it is weighed by.
pub(super) struct Weighed<'a, 't> {
    pub(super) item: &'a Item<'t>,
    bag: Bag,
    header: Option<Bag>,
}

impl<'a, 't> Weighed<'a, 't> {
    pub(super) fn new(item: &'a Item<'t>) -> Self {
        Self { item, bag: bag_of_atoms(&item.atoms), header: header(item).map(bag_of_atoms) }
    }
}

/// How alike two items are that have different tokens.
pub(super) fn items(one_weighed: &Weighed<'_, '_>, two_weighed: &Weighed<'_, '_>) -> u32 {
    let (a, b) = (one_weighed.item, two_weighed.item);
    if a.node != b.node || a.role != b.role {
        return 0;
    }
    let likeness = share(&one_weighed.bag, &two_weighed.bag);
    if a.role == ItemRole::Import {
        return if likeness > 60 { likeness } else { 0 };
    }
    if a.name.is_some() || b.name.is_some() {
        // A definition whose name changed is the same when nearly all of it is.
        return match a.name == b.name {
            true => 95,
            false if likeness > 75 => likeness,
            false => 0,
        };
    }
    let mut weight = likeness;
    match (header(a), header(b)) {
        (Some(one), Some(two)) => {
            let headers = match (&one_weighed.header, &two_weighed.header) {
                (Some(one), Some(two)) => share(one, two),
                _ => 0,
            };
            if super::same_atoms(one, two) {
                weight = weight.max(if one.len() > 2 { 70 } else { 55 });
            } else if headers <= 50 {
                weight = weight * 4 / 5;
            }
        }
        _ => {
            let (one, two) = (target(a), target(b));
            if one.is_some() && one == two {
                weight = weight.max(65);
            }
        }
    }
    if weight >= 50 { weight } else { 0 }
}

/// What an entry is known by: what stands before its first `=`, `:` or `=>`, or all of it when that is one word; without
/// quotes, so that a key is one however it is written.
pub(super) fn key(element: &Element<'_>) -> Option<Vec<u8>> {
    let (key, is_alone) = match &element.atoms[..] {
        [Atom::Token(key), Atom::Token(sign), _, ..] if matches!(sign.text, b"=" | b":" | b"=>") => (key, false),
        [Atom::Token(key)] => (key, true),
        _ => return None,
    };
    let is_key = match key.kind {
        TokenKind::Word => true,
        TokenKind::Text => !is_alone && !key.text.contains(&b'\\'),
        _ => false,
    };
    let text = key.text.trim_ascii();
    let bare = text.iter().copied().filter(|byte| !matches!(byte, b'"' | b'\'' | b':')).collect();
    is_key.then_some(bare)
}

/// Whether an argument is passed by name.
pub(super) fn is_named(element: &Element<'_>, language: Language) -> bool {
    let sign: &[u8] = match language {
        Language::Python => b"=",
        Language::Php | Language::CSharp | Language::Ruby => b":",
        _ => return false,
    };
    matches!(&element.atoms[..], [_, Atom::Token(token), _, ..] if token.text == sign)
}

/// How alike two entries of a list are that have different tokens.
pub(super) fn elements(one: &Element<'_>, two: &Element<'_>) -> u32 {
    let keyed = |element: &Element<'_>| key(element).filter(|_| element.atoms.len() > 1);
    match (keyed(one), keyed(two)) {
        (Some(one), Some(two)) => return if one == two { 90 } else { 0 },
        (Some(_), None) | (None, Some(_)) => return 0,
        (None, None) => {}
    }
    let weight = share(&bag_of_atoms(&one.atoms), &bag_of_atoms(&two.atoms));
    if weight > 50 { weight } else { 0 }
}

/// How alike two atoms are that have different tokens.
pub(super) fn atoms(one: &Atom<'_>, two: &Atom<'_>) -> u32 {
    match (one, two) {
        (Atom::List(one), Atom::List(two)) if opens(one) == opens(two) && one.role == two.role => 40,
        (Atom::Body(one), Atom::Body(two)) if one.open.is_some() == two.open.is_some() => 40,
        (Atom::Token(one), Atom::Token(two)) if is_version(one.text) && is_version(two.text) => 30,
        _ => 0,
    }
}

fn opens<'a>(list: &'a List<'_>) -> Option<&'a [u8]> {
    list.open.map(|token| token.text)
}
