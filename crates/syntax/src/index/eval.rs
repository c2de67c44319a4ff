//! Following a chain from its head to definitions.

use super::{DefinitionId, View, modules};
use crate::chain::{Chain, Head, Step};
use crate::language::Family;
use crate::{Entity, EntityKind, File, Language};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

/// Steps that following one use may take: bounds cycles.
const FUEL: u32 = 3_000;
/// More values than this are not followed.
const WIDTH: usize = 16;
/// Chains within chains beyond this depth are not followed: bounds the stack.
const DEPTH: u32 = 24;

/// What a chain has reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    Definition(DefinitionId),
    /// A value of that type.
    Instance(DefinitionId),
    Module(Family, String),
}

/// Follows chains in a view.
pub(crate) struct Resolver<'a> {
    pub(super) view: View<'a>,
    fuel: Cell<u32>,
    /// How deep chains are followed within each other.
    depth: Cell<u32>,
    /// Types whose bases are being looked up: within that they have none.
    busy: RefCell<BTreeSet<DefinitionId>>,
}

/// A file with its path, and the entity that a name is looked up from.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) path: &'a str,
    pub(super) file: &'a File,
    pub(super) entity: Option<usize>,
}

/// One level deeper.
pub(super) struct Deeper<'r>(&'r Cell<u32>);

impl Drop for Deeper<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(view: View<'a>) -> Self {
        Self { view, fuel: Cell::new(FUEL), depth: Cell::new(0), busy: RefCell::default() }
    }

    /// Takes one step; false when none is left.
    pub(super) fn burn(&self) -> bool {
        let left = self.fuel.get();
        self.fuel.set(left.saturating_sub(1));
        left > 0
    }

    /// Goes one level deeper until the guard is dropped; `None` at the bottom.
    pub(super) fn deeper(&self) -> Option<Deeper<'_>> {
        let depth = self.depth.get();
        (depth < DEPTH).then(|| {
            self.depth.set(depth + 1);
            Deeper(&self.depth)
        })
    }

    /// What a chain written in an entity of a file reaches.
    pub(crate) fn eval(&self, path: &str, entity: Option<usize>, chain: &Chain) -> BTreeSet<Value> {
        let Some(file) = self.view.file(path) else { return BTreeSet::new() };
        let Some(_deeper) = self.deeper() else { return BTreeSet::new() };
        let place = Place { path, file, entity };
        let mut values = self.head(place, &chain.head);
        for step in &chain.steps {
            if values.is_empty() || !self.burn() {
                return BTreeSet::new();
            }
            let next = values.iter().take(WIDTH).flat_map(|value| self.step(value, step, file.language));
            values = next.collect();
        }
        values
    }

    /// Whether nothing is known of what a chain reaches: it is of no use to say that it has no such member.
    pub(crate) fn is_unknown(&self, path: &str, entity: Option<usize>, chain: &Chain) -> bool {
        if chain.is_unknown() {
            return true;
        }
        let values = self.eval(path, entity, chain);
        if !values.is_empty() {
            return values.iter().any(|value| self.is_open(value, 8));
        }
        match (&chain.head, self.view.file(path)) {
            // Imported from elsewhere: known not to be of the project.
            (Head::Name(name), Some(file))
                if file.imports.iter().any(|import| import.alias == **name) && !chain.steps.contains(&Step::Call) =>
            {
                false
            }
            (Head::Name(_), _) => chain.steps.iter().any(|step| *step != Step::Instance),
            _ => true,
        }
    }

    /// Whether a value may have members that are not seen: a base that is not of the project, or no known type.
    fn is_open(&self, value: &Value, depth: u32) -> bool {
        match value {
            Value::Module(..) => false,
            Value::Definition(id) | Value::Instance(id) => {
                let Some(entity) = self.view.entity(id) else { return true };
                if !entity.kind.is_type() {
                    return entity.kind != EntityKind::Module;
                }
                depth == 0
                    || self.bases(id).iter().any(|(place, entity, base)| {
                        let found = self.eval(place, Some(*entity), base);
                        found.is_empty() || found.iter().any(|value| self.is_open(value, depth - 1))
                    })
            }
        }
    }

    fn head(&self, place: Place<'_>, head: &Head) -> BTreeSet<Value> {
        match head {
            Head::Unknown => BTreeSet::new(),
            Head::Root => BTreeSet::from([Value::Module(place.file.language.family(), String::new())]),
            Head::This => self.owners(place).into_iter().map(Value::Instance).collect(),
            Head::Super => {
                let owners = self.owners(place);
                let bases = owners.iter().flat_map(|id| self.bases(id));
                let found = bases.flat_map(|(path, entity, base)| self.eval(&path, Some(entity), &base));
                found.filter_map(|value| self.instance(&value)).collect()
            }
            Head::Name(name) => self.name(place, name),
        }
    }

    /// The types that the method around belongs to.
    pub(super) fn owners(&self, place: Place<'_>) -> Vec<DefinitionId> {
        let mut next = place.entity;
        while let Some(at) = next {
            let Some(entity) = place.file.entities.get(at) else { return Vec::new() };
            if entity.kind.is_type() || (entity.kind == EntityKind::Module && place.file.language == Language::Ruby) {
                return vec![DefinitionId { path: place.path.into(), entity: at }];
            }
            if let Some(owner) = &entity.owner {
                let found = self.eval(place.path, entity.parent, owner);
                return found
                    .into_iter()
                    .filter_map(|value| match value {
                        Value::Definition(id) | Value::Instance(id) => self.is_type(&id).then_some(id),
                        Value::Module(..) => None,
                    })
                    .collect();
            }
            // Methods of a literal object belong to the variable.
            if entity.kind == EntityKind::Variable {
                return vec![DefinitionId { path: place.path.into(), entity: at }];
            }
            next = entity.parent;
        }
        Vec::new()
    }

    pub(super) fn is_type(&self, id: &DefinitionId) -> bool {
        self.view.entity(id).is_some_and(|entity| entity.kind.is_type() || entity.kind == EntityKind::Module)
    }

    fn step(&self, value: &Value, step: &Step, language: Language) -> Vec<Value> {
        match step {
            Step::Member(name) => self.member(value, name, language),
            Step::Call => self.call(value),
            Step::Instance => self.instance(value).into_iter().collect(),
        }
    }

    /// A value of a type that was named.
    fn instance(&self, value: &Value) -> Option<Value> {
        match value {
            Value::Instance(_) => Some(value.clone()),
            Value::Module(Family::Script, namespace) => {
                let found = self.exported(Family::Script, namespace, "default");
                found
                    .iter()
                    .find_map(|value| if matches!(value, Value::Module(..)) { None } else { self.instance(value) })
            }
            Value::Module(..) => None,
            Value::Definition(id) => {
                let entity = self.view.entity(id)?;
                match entity.kind {
                    kind if kind.is_type() => Some(Value::Instance(id.clone())),
                    EntityKind::Alias => self.held(id, entity).into_iter().next(),
                    EntityKind::Function if self.view.file(&id.path)?.language.family() == Family::Script => {
                        Some(Value::Instance(id.clone()))
                    }
                    EntityKind::Variant => {
                        let parent = entity.parent?;
                        Some(Value::Instance(DefinitionId { path: id.path.clone(), entity: parent }))
                    }
                    EntityKind::Variable | EntityKind::Constant => self.held(id, entity).into_iter().next(),
                    _ => None,
                }
            }
        }
    }

    /// What calling a value gives.
    fn call(&self, value: &Value) -> Vec<Value> {
        match value {
            Value::Module(Family::Script, namespace) => {
                let found = self.exported(Family::Script, namespace, "default");
                found
                    .iter()
                    .filter(|value| !matches!(value, Value::Module(..)))
                    .flat_map(|value| self.call(value))
                    .collect()
            }
            Value::Module(..) | Value::Instance(_) => Vec::new(),
            Value::Definition(id) => {
                let Some(entity) = self.view.entity(id) else { return Vec::new() };
                match entity.kind {
                    EntityKind::Function | EntityKind::Method | EntityKind::Alias => self.held(id, entity),
                    EntityKind::Variable | EntityKind::Field | EntityKind::Constant => {
                        let held = self.held(id, entity);
                        held.iter()
                            .filter(|one| *one != value && self.burn())
                            .flat_map(|value| self.call(value))
                            .collect()
                    }
                    _ => self.instance(value).into_iter().collect(),
                }
            }
        }
    }

    /// What a variable holds or a function returns.
    pub(super) fn held(&self, id: &DefinitionId, entity: &Entity) -> Vec<Value> {
        let Some(chain) = entity.value.as_ref().filter(|_| self.burn()) else { return Vec::new() };
        let at = if entity.kind.is_callable() { Some(id.entity) } else { entity.parent };
        self.eval(&id.path, at, chain).into_iter().collect()
    }

    /// A member of a value.
    pub(super) fn member(&self, value: &Value, name: &str, language: Language) -> Vec<Value> {
        if !self.burn() {
            return Vec::new();
        }
        match value {
            Value::Module(family, namespace) => {
                let found = self.exported(*family, namespace, name);
                if found.is_empty() && *family == Family::Script && name != "default" {
                    let default = self.exported(*family, namespace, "default");
                    return default
                        .iter()
                        .filter(|value| !matches!(value, Value::Module(..)))
                        .flat_map(|value| self.member(value, name, language))
                        .collect();
                }
                found
            }
            Value::Definition(id) | Value::Instance(id) => {
                let Some(entity) = self.view.entity(id) else { return Vec::new() };
                match entity.kind {
                    kind if kind.is_type() => {
                        let found = self.members(id, name, &mut BTreeSet::new());
                        // `Foo.new` makes a value, unless it is defined.
                        if found.is_empty() && language == Language::Ruby && name == "new" {
                            return vec![Value::Definition(id.clone())];
                        }
                        found
                    }
                    EntityKind::Module | EntityKind::Function => {
                        let found = self.members(id, name, &mut BTreeSet::new());
                        if found.is_empty() && entity.kind == EntityKind::Module {
                            self.module_imports(id, name)
                        } else {
                            found
                        }
                    }
                    EntityKind::Method if language == Language::Ruby => {
                        // A call without parentheses.
                        self.held(id, entity).iter().flat_map(|value| self.member(value, name, language)).collect()
                    }
                    EntityKind::Variable | EntityKind::Field | EntityKind::Constant | EntityKind::Alias => {
                        let own = self.members(id, name, &mut BTreeSet::new());
                        if !own.is_empty() {
                            return own;
                        }
                        let held = self.held(id, entity);
                        held.iter()
                            .filter(|one| *one != value)
                            .flat_map(|value| self.member(value, name, language))
                            .collect()
                    }
                    EntityKind::Variant => {
                        let parent =
                            entity.parent.map(|entity| Value::Instance(DefinitionId { path: id.path.clone(), entity }));
                        parent.map(|value| self.member(&value, name, language)).unwrap_or_default()
                    }
                    _ => Vec::new(),
                }
            }
        }
    }

    /// Members of a type, else of its bases.
    pub(crate) fn members(&self, id: &DefinitionId, name: &str, seen: &mut BTreeSet<DefinitionId>) -> Vec<Value> {
        if !seen.insert(id.clone()) || seen.len() > 32 || !self.burn() {
            return Vec::new();
        }
        let (Some(file), Some(entity)) = (self.view.file(&id.path), self.view.entity(id)) else { return Vec::new() };
        let family = file.language.family();
        let namespace = modules::namespace_of(file, &id.path, entity);
        let mut found: BTreeSet<DefinitionId> =
            self.view.children(family, &namespace, &entity.path, name).into_iter().collect();
        if matches!(family, Family::Rust | Family::C) {
            found.extend(self.elsewhere(family, id, &entity.name, name));
        }
        if !found.is_empty() {
            return found.into_iter().map(Value::Definition).collect();
        }
        if let Some(chain) = file.attributes.get(&(entity.path.clone(), name.to_owned())) {
            let held = self.eval(&id.path, Some(id.entity), chain);
            if !held.is_empty() {
                return held.into_iter().collect();
            }
        }
        if !self.busy.borrow_mut().insert(id.clone()) {
            return Vec::new();
        }
        let mut values = BTreeSet::new();
        for (path, entity, base) in self.bases(id) {
            for value in self.eval(&path, Some(entity), &base) {
                if let Value::Definition(base) | Value::Instance(base) = value {
                    values.extend(self.members(&base, name, seen));
                }
            }
        }
        self.busy.borrow_mut().remove(id);
        values.into_iter().collect()
    }

    /// Members written in another namespace than their type.
    fn elsewhere(&self, family: Family, id: &DefinitionId, class: &str, name: &str) -> Vec<DefinitionId> {
        let fits = |other: &DefinitionId| {
            let Some(entity) = self.view.entity(other) else { return false };
            let Some(file) = self.view.file(&other.path) else { return false };
            let outer = entity.parent.and_then(|at| file.entities.get(at));
            let owner = entity.owner.as_ref().or_else(|| outer.and_then(|outer| outer.owner.as_ref()));
            let Some(owner) = owner.filter(|owner| owner.last_name() == Some(class)) else { return false };
            let reached = self.eval(&other.path, None, owner);
            reached.contains(&Value::Definition(id.clone()))
        };
        self.view.named(family, name).into_iter().take(200).filter(fits).collect()
    }

    /// The bases of a type, with the file they are written in.
    pub(super) fn bases(&self, id: &DefinitionId) -> Vec<(String, usize, Chain)> {
        let (Some(file), Some(entity)) = (self.view.file(&id.path), self.view.entity(id)) else { return Vec::new() };
        let mut found: Vec<(String, usize, Chain)> =
            entity.bases.iter().map(|base| (id.path.to_string(), id.entity, base.clone())).collect();
        let family = file.language.family();
        if matches!(family, Family::Rust | Family::Ruby | Family::CSharp) {
            let parts = self.view.named(family, &entity.name);
            for part in parts.into_iter().filter(|part| part != id).take(100) {
                let Some(other) = self.view.entity(&part) else { continue };
                let same = other.kind == EntityKind::Impl
                    || (other.path == entity.path
                        && other.namespace == entity.namespace
                        && other.kind == entity.kind
                        && family != Family::Rust);
                if same && other.name == entity.name {
                    found.extend(other.bases.iter().map(|base| (part.path.to_string(), part.entity, base.clone())));
                }
            }
        }
        found
    }
}
