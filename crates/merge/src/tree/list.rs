//! Entries of one bracketed list.

use super::alike::{elements, is_named, key};
use super::slots::{Slot, slots};
use super::{Choice, Merger, Why, bracket, in_order};
use crate::outcome::Rule;
use orchestrator_syntax::statements::{Atom, Element, List, ListRole, Space, Token, TokenKind, words_of};

impl Merger {
    pub(super) fn list<'t>(&mut self, base: &List<'t>, one: &List<'t>, two: &List<'t>) -> Result<List<'t>, Why> {
        let parts = [base, one, two].iter().map(|list| list.elements.len()).sum();
        self.enter(parts, |this| this.all_entries(base, one, two))
    }

    fn all_entries<'t>(&mut self, base: &List<'t>, one: &List<'t>, two: &List<'t>) -> Result<List<'t>, Why> {
        if one.layout == base.layout {
            return Ok(two.clone());
        }
        if two.layout == base.layout || one.layout == two.layout {
            return Ok(one.clone());
        }
        // The function of a test is what it is called with, however much of it changed.
        let in_test = std::mem::take(&mut self.in_test);
        let is_test = in_test && [one, two].iter().all(|side| side.elements.len() == base.elements.len());
        let hash = |element: &Element<'t>| element.hash;
        let mut to = |side: &List<'t>| match is_test {
            true => Ok((0..side.elements.len()).map(Some).collect()),
            false => self.align(&base.elements, &side.elements, hash, hash, elements),
        };
        let (to_one, to_two) = (to(one)?, to(two)?);
        let mut merged = Vec::new();
        for slot in slots(&base.elements, [&one.elements, &two.elements], [&to_one, &to_two]) {
            match slot {
                Slot::Gone { base, one, two } => {
                    if one.or(two).is_some_and(|kept| kept.hash != base.hash) {
                        return Err(Why::DeletedAndChanged);
                    }
                }
                Slot::Gap { one, two } => merged.extend(self.entries(base.role, one, two)?.into_iter().cloned()),
                Slot::Kept { base: element, one, two } => {
                    let outer = std::mem::replace(&mut self.in_definition, base.role == ListRole::Parameters);
                    let atoms = self.atoms(&element.atoms, &one.atoms, &two.atoms);
                    self.in_definition = outer;
                    let mut entry = Element::new(atoms?, one.comma);
                    entry.after = self.comments(&element.after, &one.after, &two.after)?;
                    entry.seal();
                    merged.push(entry);
                }
            }
        }
        if [one, two].iter().all(|side| side.hash != base.hash) && one.hash != two.hash {
            self.used(Rule::Entries);
            // Where an entry's place says what it is for, that both changes go together is a guess.
            let lists = [base, one, two];
            let has = |list: &List<'t>, hash: u64| list.elements.iter().any(|element| element.hash == hash);
            let is_kept = |element: &Element<'t>| lists.iter().all(|list| has(list, element.hash));
            let mut changed = lists.into_iter().flat_map(|list| &list.elements).filter(|element| !is_kept(element));
            let is_free = match base.role {
                ListRole::Set | ListRole::Keyed | ListRole::Parameters => true,
                ListRole::Arguments => is_test || changed.all(|element| is_named(element, self.language)),
                ListRole::Sequence => false,
            };
            self.is_guess |= !is_free;
        }
        let opens_with = |sign: &[u8]| base.open.is_some_and(|open| open.text == sign);
        if merged.len() == 1 && opens_with(b"(") && [one, two].iter().all(|side| side.elements.len() > 1) {
            // A tuple of one is written in another way.
            return Err(Why::BothChanged);
        }
        separate(&mut merged, [base, one, two]);
        let tail = self.comments(&base.tail, &one.tail, &two.tail)?;
        let (open, close) = (bracket(base.open, one.open, two.open), bracket(base.close, one.close, two.close));
        let mut list = List { role: base.role, open, elements: merged, tail, close, hash: 0, layout: 0 };
        list.seal();
        Ok(list)
    }

    /// What both sides put into one place.
    fn entries<'a, 't>(
        &mut self,
        role: ListRole,
        one: Vec<&'a Element<'t>>,
        mut two: Vec<&'a Element<'t>>,
    ) -> Result<Vec<&'a Element<'t>>, Why> {
        if one.is_empty() || two.is_empty() {
            return Ok(if one.is_empty() { two } else { one });
        }
        if one.iter().map(|element| element.hash).eq(two.iter().map(|element| element.hash)) {
            self.used(Rule::SameInsertion);
            return Ok(one);
        }
        let is_common = |element: &Element<'t>| one.iter().any(|other| other.hash == element.hash);
        if two.iter().any(|element| is_common(element)) {
            if !matches!(role, ListRole::Set | ListRole::Keyed) {
                return Err(Why::BothChanged);
            }
            two.retain(|element| !is_common(element));
            self.used(Rule::SameInsertion);
        }
        let (Some(first), Some(second)) = (one.first(), two.first()) else { return Ok(one) };
        let is_after = words_of(&first.atoms) > words_of(&second.atoms);
        let keys = |list: &[&Element<'t>]| list.iter().map(|element| key(element)).collect::<Vec<_>>();
        let (mine, other) = (keys(&one), keys(&two));
        if mine.iter().flatten().any(|key| other.contains(&Some(key.clone()))) {
            return Err(Why::SameName);
        }
        let is_free = match role {
            ListRole::Set => true,
            ListRole::Keyed => mine.iter().chain(&other).all(Option::is_some),
            ListRole::Arguments => one.iter().chain(&two).all(|element| is_named(element, self.language)),
            ListRole::Parameters | ListRole::Sequence => false,
        };
        if is_free {
            self.used(Rule::Keys);
            return Ok(in_order(one, two, is_after));
        }
        self.used(Rule::Order);
        let choice = match role {
            ListRole::Parameters | ListRole::Arguments => Choice::Positional,
            _ => Choice::Entries,
        };
        let is_flipped = self.is_flipped(choice);
        Ok(in_order(one, two, is_after != is_flipped))
    }
}

/// Puts commas and white space between entries that come from several lists, as those lists have them.
fn separate<'t>(elements: &mut [Element<'t>], [base, one, two]: [&List<'t>; 3]) {
    let lists = [one, two, base];
    let first_space = |list: &List<'t>| list.elements.first().and_then(lead);
    let later_space = |list: &List<'t>| list.elements.iter().skip(1).find_map(lead);
    let spread = lists.iter().find_map(|list| later_space(list));
    // A list of one entry on its own line goes on like that.
    let own_line = lists.iter().filter_map(|list| first_space(list)).find(Space::has_newline);
    let later = spread.or(own_line).unwrap_or(Space { text: b" ", indent: None });
    let first = lists.iter().find(|list| list.hash != base.hash).and_then(|list| first_space(list));
    let comma = lists.iter().flat_map(|list| &list.elements).find_map(|element| element.comma);
    let comma = comma.unwrap_or(Token { space: Space::default(), text: b",", kind: TokenKind::Sign });
    let trails = |list: &List<'t>| list.elements.last().is_some_and(|element| element.comma.is_some());
    let is_trailing = if trails(one) == trails(base) { trails(two) } else { trails(one) };
    let last = elements.len().saturating_sub(1);
    for (at, element) in elements.iter_mut().enumerate() {
        if at < last || is_trailing {
            element.comma.get_or_insert(comma);
        } else {
            element.comma = None;
        }
        let Some(space) = lead(element) else { continue };
        if at == 0 {
            let is_first = lists.iter().filter_map(|list| first_space(list)).any(|first| first.is_like(&space));
            if let (Some(first), false) = (first, is_first) {
                set_lead(element, first);
            }
        } else if space.text.is_empty() {
            set_lead(element, later);
        }
    }
}

fn lead<'t>(element: &Element<'t>) -> Option<Space<'t>> {
    element.atoms.first().and_then(Atom::first).map(|token| token.space)
}

fn set_lead<'t>(element: &mut Element<'t>, space: Space<'t>) {
    if let Some(token) = element.atoms.first_mut().and_then(Atom::first_mut) {
        token.space = space;
    }
}
