//! The folders that are watched or scanned, and the only use of the system's watcher.
//!
//! One watch a folder. The system's watcher keeps its own table by path and drops an entry when a folder is
//! moved or removed, also when the same inode was meanwhile watched under its new path; [`Places::forget`]
//! names the folders that must be watched again because of that.

use std::{
    collections::{BTreeMap, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use notify_debouncer_full::notify::{self, Config, ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::{inbox::Inbox, rules::Rules, stamp::Stamp};

/// One folder of the tree that is not ignored.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) inode: u64,
    /// The rules its own were made on.
    pub(crate) above: Arc<Rules>,
    pub(crate) rules: Arc<Rules>,
    watched: bool,
}

/// All of them, by path relative to the root.
#[derive(Debug)]
pub(crate) struct Places {
    root: PathBuf,
    cookie_dir: PathBuf,
    inbox: Arc<Inbox>,
    budget: usize,
    watcher: Option<RecommendedWatcher>,
    cookies_watched: bool,
    map: BTreeMap<PathBuf, Place>,
    by_inode: HashMap<u64, PathBuf>,
    watched: usize,
    shortage: Option<String>,
    /// When folders left their path; reports of them may still come under it.
    left: HashMap<PathBuf, Instant>,
}

/// How long after a folder left its path reports may still name it wrongly.
const STALE: Duration = Duration::from_secs(2);

impl Places {
    /// An empty table without a connection to the system.
    pub(crate) fn new(root: PathBuf, cookie_dir: PathBuf, inbox: Arc<Inbox>, budget: usize) -> Self {
        Self {
            root,
            cookie_dir,
            inbox,
            budget,
            watcher: None,
            cookies_watched: false,
            map: BTreeMap::new(),
            by_inode: HashMap::new(),
            watched: 0,
            shortage: None,
            left: HashMap::new(),
        }
    }

    /// Starts over with a fresh watcher; every folder must be entered again.
    pub(crate) fn connect(&mut self) {
        self.disconnect();
        let inbox = Arc::clone(&self.inbox);
        let config = Config::default().with_follow_symlinks(false);
        match RecommendedWatcher::new(move |event| inbox.put(event), config) {
            Ok(watcher) => self.watcher = Some(watcher),
            Err(error) => self.short(&error),
        }
        // Gone with a removed root, for example; a barrier scans when it cannot be watched.
        let _ = fs::create_dir_all(&self.cookie_dir);
        let cookie_dir = self.cookie_dir.clone();
        self.cookies_watched = self.request(&cookie_dir);
    }

    /// Drops the system's watcher; the folders stay known.
    pub(crate) fn disconnect(&mut self) {
        self.watcher = None;
        self.cookies_watched = false;
        self.shortage = None;
        self.watched = 0;
        for place in self.map.values_mut() {
            place.watched = false;
        }
    }

    /// Takes another budget. True when other folders are to be watched than now: connect and visit them all.
    pub(crate) fn allot(&mut self, budget: usize) -> bool {
        let was = std::mem::replace(&mut self.budget, budget);
        self.watched > budget || (budget > was && self.scanned() > 0)
    }

    pub(crate) fn absolute(&self, folder: &Path) -> PathBuf {
        if folder.as_os_str().is_empty() { self.root.clone() } else { self.root.join(folder) }
    }

    pub(crate) fn get(&self, folder: &Path) -> Option<&Place> {
        self.map.get(folder)
    }

    pub(crate) fn contains(&self, folder: &Path) -> bool {
        self.map.contains_key(folder)
    }

    pub(crate) fn cookies_watched(&self) -> bool {
        self.cookies_watched
    }

    pub(crate) fn watched(&self) -> usize {
        self.watched
    }

    pub(crate) fn scanned(&self) -> usize {
        self.map.len() - self.watched
    }

    /// Folders the system does not report on.
    pub(crate) fn unwatched(&self) -> Vec<PathBuf> {
        let unwatched = self.map.iter().filter(|(_, place)| !place.watched);
        unwatched.map(|(path, _)| path.clone()).collect()
    }

    /// Why some folders are not watched.
    pub(crate) fn reason(&self) -> String {
        let scanned = self.scanned();
        match &self.shortage {
            Some(shortage) => {
                format!("{scanned} folders are scanned instead of watched: {shortage}")
            }
            None => format!(
                "{scanned} folders are beyond the budget of {} and are scanned instead of watched; \
                 raise the budget or ignore generated folders",
                self.budget
            ),
        }
    }

    /// Makes `folder` watched, within the budget, before it is listed. True when it is.
    pub(crate) fn watch(&mut self, folder: &Path) -> bool {
        match self.map.get(folder) {
            Some(place) if place.watched => return true,
            Some(_) if self.watched < self.budget => {}
            _ => return false,
        }
        let done = self.request(&self.absolute(folder));
        if let Some(place) = self.map.get_mut(folder).filter(|_| done) {
            place.watched = true;
            self.watched += 1;
        }
        done
    }

    /// A folder could not be listed: its files stay as they were and it is tried again with the scans.
    pub(crate) fn unreadable(&mut self, folder: &Path, error: &io::Error) {
        tracing::warn!(folder = %folder.display(), %error, "a folder cannot be read; its files stay as they were");
        if let Some(place) = self.map.get_mut(folder) {
            self.watched -= usize::from(place.watched);
            place.watched = false;
            self.shortage = Some(format!("{error}; make the folders readable or ignore them"));
        }
    }

    /// The shortage is over.
    pub(crate) fn recovered(&mut self) {
        self.shortage = None;
    }

    /// Adds a folder, or replaces what is known of it.
    pub(crate) fn insert(&mut self, folder: &Path, inode: u64, above: Arc<Rules>, rules: Arc<Rules>) {
        self.by_inode.insert(inode, folder.to_owned());
        match self.map.get_mut(folder) {
            Some(place) => (place.inode, place.above, place.rules) = (inode, above, rules),
            None => {
                self.map.insert(folder.to_owned(), Place { inode, above, rules, watched: false });
            }
        }
    }

    /// Removes `folder` and all below. Returns the folders elsewhere whose watch may be lost with them: they
    /// must be visited again.
    pub(crate) fn forget(&mut self, folder: &Path) -> Vec<PathBuf> {
        let mut lost = Vec::new();
        let now = Instant::now();
        if self.left.len() > 4096 {
            self.left.retain(|_, at| now.duration_since(*at) < STALE);
        }
        for path in self.subtree(folder) {
            let Some(place) = self.map.remove(&path) else {
                continue;
            };
            self.left.insert(path.clone(), now);
            if place.watched {
                self.watched -= 1;
                let absolute = self.absolute(&path);
                if let Some(watcher) = &mut self.watcher {
                    // The system often dropped it first; all that matters is that it is not there now.
                    let _ = watcher.unwatch(&absolute);
                }
            }
            match self.by_inode.get(&place.inode) {
                Some(other) if *other == path => {
                    self.by_inode.remove(&place.inode);
                }
                Some(other) => lost.push(other.clone()),
                None => {}
            }
        }
        for path in &lost {
            if let Some(place) = self.map.get_mut(path).filter(|place| place.watched) {
                place.watched = false;
                self.watched -= 1;
            }
        }
        lost.retain(|path| self.map.contains_key(path));
        lost
    }

    /// True when another folder had this path a moment ago: a report that a file in it was opened may be of a
    /// file that moved away, whose close is then never reported.
    pub(crate) fn swapped(&self, folder: &Path) -> bool {
        self.left.get(folder).is_some_and(|at| at.elapsed() < STALE)
    }

    /// The folders directly in `folder`.
    pub(crate) fn children(&self, folder: &Path) -> Vec<PathBuf> {
        self.subtree(folder).into_iter().filter(|path| path.parent() == Some(folder)).collect()
    }

    fn subtree(&self, folder: &Path) -> Vec<PathBuf> {
        let from = self.map.range(folder.to_owned()..);
        from.take_while(|(path, _)| path.starts_with(folder)).map(|(path, _)| path.clone()).collect()
    }

    fn request(&mut self, absolute: &Path) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        match watcher.watch(absolute, RecursiveMode::NonRecursive) {
            Ok(()) => true,
            Err(error) => {
                self.short(&error);
                false
            }
        }
    }

    fn short(&mut self, error: &notify::Error) {
        let cure = match &error.kind {
            ErrorKind::PathNotFound => return,
            ErrorKind::MaxFilesWatch => "the system's limit is reached; raise fs.inotify.max_user_watches".to_owned(),
            ErrorKind::Io(error) if crate::stamp::absent(error) => return,
            ErrorKind::Io(error) => {
                format!("{error}; close other watchers or raise fs.inotify.max_user_instances")
            }
            _ => error.to_string(),
        };
        self.shortage = Some(cure);
    }
}

/// The rules file's stamp among listed files.
pub(crate) fn rules_stamp(files: &[(std::ffi::OsString, Stamp)]) -> Option<&Stamp> {
    files.iter().find(|(name, _)| name == ".gitignore").map(|(_, stamp)| stamp)
}
