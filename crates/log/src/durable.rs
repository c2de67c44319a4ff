//! Files that survive a power loss: private modes, and flushed folders.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::Error;

/// The folder a file stands in.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Creates the folder and its missing parents, readable by the owner only, and makes every new name durable.
pub(crate) fn create_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = folder_of(path);
    create_folder(&parent)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Somebody else made it in this moment.
        Err(_) if path.is_dir() => {}
        created => created.map_err(Error::io("create", path))?,
    }
    sync_folder(&parent)
}

/// Makes created and renamed names in the folder durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("flush", path))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Options that open a file readable by the owner only.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

/// Writes a private file so that it is seen whole or not at all, after a power loss too.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::io("remove", fresh)(error));
        }
        _ => {}
    }
    let mut file = private().create_new(true).open(&fresh).map_err(Error::io("create", &fresh))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::io("write", &fresh))?;
    drop(file);
    fs::rename(&fresh, path).map_err(Error::io("put in place", path))?;
    sync_folder(&folder_of(path))
}
