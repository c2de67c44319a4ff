//! Locks as git takes them, with our name in them.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::Error;

/// What stands in a lock of ours. Nothing that git writes into one begins like this.
const OWNER: &str = "orchestrator lock\n";

/// How the names of files begin that are not in their place yet.
const SCRATCH: &str = "tmp-";

/// `<file>.lock`, which keeps git and us from writing one file at once. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    lock: PathBuf,
    file: PathBuf,
    /// A folder of the same file system for what is being written.
    scratch: PathBuf,
    was_ours: bool,
}

impl Lock {
    /// Takes the lock of a file; nothing when somebody else has it. One that a crash of ours left is cleared, for one
    /// process works on a repository and takes one lock of a file at a time.
    pub(crate) fn take(file: &Path, common: &Path) -> Result<Option<Self>, Error> {
        let lock = file.with_added_extension("lock");
        let failed = |source| Error::io("lock", file)(source);
        let scratch = common.join("orchestrator");
        // Not the folders above it: nothing of a repository that was removed this moment comes back.
        match fs::create_dir(&scratch) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made.map_err(failed)?,
        }
        let mut cleared = false;
        loop {
            // Linked, so that it never stands without our name in it.
            let named = new_file(&scratch, OWNER.as_bytes()).map_err(failed)?;
            let linked = fs::hard_link(&named, &lock);
            let _ = fs::remove_file(&named);
            match linked {
                Ok(()) => return Ok(Some(Self { lock, file: file.to_owned(), scratch, was_ours: cleared })),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !cleared && is_ours(&lock) => {
                    fs::remove_file(&lock).map_err(failed)?;
                    cleared = true;
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Whether a crash of ours had left it.
    pub(crate) fn was_ours(&self) -> bool {
        self.was_ours
    }

    /// Puts new content in the file's place, flushed.
    pub(crate) fn replace(&self, content: &[u8]) -> io::Result<()> {
        let new = new_file(&self.scratch, content)?;
        let placed = fs::rename(&new, &self.file);
        if placed.is_err() {
            let _ = fs::remove_file(&new);
        }
        placed
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One that stays is cleared by whoever takes it next.
        let _ = fs::remove_file(&self.lock);
    }
}

/// Removes locks of ours below a folder.
pub(crate) fn clear_below(folder: &Path) -> io::Result<()> {
    for entry in listed(folder)? {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            clear_below(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "lock") {
            clear(&path)?;
        }
    }
    Ok(())
}

/// Removes a lock if it is ours.
pub(crate) fn clear(lock: &Path) -> io::Result<()> {
    if is_ours(lock) { fs::remove_file(lock) } else { Ok(()) }
}

/// Removes what was not put into its place.
pub(crate) fn clear_scratch(common: &Path) -> io::Result<()> {
    for entry in listed(&common.join("orchestrator"))? {
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(SCRATCH)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// What stands in a folder; nothing when it is not there.
pub(crate) fn listed(folder: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.collect(),
    }
}

fn is_ours(lock: &Path) -> bool {
    fs::read(lock).is_ok_and(|content| content == OWNER.as_bytes())
}

/// A flushed file of a name that nobody has.
fn new_file(folder: &Path, content: &[u8]) -> io::Result<PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let path = folder.join(format!("{SCRATCH}{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    let _ = fs::remove_file(&path);
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(&path)?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_brings_no_removed_repository_back() {
        let parent = tempfile::tempdir().unwrap();
        let common = parent.path().join("project/.git");
        fs::create_dir_all(&common).unwrap();
        let index = common.join("index");
        let lock = Lock::take(&index, &common).unwrap().unwrap();
        assert!(Lock::take(&index, &common).unwrap().is_some_and(|again| again.was_ours()));
        drop(lock);
        fs::remove_dir_all(parent.path().join("project")).unwrap();
        assert!(Lock::take(&index, &common).is_err());
        assert!(!parent.path().join("project").exists());
    }
}
