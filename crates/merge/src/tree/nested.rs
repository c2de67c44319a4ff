//! Statements within statements, and trees with some of their statements replaced.

use orchestrator_syntax::statements::{Atom, Body, Element, Item, List, Space, Tree};
use std::collections::HashMap;

/// The statements directly within an item, in order; those within lists, like a closure's, too.
pub(super) fn bodies<'a, 't>(item: &'a Item<'t>) -> Vec<&'a Body<'t>> {
    let mut found = Vec::new();
    item.atoms.iter().for_each(|atom| collect(atom, &mut found));
    found
}

fn collect<'a, 't>(atom: &'a Atom<'t>, found: &mut Vec<&'a Body<'t>>) {
    match atom {
        Atom::Token(_) => {}
        Atom::Body(body) => found.push(body),
        Atom::List(list) => {
            list.elements.iter().flat_map(|element| &element.atoms).for_each(|atom| collect(atom, found));
        }
    }
}

/// What stands in the place of some items of a tree, and of all items of some bodies; those are known by where they lie
/// in memory.
#[derive(Default)]
pub(super) struct Edits<'t> {
    items: HashMap<usize, Vec<Item<'t>>>,
    bodies: HashMap<usize, Vec<Item<'t>>>,
}

/// Where a part of a tree lies in memory: by that it is known among those that look like it.
pub(super) fn place<T>(part: &T) -> usize {
    std::ptr::from_ref(part).addr()
}

impl<'t> Edits<'t> {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.bodies.is_empty()
    }

    /// Puts others in the place of an item.
    pub(super) fn replace(&mut self, item: &Item<'t>, others: Vec<Item<'t>>) {
        self.items.insert(place(item), others);
    }

    /// Puts others in the place of all items of a body.
    pub(super) fn fill(&mut self, body: &Body<'t>, items: Vec<Item<'t>>) {
        self.bodies.insert(place(body), items);
    }

    /// The file with these changes.
    pub(super) fn text(&self, tree: &Tree<'t>) -> Vec<u8> {
        Tree { language: tree.language, body: self.body(&tree.body), end: tree.end }.text()
    }

    /// An item with these changes, not sealed.
    pub(super) fn item(&self, item: &Item<'t>) -> Item<'t> {
        let Item { node, role, ref name, ref lead, ref atoms, hash, layout } = *item;
        Item { node, role, name: name.clone(), lead: lead.clone(), atoms: self.atoms(atoms), hash, layout }
    }

    fn body(&self, body: &Body<'t>) -> Body<'t> {
        let mut items = Vec::new();
        match self.bodies.get(&place(body)) {
            Some(others) => items.clone_from(others),
            None => {
                for item in &body.items {
                    match self.items.get(&place(item)) {
                        Some(others) => items.extend_from_slice(others),
                        None => items.push(self.item(item)),
                    }
                }
            }
        }
        let Body { outer, indent, open, ref tail, close, ref after, hash, layout, .. } = *body;
        Body { outer, indent, open, items, tail: tail.clone(), close, after: after.clone(), hash, layout }
    }

    fn atoms(&self, atoms: &[Atom<'t>]) -> Vec<Atom<'t>> {
        let changed = |atom: &Atom<'t>| match atom {
            Atom::Token(token) => Atom::Token(*token),
            Atom::Body(body) => Atom::Body(self.body(body)),
            Atom::List(list) => Atom::List(self.list(list)),
        };
        atoms.iter().map(changed).collect()
    }

    fn list(&self, list: &List<'t>) -> List<'t> {
        let changed = |element: &Element<'t>| {
            let Element { ref atoms, comma, ref after, hash, layout } = *element;
            Element { atoms: self.atoms(atoms), comma, after: after.clone(), hash, layout }
        };
        let List { role, open, ref elements, ref tail, close, hash, layout } = *list;
        List { role, open, elements: elements.iter().map(changed).collect(), tail: tail.clone(), close, hash, layout }
    }
}

/// What stands before an item, comments before it included.
pub(super) fn space_of<'t>(item: &Item<'t>) -> Space<'t> {
    item.lead.first().or_else(|| item.first()).map(|token| token.space).unwrap_or_default()
}

pub(super) fn set_space<'t>(item: &mut Item<'t>, space: Space<'t>) {
    if let Some(token) = item.lead.first_mut() {
        token.space = space;
    } else if let Some(token) = item.atoms.first_mut().and_then(Atom::first_mut) {
        token.space = space;
    }
}
