//! Statements that one side put into a new one: into an `if`, a `with`, a `try`, a loop, a closure. They are put into
//! it in the base and in the other side, too; then what the other side did to them is a change within it.

use super::nested::{Edits, bodies, set_space, space_of};
use super::{Merger, Why};
use orchestrator_syntax::statements::{Body, Item, ItemRole, Tree};
use std::collections::HashSet;
use std::ops::Range;

/// How deep in the new statement the old ones are looked for.
const MOST_LEVELS: usize = 4;

/// Fewest tokens that must stand in the new statement as they stood in the base.
const FEWEST_TOKENS: usize = 3;

/// Where what the other side put right before or behind the statements goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// Before or behind the new statement.
    Outside,
    /// Into it.
    Inside,
}

/// What one side wrapped, done in the other two versions.
pub(super) struct Wraps<'t> {
    edge: Edge,
    pub(super) base: Edits<'t>,
    pub(super) other: Edits<'t>,
    /// Whether the other side put something right before or behind the statements.
    pub(super) has_edges: bool,
    /// Whether somewhere it did, and they are all that the body around has.
    pub(super) is_whole: bool,
}

/// The base's statements, and the new one of one side that holds them.
struct Found<'a, 't> {
    run: Range<usize>,
    wrapper: &'a Item<'t>,
    inner: &'a Body<'t>,
}

/// The other side's statements that stand for a run of the base's.
struct Region {
    items: Range<usize>,
    has_edges: bool,
}

impl Merger {
    /// What `side` wrapped and `other` changed.
    pub(super) fn wraps<'t>(&mut self, [base, side, other]: [&Tree<'t>; 3], edge: Edge) -> Result<Wraps<'t>, Why> {
        let mut wraps =
            Wraps { edge, base: Edits::default(), other: Edits::default(), has_edges: false, is_whole: false };
        self.wraps_in([&base.body, &side.body, &other.body], &mut wraps)?;
        Ok(wraps)
    }

    fn wraps_in<'t>(&mut self, [base, side, other]: [&Body<'t>; 3], wraps: &mut Wraps<'t>) -> Result<(), Why> {
        if side.hash == base.hash || other.hash == base.hash {
            return Ok(());
        }
        let parts = [base, side, other].iter().map(|body| body.items.len()).sum();
        self.enter(parts, |this| {
            let to_other = this.align_items(&base.items, &other.items)?;
            let found = this.wrapped(base, side)?;
            for one in &found {
                wraps.take(base, other, &to_other, one);
            }
            let to_side = this.align_items(&base.items, &side.items)?;
            for (at, item) in base.items.iter().enumerate() {
                let of = |to: &[Option<usize>], body: &'_ Body<'t>| {
                    to.get(at).copied().flatten().filter(|place| *place < body.items.len())
                };
                let (Some(mine), Some(theirs)) = (of(&to_side, side), of(&to_other, other)) else { continue };
                if found.iter().any(|one| one.run.contains(&at)) {
                    continue;
                }
                let all = [item, &side.items[mine], &other.items[theirs]].map(bodies);
                let [before, mine, theirs] = &all;
                if before.len() != mine.len() || before.len() != theirs.len() {
                    continue;
                }
                for ((before, mine), theirs) in before.iter().zip(mine).zip(theirs) {
                    this.wraps_in([before, mine, theirs], wraps)?;
                }
            }
            Ok(())
        })
    }

    /// The runs of the base that stand in new statements of a side.
    fn wrapped<'a, 't>(&mut self, base: &'a Body<'t>, side: &'a Body<'t>) -> Result<Vec<Found<'a, 't>>, Why> {
        let hash = |item: &Item<'t>| item.hash;
        let kept = self.align(&base.items, &side.items, hash, hash, |_, _| 0)?;
        let mut found: Vec<Found<'a, 't>> = Vec::new();
        let (mut at, mut in_side) = (0, 0);
        while at <= base.items.len() {
            // Up to the next statement that stayed as it was.
            let next = (at..base.items.len()).find_map(|next| Some((next, kept[next]?)));
            let (end, side_end) = next.unwrap_or((base.items.len(), side.items.len()));
            for wrapper in &side.items[in_side..side_end] {
                let from = found.last().map_or(at, |last| last.run.end.max(at));
                if from < end {
                    found.extend(self.wrapped_in(base, from..end, wrapper)?);
                }
            }
            (at, in_side) = (end + 1, side_end + 1);
        }
        Ok(found)
    }

    /// Which of some statements of the base stand in a new one.
    fn wrapped_in<'a, 't>(
        &mut self,
        base: &'a Body<'t>,
        gone: Range<usize>,
        wrapper: &'a Item<'t>,
    ) -> Result<Option<Found<'a, 't>>, Why> {
        if wrapper.role == ItemRole::Import {
            return Ok(None);
        }
        let known: HashSet<u64> = base.items[gone.clone()].iter().map(|item| item.hash).collect();
        let mut level = bodies(wrapper);
        let mut best: Option<(usize, Found<'a, 't>)> = None;
        for _ in 0..MOST_LEVELS {
            let has_known = |body: &&&Body<'t>| body.items.iter().any(|item| known.contains(&item.hash));
            for inner in level.iter().filter(has_known) {
                let items = &base.items[gone.clone()];
                let places = self.align_items(items, &inner.items)?;
                let is_same = |(at, place): (usize, &Option<usize>)| {
                    place.is_some_and(|place| inner.items[place].hash == items[at].hash)
                };
                let Some(first) = places.iter().position(Option::is_some) else { continue };
                let Some(last) = places.iter().rposition(Option::is_some) else { continue };
                let all: usize = items[first..=last].iter().map(size).sum();
                let same = places.iter().enumerate().filter(|place| is_same(*place)).map(|(at, _)| size(&items[at]));
                let same: usize = same.sum();
                let is_better = best.as_ref().is_none_or(|(most, _)| same > *most);
                if same >= FEWEST_TOKENS && 2 * same >= all && is_better {
                    let run = gone.start + first..gone.start + last + 1;
                    best = Some((same, Found { run, wrapper, inner }));
                }
            }
            level = level.iter().flat_map(|body| &body.items).flat_map(bodies).collect();
            self.spend(level.len())?;
        }
        Ok(best.map(|(_, found)| found))
    }
}

impl<'t> Wraps<'t> {
    /// Puts the statements of the base and of the other side into the new one, if the other side changed them.
    fn take(&mut self, base: &Body<'t>, other: &Body<'t>, to_other: &[Option<usize>], found: &Found<'_, 't>) {
        let Some(region) = region(&found.run, to_other, other.items.len(), self.edge) else { return };
        let (before, after) = (&base.items[found.run.clone()], &other.items[region.items.clone()]);
        let is_changed = before.len() != after.len()
            || before.iter().zip(after).any(|(one, two)| one.hash != two.hash || !one.has_lead_of(two));
        if !is_changed && !region.has_edges {
            return;
        }
        self.has_edges |= region.has_edges;
        self.is_whole |= region.has_edges && found.run == (0..base.items.len());
        put_in(&mut self.base, before, found);
        put_in(&mut self.other, after, found);
    }
}

/// The statements of the other side that stand for some of the base; `None` where it has none of them.
fn region(run: &Range<usize>, to_other: &[Option<usize>], length: usize, edge: Edge) -> Option<Region> {
    let within = to_other.get(run.clone())?;
    let first = within.iter().flatten().min()?;
    let last = within.iter().flatten().max()?;
    let from = to_other.get(..run.start)?.iter().flatten().max().map_or(0, |last| last + 1);
    let to = to_other.get(run.end..)?.iter().flatten().min().copied().unwrap_or(length);
    // What stands where the first or last of the base is gone stands in its place.
    let is_edge = |end: Option<&Option<usize>>| end.is_some_and(Option::is_some);
    let has_edges = is_edge(within.first()) && from < *first || is_edge(within.last()) && last + 1 < to;
    let start = if is_edge(within.first()) && edge == Edge::Outside { *first } else { from };
    let end = if is_edge(within.last()) && edge == Edge::Outside { last + 1 } else { to };
    Some(Region { items: start..end, has_edges })
}

/// Puts the new statement in the place of some items, with them in it.
fn put_in<'t>(edits: &mut Edits<'t>, items: &[Item<'t>], found: &Found<'_, 't>) {
    let Some((first, rest)) = items.split_first() else { return };
    let mut wrapped = items.to_vec();
    let (wrapper, inner) = (found.wrapper, found.inner.items.first());
    let mut lead = None;
    if let Some(start) = wrapped.first_mut() {
        if !wrapper.lead.is_empty() && inner.is_some_and(|inner| inner.lead.is_empty()) {
            // Comments before the statements stand before the new one.
            lead = Some(std::mem::take(&mut start.lead));
        }
        if !space_of(start).has_newline()
            && let Some(inner) = inner
        {
            set_space(start, space_of(inner));
        }
    }
    let mut filled = Edits::default();
    filled.fill(found.inner, wrapped);
    let mut wrapper = filled.item(wrapper);
    if let Some(lead) = lead {
        wrapper.lead = lead;
    }
    if space_of(&wrapper).has_newline() != space_of(first).has_newline() {
        set_space(&mut wrapper, space_of(first));
    }
    edits.replace(first, vec![wrapper]);
    rest.iter().for_each(|item| edits.replace(item, Vec::new()));
}

/// How many tokens an item has, comments before it left out.
fn size(item: &Item<'_>) -> usize {
    let mut count = 0;
    item.atoms.iter().for_each(|atom| atom.each_token(&mut |_| count += 1));
    count
}
