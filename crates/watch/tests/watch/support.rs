//! A watched temporary tree and waiting for notices with a deadline.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use orchestrator_watch::{Change, ChangeKind, Handle, Notice, Options, Stats, SyncPoint};
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;

/// Far more than anything here takes; reaching it fails the test.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) handle: Handle,
    pub(crate) notices: Receiver<Notice>,
    _folder: TempDir,
}

impl Tree {
    /// A tree prepared by `fill` and then watched with options changed by `adjust`, all files hashed.
    pub(crate) async fn with(fill: impl FnOnce(&Path), adjust: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("tree");
        fs::create_dir(&root).unwrap();
        fill(&root);
        let mut options = Options::new(&root, folder.path().join("cookies"));
        adjust(&mut options);
        let (handle, notices) = options.build().unwrap();
        let tree = Self { root, handle, notices, _folder: folder };
        tree.until(|stats| stats.unhashed == 0).await;
        tree
    }

    pub(crate) async fn new(fill: impl FnOnce(&Path)) -> Self {
        Self::with(fill, |_| {}).await
    }

    pub(crate) fn write(&self, path: &str, content: &str) {
        write(&self.root, path, content);
    }

    /// Waits until the watcher's counts are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Stats) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.handle.stats()) {
            assert!(begun.elapsed() < DEADLINE, "still {:?}", self.handle.stats());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The next notice that is not of unchanged files.
    pub(crate) async fn next(&mut self) -> Notice {
        loop {
            let notice = tokio::time::timeout(DEADLINE, self.notices.recv()).await;
            let notice = notice.expect("a notice within the deadline").expect("the watcher runs");
            if !matches!(notice, Notice::Unchanged(_)) {
                return notice;
            }
        }
    }

    /// The next changes, without a barrier; other notices fail the test.
    pub(crate) async fn changes(&mut self) -> Vec<Change> {
        match self.next().await {
            Notice::Changes(changes) => changes,
            other => panic!("expected changes, got {other:?}"),
        }
    }

    pub(crate) async fn sync(&self) -> SyncPoint {
        tokio::time::timeout(DEADLINE, self.handle.sync()).await.expect("a barrier within the deadline").unwrap()
    }

    /// All changes up to a barrier, in order.
    pub(crate) async fn synced(&mut self) -> Vec<Change> {
        let point = self.sync().await;
        assert!(point.unsettled.is_empty(), "{point:?}");
        self.received().into_iter().flat_map(changes_of).collect()
    }

    /// What lies in the receiver now, without what is told of unchanged files.
    pub(crate) fn received(&mut self) -> Vec<Notice> {
        let all = std::iter::from_fn(|| self.notices.try_recv().ok());
        all.filter(|notice| !matches!(notice, Notice::Unchanged(_))).collect()
    }

    /// The files that are told as touched and unchanged up to a barrier.
    pub(crate) async fn unchanged(&mut self) -> BTreeSet<PathBuf> {
        self.sync().await;
        let all = std::iter::from_fn(|| self.notices.try_recv().ok());
        let of = |notice| match notice {
            Notice::Unchanged(paths) => paths,
            _ => Vec::new(),
        };
        all.flat_map(of).collect()
    }

    /// The watcher's files equal the disk: same paths, same content. `ignored` paths are left out.
    pub(crate) fn assert_equals_disk(&self, ignored: &[&str]) {
        let mut disk = BTreeMap::new();
        walk(&self.root, &self.root, &mut disk);
        disk.retain(|path, _| !ignored.iter().any(|prefix| path.starts_with(prefix)));
        let known: BTreeMap<_, _> =
            self.handle.entries().into_iter().map(|known| (known.path, known.hash.unwrap_or_default())).collect();
        let missing: Vec<_> = disk
            .iter()
            .filter(|(path, hash)| known.get(*path) != Some(hash))
            .map(|(path, hash)| (path, hash, known.get(path)))
            .collect();
        let extra: Vec<_> = known.keys().filter(|path| !disk.contains_key(*path)).collect();
        assert!(missing.is_empty() && extra.is_empty(), "missing or old: {missing:?}; extra: {extra:?}");
    }
}

pub(crate) fn changes_of(notice: Notice) -> Vec<Change> {
    match notice {
        Notice::Changes(changes) => changes,
        other => panic!("expected changes, got {other:?}"),
    }
}

/// Path and kind of each change, short.
pub(crate) fn kinds(changes: &[Change]) -> Vec<(&str, ChangeKind)> {
    changes.iter().map(|change| (change.path.as_str(), change.kind.clone())).collect()
}

pub(crate) fn write(root: &Path, path: &str, content: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

pub(crate) fn hash(content: &str) -> Option<String> {
    Some(blake3::hash(content.as_bytes()).to_hex().to_string())
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        if entry.file_type().unwrap().is_dir() {
            walk(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, blake3::hash(&fs::read(&path).unwrap()).to_hex().to_string());
        }
    }
}
