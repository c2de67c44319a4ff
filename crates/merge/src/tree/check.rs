//! What must never be in an answer by structure, whoever made it. It shares the reading of files with the merge, and how
//! entries are known, and nothing else.

use super::alike::key;
use super::early::used_early;
use super::free::has_lost_local;
use super::suite::called;
use super::version::is_version;
use crate::align::{hunks, split};
use orchestrator_syntax::statements::{
    Atom, Body, Item, ItemRole, List, ListRole, TokenKind, Tree, statements, words_of,
};
use orchestrator_syntax::{Certainty, File, Index, Language, Limits, impact};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It cannot be parsed, though all versions can.
    #[error("it cannot be parsed")]
    Unparsed,
    /// A word stands less often than the sides' changes account for.
    #[error("words that a side wrote or both kept are missing")]
    Lost,
    /// A word stands more often than the sides' changes account for.
    #[error("words stand more often than the sides' changes account for")]
    Repeated,
    /// A definition, parameter or key stands twice.
    #[error("a name is defined twice")]
    Twice,
    /// One side uses anew what the other side removed or renamed.
    #[error("one side uses what the other side removed or renamed")]
    Dangling,
    /// One side calls anew what the other side changed.
    #[error("one side's new code breaks by the other side's change")]
    Broken,
    /// A definition stands behind what needs it before.
    #[error("a definition stands behind a use that needs it before")]
    Early,
    /// Merging it again with a side changes it.
    #[error("merging it again changes it")]
    NotIdempotent,
}

/// How often each word was added and removed by one side.
#[derive(Default)]
struct Changes<'t> {
    added: HashMap<&'t [u8], usize>,
    removed: HashMap<&'t [u8], usize>,
}

/// What an answer is held against.
pub(super) struct Checker<'t> {
    language: Language,
    base: HashMap<&'t [u8], usize>,
    sides: [Changes<'t>; 2],
    names: [HashMap<Vec<u8>, usize>; 2],
    /// How often each item stands in the base and in the sides.
    items: [HashMap<u64, usize>; 3],
    files: &'t [Arc<File>; 3],
    /// What some version uses before it is defined.
    early: HashSet<Vec<u8>>,
    /// Known before any answer: what is wrong with all of them.
    fault: Option<Fault>,
}

impl<'t> Checker<'t> {
    pub(super) fn new(language: Language, trees: &'t [Tree<'t>; 3], files: &'t [Arc<File>; 3]) -> Self {
        let [base, one, two] = trees.each_ref().map(words);
        let sides = [changes(&base, &one), changes(&base, &two)];
        let counts = count(&base);
        let used = trees.each_ref().map(names_used);
        let early = trees.iter().flat_map(|tree| used_early(language, tree)).collect();
        let fault = dangling(&used[0], &used[1], &used[2])
            .or_else(|| dangling(&used[0], &used[2], &used[1]))
            .or_else(|| broken(files, &sides));
        let names = [&trees[1], &trees[2]].map(|tree| names(&tree.body, language));
        let items = trees.each_ref().map(|tree| items(&tree.body));
        Self { language, base: counts, sides, names, items, files, early, fault }
    }

    /// `drops_versions` says that of two versions in one place the higher one was taken.
    pub(super) fn check(&self, tree: &Tree<'_>, file: &File, drops_versions: bool) -> Result<(), Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.nothing_lost(&count(&words(tree)), drops_versions)?;
        let names = names(&tree.body, self.language);
        let in_sides = |name| self.names.iter().filter_map(|side| side.get(name)).copied().max().unwrap_or_default();
        if names.iter().any(|(name, count)| *count > in_sides(name).max(1)) {
            return Err(Fault::Twice);
        }
        // What both moved stands once, wherever they put it, and what one moved and the other took away is gone.
        let [base, one, two] = &self.items;
        let of = |counts: &HashMap<u64, usize>, item| counts.get(&item).copied().unwrap_or_default();
        let is_too_often = items(&tree.body).into_iter().any(|(item, count)| {
            let [base, one, two] = [base, one, two].map(|counts| of(counts, item));
            let removed = base.saturating_sub(one).max(base.saturating_sub(two));
            let added = one.saturating_sub(base) + two.saturating_sub(base);
            base + one + two > 0 && count + removed > base + added
        });
        if is_too_often {
            return Err(Fault::Repeated);
        }
        if has_lost_local(self.files, file) {
            return Err(Fault::Dangling);
        }
        if !used_early(self.language, tree).is_subset(&self.early) {
            return Err(Fault::Early);
        }
        Ok(())
    }

    fn nothing_lost(&self, found: &HashMap<&[u8], usize>, drops_versions: bool) -> Result<(), Fault> {
        let [one, two] = &self.sides;
        let of = |map: &HashMap<&[u8], usize>, word: &[u8]| map.get(word).copied().unwrap_or_default();
        let changed = one.added.keys().chain(two.added.keys()).chain(self.base.keys());
        let known: HashSet<&[u8]> = changed.copied().collect();
        if found.keys().any(|word| !known.contains(word)) {
            return Err(Fault::Repeated);
        }
        for word in known {
            let [added, other_added] = [of(&one.added, word), of(&two.added, word)];
            let [removed, other_removed] = [of(&one.removed, word), of(&two.removed, word)];
            let (base, found) = (of(&self.base, word), of(found, word));
            let is_dropped = drops_versions && is_version(word);
            if !is_dropped && found + removed + other_removed < base + added.max(other_added) {
                return Err(Fault::Lost);
            }
            if found + removed.max(other_removed) > base + added + other_added {
                return Err(Fault::Repeated);
            }
        }
        Ok(())
    }
}

/// Whether a merge by lines defines something more often than either side: both added it, at places where the lines do
/// not touch. Only parsed where both added a line that stands more often than in either.
pub(crate) fn is_defined_twice(language: Language, [base, one, two]: [&[u8]; 3], result: &[u8]) -> bool {
    let [base, first, second, merged] = [base, one, two, result].map(|text| count(&split(text)));
    let of = |counts: &HashMap<&[u8], usize>, line: &[u8]| counts.get(line).copied().unwrap_or_default();
    let is_suspect = merged.iter().any(|(line, count)| {
        let (mine, other) = (of(&first, line), of(&second, line));
        *count > mine.max(other) && mine.min(other) > of(&base, line) && line.iter().any(u8::is_ascii_alphabetic)
    });
    if !is_suspect {
        return false;
    }
    let read = |text| statements(language, text, Limits::default()).map(|tree| names(&tree.body, language));
    let (Ok(mine), Ok(other), Ok(merged)) = (read(one), read(two), read(result)) else { return false };
    let most = |name: &Vec<u8>| mine.get(name).max(other.get(name)).copied().unwrap_or_default();
    merged.iter().any(|(name, count)| *count > most(name).max(1))
}

/// Everything but signs, in order.
fn words<'t>(tree: &'t Tree<'t>) -> Vec<&'t [u8]> {
    let mut words = Vec::new();
    tree.body.each_token(&mut |token| {
        if token.kind != TokenKind::Sign {
            words.push(token.text);
        }
    });
    words
}

/// How often each name stands, those in texts included.
fn names_used<'t>(tree: &'t Tree<'t>) -> HashMap<&'t [u8], usize> {
    let mut names = Vec::new();
    tree.body.each_token(&mut |token| match token.kind {
        TokenKind::Word => names.push(token.text),
        TokenKind::Text => names.extend(names_in(token.text)),
        _ => {}
    });
    count(&names)
}

/// What may be names in a text, where a language interpolates them.
pub(super) fn names_in(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_');
    words.filter(|word| word.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_'))
}

fn count<'t>(words: &[&'t [u8]]) -> HashMap<&'t [u8], usize> {
    let mut counts = HashMap::new();
    for word in words {
        *counts.entry(*word).or_default() += 1;
    }
    counts
}

fn changes<'t>(base: &[&'t [u8]], side: &[&'t [u8]]) -> Changes<'t> {
    let mut changes = Changes::default();
    for hunk in hunks(base, side) {
        for word in &base[hunk.before] {
            *changes.removed.entry(*word).or_default() += 1;
        }
        for word in &side[hunk.after] {
            *changes.added.entry(*word).or_default() += 1;
        }
    }
    changes
}

/// Whether one side has no more of a name that the base has, and the other side uses it more often.
fn dangling(
    base: &HashMap<&[u8], usize>,
    side: &HashMap<&[u8], usize>,
    other: &HashMap<&[u8], usize>,
) -> Option<Fault> {
    let dangles = |(name, count): (&&[u8], &usize)| {
        let is_name = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        is_name && !side.contains_key(name) && base.get(name).is_some_and(|before| count > before)
    };
    other.iter().any(dangles).then_some(Fault::Dangling)
}

/// Whether one side's new uses break by what the other side changed.
fn broken([base, one, two]: &[Arc<File>; 3], sides: &[Changes<'_>; 2]) -> Option<Fault> {
    let defined = |file: &File| -> HashSet<String> {
        let entities = file.entities.iter().map(|entity| entity.name.clone());
        entities.chain(file.imports.iter().map(|import| import.alias.clone())).collect()
    };
    let before = defined(base);
    let added = |changes: &Changes<'_>, name: &str| {
        let of = |map: &HashMap<&[u8], usize>| map.get(name.as_bytes()).copied().unwrap_or_default();
        of(&changes.added) > of(&changes.removed)
    };
    for (side, other) in [(one, &sides[1]), (two, &sides[0])] {
        let after = defined(side);
        if before.iter().any(|name| !name.is_empty() && !after.contains(name) && added(other, name)) {
            return Some(Fault::Dangling);
        }
    }
    let index = |file: &Arc<File>| {
        let mut index = Index::new();
        index.set_shared("file", Some(Arc::clone(file)));
        index
    };
    let [base, one, two] = [base, one, two].map(index);
    let breaks = |author: &Index, user: &Index| {
        impact(&base, author, user).iter().any(|impact| impact.certainty == Certainty::Definite)
    };
    (breaks(&one, &two) || breaks(&two, &one)).then_some(Fault::Broken)
}

/// How often each item stands anywhere.
pub(super) fn items(body: &Body<'_>) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    let mut bodies = vec![body];
    while let Some(body) = bodies.pop() {
        for item in &body.items {
            *counts.entry(item.hash).or_default() += 1;
            let mut lists: Vec<&Atom<'_>> = item.atoms.iter().collect();
            while let Some(atom) = lists.pop() {
                match atom {
                    Atom::Body(body) => bodies.push(body),
                    Atom::List(list) => lists.extend(list.elements.iter().flat_map(|element| &element.atoms)),
                    Atom::Token(_) => {}
                }
            }
        }
    }
    counts
}

/// What is defined, tested or keyed at each place, with how often.
fn names(body: &Body<'_>, language: Language) -> HashMap<Vec<u8>, usize> {
    let mut found = HashMap::new();
    in_body(body, b"", language, &mut found);
    found
}

fn in_body(body: &Body<'_>, path: &[u8], language: Language, found: &mut HashMap<Vec<u8>, usize>) {
    for item in &body.items {
        let mut inner = path.to_vec();
        if let (ItemRole::Definition | ItemRole::Field, Some(name)) = (item.role, &item.name) {
            inner.extend_from_slice(name);
            if has_overloads(language) {
                inner.extend(header(item));
            }
            inner.push(0);
            *found.entry(inner.clone()).or_default() += 1;
        } else if let Some(test) = called(item) {
            inner.extend(test);
            inner.push(0);
            *found.entry(inner.clone()).or_default() += 1;
        }
        in_item(item, &inner, language, found);
    }
}

fn in_item(item: &Item<'_>, path: &[u8], language: Language, found: &mut HashMap<Vec<u8>, usize>) {
    item.atoms.iter().for_each(|atom| in_atom(atom, path, language, found));
}

fn in_atom(atom: &Atom<'_>, path: &[u8], language: Language, found: &mut HashMap<Vec<u8>, usize>) {
    match atom {
        Atom::Token(_) => {}
        Atom::Body(body) => in_body(body, path, language, found),
        Atom::List(list) => {
            if has_twice(list) {
                *found.entry([path, b"\0twice"].concat()).or_insert(1) += 1;
            }
            list.elements
                .iter()
                .flat_map(|element| &element.atoms)
                .for_each(|atom| in_atom(atom, path, language, found));
        }
    }
}

/// Whether definitions of one name may differ in their parameters.
pub(super) fn has_overloads(language: Language) -> bool {
    use Language::{CSharp, Cpp, Java, Tsx, TypeScript};
    matches!(language, Java | Cpp | CSharp | TypeScript | Tsx)
}

/// What an item begins with, up to its first statements.
fn header(item: &Item<'_>) -> Vec<u8> {
    let end = item.atoms.iter().position(|atom| matches!(atom, Atom::Body(_))).unwrap_or(item.atoms.len());
    words_of(&item.atoms[..end])
}

/// Whether a list that must not has something twice, or a parameter with a default before one without.
fn has_twice(list: &List<'_>) -> bool {
    let mut seen = HashSet::new();
    if list.role == ListRole::Parameters && has_default_before_plain(list) {
        return true;
    }
    match list.role {
        ListRole::Keyed | ListRole::Arguments => {
            list.elements.iter().filter_map(|element| key(element)).any(|key| !seen.insert(key))
        }
        ListRole::Set | ListRole::Parameters => list.elements.iter().any(|element| {
            let words = words_of(&element.atoms);
            !words.is_empty() && !seen.insert(words)
        }),
        ListRole::Sequence => false,
    }
}

fn has_default_before_plain(list: &List<'_>) -> bool {
    let is_sign = |atom: &Atom<'_>, sign: &[u8]| matches!(atom, Atom::Token(token) if token.text == sign);
    let has_default = |atoms: &[Atom<'_>]| atoms.iter().any(|atom| is_sign(atom, b"="));
    let is_rest = |atoms: &[Atom<'_>]| {
        atoms
            .first()
            .is_some_and(|first| [&b"*"[..], b"**", b"/", b"...", b"&"].iter().any(|sign| is_sign(first, sign)))
    };
    let plain = list.elements.iter().map(|element| &element.atoms[..]).take_while(|atoms| !is_rest(atoms));
    plain.skip_while(|atoms| !has_default(atoms)).any(|atoms| !has_default(atoms))
}
