//! Folders of its own for a gate's leftovers.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A fresh home and a fresh folder for temporary files, gone when this is dropped.
pub(crate) struct Home(TempDir);

impl Home {
    /// Outside of `folder`, which is checked as it is.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let usual = std::env::temp_dir();
        let inside = match (fs::canonicalize(&usual), fs::canonicalize(folder)) {
            (Ok(usual), Ok(folder)) => usual.starts_with(folder),
            _ => false,
        };
        let place = if inside { PathBuf::from("/tmp") } else { usual };
        let home = Self(tempfile::Builder::new().prefix("orchestrator-gate-").tempdir_in(place)?);
        fs::create_dir(home.home())?;
        fs::create_dir(home.temporary())?;
        Ok(home)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.0.path().join("tmp")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Some tools make their caches read-only; a file goes when its folder can be written.
        if fs::remove_dir_all(self.0.path()).is_err() {
            open(self.0.path());
        }
    }
}

fn open(folder: &Path) {
    let _ = fs::set_permissions(folder, Permissions::from_mode(0o700));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open(&entry.path());
        }
    }
}
