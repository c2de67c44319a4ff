//! `work.git`: a bare repository of our own, on top of the user's objects, for work that nobody committed.
//!
//! Writing is in memory until [`Store::make_durable`]; then it is one pack. The user's repository gets
//! nothing but pins, so that its own garbage collection leaves alone what our commits stand on.

pub(crate) mod create;
mod durable;
pub(crate) mod memory;
pub(crate) mod objects;
mod pack;
mod refs;
mod transfer;

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use gix::{ObjectId, objs::Kind, odb::pack::index};
use parking_lot::{Mutex, RwLock};

pub(crate) use self::durable::Walk;
pub use self::memory::Mark;
pub(crate) use self::refs::{pin, unpin};
use self::{memory::Memory, objects::Objects};
use crate::{Error, MOST_PACKS, Project};

/// Spilled contents that are remembered. Beyond it nobody but a new process compacts.
const MAX_SPILLED: usize = 1_000_000;

/// Objects of unfinished work. Cheap to clone; clones share memory and packs.
///
/// One process writes a store: another that has it open reads what it found when it opened it, and what is
/// added, but not what [`compact`](Self::compact) removes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    /// The bare repository.
    folder: PathBuf,
    /// The folder that the user's worktrees share.
    common: PathBuf,
    repository: gix::ThreadSafeRepository,
    memory: Arc<Memory>,
    /// Indices of our own packs, without those of the alternates.
    packs: RwLock<Vec<index::File>>,
    /// One writer at a time.
    writing: Mutex<()>,
    /// Contents that are on the disk because memory was full: a snapshot may need them, and no ref holds them.
    spilled: Mutex<HashSet<ObjectId>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens `<git-common-dir>/orchestrator/work.git`; makes it, and mends one that a crash left half-made.
    /// # Errors
    /// The project is outside git, or the folder cannot be written or read.
    pub fn open(project: &Project) -> Result<Self, Error> {
        let Some(common) = project.git_common_dir() else {
            return Err(Error::NotGit { path: project.root().to_owned() });
        };
        let folder = common.join("orchestrator").join("work.git");
        create::ensure(&folder).map_err(Error::io("make the store", &folder))?;
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            .with(gix::sec::Trust::Full)
            .object_store_slots(gix::odb::store::init::Slots::Given(MOST_PACKS));
        let repository = options.open(&folder).map_err(|error| Error::git("open the store", &error))?;
        let inner = Inner {
            packs: RwLock::new(own_packs(&folder)?),
            common: common.to_owned(),
            folder,
            repository,
            memory: Arc::default(),
            writing: Mutex::new(()),
            spilled: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The bare repository's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// The folder that the worktrees of the user's repository share.
    #[must_use]
    pub fn git_common_dir(&self) -> &Path {
        &self.inner.common
    }

    /// Lets the store read another objects folder too, that of a clone; true when it did not before.
    /// # Errors
    /// The folder does not exist, its name holds a line break, or the list cannot be written.
    pub fn add_alternate(&self, objects: &Path) -> Result<bool, Error> {
        let objects = objects.canonicalize().map_err(Error::io("find the objects folder", objects))?;
        let _one = self.inner.writing.lock();
        create::add_alternate(&self.inner.folder, &objects).map_err(Error::io("add an alternate for", &objects))
    }

    /// Lets the store read an objects folder no longer, by its canonical name; true when it did.
    /// # Errors
    /// The list cannot be read or written.
    pub fn remove_alternate(&self, objects: &Path) -> Result<bool, Error> {
        let _one = self.inner.writing.lock();
        create::remove_alternate(&self.inner.folder, objects).map_err(Error::io("remove an alternate for", objects))
    }

    /// The content of a blob.
    /// # Errors
    /// It is nowhere, or not a blob.
    pub fn blob(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        self.objects().read_as(&id, Kind::Blob)
    }

    /// The length of a blob in bytes, without reading it.
    /// # Errors
    /// It is nowhere.
    pub fn blob_size(&self, id: ObjectId) -> Result<u64, Error> {
        let found = gix::objs::FindHeader::try_header(&self.objects(), &id);
        let header = found.map_err(|error| Error::git(format!("read the object {id}"), &error))?;
        header.map(|header| header.size).ok_or(Error::Missing { id })
    }

    /// Keeps a blob in memory and returns its id.
    /// # Errors
    /// Hashing refused the content, which happens for forged SHA-1 collisions only.
    pub fn write_blob(&self, content: &[u8]) -> Result<ObjectId, Error> {
        self.objects().put(Kind::Blob, content)
    }

    /// Bytes of content that are in memory only.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.inner.memory.bytes()
    }

    /// Writes everything below `ids` that the store does not hold into one pack, flushes it, and drops it from
    /// memory. When this returns, power loss takes none of it.
    ///
    /// Of a commit, all content is written that its parents do not have at the same place; parents that are not
    /// ours must be pinned by the caller. Of a tree only what is in memory is written.
    /// # Errors
    /// Something is missing or the disk refuses; then nothing is dropped from memory.
    pub fn make_durable(&self, ids: &[ObjectId]) -> Result<(), Error> {
        let _one = self.inner.writing.lock();
        self.write_durable(ids)
    }

    /// Makes commits durable, all in one pack, and then points a ref of the store to each: `refs/work/<name>`,
    /// `refs/backup/<name>` or `refs/resolution/<name>`. Nothing that [`compact`](Self::compact) does comes in between,
    /// and when it returns, power loss takes none of it.
    /// # Errors
    /// Another name, [`Error::Taken`], or as [`make_durable`](Self::make_durable). Then nothing is dropped from memory
    /// that was not written, and some of the refs may be set; none when a name is taken.
    pub fn keep(&self, commits: &[(String, ObjectId)]) -> Result<(), Error> {
        for (name, _) in commits {
            refs::check(name)?;
        }
        let _one = self.inner.writing.lock();
        let mut named = HashMap::new();
        for (name, commit) in commits {
            self.refuse_taken(name, Some(*commit))?;
            if named.insert(name, commit).is_some_and(|other| other != commit) {
                return Err(Error::Taken { name: name.clone() });
            }
        }
        let ids: Vec<ObjectId> = commits.iter().map(|(_, commit)| *commit).collect();
        self.write_durable(&ids)?;
        commits.iter().try_for_each(|(name, commit)| self.write_ref(name, *commit))
    }

    /// As [`keep`](Self::keep), of one commit with these of its ancestors, which a clone may hold and the user's
    /// repository does not. Whatever else it stands on must be pinned by the caller.
    /// # Errors
    /// As [`keep`](Self::keep).
    pub fn keep_history(&self, name: &str, commit: ObjectId, history: Vec<ObjectId>) -> Result<(), Error> {
        refs::check(name)?;
        let _one = self.inner.writing.lock();
        self.refuse_taken(name, Some(commit))?;
        self.write_history(&[commit], history.into_iter().collect())?;
        self.write_ref(name, commit)
    }

    fn write_durable(&self, ids: &[ObjectId]) -> Result<(), Error> {
        self.write_history(ids, HashSet::new())
    }

    fn write_history(&self, ids: &[ObjectId], history: HashSet<ObjectId>) -> Result<(), Error> {
        let objects = self.objects();
        let durable = |id: &gix::oid| self.is_durable(id);
        let mut walk = Walk::new(&objects, &durable);
        walk.history = history;
        for id in ids {
            walk.add(*id)?;
        }
        let found = walk.found;
        self.write_pack(&objects, &found)?;
        self.inner.memory.forget(&found);
        Ok(())
    }

    /// Writes what the refs of the store need into one pack and removes the others. `live` is what is in use
    /// without a ref: the trees of current snapshots, commits whose ref is about to be set. What went to the disk
    /// because memory was full stays.
    /// # Errors
    /// Something is missing or the disk refuses; then the old packs stay.
    pub fn compact(&self, live: impl IntoIterator<Item = ObjectId>) -> Result<(), Error> {
        let _one = self.inner.writing.lock();
        if self.has_spilled() {
            return Ok(());
        }
        let folder = self.inner.folder.join("objects").join("pack");
        let old: Vec<PathBuf> = self.inner.packs.read().iter().map(|pack| pack.path().to_owned()).collect();
        let objects = self.objects();
        let durable = |id: &gix::oid| self.is_durable(id);
        let mut walk = Walk::new(&objects, &durable);
        let spilled: Vec<ObjectId> = self.inner.spilled.lock().iter().copied().collect();
        for id in self.refs("refs/")?.into_iter().map(|(_, id)| id).chain(live).chain(spilled) {
            walk.add_all(id)?;
        }
        let found = walk.found;
        let kept = self.write_pack(&objects, &found)?;
        self.inner.packs.write().retain(|pack| Some(pack.path()) == kept.as_deref());
        for index in old.iter().filter(|index| Some(*index) != kept.as_ref()) {
            // The index first: readers find a pack through it.
            for file in [index.clone(), index.with_extension("pack")] {
                fs::remove_file(&file).map_err(Error::io("remove the old pack", &file))?;
            }
        }
        fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(Error::io("flush", &folder))
    }

    /// How many packs the store has; [`compact`](Self::compact) makes it one.
    #[must_use]
    pub fn packs(&self) -> usize {
        self.inner.packs.read().len()
    }

    /// A point in time for [`sweep`](Self::sweep): take it before gathering what is live. Waits for workspaces
    /// that are looking at their disks.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.inner.memory.mark()
    }

    /// Drops from memory what was written before `mark` and is not below any of `live` (trees, commits, blobs);
    /// returns how many objects.
    /// # Errors
    /// A live tree cannot be read; then nothing is dropped.
    pub fn sweep(&self, mark: Mark, live: impl IntoIterator<Item = ObjectId>) -> Result<usize, Error> {
        let objects = self.objects();
        let mut keep = HashSet::new();
        for id in live {
            let nothing = |_: &gix::oid| false;
            let mut walk = Walk::new(&objects, &nothing);
            if self.inner.memory.contains(&id) {
                walk.add(id)?;
            }
            keep.extend(walk.found);
        }
        Ok(self.inner.memory.sweep(mark, &keep))
    }

    /// True when a pack of the store itself holds the object.
    #[must_use]
    pub fn is_durable(&self, id: &gix::oid) -> bool {
        self.inner.packs.read().iter().any(|pack| pack.lookup(id).is_some())
    }

    /// Whether more contents went to the disk because memory was full than are remembered: then
    /// [`compact`](Self::compact) does nothing until a new process opens the store.
    #[must_use]
    pub fn has_spilled(&self) -> bool {
        self.inner.spilled.lock().len() > MAX_SPILLED
    }

    /// Moves all contents from memory to the disk.
    pub(crate) fn spill(&self) -> Result<(), Error> {
        let _one = self.inner.writing.lock();
        let blobs = self.inner.memory.blobs();
        {
            let mut spilled = self.inner.spilled.lock();
            let room = (MAX_SPILLED + 1).saturating_sub(spilled.len());
            spilled.extend(blobs.iter().take(room));
        }
        self.write_durable(&blobs)?;
        // Also those that were on the disk before, or memory would stay full.
        self.inner.memory.forget(&blobs);
        Ok(())
    }

    /// One thread's view of all objects.
    pub(crate) fn objects(&self) -> Objects {
        Objects { odb: self.repository().objects, memory: Arc::clone(&self.inner.memory) }
    }

    pub(crate) fn repository(&self) -> gix::Repository {
        self.inner.repository.to_thread_local()
    }

    fn write_pack(&self, objects: &Objects, ids: &[ObjectId]) -> Result<Option<PathBuf>, Error> {
        if ids.is_empty() {
            return Ok(None);
        }
        let path = write_pack(&self.inner.folder.join("objects").join("pack"), objects, ids)?;
        let index = open_index(&path)?;
        let mut packs = self.inner.packs.write();
        // The same content is the same pack.
        packs.retain(|pack| pack.path() != path);
        packs.push(index);
        Ok(Some(path))
    }
}

/// Writes these objects into one pack in a folder, flushed; answers with its index.
pub(crate) fn write_pack(folder: &Path, objects: &Objects, ids: &[ObjectId]) -> Result<PathBuf, Error> {
    let count = u32::try_from(ids.len()).map_err(|error| Error::git("write a pack", &error))?;
    let content = ids.iter().map(|id| objects.read(id).map(|(kind, data)| (*id, kind, data)).map_err(Failed::Read));
    pack::write(folder, count, content).map_err(|failed| match failed {
        Failed::Read(error) => error,
        Failed::Write(error) => Error::io("write a pack in", folder)(error),
    })
}

enum Failed {
    Read(Error),
    Write(std::io::Error),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self::Write(error)
    }
}

fn own_packs(folder: &Path) -> Result<Vec<index::File>, Error> {
    let packs = folder.join("objects").join("pack");
    pack::repair(&packs).map_err(Error::io("mend the packs in", &packs))?;
    let mut found = Vec::new();
    for entry in fs::read_dir(&packs).map_err(Error::io("read", &packs))? {
        let path = entry.map_err(Error::io("read", &packs))?.path();
        if path.extension().is_some_and(|kind| kind == "idx") {
            found.push(open_index(&path)?);
        }
    }
    Ok(found)
}

fn open_index(path: &Path) -> Result<index::File, Error> {
    index::File::at(path, gix::hash::Kind::Sha1)
        .map_err(|error| Error::git(format!("open the pack index {}", path.display()), &error))
}
