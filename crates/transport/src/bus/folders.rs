//! The bus's folders: every file operation of the bus, and nothing else.
//!
//! Files are seen whole or not at all: what is written goes to a hidden name first, is flushed, and is
//! renamed; what is moved is renamed. Links are never followed: whatever is not a plain file or folder is
//! moved by its name and never opened.

use super::Error;
use super::file::{Content, Stamp, read, stamp, touched};
use super::name::harmless;
use super::spool::Refusal;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

/// The owner of what belongs to no agent.
pub(crate) const OFFICE: &str = orchestrator_protocol::ORCHESTRATOR;

static WRITES: AtomicU32 = AtomicU32::new(0);

/// One of the six folders that hold a folder for each agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Inbox,
    Processing,
    Archive,
    Outbox,
    Receipts,
    Failed,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Inbox, Self::Processing, Self::Archive, Self::Outbox, Self::Receipts, Self::Failed];
    /// Those that a message passes through, in the order in which it does: a scan in this order misses none
    /// that moves on meanwhile. A result is written before its message is archived.
    pub(crate) const WAY: [Self; 4] = [Self::Inbox, Self::Processing, Self::Archive, Self::Outbox];

    fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Processing => "processing",
            Self::Archive => "archive",
            Self::Outbox => "outbox",
            Self::Receipts => "receipts",
            Self::Failed => "failed",
        }
    }
}

/// Something in a folder.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) name: OsString,
    pub(crate) stamp: Stamp,
}

/// The folders. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    root: Arc<Path>,
    project: Arc<Path>,
    #[cfg(test)]
    pub(crate) fuse: super::crash_tests::Fuse,
}

impl Folders {
    pub(crate) fn new(root: &Path, project: &Path) -> Self {
        Self {
            root: root.into(),
            project: project.into(),
            #[cfg(test)]
            fuse: super::crash_tests::Fuse::default(),
        }
    }

    /// Makes the root and the six folders. Below the project every part must be a real folder: a link there
    /// may come from the repository's content.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        let below = self.root.strip_prefix(&self.project);
        let mut path = if below.is_ok() { self.project.to_path_buf() } else { self.root.to_path_buf() };
        if below.is_err() {
            fs::create_dir_all(&path).map_err(|source| self.error("make", &path, source))?;
        }
        for part in below.into_iter().flat_map(Path::components) {
            path.push(part);
            self.real_folder(&path)?;
        }
        Kind::ALL.iter().try_for_each(|kind| self.real_folder(&self.root.join(kind.name())))
    }

    /// Makes what is missing of these owners' folders, and flushes it.
    pub(crate) fn furnish<'a>(&self, owners: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let wanted = || Kind::ALL.into_iter();
        let lacks = |owner: &&str| wanted().any(|kind| !is_real_folder(&self.folder(kind, owner)));
        let lacking: Vec<&str> = owners.filter(lacks).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        lacking.iter().try_for_each(|owner| wanted().try_for_each(|kind| self.ensure(kind, owner)))?;
        wanted().try_for_each(|kind| self.sync(Some(&self.root.join(kind.name()))))
    }

    /// Who has an inbox, or has sent something, in the spelling of the folder.
    pub(crate) fn users(&self) -> Result<Vec<String>, Error> {
        let mut users = Vec::new();
        for kind in [Kind::Inbox, Kind::Receipts] {
            users.extend(self.owners(kind)?.0.into_iter().filter_map(|name| name.into_string().ok()));
        }
        Ok(users)
    }

    /// Makes the folder of an owner; moves away what stands in its place.
    pub(crate) fn ensure(&self, kind: Kind, owner: &str) -> Result<(), Error> {
        let path = self.folder(kind, owner);
        match self.real_folder(&path) {
            Err(Error::NotAFolder { .. }) if kind != Kind::Failed => {
                let refusal = Refusal::new("not_a_folder", "a folder belongs here", "the bus does not follow links");
                self.ensure(Kind::Failed, OFFICE)?;
                self.fail_path(&path, OFFICE, &refusal)?;
                self.real_folder(&path)
            }
            made => made,
        }
    }

    fn real_folder(&self, path: &Path) -> Result<(), Error> {
        match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => Ok(()),
            Ok(_) => Err(Error::NotAFolder { path: self.shown(path) }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.point("make").and_then(|()| fs::create_dir(path)).or_else(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(self.error("make", path, error)),
                })
            }
            Err(error) => Err(self.error("look at", path, error)),
        }
    }

    /// What a folder holds that is not hidden; nothing when it is no real folder.
    pub(crate) fn list(&self, kind: Kind, owner: impl AsRef<OsStr>) -> Result<Vec<Entry>, Error> {
        let path = self.root.join(kind.name()).join(owner.as_ref());
        let mut entries = Vec::new();
        for (name, found) in self.names(&path)? {
            if !super::name::is_ignored(&name) {
                entries.push(Entry { kind, name, stamp: stamp(&found) });
            }
        }
        entries.sort_by(|a, b| (a.stamp.modified, &a.name).cmp(&(b.stamp.modified, &b.name)));
        Ok(entries)
    }

    /// The owners that have a folder, and what else lies between them.
    pub(crate) fn owners(&self, kind: Kind) -> Result<(Vec<OsString>, Vec<OsString>), Error> {
        let mut found = self.names(&self.root.join(kind.name()))?;
        found.retain(|(name, _)| !super::name::is_ignored(name));
        let (folders, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, metadata)| metadata.is_dir());
        let names = |list: Vec<(OsString, fs::Metadata)>| list.into_iter().map(|(name, _)| name).collect();
        Ok((names(folders), names(others)))
    }

    fn names(&self, path: &Path) -> Result<Vec<(OsString, fs::Metadata)>, Error> {
        if !is_real_folder(path) {
            return Ok(Vec::new());
        }
        let listed = fs::read_dir(path).and_then(|entries| {
            // An entry that goes meanwhile is no error.
            let named = |entry: io::Result<fs::DirEntry>| entry.map(|e| Some((e.file_name(), e.metadata().ok()?)));
            entries.map(named).filter_map(Result::transpose).collect::<io::Result<Vec<_>>>()
        });
        listed.map_err(|source| self.error("list", path, source))
    }

    /// When an agent's folders last changed; `None` for one that is missing or no folder. Without an owner,
    /// the folders that hold theirs.
    pub(crate) fn modified(&self, owner: &str) -> Vec<Option<SystemTime>> {
        let one = |kind| {
            let found = fs::symlink_metadata(self.folder(kind, owner)).ok().filter(fs::Metadata::is_dir)?;
            found.modified().ok()
        };
        // A first receipt makes its sender a user of the bus.
        let kinds = if owner.is_empty() { Kind::ALL.iter() } else { Kind::WAY.iter() };
        kinds.copied().map(one).collect()
    }

    /// Reads a plain file of at most `limit` bytes. A FIFO is not waited for, a link not followed.
    pub(crate) fn read(&self, kind: Kind, owner: &str, name: &OsStr, limit: usize) -> Content {
        read(&self.folder(kind, owner).join(name), limit)
    }

    /// Writes a file whole: after this it is on stable storage under its name.
    pub(crate) fn write(&self, kind: Kind, owner: &str, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let folder = self.folder(kind, owner);
        let path = folder.join(name);
        let count = WRITES.fetch_add(1, Ordering::Relaxed);
        let temporary = folder.join(format!(".bus-{}-{count}.tmp", std::process::id()));
        let written = self.point("write").and_then(|()| {
            let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            file.write_all(bytes)?;
            self.point("flush")?;
            file.sync_all()?;
            self.point("rename")?;
            fs::rename(&temporary, &path)
        });
        if let Err(source) = written {
            // The first error is the one to report; what is left over is hidden and swept.
            let _ = fs::remove_file(&temporary);
            return Err(self.error("write", &path, source));
        }
        self.sync(Some(&folder))
    }

    /// Moves a file under its own name, or a numbered one where that is taken. `None` when it is gone.
    pub(crate) fn shift(
        &self,
        entry: &Entry,
        from: impl AsRef<OsStr>,
        kind: Kind,
        to: &str,
    ) -> Result<Option<OsString>, Error> {
        self.ensure(kind, to)?;
        let source = self.root.join(entry.kind.name()).join(from.as_ref()).join(&entry.name);
        let name = self.free(kind, to, &entry.name);
        Ok(self.rename(&source, &self.folder(kind, to).join(&name))?.then_some(name))
    }

    /// Moves what is refused to `failed/{owner}/`, with the reason beside it. The reason comes first, so that
    /// no refused file ever lies there without.
    pub(crate) fn fail(
        &self,
        entry: &Entry,
        from: impl AsRef<OsStr>,
        owner: &str,
        refusal: &Refusal,
    ) -> Result<(), Error> {
        let path = self.root.join(entry.kind.name()).join(from.as_ref()).join(&entry.name);
        self.fail_path(&path, owner, refusal)
    }

    /// Moves what lies between the owners' folders to `failed/orchestrator/`.
    pub(crate) fn fail_stray(&self, kind: Kind, name: &OsStr, refusal: &Refusal) -> Result<(), Error> {
        self.fail_path(&self.root.join(kind.name()).join(name), OFFICE, refusal)
    }

    fn fail_path(&self, path: &Path, owner: &str, refusal: &Refusal) -> Result<(), Error> {
        if fs::symlink_metadata(path).is_err() {
            return Ok(());
        }
        self.ensure(Kind::Failed, owner)?;
        let kept = harmless(path.file_name().unwrap_or_default());
        let name = self.free(Kind::Failed, owner, OsStr::new(&kept));
        let text = serde_json::to_vec_pretty(refusal).unwrap_or_default();
        self.write(Kind::Failed, owner, &format!("{}.reason.json", name.to_string_lossy()), &text)?;
        let failed = self.folder(Kind::Failed, owner);
        if !self.rename(path, &failed.join(&name))? {
            // Its owner took it back meanwhile.
            return self.delete(&failed.join(format!("{}.reason.json", name.to_string_lossy())));
        }
        tracing::warn!(path = ?self.shown(path), code = refusal.code, detail = refusal.detail, "a file was refused");
        Ok(())
    }

    /// Takes a dead message's file out of `failed/` again, with its reason. False when there is none.
    pub(crate) fn revive(&self, owner: &str, name: &str) -> Result<bool, Error> {
        let path = self.folder(Kind::Failed, owner).join(name);
        let reason = self.folder(Kind::Failed, owner).join(format!("{name}.reason.json"));
        let Content::Bytes(text) = read(&reason, 64 * 1024) else { return Ok(false) };
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap_or_default();
        if value["code"] != super::deliver::DEAD_LETTER {
            return Ok(false);
        }
        let revived = self.rename(&path, &self.folder(Kind::Inbox, owner).join(name))?;
        self.delete(&reason)?;
        Ok(revived)
    }

    /// Deletes a file; one that is gone is no error.
    pub(crate) fn remove(&self, entry: &Entry, owner: &str) -> Result<(), Error> {
        self.delete(&self.folder(entry.kind, owner).join(&entry.name))
    }

    fn delete(&self, path: &Path) -> Result<(), Error> {
        match self.point("delete").and_then(|()| fs::remove_file(path)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(self.error("delete", path, source)),
            _ => Ok(()),
        }
    }

    pub(crate) fn exists(&self, kind: Kind, owner: &str, name: &str) -> bool {
        fs::symlink_metadata(self.folder(kind, owner).join(name)).is_ok()
    }

    /// Deletes what an owner's folder holds that has not been touched since, and what a dead server left half
    /// written.
    pub(crate) fn sweep(&self, kind: Kind, owner: &OsStr, since: SystemTime) -> Result<u64, Error> {
        let folder = self.root.join(kind.name()).join(owner);
        let mut swept = 0;
        for (name, found) in self.names(&folder)? {
            let own = name.to_string_lossy().starts_with(".bus-");
            let old = !matches!(kind, Kind::Inbox | Kind::Processing | Kind::Outbox | Kind::Failed)
                && touched(&found).is_some_and(|touched| touched < since);
            if found.is_file() && (own || old) {
                self.delete(&folder.join(name))?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// A name that nothing has yet.
    fn free(&self, kind: Kind, owner: &str, wanted: &OsStr) -> OsString {
        let folder = self.folder(kind, owner);
        let is_free = |name: &OsStr| fs::symlink_metadata(folder.join(name)).is_err();
        let text = wanted.to_string_lossy();
        let (stem, extension) = text.rsplit_once('.').unwrap_or((&text, ""));
        let numbered = (2_u64..).map(|n| OsString::from(format!("{stem}.{n}.{extension}")));
        std::iter::once(wanted.to_owned()).chain(numbered).find(|name| is_free(name)).unwrap_or_default()
    }

    /// False when there is nothing to move.
    fn rename(&self, from: &Path, to: &Path) -> Result<bool, Error> {
        match self.point("rename").and_then(|()| fs::rename(from, to)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(from).is_err() => {
                return Ok(false);
            }
            Err(source) => return Err(self.error("move", from, source)),
        }
        self.sync(to.parent())?;
        self.sync(from.parent())?;
        Ok(true)
    }

    /// Flushes a folder's entries, where the system has such a thing.
    fn sync(&self, folder: Option<&Path>) -> Result<(), Error> {
        let Some(folder) = folder.filter(|_| cfg!(unix)) else { return Ok(()) };
        let synced = self.point("flush folder").and_then(|()| fs::File::open(folder)?.sync_all());
        synced.map_err(|source| self.error("flush", folder, source))
    }

    fn folder(&self, kind: Kind, owner: &str) -> PathBuf {
        self.root.join(kind.name()).join(owner)
    }

    fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).or_else(|_| path.strip_prefix(&self.project)).unwrap_or(path).to_owned()
    }

    fn error(&self, action: &'static str, path: &Path, source: io::Error) -> Error {
        Error::Io { action, path: self.shown(path), source }
    }

    /// Before every record, too.
    pub(crate) fn before_record(&self) -> Result<(), Error> {
        self.point("record").map_err(|source| self.error("record", &self.root, source))
    }

    /// Before every change on disk: where the tests let the server die.
    #[cfg_attr(not(test), expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "a seam of the tests"))]
    fn point(&self, _name: &'static str) -> io::Result<()> {
        #[cfg(test)]
        self.fuse.burn(_name)?;
        Ok(())
    }
}

/// Whether a folder stands there, and no link to one.
fn is_real_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_dir())
}
