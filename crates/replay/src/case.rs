//! What is judged.

use orchestrator_repository::{MergedFile, ObjectId};
use serde::Serialize;
use std::collections::BTreeMap;

/// One file of one merge that git's line merge leaves in conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The merge commit.
    pub merge: ObjectId,
    /// Where the merge commit has the file.
    pub path: String,
    /// The file before both changes.
    pub base: ObjectId,
    /// Our side's file.
    pub ours: ObjectId,
    /// Their side's file.
    pub theirs: ObjectId,
    /// What a person committed.
    pub committed: ObjectId,
    /// How many merges of the history are newer.
    pub age: usize,
}

/// One file of one merge that both sides changed and that git merges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clean {
    /// The file and what was committed.
    pub case: Case,
    /// What git makes of it, when that is not what was committed.
    pub other: Option<Vec<u8>>,
}

/// What was left out, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Merges of more than two.
    pub octopus: usize,
    /// Merges with several merge bases.
    pub criss_cross: usize,
    /// Merges without a merge base.
    pub unrelated: usize,
    /// Merges of which an object is missing or broken.
    pub unreadable_merges: usize,
    /// Files of which an object is missing or broken.
    pub unreadable_files: usize,
    /// Files in conflict that the merge commit does not have.
    pub gone: usize,
    /// Files whose name is not UTF-8.
    pub names: usize,
    /// Files in conflict with the same three versions as one before.
    pub repeated: usize,
    /// Files in conflict beyond the number asked for.
    pub beyond: usize,
    /// Why the walk ended before the first commit.
    pub cut: Option<String>,
}

/// A history's cases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cases {
    /// Merges done again.
    pub merges: usize,
    /// Those that changed something on both sides, among them.
    pub two_sided: usize,
    /// Files that git leaves in conflict, the newest first.
    pub conflicts: Vec<Case>,
    /// Those with the same three versions as a newer one.
    pub repeats: Vec<Case>,
    /// Files that git merges though both sides changed them.
    pub clean: Vec<Clean>,
    /// By merge: conflicts that are not about the lines of one file, or whose case was left out.
    pub unsettled: BTreeMap<ObjectId, usize>,
    /// By merge: the cases of its conflicts, by their place in `conflicts`; one that repeats another is that one.
    pub by_merge: BTreeMap<ObjectId, Vec<usize>>,
    /// What was left out.
    pub skipped: Skipped,
}

impl Case {
    /// Nothing when the merge commit does not have the file, or its name is not UTF-8.
    pub(crate) fn new((age, merge): (usize, ObjectId), file: &MergedFile) -> Option<Self> {
        Some(Self {
            merge,
            path: String::from_utf8(file.path.to_vec()).ok()?,
            base: file.base,
            ours: file.ours,
            theirs: file.theirs,
            committed: file.committed?,
            age,
        })
    }
}
