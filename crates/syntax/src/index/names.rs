//! Names: scopes, imports, what a module exports.

use super::eval::{Place, Resolver, Value};
use super::{DefinitionId, modules};
use crate::language::Family;
use crate::{EntityKind, File, Import};
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
    fn plain<'i>(&self, ids: impl Iterator<Item = &'i DefinitionId>) -> impl Iterator<Item = Value> {
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
    fn namespaces_around(&self, place: Place<'_>) -> Vec<String> {
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
    fn visible(&self, place: Place<'_>, all: &[DefinitionId]) -> BTreeSet<Value> {
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

    /// By an import that names it.
    fn imported(&self, place: Place<'_>, name: &str) -> Vec<Value> {
        let named = |import: &&Import| !(import.is_wildcard || import.is_reexport && import.module.is_empty());
        let mut found = Vec::new();
        for import in place.file.imports.iter().filter(named) {
            if import.alias == name {
                found.extend(self.import(place.path, place.file, import));
            } else if import.name.is_none()
                && import.alias.split('.').next() == Some(name)
                && import.alias.contains('.')
            {
                // `import a.b` binds `a`.
                let family = place.file.language.family();
                let first = import.module.split('.').next().unwrap_or_default();
                let modules = self.view.modules_named(family, place.path, &import.module);
                let cut = |module: String| {
                    let rest = import.module.split('.').count() - 1;
                    let mut outer = module.as_str();
                    for _ in 0..rest {
                        outer = outer.rsplit_once('/').map_or("", |(outer, _)| outer);
                    }
                    (modules::tail(outer) == first).then(|| Value::Module(family, outer.to_owned()))
                };
                found.extend(modules.into_iter().filter_map(cut));
            }
        }
        found
    }

    /// What an import brings.
    pub(super) fn import(&self, path: &str, file: &File, import: &Import) -> Vec<Value> {
        let Some(_deeper) = self.deeper().filter(|_| self.burn()) else { return Vec::new() };
        let family = file.language.family();
        match family {
            Family::Rust => {
                let parts = import.module.split('.').filter(|part| !part.is_empty()).chain(import.name.as_deref());
                self.rust_path(path, file, parts)
            }
            Family::Java | Family::CSharp | Family::Php | Family::C => {
                let parts = import.module.split('.').filter(|part| !part.is_empty()).chain(import.name.as_deref());
                self.qualified(file, &parts.collect::<Vec<&str>>())
            }
            _ => {
                let modules = self.view.modules_named(family, path, &import.module);
                let Some(name) = &import.name else {
                    return modules.into_iter().map(|module| Value::Module(family, module)).collect();
                };
                let found: Vec<Value> = modules.iter().flat_map(|module| self.exported(family, module, name)).collect();
                if found.is_empty() && family == Family::Script && name == "default" {
                    return modules.into_iter().map(|module| Value::Module(family, module)).collect();
                }
                found
            }
        }
    }

    /// By an import of everything.
    fn wildcard(&self, place: Place<'_>, import: &Import, name: &str) -> Vec<Value> {
        let family = place.file.language.family();
        let language = place.file.language;
        match family {
            Family::Rust => {
                let parts = import.module.split('.').filter(|part| !part.is_empty());
                let found = self.rust_path(place.path, place.file, parts);
                found.iter().flat_map(|value| self.member(value, name, language)).collect()
            }
            Family::C if !import.is_static => Vec::new(),
            Family::Java | Family::CSharp | Family::C => {
                let parts: Vec<&str> = import.module.split('.').filter(|part| !part.is_empty()).collect();
                let found = self.qualified(place.file, &parts);
                // `using A.B` brings the types of A.B, not the namespaces within.
                let members = found.iter().flat_map(|value| self.member(value, name, language));
                let members: Vec<Value> = members.filter(|value| !matches!(value, Value::Module(..))).collect();
                if family == Family::C {
                    self.visible(place, &definitions(&members)).into_iter().collect()
                } else {
                    members
                }
            }
            Family::Ruby => Vec::new(),
            _ => {
                let modules = self.view.modules_named(family, place.path, &import.module);
                modules.iter().flat_map(|module| self.exported(family, module, name)).collect()
            }
        }
    }

    /// A path of names from the root: the longest namespace counts.
    fn qualified(&self, file: &File, parts: &[&str]) -> Vec<Value> {
        let family = file.language.family();
        for cut in (0..=parts.len()).rev() {
            let (outer, inner) = parts.split_at(cut);
            let namespace = outer.join(".");
            if cut > 0 && !self.view.has_module(family, &namespace) {
                continue;
            }
            let mut values = vec![Value::Module(family, namespace)];
            for part in inner {
                values = values.iter().flat_map(|value| self.member(value, part, file.language)).collect();
            }
            if !values.is_empty() {
                return values;
            }
        }
        Vec::new()
    }

    /// A name that is a namespace, a submodule or a crate.
    fn module_named(&self, place: Place<'_>, name: &str) -> Vec<Value> {
        let family = place.file.language.family();
        match family {
            Family::Rust => {
                let own = modules::namespace_of_path(family, place.path);
                let inner = format!("{own}.{name}");
                if self.view.has_module(family, &inner) {
                    return vec![Value::Module(family, inner)];
                }
                self.crate_named(place.path, name)
            }
            Family::CSharp | Family::C => {
                let around = self.namespaces_around(place);
                let inner = around
                    .iter()
                    .map(|outer| if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") });
                inner
                    .filter(|namespace| self.view.has_module(family, namespace))
                    .take(1)
                    .map(|namespace| Value::Module(family, namespace))
                    .collect()
            }
            Family::Java if self.view.has_module(family, name) => vec![Value::Module(family, name.to_owned())],
            Family::Php => {
                let inner = if place.file.namespace.is_empty() {
                    name.to_owned()
                } else {
                    format!("{}.{name}", place.file.namespace)
                };
                self.view.has_module(family, &inner).then_some(Value::Module(family, inner)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// `crate`, `self`, `super`.
    fn rust_root(&self, place: Place<'_>, name: &str) -> Option<Vec<Value>> {
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
    fn rust_path<'p>(&self, path: &str, file: &File, mut parts: impl Iterator<Item = &'p str>) -> Vec<Value> {
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
    fn crate_named(&self, path: &str, name: &str) -> Vec<Value> {
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

    /// What an inline module sees through the file's imports.
    pub(super) fn module_imports(&self, id: &DefinitionId, name: &str) -> Vec<Value> {
        let Some(file) = self.view.file(&id.path) else { return Vec::new() };
        let fits = |import: &&Import| import.is_reexport && import.alias == name;
        file.imports.iter().filter(fits).flat_map(|import| self.import(&id.path, file, import)).collect()
    }

    /// What a module gives to those who import from it.
    pub(super) fn exported(&self, family: Family, namespace: &str, name: &str) -> Vec<Value> {
        if !self.burn() {
            return Vec::new();
        }
        let own: Vec<Value> = self.plain(self.view.children(family, namespace, "", name).iter()).collect();
        if !own.is_empty() {
            return own;
        }
        let inner = match family {
            Family::Python | Family::Script | Family::Go if namespace.is_empty() => name.to_owned(),
            Family::Python | Family::Script => format!("{namespace}/{name}"),
            Family::Go => String::from("|"),
            _ if namespace.is_empty() => name.to_owned(),
            _ => format!("{namespace}.{name}"),
        };
        if self.view.has_module(family, &inner) {
            return vec![Value::Module(family, inner)];
        }
        if !matches!(family, Family::Python | Family::Script | Family::Rust) {
            return Vec::new();
        }
        let files = self.view.files_under(family, namespace);
        let files = files.iter().filter(|path| modules::namespace_of_path(family, path) == namespace);
        let mut wild = Vec::new();
        for path in files {
            let Some(file) = self.view.file(path) else { continue };
            for import in file.imports.iter().filter(|import| import.is_reexport) {
                if import.is_wildcard {
                    wild.push((path, file, import));
                } else if import.alias == name {
                    let found = if import.module.is_empty() && family == Family::Script {
                        let local = import.name.as_deref().unwrap_or_default();
                        if local == name && import.alias == name {
                            self.own_name(path, file, local)
                        } else {
                            self.name(Place { path, file, entity: None }, local).into_iter().collect()
                        }
                    } else {
                        self.import(path, file, import)
                    };
                    if !found.is_empty() {
                        return found;
                    }
                }
            }
        }
        for (path, file, import) in wild {
            let found = self.wildcard(Place { path, file, entity: None }, import, name);
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// A name of a file that it exports under the same name: its own or an imported one.
    fn own_name(&self, path: &str, file: &File, name: &str) -> Vec<Value> {
        let fits = |import: &&Import| import.alias == name && !import.module.is_empty();
        file.imports.iter().filter(fits).flat_map(|import| self.import(path, file, import)).collect()
    }
}

fn definitions(values: &[Value]) -> Vec<DefinitionId> {
    let ids = values.iter().filter_map(|value| match value {
        Value::Definition(id) => Some(id.clone()),
        _ => None,
    });
    ids.collect()
}
