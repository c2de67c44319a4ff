//! Taking over a repository's objects while its own git may be packing and pruning them.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// How often a list of packs is read again that changed while its packs were taken.
const TRIES: usize = 20;

/// Makes every object of one objects folder readable in another: hard links, or copies where there can be none.
///
/// Loose objects come before packs, and packs until their list stands still: git writes an object's new place before
/// it removes the old one.
pub(super) fn share(from: &Path, into: &Path) -> io::Result<()> {
    for folder in fs::read_dir(from)? {
        let folder = folder?.file_name();
        if folder.len() != 2 || !folder.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit) {
            continue;
        }
        fs::create_dir_all(into.join(&folder))?;
        let Some(objects) = found(fs::read_dir(from.join(&folder)))? else { continue };
        for object in objects {
            let name = object?.file_name();
            // What is being written has another name than an object.
            if name.len() == 38 {
                take(&from.join(&folder).join(&name), &into.join(&folder).join(&name))?;
            }
        }
    }
    let (from, into) = (from.join("pack"), into.join("pack"));
    for _ in 0..TRIES {
        let packs = packs(&from)?;
        for pack in &packs {
            for kind in ["pack", "rev", "idx"] {
                let name = PathBuf::from(pack).with_added_extension(kind);
                take(&from.join(&name), &into.join(&name))?;
            }
        }
        if self::packs(&from)? == packs {
            return Ok(());
        }
    }
    Err(io::Error::other("the project's packs keep changing; wait until its `git gc` is done"))
}

/// The names of whole packs, without ending.
fn packs(folder: &Path) -> io::Result<BTreeSet<OsString>> {
    let mut packs = BTreeSet::new();
    for entry in found(fs::read_dir(folder))?.into_iter().flatten() {
        let path = entry?.path();
        let kind = path.extension();
        if kind.is_some_and(|kind| kind == "promisor") {
            let error = "the project is a partial clone, and what it lacks would have to be fetched; make a worktree";
            return Err(io::Error::new(io::ErrorKind::Unsupported, error));
        }
        if kind.is_some_and(|kind| kind == "idx") && path.with_extension("pack").exists() {
            packs.extend(path.file_stem().map(ToOwned::to_owned));
        }
    }
    Ok(packs)
}

/// What is gone meanwhile is somewhere else, where it is found next.
fn take(from: &Path, to: &Path) -> io::Result<()> {
    let Some(meta) = found(from.symlink_metadata())? else { return Ok(()) };
    let linked = if meta.is_symlink() { Err(io::ErrorKind::Unsupported.into()) } else { fs::hard_link(from, to) };
    match linked {
        Ok(()) => Ok(()),
        Err(error) if matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => Ok(()),
        // Another file system, no links, or too many.
        Err(_) => found(fs::copy(from, to)).map(drop),
    }
}

fn found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}
