//! What parts of a tree are compared by: their tokens, and their tokens with the white space.

use super::{Atom, Body, Element, Item, List, Space, Token};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Of the tokens of some atoms.
#[must_use]
pub fn hash_atoms(atoms: &[Atom<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for atom in atoms {
        match atom {
            Atom::Token(token) => token.text.hash(&mut hasher),
            Atom::List(list) => (0_u8, list.hash).hash(&mut hasher),
            Atom::Body(body) => (1_u8, body.hash).hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// Of some atoms and their white space, but for how deep they are indented.
#[must_use]
pub fn layout_of_atoms(atoms: &[Atom<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for atom in atoms {
        match atom {
            Atom::Token(token) => layout(std::slice::from_ref(token), &mut hasher),
            Atom::List(list) => list.layout.hash(&mut hasher),
            Atom::Body(body) => body.layout.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// Of some tokens and their white space, but for how deep they are indented.
#[must_use]
pub fn layout_of_tokens(tokens: &[Token<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    layout(tokens, &mut hasher);
    hasher.finish()
}

fn layout<'a, 't: 'a>(tokens: impl IntoIterator<Item = &'a Token<'t>>, hasher: &mut DefaultHasher) {
    for token in tokens {
        token.space.layout(hasher);
        token.text.hash(hasher);
    }
}

fn words(tokens: &[Token<'_>], hasher: &mut DefaultHasher) {
    for token in tokens {
        token.text.hash(hasher);
    }
    tokens.len().hash(hasher);
}

impl Space<'_> {
    fn layout(&self, hasher: &mut DefaultHasher) {
        let Some(indent) = self.indent else { return self.text.hash(hasher) };
        for (at, line) in self.text.split(|byte| *byte == b'\n').enumerate() {
            // The first one is the rest of a line.
            let line = if at == 0 { line } else { line.strip_prefix(indent).unwrap_or(line) };
            line.hash(hasher);
        }
    }
}

impl<'t> Element<'t> {
    /// An entry of these atoms.
    #[must_use]
    pub fn new(atoms: Vec<Atom<'t>>, comma: Option<Token<'t>>) -> Self {
        let mut element = Self { atoms, comma, after: Vec::new(), hash: 0, layout: 0 };
        element.seal();
        element
    }

    /// Brings its hashes up to date.
    pub fn seal(&mut self) {
        self.hash = hash_atoms(&self.atoms);
        let mut hasher = DefaultHasher::new();
        layout_of_atoms(&self.atoms).hash(&mut hasher);
        layout(self.comma.iter().chain(&self.after), &mut hasher);
        self.layout = hasher.finish();
    }
}

impl Item<'_> {
    /// Brings its hashes up to date.
    pub fn seal(&mut self) {
        self.hash = hash_atoms(&self.atoms);
        self.layout = layout_of_atoms(&self.atoms);
    }

    /// Whether the comments before both are the same.
    #[must_use]
    pub fn has_lead_of(&self, other: &Self) -> bool {
        self.lead.iter().map(|token| token.text).eq(other.lead.iter().map(|token| token.text))
    }
}

impl List<'_> {
    /// Brings its hashes up to date.
    pub fn seal(&mut self) {
        let mut hasher = DefaultHasher::new();
        self.open.map(|token| token.text).hash(&mut hasher);
        for element in &self.elements {
            element.hash.hash(&mut hasher);
            words(&element.after, &mut hasher);
        }
        words(&self.tail, &mut hasher);
        self.hash = hasher.finish();
        let mut hasher = DefaultHasher::new();
        layout(&self.open, &mut hasher);
        self.elements.iter().for_each(|element| element.layout.hash(&mut hasher));
        layout(self.tail.iter().chain(&self.close), &mut hasher);
        self.layout = hasher.finish();
    }
}

impl Body<'_> {
    /// Brings its hashes up to date.
    pub fn seal(&mut self) {
        let mut hasher = DefaultHasher::new();
        for item in &self.items {
            item.hash.hash(&mut hasher);
            words(&item.lead, &mut hasher);
        }
        words(&self.tail, &mut hasher);
        self.hash = hasher.finish();
        let mut hasher = DefaultHasher::new();
        // How much deeper it is than what is around.
        self.indent.strip_prefix(self.outer).unwrap_or(self.indent).hash(&mut hasher);
        layout(&self.open, &mut hasher);
        for item in &self.items {
            layout(&item.lead, &mut hasher);
            item.layout.hash(&mut hasher);
        }
        layout(self.tail.iter().chain(&self.close).chain(&self.after), &mut hasher);
        self.layout = hasher.finish();
    }
}
