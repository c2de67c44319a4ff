//! Moves a branch of the user's repository: objects first, then the ref, compared and flushed.

mod lock;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use gix::ObjectId;

pub(crate) use self::lock::Lock;
use crate::{
    Error, Project, Store,
    store::{Walk, write_pack},
    worktree::branch_name,
};

/// What came of moving a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It stands where it should, on stable storage.
    Done,
    /// It stood elsewhere, so it was left alone; nothing where it does not exist.
    Elsewhere(Option<ObjectId>),
    /// Somebody else is writing it.
    Locked,
}

impl Store {
    /// Puts a commit, with all content that its parents do not have at the same place, into the user's repository: one
    /// pack, on stable storage. Its parents must be there.
    /// # Errors
    /// Something is missing, or the disk refuses; nothing is visible then.
    pub fn publish(&self, commit: ObjectId) -> Result<(), Error> {
        let objects = self.objects();
        // What the repository has and no ref holds may be collected at any moment, so nothing is left out for that.
        let nothing = |_: &gix::oid| false;
        let mut walk = Walk::new(&objects, &nothing);
        walk.add(commit)?;
        let folder = self.git_common_dir().join("objects").join("pack");
        fs::create_dir_all(&folder).map_err(Error::io("make", &folder))?;
        write_pack(&folder, &objects, &walk.found).map(drop)
    }

    /// Whether the user's repository itself holds an object.
    /// # Errors
    /// The repository cannot be opened.
    pub fn is_published(&self, id: ObjectId) -> Result<bool, Error> {
        let options = gix::open::Options::isolated().open_path_as_is(true).with(gix::sec::Trust::Full);
        let opened = options.open(self.git_common_dir());
        let opened = opened.map_err(|error| Error::git("open the repository", &error))?.to_thread_local();
        Ok(opened.has_object(id))
    }
}

impl Project {
    /// Clears the locks that a crash of ours left on branches, pins and indexes, so that no git waits for them, and what
    /// was not put into its place. For a process that has just become the only one of ours that works on the repository.
    /// # Errors
    /// The disk refuses.
    pub fn clear_locks(&self) -> Result<(), Error> {
        let Some(common) = self.git_common_dir() else { return Ok(()) };
        let clear = || -> io::Result<()> {
            lock::clear_below(&common.join("refs"))?;
            lock::clear(&common.join("index.lock"))?;
            for linked in lock::listed(&common.join("worktrees"))? {
                lock::clear(&linked.path().join("index.lock"))?;
            }
            lock::clear_scratch(common)
        };
        clear().map_err(Error::io("clear old locks", common))
    }

    /// Points a branch to `to` if it stands at `from` (nothing: if it does not exist), and flushes it. A lock that a
    /// crash of ours left is cleared, nobody else's is.
    /// # Errors
    /// The name is none, the branch is a symbolic ref, or the disk refuses.
    pub fn move_branch(
        &self,
        branch: &str,
        from: Option<ObjectId>,
        to: ObjectId,
        message: &str,
    ) -> Result<Moved, Error> {
        let failed = |error: &dyn std::fmt::Display| Error::git(format!("move the branch {branch:?}"), error);
        let Some(name) = branch_name(branch) else { return Err(failed(&"it is no name for a branch")) };
        let Some(common) = self.git_common_dir() else {
            return Err(Error::NotGit { path: self.root().to_owned() });
        };
        let path = common.join(name.as_bstr().to_string());
        let folder = path.parent().unwrap_or(common);
        fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
        let Some(lock) = Lock::take(&path, common)? else { return Ok(Moved::Locked) };
        let repository = self.writable(|error| failed(error))?;
        let known = repository.try_find_reference(name.as_ref()).map_err(|error| failed(&error))?;
        let stands = match &known {
            None => None,
            Some(known) => match known.try_id() {
                Some(id) => Some(id.detach()),
                None => return Err(failed(&"it is a symbolic ref")),
            },
        };
        if stands == Some(to) {
            return flush(&path, folder, common).map(|()| Moved::Done);
        }
        if stands != from {
            return Ok(Moved::Elsewhere(stands));
        }
        lock.replace(format!("{to}\n").as_bytes()).map_err(Error::io("write the branch", &path))?;
        flush(&path, folder, common)?;
        let entry = Entry { from, to, message };
        for log in logs(&repository, common, name.as_bstr().to_string().as_str()) {
            // The branch has moved, whether or not its log for people can be written.
            let _ = entry.append(&log);
        }
        Ok(Moved::Done)
    }
}

/// A packed ref has no file of its own.
fn flush(path: &Path, folder: &Path, common: &Path) -> Result<(), Error> {
    match File::open(path).and_then(|file| file.sync_all()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("flush the branch", path)(error));
        }
        _ => {}
    }
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(common));
    for folder in folders {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("flush", folder))?;
    }
    Ok(())
}

/// One line of a ref's log.
struct Entry<'a> {
    from: Option<ObjectId>,
    to: ObjectId,
    message: &'a str,
}

impl Entry<'_> {
    fn append(&self, log: &Path) -> io::Result<()> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let from = self.from.unwrap_or_else(|| ObjectId::null(self.to.kind()));
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
        let message = self.message.replace(['\n', '\r', '\0'], " ");
        let line = format!("{from} {} orchestrator <orchestrator@localhost> {since} +0000\t{message}\n", self.to);
        OpenOptions::new().append(true).create(true).open(log)?.write_all(line.as_bytes())
    }
}

/// Where git would note that a branch moved.
fn logs(repository: &gix::Repository, common: &Path, name: &str) -> Vec<std::path::PathBuf> {
    let own = common.join("logs").join(name);
    if own.exists() || common.join("logs").is_dir() || !repository.is_bare() { vec![own] } else { Vec::new() }
}
