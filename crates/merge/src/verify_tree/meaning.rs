//! What one side uses anew and the other side's changes break.

use super::{EntryMode, Severity, Spot, TreeEntries, TreeFault, TreeFinding, changed};
use orchestrator_syntax::{
    Certainty, ChangeKind, ChangedDefinition, File, Impact, Import, Index, Language, Limits, Resolution, Use,
    breaking_names, impact, new_uses, parse, uses_any,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// Most bytes of files that neither side changed and that are looked at for what a name means. Beyond it nothing is an
/// error, since something that was not looked at may have been meant.
const MOST_CONTEXT: usize = 64 << 20;

pub(super) fn check<Id: Eq>(
    base: &TreeEntries<Id>,
    [ours, theirs]: [&TreeEntries<Id>; 2],
    result: &TreeEntries<Id>,
    load: &dyn Fn(&Id) -> Option<Vec<u8>>,
) -> Vec<TreeFinding> {
    let reader = Reader { load, result, parsed: RefCell::default() };
    let [our_paths, their_paths] = [ours, theirs].map(|side| readable(changed(base, side)));
    if our_paths.is_empty() || their_paths.is_empty() {
        return Vec::new();
    }
    let mut before = Index::new();
    for path in our_paths.union(&their_paths) {
        if let Some(file) = reader.read(base, path) {
            before.set_shared(path, Some(file));
        }
    }
    let index = |tree: &TreeEntries<Id>, paths: &BTreeSet<&str>| {
        let mut index = Index::new();
        paths.iter().for_each(|path| index.set_shared(path, reader.read(tree, path)));
        index
    };
    let (ours, theirs) = (index(ours, &our_paths), index(theirs, &their_paths));
    let mut names = doubtful(&before, &ours, &theirs);
    names.extend(doubtful(&before, &theirs, &ours));
    let changed = our_paths.union(&their_paths).copied().collect();
    let is_whole = names.is_empty() || reader.add_context(base, &changed, &names, &mut before);
    let mut findings = Vec::new();
    for (author, user, author_is_ours) in [(&ours, &theirs, true), (&theirs, &ours, false)] {
        let work = Work { before: &before, author, user, reader: &reader, author_is_ours };
        if !names.is_empty() {
            let impacts = impact(&before, author, user);
            findings.extend(impacts.iter().filter_map(|impact| work.broken_use(impact, is_whole)));
        }
        findings.extend(work.lost_locals());
    }
    findings
}

/// Paths in a language that can be read.
fn readable<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    paths.filter(|path| Language::of_path(path).is_some_and(Language::is_built_in)).collect()
}

/// The names by which a side's files may use what the other side breaks.
fn doubtful(before: &Index, author: &Index, user: &Index) -> HashSet<String> {
    let mut names = HashSet::new();
    for path in author.paths() {
        if let Some(file) = before.file(path) {
            names.extend(breaking_names(file, author.file(path)));
        }
    }
    let users: Vec<&File> = user.paths().filter_map(|path| user.file(path)).collect();
    if !users.iter().any(|file| uses_any(file, &names)) {
        return HashSet::new();
    }
    // A default export is used by another name.
    let has_default =
        users.iter().any(|file| file.imports.iter().any(|import| import.name.as_deref() == Some("default")));
    names.retain(|name| has_default || users.iter().any(|file| file.uses_name(name)));
    names
}

/// Whether files of one language may use what the other one's define.
fn is_related(one: Language, two: Language) -> bool {
    use Language::{C, Cpp, JavaScript, Tsx, TypeScript};
    let kin: [&[Language]; 2] = [&[JavaScript, TypeScript, Tsx], &[C, Cpp]];
    one == two || kin.iter().any(|kin| kin.contains(&one) && kin.contains(&two))
}

/// Loads and parses.
struct Reader<'a, Id> {
    load: &'a dyn Fn(&Id) -> Option<Vec<u8>>,
    result: &'a TreeEntries<Id>,
    /// Files of the result.
    parsed: RefCell<BTreeMap<String, Option<Arc<File>>>>,
}

impl<Id: Eq> Reader<'_, Id> {
    fn text(&self, tree: &TreeEntries<Id>, path: &str) -> Option<Vec<u8>> {
        let entry = tree.get(path).filter(|entry| matches!(entry.mode, EntryMode::File | EntryMode::Executable))?;
        (self.load)(&entry.id)
    }

    fn read(&self, tree: &TreeEntries<Id>, path: &str) -> Option<Arc<File>> {
        let text = self.text(tree, path)?;
        parse(Language::of_path(path)?, &text, Limits::default()).ok().map(Arc::new)
    }

    fn in_result(&self, path: &str) -> Option<Arc<File>> {
        if let Some(known) = self.parsed.borrow().get(path) {
            return known.clone();
        }
        let file = self.read(self.result, path);
        self.parsed.borrow_mut().insert(path.to_owned(), file.clone());
        file
    }

    /// Adds the files that nobody changed and that hold one of the names: what else may be meant by it, and through what it
    /// is exported again. Whether all of them were looked at.
    fn add_context(
        &self,
        base: &TreeEntries<Id>,
        changed: &BTreeSet<&str>,
        names: &HashSet<String>,
        before: &mut Index,
    ) -> bool {
        let languages: BTreeSet<Language> = changed.iter().filter_map(|path| Language::of_path(path)).collect();
        let is_context = |path: &str| {
            let language = Language::of_path(path).filter(|language| language.is_built_in());
            !changed.contains(path) && language.is_some_and(|one| languages.iter().any(|two| is_related(one, *two)))
        };
        let mut left = MOST_CONTEXT;
        for path in base.keys().filter(|path| is_context(path)) {
            let Some(text) = self.text(base, path) else { continue };
            let Some(rest) = left.checked_sub(text.len()) else { return false };
            left = rest;
            let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
            let mut words = text.split(|byte| !is_word(byte)).filter_map(|word| std::str::from_utf8(word).ok());
            if !words.any(|word| names.contains(word)) {
                continue;
            }
            let Some(language) = Language::of_path(path) else { continue };
            match parse(language, &text, Limits::default()) {
                Ok(file) => before.set(path, Some(file)),
                Err(_) => return false,
            }
        }
        true
    }
}

/// One side's changes against the other side's uses.
struct Work<'a, Id> {
    before: &'a Index,
    author: &'a Index,
    user: &'a Index,
    reader: &'a Reader<'a, Id>,
    author_is_ours: bool,
}

impl<Id: Eq> Work<'_, Id> {
    /// What is said of a use that breaks, if the result still has it.
    fn broken_use(&self, impact: &Impact, is_whole: bool) -> Option<TreeFinding> {
        let Impact { definition, affected, certainty } = impact;
        let file = self.user.file(&affected.path)?;
        let used = file.uses.iter().find(|one| one.range == affected.range && one.name == affected.name)?;
        let merged = self.reader.in_result(&affected.path)?;
        let kept = merged.uses.iter().find(|one| is_same_use(&merged, one, file, used))?;
        if self.is_authors_own(&affected.path, file, used) || self.is_mended(definition, used) {
            return None;
        }
        let (name, place) = (&definition.entity, &definition.path);
        let moved = || self.moved_to(definition);
        let (fault, did) = match &definition.change {
            ChangeKind::Renamed { to, .. } => (TreeFault::Renamed, format!("renamed to '{to}'")),
            ChangeKind::Removed => match moved() {
                Some(path) => (TreeFault::Renamed, format!("moved to {path}")),
                None => (TreeFault::Removed, "removed".to_owned()),
            },
            _ => (TreeFault::Signature, "given another signature".to_owned()),
        };
        let line = |path: &str| self.author.file(path).and_then(|file| line_of(file, definition));
        let theirs = Spot { path: affected.path.clone(), line: Some(affected.line + 1) };
        let ours = Spot { path: place.clone(), line: line(place) };
        let severity = if *certainty == Certainty::Definite && is_whole { Severity::Error } else { Severity::Warning };
        let at = Spot { path: affected.path.clone(), line: Some(kept.line + 1) };
        let what = format!("'{name}' of {place} was {did} by one side, and the other side uses it here as it was");
        Some(self.finding(at, fault, severity, what, ours, theirs))
    }

    /// Whether the author has the same use, so that the merge is not what breaks it.
    fn is_authors_own(&self, path: &str, file: &File, used: &Use) -> bool {
        let own = self.author.file(path);
        own.is_some_and(|own| own.uses.iter().any(|one| is_same_use(own, one, file, used)))
    }

    /// Whether the result has what the author took away, or takes the use as it stands.
    fn is_mended(&self, definition: &ChangedDefinition, used: &Use) -> bool {
        let Some(merged) = self.reader.in_result(&definition.path) else { return false };
        let mut found = merged.find_all(&definition.entity).peekable();
        match definition.change {
            ChangeKind::Renamed { .. } | ChangeKind::Removed => {
                // What the file exports again may hide behind a module of the same name.
                let is_export = |import: &Import| import.is_reexport && import.alias == definition.entity;
                found.peek().is_some() || merged.imports.iter().any(is_export)
            }
            _ => {
                let made = self.author.file(&definition.path);
                let is_authors = |signature: &orchestrator_syntax::Signature| {
                    made.is_some_and(|file| file.find_all(&definition.entity).any(|one| one.signature == *signature))
                };
                let before = self.before.file(&definition.path);
                let is_old = |signature: &orchestrator_syntax::Signature| {
                    before.is_some_and(|file| file.find_all(&definition.entity).any(|one| one.signature == *signature))
                };
                found.any(|one| {
                    let takes = used.arguments.as_ref().is_some_and(|arguments| one.signature.accepts(arguments));
                    !is_authors(&one.signature) && (takes || is_old(&one.signature))
                })
            }
        }
    }

    /// The file that the author added and that has the definition now.
    fn moved_to(&self, definition: &ChangedDefinition) -> Option<String> {
        let has = |path: &&str| self.author.file(path).is_some_and(|file| file.find(&definition.entity).is_some());
        let added = self.author.paths().filter(|path| self.before.file(path).is_none());
        added.filter(has).min().map(str::to_owned)
    }

    /// Parameters and local variables that the user uses anew and that are none in the result: the author removed them.
    fn lost_locals(&self) -> Vec<TreeFinding> {
        let mut paths: Vec<&str> = self.user.paths().filter(|path| self.author.file(path).is_some()).collect();
        paths.sort_unstable();
        let mut findings = Vec::new();
        for path in paths {
            let (Some(file), Some(merged)) = (self.user.file(path), self.reader.in_result(path)) else { continue };
            let Some(before) = self.before.file(path) else { continue };
            if !merged.is_sound() || !file.is_sound() {
                continue;
            }
            let mut index = Index::new();
            index.set_shared(path, Some(Arc::clone(&merged)));
            let view = self.before.under(&index);
            let is_lost = |used: &Use| {
                let mut kept = merged.uses.iter().filter(|one| is_same_place(&merged, one, file, used)).peekable();
                let is_gone = |one: &Use| {
                    !one.is_local
                        && one.receiver.is_none()
                        && !merged.imports.iter().any(|import| import.alias == one.name)
                        && !matches!(view.resolve(path, one), Resolution::Definite(_))
                };
                let first = kept.peek().map(|one| one.line)?;
                kept.all(is_gone).then_some(first)
            };
            // A name that the user made is there with its use.
            let was_there =
                |used: &Use| before.uses.iter().any(|one| one.is_local && is_same_place(before, one, file, used));
            for used in new_uses(Some(before), file).into_iter().filter_map(|at| file.uses.get(at)) {
                let is_plain = used.is_local && used.receiver.is_none();
                if !is_plain || !was_there(used) || self.is_authors_own(path, file, used) {
                    continue;
                }
                let Some(line) = is_lost(used) else { continue };
                let spot = |line| Spot { path: path.to_owned(), line };
                let name = &used.name;
                let what = format!("'{name}' was removed by one side, and the other side uses it here");
                let (ours, theirs) = (spot(None), spot(Some(used.line + 1)));
                let at = spot(Some(line + 1));
                findings.push(self.finding(at, TreeFault::Removed, Severity::Error, what, ours, theirs));
            }
        }
        findings
    }

    fn finding(
        &self,
        at: Spot,
        fault: TreeFault,
        severity: Severity,
        what: String,
        author: Spot,
        user: Spot,
    ) -> TreeFinding {
        let (ours, theirs) = if self.author_is_ours { (author, user) } else { (user, author) };
        TreeFinding { at, fault, severity, what, ours, theirs }
    }
}

/// The line of a changed definition where its author has it, counted from 1.
fn line_of(file: &File, definition: &ChangedDefinition) -> Option<usize> {
    let name = match &definition.change {
        ChangeKind::Renamed { to, .. } => to,
        _ => &definition.entity,
    };
    file.find(name).map(|entity| entity.lines.start + 1)
}

fn entity_of<'f>(file: &'f File, one: &Use) -> Option<&'f str> {
    one.entity.and_then(|at| file.entities.get(at)).map(|entity| entity.path.as_str())
}

/// Whether uses in two versions of a file are of one name in one entity.
fn is_same_place(file: &File, one: &Use, other: &File, two: &Use) -> bool {
    one.name == two.name && entity_of(file, one) == entity_of(other, two)
}

fn is_same_use(file: &File, one: &Use, other: &File, two: &Use) -> bool {
    is_same_place(file, one, other, two)
        && (one.kind, &one.receiver, &one.arguments) == (two.kind, &two.receiver, &two.arguments)
}
