//! A definition that one side renamed with all its uses, and that the other side uses anew under its old name: it is
//! renamed in the base and in the other side, too. Only where every word of that name means this definition; another variable,
//! member or key of that name, or a text that names it anew, may be what the other side means.

use super::check::names_in;
use orchestrator_syntax::statements::{Atom, Body, List, ListRole, Token, TokenKind, Tree};
use orchestrator_syntax::{Certainty, ChangeKind, File, Index, Language, Resolution, Use, impact};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// The path of the one file in an index.
const FILE: &str = "file";

/// A definition that has another name in one side.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rename {
    /// Its path in the base.
    entity: String,
    old: String,
    new: String,
}

impl Rename {
    /// Whether it is something's member, so that it may be named behind a point.
    fn is_member(&self) -> bool {
        self.entity.contains('.')
    }
}

/// The three versions with what one side renamed, and the other uses anew, renamed in all of them. `None` where there is
/// no such definition, or a word of its name may mean something else.
pub(super) fn renamed(trees: &[Tree<'_>; 3], files: &[Arc<File>; 3]) -> Option<[Vec<u8>; 3]> {
    let [words, of_one, of_two] = trees.each_ref().map(words);
    let [base, one, two] = files;
    if !is_suspect(base, one, &words, &of_two) && !is_suspect(base, two, &words, &of_one) {
        return None;
    }
    let [base, one, two] = files.each_ref().map(index);
    let renames = [renames(&base, &one, &two), renames(&base, &two, &one)];
    if renames.iter().all(BTreeSet::is_empty) {
        return None;
    }
    let [base_tree, one_tree, two_tree] = trees;
    let users = [(&renames[0], one_tree, two_tree, &two), (&renames[1], two_tree, one_tree, &one)];
    for (renames, author, user_tree, user) in users {
        for rename in renames {
            let [before, mine, other] = [base_tree, author, user_tree].map(|tree| count(tree, &rename.old));
            let taken = [base_tree, user_tree].map(|tree| count(tree, &rename.new));
            let is_clear = mine.meant(rename) == 0
                && taken.iter().all(|count| count.meant(rename) == 0)
                && (rename.is_member() || before.members == mine.members && before.members == other.members)
                && other.texts <= before.texts
                && means_one(&base, base_tree, rename)
                && means_one(user, user_tree, rename);
            if !is_clear {
                return None;
            }
        }
    }
    let [by_one, by_two] = &renames;
    let both: Vec<&Rename> = by_one.iter().chain(by_two).collect();
    let text = |tree, renames: &BTreeSet<Rename>| written(tree, &renames.iter().collect::<Vec<_>>());
    Some([written(base_tree, &both), text(one_tree, by_two), text(two_tree, by_one)])
}

/// How often each word stands.
fn words<'t>(tree: &'t Tree<'t>) -> HashMap<&'t [u8], usize> {
    let mut words = HashMap::new();
    tree.body.each_token(&mut |token| {
        if token.kind == TokenKind::Word {
            *words.entry(token.text).or_default() += 1;
        }
    });
    words
}

/// Whether the user has a word more often that the author no longer defines.
fn is_suspect(base: &File, author: &File, words: &HashMap<&[u8], usize>, user: &HashMap<&[u8], usize>) -> bool {
    let defined: HashSet<&str> = author.entities.iter().map(|entity| &entity.name[..]).collect();
    let mut gone = base.entities.iter().map(|entity| &entity.name[..]).filter(|name| !defined.contains(name));
    gone.any(|name| user.get(name.as_bytes()) > words.get(name.as_bytes()))
}

fn index(file: &Arc<File>) -> Index {
    let mut index = Index::new();
    index.set_shared(FILE, Some(Arc::clone(file)));
    index
}

/// What the author renamed and the user uses anew.
fn renames(base: &Index, author: &Index, user: &Index) -> BTreeSet<Rename> {
    let mut found = BTreeSet::new();
    for impact in impact(base, author, user) {
        let ChangeKind::Renamed { to, .. } = &impact.definition.change else { continue };
        let entity = impact.definition.entity;
        let name = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        let (old, new) = (name(&entity), name(to));
        if impact.certainty == Certainty::Definite && old != new {
            found.insert(Rename { entity, old, new });
        }
    }
    found
}

/// How often a name stands.
#[derive(Default)]
struct Count {
    /// As a word of its own.
    plain: usize,
    /// As a word behind a point or the like: a member of something.
    members: usize,
    texts: usize,
}

impl Count {
    /// How many words may mean what was renamed.
    fn meant(&self, rename: &Rename) -> usize {
        if rename.is_member() { self.plain + self.members } else { self.plain }
    }
}

fn count(tree: &Tree<'_>, name: &str) -> Count {
    let mut count = Count::default();
    each_word(tree, &mut |token, is_member| match token.kind {
        TokenKind::Text => count.texts += names_in(token.text).filter(|word| *word == name.as_bytes()).count(),
        TokenKind::Word if token.text == name.as_bytes() && is_member => count.members += 1,
        TokenKind::Word if token.text == name.as_bytes() => count.plain += 1,
        _ => {}
    });
    count
}

/// Calls with each token, and whether it is named as a member of something.
fn each_word<'a, 't>(tree: &'a Tree<'t>, see: &mut impl FnMut(&'a Token<'t>, bool)) {
    let has_arrow = matches!(tree.language, Language::C | Language::Cpp | Language::Php);
    let mut is_member = false;
    tree.body.each_token(&mut |token| {
        see(token, is_member);
        is_member = match token.text {
            b"." | b"?." | b"&." | b"?->" | b"::" => true,
            b"->" => has_arrow,
            _ => false,
        };
    });
}

/// Whether each word of the old name is the definition's own, or a use of it and of nothing else.
fn means_one(index: &Index, tree: &Tree<'_>, rename: &Rename) -> bool {
    let Some(file) = index.file(FILE) else { return false };
    let mut definitions = file.entities.iter().filter(|entity| entity.name == rename.old);
    let is_single =
        definitions.next().is_some_and(|entity| entity.path == rename.entity) && definitions.next().is_none();
    let is_meant = |one: &&Use| one.name == rename.old && (rename.is_member() || one.receiver.is_none());
    let uses: Vec<&Use> = file.uses.iter().filter(is_meant).collect();
    let is_it = |resolution| match resolution {
        Resolution::Definite(ids) => {
            let path = |id| index.entity(id).map(|entity| &entity.path);
            ids.iter().all(|id| path(id) == Some(&rename.entity))
        }
        Resolution::Possible(_) | Resolution::None => false,
    };
    is_single
        && count(tree, &rename.old).meant(rename) == uses.len() + 1
        && uses.iter().all(|one| !one.is_local && is_it(index.resolve(FILE, one)))
        && !is_key(&tree.body, rename.old.as_bytes())
}

/// Whether a name stands alone in a list of keys, where it is a key and a value in one.
fn is_key(body: &Body<'_>, name: &[u8]) -> bool {
    body.items.iter().flat_map(|item| &item.atoms).any(|atom| is_key_in(atom, name))
}

fn is_key_in(atom: &Atom<'_>, name: &[u8]) -> bool {
    let is_it = |atoms: &[Atom<'_>]| matches!(atoms, [Atom::Token(token)] if token.text == name);
    match atom {
        Atom::Token(_) => false,
        Atom::Body(body) => is_key(body, name),
        Atom::List(List { role, elements, .. }) => elements.iter().any(|element| {
            *role == ListRole::Keyed && is_it(&element.atoms) || element.atoms.iter().any(|atom| is_key_in(atom, name))
        }),
    }
}

/// The file with other names.
fn written(tree: &Tree<'_>, renames: &[&Rename]) -> Vec<u8> {
    let mut text = Vec::new();
    each_word(tree, &mut |token, is_member| {
        text.extend_from_slice(token.space.text);
        let is_it = |rename: &&&Rename| {
            token.kind == TokenKind::Word && token.text == rename.old.as_bytes() && (rename.is_member() || !is_member)
        };
        let new = renames.iter().find(is_it).map(|rename| rename.new.as_bytes());
        text.extend_from_slice(new.unwrap_or(token.text));
    });
    text.extend_from_slice(tree.end.text);
    text
}
