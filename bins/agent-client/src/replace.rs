//! Replaces a file as a whole: whoever reads it finds the old content or the new one.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::Builder;

/// Mode of a file that was not there, before the user's mask.
const USUAL_MODE: u32 = 0o666;

/// Writes a file through one of another name beside it. An existing file keeps its mode, a link its target. As with git,
/// nothing is flushed to the disk.
///
/// # Errors
/// The path names something else than a file, or the folder cannot be written.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let (path, mode) = match path.metadata() {
        Ok(metadata) if metadata.is_file() => (path.canonicalize()?, Some(metadata.permissions())),
        Ok(_) => return Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => (path.to_owned(), None),
        Err(error) => return Err(error),
    };
    let new = mode.clone().unwrap_or_else(|| Permissions::from_mode(USUAL_MODE));
    let mut file = Builder::new().prefix(".merge-").permissions(new).tempfile_in(folder(&path))?;
    file.write_all(content)?;
    if let Some(mode) = mode {
        file.as_file().set_permissions(mode)?;
    }
    file.persist(&path)?;
    Ok(())
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn mode_and_links_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        write(&file, b"one").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o751)).unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        write(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o751);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert!(write(folder.path(), b"three").is_err());
        assert!(write(&folder.path().join("absent/file"), b"three").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
