//! Puts a kept state back into a worktree, after what stands there was backed up.
//!
//! Order: look at everything; back up what is to be written over, byte for byte; make it durable; only then
//! change files, each looked at once more right before. A crash leaves some files new and some old, and the
//! backup whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{OpenOptionsExt, PermissionsExt},
    },
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    objs::Kind,
};

use super::{
    State, Workspace,
    beneath::{Folder, Way, is_no_folder},
    content::{self, Content},
    is_rule_file,
    rules::Rules,
};
use crate::{
    Error,
    snapshot::{Author, Delta, Entry, Mode, Opaque},
    store::objects::Objects,
    tree::Stage,
};

/// A line of a backup's message: this path's bytes are as they were on disk, not as git would store them.
const RAW: &str = "Orchestrator-Raw: ";

/// What to put back.
#[derive(Debug, Clone)]
pub struct Restore {
    /// A snapshot's commit, or any other.
    pub commit: ObjectId,
    /// Files and folders to put back; nothing for all.
    pub paths: Option<Vec<BString>>,
    /// The backup becomes `refs/backup/<backup>`, and its base is pinned as `backup-<backup>`.
    pub backup: String,
    /// Who the backup is by.
    pub author: Author,
    /// The backup's message.
    pub message: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What stood there before: a durable commit, named by its ref.
    pub backup: ObjectId,
    /// Paths that were written.
    pub written: Vec<BString>,
    /// Paths that were removed.
    pub removed: Vec<BString>,
    /// Submodules that differ: they are left alone.
    pub skipped: Vec<BString>,
}

/// What stands at a path: what it is and the hash of its raw bytes.
type Standing = Option<(Mode, ObjectId)>;

struct Step {
    path: BString,
    to: Option<Stage>,
    standing: Standing,
}

impl Workspace {
    /// Makes the files equal to those of a commit, where they differ. Ignored files stay.
    ///
    /// The index is not touched, so `git status` shows what was put back as edits.
    /// # Errors
    /// git is busy there; something would be lost that the backup cannot hold (a file that is too large, or
    /// ignored, or changing); the disk refuses. Then the files not yet written stand as they were.
    pub fn restore(&mut self, wanted: &Restore) -> Result<Restored, Error> {
        if self.rescan()?.state != State::Ready {
            return Err(Error::Busy { path: self.root.clone() });
        }
        let objects = self.store.objects();
        let snapshot = self.snapshot();
        let (now, target) = (snapshot.tree()?, objects.tree_of(&wanted.commit)?);
        let mut skipped = Vec::new();
        let mut steps = Vec::new();
        let unheld = self.delta.iter().filter(|(_, delta)| is_large(delta)).map(|(path, _)| path.clone());
        let differing = self.store.diff(now, target, false)?.into_iter().map(|change| change.path);
        let differing: BTreeSet<BString> = differing.chain(unheld).filter(|path| is_wanted(wanted, path)).collect();
        let root = Folder::root(&self.root).map_err(Error::io("open", &self.root))?;
        for path in differing {
            let (from, to) = (self.store.entry(now, path.as_ref())?, self.store.entry(target, path.as_ref())?);
            if [from, to].iter().flatten().any(|(mode, _)| *mode == Mode::Submodule) {
                skipped.push(path);
                continue;
            }
            if self.delta.get(&path).is_some_and(is_large) {
                return Err(unsaved(&path, "it is larger than the limit"));
            }
            steps.push(Step { standing: None, path, to });
        }
        let backup = self.back_up(wanted, now, &objects, &root, &mut steps)?;
        let raw = raw_paths(&objects, wanted.commit)?;
        // Rule files first, for the others are written as they say.
        steps.sort_by_key(|step| (!is_rule_file(step.path.as_ref()), step.path.clone()));
        let (gone, new): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.to.is_none());
        let mut restored = Restored { backup, written: Vec::new(), removed: Vec::new(), skipped };
        for step in gone.into_iter().rev() {
            remove(&root, &step)?;
            restored.removed.push(step.path);
        }
        let local = self.repository.to_thread_local();
        let mut rules = None;
        for step in new {
            if rules.is_none() || is_rule_file(step.path.as_ref()) {
                rules = Some(Rules::new(&local, &self.index.rules)?);
            }
            let Some((mode, oid)) = step.to else { continue };
            let stored = objects.read_as(&oid, Kind::Blob)?;
            let content = match &mut rules {
                Some(rules) if mode != Mode::Link && !raw.contains(&step.path) => {
                    rules.checked_out(step.path.as_ref(), &stored, &objects)?
                }
                _ => stored,
            };
            write(&root, &step, mode, &content)?;
            restored.written.push(step.path);
        }
        let touched: Vec<_> = restored.written.iter().chain(&restored.removed).cloned().collect();
        self.refresh(&touched)?;
        Ok(restored)
    }

    /// A durable commit that holds every byte the steps would write over; notes in each step what stands.
    fn back_up(
        &self,
        wanted: &Restore,
        now: ObjectId,
        objects: &Objects,
        root: &Folder,
        steps: &mut [Step],
    ) -> Result<ObjectId, Error> {
        let local = self.repository.to_thread_local();
        let mut rules = Rules::new(&local, &self.index.rules)?;
        let mut raw = BTreeMap::new();
        let mut message = wanted.message.trim_end().to_owned();
        message.push('\n');
        for step in steps {
            let Some((mode, bytes)) = standing(root, step.path.as_ref(), self.limits.max_file)? else { continue };
            let oid = hash(&bytes)?;
            step.standing = Some((mode, oid));
            let held = match self.store.entry(now, step.path.as_ref())? {
                // Nothing of it is in the snapshot: it is ignored.
                None => return Err(unsaved(&step.path, "it is ignored by git")),
                Some((_, stored)) if stored == oid && mode == Mode::Link => true,
                Some((_, stored)) => {
                    let stored = objects.read_as(&stored, Kind::Blob)?;
                    rules.checked_out(step.path.as_ref(), &stored, objects)? == bytes
                }
            };
            if !held {
                objects.put(Kind::Blob, &bytes)?;
                raw.insert(step.path.clone(), Delta::Entry(Entry { mode, oid, opaque: None }));
                message.push_str(&format!("\n{RAW}{}", escape(step.path.as_ref())));
            }
        }
        let tree = self.store.tree_with(now, &raw)?;
        let commit = self.store.commit(tree, self.head.as_slice(), &wanted.author, &message)?;
        self.pin(&format!("backup-{}", wanted.backup))?;
        self.store.make_durable(&[commit])?;
        self.store.set_ref(&format!("refs/backup/{}", wanted.backup), commit)?;
        Ok(commit)
    }
}

/// Reads what stands at a path; nothing when nothing does.
fn standing(root: &Folder, path: &BStr, max: u64) -> Result<Option<(Mode, Vec<u8>)>, Error> {
    let (parent, name) = split(path);
    let failed = |source| Error::io("read", std::path::Path::new(std::ffi::OsStr::from_bytes(path)))(source);
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

fn remove(root: &Folder, step: &Step) -> Result<(), Error> {
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

fn write(root: &Folder, step: &Step, mode: Mode, content: &[u8]) -> Result<(), Error> {
    let path = step.path.to_path_lossy().into_owned();
    let failed = |source| Error::io("write", &path)(source);
    let (parent, name) = split(step.path.as_ref());
    let folder = make_folders(root, parent).map_err(failed)?;
    let temporary = folder.at(format!(".orchestrator-restore-{}", std::process::id()).as_str().into());
    let _ = fs::remove_file(&temporary);
    if mode == Mode::Link {
        std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(content), &temporary).map_err(failed)?;
    } else {
        let bits = if mode == Mode::Executable { 0o777 } else { 0o666 };
        let file = OpenOptions::new().write(true).create_new(true).mode(bits).open(&temporary);
        let written = file.and_then(|mut file| {
            file.write_all(content)?;
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

/// Where nothing stood, nothing is replaced: not even what came since the check.
fn place(temporary: &std::path::Path, folder: &Folder, name: &BStr, step: &Step) -> io::Result<()> {
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

/// Paths of a backup whose bytes are written as they are.
fn raw_paths(objects: &Objects, commit: ObjectId) -> Result<BTreeSet<BString>, Error> {
    let data = objects.read_as(&commit, Kind::Commit)?;
    let message = data.find(b"\n\n").map_or(&[][..], |at| &data[at + 2..]);
    Ok(message.lines().filter_map(|line| line.strip_prefix(RAW.as_bytes())).map(unescape).collect())
}

/// Printable text of one line.
fn escape(path: &BStr) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
    path.iter().map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

fn unescape(text: &[u8]) -> BString {
    let mut path = BString::default();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code.to_str().ok()?, 16).ok());
        match code {
            Some(byte) if *first == b'%' => {
                path.push(byte);
                rest = &after[2..];
            }
            _ => {
                path.push(*first);
                rest = after;
            }
        }
    }
    path
}

fn is_wanted(wanted: &Restore, path: &BString) -> bool {
    wanted.paths.as_ref().is_none_or(|paths| {
        paths.iter().any(|wanted| {
            let rest = path.strip_prefix(wanted.trim_end_with(|last| last == '/'));
            rest.is_some_and(|rest| rest.is_empty() || wanted.is_empty() || rest[0] == b'/')
        })
    })
}

fn is_large(delta: &Delta) -> bool {
    matches!(delta, Delta::Entry(Entry { opaque: Some(Opaque::Large), .. }))
}

fn split(path: &BStr) -> (&BStr, &BStr) {
    path.rfind_byte(b'/').map_or((b"".as_bstr(), path), |at| (path[..at].as_bstr(), path[at + 1..].as_bstr()))
}

fn hash(bytes: &[u8]) -> Result<ObjectId, Error> {
    gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, bytes).map_err(|error| Error::git("hash a file", &error))
}

fn unsaved(path: &[u8], detail: &str) -> Error {
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

    #[test]
    fn every_path_is_one_line_and_comes_back() {
        for path in [&b"a/b c"[..], b"%41", b"x\ny", b"\xff\0", "\u{e4}".as_bytes()] {
            let text = escape(path.as_bstr());
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            assert_eq!(unescape(text.as_bytes()), path);
        }
    }
}
