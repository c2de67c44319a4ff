//! The three-way merge of entries by their keys. Nothing hangs on which side is called ours: where both inserted at one
//! place, content decides the order.

use super::tree::{Item, List, Node, Order, says_same};
use super::versions::Pin;
use crate::three_way::three_way;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// One pass over a file.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Whether entries that both put into one place of a sequence go the other way round than usual.
    pub(super) is_flipped: bool,
    /// Whether there are such entries.
    pub(super) has_choice: bool,
    /// Whether a version stands that both raised.
    pub(super) is_raised: bool,
}

/// A merged node as text, or `None` where both changed the same.
pub(super) fn merge_nodes<'a>(
    base: &Node<'a>,
    ours: &Node<'a>,
    theirs: &Node<'a>,
    pass: &mut Pass,
) -> Option<Cow<'a, str>> {
    if ours == theirs || theirs == base {
        return Some(ours.text());
    }
    if ours == base {
        return Some(theirs.text());
    }
    match (base, ours, theirs) {
        (Node::List(base), Node::List(ours), Node::List(theirs)) => {
            merge_lists(base, ours, theirs, pass).map(Cow::Owned)
        }
        _ if ours.means(theirs) => Some(one_of(ours.text(), theirs.text())),
        _ if theirs.means(base) => Some(ours.text()),
        _ if ours.means(base) => Some(theirs.text()),
        (
            Node::Leaf { pin: Some(before), .. },
            Node::Leaf { pin: Some(our), .. },
            Node::Leaf { pin: Some(their), .. },
        ) => {
            let order = Pin::higher(before, our, their)?;
            pass.is_raised = true;
            Some(if order == Ordering::Greater { ours.text() } else { theirs.text() })
        }
        _ => None,
    }
}

/// A merged list as text.
fn merge_lists(base: &List<'_>, ours: &List<'_>, theirs: &List<'_>, pass: &mut Pass) -> Option<String> {
    let merged = Merge::new(base, ours, theirs)?;
    let mut items = Vec::new();
    for key in merged.order(pass)? {
        items.push(merged.item(key, pass)?);
    }
    even_leads(base, &mut items);
    let head = three_way(base.head, ours.head, theirs.head)?;
    let tail = three_way(base.tail, ours.tail, theirs.tail)?;
    // One side emptied the list and so drew its brackets together.
    let is_drawn_apart = items.first().is_some_and(|(lead, _)| lead.contains('\n'));
    if !base.separator.is_empty() && is_drawn_apart && !tail.contains('\n') {
        return None;
    }
    let items: Vec<_> = items.into_iter().map(|(lead, text)| [lead, text].concat()).collect();
    Some([head, &items.join(base.separator), tail].concat())
}

/// One of two texts that mean the same.
fn one_of<T: AsRef<str>>(one: T, other: T) -> T {
    let rank = |text: &T| (text.as_ref().len(), text.as_ref().to_owned());
    if rank(&one) <= rank(&other) { one } else { other }
}

/// In a list on one line, entries are set apart as the base has it, whichever of them comes first now.
fn even_leads<'a>(base: &List<'a>, items: &mut [(Cow<'a, str>, Cow<'a, str>)]) {
    if base.separator.is_empty() || items.iter().any(|(lead, _)| lead.contains('\n')) {
        return;
    }
    let first = base.items.first().map(|item| item.lead);
    let other = base.items.get(1).map_or(" ", |item| item.lead);
    for (at, (lead, _)) in items.iter_mut().enumerate() {
        match (at, first) {
            (0, Some(first)) => *lead = Cow::Borrowed(first),
            (0, None) => {}
            _ => *lead = Cow::Borrowed(other),
        }
    }
}

/// Whether entries of the base are gone from a place.
#[derive(Debug, Clone, Copy, Default)]
struct Removed {
    by_one: bool,
    by_both: bool,
}

struct Merge<'l, 'a> {
    lists: [&'l List<'a>; 3],
    base: HashMap<&'l str, &'l Item<'a>>,
    ours: HashMap<&'l str, &'l Item<'a>>,
    theirs: HashMap<&'l str, &'l Item<'a>>,
}

impl<'l, 'a> Merge<'l, 'a> {
    /// `None` where a key stands twice.
    fn new(base: &'l List<'a>, ours: &'l List<'a>, theirs: &'l List<'a>) -> Option<Self> {
        let by_key = |list: &'l List<'a>| {
            let items: HashMap<_, _> = list.items.iter().map(|item| (&*item.key, item)).collect();
            (items.len() == list.items.len()).then_some(items)
        };
        Some(Self { base: by_key(base)?, ours: by_key(ours)?, theirs: by_key(theirs)?, lists: [base, ours, theirs] })
    }

    fn keys(&self, list: usize) -> impl Iterator<Item = &'l str> + use<'l, 'a> {
        self.lists[list].items.iter().map(|item| &*item.key)
    }

    /// The keys of the merged list, in its order.
    fn order(&self, pass: &mut Pass) -> Option<Vec<&'l str>> {
        let rank = self.lists.iter().map(|list| list.order).max()?;
        let in_both = self.in_both(rank)?;
        let [ours, theirs] = [self.inserted(1, &in_both)?, self.inserted(2, &in_both)?];
        let sorted = self.sorted_by();
        let removed = self.removed(&in_both);
        let mut order = Vec::new();
        for (gap, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
            if gap > 0 {
                order.push(in_both[gap - 1]);
            }
            let (is_one, is_both) = (ours.is_empty() != theirs.is_empty(), !ours.is_empty() && !theirs.is_empty());
            let is_replaced_by_both = removed[gap].by_both && (is_both || (is_one && rank == Order::Sequence));
            if is_replaced_by_both || (rank == Order::Fixed && is_both) {
                return None;
            }
            if rank == Order::Sequence && is_both {
                if removed[gap].by_one {
                    return None;
                }
                pass.has_choice = true;
                let is_swapped = (theirs < ours) != pass.is_flipped;
                order.extend(if is_swapped { [theirs, ours].concat() } else { [ours, theirs].concat() });
                continue;
            }
            order.extend(self.composed(ours, theirs, sorted));
        }
        Some(order)
    }

    /// What went from each gap between keys of both. New keys of both in a row share what went there.
    fn removed(&self, in_both: &[&'l str]) -> Vec<Removed> {
        let place: HashMap<_, _> = in_both.iter().zip(1..).map(|(key, gap)| (*key, gap)).collect();
        let mut gaps = vec![Removed::default(); in_both.len() + 1];
        let (mut from, mut here) = (0, Removed::default());
        for key in self.keys(0).map(Some).chain([None]) {
            let end = match key {
                None => in_both.len() + 1,
                Some(key) => match place.get(key) {
                    Some(gap) => *gap,
                    None => {
                        let is_kept = self.ours.contains_key(key) || self.theirs.contains_key(key);
                        here.by_one |= is_kept;
                        here.by_both |= !is_kept;
                        continue;
                    }
                },
            };
            gaps.get_mut(from..end).unwrap_or_default().fill(here);
            (from, here) = (end, Removed::default());
        }
        gaps
    }

    /// The keys that both sides have, in the order of the side that changed it; where the order means something, only when
    /// neither did.
    fn in_both(&self, order: Order) -> Option<Vec<&'l str>> {
        let ours: Vec<_> = self.keys(1).filter(|key| self.theirs.contains_key(key)).collect();
        let theirs: Vec<_> = self.keys(2).filter(|key| self.ours.contains_key(key)).collect();
        let old = |keys: &[&'l str]| -> Vec<&'l str> {
            keys.iter().copied().filter(|key| self.base.contains_key(key)).collect()
        };
        let base: Vec<_> =
            self.keys(0).filter(|key| self.ours.contains_key(key) && self.theirs.contains_key(key)).collect();
        match (old(&ours) == base, old(&theirs) == base) {
            changed if order > Order::Free => (changed == (true, true) && ours == theirs).then_some(ours),
            (true, true) => Some(ours.min(theirs)),
            (false, true) => Some(ours),
            (true, false) => Some(theirs),
            (false, false) => (ours == theirs).then_some(ours),
        }
    }

    /// What one side alone added, by the gap between keys of both that it stands in. `None` where one side deleted what
    /// the other changed.
    fn inserted(&self, side: usize, in_both: &[&'l str]) -> Option<Vec<Vec<&'l str>>> {
        let place: HashMap<_, _> = in_both.iter().zip(1..).map(|(key, gap)| (*key, gap)).collect();
        let mut gaps = vec![Vec::new(); in_both.len() + 1];
        let mut gap = 0;
        for item in &self.lists[side].items {
            if let Some(at) = place.get(&*item.key) {
                gap = *at;
                continue;
            }
            match self.base.get(&*item.key) {
                Some(base) if base.node.means(&item.node) && says_same(base.lead, item.lead) => {}
                Some(_) => return None,
                None => gaps[gap].push(&*item.key),
            }
        }
        Some(gaps)
    }

    /// The order that all three lists keep, if there is one.
    fn sorted_by(&self) -> Option<fn(&str) -> Cow<'_, str>> {
        let orders: [fn(&str) -> Cow<'_, str>; 2] = [|key| Cow::Borrowed(key), |key| Cow::Owned(key.to_lowercase())];
        let enough = self.lists[0].items.len() > 1;
        orders.into_iter().find(|by| enough && [0, 1, 2].iter().all(|list| self.keys(*list).is_sorted_by_key(by)))
    }

    /// Both sides' new entries of one gap: in the file's order where it has one, else each side's together.
    fn composed(
        &self,
        ours: Vec<&'l str>,
        theirs: Vec<&'l str>,
        sorted: Option<fn(&str) -> Cow<'_, str>>,
    ) -> Vec<&'l str> {
        let is_bare = |key: &&str| {
            let item = self.ours.get(key).or_else(|| self.theirs.get(key));
            item.is_some_and(|item| item.lead.trim().is_empty() && item.lead.matches('\n').count() < 2)
        };
        match sorted {
            Some(by) if ours.iter().chain(&theirs).all(is_bare) => {
                let mut all = [ours, theirs].concat();
                all.sort_by(|one, other| by(one).cmp(&by(other)).then(one.cmp(other)));
                all
            }
            _ if ours <= theirs => [ours, theirs].concat(),
            _ => [theirs, ours].concat(),
        }
    }

    /// Lead and text of an entry that is in the merged list.
    fn item(&self, key: &str, pass: &mut Pass) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let (lead, text) = match (self.base.get(key), self.ours.get(key), self.theirs.get(key)) {
            (Some(base), Some(ours), Some(theirs)) => {
                let lead = three_way(base.lead, ours.lead, theirs.lead)?;
                (lead, merge_nodes(&base.node, &ours.node, &theirs.node, pass)?)
            }
            (None, Some(ours), Some(theirs)) if ours.node.means(&theirs.node) && says_same(ours.lead, theirs.lead) => {
                (one_of(ours.lead, theirs.lead), one_of(ours.node.text(), theirs.node.text()))
            }
            (None, Some(item), None) | (None, None, Some(item)) => (item.lead, item.node.text()),
            _ => return None,
        };
        Some((Cow::Borrowed(lead), text))
    }
}

/// Whether no key stands in a list twice, at any depth.
pub(super) fn has_distinct_keys(node: &Node<'_>) -> bool {
    let Node::List(list) = node else { return true };
    let keys: HashSet<_> = list.items.iter().map(|item| &item.key).collect();
    keys.len() == list.items.len() && list.items.iter().all(|item| has_distinct_keys(&item.node))
}
