//! Trees without a worktree: looking up, editing, comparing, merging, all in object memory.
//!
//! No attribute and no configuration of the user's repository takes part, so no driver, filter or textconv of
//! theirs is known here.

use std::sync::Arc;

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    diff::{Rewrites, tree_with_rewrites},
    objs::{FindExt, Kind, TreeRefIter, WriteTo, tree::Editor},
};

use crate::{
    Error, Store,
    snapshot::{Delta, Deltas, Mode, Opaque},
    store::objects::Objects,
};

/// A mode with a blob or the commit of a submodule.
pub type Stage = (Mode, ObjectId);

/// How one path differs between two trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it is; where it was, when it is gone.
    pub path: BString,
    /// What it was; nothing for a new path.
    pub from: Option<Stage>,
    /// What it is; nothing for a removed path.
    pub to: Option<Stage>,
    /// Where it was, when it was renamed.
    pub renamed_from: Option<BString>,
}

/// The outcome of a merge; conflicts are an outcome, not an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The merged tree. Where sides conflict it holds what git would leave there, markers included.
    pub tree: ObjectId,
    /// What is left to decide; empty for a clean merge.
    pub conflicts: Vec<Conflict>,
}

/// One conflict with its three stages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where our side has it, or their side, or where both had it.
    pub path: BString,
    /// Where their side has it, when that is another path.
    pub their_path: Option<BString>,
    /// What both came from.
    pub base: Option<Stage>,
    /// Our side; nothing when it removed the path.
    pub ours: Option<Stage>,
    /// Their side; nothing when it removed the path.
    pub theirs: Option<Stage>,
}

impl Store {
    /// The best common ancestor of two commits; nothing when they share no history. Of several the same one, whichever
    /// commit is named first.
    /// # Errors
    /// A commit cannot be read.
    pub fn merge_base(&self, one: ObjectId, two: ObjectId) -> Result<Option<ObjectId>, Error> {
        let (one, two) = (one.min(two), one.max(two));
        let mut graph = gix::revision::plumbing::Graph::new(self.objects(), None);
        let found = gix::revision::plumbing::merge_base(one, &[two], &mut graph)
            .map_err(|error| Error::git(format!("find the merge base of {one} and {two}"), &error))?;
        Ok(found.map(|bases| *bases.first()))
    }

    /// The commit of a branch of the user's repository and its tree; nothing when there is no such branch.
    /// # Errors
    /// The name is not one, or an object cannot be read.
    pub fn tip(&self, branch: &str) -> Result<Option<(ObjectId, ObjectId)>, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git(format!("read the branch {branch:?}"), error);
        let options = gix::open::Options::isolated().open_path_as_is(true).with(gix::sec::Trust::Full);
        let user = options.open(self.git_common_dir()).map_err(|error| failed(&error))?.to_thread_local();
        let name = format!("refs/heads/{branch}");
        let Some(mut found) = user.try_find_reference(name.as_str()).map_err(|error| failed(&error))? else {
            return Ok(None);
        };
        let commit = found.peel_to_id().map_err(|error| failed(&error))?.detach();
        Ok(Some((commit, self.objects().tree_of(&commit)?)))
    }

    /// The tree of a commit, and its parents.
    /// # Errors
    /// It is nowhere, or not a commit.
    pub fn read_commit(&self, commit: ObjectId) -> Result<(ObjectId, Vec<ObjectId>), Error> {
        self.objects().commit(&commit)
    }

    /// When a commit was made, in seconds since 1970.
    /// # Errors
    /// It is nowhere, or not a commit.
    pub fn committed_at(&self, commit: ObjectId) -> Result<i64, Error> {
        self.objects().committed_at(&commit)
    }

    /// What `tree` has at `path`; nothing where it has nothing, or a folder.
    /// # Errors
    /// A tree cannot be read.
    pub fn entry(&self, tree: ObjectId, path: &BStr) -> Result<Option<Stage>, Error> {
        Ok(lookup(&self.objects(), tree, path)?.and_then(|(mode, id)| Some((Mode::of(mode)?, id))))
    }

    /// All files, links and submodules of a tree.
    /// # Errors
    /// A tree cannot be read.
    pub fn files(&self, tree: ObjectId) -> Result<std::collections::BTreeMap<BString, Stage>, Error> {
        let mut files = std::collections::BTreeMap::new();
        for_each(&self.objects(), tree, "".into(), &mut |path, stage| {
            files.insert(path, stage);
        })?;
        Ok(files)
    }

    /// `base` with `delta` applied, in memory. Paths that are too large stay as in `base`.
    /// # Errors
    /// A tree of `base` cannot be read.
    pub fn tree_with(&self, base: ObjectId, delta: &Deltas) -> Result<ObjectId, Error> {
        let objects = self.objects();
        write(&mut edited(&objects, base, delta)?, &objects)
    }

    /// The id of the tree that [`tree_with`](Self::tree_with) makes; nothing of it is kept.
    /// # Errors
    /// A tree of `base` cannot be read.
    pub fn tree_id_with(&self, base: ObjectId, delta: &Deltas) -> Result<ObjectId, Error> {
        let scratch = Objects { memory: Arc::default(), ..self.objects() };
        write(&mut edited(&self.objects(), base, delta)?, &scratch)
    }

    /// What differs between two trees, sorted by path. Costs what differs, not what the trees hold. With
    /// `renames`, a removed file and a new one that are at least half alike are one change.
    /// # Errors
    /// An object cannot be read.
    pub fn diff(&self, from: ObjectId, to: ObjectId, renames: bool) -> Result<Vec<Change>, Error> {
        differences(&self.objects(), &self.repository(), from, to, renames)
    }

    /// Merges two trees on a common one as git's `ort` does: histogram line merge, renames followed.
    /// # Errors
    /// An object cannot be read. Conflicts are no error.
    pub fn merge_trees(&self, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> Result<Merged, Error> {
        let objects = self.objects();
        let mut outcome = merge(&objects, &self.repository(), base, ours, theirs)?;
        let unresolved = gix::merge::plumbing::tree::TreatAsUnresolved::git();
        let conflicts = outcome.conflicts.iter().filter(|conflict| conflict.is_unresolved(unresolved)).map(stages);
        let conflicts = conflicts.collect();
        Ok(Merged { tree: write(&mut outcome.tree, &objects)?, conflicts })
    }
}

/// The merge of two trees, with the settings of a repository of our own; merged files go to the objects' memory.
pub(crate) fn merge<'a>(
    objects: &'a Objects,
    repository: &gix::Repository,
    base: ObjectId,
    ours: ObjectId,
    theirs: ObjectId,
) -> Result<gix::merge::plumbing::tree::Outcome<'a>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::git(format!("merge the trees {ours} and {theirs}"), error);
    let mut diffs = repository.diff_resource_cache_for_tree_diff().map_err(|error| failed(&error))?;
    let mut blobs = repository.merge_resource_cache(Default::default()).map_err(|error| failed(&error))?;
    let options = repository.tree_merge_options().map_err(|error| failed(&error))?;
    let labels = gix::merge::blob::builtin_driver::text::Labels {
        ancestor: Some("base".into()),
        current: Some("ours".into()),
        other: Some("theirs".into()),
    };
    gix::merge::plumbing::tree(
        &base,
        &ours,
        &theirs,
        labels,
        objects,
        |content| objects.put(Kind::Blob, content).map_err(gix::Error::from_error),
        &mut gix::diff::tree::State::default(),
        &mut diffs,
        &mut blobs,
        options.into(),
    )
    .map_err(|error| failed(&error))
}

/// The raw entry at `path`, folders included.
/// What differs between two trees, sorted by path.
pub(crate) fn differences(
    objects: &Objects,
    repository: &gix::Repository,
    from: ObjectId,
    to: ObjectId,
    renames: bool,
) -> Result<Vec<Change>, Error> {
    if from == to {
        return Ok(Vec::new());
    }
    let failed = |error: &dyn std::fmt::Display| Error::git(format!("compare the trees {from} and {to}"), error);
    let mut cache = repository.diff_resource_cache_for_tree_diff().map_err(|error| failed(&error))?;
    let (left, right) = (objects.read_as(&from, Kind::Tree)?, objects.read_as(&to, Kind::Tree)?);
    let mut found = Vec::new();
    tree_with_rewrites(
        TreeRefIter::from_bytes(&left, from.kind()),
        TreeRefIter::from_bytes(&right, to.kind()),
        &mut cache,
        &mut gix::diff::tree::State::default(),
        objects,
        |change| {
            found.extend(described(change));
            Ok(std::ops::ControlFlow::Continue(()))
        },
        tree_with_rewrites::Options {
            location: Some(gix::diff::tree::recorder::Location::Path),
            rewrites: renames.then(Rewrites::default),
        },
    )
    .map_err(|error| failed(&error))?;
    found.sort_by(|left: &Change, right| left.path.cmp(&right.path));
    Ok(found)
}

pub(crate) fn lookup(
    objects: &Objects,
    tree: ObjectId,
    path: &BStr,
) -> Result<Option<(gix::objs::tree::EntryMode, ObjectId)>, Error> {
    let mut found = (gix::objs::tree::EntryKind::Tree.into(), tree);
    for name in parts(path) {
        if !gix::objs::tree::EntryMode::is_tree(&found.0) {
            return Ok(None);
        }
        let data = objects.read_as(&found.1, Kind::Tree)?;
        let mut next = None;
        for entry in TreeRefIter::from_bytes(&data, tree.kind()) {
            let entry = entry.map_err(|error| Error::git(format!("decode the tree {}", found.1), &error))?;
            if entry.filename == name {
                next = Some((entry.mode, entry.oid.to_owned()));
                break;
            }
        }
        match next {
            Some(next) => found = next,
            None => return Ok(None),
        }
    }
    Ok(Some(found))
}

/// Calls `each` with every file, link and submodule below a tree.
pub(crate) fn for_each(
    objects: &Objects,
    tree: ObjectId,
    prefix: &BStr,
    each: &mut dyn FnMut(BString, Stage),
) -> Result<(), Error> {
    let data = objects.read_as(&tree, Kind::Tree)?;
    for entry in TreeRefIter::from_bytes(&data, tree.kind()) {
        let entry = entry.map_err(|error| Error::git(format!("decode the tree {tree}"), &error))?;
        let path = join(prefix, entry.filename);
        match Mode::of(entry.mode) {
            Some(mode) => each(path, (mode, entry.oid.to_owned())),
            None => for_each(objects, entry.oid.to_owned(), path.as_ref(), each)?,
        }
    }
    Ok(())
}

pub(crate) fn join(folder: &BStr, name: &BStr) -> BString {
    let mut path = BString::from(folder.to_vec());
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn parts(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(|part| part.as_bstr())
}

/// `base` with `delta` applied, not written yet.
fn edited<'a>(objects: &'a Objects, base: ObjectId, delta: &Deltas) -> Result<Editor<'a>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::git("make a tree", error);
    let mut buffer = Vec::new();
    let root = objects.find_tree(&base, &mut buffer).map_err(|error| failed(&error))?.to_owned();
    let mut editor = Editor::new(root, objects, base.kind());
    for (path, change) in delta {
        if *change == Delta::Deleted {
            editor.remove(parts(path.as_ref())).map_err(|error| failed(&error))?;
        }
    }
    for (path, change) in delta {
        if let Delta::Entry(entry) = change
            && entry.opaque != Some(Opaque::Large)
        {
            editor.upsert(parts(path.as_ref()), entry.mode.kind(), entry.oid).map_err(|error| failed(&error))?;
        }
    }
    Ok(editor)
}

fn write(editor: &mut Editor<'_>, objects: &Objects) -> Result<ObjectId, Error> {
    editor.write(|tree| {
        let mut data = Vec::new();
        tree.write_to(&mut data).map_err(|error| Error::git("make a tree", &error))?;
        objects.put(Kind::Tree, &data)
    })
}

/// Nothing for folders: what is below them is told by itself.
fn described(change: tree_with_rewrites::ChangeRef<'_>) -> Option<Change> {
    use tree_with_rewrites::ChangeRef as Ref;
    let stage = |mode, id| Mode::of(mode).map(|mode| (mode, id));
    let (path, from, to, renamed_from) = match change {
        Ref::Addition { location, entry_mode, id, .. } => (location, None, stage(entry_mode, id), None),
        Ref::Deletion { location, entry_mode, id, .. } => (location, stage(entry_mode, id), None, None),
        Ref::Modification { location, previous_entry_mode, previous_id, entry_mode, id } => {
            (location, stage(previous_entry_mode, previous_id), stage(entry_mode, id), None)
        }
        Ref::Rewrite { source_location, source_entry_mode, source_id, entry_mode, id, location, .. } => {
            let source = source_location.to_owned();
            (location, stage(source_entry_mode, source_id), stage(entry_mode, id), Some(source))
        }
    };
    (from.is_some() || to.is_some()).then(|| Change { path: path.to_owned(), from, to, renamed_from })
}

fn stages(conflict: &gix::merge::plumbing::tree::Conflict) -> Conflict {
    let [base, ours, theirs] =
        conflict.entries().map(|entry| entry.and_then(|entry| Some((Mode::of(entry.mode)?, entry.id))));
    let (our_change, their_change) = conflict.changes_in_resolution();
    let (path, their_path) = (our_change.location().to_owned(), their_change.location().to_owned());
    Conflict { their_path: (their_path != path).then_some(their_path), path, base, ours, theirs }
}
