//! Definitions and uses of many files, kept file by file.

mod eval;
mod imports;
mod modules;
mod names;
mod rust_paths;

use crate::chain::{Head, Step};
use crate::language::Family;
use crate::{Entity, EntityKind, File, Use};
use eval::Resolver;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An entity of an index. It names the same entity until its file is set again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DefinitionId {
    /// The file, relative to the project.
    pub path: Arc<str>,
    /// Its place in [`File::entities`].
    pub entity: usize,
}

/// What a use leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// To these: several for overloads, and for a declaration with its definition.
    Definite(Vec<DefinitionId>),
    /// Perhaps to one of these, by name alone.
    Possible(Vec<DefinitionId>),
    /// To nothing in the project.
    None,
}

type Key = (Family, String);

/// Definitions and uses of a project, or of an agent's changes on it. Pure and incremental: setting a file costs what
/// that file costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Index {
    files: HashMap<Arc<str>, Option<Arc<File>>>,
    /// Entities by namespace, path of what they are in, and name.
    children: HashMap<Key, Vec<DefinitionId>>,
    /// Entities by name.
    named: HashMap<Key, Vec<DefinitionId>>,
    /// Files by namespace; an outer namespace has those of the inner ones.
    modules: HashMap<Key, BTreeSet<Arc<str>>>,
    /// Namespaces by their last part.
    tails: HashMap<Key, BTreeSet<String>>,
}

/// An index with another one over it: what the upper one has, also the absence of a file, counts.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    base: &'a Index,
    over: Option<&'a Index>,
    /// One file of a third index that stands before all others.
    pinned: Option<(&'a Index, &'a str)>,
}

pub(crate) fn child_key(namespace: &str, parent: &str, name: &str) -> String {
    format!("{namespace}|{parent}|{name}")
}

fn parent_path(entity: &Entity) -> &str {
    entity.path.rsplit_once('.').map_or("", |(parent, _)| parent)
}

impl Index {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a file in the place of what was there; `None` says that there is none, which in an upper index hides the
    /// lower one's file.
    pub fn set(&mut self, path: &str, file: Option<File>) {
        self.set_shared(path, file.map(Arc::new));
    }

    /// As [`Index::set`], for a file that others hold too.
    pub fn set_shared(&mut self, path: &str, file: Option<Arc<File>>) {
        self.forget(path);
        let path: Arc<str> = path.into();
        if let Some(file) = &file {
            self.enter(&path, file);
        }
        self.files.insert(path, file);
    }

    /// Knows nothing of a file any more: neither that it exists nor that it does not.
    pub fn forget(&mut self, path: &str) {
        if let Some((path, Some(file))) = self.files.remove_entry(path) {
            self.leave(&path, &file);
        }
    }

    /// A file, if it is there.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)?.as_deref()
    }

    /// What was set at a path: nothing when it was not, `Some(None)` when the file is said not to exist.
    #[must_use]
    pub fn entry(&self, path: &str) -> Option<Option<Arc<File>>> {
        self.files.get(path).cloned()
    }

    /// The paths that were set, those without a file included; in no order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(|path| &**path)
    }

    /// Whether the path was set, be it to nothing.
    #[must_use]
    pub fn touches(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// An entity by its id.
    #[must_use]
    pub fn entity(&self, id: &DefinitionId) -> Option<&Entity> {
        self.file(&id.path)?.entities.get(id.entity)
    }

    /// This index alone.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View { base: self, over: None, pinned: None }
    }

    /// This index with another one over it.
    #[must_use]
    pub fn under<'a>(&'a self, over: &'a Self) -> View<'a> {
        View { base: self, over: Some(over), pinned: None }
    }

    /// What a use in a file of this index leads to.
    #[must_use]
    pub fn resolve(&self, path: &str, one: &Use) -> Resolution {
        self.view().resolve(path, one)
    }

    /// The files that use a name, outlines too; in no order. Looks at each file.
    pub fn users<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.files.iter().filter(|(_, file)| file.as_ref().is_some_and(|file| file.uses_name(name)));
        all.map(|(path, _)| &**path)
    }

    /// All entities of a name, in whatever language, by path and place.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<DefinitionId> {
        let families: BTreeSet<Family> = crate::Language::all().iter().map(|language| language.family()).collect();
        let all = families.into_iter().filter_map(|family| self.named.get(&(family, name.to_owned())));
        let mut all: Vec<DefinitionId> = all.flatten().cloned().collect();
        all.sort_unstable();
        all
    }

    fn keys(path: &str, file: &File, mut each: impl FnMut(usize, Key, Key)) {
        let family = file.language.family();
        for (at, entity) in file.entities.iter().enumerate() {
            let namespace = modules::namespace_of(file, path, entity);
            let child = child_key(&namespace, parent_path(entity), &entity.name);
            each(at, (family, child), (family, entity.name.clone()));
        }
    }

    fn enter(&mut self, path: &Arc<str>, file: &File) {
        let family = file.language.family();
        Self::keys(path, file, |at, child, name| {
            let id = DefinitionId { path: Arc::clone(path), entity: at };
            self.children.entry(child).or_default().push(id.clone());
            self.named.entry(name).or_default().push(id);
        });
        for module in modules::modules_of(file, path) {
            for (depth, outer) in modules::outward(&module).enumerate() {
                self.modules.entry((family, outer.to_owned())).or_default().insert(Arc::clone(path));
                if depth == 0 {
                    let tail = modules::tail(outer).to_owned();
                    self.tails.entry((family, tail)).or_default().insert(outer.to_owned());
                }
            }
        }
    }

    fn leave(&mut self, path: &Arc<str>, file: &File) {
        let family = file.language.family();
        let (children, named) = (&mut self.children, &mut self.named);
        Self::keys(path, file, |at, child, name| {
            let id = DefinitionId { path: Arc::clone(path), entity: at };
            drop_from(children, &child, |ids| {
                ids.retain(|one| *one != id);
                ids.is_empty()
            });
            drop_from(named, &name, |ids| {
                ids.retain(|one| *one != id);
                ids.is_empty()
            });
        });
        for module in modules::modules_of(file, path) {
            for outer in modules::outward(&module) {
                let key = (family, outer.to_owned());
                drop_from(&mut self.modules, &key, |paths| {
                    paths.remove(path);
                    paths.is_empty()
                });
                if !self.modules.contains_key(&key) {
                    drop_from(&mut self.tails, &(family, modules::tail(outer).to_owned()), |all| {
                        all.remove(outer);
                        all.is_empty()
                    });
                }
            }
        }
    }
}

/// Changes an entry and removes it when nothing is left.
fn drop_from<V>(map: &mut HashMap<Key, V>, key: &Key, change: impl FnOnce(&mut V) -> bool) {
    if map.get_mut(key).is_some_and(change) {
        map.remove(key);
    }
}

pub(crate) use eval::{Resolver as ViewResolver, Value};

/// Follows chains in a view.
pub(crate) fn resolver(view: View<'_>) -> ViewResolver<'_> {
    ViewResolver::new(view)
}

impl<'a> View<'a> {
    /// The same view with one file of another index before all others.
    pub(crate) fn pinned(self, index: &'a Index, path: &'a str) -> Self {
        Self { pinned: Some((index, path)), ..self }
    }

    /// A file as seen from above.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&'a File> {
        if let Some((index, _)) = self.pinned.filter(|(_, own)| *own == path) {
            return index.file(path);
        }
        match self.over {
            Some(over) if over.touches(path) => over.file(path),
            _ => self.base.file(path),
        }
    }

    /// An entity by its id.
    #[must_use]
    pub fn entity(&self, id: &DefinitionId) -> Option<&'a Entity> {
        self.file(&id.path)?.entities.get(id.entity)
    }

    /// What a use in a file leads to.
    #[must_use]
    pub fn resolve(&self, path: &str, one: &Use) -> Resolution {
        let resolver = Resolver::new(*self);
        let values = resolver.eval(path, one.entity, &one.target);
        let found: BTreeSet<DefinitionId> = values
            .into_iter()
            .filter_map(|value| match value {
                Value::Definition(id) => Some(id),
                Value::Instance(_) | Value::Module(..) => None,
            })
            .collect();
        if !found.is_empty() {
            return Resolution::Definite(found.into_iter().collect());
        }
        let Some(file) = self.file(path) else { return Resolution::None };
        let receiver_unknown = match one.target.steps.split_last() {
            Some((Step::Member(_), before)) => {
                let before = crate::chain::Chain { head: one.target.head.clone(), steps: before.to_vec() };
                resolver.is_unknown(path, one.entity, &before)
            }
            Some(_) => false,
            None => file.language.family() == Family::C && matches!(one.target.head, Head::Name(_)),
        };
        if !receiver_unknown {
            return Resolution::None;
        }
        let of_member = !one.target.steps.is_empty();
        let fits = |id: &DefinitionId| {
            let entity = self.entity(id);
            entity.is_some_and(|entity| match entity.kind {
                EntityKind::Method | EntityKind::Field => of_member,
                EntityKind::Function => !of_member && entity.signature.visibility != "static",
                _ => false,
            })
        };
        let named = self.named(file.language.family(), &one.name);
        let possible: Vec<DefinitionId> = named.into_iter().filter(fits).take(50).collect();
        if possible.is_empty() { Resolution::None } else { Resolution::Possible(possible) }
    }

    /// All uses that lead to a definition, in order of path and place, with what certainty. Those in outlines are not
    /// known; see [`Index::users`].
    #[must_use]
    pub fn uses_of(&self, definition: &DefinitionId) -> Vec<(Arc<str>, &'a Use, crate::Certainty)> {
        let Some(file) = self.file(&definition.path) else { return Vec::new() };
        let Some(entity) = self.entity(definition) else { return Vec::new() };
        let family = file.language.family();
        let mut paths: BTreeSet<Arc<str>> = BTreeSet::new();
        for index in self.layers() {
            paths.extend(index.users(&entity.name).filter(|path| self.file(path).is_some()).map(Arc::from));
        }
        let same = |id: &DefinitionId| {
            id == definition
                || (id.path == definition.path && self.entity(id).is_some_and(|other| other.path == entity.path))
        };
        let mut found = Vec::new();
        for path in paths {
            let file = self.file(&path).filter(|file| file.language.family() == family);
            for one in file.into_iter().flat_map(|file| &file.uses).filter(|one| one.name == entity.name) {
                let certainty = match self.resolve(&path, one) {
                    Resolution::Definite(ids) if ids.iter().any(same) => crate::Certainty::Definite,
                    Resolution::Possible(ids) if ids.iter().any(same) => crate::Certainty::Possible,
                    _ => continue,
                };
                found.push((Arc::clone(&path), one, certainty));
            }
        }
        found
    }

    fn layers(&self) -> impl Iterator<Item = &'a Index> {
        std::iter::once(self.base).chain(self.over).chain(self.pinned.map(|(index, _)| index))
    }

    /// Whether what a layer says of a path counts.
    fn counts(&self, layer: &Index, path: &str) -> bool {
        if let Some((index, own)) = self.pinned
            && (std::ptr::eq(layer, index) || own == path)
        {
            return std::ptr::eq(layer, index) && own == path;
        }
        self.over.is_none_or(|over| std::ptr::eq(layer, over) || !over.touches(path))
    }

    pub(crate) fn children(&self, family: Family, namespace: &str, parent: &str, name: &str) -> Vec<DefinitionId> {
        let key = (family, child_key(namespace, parent, name));
        let layers = self.layers();
        let found = layers.flat_map(|layer| {
            layer.children.get(&key).into_iter().flatten().filter(move |id| self.counts(layer, &id.path))
        });
        found.cloned().collect()
    }

    pub(crate) fn named(&self, family: Family, name: &str) -> Vec<DefinitionId> {
        let key = (family, name.to_owned());
        let layers = self.layers();
        let found = layers.flat_map(|layer| {
            layer.named.get(&key).into_iter().flatten().filter(move |id| self.counts(layer, &id.path))
        });
        let mut found: Vec<DefinitionId> = found.take(2_000).cloned().collect();
        found.sort_unstable();
        found
    }

    /// Files of a namespace and of those within it.
    pub(crate) fn files_under(&self, family: Family, namespace: &str) -> BTreeSet<Arc<str>> {
        let key = (family, namespace.to_owned());
        let layers = self.layers();
        let found = layers.flat_map(|layer| {
            layer.modules.get(&key).into_iter().flatten().filter(move |path| self.counts(layer, path))
        });
        found.take(2_000).cloned().collect()
    }

    pub(crate) fn has_module(&self, family: Family, namespace: &str) -> bool {
        let key = (family, namespace.to_owned());
        self.layers().any(|layer| layer.modules.get(&key).into_iter().flatten().any(|path| self.counts(layer, path)))
    }

    /// Namespaces whose last part is this.
    pub(crate) fn by_tail(&self, family: Family, tail: &str) -> BTreeSet<String> {
        let key = (family, tail.to_owned());
        let found = self.layers().flat_map(|layer| layer.tails.get(&key).into_iter().flatten());
        found.filter(|namespace| self.has_module(family, namespace)).cloned().collect()
    }
}
