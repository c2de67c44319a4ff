use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{MetadataExt, symlink},
    path::{Path, PathBuf},
};

use orchestrator_repository::{Author, Error, Limits, ObjectId, Project, Restore, Start, Workspace, bstr::BString};

use crate::git::{Repository, git};

fn author() -> Author {
    Author { name: "a".to_owned(), email: "a@example.org".to_owned(), seconds: 0 }
}

fn wanted(commit: ObjectId, backup: &str) -> Restore {
    let (backup, message) = (backup.to_owned(), "before".to_owned());
    Restore { commit, paths: None, backup, tip: None, author: author(), message }
}

/// Every file: path, executable, bytes or the link's target.
fn files(root: &Path) -> BTreeMap<PathBuf, (bool, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if path.file_name().unwrap() == ".git" {
            } else if meta.is_dir() {
                open.push(path);
            } else if meta.is_symlink() {
                let target = fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes();
                found.insert(path, (false, target));
            } else {
                found.insert(path.clone(), (meta.mode() & 0o100 != 0, fs::read(&path).unwrap()));
            }
        }
    }
    found
}

fn keep(workspace: &mut Workspace, store: &orchestrator_repository::Store) -> ObjectId {
    workspace.rescan().unwrap();
    let commit = workspace.snapshot().commit(&author(), "state").unwrap();
    store.make_durable(&[commit]).unwrap();
    commit
}

#[test]
fn a_state_comes_back_byte_for_byte_and_so_does_what_it_replaced() {
    let repository = Repository::new();
    repository.write("d/x", "x");
    repository.write("file", "f");
    repository.write("script", "#!");
    repository.write(".gitattributes", "*.txt text eol=crlf\n*.lfs filter=lfs\n");
    repository.write("crlf.txt", "a\r\nb\r\n");
    repository.commit("more");
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    repository.write("untracked", "u");
    let first = keep(&mut workspace, &store);
    let first_files = files(&repository.root);

    let root = &repository.root;
    fs::remove_dir_all(root.join("d")).unwrap();
    symlink("file", root.join("d")).unwrap();
    fs::remove_file(root.join("file")).unwrap();
    repository.write("file/now/a/folder", "n");
    fs::set_permissions(root.join("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    repository.write("crlf.txt", "mixed\nends\r\n");
    repository.write("big.lfs", [0xff, 0, b'\r', b'\n']);
    repository.write("untracked", "u2");
    let second_files = files(root);

    let restored = workspace.restore(&wanted(first, "1")).unwrap();
    assert_eq!(files(root), first_files);
    assert!(restored.removed.contains(&BString::from("file/now/a/folder")) && !root.join("file").is_dir());
    assert_eq!(store.refs("refs/backup/").unwrap(), [("refs/backup/1".to_owned(), restored.backup)]);
    let (tree, _) = store.read_commit(restored.backup).unwrap();
    let (_, raw) = store.entry(tree, "crlf.txt".into()).unwrap().unwrap();
    assert_eq!(store.blob(raw).unwrap(), b"mixed\nends\r\n");
    assert_eq!(git(root, &["rev-parse", "refs/orchestrator/base/backup-1"]), git(root, &["rev-parse", "HEAD"]));

    // The way back, from a store that was opened anew.
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    workspace.restore(&wanted(restored.backup, "2")).unwrap();
    assert_eq!(files(root), second_files);
    git(store.folder(), &["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn single_paths_come_back_and_others_stay() {
    let repository = Repository::new();
    repository.write("d/a", "1");
    repository.write("d/b", "1");
    repository.write("e", "1");
    repository.commit("one");
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let one = keep(&mut workspace, &store);
    for path in ["d/a", "d/b", "e"] {
        repository.write(path, "2");
    }
    let mut some = wanted(one, "1");
    some.paths = Some(vec!["d/".into()]);
    let restored = workspace.restore(&some).unwrap();
    assert_eq!(restored.written, ["d/a", "d/b"]);
    assert_eq!(fs::read(repository.root.join("e")).unwrap(), b"2");
    assert_eq!(workspace.snapshot().delta.len(), 1);
}

#[test]
fn what_no_backup_can_hold_is_not_written_over() {
    let repository = Repository::new();
    repository.write("f", "1");
    repository.write("g", "1");
    repository.commit("one");
    let store = repository.store();
    let limits = Limits { max_file: 100, ..Limits::default() };
    let mut workspace = Workspace::open(&store, &repository.root, limits).unwrap();
    let one = keep(&mut workspace, &store);
    let check = |workspace: &mut Workspace| {
        let before = files(&repository.root);
        let error = workspace.restore(&wanted(one, "1")).unwrap_err();
        assert!(matches!(error, Error::Unsaved { .. }), "{error}");
        assert_eq!(files(&repository.root), before);
    };
    repository.write("f", vec![b'x'; 101]);
    repository.write("g", "2");
    check(&mut workspace);
    git(&repository.root, &["rm", "-q", "--cached", "f"]);
    repository.write(".git/info/exclude", "f\n");
    repository.write("f", "ignored now");
    check(&mut workspace);
    assert_eq!(store.refs("refs/backup/").unwrap(), []);

    fs::remove_file(repository.root.join("f")).unwrap();
    fs::create_dir(repository.root.join("f")).unwrap();
    repository.write("f/ignored", "precious");
    assert!(workspace.restore(&wanted(one, "2")).is_err());
    assert_eq!(fs::read(repository.root.join("f/ignored")).unwrap(), b"precious");
}

#[test]
fn a_folder_that_became_a_link_is_not_written_through() {
    let repository = Repository::new();
    repository.write("d/x", "x");
    repository.commit("one");
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let one = keep(&mut workspace, &store);
    let out = repository.beside("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("x"), "theirs").unwrap();
    fs::remove_dir_all(repository.root.join("d")).unwrap();
    symlink("../out", repository.root.join("d")).unwrap();
    workspace.restore(&wanted(one, "1")).unwrap();
    assert_eq!(fs::read(out.join("x")).unwrap(), b"theirs");
    assert_eq!(fs::read(repository.root.join("d/x")).unwrap(), b"x");
    assert!(!repository.root.join("d").is_symlink());
}

#[test]
fn what_the_caller_did_not_see_is_not_written_over() {
    let repository = Repository::new();
    repository.write("file", "seen");
    repository.commit("more");
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let one = keep(&mut workspace, &store);
    repository.write("file", "worked from");
    workspace.rescan().unwrap();
    let seen = workspace.snapshot().tree().unwrap();
    repository.write("file", "edited in between");
    let refused = workspace.restore_onto(seen, &wanted(one, "1"));
    assert!(matches!(refused, Err(Error::Unseen { .. })), "{refused:?}");
    assert_eq!(fs::read(repository.root.join("file")).unwrap(), b"edited in between");
    assert!(store.refs("refs/backup/").unwrap().is_empty());
    repository.write("file", "worked from");
    repository.write("elsewhere", "is nobody's concern");
    let wanted = Restore { paths: Some(vec!["file".into()]), ..wanted(one, "2") };
    fs::set_permissions(repository.root.join("file"), std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
    workspace.restore_onto(seen, &wanted).unwrap();
    assert_eq!(fs::read(repository.root.join("file")).unwrap(), b"seen");
    assert_eq!(fs::metadata(repository.root.join("file")).unwrap().mode() & 0o777, 0o640, "who may read it stays");
}

#[test]
fn a_busy_worktree_is_left_alone() {
    let repository = Repository::new();
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let one = keep(&mut workspace, &store);
    repository.write(".git/index.lock", "");
    repository.write("README", "edit");
    assert!(matches!(workspace.restore(&wanted(one, "1")), Err(Error::Busy { .. })));
    assert_eq!(fs::read(repository.root.join("README")).unwrap(), b"edit");
}

/// A commit that holds a file at these names, one within the other, written as no git would.
fn forged(repository: &Repository, names: &[&str]) -> ObjectId {
    let root = &repository.root;
    let object = |kind: &str, content: &[u8]| {
        let file = repository.beside("object");
        fs::write(&file, content).unwrap();
        git(root, &["hash-object", "-t", kind, "-w", "--literally", file.to_str().unwrap()])
    };
    let mut held = ("100755", object("blob", b"#!/bin/sh\n"));
    for name in names.iter().rev() {
        let oid = ObjectId::from_hex(held.1.as_bytes()).unwrap();
        let tree = [format!("{} {name}\0", held.0).as_bytes(), oid.as_slice()].concat();
        held = ("40000", object("tree", &tree));
    }
    let commit = git(root, &["commit-tree", "-m", "forged", &held.1]);
    ObjectId::from_hex(commit.as_bytes()).unwrap()
}

#[test]
fn a_commit_with_names_that_no_worktree_may_hold_is_refused_whole() {
    let repository = Repository::new();
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let sibling = repository.beside("sibling");
    fs::create_dir(&sibling).unwrap();
    let hooks = repository.root.join(".git/hooks");
    let _ = fs::remove_dir_all(&hooks);
    let before = files(&repository.root);
    let cases: [&[&str]; 6] = [
        &["..", "sibling", "file"],
        &["d", "..", "..", "sibling", "file"],
        &["../sibling/file"],
        &[".git", "hooks", "post-checkout"],
        &["d", ".GIT", "hooks", "post-checkout"],
        &["git~1", "hooks", "post-checkout"],
    ];
    for names in cases {
        let wanted = wanted(forged(&repository, names), "1");
        let planned = workspace.would_restore(wanted.commit, None);
        assert!(matches!(planned, Err(Error::Name { .. })), "{names:?}: {planned:?}");
        let refused = workspace.restore(&wanted);
        assert!(matches!(refused, Err(Error::Name { .. })), "{names:?}: {refused:?}");
        assert_eq!(files(&repository.root), before, "{names:?}: README stays, too");
        assert_eq!(fs::read_dir(&sibling).unwrap().count(), 0, "{names:?}");
        assert!(!hooks.exists(), "{names:?}");
    }
    assert!(store.refs("refs/backup/").unwrap().is_empty());
}

#[test]
fn a_backup_of_a_clones_commits_outlives_the_clone() {
    for shares in [true, false] {
        let repository = Repository::new();
        let project = Project::discover(&repository.root).unwrap();
        let store = repository.store();
        let clone = repository.beside("clone");
        let tip = project.head().unwrap().unwrap();
        project.create_clone(&clone, Start::NewBranch("own", tip)).unwrap();
        fs::write(clone.join("committed"), "in the clone only").unwrap();
        git(&clone, &["add", "-A"]);
        git(&clone, &["commit", "-q", "-m", "own"]);
        fs::write(clone.join("README"), "uncommitted").unwrap();
        let mut workspace = Workspace::open(&store, &clone, Limits::default()).unwrap();
        let wanted = Restore { tip: shares.then_some(tip), ..wanted(tip, "1") };
        let backup = workspace.restore(&wanted).unwrap().backup;
        assert_eq!(git(&clone, &["for-each-ref", "refs/orchestrator"]), "", "nothing is pinned there");
        git(&clone, &["reset", "-q", "--hard", &tip.to_string()]);
        store.remove_alternate(&clone.join(".git/objects")).unwrap();
        project.remove_clone(&clone).unwrap();
        drop((workspace, store));

        let store = repository.store();
        git(store.folder(), &["fsck", "--strict", "--no-dangling"]);
        let (_, parents) = store.read_commit(backup).unwrap();
        assert_eq!(parents, if shares { vec![tip] } else { Vec::new() });
        repository.workspace(&store).restore(&self::wanted(backup, "2")).unwrap();
        assert_eq!(fs::read(repository.root.join("committed")).unwrap(), b"in the clone only");
        assert_eq!(fs::read(repository.root.join("README")).unwrap(), b"uncommitted");
    }
}

#[test]
fn a_backup_is_not_written_over_and_keeps_its_pin() {
    let repository = Repository::new();
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let one = keep(&mut workspace, &store);
    repository.write("README", "first");
    let backup = workspace.restore(&wanted(one, "1")).unwrap().backup;
    let pin = git(&repository.root, &["rev-parse", "refs/orchestrator/base/backup-1"]);
    repository.commit("moved on");
    repository.write("README", "second");
    let refused = workspace.restore(&wanted(one, "1"));
    assert!(matches!(refused, Err(Error::Taken { .. })), "{refused:?}");
    assert_eq!(fs::read(repository.root.join("README")).unwrap(), b"second");
    assert_eq!(store.refs("refs/backup/").unwrap(), [("refs/backup/1".to_owned(), backup)]);
    assert_eq!(git(&repository.root, &["rev-parse", "refs/orchestrator/base/backup-1"]), pin);
}
