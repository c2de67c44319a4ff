//! The git program in a wiped environment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use orchestrator_repository::{Limits, Project, Store, Workspace};
use tempfile::TempDir;

/// A repository `main` with one commit, in a folder that goes with the value.
pub(crate) struct Repository {
    _folder: TempDir,
    pub(crate) root: PathBuf,
}

impl Repository {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("main");
        fs::create_dir(&root).unwrap();
        git(&root, &["init", "-q"]);
        let repository = Self { _folder: folder, root };
        repository.write("README", "hello\n");
        repository.commit("first");
        repository
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) {
        git(&self.root, &["add", "-A"]);
        git(&self.root, &["commit", "-q", "--allow-empty", "-m", message]);
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&Project::discover(&self.root).unwrap()).unwrap()
    }

    pub(crate) fn workspace(&self, store: &Store) -> Workspace {
        Workspace::open(store, &self.root, Limits::default()).unwrap()
    }

    /// A folder beside the repository.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.root.parent().unwrap().join(name)
    }
}

pub(crate) fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always", "-c", "advice.addEmbeddedRepo=false", "-c", "gc.auto=0"])
        .args(arguments)
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_EDITOR", "true")
        .env("LC_ALL", "C");
    command
}

pub(crate) fn try_git(dir: &Path, arguments: &[&str]) -> Output {
    command(dir, arguments).output().unwrap()
}

/// What git printed, without the last line break.
pub(crate) fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = try_git(dir, arguments);
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// `git add -A && git write-tree` on a scratch index.
pub(crate) fn added_tree(root: &Path) -> String {
    let index = PathBuf::from(git(root, &["rev-parse", "--path-format=absolute", "--git-path", "index"]));
    let scratch = index.with_file_name("scratch-index");
    let _ = fs::remove_file(&scratch);
    if index.exists() {
        // With its time, or git would look into no file that changed in the same second.
        let status = Command::new("cp").arg("-p").arg(&index).arg(&scratch).status().unwrap();
        assert!(status.success());
    }
    let run = |arguments: &[&str]| {
        let output = command(root, arguments).env("GIT_INDEX_FILE", &scratch).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["add", "-A", "--sparse"]);
    let tree = run(&["write-tree"]);
    let _ = fs::remove_file(&scratch);
    tree
}
