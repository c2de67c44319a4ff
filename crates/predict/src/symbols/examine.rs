//! What one side breaks in another's work.

use super::text::lines_of;
use super::{Symbols, Work, known};
use crate::impact::{Affected, Definition, Impact, word, words};
use crate::version::{Id, Path, Source, Version};
use crate::{Agent, Part};
use orchestrator_syntax::{
    self as syntax, Certainty, ChangeKind, File, Index, breaking_names, impact, uses_any, whole_impact,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

/// Impacts of one pair; beyond it nobody reads them.
const IMPACTS: usize = 1_000;

/// Which uses are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Uses {
    /// Those that are new and surely broken: what is told.
    New,
    /// All.
    All,
}

/// Where the contents are that impacts are shown from.
pub(super) struct Contents<'c> {
    pub(super) before: &'c dyn Fn(&str) -> Option<Id>,
    pub(super) after: &'c dyn Fn(&str) -> Option<Id>,
    pub(super) user: &'c dyn Fn(&str) -> Option<Id>,
}

/// What has landed since some tree, as far as it may break anything: parsed once for all agents that began there.
#[derive(Debug)]
pub struct Landed {
    /// The names by which uses lead to what it breaks.
    names: HashSet<String>,
    /// The files as they are now.
    now: Index,
    /// The files as they were.
    old: Older,
}

/// Older versions of files, parsed.
type Older = HashMap<Path, (Version, Arc<File>)>;

/// The indexes of one comparison, and whose they are.
struct Sides<'s> {
    base: &'s Index,
    author: (Option<Agent>, &'s Index),
    user: (Option<Agent>, &'s Index),
}

impl Symbols {
    /// What the author's changes surely break of what the user added or changed, in order of place.
    ///
    /// # Errors
    /// A content could not be read.
    pub fn examine<S: Source>(&self, author: Agent, user: Agent, source: &S) -> Result<Vec<Impact>, S::Error> {
        self.between(author, user, Uses::New, source)
    }

    pub(super) fn between<S: Source>(
        &self,
        author: Agent,
        user: Agent,
        uses: Uses,
        source: &S,
    ) -> Result<Vec<Impact>, S::Error> {
        let Some((one, two)) = self.works.get(&author).zip(self.works.get(&user)) else { return Ok(Vec::new()) };
        if author == user || !concerns(&one.names(), &two.index) {
            return Ok(Vec::new());
        }
        let sides = Sides { base: &self.base, author: (Some(author), &one.index), user: (Some(user), &two.index) };
        let contents = Contents {
            before: &|path| self.on_tip(path),
            after: &|path| self.content(one, path),
            user: &|path| self.content(two, path),
        };
        shown(&sides, uses, &contents, source)
    }

    /// What has landed since some tree. `since` is what stood then at the paths that the target branch has changed. Holds
    /// for the tip as it is now.
    ///
    /// # Errors
    /// A content could not be read.
    pub fn landed<S: Source>(
        &mut self,
        since: impl IntoIterator<Item = (Path, Option<Version>)>,
        source: &S,
    ) -> Result<Landed, S::Error> {
        let (mut names, mut old, mut now) = (HashSet::new(), Older::new(), Index::new());
        for (path, version) in since {
            let (Some((name, language)), Some(version)) = (known(&path), version) else { continue };
            let Some(before) = self.library.file(source, language, version)?.file() else { continue };
            let after = match self.tip.get(&path) {
                Some(tip) => match self.library.file(source, language, *tip)?.file() {
                    Some(after) => Some(after),
                    None => continue,
                },
                None => None,
            };
            let broken = breaking_names(&before, after.as_deref());
            if !broken.is_empty() {
                names.extend(broken);
                now.set_shared(name, after);
                old.insert(path.clone(), (version, before));
            }
        }
        Ok(Landed { names, now, old })
    }

    /// What has landed since the user began and breaks what it added or changed.
    ///
    /// # Errors
    /// A content could not be read.
    pub fn examine_landed<S: Source>(
        &mut self,
        user: Agent,
        landed: &Landed,
        source: &S,
    ) -> Result<Vec<Impact>, S::Error> {
        let Some(work) = self.works.get(&user).filter(|_| !landed.names.is_empty()) else { return Ok(Vec::new()) };
        let changes = work.changes.clone();
        let sides: Vec<(&Path, Version)> =
            changes.iter().filter_map(|(path, change)| Some((path, change.side?))).collect();
        let mut own = Index::new();
        for (path, side) in &sides {
            if let Some((name, language)) = known(path)
                && let Some(file) = self.library.file(source, language, *side)?.file()
            {
                own.set_shared(name, Some(file));
            }
        }
        if !concerns(&landed.names, &own) {
            return Ok(Vec::new());
        }
        // What the user began with, where nothing that landed stands for it.
        let mut began = Older::new();
        for (path, change) in changes.iter().filter(|(path, _)| !landed.old.contains_key(*path)) {
            let tip = self.tip.get(path).copied();
            if let (Some((_, language)), Some(base)) = (known(path), change.base.filter(|base| Some(*base) != tip))
                && let Some(file) = self.library.file(source, language, base)?.file()
            {
                began.insert(path.clone(), (base, file));
            }
        }
        let replaced = self.swap(landed.old.iter().chain(&began));
        let own_ids: BTreeMap<&Path, Id> = sides.iter().map(|(path, side)| (*path, side.id)).collect();
        let found = {
            let sides = Sides { base: &self.base, author: (None, &landed.now), user: (Some(user), &own) };
            let contents = Contents {
                before: &|path| landed.old.get(path.as_bytes()).map(|(version, _)| version.id),
                after: &|path| self.on_tip(path),
                user: &|path| own_ids.get(&Path::from(path.as_bytes())).copied(),
            };
            shown(&sides, Uses::New, &contents, source)
        };
        for (name, file) in replaced {
            match file {
                Some(file) => self.base.set_shared(&name, file),
                None => self.base.forget(&name),
            }
        }
        found
    }

    /// Puts older versions into the base. Returns what stood there.
    fn swap<'o>(
        &mut self,
        old: impl IntoIterator<Item = (&'o Path, &'o (Version, Arc<File>))>,
    ) -> Vec<(String, Option<Option<Arc<File>>>)> {
        let mut replaced = Vec::new();
        for (path, (_, file)) in old {
            if let Some((name, _)) = known(path) {
                replaced.push((name.to_owned(), self.base.entry(name)));
                self.base.set_shared(name, Some(file.clone()));
            }
        }
        replaced
    }

    pub(super) fn on_tip(&self, path: &str) -> Option<Id> {
        self.tip.get(path.as_bytes()).map(|version| version.id)
    }

    pub(super) fn content(&self, work: &Work, path: &str) -> Option<Id> {
        match work.landed.get(path.as_bytes()) {
            Some(version) => version.map(|version| version.id),
            None => self.on_tip(path),
        }
    }
}

/// Whether anything in an index may lead to one of these names.
fn concerns(names: &HashSet<String>, user: &Index) -> bool {
    !names.is_empty() && user.paths().filter_map(|path| user.file(path)).any(|file| uses_any(file, names))
}

fn shown<S: Source>(
    sides: &Sides<'_>,
    uses: Uses,
    contents: &Contents<'_>,
    source: &S,
) -> Result<Vec<Impact>, S::Error> {
    let (base, author, user) = (sides.base, sides.author.1, sides.user.1);
    let mut found = match uses {
        Uses::New => impact(base, author, user),
        Uses::All => whole_impact(base, author, user),
    };
    if uses == Uses::New {
        found.retain(|one| one.certainty == Certainty::Definite && one.affected.is_new);
    }
    let described = found
        .iter()
        .take(IMPACTS)
        .map(|one| describe(one, (base, author), (sides.author.0, sides.user.0), contents, source));
    described.collect()
}

/// An impact with the lines of both sides.
pub(super) fn describe<S: Source>(
    one: &syntax::Impact,
    (base, author): (&Index, &Index),
    (by, user): (Option<Agent>, Option<Agent>),
    contents: &Contents<'_>,
    source: &S,
) -> Result<Impact, S::Error> {
    let definition = &one.definition;
    let head = |index: &Index, entity: &str| {
        index.file(&definition.path)?.find(entity).map(|entity| entity.signature_range.clone())
    };
    let now = match &definition.change {
        ChangeKind::Renamed { to, .. } => to,
        _ => &definition.entity,
    };
    let (before, after) = (head(base, &definition.entity), head(author, now));
    let used = one.affected.range.clone();
    Ok(Impact {
        author: by,
        user,
        definition: Definition {
            path: definition.path.clone(),
            entity: definition.entity.clone(),
            change: words(&definition.change),
            before: part(source, (contents.before)(&definition.path), before)?,
            after: part(source, (contents.after)(&definition.path), after)?,
        },
        affected: Affected {
            path: one.affected.path.clone(),
            entity: one.affected.entity.clone(),
            name: one.affected.name.clone(),
            kind: word(one.affected.kind),
            text: part(source, (contents.user)(&one.affected.path), Some(used))?.unwrap_or(Part {
                start: one.affected.line + 1,
                lines: 0,
                text: Vec::new(),
                deleted: false,
            }),
        },
        is_new: one.affected.is_new,
        is_definite: one.certainty == Certainty::Definite,
    })
}

pub(super) fn part<S: Source>(
    source: &S,
    content: Option<Id>,
    bytes: Option<Range<usize>>,
) -> Result<Option<Part>, S::Error> {
    let Some((content, bytes)) = content.zip(bytes) else { return Ok(None) };
    Ok(Some(lines_of(&source.content(&content)?, &bytes)))
}
