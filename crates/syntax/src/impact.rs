//! Which of one side's new uses the other side's changes break.

mod fit;
mod work;

use crate::{ChangeKind, File, Index, Use, UseKind};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use work::Work;

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
    in_work(&Work::new(base, author, user), true)
}

/// As [`impact`], with the uses that the user's files had before, too; [`AffectedUse::is_new`] tells them apart.
#[must_use]
pub fn whole_impact(base: &Index, author: &Index, user: &Index) -> Vec<Impact> {
    in_work(&Work::new(base, author, user), false)
}

/// Which uses in the base the changes in `author`'s files break, in files that the author left alone and that are no
/// outlines. Costs what the files cost that use the changed names.
#[must_use]
pub fn base_impact(base: &Index, author: &Index) -> Vec<Impact> {
    let nobody = Index::new();
    let work = Work::new(base, author, &nobody);
    let users = work.names.iter().flat_map(|name| base.users(name));
    let paths: BTreeSet<&str> = users.filter(|path| !author.touches(path)).collect();
    let mut found = Found::default();
    for path in paths {
        let Some(file) = base.file(path) else { continue };
        found.take(&work, path, file, |_| false, false);
    }
    found.into_impacts()
}

/// The names by which uses lead to what a file's new version breaks; `None` is a file that is gone. Who uses none of
/// them is not affected.
#[must_use]
pub fn breaking_names(before: &File, after: Option<&File>) -> HashSet<String> {
    let mut names = HashSet::new();
    for change in work::breaking(before, after) {
        work::names_of(before, &change, &mut names);
    }
    names
}

/// Whether a file has a use that may lead to one of these names.
#[must_use]
pub fn uses_any(file: &File, names: &HashSet<String>) -> bool {
    let imported = |name: &str| name == "default" || names.contains(name);
    file.uses.iter().any(|one| names.contains(&one.name))
        || file.imports.iter().any(|import| import.name.as_deref().is_some_and(imported))
}

fn in_work(work: &Work<'_>, only_new: bool) -> Vec<Impact> {
    let mut found = Found::default();
    if work.names.is_empty() {
        return Vec::new();
    }
    let mut paths: Vec<&str> = work.user.paths().collect();
    paths.sort_unstable();
    for path in paths {
        let Some(file) = work.user.file(path) else { continue };
        let new: HashSet<usize> = new_uses(work.base.file(path), file).into_iter().collect();
        found.take(work, path, file, |at| new.contains(&at), only_new);
    }
    found.into_impacts()
}

/// Impacts by place and definition: what is imported and used on the spot is one matter each, the same use through
/// several definitions is one, and the surest counts.
#[derive(Default)]
struct Found(BTreeMap<(String, usize, String), Impact>);

impl Found {
    fn take<'a>(
        &mut self,
        work: &Work<'a>,
        path: &'a str,
        file: &File,
        is_new: impl Fn(usize) -> bool,
        only_new: bool,
    ) {
        if !work.families.contains(&file.language.family()) {
            return;
        }
        let leads = |name: &str| name == "default" || work.names.contains(name);
        let imports = file.imports.iter().filter(|import| import.name.as_deref().is_some_and(leads));
        let aliases: HashSet<&str> = imports.map(|import| import.alias.as_str()).collect();
        for (at, one) in file.uses.iter().enumerate() {
            let is_named = work.names.contains(&one.name) || aliases.contains(one.name.as_str());
            if !is_named || (only_new && !is_new(at)) {
                continue;
            }
            for mut impact in work.impacts_of(path, file, one) {
                impact.affected.is_new = is_new(at);
                let key = (path.to_owned(), one.range.start, impact.definition.entity.clone());
                if self.0.get(&key).is_none_or(|old| old.certainty > impact.certainty) {
                    self.0.insert(key, impact);
                }
            }
        }
    }

    fn into_impacts(self) -> Vec<Impact> {
        self.0.into_values().collect()
    }
}
