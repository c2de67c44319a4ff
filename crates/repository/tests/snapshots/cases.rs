use std::{fs, os::unix::fs::PermissionsExt};

use orchestrator_repository::{
    Busy, Delta, Error, Limits, Mode, Notice, Opaque, Project, State, Workspace, bstr::BStr,
};

use crate::git::{Repository, added_tree, git, try_git};

/// Refreshed and freshly read, the snapshot is git's tree.
fn check(repository: &Repository, workspace: &mut Workspace, paths: &[&str]) {
    let expected = added_tree(&repository.root);
    workspace.refresh(paths).unwrap();
    let store = repository.store();
    let fresh = Workspace::open(&store, &repository.root, Limits::default()).unwrap();
    assert_eq!(workspace.snapshot().tree().unwrap().to_string(), expected, "refreshed {paths:?}");
    assert_eq!(fresh.snapshot().tree().unwrap().to_string(), expected, "read anew");
    assert_eq!(fresh.snapshot().delta, workspace.snapshot().delta);
}

#[test]
fn one_save_changes_one_entry() {
    let repository = Repository::new();
    repository.write("src/a.rs", "a\n");
    repository.write("src/b.rs", "b\n");
    repository.commit("more");
    let mut workspace = repository.workspace(&repository.store());
    assert!(workspace.snapshot().delta.is_empty());
    let before = workspace.snapshot().generation;

    repository.write("src/a.rs", "a2\n");
    let changes = workspace.refresh(&["src/a.rs"]).unwrap();
    assert_eq!(changes.paths, ["src/a.rs"]);
    assert_eq!(workspace.refresh(&["src/a.rs"]).unwrap().paths, [""; 0]);
    let snapshot = workspace.snapshot();
    assert_eq!(snapshot.generation, before + 1);
    let Some(Delta::Entry(entry)) = snapshot.delta.get(BStr::new("src/a.rs")) else { panic!("{snapshot:?}") };
    assert_eq!(entry.mode, Mode::File);
    let elsewhere = repository.store().blob(entry.oid);
    assert!(matches!(elsewhere, Err(Error::Missing { .. })), "it is in memory only: {elsewhere:?}");
    check(&repository, &mut workspace, &[]);
}

#[test]
fn kinds_of_entries() {
    let repository = Repository::new();
    repository.write("a/b/c", "c");
    repository.write("d", "d");
    repository.write("run", "#!");
    repository.commit("more");
    let root = repository.root.clone();
    let mut workspace = repository.workspace(&repository.store());

    fs::remove_dir_all(root.join("a")).unwrap();
    std::os::unix::fs::symlink("d", root.join("a")).unwrap();
    check(&repository, &mut workspace, &["a/b/c"]);
    fs::remove_file(root.join("d")).unwrap();
    repository.write("d/e/f", "f");
    check(&repository, &mut workspace, &["d/e/f"]);
    fs::set_permissions(root.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
    check(&repository, &mut workspace, &["run"]);
    fs::remove_file(root.join("a")).unwrap();
    repository.write("a/b/c", "again");
    check(&repository, &mut workspace, &["a"]);
    repository.write("\u{e4}/\u{732b} x", "u");
    fs::write(root.join(std::ffi::OsStr::new("n")), [0xff, 0]).unwrap();
    check(&repository, &mut workspace, &["\u{e4}", "n"]);
    fs::rename(root.join("README"), root.join("readme")).unwrap();
    check(&repository, &mut workspace, &["README", "readme"]);
}

#[test]
fn names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let repository = Repository::new();
    let mut workspace = repository.workspace(&repository.store());
    fs::write(repository.root.join(std::ffi::OsStr::from_bytes(b"f\xff")), "x").unwrap();
    workspace.refresh(&[b"f\xff"]).unwrap();
    assert_eq!(workspace.snapshot().tree().unwrap().to_string(), added_tree(&repository.root));
    check(&repository, &mut workspace, &[]);
}

#[test]
fn ignore_rules_of_every_level() {
    let repository = Repository::new();
    repository.write(".gitignore", "*.log\n/build/\n");
    repository.write("kept.log", "tracked though ignored");
    git(&repository.root, &["add", "-f", "kept.log"]);
    repository.commit("more");
    let mut workspace = repository.workspace(&repository.store());
    repository.write("a.log", "");
    repository.write("build/x", "");
    repository.write("kept.log", "changed");
    repository.write("sub/.gitignore", "!a.log\nsecret\n");
    repository.write("sub/a.log", "");
    repository.write("sub/secret", "");
    check(&repository, &mut workspace, &["a.log", "build/x", "kept.log", "sub"]);
    repository.write("excluded", "");
    check(&repository, &mut workspace, &["excluded"]);
    repository.write(".git/info/exclude", "excluded\n");
    check(&repository, &mut workspace, &[]);
    fs::remove_file(repository.root.join(".gitignore")).unwrap();
    check(&repository, &mut workspace, &[".gitignore"]);
}

#[test]
fn line_ends() {
    let repository = Repository::new();
    repository.write("crlf.txt", "a\r\nb\r\n");
    repository.write("lf.txt", "a\nb\n");
    repository.commit("raw");
    let mut workspace = repository.workspace(&repository.store());
    repository.write(".gitattributes", "*.txt text=auto\n*.dos text eol=crlf\n*.bin -text\n");
    repository.write("new.txt", "x\r\ny\r\n");
    repository.write("new.dos", "x\r\ny\r\n");
    repository.write("new.bin", "x\r\ny\r\n");
    check(&repository, &mut workspace, &[".gitattributes", "new.txt", "new.dos", "new.bin"]);
    repository.write("crlf.txt", "a\r\nb\r\nc\r\n");
    repository.write("lf.txt", "a\r\nb\r\nc\r\n");
    check(&repository, &mut workspace, &["crlf.txt", "lf.txt"]);
    git(&repository.root, &["config", "core.autocrlf", "true"]);
    repository.write("other", "x\r\n");
    check(&repository, &mut workspace, &["other"]);
}

#[test]
fn a_file_that_git_takes_for_unchanged_is_not_converted_anew() {
    let repository = Repository::new();
    repository.write("crlf.txt", "a\r\nb\r\n");
    let file = fs::File::options().write(true).open(repository.root.join("crlf.txt")).unwrap();
    let ago = |seconds| std::time::SystemTime::now() - std::time::Duration::from_secs(seconds);
    // Older than the index, so that git trusts its stat.
    file.set_modified(ago(20)).unwrap();
    repository.commit("raw");
    let mut workspace = repository.workspace(&repository.store());
    repository.write(".gitattributes", "*.txt text\n");
    check(&repository, &mut workspace, &[".gitattributes", "crlf.txt"]);
    assert_eq!(workspace.snapshot().delta.len(), 1, "the rules alone");
    file.set_modified(ago(10)).unwrap();
    check(&repository, &mut workspace, &["crlf.txt"]);
    assert_eq!(workspace.snapshot().delta.len(), 2, "touched, it is");
}

#[test]
fn what_is_staged_but_not_in_the_worktree() {
    let repository = Repository::new();
    repository.write("a", "a");
    repository.write("b", "b");
    repository.commit("more");
    let root = repository.root.clone();
    let mut workspace = repository.workspace(&repository.store());
    repository.write("a", "staged");
    git(&root, &["add", "a"]);
    repository.write("a", "later");
    git(&root, &["rm", "-q", "--cached", "b"]);
    repository.write("new", "n");
    git(&root, &["add", "-N", "new"]);
    check(&repository, &mut workspace, &["a", "b", "new"]);
    repository.write(".gitignore", "b\n");
    check(&repository, &mut workspace, &[".gitignore"]);
    git(&root, &["commit", "-q", "-m", "half"]);
    check(&repository, &mut workspace, &[]);
    git(&root, &["checkout", "-q", "-b", "side", "HEAD~1", "-f"]);
    check(&repository, &mut workspace, &[]);
    git(&root, &["update-index", "--assume-unchanged", "README"]);
    repository.write("README", "unseen");
    check(&repository, &mut workspace, &["README"]);
}

#[test]
fn a_sparse_checkout_keeps_what_it_left_out() {
    for cone in ["--cone", "--no-cone", "--sparse-index"] {
        let repository = Repository::new();
        for path in ["in/a", "in/b", "out/a", "out/deep/b", "top"] {
            repository.write(path, path);
        }
        repository.commit("more");
        let root = repository.root.clone();
        let mut workspace = repository.workspace(&repository.store());
        git(&root, &["sparse-checkout", "set", cone, "in"]);
        assert!(!root.join("out/a").exists());
        check(&repository, &mut workspace, &[]);
        repository.write("in/a", "changed");
        fs::remove_file(root.join("in/b")).unwrap();
        check(&repository, &mut workspace, &["in/a", "in/b", "out"]);
        repository.write("out/a", "present all the same");
        check(&repository, &mut workspace, &["out/a"]);
        git(&root, &["sparse-checkout", "disable"]);
        check(&repository, &mut workspace, &["in", "out", "top"]);
    }
}

#[test]
fn repositories_inside() {
    let repository = Repository::new();
    let mut workspace = repository.workspace(&repository.store());
    let inner = repository.root.join("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q"]);
    fs::write(inner.join("x"), "x").unwrap();
    workspace.refresh(&["inner/x"]).unwrap();
    assert!(workspace.snapshot().delta.is_empty());
    assert_eq!(workspace.snapshot().notices.get(BStr::new("inner")), Some(&Notice::UnbornRepository));
    git(&inner, &["add", "-A"]);
    git(&inner, &["commit", "-q", "-m", "inner"]);
    check(&repository, &mut workspace, &["inner/.git/HEAD"]);
    repository.commit("with a submodule");
    check(&repository, &mut workspace, &[]);
    git(&inner, &["commit", "-q", "--allow-empty", "-m", "again"]);
    check(&repository, &mut workspace, &["inner/x"]);
    fs::remove_dir_all(&inner).unwrap();
    fs::create_dir(&inner).unwrap();
    check(&repository, &mut workspace, &["inner"]);
}

#[test]
fn a_busy_git_leaves_the_last_snapshot() {
    let repository = Repository::new();
    repository.write("f", "base\n");
    repository.commit("base");
    let root = repository.root.clone();
    git(&root, &["checkout", "-q", "-b", "side"]);
    repository.write("f", "side\n");
    repository.commit("side");
    git(&root, &["checkout", "-q", "main"]);
    repository.write("f", "main\n");
    repository.commit("main");
    let mut workspace = repository.workspace(&repository.store());
    let before = workspace.snapshot().tree().unwrap();

    for begin in [["merge", "side"], ["rebase", "side"], ["cherry-pick", "side"]] {
        assert!(!try_git(&root, &begin).status.success());
        repository.write("f", "resolved\n");
        assert_eq!(workspace.refresh(&["f"]).unwrap().state, State::Busy(Busy::Unfinished));
        assert_eq!(workspace.snapshot().tree().unwrap(), before);
        git(&root, &[begin[0], "--abort"]);
        assert_eq!(workspace.refresh(&["f"]).unwrap().state, State::Ready);
        assert_eq!(workspace.snapshot().tree().unwrap(), before);
    }
    repository.write(".git/index.lock", "");
    repository.write("f", "while locked\n");
    assert_eq!(workspace.refresh(&["f"]).unwrap().state, State::Busy(Busy::Locked));
    fs::remove_file(root.join(".git/index.lock")).unwrap();
    assert_eq!(workspace.refresh(&[""; 0]).unwrap().paths, ["f"]);
    check(&repository, &mut workspace, &[]);
}

#[test]
fn filtered_and_large_files_are_opaque() {
    let repository = Repository::new();
    repository.write("big", vec![b'x'; 2000]);
    repository.commit("big");
    let store = repository.store();
    let limits = Limits { max_file: 1000, ..Limits::default() };
    let mut workspace = Workspace::open(&store, &repository.root, limits).unwrap();
    assert!(workspace.snapshot().delta.is_empty(), "unchanged files are what they are");
    let head = workspace.snapshot().head_tree;

    repository.write("big", vec![b'y'; 2000]);
    repository.write("new-big", vec![b'z'; 3000]);
    repository.write(".gitattributes", "*.lfs filter=lfs\n");
    repository.write("a.lfs", "raw");
    workspace.refresh(&["big", "new-big", ".gitattributes", "a.lfs"]).unwrap();
    let snapshot = workspace.snapshot();
    let opaque = |path: &str| match snapshot.delta.get(BStr::new(path)) {
        Some(Delta::Entry(entry)) => (entry.mode, entry.opaque),
        other => panic!("{path}: {other:?}"),
    };
    assert_eq!(opaque("big"), (Mode::File, Some(Opaque::Large)));
    assert_eq!(opaque("new-big"), (Mode::File, Some(Opaque::Large)));
    assert_eq!(opaque("a.lfs"), (Mode::File, Some(Opaque::Filtered)));
    assert_eq!(snapshot.notices.get(BStr::new("new-big")), Some(&Notice::TooLarge { size: 3000 }));
    let tree = snapshot.tree().unwrap();
    assert_eq!(store.entry(tree, "big".into()).unwrap(), store.entry(head, "big".into()).unwrap());
    assert_eq!(store.entry(tree, "new-big".into()).unwrap(), None);
    let (_, raw) = store.entry(tree, "a.lfs".into()).unwrap().unwrap();
    assert_eq!(store.blob(raw).unwrap(), b"raw");
}

#[test]
fn pipes_and_sockets_are_no_files() {
    let repository = Repository::new();
    let mut workspace = repository.workspace(&repository.store());
    let _socket = std::os::unix::net::UnixListener::bind(repository.root.join("socket")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(repository.root.join("pipe")).status().unwrap();
    assert!(made.success());
    check(&repository, &mut workspace, &["socket", "pipe"]);
    fs::remove_file(repository.root.join("README")).unwrap();
    fs::rename(repository.root.join("pipe"), repository.root.join("README")).unwrap();
    workspace.refresh(&["README", "pipe"]).unwrap();
    assert!(workspace.snapshot().delta.is_empty());
    assert_eq!(workspace.snapshot().notices.get(BStr::new("README")), Some(&Notice::NotAFile));
}

#[test]
fn paths_that_lead_out_are_refused_or_not_followed() {
    let repository = Repository::new();
    let mut workspace = repository.workspace(&repository.store());
    for path in ["../x", "a/../../x", "/etc/passwd", "a\0b"] {
        assert!(matches!(workspace.refresh(&[path]), Err(Error::Path(_))), "{path:?}");
    }
    let out = repository.beside("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("secret"), "s").unwrap();
    std::os::unix::fs::symlink("../out", repository.root.join("link")).unwrap();
    check(&repository, &mut workspace, &["link/secret"]);
    assert_eq!(workspace.snapshot().delta.len(), 1, "the link itself");
    assert_eq!(workspace.refresh(&[".git/config", ".GIT/x", "git~1"]).unwrap().paths, [""; 0]);
}

#[test]
fn a_lost_root_deletes_nothing() {
    let repository = Repository::new();
    let mut workspace = repository.workspace(&repository.store());
    let away = repository.beside("away");
    fs::rename(&repository.root, &away).unwrap();
    assert!(workspace.rescan().is_err());
    fs::create_dir(&repository.root).unwrap();
    assert!(workspace.refresh(&["README"]).is_err());
    assert!(workspace.snapshot().delta.is_empty());
    fs::remove_dir(&repository.root).unwrap();
    fs::rename(&away, &repository.root).unwrap();
    check(&repository, &mut workspace, &[]);
}

#[test]
fn linked_worktrees_and_clones_are_workspaces_and_strangers_are_not() {
    let repository = Repository::new();
    let store = repository.store();
    let (linked, clone, other) = (repository.beside("linked"), repository.beside("clone"), repository.beside("other"));
    git(&repository.root, &["worktree", "add", "-q", linked.to_str().unwrap()]);
    git(&repository.root, &["clone", "-q", "--no-hardlinks", ".", clone.to_str().unwrap()]);
    for root in [&linked, &clone] {
        fs::write(root.join("new"), "n").unwrap();
        git(root, &["add", "-A"]);
        git(root, &["commit", "-q", "-m", "own"]);
        fs::write(root.join("new"), "m").unwrap();
        let workspace = Workspace::open(&store, root, Limits::default()).unwrap();
        assert_eq!(workspace.snapshot().tree().unwrap().to_string(), added_tree(root));
        assert_eq!(workspace.snapshot().delta.len(), 1);
        workspace.pin("7").unwrap();
        assert!(workspace.unpin("7").unwrap());
    }
    fs::create_dir(&other).unwrap();
    let open = |store, root| Workspace::open(store, root, Limits::default());
    assert!(matches!(open(&store, &other), Err(Error::Unrelated { .. })));
    git(&other, &["init", "-q"]);
    git(&other, &["commit", "-q", "--allow-empty", "-m", "foreign"]);
    assert!(matches!(open(&store, &other), Err(Error::Unrelated { .. })));
    assert!(open(&store, &repository.beside("none")).is_err());
}

#[test]
fn a_worktree_opened_while_git_is_busy_is_its_head_until_then() {
    let repository = Repository::new();
    repository.write("README", "edited\n");
    repository.write(".git/index.lock", "");
    let mut workspace = repository.workspace(&repository.store());
    assert_eq!(workspace.state(), State::Busy(Busy::Locked));
    assert!(workspace.snapshot().delta.is_empty());
    fs::remove_file(repository.root.join(".git/index.lock")).unwrap();
    check(&repository, &mut workspace, &[]);
    assert_eq!(workspace.snapshot().delta.len(), 1);
}

#[test]
fn every_form_of_index() {
    let settings = [
        "index.version=4",
        "core.splitIndex=true",
        "core.untrackedCache=true",
        "index.skipHash=true",
        "feature.manyFiles=true",
        "core.fileMode=false",
        "core.checkStat=minimal",
    ];
    for setting in settings {
        let repository = Repository::new();
        let (name, value) = setting.split_once('=').unwrap();
        git(&repository.root, &["config", name, value]);
        for path in ["a", "b", "d/c", "d/e/f"] {
            repository.write(path, path);
        }
        repository.commit("more");
        let mut workspace = repository.workspace(&repository.store());
        repository.write("a", "a2");
        repository.write("d/new", "n");
        git(&repository.root, &["add", "d/new"]);
        fs::remove_file(repository.root.join("d/c")).unwrap();
        fs::set_permissions(repository.root.join("b"), PermissionsExt::from_mode(0o755)).unwrap();
        check(&repository, &mut workspace, &["a", "d/c", "b"]);
        git(&repository.root, &["status"]);
        check(&repository, &mut workspace, &[]);
    }
}

#[test]
fn the_tree_of_the_last_head_may_be_gone() {
    let repository = Repository::new();
    repository.write("a", "1");
    repository.commit("first version");
    let mut workspace = repository.workspace(&repository.store());
    repository.write("a", "2");
    repository.write("b", "2");
    git(&repository.root, &["add", "-A"]);
    git(&repository.root, &["commit", "-q", "--amend", "-m", "second version"]);
    git(&repository.root, &["reflog", "expire", "--expire=now", "--all"]);
    git(&repository.root, &["gc", "-q", "--prune=now"]);
    check(&repository, &mut workspace, &[]);
    assert!(workspace.snapshot().delta.is_empty());
}

#[test]
fn rule_files_that_are_no_files() {
    let repository = Repository::new();
    let mut workspace = repository.workspace(&repository.store());
    repository.write(".gitattributes/x", "x");
    repository.write("d/.gitignore/y", "y");
    repository.write("d/file", "f");
    std::os::unix::fs::symlink("nowhere", repository.root.join(".gitignore")).unwrap();
    check(&repository, &mut workspace, &[".gitattributes", "d", ".gitignore"]);
}

#[test]
fn an_ignored_folder_is_not_read() {
    use std::os::unix::fs::MetadataExt;
    let repository = Repository::new();
    repository.write(".gitignore", "/ignored/\n");
    for at in 0..100 {
        repository.write(&format!("ignored/deep/{at}"), "");
    }
    repository.write("seen/file", "");
    // Reading a folder moves its time of access when that is not after its last change.
    let accessed = |path: &str| {
        let meta = fs::metadata(repository.root.join(path)).unwrap();
        (meta.atime(), meta.atime_nsec())
    };
    let before = (accessed("ignored"), accessed("ignored/deep"));
    let mut workspace = repository.workspace(&repository.store());
    workspace.refresh(&["ignored/deep/7", "ignored"]).unwrap();
    assert_eq!((accessed("ignored"), accessed("ignored/deep")), before);
    assert_eq!(workspace.snapshot().delta.len(), 2);
}

#[test]
fn a_folder_removed_and_made_again() {
    let repository = Repository::new();
    repository.write("d/e/a", "1");
    repository.write("d/b", "1");
    repository.commit("more");
    let mut workspace = repository.workspace(&repository.store());
    fs::remove_dir_all(repository.root.join("d")).unwrap();
    check(&repository, &mut workspace, &["d"]);
    repository.write("d/e/a", "1");
    check(&repository, &mut workspace, &["d/e"]);
    repository.write("d/b", "2");
    check(&repository, &mut workspace, &["d/b"]);
}

#[test]
fn a_repository_without_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    git(&root, &["init", "-q"]);
    fs::write(root.join("a"), "a").unwrap();
    let store = orchestrator_repository::Store::open(&Project::discover(&root).unwrap()).unwrap();
    let mut workspace = Workspace::open(&store, &root, Limits::default()).unwrap();
    assert_eq!(workspace.snapshot().head, None);
    assert_eq!(workspace.snapshot().tree().unwrap().to_string(), added_tree(&root));
    workspace.pin("1").unwrap();
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-q", "-m", "first"]);
    workspace.refresh(&[""; 0]).unwrap();
    assert!(workspace.snapshot().delta.is_empty() && workspace.snapshot().head.is_some());
}

#[test]
fn a_file_that_never_stands_still_is_reported_or_read_whole() {
    let repository = Repository::new();
    repository.write("busy", "x".repeat(1000));
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut size = 1000;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                size = if size > 200_000 { 1000 } else { size + 1000 };
                fs::write(repository.root.join("busy"), "x".repeat(size)).unwrap();
            }
        });
        for _ in 0..200 {
            workspace.refresh(&["busy"]).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    check(&repository, &mut workspace, &["busy"]);
    assert!(workspace.snapshot().notices.is_empty());
}

#[test]
fn stores_are_shared_by_threads_and_workspaces_moved_to_them() {
    fn shared<T: Send + Sync + Clone>() {}
    fn moved<T: Send>() {}
    shared::<orchestrator_repository::Store>();
    shared::<orchestrator_repository::Snapshot>();
    moved::<Workspace>();
}

/// Each landing adds a pack: what was open before must find what stands in the hundredth.
#[test]
fn packs_that_come_one_after_another_hide_nothing() {
    let repository = Repository::new();
    let project = Project::discover(&repository.root).unwrap();
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    for number in 0..100 {
        repository.write("a.txt", format!("{number}\n"));
        repository.commit("more");
        git(&repository.root, &["repack", "-d", "-q"]);
        let changes = workspace.refresh(&["a.txt"]);
        assert!(changes.is_ok(), "after {number} packs: {changes:?}");
        let head = git(&repository.root, &["rev-parse", "HEAD"]);
        assert_eq!(workspace.snapshot().head.unwrap().to_string(), head);
        assert_eq!(project.head().unwrap().unwrap().to_string(), head, "after {number} packs");
        assert_eq!(project.commit_of("main").unwrap().unwrap().to_string(), head, "after {number} packs");
    }
    check(&repository, &mut workspace, &[]);
}
