//! Projects found in real repositories made by the git program.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use orchestrator_repository::{Error, Project};
use tempfile::TempDir;

fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"])
        .args(["-c", "protocol.file.allow=always"])
        .args(arguments)
        .current_dir(dir)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A temporary folder, canonical, with a repository `main` that has one commit.
fn repository() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().join("main");
    fs::create_dir(&root).unwrap();
    git(&root, &["init", "-q"]);
    git(&root, &["commit", "-q", "--allow-empty", "-m", "first"]);
    (folder, root)
}

#[test]
fn a_subfolder_finds_the_top_of_its_worktree() {
    let (_folder, root) = repository();
    fs::create_dir_all(root.join("a/b")).unwrap();
    for start in [root.clone(), root.join("a/b"), root.join(".git/refs")] {
        let project = Project::discover(&start).unwrap();
        assert_eq!(project.root(), root);
        assert_eq!(project.git_common_dir(), Some(root.join(".git").as_path()));
        assert_eq!(project.branch().unwrap().as_deref(), Some("main"));
        assert_eq!(project.state_dir(Path::new("/unused")), root.join(".git/orchestrator"));
    }
}

#[test]
fn linked_worktrees_share_one_common_folder_and_list_each_other() {
    let (folder, root) = repository();
    let side = folder.path().canonicalize().unwrap().join("side");
    let gone = folder.path().canonicalize().unwrap().join("gone");
    git(&root, &["worktree", "add", "-q", "-b", "topic/one", side.to_str().unwrap()]);
    git(&root, &["worktree", "add", "-q", "--detach", gone.to_str().unwrap()]);
    fs::remove_dir_all(&gone).unwrap();

    let project = Project::discover(&side).unwrap();
    assert_eq!(project.root(), side);
    assert_eq!(project.git_common_dir(), Some(root.join(".git").as_path()));
    assert_eq!(project.branch().unwrap().as_deref(), Some("topic/one"));

    let mut listed = project.worktrees().unwrap();
    assert_eq!(listed, Project::discover(&root).unwrap().worktrees().unwrap());
    assert!(listed[0].main);
    listed.sort_by(|left, right| left.path.cmp(&right.path));
    let seen: Vec<_> =
        listed.iter().map(|tree| (tree.path.as_path(), tree.branch.as_deref(), tree.main, tree.missing)).collect();
    assert_eq!(
        seen,
        [
            (gone.as_path(), None, false, true),
            (root.as_path(), Some("main"), true, false),
            (side.as_path(), Some("topic/one"), false, false),
        ]
    );
    assert!(listed.iter().all(|tree| tree.head.as_ref().is_some_and(|head| head.len() == 40)));
}

#[test]
fn a_repository_without_a_commit_has_a_branch_and_no_head() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    let project = Project::discover(folder.path()).unwrap();
    assert_eq!(project.branch().unwrap().as_deref(), Some("main"));
    let listed = project.worktrees().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].head, None);
}

#[test]
fn a_bare_repository_is_refused_but_its_worktrees_work() {
    let (folder, root) = repository();
    let bare = folder.path().canonicalize().unwrap().join("bare.git");
    git(&root, &["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let error = Project::discover(&bare).unwrap_err();
    assert!(matches!(error, Error::Bare { .. }), "{error}");

    let tree = folder.path().canonicalize().unwrap().join("tree");
    git(&bare, &["worktree", "add", "-q", tree.to_str().unwrap(), "main"]);
    let project = Project::discover(&tree).unwrap();
    assert_eq!(project.git_common_dir(), Some(bare.as_path()));
    let listed = project.worktrees().unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].path, tree);
}

#[test]
fn a_submodule_is_a_project_of_its_own() {
    let (_folder, root) = repository();
    git(&root, &["submodule", "--quiet", "add", "./.", "inner"]);
    let project = Project::discover(&root.join("inner")).unwrap();
    assert_eq!(project.root(), root.join("inner"));
    assert_eq!(project.git_common_dir(), Some(root.join(".git/modules/inner").as_path()));
}

#[test]
fn a_git_file_that_points_nowhere_is_an_error_not_a_plain_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".git"), "gitdir: /nowhere/at/all\n").unwrap();
    let error = Project::discover(folder.path()).unwrap_err();
    assert!(matches!(error, Error::Repository { .. } | Error::Folder { .. }), "{error}");
}

#[test]
fn a_folder_without_git_is_a_plain_project_with_a_stable_state_folder() {
    let folder = tempfile::tempdir().unwrap();
    let canonical = folder.path().canonicalize().unwrap();
    let project = Project::discover(folder.path()).unwrap();
    assert_eq!(project.root(), canonical);
    assert_eq!(project.git_common_dir(), None);
    assert_eq!(project.branch().unwrap(), None);
    assert!(project.worktrees().unwrap().is_empty());
    assert!(!project.exclude("/.x/").unwrap());
    let state = project.state_dir(Path::new("/state"));
    assert_eq!(state.file_name().unwrap().len(), 16);
    assert_eq!(state, Project::plain(folder.path()).unwrap().state_dir(Path::new("/state")));
    assert!(matches!(Project::discover(Path::new("/nowhere/at/all")), Err(Error::Folder { .. })));
}

#[test]
fn a_plain_project_ignores_the_repository_around_it() {
    let (_folder, root) = repository();
    let project = Project::plain(&root).unwrap();
    assert_eq!(project.git_common_dir(), None);
}

#[test]
fn an_excluded_folder_is_ignored_by_git_in_every_worktree() {
    let (folder, root) = repository();
    let side = folder.path().canonicalize().unwrap().join("side");
    git(&root, &["worktree", "add", "-q", "-b", "side", side.to_str().unwrap()]);
    assert!(Project::discover(&side).unwrap().exclude("/.orchestrator/").unwrap());
    assert!(!Project::discover(&root).unwrap().exclude("/.orchestrator/").unwrap());
    for tree in [&root, &side] {
        fs::create_dir(tree.join(".orchestrator")).unwrap();
        git(tree, &["check-ignore", "-q", ".orchestrator/bus"]);
    }
}

#[test]
fn paths_are_named_from_the_root() {
    let (_folder, root) = repository();
    let project = Project::discover(&root).unwrap();
    let absolute = root.join("src/x.rs");
    assert_eq!(project.relative(absolute.to_str().unwrap()).unwrap(), "src/x.rs");
    assert!(project.contains("./src//x.rs"));
    assert!(!project.contains("../x"));
    assert!(!project.contains("src/.GIT/x"));
}

#[test]
fn hostile_configuration_runs_nothing_and_moves_nothing() {
    let (folder, root) = repository();
    let marker = folder.path().canonicalize().unwrap().join("executed");
    let script = folder.path().canonicalize().unwrap().join("evil.sh");
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", marker.display())).unwrap();
    Command::new("chmod").arg("+x").arg(&script).status().unwrap();
    let script = script.to_str().unwrap();
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "filter.x.smudge",
        "filter.x.clean",
        "diff.x.textconv",
        "credential.helper",
    ] {
        git(&root, &["config", key, script]);
    }
    git(&root, &["config", "include.path", "/nowhere/at/all"]);
    let project = Project::discover(&root).unwrap();
    project.worktrees().unwrap();
    project.branch().unwrap();
    project.exclude("/.x/").unwrap();
    assert!(!marker.exists());

    let elsewhere = folder.path().canonicalize().unwrap().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    git(&root, &["config", "core.worktree", elsewhere.to_str().unwrap()]);
    let error = Project::discover(&root).unwrap_err();
    assert!(matches!(error, Error::ForeignWorktree { .. }), "{error}");
}
