//! The verifier of whole trees: what no look at one file can see.
//!
//! It looks at the paths that either side changed. *Entries*: a changed mode, symbolic link, submodule or kind of entry must
//! not be lost, and where both sides changed one, nothing is right without a person. *Meaning*: what one side uses anew
//! must not be what the other side renamed, removed or gave another signature, in one file or across files; uses are
//! resolved by `orchestrator_syntax`. A use that is resolved by import, scope or receiver is an error; one that may be
//! meant by its name alone is a warning.

mod entries;
mod meaning;

use std::collections::BTreeMap;

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryMode {
    /// A file.
    File,
    /// A file that can be run.
    Executable,
    /// A symbolic link; its content is where it leads.
    Symlink,
    /// A commit of another repository. It is never loaded.
    Submodule,
}

/// An entry of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeEntry<Id> {
    /// What it is.
    pub mode: EntryMode,
    /// What it holds: equal ids are equal content.
    pub id: Id,
}

/// All files of a tree by path, with `/` between folders; folders themselves are not listed.
pub type TreeEntries<Id> = BTreeMap<String, TreeEntry<Id>>;

/// What is wrong with a merged tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TreeFault {
    /// One side renamed or moved what the other side uses anew under its old name. The caller leaves the tree to a person,
    /// or writes the new name at [`TreeFinding::at`] and takes the result only where the project's own checks accept it:
    /// what a use means is not proven by its name. Within one file whose lines are in conflict, [`merge`](crate::merge)
    /// proposes that itself ([`Rule::Renamed`](crate::Rule::Renamed)).
    Renamed,
    /// One side changed the signature of what the other side uses anew as it was.
    Signature,
    /// One side removed what the other side uses anew.
    Removed,
    /// A mode, symbolic link, submodule or kind of entry is quietly that of one side, or of neither.
    Entry,
}

impl TreeFault {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Renamed => "renamed",
            Self::Signature => "signature",
            Self::Removed => "removed",
            Self::Entry => "entry",
        }
    }
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The tree must not be taken without a person.
    Error,
    /// Perhaps: a use that is known by its name alone.
    Warning,
}

/// A place in one side's tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spot {
    /// The file.
    pub path: String,
    /// The line, counted from 1; nothing for what is gone, and for entries as a whole.
    pub line: Option<usize>,
}

/// Something wrong with a merged tree.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeFinding {
    /// Where in the result.
    pub at: Spot,
    /// What.
    pub fault: TreeFault,
    /// How grave.
    pub severity: Severity,
    /// What it is, in words that do not say which side is which.
    pub what: String,
    /// What ours has to do with it.
    pub ours: Spot,
    /// What theirs has to do with it.
    pub theirs: Spot,
}

/// What is wrong with `result` as the merge of two trees, in the order of its paths. `load` gives the content of an
/// entry; it is asked for files in a language that can be read, which either side changed or, where a use is in doubt, which
/// name the same. Swapping the sides swaps `ours` and `theirs` in the findings, and nothing else.
///
/// # Limitations
/// Uses in files of which a version cannot be loaded are not known. A definition that a use reaches only through files
/// which neither side changed and which do not name it, is not found.
pub fn verify_tree<Id: Eq>(
    base: &TreeEntries<Id>,
    ours: &TreeEntries<Id>,
    theirs: &TreeEntries<Id>,
    result: &TreeEntries<Id>,
    load: impl Fn(&Id) -> Option<Vec<u8>>,
) -> Vec<TreeFinding> {
    let mut findings = entries::check(base, [ours, theirs], result);
    findings.extend(meaning::check(base, [ours, theirs], result, &load));
    findings.sort_unstable();
    findings.dedup();
    findings
}

/// The paths that a side changed, removed ones included.
fn changed<'a, Id: Eq>(
    base: &'a TreeEntries<Id>,
    side: &'a TreeEntries<Id>,
) -> impl Iterator<Item = &'a str> + use<'a, Id> {
    let new = side.iter().filter(|(path, entry)| base.get(*path) != Some(*entry)).map(|(path, _)| path);
    let gone = base.keys().filter(|path| !side.contains_key(*path));
    new.chain(gone).map(String::as_str)
}
