//! One file: what stands there, and putting another in its place.

use std::{
    ffi::OsStr,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, PermissionsExt},
    },
    path::Path,
};

use gix::{
    ObjectId,
    bstr::{BStr, ByteSlice},
    objs::Kind,
};

use super::{
    super::{
        beneath::{Folder, Way, is_no_folder},
        content::{self, Content},
    },
    Step,
};
use crate::{Error, snapshot::Mode};

/// How the names of files begin that are not in their place yet.
const HALF_WRITTEN: &str = ".orchestrator-restore-";

/// Whether a file of this name was to be put into another's place.
pub(in crate::workspace) fn is_half_written(name: &BStr) -> bool {
    name.strip_prefix(HALF_WRITTEN.as_bytes()).is_some_and(|rest| rest.iter().all(u8::is_ascii_digit))
}

/// Reads what stands at a path; nothing when nothing does.
pub(in crate::workspace) fn standing(root: &Folder, path: &BStr, max: u64) -> Result<Option<(Mode, Vec<u8>)>, Error> {
    let (parent, name) = split(path);
    let failed = |source| Error::io("read", Path::new(OsStr::from_bytes(path)))(source);
    let folder = match root.below(parent).map_err(failed)? {
        Way::Whole(folder) => folder,
        Way::Ends(_) => return Ok(None),
    };
    let meta = match folder.stat(name) {
        Ok(meta) => meta,
        Err(error) if is_no_folder(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if meta.is_symlink() {
        return Ok(Some((Mode::Link, folder.link(name).map_err(failed)?.into())));
    }
    if meta.is_dir() {
        return Ok(None);
    }
    if !meta.is_file() {
        return Err(unsaved(path, "it is a pipe, a socket or a device"));
    }
    match content::read(&folder, name, max, 3).map_err(failed)? {
        Some(Content::Whole(meta, bytes)) => {
            let mode = if meta.permissions().mode() & 0o100 == 0 { Mode::File } else { Mode::Executable };
            Ok(Some((mode, bytes)))
        }
        Some(Content::Large(..)) => Err(unsaved(path, "it is larger than the limit")),
        None => Err(unsaved(path, "it keeps changing")),
    }
}

/// What stands at an absolute path and git's id of its bytes; nothing for what is no file or link, or cannot be read.
pub(crate) fn standing_file(path: &Path) -> Option<(Mode, ObjectId)> {
    let meta = fs::symlink_metadata(path).ok()?;
    let (mode, bytes) = if meta.is_symlink() {
        (Mode::Link, fs::read_link(path).ok()?.into_os_string().as_bytes().to_vec())
    } else if meta.is_file() {
        let mode = if meta.permissions().mode() & 0o100 == 0 { Mode::File } else { Mode::Executable };
        (mode, fs::read(path).ok()?)
    } else {
        return None;
    };
    Some((mode, hash(&bytes).ok()?))
}

/// Fails unless what stands there is what the backup holds.
fn check(root: &Folder, step: &Step) -> Result<(), Error> {
    let now = match standing(root, step.path.as_ref(), u64::MAX)? {
        Some((mode, bytes)) => Some((mode, hash(&bytes)?)),
        None => None,
    };
    match now == step.standing {
        true => Ok(()),
        false => Err(unsaved(&step.path, "it changed after the backup")),
    }
}

pub(in crate::workspace) fn remove(root: &Folder, step: &Step) -> Result<(), Error> {
    if step.standing.is_none() {
        return Ok(());
    }
    let path = step.path.to_path_lossy().into_owned();
    let failed = |source| Error::io("remove", &path)(source);
    let (parent, name) = split(step.path.as_ref());
    let Way::Whole(folder) = root.below(parent).map_err(failed)? else { return Ok(()) };
    check(root, step)?;
    fs::remove_file(folder.at(name)).map_err(failed)?;
    folder.flush().map_err(failed)?;
    // Folders that are empty now are not git's; one that is not empty stays.
    let mut above = parent;
    while !above.is_empty() {
        let (next, name) = split(above);
        let Way::Whole(folder) = root.below(next).map_err(failed)? else { break };
        if fs::remove_dir(folder.at(name)).is_err() {
            break;
        }
        above = next;
    }
    Ok(())
}

pub(in crate::workspace) fn write(root: &Folder, step: &Step, mode: Mode, content: &[u8]) -> Result<(), Error> {
    let path = step.path.to_path_lossy().into_owned();
    let failed = |source| Error::io("write", &path)(source);
    let (parent, name) = split(step.path.as_ref());
    let folder = make_folders(root, parent).map_err(failed)?;
    let temporary = folder.at(format!("{HALF_WRITTEN}{}", std::process::id()).as_str().into());
    let _ = fs::remove_file(&temporary);
    if mode == Mode::Link {
        std::os::unix::fs::symlink(OsStr::from_bytes(content), &temporary).map_err(failed)?;
    } else {
        let bits = if mode == Mode::Executable { 0o777 } else { 0o666 };
        let file = OpenOptions::new().write(true).create_new(true).mode(bits).open(&temporary);
        let written = file.and_then(|mut file| {
            file.write_all(content)?;
            if let Some(meta) = folder.stat(name).ok().filter(fs::Metadata::is_file) {
                file.set_permissions(kept(&meta, mode))?;
            }
            file.sync_all()
        });
        written.map_err(failed)?;
    }
    let placed = check(root, step).and_then(|()| place(&temporary, &folder, name, step).map_err(failed));
    if placed.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    placed?;
    folder.flush().map_err(failed)
}

/// Who may read and write the file stays; git tells only whether it can be run.
fn kept(meta: &fs::Metadata, mode: Mode) -> fs::Permissions {
    let bits = meta.permissions().mode() & 0o777;
    let bits = if mode == Mode::Executable { bits | ((bits & 0o444) >> 2) } else { bits & !0o111 };
    fs::Permissions::from_mode(bits)
}

/// Where nothing stood, nothing is replaced: not even what came since the check.
fn place(temporary: &Path, folder: &Folder, name: &BStr, step: &Step) -> io::Result<()> {
    if step.standing.is_some() {
        return fs::rename(temporary, folder.at(name));
    }
    // An empty folder holds nothing to lose.
    let _ = fs::remove_dir(folder.at(name));
    fs::hard_link(temporary, folder.at(name))?;
    fs::remove_file(temporary)
}

/// Opens a folder below the root and makes what is missing of it, never through a link.
fn make_folders(root: &Folder, path: &BStr) -> io::Result<Folder> {
    let Way::Whole(mut folder) = root.below("".into())? else { return Err(io::ErrorKind::NotADirectory.into()) };
    for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        match fs::create_dir(folder.at(name.as_bstr())) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => folder = folder.child(name.as_bstr())?,
        }
    }
    Ok(folder)
}

pub(in crate::workspace) fn split(path: &BStr) -> (&BStr, &BStr) {
    path.rfind_byte(b'/').map_or((b"".as_bstr(), path), |at| (path[..at].as_bstr(), path[at + 1..].as_bstr()))
}

pub(in crate::workspace) fn hash(bytes: &[u8]) -> Result<ObjectId, Error> {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, bytes).map_err(|error| Error::git("hash a file", &error))
}

pub(in crate::workspace) fn unsaved(path: &[u8], detail: &str) -> Error {
    Error::Unsaved { path: path.as_bstr().to_path_lossy().into_owned(), detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_after_the_backup_is_neither_written_over_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let root = Folder::root(folder.path()).unwrap();
        let file = folder.path().join("d/f");
        fs::create_dir(folder.path().join("d")).unwrap();
        let step = |content: Option<&[u8]>| Step {
            path: "d/f".into(),
            to: None,
            standing: content.map(|content| (Mode::File, hash(content).unwrap())),
        };
        let check = |step: &Step, stands: &[u8]| {
            for outcome in [write(&root, step, Mode::File, b"restored"), remove(&root, step)] {
                assert!(matches!(outcome, Err(Error::Unsaved { .. }) | Ok(())), "{outcome:?}");
            }
            assert_eq!(fs::read(&file).unwrap(), stands);
            assert_eq!(fs::read_dir(folder.path().join("d")).unwrap().count(), 1, "no temporary file stays");
        };
        fs::write(&file, "later").unwrap();
        check(&step(Some(b"backed up")), b"later");
        check(&step(None), b"later");
        fs::remove_file(&file).unwrap();
        assert!(write(&root, &step(Some(b"backed up")), Mode::File, b"restored").is_err());
        std::os::unix::fs::symlink("elsewhere", &file).unwrap();
        assert!(write(&root, &step(Some(b"elsewhere")), Mode::File, b"restored").is_err(), "a link is no file");
        fs::remove_file(&file).unwrap();
        write(&root, &step(None), Mode::Executable, b"restored").unwrap();
        assert_eq!(standing(&root, "d/f".into(), 100).unwrap(), Some((Mode::Executable, b"restored".to_vec())));
    }
}
