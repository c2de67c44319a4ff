//! A clone's end.

use std::{fs, io, os::unix::ffi::OsStrExt, path::Path};

use super::{MARK, is_empty};
use crate::{
    Error, Project,
    worktree::{Removed, count},
};

impl Project {
    /// Removes a clone that [`create_clone`](Self::create_clone) made for this repository: the folder with all that it
    /// holds, links not followed. One that is half there, as after a crash, is removed too; none is no error.
    /// # Errors
    /// The folder is none that was made so, or the disk refuses; then a second call goes on.
    pub fn remove_clone(&self, folder: &Path) -> Result<Removed, Error> {
        let Some(common) = self.git_common_dir() else {
            return Err(Error::NotGit { path: self.root().to_owned() });
        };
        let refused = |detail: &str| Error::Removal { path: folder.to_owned(), detail: detail.to_owned() };
        let Ok(standing) = folder.symlink_metadata() else { return Ok(Removed::default()) };
        if !standing.is_dir() {
            return Err(refused("it is no folder"));
        }
        let git = folder.join(".git");
        let is_ours = match git.symlink_metadata() {
            Ok(meta) => {
                let named = fs::read(git.join(MARK)).ok();
                let named = named.as_deref().and_then(|named| named.strip_suffix(b"\n"));
                meta.is_dir() && (named == Some(common.as_os_str().as_bytes()) || is_empty(&git))
            }
            // Only what was never begun has none.
            Err(_) => is_empty(folder),
        };
        if !is_ours {
            return Err(refused("it is no clone that was made for this repository"));
        }
        let mut removed = Removed::default();
        if git.join("HEAD").exists() {
            count_files(folder, &mut removed).map_err(Error::io("read", folder))?;
        }
        // The mark goes last: what is cut off in between is still known for a clone.
        empty(folder, ".git").map_err(Error::io("remove", folder))?;
        if git.symlink_metadata().is_ok() {
            empty(&git, MARK).map_err(Error::io("remove", &git))?;
        }
        fs::remove_dir_all(folder).map_err(Error::io("remove", folder))?;
        Ok(removed)
    }
}

fn count_files(folder: &Path, removed: &mut Removed) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let meta = entry.metadata()?;
        if entry.file_name() == ".git" {
            continue;
        }
        if meta.is_dir() {
            count(&entry.path(), removed)?;
        } else {
            removed.files += 1;
            removed.bytes += meta.len();
        }
    }
    Ok(())
}

/// Removes what is in a folder but one entry.
fn empty(folder: &Path, but: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == but {
            continue;
        }
        if entry.file_type()?.is_dir() { fs::remove_dir_all(entry.path())? } else { fs::remove_file(entry.path())? }
    }
    Ok(())
}
