//! One comparison: what the author changed, and which uses that breaks.

use super::{AffectedUse, Certainty, ChangedDefinition, Impact};
use crate::changes::same_signature;
use crate::index::View;
use crate::language::Family;
use crate::{
    ChangeKind, DefinitionId, Entity, EntityChange, EntityKind, File, Index, Language, Resolution, Use, UseKind,
    changes,
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The state of one comparison.
pub(super) struct Work<'a> {
    pub(super) base: &'a Index,
    pub(super) author: &'a Index,
    pub(super) user: &'a Index,
    /// The project as the user sees it, and as the author sees it.
    seen: View<'a>,
    made: View<'a>,
    /// Changes by file and path of the entity.
    changed: HashMap<(String, String), EntityChange>,
    /// Names that are worth a look.
    pub(super) names: HashSet<String>,
    pub(super) families: HashSet<Family>,
}

impl<'a> Work<'a> {
    pub(super) fn new(base: &'a Index, author: &'a Index, user: &'a Index) -> Self {
        let mut work = Self {
            base,
            author,
            user,
            seen: base.under(user),
            made: base.under(author),
            changed: HashMap::new(),
            names: HashSet::new(),
            families: HashSet::new(),
        };
        for path in author.paths() {
            let Some(before) = base.file(path) else { continue };
            work.families.insert(before.language.family());
            for change in breaking(before, author.file(path)) {
                names_of(before, &change, &mut work.names);
                work.changed.insert((path.to_owned(), change.path.clone()), change);
            }
        }
        work
    }

    pub(super) fn impacts_of(&self, path: &'a str, file: &File, one: &Use) -> Vec<Impact> {
        let (ids, certainty) = match self.seen.resolve(path, one) {
            Resolution::Definite(ids) => (ids, Certainty::Definite),
            Resolution::Possible(ids) => (ids, Certainty::Possible),
            Resolution::None => return Vec::new(),
        };
        // Overloads and declarations stand for one thing.
        let mut groups: BTreeSet<(String, String)> = BTreeSet::new();
        for id in ids.iter().chain(&self.constructors(&ids, one)) {
            if let Some(entity) = self.seen.entity(id) {
                groups.insert((id.path.to_string(), entity.path.clone()));
            }
        }
        let mut found = Vec::new();
        for (place, entity) in groups {
            let Some(change) = self.change_of(&place, &entity) else { continue };
            let Some(broken) = self.breaks(&place, &entity, change, path, file, one) else {
                // A declaration that still fits speaks for its definition: defaults stand only there.
                if file.language.family() == Family::C {
                    return Vec::new();
                }
                continue;
            };
            let certainty = certainty.max(broken);
            let before = self.base.file(&place).and_then(|file| file.find(&entity)).map(|entity| entity.range.clone());
            let now = match &change.change {
                ChangeKind::Renamed { to, .. } => to.as_str(),
                _ => entity.as_str(),
            };
            let after = self.author.file(&place).and_then(|file| file.find(now)).map(|entity| entity.range.clone());
            let inside = one.entity.and_then(|at| file.entities.get(at)).map(|entity| entity.path.clone());
            found.push(Impact {
                definition: ChangedDefinition {
                    path: place,
                    entity,
                    change: change.change.clone(),
                    before: before.unwrap_or_default(),
                    after,
                },
                affected: AffectedUse {
                    path: path.to_owned(),
                    range: one.range.clone(),
                    line: one.line,
                    entity: inside,
                    name: one.name.clone(),
                    kind: one.kind,
                    is_new: true,
                },
                certainty,
            });
        }
        // A header and its source say the same.
        if found.len() > 1
            && file.language.family() == Family::C
            && found
                .windows(2)
                .all(|two| matches!(two, [one, other] if one.definition.entity == other.definition.entity))
        {
            found.truncate(1);
        }
        found
    }

    /// The change of an entity, or that of a type around it that is gone.
    fn change_of(&self, place: &str, entity: &str) -> Option<&EntityChange> {
        let mut path = entity;
        let mut own = true;
        loop {
            if let Some(change) = self.changed.get(&(place.to_owned(), path.to_owned()))
                && (own || change.change == ChangeKind::Removed)
            {
                return Some(change);
            }
            own = false;
            path = path.rsplit_once('.')?.0;
        }
    }

    /// Constructors of the classes among definitions, when they are called.
    fn constructors(&self, ids: &[DefinitionId], one: &Use) -> Vec<DefinitionId> {
        if !matches!(one.kind, UseKind::Call | UseKind::Construct) {
            return Vec::new();
        }
        let mut found = Vec::new();
        for id in ids {
            let Some(entity) = self.seen.entity(id).filter(|entity| entity.kind.is_type()) else { continue };
            let Some(file) = self.seen.file(&id.path) else { continue };
            let name = match file.language {
                Language::Python => "__init__",
                Language::JavaScript | Language::TypeScript | Language::Tsx => "constructor",
                Language::Ruby => "initialize",
                Language::Php => "__construct",
                Language::Java | Language::CSharp | Language::Cpp => entity.name.as_str(),
                Language::Rust | Language::Go | Language::C => continue,
            };
            let resolver = crate::index::resolver(self.seen);
            for value in resolver.members(id, name, &mut BTreeSet::new()) {
                if let crate::index::Value::Definition(constructor) = value {
                    found.push(constructor);
                }
            }
        }
        found
    }

    /// Whether a use does not fit what the author made of the entity, and how sure that is.
    fn breaks(
        &self,
        place: &str,
        entity: &str,
        change: &EntityChange,
        path: &'a str,
        file: &File,
        one: &Use,
    ) -> Option<Certainty> {
        let base = self.base.file(place)?;
        let before: Vec<&Entity> = real(base, entity);
        if before.is_empty() {
            return None;
        }
        let unsound = self.author.file(place).is_some_and(|file| !file.is_sound());
        match &change.change {
            ChangeKind::Removed | ChangeKind::Renamed { .. } => {
                // The user took part in the same change.
                if self.user.touches(place) && self.user.file(place).is_none_or(|file| file.find(entity).is_none()) {
                    return None;
                }
                if let Some(after) = self.still_there(path, one) {
                    return self.unfit(&before, &after, path, place, file, one);
                }
                Some(if unsound { Certainty::Possible } else { Certainty::Definite })
            }
            ChangeKind::Signature(_) => {
                let after = real(self.author.file(place)?, entity);
                // The user made the same change.
                let own = self.user.file(place).map(|file| real(file, entity)).unwrap_or_default();
                let agrees = |two: &&Entity| own.iter().any(|one| same_signature(&one.signature, &two.signature));
                if !own.is_empty() && after.iter().all(agrees) {
                    return None;
                }
                // A signature that is just being typed breaks nothing for sure.
                let sure = self.unfit(&before, &after, path, place, file, one)?;
                let half_typed = unsound && after.iter().any(|entity| !entity.is_sound);
                Some(if half_typed { Certainty::Possible } else { sure })
            }
            ChangeKind::Added | ChangeKind::Body => None,
        }
    }

    /// What the same use finds in the author's version: moved, exported again, inherited.
    fn still_there(&self, path: &'a str, one: &Use) -> Option<Vec<&'a Entity>> {
        // The use stands in a file that the author may not have: it is read as the user wrote it.
        let mixed = self.made.pinned(self.user, path);
        let Resolution::Definite(ids) = mixed.resolve(path, one) else { return None };
        let mut found: Vec<&Entity> = Vec::new();
        for id in ids {
            let Some(entity) = mixed.entity(&id) else { continue };
            match self.author.file(path).filter(|_| *id.path == *path) {
                // In the file that both changed, the author's word counts for what the base had.
                Some(author) if self.base.file(path).is_some_and(|base| base.find(&entity.path).is_some()) => {
                    found.extend(real(author, &entity.path));
                }
                _ => found.push(entity),
            }
        }
        (!found.is_empty()).then_some(found)
    }
}

/// The changes of a file that may break a use; all of it when there is nothing after.
pub(super) fn breaking(before: &File, after: Option<&File>) -> Vec<EntityChange> {
    let Some(after) = after else {
        let gone = |one: &Entity| EntityChange { path: one.path.clone(), kind: one.kind, change: ChangeKind::Removed };
        return before.entities.iter().map(gone).collect();
    };
    let mut found = changes(before, after);
    found.retain(|change| !matches!(change.change, ChangeKind::Added | ChangeKind::Body));
    found
}

/// The names by which uses may lead to a changed entity.
pub(super) fn names_of(before: &File, change: &EntityChange, names: &mut HashSet<String>) {
    let mut parts = change.path.rsplit('.');
    names.extend(parts.next().map(ToOwned::to_owned));
    // A constructor is used by its class's name.
    names.extend(parts.next().map(ToOwned::to_owned));
    if change.change == ChangeKind::Removed {
        let inner = format!("{}.", change.path);
        let members = before.entities.iter().filter(|entity| entity.path.starts_with(&inner));
        names.extend(members.map(|entity| entity.name.clone()));
    }
}

/// Entities of a path that are not impl blocks.
fn real<'f>(file: &'f File, path: &str) -> Vec<&'f Entity> {
    file.find_all(path).filter(|entity| entity.kind != EntityKind::Impl).collect()
}
