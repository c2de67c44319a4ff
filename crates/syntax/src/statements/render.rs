//! Trees as text.

use super::{Atom, Body, Element, Item, List, Space, Token, Tree};

impl Tree<'_> {
    /// The file.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.body.write(&mut out, b"");
        self.end.write(&mut out, b"");
        out
    }
}

impl Space<'_> {
    /// Whether it ends a line.
    #[must_use]
    pub fn has_newline(&self) -> bool {
        self.text.contains(&b'\n')
    }

    /// Whether both are the same but for the indentation of the items around.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.text == other.text && self.indent == other.indent || {
            let written = |space: &Self| {
                let mut out = Vec::new();
                space.write(&mut out, b"");
                out
            };
            written(self) == written(other)
        }
    }

    /// Writes it within an item that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        match self.indent {
            Some(own) => reindent(self.text, own, indent, out),
            None => out.extend_from_slice(self.text),
        }
    }
}

/// Every line but the first, indented with `to` where it was with `from`. Lines that were not stay as they are.
fn reindent(text: &[u8], from: &[u8], to: &[u8], out: &mut Vec<u8>) {
    if from == to {
        out.extend_from_slice(text);
        return;
    }
    let mut lines = text.split(|byte| *byte == b'\n').peekable();
    out.extend_from_slice(lines.next().unwrap_or_default());
    while let Some(line) = lines.next() {
        out.push(b'\n');
        let is_blank = lines.peek().is_some() && line.trim_ascii().is_empty();
        match line.strip_prefix(from) {
            Some(rest) if !is_blank => {
                out.extend_from_slice(to);
                out.extend_from_slice(rest);
            }
            _ => out.extend_from_slice(line),
        }
    }
}

impl Token<'_> {
    /// Writes it within an item that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        self.space.write(out, indent);
        out.extend_from_slice(self.text);
    }
}

/// The tokens of some atoms, with one blank behind each.
#[must_use]
pub fn words_of(atoms: &[Atom<'_>]) -> Vec<u8> {
    let mut words = Vec::new();
    atoms.iter().for_each(|atom| {
        atom.each_token(&mut |token| {
            words.extend_from_slice(token.text);
            words.push(b' ');
        });
    });
    words
}

impl<'t> Atom<'t> {
    /// Writes it within an item that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        match self {
            Self::Token(token) => token.write(out, indent),
            Self::List(list) => list.write(out, indent),
            Self::Body(body) => body.write(out, indent),
        }
    }

    /// Its first token, to be laid out anew.
    pub fn first_mut(&mut self) -> Option<&mut Token<'t>> {
        match self {
            Self::Token(token) => Some(token),
            Self::List(list) => match &mut list.open {
                Some(open) => Some(open),
                None => list.elements.first_mut()?.atoms.first_mut()?.first_mut(),
            },
            Self::Body(body) => match &mut body.open {
                Some(open) => Some(open),
                None => body.items.first_mut()?.atoms.first_mut()?.first_mut(),
            },
        }
    }

    /// Calls with each of its tokens, in order.
    pub fn each_token<'a>(&'a self, see: &mut impl FnMut(&'a Token<'t>)) {
        match self {
            Self::Token(token) => see(token),
            Self::List(list) => list.each_token(see),
            Self::Body(body) => body.each_token(see),
        }
    }

    /// Its first token.
    #[must_use]
    pub fn first(&self) -> Option<&Token<'t>> {
        match self {
            Self::Token(token) => Some(token),
            Self::List(list) => match &list.open {
                Some(open) => Some(open),
                None => list.elements.first().and_then(|element| element.atoms.first()).and_then(Atom::first),
            },
            Self::Body(body) => match &body.open {
                Some(open) => Some(open),
                None => body.items.first().and_then(Item::first),
            },
        }
    }
}

impl<'t> List<'t> {
    /// Writes it within an item that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        self.open.iter().for_each(|token| token.write(out, indent));
        self.elements.iter().for_each(|element| element.write(out, indent));
        self.tail.iter().chain(&self.close).for_each(|token| token.write(out, indent));
    }

    /// Calls with each of its tokens, in order.
    pub fn each_token<'a>(&'a self, see: &mut impl FnMut(&'a Token<'t>)) {
        self.open.iter().for_each(&mut *see);
        self.elements.iter().for_each(|element| element.each_token(see));
        self.tail.iter().chain(&self.close).for_each(&mut *see);
    }
}

impl<'t> Element<'t> {
    /// Writes it within an item that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        self.atoms.iter().for_each(|atom| atom.write(out, indent));
        self.comma.iter().chain(&self.after).for_each(|token| token.write(out, indent));
    }

    /// Calls with each of its tokens, in order.
    pub fn each_token<'a>(&'a self, see: &mut impl FnMut(&'a Token<'t>)) {
        self.atoms.iter().for_each(|atom| atom.each_token(see));
        self.comma.iter().chain(&self.after).for_each(&mut *see);
    }
}

impl<'t> Body<'t> {
    /// Writes it within an item that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        self.open.iter().for_each(|token| token.write(out, indent));
        // As much deeper than what is around as it was where it comes from.
        let own = match self.indent.strip_prefix(self.outer) {
            Some(deeper) => [indent, deeper].concat(),
            None => self.indent.to_vec(),
        };
        self.items.iter().for_each(|item| item.write(out, &own));
        self.tail.iter().for_each(|token| token.write(out, &own));
        self.close.iter().chain(&self.after).for_each(|token| token.write(out, indent));
    }

    /// Calls with each of its tokens, in order.
    pub fn each_token<'a>(&'a self, see: &mut impl FnMut(&'a Token<'t>)) {
        self.open.iter().for_each(&mut *see);
        self.items.iter().for_each(|item| item.each_token(see));
        self.tail.iter().chain(&self.close).chain(&self.after).for_each(&mut *see);
    }
}

impl<'t> Item<'t> {
    /// Writes it within a body that is indented with `indent`.
    pub fn write(&self, out: &mut Vec<u8>, indent: &[u8]) {
        self.lead.iter().for_each(|token| token.write(out, indent));
        self.atoms.iter().for_each(|atom| atom.write(out, indent));
    }

    /// Calls with each of its tokens, in order, those of `lead` first.
    pub fn each_token<'a>(&'a self, see: &mut impl FnMut(&'a Token<'t>)) {
        self.lead.iter().for_each(&mut *see);
        self.atoms.iter().for_each(|atom| atom.each_token(see));
    }

    /// Its first token without `lead`.
    #[must_use]
    pub fn first(&self) -> Option<&Token<'t>> {
        self.atoms.first().and_then(Atom::first)
    }
}
