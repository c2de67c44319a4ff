use std::fs;

use orchestrator_repository::{Error, Limits, ObjectId, Project, Start, Workspace};

use crate::git::{Repository, git};

fn id(text: &str) -> ObjectId {
    ObjectId::from_hex(text.as_bytes()).unwrap()
}

#[test]
fn a_new_worktree_is_as_git_would_make_it_and_runs_nothing() {
    let repository = Repository::new();
    let root = &repository.root;
    let pwned = repository.beside("pwned");
    repository.write("d/file", "f\n");
    repository.write("f.x", "stored\n");
    repository.write("dos.txt", "a\nb\n");
    repository.write(".gitattributes", "*.x filter=evil\n*.txt text eol=crlf\n");
    std::os::unix::fs::symlink("d/file", root.join("link")).unwrap();
    repository.commit("more");
    let hook = root.join(".git/hooks/post-checkout");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", pwned.display())).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for kind in ["smudge", "clean", "process"] {
        git(root, &["config", &format!("filter.evil.{kind}"), &format!("touch {}", pwned.display())]);
    }
    git(root, &["config", "core.fsmonitor", &format!("touch {}", pwned.display())]);
    let head = id(&git(root, &["rev-parse", "HEAD"]));
    let project = Project::discover(root).unwrap();
    let (one, two) = (repository.beside("one"), repository.beside("two"));
    project.create_worktree(&one, Start::NewBranch("agent/one", head)).unwrap();
    project.create_worktree(&two, Start::Detached(head)).unwrap();
    assert!(!pwned.exists(), "a program ran");
    assert_eq!(fs::read(one.join("dos.txt")).unwrap(), b"a\r\nb\r\n");
    assert_eq!(fs::read(one.join("f.x")).unwrap(), b"stored\n");
    assert!(one.join("link").is_symlink());

    fs::remove_file(&hook).unwrap();
    git(root, &["config", "--unset", "core.fsmonitor"]);
    for kind in ["smudge", "clean", "process"] {
        git(root, &["config", "--unset", &format!("filter.evil.{kind}")]);
    }
    assert_eq!(git(&one, &["status", "--short", "--branch"]), "## agent/one");
    assert_eq!(git(&two, &["status", "--short", "--branch"]), "## HEAD (no branch)");
    assert_eq!(project.worktrees().unwrap().len(), 3);
    git(root, &["fsck", "--strict"]);
    let workspace = Workspace::open(&repository.store(), &one, Limits::default()).unwrap();
    assert!(workspace.snapshot().delta.is_empty());
    git(root, &["worktree", "remove", one.to_str().unwrap()]);
}

#[test]
fn a_worktree_that_cannot_be_made_leaves_nothing() {
    let repository = Repository::new();
    let root = &repository.root;
    let head = id(&git(root, &["rev-parse", "HEAD"]));
    let project = Project::discover(root).unwrap();
    let full = repository.beside("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("precious"), "p").unwrap();
    let free = repository.beside("free");
    let none = ObjectId::null(head.kind());
    let check = |folder: &std::path::Path, branch: &str, start| {
        let error = project.create_worktree(folder, Start::NewBranch(branch, start)).unwrap_err();
        assert!(matches!(error, Error::Worktree { .. }), "{error}");
    };
    check(&full, "a", head);
    check(&free, "main", head);
    check(&free, "b", none);
    for name in ["-x", "--output=f", "a..b", "x.lock", "", "HEAD", "a b", "a/"] {
        check(&free, name, head);
    }
    assert_eq!(git(root, &["for-each-ref", "--format=%(refname)"]), "refs/heads/main");
    assert_eq!(git(root, &["rev-parse", "main"]), head.to_string());
    assert_eq!(fs::read(full.join("precious")).unwrap(), b"p");
    assert!(!free.exists());
    assert_eq!(project.worktrees().unwrap().len(), 1);
}
