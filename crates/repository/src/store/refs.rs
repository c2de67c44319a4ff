//! Refs of the store, and pins in a user's repository.

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::Duration,
};

use gix::ObjectId;
use parking_lot::Mutex;

use super::{Store, create::whole};
use crate::{Error, landing::Lock};

/// Where refs of the store stand: work in progress, backups of what was written over, settled conflicts, what is to land
/// and what a branch was before.
pub(super) const GROUPS: [&str; 4] = ["refs/backup", "refs/landing", "refs/resolution", "refs/work"];
pub(super) const PINS: &str = "refs/orchestrator/base/";
const LOCK_TRIES: u32 = 100;
const LOCK_WAIT: Duration = Duration::from_millis(10);
const STALE_LOCK: Duration = Duration::from_secs(60);

impl Store {
    /// The name is checked, the commit durable, and nobody else writes.
    pub(super) fn write_ref(&self, name: &str, commit: ObjectId) -> Result<(), Error> {
        let path = self.inner.folder.join(name);
        whole(&path, format!("{commit}\n").as_bytes()).map_err(Error::io("write the ref", &path))
    }

    /// Refuses a name that stands with another commit than this, or with any. Nobody else writes meanwhile.
    pub(crate) fn refuse_taken(&self, name: &str, commit: Option<ObjectId>) -> Result<(), Error> {
        let path = self.inner.folder.join(name);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Ok(text) if commit.is_some() && ObjectId::from_hex(text.trim().as_bytes()).ok() == commit => Ok(()),
            Ok(_) => Err(Error::Taken { name: name.to_owned() }),
            Err(error) => Err(Error::io("read the ref", &path)(error)),
        }
    }

    /// Removes a ref of the store; true when it was there. What only it held goes with the next
    /// [`compact`](Self::compact).
    /// # Errors
    /// Another name, or the disk refuses.
    pub fn remove_ref(&self, name: &str) -> Result<bool, Error> {
        check(name)?;
        let _one = self.inner.writing.lock();
        let path = self.inner.folder.join(name);
        match fs::remove_file(&path).and_then(|()| flush_parent(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            done => done.map(|()| true).map_err(Error::io("remove the ref", &path)),
        }
    }

    /// Refs of the store whose names begin with `prefix` (`refs/backup/`), sorted by name.
    /// # Errors
    /// They cannot be read.
    pub fn refs(&self, prefix: &str) -> Result<Vec<(String, ObjectId)>, Error> {
        let read = |name: String| {
            let path = self.inner.folder.join(&name);
            let text = fs::read_to_string(&path).map_err(Error::io("read the ref", &path))?;
            let id = ObjectId::from_hex(text.trim().as_bytes())
                .map_err(|error| Error::git(format!("read the ref {name}"), &error))?;
            Ok((name, id))
        };
        self.ref_names(prefix)?.into_iter().map(read).collect()
    }

    /// The names of these alone, sorted.
    /// # Errors
    /// They cannot be read.
    pub fn ref_names(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for group in GROUPS {
            let folder = self.inner.folder.join(group);
            for entry in fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
                let short = entry.map_err(Error::io("read", &folder))?.file_name();
                let Some(short) = short.to_str().filter(|short| !short.ends_with(".lock")) else { continue };
                let name = format!("{group}/{short}");
                if name.starts_with(prefix) {
                    found.push(name);
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Holds a commit of the user's repository against its own garbage collection, as
    /// `refs/orchestrator/base/<name>`; an earlier pin of that name moves.
    /// # Errors
    /// The name is not one, the commit is not there, or the ref cannot be written.
    pub fn pin(&self, name: &str, commit: ObjectId) -> Result<(), Error> {
        pin(&self.inner.common, name, commit)
    }

    /// Pins what work on `head` can stand on when everything else of it is the store's own, by the name that `name` gives
    /// it: `head`, or where only a clone has that, what it shares with `tip`; nothing where it shares nothing.
    /// # Errors
    /// As [`pin`](Self::pin), or a commit cannot be read.
    pub fn pin_base(
        &self,
        head: Option<ObjectId>,
        tip: Option<ObjectId>,
        name: impl Fn(&ObjectId) -> String,
    ) -> Result<Option<ObjectId>, Error> {
        let Some(head) = head else { return Ok(None) };
        let pinned = |commit: ObjectId| self.pin(&name(&commit), commit).map(|()| Some(commit));
        match pinned(head) {
            Err(Error::Git { .. }) => match tip {
                Some(tip) => self.merge_base(head, tip)?.map_or(Ok(None), pinned),
                None => Ok(None),
            },
            done => done,
        }
    }

    /// Removes a pin; true when it was there.
    /// # Errors
    /// The name is not one, or the ref cannot be removed.
    pub fn unpin(&self, name: &str) -> Result<bool, Error> {
        unpin(&self.inner.common, name)
    }
}

/// Held while pins are written and removed: whoever removes the last takes their folder away, too. So a lock of ours that
/// another finds belongs to nobody who lives.
static PINNING: Mutex<()> = Mutex::new(());

/// Writes a pin into the repository at `common` and flushes it.
pub(crate) fn pin(common: &Path, name: &str, commit: ObjectId) -> Result<(), Error> {
    let _one = PINNING.lock();
    let full = pin_name(name)?;
    let failed = |error: &dyn std::fmt::Display| Error::git(format!("pin {commit} as {full}"), error);
    let repository = user_repository(common)?;
    repository.find_commit(commit).map_err(|error| failed(&error))?;
    let known = repository.try_find_reference(full.as_str()).map_err(|error| failed(&error))?;
    if known.is_some_and(|known| known.try_id().is_some_and(|known| known == commit)) {
        return Ok(());
    }
    let path = common.join(&full);
    make_pins_folder(common).map_err(Error::io("make the folder of the pin", &path))?;
    write_locked(&path, &format!("{commit}\n"), common)?;
    // The folders may be new, so each up to the repository is flushed.
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(common));
    for folder in folders {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("flush", folder))?;
    }
    Ok(())
}

/// Folder by folder, so that nothing of a repository that was removed this moment comes back.
fn make_pins_folder(common: &Path) -> io::Result<()> {
    let mut folder = common.join("refs");
    for part in ["orchestrator", "base"] {
        folder.push(part);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
    }
    Ok(())
}

/// Replaces a ref as git does, with its lock, so that a `git pack-refs` at the same moment does not take the
/// new value for the old one; but flushed, which neither git nor the library do by default.
fn write_locked(path: &Path, content: &str, common: &Path) -> Result<(), Error> {
    let failed = |source| Error::io("write the pin", path)(source);
    let mut tries = 0;
    let taken = loop {
        match Lock::take(path, common)? {
            Some(lock) => break lock,
            None if tries == LOCK_TRIES => return Err(failed(io::ErrorKind::AlreadyExists.into())),
            None => tries += 1,
        }
        // The names below are ours: who held the lock for so long has crashed.
        let lock = path.with_added_extension("lock");
        let age = lock.symlink_metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > STALE_LOCK) {
            fs::remove_file(&lock).map_err(failed)?;
        } else {
            std::thread::sleep(LOCK_WAIT);
        }
    };
    taken.replace(content.as_bytes()).map_err(failed)
}

/// Removes a pin, also one that `git pack-refs` moved.
pub(crate) fn unpin(common: &Path, name: &str) -> Result<bool, Error> {
    let _one = PINNING.lock();
    let full = pin_name(name)?;
    let failed = |error: &dyn std::fmt::Display| Error::git(format!("remove the pin {full}"), error);
    let repository = user_repository(common)?;
    let Some(found) = repository.try_find_reference(full.as_str()).map_err(|error| failed(&error))? else {
        return Ok(false);
    };
    found.delete().map_err(|error| failed(&error))?;
    Ok(true)
}

fn user_repository(common: &Path) -> Result<gix::Repository, Error> {
    let options = gix::open::Options::isolated().open_path_as_is(true).with(gix::sec::Trust::Full);
    let opened = options.open(common).map_err(|error| Error::git("open the repository", &error))?;
    Ok(opened.to_thread_local())
}

fn pin_name(name: &str) -> Result<String, Error> {
    match is_component(name) {
        true => Ok(format!("{PINS}{name}")),
        false => Err(Error::Ref { name: format!("{PINS}{name}") }),
    }
}

pub(super) fn check(name: &str) -> Result<(), Error> {
    let short = GROUPS.iter().find_map(|group| name.strip_prefix(group)?.strip_prefix('/'));
    match short.is_some_and(is_component) {
        true => Ok(()),
        false => Err(Error::Ref { name: name.to_owned() }),
    }
}

/// Numbers and plain names: nothing that a ref or a file name could take for something else.
fn is_component(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.len() <= 200 && name.bytes().all(plain)
}

fn flush_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
