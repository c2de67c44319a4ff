//! Rust's paths: `crate`, `self`, `super` and other crates.

use super::eval::{Place, Resolver, Value};
use super::{DefinitionId, modules};
use crate::language::Family;
use crate::{EntityKind, File};
use std::collections::BTreeSet;

impl Resolver<'_> {
    /// `crate`, `self`, `super`.
    pub(super) fn rust_root(&self, place: Place<'_>, name: &str) -> Option<Vec<Value>> {
        let own = modules::namespace_of_path(Family::Rust, place.path);
        let root = own.split_inclusive('#').next().unwrap_or_default().to_owned();
        let mut around = place.entity;
        let mut inline = None;
        while let Some(at) = around {
            let entity = place.file.entities.get(at)?;
            if entity.kind == EntityKind::Module {
                inline = Some((at, entity.parent));
                break;
            }
            around = entity.parent;
        }
        let module = |at: usize| Value::Definition(DefinitionId { path: place.path.into(), entity: at });
        let namespace = |namespace: String| Value::Module(Family::Rust, namespace);
        match (name, inline) {
            ("crate", _) => Some(vec![namespace(root)]),
            ("self", Some((at, _))) => Some(vec![module(at)]),
            ("super", Some((_, Some(outer)))) => Some(vec![module(outer)]),
            ("self", None) | ("super", Some((_, None))) => Some(vec![namespace(own)]),
            ("super", None) => {
                let outer = own.rsplit_once('.').map_or(own.as_str(), |(outer, _)| outer);
                Some(vec![namespace(outer.to_owned())])
            }
            _ => None,
        }
    }

    /// A path in a `use`: its first name is a module or a crate, not another import.
    pub(super) fn rust_path<'p>(
        &self,
        path: &str,
        file: &File,
        mut parts: impl Iterator<Item = &'p str>,
    ) -> Vec<Value> {
        let Some(first) = parts.next() else { return Vec::new() };
        // In which module a `use` stands is not kept: `super` is that of the file, or the file for inline modules.
        let place = Place { path, file, entity: None };
        let mut values = match self.rust_root(place, first) {
            Some(mut values) => {
                if first == "super" && file.entities.iter().any(|entity| entity.kind == EntityKind::Module) {
                    values.push(Value::Module(Family::Rust, modules::namespace_of_path(Family::Rust, path)));
                }
                values
            }
            None => {
                let own = modules::namespace_of_path(Family::Rust, path);
                let ids = self.view.children(Family::Rust, &own, "", first);
                let mut found: Vec<Value> = self.plain(ids.iter()).collect();
                if found.is_empty() {
                    found = self.module_named(place, first);
                }
                found
            }
        };
        for part in parts {
            values = values.iter().flat_map(|value| self.member(value, part, file.language)).collect();
        }
        values
    }

    /// A crate of the project by its name: that of its folder. From tests, examples and programs of a package whose
    /// name is not known, any unknown name may be its library.
    pub(super) fn crate_named(&self, path: &str, name: &str) -> Vec<Value> {
        if matches!(name, "std" | "core" | "alloc" | "proc_macro" | "test") {
            return Vec::new();
        }
        let folders = [name.to_owned(), name.replace('_', "-")];
        let mut found = BTreeSet::new();
        for folder in &folders {
            for namespace in self.view.by_tail(Family::Rust, "") {
                let root = namespace.trim_end_matches('#');
                if modules::tail(root) == folder {
                    found.insert(namespace.clone());
                }
            }
        }
        if found.is_empty() {
            let own = ["tests/", "examples/", "benches/", "src/bin/", "src/main.rs"];
            let package = own.iter().find_map(|part| path.find(part).and_then(|at| path.get(..at)));
            let root = package.map(|package| format!("{}#", package.trim_end_matches('/')));
            found.extend(root.filter(|root| self.view.has_module(Family::Rust, root)));
        }
        found.into_iter().map(|namespace| Value::Module(Family::Rust, namespace)).collect()
    }
}
