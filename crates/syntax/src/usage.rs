//! Where names are used.

use crate::chain::Chain;
use std::ops::Range;

/// How a name is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum UseKind {
    /// It is called.
    Call,
    /// A value of it is made: `new Foo()`, `Foo { .. }`.
    Construct,
    /// It is named: passed on, read, assigned.
    Reference,
    /// It is named as a type.
    Type,
    /// It is imported.
    Import,
    /// A member of a value or module is named: `a.b`.
    Member,
    /// It is extended or implemented.
    Inherit,
}

/// What a call passes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Arguments {
    /// How many by position.
    pub positional: usize,
    /// Names of those passed by name; for a literal like `Foo { a: 1 }` its fields.
    pub keywords: Vec<String>,
    /// Whether a list or map is spread into them, so that their number is not known.
    pub spread: bool,
}

/// One use of a name.
#[derive(Debug, Clone, PartialEq)]
pub struct Use {
    /// The name; for a member its own.
    pub name: String,
    /// How it is used.
    pub kind: UseKind,
    /// The receiver as written, without layout: `self.repo` in `self.repo.save()`.
    pub receiver: Option<String>,
    /// What is passed, for calls and constructions.
    pub arguments: Option<Arguments>,
    /// Bytes of the name with what belongs to it: of a call, the whole call.
    pub range: Range<usize>,
    /// Line of the name, the first being 0.
    pub line: usize,
    /// The entity it stands in, by its place in `File::entities`.
    pub entity: Option<usize>,
    /// Whether the name is that of a parameter or local variable.
    pub is_local: bool,
    /// Whether the value is awaited on the spot.
    pub is_awaited: bool,
    /// What it leads to, local variables already replaced by what they hold.
    pub(crate) target: Chain,
    /// Hash of its text without layout: tells whether a use is new.
    pub(crate) hash: u64,
}
