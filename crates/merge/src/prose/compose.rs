//! What both sides put into one place. The order hangs on content alone, never on which side is called ours.

use super::merge::Choosing;
use super::read::{Class, Part};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Parts in an order.
#[derive(Debug)]
pub(super) struct Composed<'v, 'a> {
    pub(super) parts: Vec<&'v Part<'a>>,
    /// Whether the order may mean something.
    pub(super) is_choice: bool,
}

/// Whether the versions that a text tells of fall or rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Falling,
    Rising,
}

impl Direction {
    /// As most neighbours go; falling where there are none.
    pub(super) fn of(versions: [&[Part<'_>]; 3]) -> Self {
        let mut rising = 0_isize;
        for parts in versions {
            let told: Vec<_> = parts.iter().filter_map(version).collect();
            for (one, next) in told.iter().zip(told.iter().skip(1)) {
                rising += match one.cmp(next) {
                    Ordering::Less => 1,
                    Ordering::Equal => 0,
                    Ordering::Greater => -1,
                };
            }
        }
        if rising > 0 { Self::Rising } else { Self::Falling }
    }
}

/// What stands in one gap, of which `before` and `next` are the neighbours. `None` where both put in something that begins
/// alike and goes on in another way.
pub(super) fn compose<'v, 'a>(
    ours: Vec<&'v Part<'a>>,
    theirs: Vec<&'v Part<'a>>,
    before: Option<&Part<'a>>,
    next: Option<&Part<'a>>,
    direction: Direction,
    choosing: Choosing,
) -> Option<Composed<'v, 'a>> {
    let (Some(our), Some(their)) = (ours.first(), theirs.first()) else {
        return Some(Composed { parts: [ours, theirs].concat(), is_choice: false });
    };
    let begins = |part: &&'v Part<'a>| part.text.lines().next().map(|line| (part.class, line.trim()));
    let begun: HashSet<_> = ours.iter().map(begins).collect();
    if theirs.iter().any(|part| begun.contains(&begins(part))) {
        return None;
    }
    let class = our.class;
    let is_alike = ours.iter().chain(&theirs).all(|part| part.class == class);
    if is_alike && matches!(class, Class::Section(_)) && choosing.is_changelog {
        let mut all = [ours.clone(), theirs.clone()].concat();
        all.sort_by(|one, other| in_direction(direction, version(one).cmp(&version(other))));
        let told: Vec<_> = all.iter().filter_map(|part| version(part)).collect();
        if told.len() == all.len() && told.iter().zip(told.iter().skip(1)).all(|(one, next)| one != next) {
            return Some(Composed { parts: all, is_choice: false });
        }
    }
    // Entries above all others are the latest.
    let is_on_top = before.is_none_or(|part| part.class != class) && next.is_some_and(|part| part.class == class);
    let by_number = number(our).cmp(&number(their));
    let by_number = if is_on_top { by_number.reverse() } else { by_number };
    let order = by_number.then_with(|| our.text.cmp(their.text)).then_with(|| keys(&ours).cmp(&keys(&theirs)));
    let means_nothing =
        is_alike && (class == Class::Link || choosing.is_changelog && matches!(class, Class::Entry { .. }));
    let order = if !means_nothing && choosing.is_flipped { order.reverse() } else { order };
    let parts = if order == Ordering::Greater { [theirs, ours].concat() } else { [ours, theirs].concat() };
    Some(Composed { parts, is_choice: !means_nothing })
}

fn keys<'v>(parts: &[&'v Part<'_>]) -> Vec<&'v str> {
    parts.iter().map(|part| part.key.as_str()).collect()
}

fn in_direction(direction: Direction, order: Ordering) -> Ordering {
    if direction == Direction::Falling { order.reverse() } else { order }
}

/// The version that a section tells of; what is not released yet is above all.
fn version(part: &Part<'_>) -> Option<Vec<u64>> {
    if !matches!(part.class, Class::Section(_)) {
        return None;
    }
    let words = part.key.lines().next().unwrap_or_default().to_lowercase();
    if words.contains("unreleased") || matches!(words.as_str(), "head" | "next" | "upcoming" | "dev") {
        return Some(vec![u64::MAX]);
    }
    let from = part.key.find(|c: char| c.is_ascii_digit())?;
    let rest = &part.key[from..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest[..end].split('.').filter(|number| !number.is_empty()).map(|number| number.parse().ok()).collect()
}

/// The number of the issue that an entry names.
fn number(part: &Part<'_>) -> Option<u64> {
    part.text.rmatch_indices(['#', '`', '/', '!']).find_map(|(at, sign)| {
        let rest = &part.text[at + sign.len()..];
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}
