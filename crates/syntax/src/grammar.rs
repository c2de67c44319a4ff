//! What a language's table says: which nodes define, use, bind and scope. The shared machinery in `walk` reads it.

mod c;
mod csharp;
mod go;
mod java;
mod php;
mod python;
mod ruby;
mod rust;
mod script;

use crate::language::Family;
use crate::walk::Walker;
use crate::{EntityKind, Language, Passing};
use std::collections::HashMap;
use std::sync::OnceLock;
use tree_sitter::Node;

/// Which child of a node: a field's name; `#0` and `#last` for named children by place; `<kind>` for the first child of
/// that kind; alternatives separated by `|`; empty for none.
pub(crate) type Place = &'static str;

/// An entity's node.
pub(crate) struct Define {
    pub(crate) kind: EntityKind,
    pub(crate) name: Place,
    pub(crate) parameters: Place,
    pub(crate) result: Place,
    pub(crate) body: Place,
    /// Nodes whose types are bases.
    pub(crate) bases: &'static [Place],
}

/// What a kind of node means.
pub(crate) enum Role {
    Define(Define),
    /// A call: what is called is `function`, or `name` of `object`.
    Call {
        function: Place,
        object: Place,
        name: Place,
        arguments: Place,
    },
    /// A value made of a type.
    New {
        class: Place,
        arguments: Place,
    },
    /// `object.name`.
    Member {
        object: Place,
        name: Place,
    },
    /// A name in an expression.
    Name,
    /// A name in a type.
    TypeName,
    /// The value a method belongs to.
    This,
    /// Its base.
    Super,
    /// Names bound in it end with it.
    Scope,
    /// A function without an entity of its own: a scope with parameters.
    Lambda {
        parameters: Place,
    },
    /// Names are bound to a value.
    Bind {
        pattern: Place,
        class: Place,
        value: Place,
    },
    /// Stands for its first named child when an expression is followed.
    Through,
    /// Belongs to the entity inside it: an export, a decoration.
    Wrapper,
    /// Comes before an entity and belongs to it.
    Attached,
    /// Nothing in it is a use.
    Skip,
    /// What no table says.
    Special(for<'t> fn(&mut Walker<'t>, Node<'t>)),
}

/// A parameter's node.
pub(crate) struct Param {
    pub(crate) kind: &'static str,
    pub(crate) name: Place,
    pub(crate) class: Place,
    pub(crate) default: Place,
    pub(crate) is_optional: bool,
    pub(crate) passing: Passing,
}

/// One language.
pub(crate) struct Table {
    pub(crate) family: Family,
    pub(crate) roles: &'static [&'static [(&'static str, Role)]],
    pub(crate) params: &'static [Param],
    /// Kinds that a keyword argument has, with the place of its name.
    pub(crate) keywords: &'static [(&'static str, Place)],
    /// Kinds of a spread argument.
    pub(crate) spreads: &'static [&'static str],
    /// Kinds of comments.
    pub(crate) comments: &'static [&'static str],
    /// Kinds that make a wait of what is inside.
    pub(crate) awaits: &'static [&'static str],
    /// Whether a name bound anywhere in a function is bound in all of it.
    pub(crate) hoists: bool,
}

/// Passing by position, required unless there is a default.
pub(crate) const fn param(kind: &'static str, name: Place, class: Place, default: Place) -> Param {
    Param { kind, name, class, default, is_optional: false, passing: Passing::Positional }
}

pub(crate) const fn special_param(kind: &'static str, name: Place, class: Place, passing: Passing) -> Param {
    Param { kind, name, class, default: "", is_optional: true, passing }
}

pub(crate) const fn define(kind: EntityKind, parameters: Place, result: Place, bases: &'static [Place]) -> Role {
    Role::Define(Define { kind, name: "name", parameters, result, body: "body", bases })
}

pub(crate) fn table(language: Language) -> &'static Table {
    match language {
        Language::Python => &python::TABLE,
        Language::JavaScript | Language::TypeScript | Language::Tsx => &script::TABLE,
        Language::Rust => &rust::TABLE,
        Language::Go => &go::TABLE,
        Language::Java => &java::TABLE,
        Language::C | Language::Cpp => &c::TABLE,
        Language::CSharp => &csharp::TABLE,
        Language::Ruby => &ruby::TABLE,
        Language::Php => &php::TABLE,
    }
}

/// The roles of a language's kinds of node.
pub(crate) fn roles(language: Language) -> &'static HashMap<&'static str, &'static Role> {
    static ROLES: OnceLock<HashMap<Family, HashMap<&'static str, &'static Role>>> = OnceLock::new();
    static NONE: OnceLock<HashMap<&'static str, &'static Role>> = OnceLock::new();
    let all = ROLES.get_or_init(|| {
        let tables = Language::all().iter().map(|language| table(*language));
        tables
            .map(|table| {
                (
                    table.family,
                    table.roles.iter().flat_map(|part| part.iter()).map(|(kind, role)| (*kind, role)).collect(),
                )
            })
            .collect()
    });
    all.get(&table(language).family).unwrap_or_else(|| NONE.get_or_init(HashMap::new))
}
