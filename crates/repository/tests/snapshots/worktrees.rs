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

#[test]
fn a_branch_that_exists_is_checked_out_as_it_is_and_only_once() {
    let repository = Repository::new();
    let (root, one, two) = (&repository.root, repository.beside("one"), repository.beside("two"));
    git(root, &["branch", "topic"]);
    repository.commit("next");
    let project = Project::discover(root).unwrap();
    project.create_worktree(&one, Start::Branch("topic")).unwrap();
    assert_eq!(git(&one, &["rev-parse", "HEAD"]), git(root, &["rev-parse", "topic"]));
    for branch in ["topic", "no-such"] {
        assert!(project.create_worktree(&two, Start::Branch(branch)).is_err(), "{branch}");
        assert!(!two.exists());
    }
    assert_eq!(git(root, &["branch", "--list", "topic"]).trim_start_matches(['+', ' ']), "topic");
    let at = id(&git(root, &["rev-parse", "main"]));
    git(root, &["branch", "spare"]);
    assert!(!project.delete_branch("spare", id(&git(root, &["rev-parse", "topic"]))).unwrap(), "it points elsewhere");
    assert!(project.delete_branch("spare", at).unwrap() && !project.delete_branch("spare", at).unwrap());
}

#[test]
fn only_worktrees_of_the_repository_are_removed_and_links_are_not_followed() {
    let (repository, other) = (Repository::new(), Repository::new());
    let (root, one) = (&repository.root, repository.beside("one"));
    let project = Project::discover(root).unwrap();
    let removed = |folder: &std::path::Path| project.remove_worktree(folder);
    git(root, &["worktree", "add", "-q", one.to_str().unwrap()]);
    git(root, &["worktree", "lock", one.to_str().unwrap()]);
    assert!(removed(&one).unwrap_err().to_string().contains("git worktree unlock"));
    git(root, &["worktree", "unlock", one.to_str().unwrap()]);
    let (foreign, plain) = (repository.beside("foreign"), repository.beside("plain"));
    git(&other.root, &["worktree", "add", "-q", foreign.to_str().unwrap()]);
    fs::create_dir(&plain).unwrap();
    fs::write(plain.join("precious"), "p").unwrap();
    let link = repository.beside("link");
    std::os::unix::fs::symlink(&one, &link).unwrap();
    for folder in [root, &other.root, &foreign, &plain, &link] {
        assert!(matches!(removed(folder), Err(Error::Removal { .. })), "{folder:?}");
        assert!(folder.exists());
    }
    std::os::unix::fs::symlink(&plain, one.join("out")).unwrap();
    assert_eq!(removed(&one).unwrap().files, 2, "README and the link");
    assert!(!one.exists() && plain.join("precious").exists());
    assert_eq!(git(root, &["worktree", "list"]).lines().count(), 1);
    assert_eq!(removed(&one).unwrap().files, 0, "twice is no error");
    git(root, &["worktree", "add", "-q", one.to_str().unwrap(), "one"]);
    fs::remove_dir_all(&one).unwrap();
    removed(&one).unwrap();
    assert!(project.worktrees().unwrap().iter().all(|worktree| worktree.main), "what git knew of it went too");
}

#[test]
fn a_text_names_a_commit_in_few_ways_only() {
    let repository = Repository::new();
    let root = &repository.root;
    git(root, &["tag", "-a", "v1", "-m", "v1"]);
    git(root, &["update-ref", "refs/remotes/origin/up", "HEAD"]);
    let head = git(root, &["rev-parse", "HEAD"]);
    let project = Project::discover(root).unwrap();
    for text in ["main", "v1", "origin/up", &head, &head[..4]] {
        assert_eq!(project.commit_of(text).unwrap(), Some(id(&head)), "{text}");
    }
    let blob = git(root, &["rev-parse", "HEAD:README"]);
    for text in ["HEAD", "main~0", "@", ":/first", "--all", "", "abc", "refs/heads/main", &blob, "main^{tree}"] {
        assert_eq!(project.commit_of(text).unwrap(), None, "{text}");
    }
    assert_eq!(project.head().unwrap(), Some(id(&head)));
    let tracked = project.tracked().unwrap();
    assert!(tracked.holds("README") && !tracked.holds("READ") && !tracked.holds("d"));
    assert_eq!(repository.store().beyond(&[id(&head)], &[], 10).unwrap(), [id(&head)]);
    assert!(repository.store().beyond(&[id(&head)], &[id(&head)], 10).unwrap().is_empty());
}
