//! Holding a running watcher.

use std::{
    fmt, fs, io,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::{
    mpsc::{self, Receiver},
    oneshot,
};

use crate::{
    Error, Known, Notice, Options, Stats, SyncPoint, batch,
    inbox::Inbox,
    name, scan,
    worker::{Shared, Worker},
};

/// A running watcher. Clones are cheap; it ends with [`Handle::stop`] or its last clone.
#[derive(Debug, Clone)]
pub struct Handle {
    owner: Arc<Owner>,
}

struct Owner {
    inbox: Arc<Inbox>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    /// The barrier: when it answers, every file change that was finished before the call has been put into
    /// the receiver. Files that are still being written are named in the answer instead.
    ///
    /// The receiver must be drained meanwhile: when it is full the watcher waits, and so does the barrier.
    /// # Errors
    /// [`Error::Halted`] while a lost root or a mass deletion withholds changes, [`Error::Stopped`] after the
    /// end, [`Error::Busy`] when too many wait.
    pub fn sync(&self) -> impl Future<Output = Result<SyncPoint, Error>> + Send + 'static {
        let (waiter, answer) = oneshot::channel();
        let queued = self.owner.inbox.barrier(waiter);
        async move {
            queued?;
            answer.await.unwrap_or(Err(Error::Stopped))
        }
    }

    /// Ends a mass deletion: the files are gone on purpose. Without one, nothing happens.
    pub fn confirm_deletions(&self) {
        self.owner.inbox.confirm();
    }

    /// Watches at most so many folders from now on, and compares the others that often. A budget that changes what
    /// is watched costs a stat walk; no change is missed by it.
    pub fn allot(&self, watches: usize, scan_interval: Duration) {
        self.owner.inbox.allot(watches, scan_interval);
    }

    /// Counts, a moment old at most.
    #[must_use]
    pub fn stats(&self) -> Stats {
        *self.owner.shared.stats.lock()
    }

    /// Whether changes of a file are told; `path` is relative to the root. Not of one that is ignored.
    #[must_use]
    pub fn knows(&self, path: &Path) -> bool {
        self.owner.shared.index.read().contains(path)
    }

    /// The paths of all known files, sorted, written as [`crate::Change::path`].
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let mut paths: Vec<_> = self.owner.shared.index.read().iter().map(|(path, _)| name::text(&path).0).collect();
        paths.sort_unstable();
        paths
    }

    /// All known files with what is known of them, sorted by path.
    #[must_use]
    pub fn entries(&self) -> Vec<Known> {
        let index = self.owner.shared.index.read();
        let known = index.iter().map(|(path, record)| {
            let (path, escaped) = name::text(&path);
            let hash = record.hash.map(batch::hex);
            Known { path, escaped, hash, size: record.stamp.size, entry: record.stamp.entry }
        });
        let mut known: Vec<_> = known.collect();
        known.sort_unstable_by(|left, right| left.path.cmp(&right.path));
        known
    }

    /// Ends the watcher and waits for its thread. Done by the last clone's drop as well.
    pub fn stop(&self) {
        self.owner.stop();
    }

    pub(crate) fn inbox(&self) -> &Inbox {
        &self.owner.inbox
    }
}

impl Owner {
    fn stop(&self) {
        self.inbox.stop();
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the watching thread panicked");
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Owner").field("stats", &*self.shared.stats.lock()).finish_non_exhaustive()
    }
}

/// What [`Options::build`] does.
pub(crate) fn start(mut options: Options) -> Result<(Handle, Receiver<Notice>), Error> {
    let cookies = |source| Error::CookieDir { path: options.cookie_dir.clone(), source };
    let root = options.root.canonicalize().map_err(|source| Error::Root { path: options.root.clone(), source })?;
    let cookie_dir = prepare(&options.cookie_dir).map_err(cookies)?;
    let identity = scan::identity(&root)
        .and_then(|found| found.ok_or_else(|| io::ErrorKind::NotADirectory.into()))
        .map_err(|source| Error::Root { path: options.root.clone(), source })?;
    (options.root, options.cookie_dir) = (root, cookie_dir);

    let (sender, receiver) = mpsc::channel(options.queue.max(1));
    let inbox = Arc::new(Inbox::default());
    let shared = Arc::new(Shared::default());
    let worker = Worker::new(&options, identity, Arc::clone(&inbox), Arc::clone(&shared), sender);
    let thread = thread::Builder::new().name("watch".to_owned()).spawn(move || worker.run()).map_err(Error::Thread)?;
    let owner = Owner { inbox, shared, thread: Mutex::new(Some(thread)) };
    Ok((Handle { owner: Arc::new(owner) }, receiver))
}

/// Makes the cookie folder and removes what an earlier run left in it.
fn prepare(folder: &Path) -> io::Result<std::path::PathBuf> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(b"cookie-") {
            fs::remove_file(entry.path())?;
        }
    }
    folder.canonicalize()
}
