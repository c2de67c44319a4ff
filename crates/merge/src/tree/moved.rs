//! Definitions and members that one side moved and the other edited where they were: the edit goes to the new place. The
//! side that moved one gets the edited one there, and the other side that of the base; then one has moved it with the
//! edit, and the other has left it alone.

use super::check::items;
use super::early::is_macro;
use super::nested::{Edits, bodies, place, set_space, space_of};
use super::{Merger, Why, same_atoms};
use orchestrator_syntax::Language;
use orchestrator_syntax::statements::{Atom, Body, Item, ItemRole, TokenKind, Tree, words_of};
use std::collections::{HashMap, HashSet};

/// What one side moved, with what the other side did to it.
pub(super) struct Moves<'t> {
    /// For the side that moved it.
    pub(super) side: Edits<'t>,
    /// For the side that edited it.
    pub(super) other: Edits<'t>,
    /// Whether the place may mean something to the edit.
    pub(super) is_guess: bool,
}

/// Kind and name.
type Known = (u16, Option<Vec<u8>>);

/// Which items of a side are those of the base.
#[derive(Default)]
struct Pairs<'a, 't> {
    /// What the base has and the side has not, at that place.
    gone: Vec<Placed<'a, 't>>,
    new: Vec<Placed<'a, 't>>,
    /// The side's item for one of the base, by where that lies in memory.
    kept: HashMap<usize, &'a Item<'t>>,
}

/// An item and where it stands.
#[derive(Clone)]
struct Placed<'a, 't> {
    item: &'a Item<'t>,
    body: &'a Body<'t>,
    /// What it stands in, by name.
    parent: Vec<u8>,
}

/// Whether it is something that others know by its name.
fn is_entity(item: &Item<'_>) -> bool {
    matches!(item.role, ItemRole::Definition | ItemRole::Field) && item.name.is_some()
}

impl Merger {
    /// What `side` moved without changing it, and `other` edited.
    pub(super) fn moves<'t>(&mut self, [base, side, other]: [&Tree<'t>; 3]) -> Result<Moves<'t>, Why> {
        let mut moves = Moves { side: Edits::default(), other: Edits::default(), is_guess: false };
        let mut moved = Pairs::default();
        self.pair(&base.body, &side.body, b"", &mut moved)?;
        if !moved.gone.iter().any(|gone| is_entity(gone.item)) {
            return Ok(moves);
        }
        let mut edited = Pairs::default();
        self.pair(&base.body, &other.body, b"", &mut edited)?;
        let counts = [base, side].map(|tree| items(&tree.body));
        let alike = [base, side, other].map(|tree| named_alike(&tree.body));
        for gone in moved.gone.iter().filter(|gone| is_entity(gone.item)) {
            let is_it = |new: &&Placed<'_, '_>| {
                let (one, two) = (new.item, gone.item);
                (one.hash, one.node, one.role, &one.name) == (two.hash, two.node, two.role, &two.name)
            };
            let Some(new) = moved.new.iter().find(is_it) else { continue };
            let is_single = counts.iter().all(|counts| counts.get(&gone.item.hash) == Some(&1));
            let is_only_name = alike.iter().all(|alike| !alike.contains(&known_by(gone.item)));
            let Some(kept) = edited.kept.get(&place(gone.item)).filter(|_| is_single && is_only_name) else { continue };
            if kept.hash == gone.item.hash && kept.has_lead_of(gone.item) {
                continue;
            }
            let mut there = (*kept).clone();
            there.lead = self.comments(&gone.item.lead, &new.item.lead, &kept.lead)?;
            set_space(&mut there, space_of(new.item));
            moves.side.replace(new.item, vec![there]);
            let mut here = gone.item.clone();
            set_space(&mut here, space_of(kept));
            moves.other.replace(kept, vec![here]);
            moves.is_guess |= !is_free(gone, new, kept, &moved, self.language);
        }
        Ok(moves)
    }

    /// Which items of `after` are those of `before`, all the way down.
    fn pair<'a, 't>(
        &mut self,
        before: &'a Body<'t>,
        after: &'a Body<'t>,
        parent: &[u8],
        pairs: &mut Pairs<'a, 't>,
    ) -> Result<(), Why> {
        if before.hash == after.hash {
            return Ok(());
        }
        self.enter(before.items.len() + after.items.len(), |this| {
            let to = this.align_items(&before.items, &after.items)?;
            let mut is_new = vec![true; after.items.len()];
            for (item, place_after) in before.items.iter().zip(&to) {
                let Some((other, is_new)) = place_after.and_then(|at| after.items.get(at).zip(is_new.get_mut(at)))
                else {
                    add(&mut pairs.gone, item, before, parent);
                    continue;
                };
                *is_new = false;
                pairs.kept.insert(place(item), other);
                let (inner, outer) = (bodies(item), bodies(other));
                if inner.len() == outer.len() {
                    for (one, two) in inner.into_iter().zip(outer) {
                        this.pair(one, two, &within(parent, item), pairs)?;
                    }
                }
            }
            for (item, _) in after.items.iter().zip(is_new).filter(|(_, is_new)| *is_new) {
                add(&mut pairs.new, item, after, parent);
            }
            Ok(())
        })
    }
}

/// Adds an item with all that is in it.
fn add<'a, 't>(placed: &mut Vec<Placed<'a, 't>>, item: &'a Item<'t>, body: &'a Body<'t>, parent: &[u8]) {
    let mut open = vec![Placed { item, body, parent: parent.to_vec() }];
    while let Some(next) = open.pop() {
        for body in bodies(next.item) {
            let parent = within(&next.parent, next.item);
            open.extend(body.items.iter().map(|item| Placed { item, body, parent: parent.clone() }));
        }
        placed.push(next);
    }
}

/// The name of what stands in an item.
fn within(parent: &[u8], item: &Item<'_>) -> Vec<u8> {
    let own = item.name.clone().unwrap_or_else(|| words_of(header(item)));
    [parent, &own, b"\0"].concat()
}

/// What stands before the statements of an item.
fn header<'a, 't>(item: &'a Item<'t>) -> &'a [Atom<'t>] {
    let end = item.atoms.iter().position(|atom| matches!(atom, Atom::Body(_))).unwrap_or(item.atoms.len());
    item.atoms.get(..end).unwrap_or_default()
}

/// Whether a moved definition means the same at its new place, with what was done to it at the old one.
fn is_free(
    gone: &Placed<'_, '_>,
    new: &Placed<'_, '_>,
    kept: &Item<'_>,
    pairs: &Pairs<'_, '_>,
    language: Language,
) -> bool {
    use Language::{C, CSharp, Cpp, Go, Java, JavaScript, Php, Python, Ruby, Rust, Tsx, TypeScript};
    if gone.item.role != ItemRole::Definition || gone.parent != new.parent {
        return false;
    }
    let passed = passed(gone, new, pairs);
    match language {
        Rust | Go | Java | CSharp => !passed.iter().any(|item| is_macro(item)),
        // What is in a function is looked up when it is called.
        Python | JavaScript | TypeScript | Tsx | Ruby | Php => {
            let is_definition = |item: &&Item<'_>| item.role == ItemRole::Definition;
            same_atoms(header(gone.item), header(kept)) && !is_type(gone.item) && passed.iter().all(is_definition)
        }
        C | Cpp => false,
    }
}

/// Whether a definition runs, or is looked at, where it stands.
fn is_type(item: &Item<'_>) -> bool {
    let is_word = |atom: &Atom<'_>| {
        let types: [&[u8]; 7] = [b"class", b"interface", b"trait", b"enum", b"module", b"namespace", b"type"];
        matches!(atom, Atom::Token(token) if token.kind == TokenKind::Keyword && types.contains(&token.text))
    };
    header(item).iter().any(is_word)
}

/// What a moved item passed, and what is gone from around it.
fn passed<'a, 't>(gone: &Placed<'a, 't>, new: &Placed<'a, 't>, pairs: &Pairs<'a, 't>) -> Vec<&'a Item<'t>> {
    let places = |body: &Body<'_>| -> HashMap<usize, usize> { body.items.iter().map(place).zip(0..).collect() };
    let (old, now) = (places(gone.body), places(new.body));
    let (was, is) = (old.get(&place(gone.item)).copied(), now.get(&place(new.item)).copied());
    let stayed = |(before, item): (usize, &Item<'t>)| {
        let after = pairs.kept.get(&place(item)).and_then(|kept| now.get(&place(*kept))).copied();
        after.is_some_and(|after| (Some(before) < was) == (Some(after) < is))
    };
    let others = gone.body.items.iter().enumerate().filter(|(before, _)| Some(*before) != was);
    others.filter(|(before, item)| !stayed((*before, item))).map(|(_, item)| item).collect()
}

/// What an entity is known by.
fn known_by(item: &Item<'_>) -> Known {
    (item.node, item.name.clone())
}

/// Names of entities that stand more than once in one body.
fn named_alike(body: &Body<'_>) -> HashSet<Known> {
    let (mut alike, mut open) = (HashSet::new(), vec![body]);
    while let Some(body) = open.pop() {
        let mut seen = HashSet::new();
        for item in &body.items {
            if is_entity(item) && !seen.insert(known_by(item)) {
                alike.insert(known_by(item));
            }
            open.extend(bodies(item));
        }
    }
    alike
}
