//! What a file holds: entities, uses, imports.

use crate::chain::Chain;
use crate::{Language, Signature, Use};
use std::collections::HashMap;
use std::ops::Range;

/// What an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum EntityKind {
    Function,
    /// A function of a type, constructors included.
    Method,
    Class,
    Struct,
    Enum,
    /// A case of an enum.
    Variant,
    Interface,
    Trait,
    /// A Rust `impl` block: its path is that of the type it belongs to.
    Impl,
    /// A module or namespace written inside a file.
    Module,
    Constant,
    Variable,
    /// A variable of a type.
    Field,
    /// Another name of a type.
    Alias,
    Macro,
}

impl EntityKind {
    /// Whether it has members that are reached through a value of it.
    #[must_use]
    pub fn is_type(self) -> bool {
        matches!(self, Self::Class | Self::Struct | Self::Enum | Self::Interface | Self::Trait)
    }

    /// Whether it can be called.
    #[must_use]
    pub fn is_callable(self) -> bool {
        matches!(self, Self::Function | Self::Method | Self::Macro)
    }
}

/// Something that has a name and can be used, leased or named in a conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// What it is.
    pub kind: EntityKind,
    /// Its own name.
    pub name: String,
    /// Its path below the file: `Class.method`. Overloads share a path. Namespaces of C++, C#, PHP and Java packages
    /// are not part of it; modules of Rust, Ruby and TypeScript are.
    pub path: String,
    /// The entity it is written in, by its place in [`File::entities`].
    pub parent: Option<usize>,
    /// The namespace or package written in the file, joined with dots; empty when there is none.
    pub namespace: String,
    /// Bytes from the first attached comment, decorator or attribute to its end.
    pub range: Range<usize>,
    /// Lines of `range`, the first being 0; the end is exclusive.
    pub lines: Range<usize>,
    /// Bytes of what is written before the body.
    pub signature_range: Range<usize>,
    /// Bytes of the body, if there is one.
    pub body_range: Option<Range<usize>>,
    /// Parameters, result, visibility.
    pub signature: Signature,
    /// Whether it is only announced here, like a prototype in a header.
    pub is_declaration: bool,
    /// Whether its tree holds no error.
    pub is_sound: bool,
    /// Hash of the body's tokens, without comments, with its own name left out.
    pub(crate) body_hash: u64,
    /// Hashes of the body's first tokens: for likeness.
    pub(crate) tokens: Vec<u32>,
    /// What it extends or implements.
    pub(crate) bases: Vec<Chain>,
    /// The type it belongs to, when that is not its parent: Go methods, Rust impls, C++ definitions out of class.
    pub(crate) owner: Option<Chain>,
    /// What calling it gives, or the value a variable holds.
    pub(crate) value: Option<Chain>,
}

/// What an import brings in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Import {
    /// The module as written: `..pkg`, `./x`, `crate.a`, `com.x`, `A.B`, `foo.h`. Rust, Java, C# and PHP paths are
    /// joined with dots.
    pub module: String,
    /// The name imported from it; `None` when it is the module itself.
    pub name: Option<String>,
    /// The name it is known by in this file; empty when it brings no name.
    pub alias: String,
    /// Whether it brings everything.
    pub is_wildcard: bool,
    /// Whether others can import the name from this file.
    pub is_reexport: bool,
    /// Whether it names a value's members rather than a module's (Java and C# `static`), or a PHP function.
    pub is_static: bool,
}

/// One parsed file.
#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Its language.
    pub language: Language,
    /// The namespace of the whole file: Java and Go packages, PHP and file-scoped C# namespaces; joined with dots.
    pub namespace: String,
    /// Entities by start, outer before inner.
    pub entities: Vec<Entity>,
    /// Uses by start.
    pub uses: Vec<Use>,
    /// Imports by start.
    pub imports: Vec<Import>,
    /// Bytes that could not be parsed.
    pub errors: Vec<Range<usize>>,
    /// Types of attributes that are only seen where they are assigned: (path of the type, name).
    pub(crate) attributes: HashMap<(String, String), Chain>,
    /// Places of entities, in order of path, then of place.
    pub(crate) by_path: Box<[u32]>,
    /// Hashes of the names used, in order; an outline keeps them.
    pub(crate) used: Box<[u64]>,
    /// Its uses were left out.
    pub(crate) is_outline: bool,
    /// Length of the text, in bytes.
    pub(crate) length: usize,
}

impl File {
    /// The same without its uses and without what tells renames: all that resolving other files' uses needs, in a
    /// fraction of the memory. Whether it uses a name is still known.
    #[must_use]
    pub fn into_outline(mut self) -> Self {
        self.is_outline = true;
        self.uses = Vec::new();
        self.errors.shrink_to_fit();
        self.imports.shrink_to_fit();
        for entity in &mut self.entities {
            entity.tokens = Vec::new();
        }
        self.entities.shrink_to_fit();
        self
    }

    /// Whether its uses were left out.
    #[must_use]
    pub fn is_outline(&self) -> bool {
        self.is_outline
    }

    /// Whether it uses a name, be it an outline or not.
    #[must_use]
    pub fn uses_name(&self, name: &str) -> bool {
        self.used.binary_search(&crate::walk::hash_of(name.as_bytes())).is_ok()
    }

    /// Whether the whole text was understood. A tree with errors is not taken for structure as a whole: what lies
    /// within the errors is left out, and a missing entity may only be unreadable.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.errors.is_empty()
    }

    /// The first entity of that path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Entity> {
        self.find_all(path).next()
    }

    /// All entities of that path: overloads, declaration and definition.
    pub fn find_all<'a>(&'a self, path: &str) -> impl Iterator<Item = &'a Entity> + use<'a> {
        let of = |at: &u32| self.entities.get(*at as usize);
        let start = self.by_path.partition_point(|at| of(at).is_some_and(|entity| *entity.path < *path));
        let end = self.by_path.partition_point(|at| of(at).is_some_and(|entity| *entity.path <= *path));
        let places = self.by_path.get(start..end).unwrap_or_default();
        places.iter().filter_map(|at| self.entities.get(*at as usize))
    }

    /// The innermost entities that bytes lie in: one for a place within one entity, several when the bytes reach over
    /// several. An entity that holds another one touched is left out. Empty outside of all.
    #[must_use]
    pub fn entities_at(&self, bytes: &Range<usize>) -> Vec<&Entity> {
        let end = bytes.end.max(bytes.start + 1);
        self.innermost(|entity| entity.range.start < end && bytes.start < entity.range.end)
    }

    /// The innermost entities that lines lie in, the first line being 0.
    #[must_use]
    pub fn entities_at_lines(&self, lines: &Range<usize>) -> Vec<&Entity> {
        let end = lines.end.max(lines.start + 1);
        self.innermost(|entity| entity.lines.start < end && lines.start < entity.lines.end)
    }

    fn innermost(&self, touches: impl Fn(&Entity) -> bool) -> Vec<&Entity> {
        let touched: Vec<usize> =
            self.entities.iter().enumerate().filter(|(_, entity)| touches(entity)).map(|(at, _)| at).collect();
        let outer: Vec<usize> =
            touched.iter().filter_map(|at| self.entities.get(*at)).filter_map(|entity| entity.parent).collect();
        touched.iter().filter(|at| !outer.contains(at)).filter_map(|at| self.entities.get(*at)).collect()
    }

    /// Length of the text, in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}
