//! The bare repository's own files, each replaced whole, so that making and mending are the same.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::ffi::OsStrExt,
    path::Path,
};

const CONFIG: &[u8] =
    b"[core]\n\trepositoryformatversion = 0\n\tbare = true\n[gc]\n\tauto = 0\n[diff]\n\talgorithm = histogram\n";
/// Never born: the store has no branch.
const HEAD: &[u8] = b"ref: refs/heads/none\n";
/// From `<common>/orchestrator/work.git/objects`, so that the repository may be moved.
const USER_OBJECTS: &[u8] = b"../../../objects";

/// Makes what is missing and puts right what is not as it should be.
pub(crate) fn ensure(folder: &Path) -> io::Result<()> {
    for part in ["objects/info", "objects/pack"].iter().chain(&super::refs::GROUPS) {
        fs::create_dir_all(folder.join(part))?;
    }
    whole(&folder.join("config"), CONFIG)?;
    let alternates = folder.join("objects/info/alternates");
    let found = read(&alternates)?;
    if !found.split(|byte| *byte == b'\n').any(|line| line == USER_OBJECTS) {
        whole(&alternates, &[USER_OBJECTS, b"\n", &found].concat())?;
    }
    // Last: without it no program takes the folder for a repository.
    whole(&folder.join("HEAD"), HEAD)?;
    flush_names(folder)
}

/// Flushes the names of everything in the store, those of the folders above it, and the pins. What is flushed below a
/// folder whose own name is not goes with it; and a run that was killed right before it flushed a name left what is
/// taken for durable from now on.
fn flush_names(folder: &Path) -> io::Result<()> {
    let flush = |folder: &Path| File::open(folder)?.sync_all();
    let parts = ["objects/info", "objects/pack", "objects"].iter().chain(&super::refs::GROUPS).chain(&["refs"]);
    parts.map(|part| folder.join(part)).try_for_each(|folder| flush(&folder))?;
    folder.ancestors().take(3).try_for_each(flush)?;
    let pins = folder.ancestors().nth(2).map(|common| common.join(super::refs::PINS));
    match pins.filter(|pins| pins.exists()) {
        Some(pins) => pins.ancestors().take(3).try_for_each(flush),
        None => Ok(()),
    }
}

/// A repository in an empty folder that reads another one's objects and has no refs, index or attributes.
pub(crate) fn beside(folder: &Path, objects: &Path, shallow: &Path) -> io::Result<()> {
    for part in ["objects/info", "objects/pack", "refs"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::write(folder.join("config"), CONFIG)?;
    if shallow.exists() {
        fs::copy(shallow, folder.join("shallow"))?;
    }
    add_alternate(folder, objects)?;
    fs::write(folder.join("HEAD"), HEAD)
}

/// Adds one absolute objects folder; true when it was not there.
pub(crate) fn add_alternate(folder: &Path, objects: &Path) -> io::Result<bool> {
    let line = objects.as_os_str().as_bytes();
    // A comment or a quoted name cannot begin an absolute path, so only a line break needs refusing.
    if line.contains(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "its name holds a line break"));
    }
    let alternates = folder.join("objects/info/alternates");
    let mut found = read(&alternates)?;
    if found.split(|byte| *byte == b'\n').any(|known| known == line) {
        return Ok(false);
    }
    found.extend_from_slice(line);
    found.push(b'\n');
    whole(&alternates, &found)?;
    Ok(true)
}

/// Takes one objects folder off the list; true when it was there.
pub(crate) fn remove_alternate(folder: &Path, objects: &Path) -> io::Result<bool> {
    let alternates = folder.join("objects/info/alternates");
    let found = read(&alternates)?;
    let lines = found.split_inclusive(|byte| *byte == b'\n');
    let is_other = |line: &&[u8]| line.strip_suffix(b"\n").unwrap_or(line) != objects.as_os_str().as_bytes();
    let left: Vec<&[u8]> = lines.filter(is_other).collect();
    let left = left.concat();
    if left.len() == found.len() {
        return Ok(false);
    }
    whole(&alternates, &left).map(|()| true)
}

/// Replaces a file so that power loss leaves the old or the new one; does nothing when it is so already.
pub(crate) fn whole(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|found| found == content) {
        return Ok(());
    }
    let temporary = path.with_added_extension("lock");
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => found,
    }
}
