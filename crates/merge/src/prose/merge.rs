//! The three-way merge of the parts of a section by what they are known by.

use super::compose::{Composed, Direction, compose};
use super::read::{Class, Part, Text};
use super::spacing::Spacing;
use crate::three_way::three_way;
use std::collections::{HashMap, HashSet};

/// A merged text.
#[derive(Debug)]
pub(super) struct Merged {
    /// As written.
    pub(super) text: String,
    /// Its parts in their order, each as what and known by what it was put there.
    pub(super) outline: Vec<(Class, String)>,
    /// Whether an order was chosen that may mean something.
    pub(super) is_choice: bool,
}

/// How the orders are chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choosing {
    /// Whether entries and versions stand by themselves, so that their order means nothing.
    pub(super) is_changelog: bool,
    /// The other way round than usual.
    pub(super) is_flipped: bool,
}

/// Merges three texts. `None` where both changed one part, or one changed and the other removed it.
pub(super) fn merge<'a>(versions: &[Text<'a>; 3], choosing: Choosing) -> Option<Merged> {
    let roots = versions.each_ref().map(|text| &text.root);
    let spacing = Spacing::of(roots);
    let mut merge = Merge { spacing, choosing, text: String::new(), outline: Vec::new(), is_choice: false };
    merge.parts(roots.map(|root| root.parts.as_slice()))?;
    let [base, ours, theirs] = versions.each_ref().map(|text| text.tail);
    merge.text.push_str(three_way(base, ours, theirs).unwrap_or(base));
    Some(Merged { text: merge.text, outline: merge.outline, is_choice: merge.is_choice })
}

struct Merge<'a> {
    spacing: Spacing<'a>,
    choosing: Choosing,
    text: String,
    outline: Vec<(Class, String)>,
    is_choice: bool,
}

/// The parts of one section in one version.
struct Version<'v, 'a> {
    parts: &'v [Part<'a>],
    by_key: HashMap<&'v str, usize>,
}

impl<'v, 'a> Version<'v, 'a> {
    fn new(parts: &'v [Part<'a>]) -> Self {
        Self { parts, by_key: parts.iter().zip(0..).map(|(part, at)| (part.key.as_str(), at)).collect() }
    }

    fn get(&self, key: &str) -> Option<&'v Part<'a>> {
        self.by_key.get(key).and_then(|at| self.parts.get(*at))
    }

    /// The empty lines between two of its parts, where one follows the other.
    fn between(&self, before: Option<&str>, key: &str) -> Option<&'a str> {
        let at = *self.by_key.get(key)?;
        let found = at.checked_sub(1).and_then(|at| self.parts.get(at)).map(|part| part.key.as_str());
        (found == before).then(|| self.parts.get(at).map(|part| part.lead)).flatten()
    }
}

impl<'a> Merge<'a> {
    /// Merges and writes the parts of one section.
    fn parts<'v>(&mut self, versions: [&'v [Part<'a>]; 3]) -> Option<()> {
        let versions = versions.map(Version::new);
        let mut before: Option<&'v Part<'a>> = None;
        for part in self.order(&versions)? {
            self.text.push_str(self.lead(&versions, before, part));
            let [base, ours, theirs] = versions.each_ref().map(|version| version.get(&part.key));
            match (ours, theirs) {
                (Some(ours), Some(theirs)) => self.both(base, ours, theirs)?,
                _ => self.alone(part),
            }
            before = Some(part);
        }
        Some(())
    }

    /// Writes a part that both have.
    fn both(&mut self, base: Option<&Part<'a>>, ours: &Part<'a>, theirs: &Part<'a>) -> Option<()> {
        if (ours.is_double || theirs.is_double)
            && !base.is_some_and(|base| base.written() == ours.written() && base.written() == theirs.written())
        {
            return None;
        }
        let text = match base {
            Some(base) => three_way(base.text, ours.text, theirs.text)?,
            None => (ours.text == theirs.text).then_some(ours.text)?,
        };
        self.text.push_str(text);
        self.outline.push((ours.class, ours.key.clone()));
        self.parts([base.map_or(&[][..], |base| &base.parts), &ours.parts, &theirs.parts])
    }

    /// Writes a part that one side alone has.
    fn alone(&mut self, part: &Part<'a>) {
        self.text.push_str(part.text);
        self.outline.push((part.class, part.key.clone()));
        for inner in &part.parts {
            self.text.push_str(inner.lead);
            self.alone(inner);
        }
    }

    /// The empty lines before a part: as a version has them that has the same part before it, else as is usual.
    fn lead(&self, versions: &[Version<'_, 'a>; 3], before: Option<&Part<'a>>, part: &Part<'a>) -> &'a str {
        let key = before.map(|part| part.key.as_str());
        let [base, ours, theirs] = versions.each_ref().map(|version| version.between(key, &part.key));
        let usual = || self.spacing.usual(before.map(|part| part.class), part.class);
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours == theirs => ours,
            (Some(ours), Some(theirs)) => base.and_then(|base| three_way(base, ours, theirs)).unwrap_or_else(usual),
            (Some(lead), None) | (None, Some(lead)) => lead,
            (None, None) => usual(),
        }
    }

    /// The parts of the merged section in their order.
    fn order<'v>(&mut self, versions: &[Version<'v, 'a>; 3]) -> Option<Vec<&'v Part<'a>>> {
        let [base, ours, theirs] = versions;
        let is_in_both = |part: &&Part<'a>| ours.get(&part.key).is_some() && theirs.get(&part.key).is_some();
        let kept = |version: &Version<'v, 'a>| version.parts.iter().filter(is_in_both).collect::<Vec<_>>();
        let keys = |parts: &[&'v Part<'a>]| parts.iter().map(|part| part.key.as_str()).collect::<Vec<_>>();
        let anchors = kept(ours);
        let order = keys(&anchors);
        let in_base: Vec<_> = order.iter().copied().filter(|key| base.get(key).is_some()).collect();
        if order != keys(&kept(theirs)) || in_base != keys(&kept(base)) {
            return None;
        }
        // What one side removed the other must not have changed.
        for part in base.parts {
            if part.is_double && (ours.get(&part.key).is_none() || theirs.get(&part.key).is_none()) {
                return None;
            }
            let left = match (ours.get(&part.key), theirs.get(&part.key)) {
                (Some(left), None) | (None, Some(left)) => left,
                _ => continue,
            };
            if left.written() != part.written() {
                return None;
            }
        }
        let places: HashMap<&str, usize> = order.iter().copied().zip(1..).collect();
        let removed = [ours, theirs].map(|side| removed_from(base, side, &places, order.len()));
        let [our_new, their_new] = [ours, theirs].map(|side| inserted_into(side, base, &places, order.len()));
        let direction = Direction::of(versions.each_ref().map(|version| version.parts));
        let mut parts = Vec::new();
        for (gap, (ours, theirs)) in our_new.into_iter().zip(their_new).enumerate() {
            if let Some(anchor) = gap.checked_sub(1).and_then(|at| anchors.get(at)) {
                parts.push(*anchor);
            }
            let [our_gone, their_gone] = removed.each_ref().map(|removed| removed.contains(&gap));
            let is_ours_open = !ours.is_empty() && our_gone && (their_gone || !theirs.is_empty());
            let is_theirs_open = !theirs.is_empty() && their_gone && (our_gone || !ours.is_empty());
            if is_ours_open || is_theirs_open {
                return None;
            }
            let next = anchors.get(gap).copied();
            let composed = compose(ours, theirs, parts.last().copied(), next, direction, self.choosing)?;
            let Composed { parts: put, is_choice } = composed;
            self.is_choice |= is_choice;
            parts.extend(put);
        }
        Some(parts)
    }
}

/// The gaps between parts of both sides from which a side removed something.
fn removed_from(
    base: &Version<'_, '_>,
    side: &Version<'_, '_>,
    places: &HashMap<&str, usize>,
    last: usize,
) -> HashSet<usize> {
    let mut gaps = HashSet::new();
    let mut since = 0;
    let mut is_removed = false;
    for part in base.parts {
        if let Some(place) = places.get(part.key.as_str()) {
            if is_removed {
                gaps.extend(since..*place);
            }
            (since, is_removed) = (*place, false);
        } else {
            is_removed |= side.get(&part.key).is_none();
        }
    }
    if is_removed {
        gaps.extend(since..=last);
    }
    gaps
}

/// What a side put into each gap between parts of both sides.
fn inserted_into<'v, 'a>(
    side: &Version<'v, 'a>,
    base: &Version<'_, '_>,
    places: &HashMap<&str, usize>,
    last: usize,
) -> Vec<Vec<&'v Part<'a>>> {
    let mut gaps = vec![Vec::new(); last + 1];
    let mut gap = 0;
    for part in side.parts {
        match places.get(part.key.as_str()) {
            Some(place) => gap = *place,
            None if base.get(&part.key).is_none() => gaps[gap].push(part),
            None => {}
        }
    }
    gaps
}
