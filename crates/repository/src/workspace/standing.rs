//! How a worktree's git stands: its HEAD, what it is busy with, and what its answers depend on.

use std::path::Path;

use gix::ObjectId;

use super::{Busy, index::Identity};
use crate::{Error, Store};

pub(super) fn open(root: &Path) -> Result<gix::ThreadSafeRepository, Error> {
    let options = gix::open::Options::isolated().with(gix::sec::Trust::Full);
    options.open(root).map_err(|error| Error::git(format!("open the repository of {}", root.display()), &error))
}

/// The commit that is checked out, by refs alone: no object is read, for this view of the objects has room for few new
/// packs (the store reads what is read of them).
pub(crate) fn head(local: &gix::Repository) -> Result<Option<ObjectId>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::git("read HEAD", error);
    let head = local.head().map_err(|error| failed(&error))?;
    if head.is_unborn() {
        return Ok(None);
    }
    match head.id() {
        Some(id) => Ok(Some(id.detach())),
        // A branch that is another name of one.
        None => Ok(Some(local.head_id().map_err(|error| failed(&error))?.detach())),
    }
}

pub(super) fn busy(git_dir: &Path) -> Option<Busy> {
    if git_dir.join("index.lock").symlink_metadata().is_ok() {
        return Some(Busy::Locked);
    }
    is_unfinished(git_dir).then_some(Busy::Unfinished)
}

pub(super) fn is_unfinished(git_dir: &Path) -> bool {
    const SIGNS: [&str; 6] =
        ["rebase-merge", "rebase-apply", "MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "sequencer"];
    SIGNS.iter().any(|name| git_dir.join(name).symlink_metadata().is_ok())
}

/// Files whose change may change every answer.
pub(super) fn sources(local: &gix::Repository) -> Vec<Identity> {
    let common = local.common_dir();
    let shared = ["config", "info/exclude", "info/attributes"].map(|name| common.join(name));
    let own = ["config.worktree", "info/sparse-checkout"].map(|name| local.git_dir().join(name));
    shared.iter().chain(&own).map(|path| Identity::of(path)).collect()
}

/// A commit that both have proves it.
pub(super) fn shares_history(clone: &gix::Repository, store: &Store) -> Result<bool, Error> {
    let tips = |repository: &gix::Repository| -> Result<Vec<ObjectId>, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git("read the refs", error);
        let platform = repository.references().map_err(|error| failed(&error))?;
        let all = platform.all().map_err(|error| failed(&error))?;
        let mut tips: Vec<_> =
            all.filter_map(Result::ok).filter_map(|mut found| found.peel_to_id().ok().map(gix::Id::detach)).collect();
        tips.extend(repository.head_id().ok().map(gix::Id::detach));
        Ok(tips)
    };
    let user = open(store.git_common_dir())?.to_thread_local();
    let objects = store.objects();
    Ok(tips(clone)?.iter().any(|tip| gix::objs::Exists::exists(&objects, tip))
        || tips(&user)?.iter().any(|tip| clone.has_object(tip)))
}
