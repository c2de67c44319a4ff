//! Imports, and what a module exports.

use super::eval::{Place, Resolver, Value};
use super::{DefinitionId, modules};
use crate::language::Family;
use crate::{File, Import};

impl Resolver<'_> {
    /// By an import that names it.
    pub(super) fn imported(&self, place: Place<'_>, name: &str) -> Vec<Value> {
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
    pub(super) fn wildcard(&self, place: Place<'_>, import: &Import, name: &str) -> Vec<Value> {
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
    pub(super) fn module_named(&self, place: Place<'_>, name: &str) -> Vec<Value> {
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
