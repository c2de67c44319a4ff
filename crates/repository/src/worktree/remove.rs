//! A worktree's end: what would go with its folder, and removing it.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
};

use crate::{Error, Project, Store};

/// What went with a worktree's folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Files and links, without the link to git's data.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Store {
    /// Commits on disk that lead to any of `tips` and to none of `hidden`, at most `limit`.
    /// # Errors
    /// A commit cannot be read.
    pub fn beyond(&self, tips: &[ObjectId], hidden: &[ObjectId], limit: usize) -> Result<Vec<ObjectId>, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git(format!("walk the commits of {tips:?}"), error);
        let repository = self.repository();
        let tips = tips.iter().copied();
        let walk = repository.rev_walk(tips).with_hidden(hidden.iter().copied()).all();
        let walk = walk.map_err(|error| failed(&error))?;
        walk.take(limit).map(|commit| Ok(commit.map_err(|error| failed(&error))?.id)).collect()
    }

    /// The paths of all files of a tree.
    /// # Errors
    /// A tree cannot be read.
    pub fn paths(&self, tree: ObjectId) -> Result<BTreeSet<BString>, Error> {
        let empty = self.tree_with(ObjectId::empty_tree(tree.kind()), &crate::Deltas::new())?;
        Ok(self.diff(empty, tree, false)?.into_iter().map(|change| change.path).collect())
    }
}

impl Project {
    /// Removes the linked worktree in `folder`: the folder with all that it holds, links not followed, and git's
    /// data about it. Its branch stays. One that is half there, as after a crash, is removed too; none is no error.
    /// # Errors
    /// The folder belongs to another repository or is the main worktree, it is locked (`git worktree lock`), or the
    /// disk refuses; then a second call goes on.
    pub fn remove_worktree(&self, folder: &Path) -> Result<Removed, Error> {
        let Some(common) = self.git_common_dir() else {
            return Err(Error::NotGit { path: self.root().to_owned() });
        };
        let refused = |detail: &str| Error::Removal { path: folder.to_owned(), detail: detail.to_owned() };
        let folder = match (folder.parent().and_then(|parent| parent.canonicalize().ok()), folder.file_name()) {
            (Some(parent), Some(name)) => parent.join(name),
            _ => return Ok(Removed::default()),
        };
        let git = registered(common, &folder)?;
        if let Some(git) = &git
            && git.join("locked").exists()
        {
            return Err(refused("it is locked; run `git worktree unlock` first"));
        }
        let standing = folder.symlink_metadata().ok();
        if standing.as_ref().is_some_and(|meta| !meta.is_dir()) {
            return Err(refused("it is no folder"));
        }
        let mut removed = Removed::default();
        if standing.is_some() {
            let link = folder.join(".git");
            let is_ours = match fs::read_to_string(&link) {
                Ok(text) => {
                    let named = text.strip_prefix("gitdir:").map(|path| folder.join(path.trim()));
                    let named = named.and_then(|path| path.canonicalize().ok());
                    let named = named.filter(|path| path.parent() == Some(common.join("worktrees").as_path()));
                    named.is_some() && (named == git || git.is_none())
                }
                // Only what was never finished has none.
                Err(_) => link.symlink_metadata().is_err() && is_empty(&folder),
            };
            if !is_ours {
                return Err(refused("it is no worktree of this repository"));
            }
            count(&folder, &mut removed).map_err(Error::io("read", &folder))?;
            empty(&folder).map_err(Error::io("remove", &folder))?;
        }
        if let Some(git) = git {
            fs::remove_dir_all(&git).map_err(Error::io("remove", &git))?;
        }
        Ok(removed)
    }
}

/// git's data about the linked worktree in `folder`.
fn registered(common: &Path, folder: &Path) -> Result<Option<PathBuf>, Error> {
    let all = common.join("worktrees");
    let entries = match fs::read_dir(&all) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &all)(error)),
    };
    let link = folder.join(".git");
    for entry in entries {
        let path = entry.map_err(Error::io("read", &all))?.path();
        let Ok(named) = fs::read(path.join("gitdir")) else { continue };
        // Relative to git's data where `worktree.useRelativePaths` is set.
        let named = path.join(Path::new(std::ffi::OsStr::from_bytes(named.trim_end().as_bytes())));
        let parent = named.parent().and_then(|folder| folder.canonicalize().ok());
        if named == link || parent.is_some_and(|parent| parent == folder) {
            return Ok(path.canonicalize().ok());
        }
    }
    Ok(None)
}

/// Removes a folder, its link to git's data last: what is cut off in between is still known for a worktree.
fn empty(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    fs::remove_dir_all(folder)
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

pub(crate) fn count(folder: &Path, found: &mut Removed) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        if meta.is_dir() {
            count(&entry.path(), found)?;
        } else if entry.file_name() != ".git" {
            found.files += 1;
            found.bytes += meta.len();
        }
    }
    Ok(())
}
