//! Merges that people made, done again without a worktree and held beside what was committed.

mod landed;

use std::path::Path;
use std::sync::Arc;

use gix::{
    ObjectId,
    bstr::{BStr, BString},
    diff::tree_with_rewrites::Change,
    merge::plumbing::tree::{Conflict, TreatAsUnresolved},
    objs::Kind,
    revision::walk::Sorting,
    traverse::commit::simple::CommitTimeOrder,
};

use crate::{
    Error, MOST_PACKS,
    store::{create, memory::Memory, objects::Objects},
    tree,
};

pub use landed::Written;

/// Bytes of objects that each [`Reader`] keeps decoded.
const CACHE: usize = 32 << 20;

/// A commit with two parents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    /// The commit.
    pub commit: ObjectId,
    /// The branch merged into.
    pub ours: ObjectId,
    /// The branch merged in.
    pub theirs: ObjectId,
    /// When it was committed, in seconds since 1970.
    pub time: i64,
}

/// The merges of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merges {
    /// Those with two parents, the newest first.
    pub found: Vec<Merge>,
    /// How many had more than two parents.
    pub octopus: usize,
    /// Why the walk ended before the first commit: an object is missing.
    pub cut: Option<String>,
}

/// A merge done again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redone {
    /// It has one merge base.
    Merged {
        /// Files that both sides changed, sorted by path.
        files: Vec<MergedFile>,
        /// Paths of conflicts that are not about the lines of one file: deleted against changed, renamed to two places.
        others: Vec<BString>,
    },
    /// The branches share no history.
    Unrelated,
    /// It has several merge bases, so that git would first merge those.
    CrissCross,
}

/// A file that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedFile {
    /// Where the merge has it.
    pub path: BString,
    /// The file before both changes.
    pub base: ObjectId,
    /// The file as our side has it.
    pub ours: ObjectId,
    /// The file as their side has it.
    pub theirs: ObjectId,
    /// The file that was committed; nothing where the merge commit has none at this path.
    pub committed: Option<ObjectId>,
    /// What merging lines gives.
    pub lines: LineResult,
}

/// What git's line merge gives for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineResult {
    /// Left to a person.
    Conflict,
    /// Just what was committed.
    Committed,
    /// Another file than what was committed.
    Other(Vec<u8>),
}

/// A repository's history, read without touching the repository: through an empty repository of our own that has its
/// objects and none of its configuration, so that no merge driver, filter or attribute of it takes part.
pub struct History {
    repository: gix::ThreadSafeRepository,
    tip: ObjectId,
}

impl std::fmt::Debug for History {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("History").field("tip", &self.tip).finish_non_exhaustive()
    }
}

impl History {
    /// The history that ends in `tip` (a branch, tag or commit; what is checked out when left out) of the repository,
    /// bare or not, that holds `folder`. `scratch` is an empty folder that stays as long as the value.
    /// # Errors
    /// There is no repository, it has no such commit, or `scratch` cannot be written.
    pub fn open(folder: &Path, scratch: &Path, tip: Option<&str>) -> Result<Self, Error> {
        let broken = |error: &dyn std::fmt::Display| Error::git(format!("open the history of {folder:?}"), error);
        let isolated =
            gix::sec::trust::Mapping { full: gix::open::Options::isolated(), reduced: gix::open::Options::isolated() };
        let start = folder.canonicalize().map_err(Error::io("open the folder", folder))?;
        let user = gix::ThreadSafeRepository::discover_opts(&start, Default::default(), isolated)
            .map_err(|error| broken(&error))?
            .to_thread_local();
        let tip = match tip {
            None => user.head_id().map_err(|error| broken(&error))?,
            Some(name) => user.rev_parse_single(name).map_err(|error| broken(&error))?,
        };
        let tip = tip.object().and_then(|object| object.peel_to_commit()).map_err(|error| broken(&error))?.id;
        let common = user.common_dir().canonicalize().map_err(Error::io("open the folder", user.common_dir()))?;
        create::beside(scratch, &common.join("objects"), &common.join("shallow"))
            .map_err(Error::io("make a repository in", scratch))?;
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            .with(gix::sec::Trust::Full)
            .object_store_slots(gix::odb::store::init::Slots::Given(MOST_PACKS));
        let repository = options.open(scratch).map_err(|error| broken(&error))?;
        Ok(Self { repository, tip })
    }

    /// Up to `most` merges of two, the newest first, none committed before `since` (seconds since 1970).
    /// # Errors
    /// The first commit cannot be read. One that is missing further down cuts the walk there.
    pub fn merges(&self, most: usize, since: Option<i64>) -> Result<Merges, Error> {
        let mut repository = self.repository.to_thread_local();
        repository.object_cache_size(CACHE);
        let sorting = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
        let failed = |error: &dyn std::fmt::Display| Error::git("walk the history", error);
        let walk = repository.rev_walk([self.tip]).sorting(sorting).all().map_err(|error| failed(&error))?;
        let mut merges = Merges { found: Vec::new(), octopus: 0, cut: None };
        for commit in walk {
            if merges.found.len() == most {
                break;
            }
            let commit = match commit {
                Ok(commit) => commit,
                Err(error) => {
                    merges.cut = Some(failed(&error).to_string());
                    break;
                }
            };
            let time = commit.commit_time.unwrap_or_default();
            if since.is_some_and(|since| time < since) {
                continue;
            }
            match *commit.parent_ids.as_slice() {
                [] | [_] => {}
                [ours, theirs] => merges.found.push(Merge { commit: commit.id, ours, theirs, time }),
                _ => merges.octopus += 1,
            }
        }
        Ok(merges)
    }

    /// One thread's view.
    #[must_use]
    pub fn reader(&self) -> Reader {
        let mut cached = self.repository.to_thread_local();
        cached.object_cache_size(CACHE);
        let objects = Objects { odb: cached.objects, memory: Arc::default() };
        Reader { repository: self.repository.to_thread_local(), objects }
    }
}

/// One thread's view of a [`History`].
pub struct Reader {
    repository: gix::Repository,
    objects: Objects,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Reader").finish_non_exhaustive()
    }
}

impl Reader {
    /// The content of a file.
    /// # Errors
    /// It is missing, as in a partial clone, or not a file.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        self.objects.read_as(&id, Kind::Blob)
    }

    /// Does a merge again: renames followed, lines aligned by histogram.
    /// # Errors
    /// An object is missing, as in a partial clone, or broken.
    pub fn redo(&mut self, merge: &Merge) -> Result<Redone, Error> {
        self.objects.memory = Arc::new(Memory::default());
        let objects = &self.objects;
        let mut graph = gix::revision::plumbing::Graph::new(objects, None);
        let bases = gix::revision::plumbing::merge_base(merge.ours, &[merge.theirs], &mut graph)
            .map_err(|error| Error::git(format!("find the merge base of {}", merge.commit), &error))?;
        let base = match bases {
            None => return Ok(Redone::Unrelated),
            Some(bases) if bases.len() > 1 => return Ok(Redone::CrissCross),
            Some(bases) => *bases.first(),
        };
        let trees = Trees {
            objects,
            base: objects.tree_of(&base)?,
            ours: objects.tree_of(&merge.ours)?,
            theirs: objects.tree_of(&merge.theirs)?,
            committed: objects.tree_of(&merge.commit)?,
        };
        let (mut files, mut others) = (Vec::new(), Vec::new());
        if trees.ours != trees.base && trees.theirs != trees.base && trees.ours != trees.theirs {
            let outcome = tree::merge(objects, &self.repository, trees.base, trees.ours, trees.theirs)?;
            for conflict in &outcome.conflicts {
                let file = trees.merged_file(conflict)?;
                let is_of_lines = file.as_ref().is_some_and(|file| file.lines == LineResult::Conflict);
                if conflict.is_unresolved(TreatAsUnresolved::git()) && !is_of_lines {
                    others.push(conflict.ours.location().to_owned());
                }
                files.extend(file);
            }
        }
        files.sort_by(|one: &MergedFile, two| one.path.cmp(&two.path));
        files.dedup_by(|one, two| one.path == two.path);
        others.sort();
        Ok(Redone::Merged { files, others })
    }
}

struct Trees<'a> {
    objects: &'a Objects,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
    committed: ObjectId,
}

impl Trees<'_> {
    /// The file whose lines were merged; nothing when the conflict, or the settled part of the merge, is of another kind.
    fn merged_file(&self, conflict: &Conflict) -> Result<Option<MergedFile>, Error> {
        let Some(merged) = conflict.content_merge() else { return Ok(None) };
        let (Some(one), Some(two)) = (Changed::of(&conflict.ours), Changed::of(&conflict.theirs)) else {
            return Ok(None);
        };
        if one.from != two.from || one.renamed && two.renamed && one.path != two.path {
            return Ok(None);
        }
        // The library may name the sides the other way round.
        let straight = tree::lookup(self.objects, self.ours, one.path)?.is_some_and(|(_, id)| id == one.to);
        let (ours, theirs) = if straight { (&one, &two) } else { (&two, &one) };
        let path = if theirs.renamed { theirs.path } else { ours.path };
        let committed = tree::lookup(self.objects, self.committed, path)?;
        let committed = committed.and_then(|(mode, id)| mode.is_blob().then_some(id));
        let unresolved = matches!(merged.resolution, gix::merge::blob::Resolution::Conflict);
        let lines = if unresolved {
            LineResult::Conflict
        } else if committed == Some(merged.merged_blob_id) {
            LineResult::Committed
        } else {
            LineResult::Other(self.objects.read_as(&merged.merged_blob_id, Kind::Blob)?)
        };
        let (base, ours, theirs) = (ours.from, ours.to, theirs.to);
        Ok(Some(MergedFile { path: path.to_owned(), base, ours, theirs, committed, lines }))
    }
}

/// How one side changed a file that was and is one.
struct Changed<'a> {
    path: &'a BStr,
    from: ObjectId,
    to: ObjectId,
    renamed: bool,
}

impl<'a> Changed<'a> {
    fn of(change: &'a Change) -> Option<Self> {
        match change {
            Change::Modification { location, previous_entry_mode, previous_id, entry_mode, id }
                if previous_entry_mode.is_blob() && entry_mode.is_blob() =>
            {
                Some(Self { path: location.as_ref(), from: *previous_id, to: *id, renamed: false })
            }
            Change::Rewrite { location, source_entry_mode, source_id, entry_mode, id, copy: false, .. }
                if source_entry_mode.is_blob() && entry_mode.is_blob() =>
            {
                Some(Self { path: location.as_ref(), from: *source_id, to: *id, renamed: true })
            }
            _ => None,
        }
    }
}
