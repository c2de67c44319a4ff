//! Names: scopes, imports, what a module exports.

use super::eval::{Place, Resolver, Value};
use super::{DefinitionId, modules};
use crate::EntityKind;
use crate::language::Family;
use std::collections::{BTreeSet, HashSet, VecDeque};

/// Files that one file includes, and so on: most of them.
const MAX_INCLUDED: usize = 200;

impl Resolver<'_> {
    /// What a name means at a place.
    pub(super) fn name(&self, place: Place<'_>, name: &str) -> BTreeSet<Value> {
        if !self.burn() {
            return BTreeSet::new();
        }
        let family = place.file.language.family();
        if family == Family::Rust
            && let Some(found) = self.rust_root(place, name)
        {
            return found.into_iter().collect();
        }
        let lexical = self.lexical(place, name);
        if !lexical.is_empty() {
            return lexical.into_iter().collect();
        }
        for namespace in self.namespaces_around(place) {
            let all = self.view.children(family, &namespace, "", name);
            let own: BTreeSet<Value> = self.plain(all.iter().filter(|id| *id.path == *place.path)).collect();
            if !own.is_empty() && family != Family::C {
                return own;
            }
        }
        let imported = self.imported(place, name);
        if !imported.is_empty() {
            return imported.into_iter().collect();
        }
        let shared =
            matches!(family, Family::Go | Family::Java | Family::CSharp | Family::Php | Family::Ruby | Family::C);
        if shared {
            for namespace in self.namespaces_around(place) {
                let all = self.view.children(family, &namespace, "", name);
                let found = self.visible(place, &all);
                if !found.is_empty() {
                    return found;
                }
            }
        }
        if family == Family::C {
            // The cases of a plain enum stand beside it.
            let is_case =
                |id: &DefinitionId| self.view.entity(id).is_some_and(|entity| entity.kind == EntityKind::Variant);
            let cases: Vec<DefinitionId> = self.view.named(family, name).into_iter().filter(is_case).collect();
            let found = self.visible(place, &cases);
            if !found.is_empty() {
                return found;
            }
        }
        for import in place.file.imports.iter().filter(|import| import.is_wildcard) {
            let found = self.wildcard(place, import, name);
            if !found.is_empty() {
                return found.into_iter().collect();
            }
        }
        self.module_named(place, name).into_iter().collect()
    }

    /// Entities that a name can mean: not impl blocks.
    pub(super) fn plain<'i>(&self, ids: impl Iterator<Item = &'i DefinitionId>) -> impl Iterator<Item = Value> {
        ids.filter(|id| self.view.entity(id).is_some_and(|entity| entity.kind != EntityKind::Impl))
            .map(|id| Value::Definition(id.clone()))
    }

    /// In entities around, from the inside out.
    fn lexical(&self, place: Place<'_>, name: &str) -> Vec<Value> {
        let family = place.file.language.family();
        let implicit = matches!(family, Family::Java | Family::CSharp | Family::C | Family::Ruby);
        let mut next = place.entity;
        while let Some(at) = next {
            let Some(entity) = place.file.entities.get(at) else { break };
            let is_member = entity.kind.is_type() || entity.kind == EntityKind::Impl;
            if !is_member || implicit {
                let id = DefinitionId { path: place.path.into(), entity: at };
                let mut found = if entity.kind.is_type() || entity.kind == EntityKind::Module {
                    self.members(&id, name, &mut BTreeSet::new())
                } else if entity.kind == EntityKind::Variable || entity.kind == EntityKind::Constant {
                    Vec::new()
                } else {
                    let namespace = modules::namespace_of(place.file, place.path, entity);
                    self.plain(self.view.children(family, &namespace, &entity.path, name).iter()).collect()
                };
                if found.is_empty() && implicit && entity.owner.is_some() {
                    for owner in self.owners(place) {
                        found.extend(self.members(&owner, name, &mut BTreeSet::new()));
                    }
                }
                // A class named inside itself is not its constructor.
                found.retain(|value| !self.is_constructor(value, name));
                if !found.is_empty() {
                    return found;
                }
            }
            next = entity.parent;
        }
        Vec::new()
    }

    fn is_constructor(&self, value: &Value, name: &str) -> bool {
        let Value::Definition(id) = value else { return false };
        let Some(entity) = self.view.entity(id).filter(|entity| entity.kind.is_callable()) else { return false };
        entity.path.rsplit('.').nth(1) == Some(name)
    }

    /// The namespace around and those around that, as far as the language looks there.
    pub(super) fn namespaces_around(&self, place: Place<'_>) -> Vec<String> {
        let family = place.file.language.family();
        if modules::goes_by_files(family) {
            return vec![modules::namespace_of_path(family, place.path)];
        }
        let around = place.entity.and_then(|at| place.file.entities.get(at)).map(|entity| entity.namespace.as_str());
        if around.is_none() && matches!(family, Family::CSharp | Family::C) {
            // Where in the file is not known: any of its namespaces.
            let written = place.file.entities.iter().map(|entity| entity.namespace.as_str());
            let mut all: Vec<&str> =
                written.collect::<BTreeSet<&str>>().into_iter().flat_map(modules::outward).collect();
            all.push(&place.file.namespace);
            all.push("");
            all.sort_by_key(|namespace| std::cmp::Reverse(namespace.len()));
            all.dedup();
            return all.into_iter().map(ToOwned::to_owned).collect();
        }
        let written = around.unwrap_or(&place.file.namespace);
        match family {
            Family::CSharp | Family::C => {
                let mut all: Vec<String> = modules::outward(written).map(ToOwned::to_owned).collect();
                if !written.is_empty() {
                    all.push(String::new());
                }
                all
            }
            Family::Php if !written.is_empty() => vec![written.to_owned(), String::new()],
            _ => vec![written.to_owned()],
        }
    }

    /// Of definitions in the same namespace, those that a file sees.
    pub(super) fn visible(&self, place: Place<'_>, all: &[DefinitionId]) -> BTreeSet<Value> {
        let family = place.file.language.family();
        if !matches!(family, Family::C) || all.is_empty() {
            return self.plain(all.iter()).collect();
        }
        let included = self.included(place);
        let seen = |id: &&DefinitionId| *id.path == *place.path || included.contains(&*id.path);
        let own: Vec<&DefinitionId> =
            all.iter().filter(|id| *id.path == *place.path && !self.is_declaration(id)).collect();
        let is_static =
            |id: &DefinitionId| self.view.entity(id).is_some_and(|entity| entity.signature.visibility == "static");
        if own.iter().any(|id| is_static(id)) {
            return self.plain(own.into_iter()).collect();
        }
        if !all.iter().any(|id| seen(&id)) {
            return BTreeSet::new();
        }
        // What a header declares is defined elsewhere under the same name.
        self.plain(all.iter().filter(|id| seen(id) || !is_static(id))).collect()
    }

    fn is_declaration(&self, id: &DefinitionId) -> bool {
        self.view.entity(id).is_some_and(|entity| entity.is_declaration)
    }

    /// Files that a file includes, directly or not.
    fn included(&self, place: Place<'_>) -> HashSet<String> {
        let mut found: HashSet<String> = HashSet::new();
        let mut queue: VecDeque<String> = VecDeque::from([place.path.to_owned()]);
        while let Some(path) = queue.pop_front() {
            let Some(file) = self.view.file(&path) else { continue };
            for import in file.imports.iter().filter(|import| !import.is_static) {
                for module in self.view.modules_named(Family::C, &path, &import.module) {
                    let path = module.trim_start_matches('/').to_owned();
                    if found.len() < MAX_INCLUDED && found.insert(path.clone()) {
                        queue.push_back(path);
                    }
                }
            }
        }
        found
    }
}
