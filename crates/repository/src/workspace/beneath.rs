//! Files below a folder, reached without following a link.
//!
//! Every folder is opened from the handle of the one above (`/proc/self/fd/<n>/<name>`, what `openat` does),
//! and no component may be a link, so nothing that happens to the path meanwhile leads out of the root.
//! Without `/proc` (not Linux) paths are joined as text, and a folder swapped for a link at that very moment
//! is followed.

use std::{
    ffi::OsStr,
    fs::{self, File, Metadata, OpenOptions},
    io,
    os::{
        fd::AsRawFd,
        unix::{
            ffi::{OsStrExt, OsStringExt},
            fs::OpenOptionsExt,
        },
    },
    path::{Path, PathBuf},
};

use gix::bstr::{BStr, BString, ByteSlice};

/// An open folder.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: File,
    /// Names the folder as long as the handle is open.
    path: PathBuf,
}

/// The way to a folder, as far as it went.
pub(crate) enum Way {
    /// All of it.
    Whole(Folder),
    /// The path up to this byte is missing or not a folder.
    Ends(usize),
}

impl Folder {
    /// Opens the root itself; links in its own path are followed.
    pub(crate) fn root(path: &Path) -> io::Result<Self> {
        Self::new(OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY).open(path)?, path.to_owned())
    }

    /// A folder in this one, not through a link.
    pub(crate) fn child(&self, name: &BStr) -> io::Result<Self> {
        let path = self.at(name);
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        Self::new(OpenOptions::new().read(true).custom_flags(flags).open(&path)?, path)
    }

    /// The folder `path` below this one; empty is this one.
    pub(crate) fn below(&self, path: &BStr) -> io::Result<Way> {
        let mut found = Self::new(self.handle.try_clone()?, self.path.clone())?;
        let mut end = 0;
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            end += name.len();
            match found.child(name.as_bstr()) {
                Ok(child) => found = child,
                Err(error) if is_no_folder(&error) => return Ok(Way::Ends(end)),
                Err(error) => return Err(error),
            }
            end += 1;
        }
        Ok(Way::Whole(found))
    }

    pub(crate) fn stat(&self, name: &BStr) -> io::Result<Metadata> {
        fs::symlink_metadata(self.at(name))
    }

    pub(crate) fn link(&self, name: &BStr) -> io::Result<BString> {
        Ok(fs::read_link(self.at(name))?.into_os_string().into_vec().into())
    }

    /// Opens a file for reading; not a link, and a pipe does not make it wait.
    pub(crate) fn file(&self, name: &BStr) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(self.at(name))
    }

    pub(crate) fn entries(&self) -> io::Result<Vec<(BString, fs::FileType)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            found.push((entry.file_name().into_vec().into(), entry.file_type()?));
        }
        Ok(found)
    }

    /// The path of an entry for as long as the folder is open.
    pub(crate) fn at(&self, name: &BStr) -> PathBuf {
        self.path.join(OsStr::from_bytes(name))
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    fn new(handle: File, real: PathBuf) -> io::Result<Self> {
        let path = match cfg!(target_os = "linux") {
            true => PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd())),
            false => real,
        };
        Ok(Self { handle, path })
    }
}

/// True when the way ends there: nothing, a file, or a link.
pub(crate) fn is_no_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || matches!(error.raw_os_error(), Some(libc::ENOTDIR | libc::ELOOP | libc::ENAMETOOLONG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_folder_ends_the_way() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::create_dir_all(folder.path().join("out/b")).unwrap();
        std::os::unix::fs::symlink("../out", root.join("l")).unwrap();
        fs::write(root.join("f"), "").unwrap();
        let opened = Folder::root(&root).unwrap();
        let ends = |path: &str| match opened.below(path.into()).unwrap() {
            Way::Whole(_) => None,
            Way::Ends(at) => Some(at),
        };
        assert_eq!(ends(""), None);
        assert_eq!(ends("a/b"), None);
        assert_eq!(ends("l/b"), Some(1));
        assert_eq!(ends("a/l/b"), Some(3));
        assert_eq!(ends("f/x"), Some(1));
        let Way::Whole(inner) = opened.below("a/b".into()).unwrap() else { panic!("it is there") };
        fs::rename(root.join("a"), folder.path().join("moved")).unwrap();
        std::os::unix::fs::symlink("../out", root.join("a")).unwrap();
        fs::write(folder.path().join("out/b/secret"), "").unwrap();
        assert!(inner.entries().unwrap().is_empty(), "the handle stays with the folder it opened");
    }
}
