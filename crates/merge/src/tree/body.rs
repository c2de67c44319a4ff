//! Statements of one body.

use super::align::EQUAL;
use super::alike::{Weighed, items, target};
use super::check::{has_overloads, names_in};
use super::imports::{are_ordered, are_sorted, key};
use super::nested::{set_space, space_of};
use super::slots::{Slot, slots};
use super::suite;
use super::{Choice, Merger, Why, bracket, in_order};
use crate::outcome::Rule;
use orchestrator_syntax::statements::{Atom, Body, Item, ItemRole, Space, TokenKind};
use std::collections::HashSet;

/// Changes of items beside each other, since the last item that neither side changed.
#[derive(Default)]
struct Neighbours {
    one: Option<Names>,
    two: Option<Names>,
    /// Whether any of them is no definition.
    is_plain: bool,
}

/// Names in changed items.
#[derive(Default)]
struct Names {
    all: HashSet<Vec<u8>>,
    /// Whether what follows may no longer be reached, or is now.
    leaves: bool,
}

impl Names {
    /// Whether both are about one thing.
    fn meets(&self, other: &Self) -> bool {
        self.leaves || other.leaves || !self.all.is_disjoint(&other.all)
    }
}

/// What became of one place: an item of the base, or the place before one.
#[derive(Clone, Copy)]
struct Change<'a, 't> {
    item: Option<&'a Item<'t>>,
    one: &'a [&'a Item<'t>],
    two: &'a [&'a Item<'t>],
}

impl Change<'_, '_> {
    /// The names in what a side has; `None` when it changed nothing.
    fn of(&self, side: &[&Item<'_>]) -> Option<Names> {
        match (self.item, side) {
            (Some(item), [one]) if same(item, one) => return None,
            (None, []) => return None,
            _ => {}
        }
        let mut names = Names::default();
        for item in self.item.iter().chain(side) {
            names.leaves |= item.role == ItemRole::Exit;
            item.each_token(&mut |token| {
                let is_name = token.kind == TokenKind::Word && !token.text.first().is_some_and(u8::is_ascii_digit);
                if is_name && !matches!(token.text, b"self" | b"this" | b"cls") {
                    names.all.insert(token.text.to_vec());
                } else if token.kind == TokenKind::Text {
                    names.all.extend(names_in(token.text).map(<[u8]>::to_vec));
                }
            });
        }
        Some(names)
    }
}

/// Whether two items say the same, comments before them included.
fn same(one: &Item<'_>, two: &Item<'_>) -> bool {
    one.hash == two.hash && one.has_lead_of(two)
}

impl Merger {
    pub(super) fn body<'t>(&mut self, base: &Body<'t>, one: &Body<'t>, two: &Body<'t>) -> Result<Body<'t>, Why> {
        let parts = [base, one, two].iter().map(|body| body.items.len()).sum();
        self.enter(parts, |this| this.statements(base, one, two))
    }

    fn statements<'t>(&mut self, base: &Body<'t>, one: &Body<'t>, two: &Body<'t>) -> Result<Body<'t>, Why> {
        if one.layout == base.layout {
            return Ok(two.clone());
        }
        if two.layout == base.layout || one.layout == two.layout {
            return Ok(one.clone());
        }
        let to_one = self.align_items(&base.items, &one.items)?;
        let to_two = self.align_items(&base.items, &two.items)?;
        let sorts = are_sorted(base);
        let mut merged = Vec::new();
        let mut before = Neighbours::default();
        for slot in slots(&base.items, [&one.items, &two.items], [&to_one, &to_two]) {
            match slot {
                Slot::Gone { base, one, two } => {
                    if one.or(two).is_some_and(|kept| !same(kept, base)) {
                        return Err(Why::DeletedAndChanged);
                    }
                    let [one, two] = [&one, &two].map(Option::as_slice);
                    self.beside(&mut before, Change { item: Some(base), one, two });
                }
                Slot::Gap { one, two } => {
                    self.beside(&mut before, Change { item: None, one: &one, two: &two });
                    merged.extend(self.gap(&one, &two, sorts)?);
                }
                // An item that stayed parts what is before it from what is behind it.
                Slot::Kept { base, one, two } if same(one, base) && same(two, base) => {
                    before = Neighbours::default();
                    merged.push(self.item(base, one, two)?);
                }
                Slot::Kept { base, one, two } => {
                    self.beside(&mut before, Change { item: Some(base), one: &[one], two: &[two] });
                    merged.push(self.item(base, one, two)?);
                }
            }
        }
        if merged.is_empty() && [base, one, two].iter().all(|body| !body.items.is_empty()) {
            // Together they took everything out, which neither did.
            return Err(Why::BothChanged);
        }
        part_lines(&mut merged, [base, one, two]);
        let mut body = Body {
            outer: if one.indent == base.indent { two.outer } else { one.outer },
            indent: if one.indent == base.indent { two.indent } else { one.indent },
            open: bracket(base.open, one.open, two.open),
            items: merged,
            tail: self.comments(&base.tail, &one.tail, &two.tail)?,
            close: bracket(base.close, one.close, two.close),
            after: self.comments(&base.after, &one.after, &two.after)?,
            hash: 0,
            layout: 0,
        };
        body.seal();
        Ok(body)
    }

    /// Notes that the sides changed places beside each other. Where both changes are about one name, and not about
    /// definitions, that they go together is a guess.
    fn beside(&mut self, before: &mut Neighbours, change: Change<'_, '_>) {
        let mut all = change.item.iter().chain(change.one).chain(change.two);
        let is_plain = all.any(|item| item.role != ItemRole::Definition && self.test(item).is_none());
        let (one, two) = (change.of(change.one), change.of(change.two));
        let (had_one, had_two) = (before.one.is_some(), before.two.is_some());
        before.is_plain |= is_plain && (one.is_some() || two.is_some());
        let is_crossing = (one.is_some() && had_two) || (two.is_some() && had_one);
        for (names, new) in [(&mut before.one, one), (&mut before.two, two)] {
            if let Some(new) = new {
                let names = names.get_or_insert_default();
                names.all.extend(new.all);
                names.leaves |= new.leaves;
            }
        }
        if !is_crossing {
            return;
        }
        if !before.is_plain {
            self.used(Rule::BesideDefinitions);
            return;
        }
        self.used(Rule::BesideStatements);
        if let (Some(one), Some(two)) = (&before.one, &before.two) {
            self.is_guess |= one.meets(two);
        }
    }

    pub(super) fn align_items<'t>(
        &mut self,
        before: &[Item<'t>],
        after: &[Item<'t>],
    ) -> Result<Vec<Option<usize>>, Why> {
        // Bags are made only where something differs.
        let start = before.iter().zip(after).take_while(|(one, two)| one.hash == two.hash).count();
        let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
        let end = rest.take_while(|(one, two)| one.hash == two.hash).count();
        let weighed = |items: &'_ [Item<'t>]| items.len() - end;
        let (one_end, two_end) = (weighed(before), weighed(after));
        let one: Vec<Weighed<'_, '_>> = before[start..one_end].iter().map(Weighed::new).collect();
        let two: Vec<Weighed<'_, '_>> = after[start..two_end].iter().map(Weighed::new).collect();
        // What stands elsewhere as it was, is not what stands in its place.
        let (moved, came) = (once(&two), once(&one));
        let has_tests = self.has_tests;
        let alike = |one: &Weighed<'_, '_>, two: &Weighed<'_, '_>| {
            let is_moved = moved.contains(&one.item.hash) || came.contains(&two.item.hash);
            let name = if has_tests { suite::called(one.item) } else { None };
            match name.is_some() && name == suite::called(two.item) {
                _ if is_moved => 0,
                true => 95,
                false => items(one, two),
            }
        };
        let inner = self.align(&one, &two, |one| one.item.hash, |two| two.item.hash, alike)?;
        let mut found: Vec<Option<usize>> = (0..start).map(Some).collect();
        found.extend(inner.into_iter().map(|place| place.map(|place| place + start)));
        found.extend((0..end).map(|at| Some(two_end + at)));
        Ok(found)
    }

    /// What both sides put into one place.
    fn gap<'t>(&mut self, one: &[&Item<'t>], two: &[&Item<'t>], sorts: bool) -> Result<Vec<Item<'t>>, Why> {
        let overloads = has_overloads(self.language);
        let alike = |one: &&Item<'t>, two: &&Item<'t>| inserted(one, two, overloads);
        let matched = self.align(one, two, |one| one.hash, |two| two.hash, alike)?;
        let (mut merged, mut from_one) = (Vec::new(), Vec::new());
        let mut next = 0;
        for (item, place) in one.iter().copied().zip(matched) {
            let Some(place) = place else {
                from_one.push(item);
                continue;
            };
            let from_two = two[next..place].to_vec();
            merged.extend(self.both(std::mem::take(&mut from_one), from_two, sorts)?.into_iter().cloned());
            next = place + 1;
            let other = two[place];
            if item.hash != other.hash {
                return Err(Why::SameName);
            }
            self.used(Rule::SameInsertion);
            let mut item = item.clone();
            item.lead = self.comments(&[], &item.lead, &other.lead)?;
            merged.push(item);
        }
        merged.extend(self.both(from_one, two[next..].to_vec(), sorts)?.into_iter().cloned());
        Ok(merged)
    }

    /// Different things at one place.
    fn both<'a, 't>(
        &mut self,
        one: Vec<&'a Item<'t>>,
        two: Vec<&'a Item<'t>>,
        sorts: bool,
    ) -> Result<Vec<&'a Item<'t>>, Why> {
        let (Some(first), Some(second)) = (one.first(), two.first()) else {
            return Ok(if one.is_empty() { two } else { one });
        };
        let all = |role: ItemRole| one.iter().chain(&two).all(|item| item.role == role);
        let is_after = key(first) > key(second);
        if all(ItemRole::Import) {
            self.used(Rule::Imports);
            self.is_guess |= are_ordered(&one, &two);
            let mut both = in_order(one, two, is_after);
            if sorts {
                both.sort_by_key(|item| key(item));
            }
            return Ok(both);
        }
        if all(ItemRole::Definition) {
            if one.iter().any(|item| two.iter().any(|other| item.name.is_some() && item.name == other.name)) {
                if !has_overloads(self.language) {
                    return Err(Why::SameName);
                }
                self.is_guess = true;
            }
            self.used(Rule::Definitions);
            // What decorators register is often looked for in order.
            let has_tests = self.has_tests;
            let is_registered = |item: &&Item<'_>| is_decorated(item) && !(has_tests && suite::is_defined(item));
            self.is_guess |= [&one, &two].iter().all(|items| items.iter().any(is_registered));
            return Ok(in_order(one, two, is_after));
        }
        let tests = |items: &[&Item<'_>]| items.iter().map(|item| self.test(item)).collect::<Option<Vec<_>>>();
        if let (Some(mine), Some(other)) = (tests(&one), tests(&two)) {
            if mine.iter().any(|name| other.contains(name)) {
                return Err(Why::SameName);
            }
            self.used(Rule::Tests);
            return Ok(in_order(one, two, is_after));
        }
        self.used(Rule::Order);
        // What leaves the body goes last.
        let leaves = |items: &[&Item<'_>]| items.last().is_some_and(|item| item.role == ItemRole::Exit);
        let usual = match (leaves(&one), leaves(&two)) {
            (true, false) => true,
            (false, true) => false,
            _ => is_after,
        };
        let is_flipped = self.is_flipped(Choice::Statements);
        Ok(in_order(one, two, usual != is_flipped))
    }
}

impl Merger {
    /// The test that a statement is, by its name.
    fn test(&self, item: &Item<'_>) -> Option<Vec<u8>> {
        suite::called(item).filter(|_| self.has_tests)
    }
}

/// The items that stand once.
fn once(items: &[Weighed<'_, '_>]) -> HashSet<u64> {
    let (mut once, mut seen) = (HashSet::new(), HashSet::new());
    for item in items {
        let hash = item.item.hash;
        if seen.insert(hash) {
            once.insert(hash);
        } else {
            once.remove(&hash);
        }
    }
    once
}

fn is_decorated(item: &Item<'_>) -> bool {
    item.atoms.first().and_then(Atom::first).is_some_and(|token| token.text == b"@")
}

/// Puts items on lines of their own that were first in their file, and takes the line away before one that is first now.
fn part_lines<'t>(items: &mut [Item<'t>], bodies: [&Body<'t>; 3]) {
    let is_on_lines = bodies.iter().flat_map(|body| body.items.iter().skip(1)).any(|item| space_of(item).has_newline());
    let firsts: Vec<Space<'t>> = bodies.iter().filter_map(|body| body.items.first()).map(space_of).collect();
    for (at, item) in items.iter_mut().enumerate() {
        let space = space_of(item);
        let is_first_of_file = firsts.iter().all(|first| first.text.is_empty());
        match at {
            0 if is_first_of_file && space.has_newline() => set_space(item, Space::default()),
            1.. if is_on_lines && space.text.is_empty() => {
                // As far apart as it was from what follows it where it was the first.
                let own = bodies.iter().find(|body| body.items.first().is_some_and(|first| first.hash == item.hash));
                let behind = own.and_then(|body| body.items.get(1)).map(space_of).filter(Space::has_newline);
                set_space(item, behind.unwrap_or(Space { text: b"\n", indent: None }));
            }
            _ => {}
        }
    }
}

/// How alike two inserted items are that have different tokens.
fn inserted(one: &Item<'_>, two: &Item<'_>, overloads: bool) -> u32 {
    if !overloads
        && one.role == ItemRole::Definition
        && one.node == two.node
        && one.name.is_some()
        && one.name == two.name
    {
        return EQUAL - 10;
    }
    let (to, other) = (target(one), target(two));
    if to.is_some() && to == other { 50 } else { 0 }
}
