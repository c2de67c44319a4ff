//! Which of one side's new uses the other side's changes break.

use crate::changes::{compare, same_signature};
use crate::index::View;
use crate::language::Family;
use crate::{
    Arguments, ChangeKind, DefinitionId, Entity, EntityChange, EntityKind, File, Index, Language, Resolution,
    Signature, SignatureChange, Use, UseKind, changes,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

/// How sure it is that a use means a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// By import, scope or receiver: to be pushed.
    Definite,
    /// By name alone: to be shown, never pushed.
    Possible,
}

/// A definition that one side changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedDefinition {
    /// Its file.
    pub path: String,
    /// Its path below the file, before the change.
    pub entity: String,
    /// How it changed.
    pub change: ChangeKind,
    /// Its bytes in the base.
    pub before: Range<usize>,
    /// Its bytes in the changed file, if it is still there.
    pub after: Option<Range<usize>>,
}

/// A use that the change breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AffectedUse {
    /// Its file.
    pub path: String,
    /// Its bytes in the user's version.
    pub range: Range<usize>,
    /// Its line, the first being 0.
    pub line: usize,
    /// The entity it stands in.
    pub entity: Option<String>,
    /// The name used.
    pub name: String,
    /// How it is used.
    pub kind: UseKind,
    /// Whether this side added it, or changed it.
    pub is_new: bool,
}

/// A use and the change that breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    /// What was changed.
    pub definition: ChangedDefinition,
    /// What breaks.
    pub affected: AffectedUse,
    /// How sure that is.
    pub certainty: Certainty,
}

/// The uses of a side's version that the base does not have: added, or passing something else. By place in
/// `File::uses`.
#[must_use]
pub fn new_uses(base: Option<&File>, side: &File) -> Vec<usize> {
    let mut known: HashMap<(u64, Option<&str>), usize> = HashMap::new();
    let outer = |file: &'_ File, one: &Use| -> Option<usize> { one.entity.filter(|at| *at < file.entities.len()) };
    if let Some(base) = base {
        for one in &base.uses {
            let entity = outer(base, one).and_then(|at| base.entities.get(at)).map(|entity| entity.path.as_str());
            *known.entry((one.hash, entity)).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    for (at, one) in side.uses.iter().enumerate() {
        let entity = outer(side, one).and_then(|at| side.entities.get(at)).map(|entity| entity.path.as_str());
        match known.get_mut(&(one.hash, entity)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => found.push(at),
        }
    }
    found
}

/// Which new uses in `user`'s files the changes in `author`'s files break. Both hold only what their side changed; the
/// base holds the project as both began. Costs what the changed files cost, whatever the size of the base.
#[must_use]
pub fn impact(base: &Index, author: &Index, user: &Index) -> Vec<Impact> {
    let work = Work::new(base, author, user);
    if work.names.is_empty() {
        return Vec::new();
    }
    let mut found: BTreeMap<(String, usize, String), Impact> = BTreeMap::new();
    let mut paths: Vec<&str> = user.paths().collect();
    paths.sort_unstable();
    for path in paths {
        let Some(file) = user.file(path) else { continue };
        let families: HashSet<Family> = work.families.clone();
        if !families.contains(&file.language.family()) {
            continue;
        }
        let aliases: HashSet<&str> = file
            .imports
            .iter()
            .filter(|import| import.name.as_deref().is_some_and(|name| name == "default" || work.names.contains(name)))
            .map(|import| import.alias.as_str())
            .collect();
        for at in new_uses(base.file(path), file) {
            let Some(one) = file.uses.get(at) else { continue };
            if !work.names.contains(&one.name) && !aliases.contains(one.name.as_str()) {
                continue;
            }
            for impact in work.impacts_of(path, file, one) {
                let key = (path.to_owned(), one.range.start, impact.definition.entity.clone());
                let keeps = found.get(&key).is_some_and(|old| old.certainty <= impact.certainty);
                if !keeps {
                    found.insert(key, impact);
                }
            }
        }
    }
    // What is imported and used on the spot is one matter each; the same use through several definitions is one.
    found.into_values().collect()
}

/// The state of one comparison.
struct Work<'a> {
    base: &'a Index,
    author: &'a Index,
    user: &'a Index,
    /// The project as the user sees it, and as the author sees it.
    seen: View<'a>,
    made: View<'a>,
    /// Changes by file and path of the entity.
    changed: HashMap<(String, String), EntityChange>,
    /// Names that are worth a look.
    names: HashSet<String>,
    families: HashSet<Family>,
}

impl<'a> Work<'a> {
    fn new(base: &'a Index, author: &'a Index, user: &'a Index) -> Self {
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
            let Some(after) = author.file(path) else {
                for entity in &before.entities {
                    work.note(
                        path,
                        before,
                        EntityChange { path: entity.path.clone(), kind: entity.kind, change: ChangeKind::Removed },
                    );
                }
                continue;
            };
            for change in changes(before, after) {
                if !matches!(change.change, ChangeKind::Added | ChangeKind::Body) {
                    work.note(path, before, change);
                }
            }
        }
        work
    }

    fn note(&mut self, path: &str, before: &File, change: EntityChange) {
        let mut parts = change.path.rsplit('.');
        self.names.extend(parts.next().map(ToOwned::to_owned));
        // A constructor is used by its class's name.
        self.names.extend(parts.next().map(ToOwned::to_owned));
        if change.change == ChangeKind::Removed {
            let inner = format!("{}.", change.path);
            let members = before.entities.iter().filter(|entity| entity.path.starts_with(&inner));
            self.names.extend(members.map(|entity| entity.name.clone()));
        }
        self.changed.insert((path.to_owned(), change.path.clone()), change);
    }

    fn impacts_of(&self, path: &'a str, file: &File, one: &Use) -> Vec<Impact> {
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
                self.unfit(&before, &after, path, place, file, one)
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

    /// Whether the use fitted before and does not fit after.
    fn unfit(
        &self,
        before: &[&Entity],
        after: &[&Entity],
        path: &str,
        place: &str,
        file: &File,
        one: &Use,
    ) -> Option<Certainty> {
        let old: Vec<&Signature> = before.iter().map(|entity| &entity.signature).collect();
        let new: Vec<&Signature> = after.iter().map(|entity| &entity.signature).collect();
        let kind = before.first()?.kind;
        let is_call = matches!(one.kind, UseKind::Call | UseKind::Construct);
        if !is_call {
            return self.unfit_reference(kind, &old, &new, path, place, one);
        }
        let arguments = one.arguments.clone().unwrap_or_default();
        let suits =
            |all: &[&Signature]| all.iter().any(|signature| accepts(file.language, kind, signature, &arguments));
        if !suits(&new) {
            // A call that never fitted is one that is not understood.
            return Some(if suits(&old) { Certainty::Definite } else { Certainty::Possible });
        }
        let suited: Vec<&&Signature> =
            old.iter().filter(|signature| accepts(file.language, kind, signature, &arguments)).collect();
        let kept = suited.iter().any(|signature| new.iter().any(|other| same_signature(signature, other)));
        if kept && suited.len() == 1 {
            return None;
        }
        let candidates: Vec<&&Signature> =
            new.iter().filter(|signature| accepts(file.language, kind, signature, &arguments)).collect();
        let (Some(from), Some(to)) = (suited.first(), candidates.first()) else { return None };
        let harmful =
            compare(from, to).iter().any(|change| self.harms(change, from, to, &arguments, path, place, one, kind));
        if !harmful {
            return None;
        }
        // Which overload was meant is not known by number alone.
        Some(if kept || suited.len() > 1 { Certainty::Possible } else { Certainty::Definite })
    }

    fn unfit_reference(
        &self,
        kind: EntityKind,
        old: &[&Signature],
        new: &[&Signature],
        path: &str,
        place: &str,
        one: &Use,
    ) -> Option<Certainty> {
        if one.kind == UseKind::Import || one.kind == UseKind::Inherit {
            let hidden = old.iter().zip(new).any(|(from, to)| {
                compare(from, to).contains(&SignatureChange::VisibilityChanged) && hides(from, to, path, place)
            });
            return hidden.then_some(Certainty::Definite);
        }
        let (Some(from), Some(to)) = (old.first(), new.first()) else { return None };
        let changes = compare(from, to);
        if kind.is_callable() {
            // Passed on: whoever calls it in the end is not known.
            let harmful = changes.iter().any(|change| {
                !matches!(
                    change,
                    SignatureChange::OptionalAdded { .. }
                        | SignatureChange::BecameOptional { .. }
                        | SignatureChange::VisibilityChanged
                )
            });
            return harmful.then_some(Certainty::Possible);
        }
        if matches!(kind, EntityKind::Field | EntityKind::Variable | EntityKind::Constant) {
            let typed =
                from.result.is_some() && to.result.is_some() && changes.contains(&SignatureChange::ResultChanged);
            return typed.then_some(Certainty::Definite);
        }
        let hidden = changes.contains(&SignatureChange::VisibilityChanged) && hides(from, to, path, place);
        hidden.then_some(Certainty::Definite)
    }

    /// Whether a change matters for a call that fits by number and names.
    #[expect(clippy::too_many_arguments, reason = "all that a call and a change are made of")]
    fn harms(
        &self,
        change: &SignatureChange,
        from: &Signature,
        to: &Signature,
        arguments: &Arguments,
        path: &str,
        place: &str,
        one: &Use,
        kind: EntityKind,
    ) -> bool {
        let at = |signature: &Signature, name: &str| signature.parameters.iter().position(|one| one.name == name);
        match change {
            SignatureChange::Reordered => {
                let prefix = from.parameters.iter().zip(&to.parameters).take(arguments.positional);
                prefix.into_iter().any(|(left, right)| left.name != right.name)
            }
            SignatureChange::TypeChanged { name } => {
                let written = |signature: &Signature| {
                    at(signature, name)
                        .and_then(|at| signature.parameters.get(at))
                        .and_then(|one| one.written_type.clone())
                };
                let place = at(to, name).unwrap_or(usize::MAX);
                let passed = place < arguments.positional || arguments.keywords.contains(name) || name.is_empty();
                passed
                    && ((written(from).is_some() && written(to).is_some()) || name.is_empty())
                    && !widens(written(from), written(to))
            }
            SignatureChange::ResultChanged => {
                let left_out = |result: &Option<String>| result.is_none() && self.untyped(place);
                !(kind.is_type() || left_out(&from.result) || left_out(&to.result))
            }
            SignatureChange::AsyncChanged => to.is_async != one.is_awaited,
            SignatureChange::ReceiverChanged => true,
            SignatureChange::VisibilityChanged => hides(from, to, path, place),
            SignatureChange::ParameterRemoved { .. } | SignatureChange::RequiredAdded { .. } => {
                // By position the same number may mean other parameters.
                let prefix = from.parameters.iter().zip(&to.parameters).take(arguments.positional);
                prefix
                    .into_iter()
                    .any(|(left, right)| left.name != right.name && left.written_type != right.written_type)
                    || (arguments.positional > 0
                        && from.parameters.first().map(|one| &one.name) != to.parameters.first().map(|one| &one.name)
                        && from.parameters.len() != to.parameters.len())
            }
            SignatureChange::PassingChanged { .. }
            | SignatureChange::OptionalAdded { .. }
            | SignatureChange::BecameOptional { .. }
            | SignatureChange::BecameRequired { .. }
            | SignatureChange::ParameterRenamed { .. } => false,
        }
    }

    /// Whether types need not be written in a file's language.
    fn untyped(&self, place: &str) -> bool {
        let language = self.base.file(place).map(|file| file.language);
        matches!(language.map(Language::family), Some(Family::Python | Family::Script | Family::Ruby | Family::Php))
    }
}

/// Entities of a path that are not impl blocks.
fn real<'f>(file: &'f File, path: &str) -> Vec<&'f Entity> {
    file.find_all(path).filter(|entity| entity.kind != EntityKind::Impl).collect()
}

/// Whether a call fits, with what a language lets pass.
fn accepts(language: Language, kind: EntityKind, signature: &Signature, arguments: &Arguments) -> bool {
    if signature.accepts(arguments) {
        return true;
    }
    match language.family() {
        // A literal with fields says nothing of a constructor; with none in Go all are zero.
        Family::Go if kind == EntityKind::Struct => arguments.keywords.is_empty() && arguments.positional == 0,
        Family::C | Family::CSharp | Family::Java if kind.is_type() => true,
        // A last hash is positional where no keyword takes it.
        Family::Ruby if !arguments.keywords.is_empty() => {
            let merged =
                Arguments { positional: arguments.positional + 1, keywords: Vec::new(), spread: arguments.spread };
            !signature.parameters.iter().any(|one| matches!(one.passing, crate::Passing::Keyword))
                && signature.accepts(&merged)
        }
        // `this` of a method called through its type.
        Family::Rust
            if !signature.receiver.is_empty() && signature.receiver != "static" && arguments.positional > 0 =>
        {
            let rest = Arguments { positional: arguments.positional - 1, ..arguments.clone() };
            signature.accepts(&rest)
        }
        Family::CSharp if signature.text.contains("( this ") => {
            // An extension method's first parameter is the receiver.
            signature.accepts(&Arguments { positional: arguments.positional + 1, ..arguments.clone() })
        }
        _ => false,
    }
}

/// Whether a new type takes all that the old one took: the old one or something else.
fn widens(from: Option<String>, to: Option<String>) -> bool {
    let (Some(from), Some(to)) = (from, to) else { return true };
    let parts: Vec<&str> = to.split('|').collect();
    parts.contains(&from.as_str())
        || to == format!("Optional[{from}]")
        || to == format!("?{from}")
        || to == format!("{from}?")
        || to == "any"
        || to == "Any"
}

/// Whether a use in one file no longer sees what is in another.
fn hides(from: &Signature, to: &Signature, path: &str, place: &str) -> bool {
    let rank = |signature: &Signature| match signature.visibility.as_str() {
        "private" | "static" => 0,
        "protected" => 1,
        "internal" => 2,
        "" => 2,
        text if text.starts_with("pub(") => 2,
        _ => 3,
    };
    let narrower = rank(to) < rank(from);
    let own = path == place;
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    narrower
        && !own
        && (rank(to) < 2
            || folder(path) != folder(place)
            || to.visibility.is_empty() && from.visibility.starts_with("pub"))
}
