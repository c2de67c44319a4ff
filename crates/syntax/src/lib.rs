//! What source files define and use, and which new uses a change breaks. The only crate that knows tree-sitter; pure:
//! bytes in, data out.
//!
//! [`parse`] turns a text into a [`File`]: entities with signatures, uses, imports. An [`Index`] keeps many of them,
//! file by file, and [`Index::resolve`] follows a use through imports, scopes and receivers to definitions.
//! [`changes`] says what is different between two versions, and [`impact`] which of one agent's new uses another agent's
//! changes break. Two agents' work is two small indexes over one of the base, so that nothing costs what the whole
//! project costs.
//!
//! [`statements`] reads a file as nested lists of statements and tokens, byte for byte, for merging by structure.
//!
//! What differs between languages is a table of each (`src/grammar`, `src/statements/shape.rs`): which kinds of node define, call, bind and scope.
//! One walk reads all tables. A use is followed as a *chain*, like `Foo().bar`: a head and steps, with local variables
//! already replaced by what they hold; so the rules for following it are the same everywhere, and only modules and
//! imports are each language's own (`src/index/modules.rs`).
//!
//! ```
//! use orchestrator_syntax::{Certainty, ChangeKind, Index, Language, Limits, impact, parse};
//!
//! let file = |text: &str| parse(Language::Python, text.as_bytes(), Limits::default()).ok();
//! let mut base = Index::new();
//! base.set("shop.py", file("def price(item):\n    return item.price\n"));
//!
//! // One agent adds a parameter, another one calls the function as it was.
//! let (mut one, mut two) = (Index::new(), Index::new());
//! one.set("shop.py", file("def price(item, currency):\n    return item.price\n"));
//! two.set("cart.py", file("from shop import price\n\ndef total(items):\n    return sum(price(item) for item in items)\n"));
//!
//! let broken = impact(&base, &one, &two);
//! assert_eq!(broken.len(), 1);
//! assert_eq!(broken[0].affected.entity.as_deref(), Some("total"));
//! assert_eq!(broken[0].certainty, Certainty::Definite);
//! assert!(matches!(broken[0].definition.change, ChangeKind::Signature(_)));
//! ```
//!
//! # Limitations
//! - No types are inferred beyond what is written or made on the spot: `x = Foo()`, `Foo x`, `let x: Foo`, the written
//!   result of a function. Elements of collections, values out of closures and generic parameters are not followed;
//!   members of such values are [`Resolution::Possible`].
//! - Macros are not expanded. Inside a Rust macro's call tokens are read for calls; the bodies of C macros are not read.
//! - Overloads are told apart by number and names of arguments, not by types; where that is not enough the impact is
//!   [`Certainty::Possible`].
//! - Imports in the middle of a file count for all of it.
//! - Build files are not read: a Go module's name, a Java source folder, a TypeScript path alias and a Rust package's name
//!   are recognised by the ends of paths. With several files that fit, the nearest count.
//! - A trait's or interface's new member is no impact on those who implement it.
//! - A tree with errors: what lies in the errors is left out, and what is gone from such a file is only possibly gone.

mod chain;
mod changes;
mod error;
mod file;
mod grammar;
mod impact;
mod index;
mod language;
mod parse;
mod signature;
pub mod statements;
mod usage;
mod walk;

pub use changes::{ChangeKind, EntityChange, SignatureChange, changes};
pub use error::Error;
pub use file::{Entity, EntityKind, File, Import};
pub use impact::{
    AffectedUse, Certainty, ChangedDefinition, Impact, base_impact, breaking_names, impact, new_uses, uses_any,
    whole_impact,
};
pub use index::{DefinitionId, Index, Resolution, View};
pub use language::Language;
pub use parse::{Limits, parse};
pub use signature::{Parameter, Passing, Signature};
pub use usage::{Arguments, Use, UseKind};
