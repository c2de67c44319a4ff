//! What parts of a tree are compared by: their tokens, without white space.

use super::{Atom, Body, Element, Item, List, Token};
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

fn hash_tokens(tokens: &[Token<'_>], hasher: &mut DefaultHasher) {
    for token in tokens {
        token.text.hash(hasher);
    }
    tokens.len().hash(hasher);
}

impl<'t> Element<'t> {
    /// An entry of these atoms.
    #[must_use]
    pub fn new(atoms: Vec<Atom<'t>>, comma: Option<Token<'t>>) -> Self {
        Self { hash: hash_atoms(&atoms), atoms, comma, after: Vec::new() }
    }
}

impl Item<'_> {
    /// Brings its hash up to date.
    pub fn seal(&mut self) {
        self.hash = hash_atoms(&self.atoms);
    }

    /// Whether the comments before both are the same.
    #[must_use]
    pub fn has_lead_of(&self, other: &Self) -> bool {
        self.lead.iter().map(|token| token.text).eq(other.lead.iter().map(|token| token.text))
    }
}

impl List<'_> {
    /// Brings its hash up to date.
    pub fn seal(&mut self) {
        let mut hasher = DefaultHasher::new();
        self.open.map(|token| token.text).hash(&mut hasher);
        for element in &self.elements {
            element.hash.hash(&mut hasher);
            hash_tokens(&element.after, &mut hasher);
        }
        hash_tokens(&self.tail, &mut hasher);
        self.hash = hasher.finish();
    }
}

impl Body<'_> {
    /// Brings its hash up to date.
    pub fn seal(&mut self) {
        let mut hasher = DefaultHasher::new();
        for item in &self.items {
            item.hash.hash(&mut hasher);
            hash_tokens(&item.lead, &mut hasher);
        }
        hash_tokens(&self.tail, &mut hasher);
        self.hash = hasher.finish();
    }
}
