//! Three versions of one list, place by place.

use super::align::gaps;

/// One place.
pub(super) enum Slot<'a, T> {
    /// A part that a side deleted, with what the sides have of it.
    Gone { base: &'a T, one: Option<&'a T>, two: Option<&'a T> },
    /// What the sides put before the next part that all have, or behind the last.
    Gap { one: Vec<&'a T>, two: Vec<&'a T> },
    /// A part that all have.
    Kept { base: &'a T, one: &'a T, two: &'a T },
}

/// The places in order; `to_one` and `to_two` say which part of a side each part of the base is. What a side put before and
/// behind a part that is deleted stands at one place, behind it.
pub(super) fn slots<'a, T>(
    base: &'a [T],
    [one, two]: [&'a [T]; 2],
    [to_one, to_two]: [&[Option<usize>]; 2],
) -> Vec<Slot<'a, T>> {
    let (in_one, in_two) = (gaps(to_one, one.len()), gaps(to_two, two.len()));
    let mut slots = Vec::new();
    let (mut new_one, mut new_two) = (Vec::new(), Vec::new());
    for at in 0..=base.len() {
        new_one.extend(in_one[at].iter().filter_map(|place| one.get(*place)));
        new_two.extend(in_two[at].iter().filter_map(|place| two.get(*place)));
        let of = |to: &[Option<usize>], side: &'a [T]| to.get(at).copied().flatten().and_then(|place| side.get(place));
        let (mine, other) = (of(to_one, one), of(to_two, two));
        match (base.get(at), mine, other) {
            (Some(base), Some(one), Some(two)) => {
                slots.push(Slot::Gap { one: std::mem::take(&mut new_one), two: std::mem::take(&mut new_two) });
                slots.push(Slot::Kept { base, one, two });
            }
            (Some(base), one, two) => slots.push(Slot::Gone { base, one, two }),
            (None, ..) => {
                slots.push(Slot::Gap { one: std::mem::take(&mut new_one), two: std::mem::take(&mut new_two) });
            }
        }
    }
    slots
}
