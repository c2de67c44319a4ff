//! A file as nested lists of statements and tokens, without losing a byte: what merging by structure works on.
//!
//! Unlike a syntax tree it has few levels: a [`Body`] holds [`Item`]s (statements, definitions, members), an item is a flat
//! run of [`Atom`]s, and only bodies and bracketed [`List`]s nest. So `a && b` and `a && b && c` differ by two tokens, and
//! not by the shape of their trees.

mod build;
mod hash;
mod render;
mod shape;
mod tokens;

use crate::Language;
pub use build::{statements, statements_and_file};
pub use hash::{hash_atoms, layout_of_atoms, layout_of_tokens};
pub use render::words_of;

/// A file.
#[derive(Debug, Clone)]
pub struct Tree<'t> {
    /// Its language.
    pub language: Language,
    /// Its statements.
    pub body: Body<'t>,
    /// What stands behind the last token.
    pub end: Space<'t>,
}

/// White space before a token, line continuations included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space<'t> {
    /// As written.
    pub text: &'t [u8],
    /// What the items of the body around are indented with: left out of comparisons, and replaced where the item goes
    /// elsewhere. `None` where white space is part of a text.
    pub indent: Option<&'t [u8]>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// A name or number.
    Word,
    /// A word of the language.
    Keyword,
    /// A line of a string of any form, with what is interpolated in it.
    Text,
    /// A line of a comment.
    Comment,
    /// Anything else.
    Sign,
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub struct Token<'t> {
    /// What stands before it.
    pub space: Space<'t>,
    /// Its bytes.
    pub text: &'t [u8],
    /// What it is.
    pub kind: TokenKind,
}

/// A part of an item.
#[derive(Debug, Clone)]
pub enum Atom<'t> {
    /// One token.
    Token(Token<'t>),
    /// A bracketed list.
    List(List<'t>),
    /// Statements inside a statement.
    Body(Body<'t>),
}

/// What the entries of a list mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListRole {
    /// Parameters of a definition.
    Parameters,
    /// Arguments of a call.
    Arguments,
    /// Keys with values, none twice, whose order means nothing to most readers.
    Keyed,
    /// Names, none twice, whose order means nothing.
    Set,
    /// Anything whose order may mean something.
    Sequence,
}

/// What stands between two brackets, split at its commas.
#[derive(Debug, Clone)]
pub struct List<'t> {
    /// What its entries mean.
    pub role: ListRole,
    /// The opening bracket; `None` for a list without brackets.
    pub open: Option<Token<'t>>,
    /// Its entries.
    pub elements: Vec<Element<'t>>,
    /// Comments behind the last entry.
    pub tail: Vec<Token<'t>>,
    /// The closing bracket.
    pub close: Option<Token<'t>>,
    /// Of its tokens.
    pub hash: u64,
    /// Of all of it and its white space, but for how deep it is indented.
    pub layout: u64,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub struct Element<'t> {
    /// What it consists of.
    pub atoms: Vec<Atom<'t>>,
    /// The comma behind it.
    pub comma: Option<Token<'t>>,
    /// Comments behind the comma, on its line.
    pub after: Vec<Token<'t>>,
    /// Of its tokens, without the comma.
    pub hash: u64,
    /// Of all of it and its white space, but for how deep it is indented.
    pub layout: u64,
}

/// Statements, definitions or members, one after the other.
#[derive(Debug, Clone)]
pub struct Body<'t> {
    /// What the item around is indented with.
    pub outer: &'t [u8],
    /// What its first item is indented with.
    pub indent: &'t [u8],
    /// The opening bracket, if it has one.
    pub open: Option<Token<'t>>,
    /// In order.
    pub items: Vec<Item<'t>>,
    /// Comments behind the last item.
    pub tail: Vec<Token<'t>>,
    /// The closing bracket.
    pub close: Option<Token<'t>>,
    /// What the grammar counts to the body though it stands behind the bracket.
    pub after: Vec<Token<'t>>,
    /// Of its tokens.
    pub hash: u64,
    /// Of all of it and its white space, but for how deep it is indented.
    pub layout: u64,
}

/// What an item does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemRole {
    /// Brings names in.
    Import,
    /// Defines a function, a type, a module.
    Definition,
    /// A named member that holds a value: a field, a constant of an enum.
    Field,
    /// Leaves the body: `return`, `break`, `throw`.
    Exit,
    /// Anything else.
    Statement,
}

/// A statement, definition or member.
#[derive(Debug, Clone)]
pub struct Item<'t> {
    /// Its kind in the grammar, decorations and the like left out.
    pub node: u16,
    /// What it does.
    pub role: ItemRole,
    /// What a definition or field is known by among its neighbours of the same kind.
    pub name: Option<Vec<u8>>,
    /// Comments before it.
    pub lead: Vec<Token<'t>>,
    /// What it consists of.
    pub atoms: Vec<Atom<'t>>,
    /// Of its tokens, without `lead`.
    pub hash: u64,
    /// Of all of it and its white space, but for how deep it is indented.
    pub layout: u64,
}
