use std::{fs, os::unix::fs::MetadataExt, path::Path};

use orchestrator_repository::{Author, Error, Limits, ObjectId, Project, Start, Workspace};

use crate::git::{Repository, git, try_git};

fn id(text: &str) -> ObjectId {
    ObjectId::from_hex(text.as_bytes()).unwrap()
}

fn head(root: &Path) -> ObjectId {
    id(&git(root, &["rev-parse", "HEAD"]))
}

#[test]
fn a_clone_is_as_git_would_make_it_and_takes_nothing_that_runs() {
    let repository = Repository::new();
    let root = &repository.root;
    let pwned = repository.beside("pwned");
    repository.write("d/file", "f\n");
    repository.write("f.x", "stored\n");
    repository.write("dos.txt", "a\nb\n");
    repository.write(".gitattributes", "*.x filter=evil\n*.txt text eol=crlf\n");
    std::os::unix::fs::symlink("d/file", root.join("link")).unwrap();
    repository.commit("more");
    git(root, &["gc", "-q"]);
    repository.write("loose", "l\n");
    repository.commit("loose");
    git(root, &["tag", "-a", "-m", "one", "v1"]);
    git(root, &["branch", "topic/a"]);
    let run = format!("touch {}", pwned.display());
    for key in ["filter.evil.smudge", "filter.evil.clean", "core.fsmonitor", "alias.status", "core.sshCommand"] {
        git(root, &["config", key, &run]);
    }
    let hook = root.join(".git/hooks/post-checkout");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\n{run}\n")).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let project = Project::discover(root).unwrap();
    let clone = repository.beside("a \"b\\ clone");
    let commit = head(root);
    project.create_clone(&clone, Start::NewBranch("agent/one", commit)).unwrap();
    assert!(!pwned.exists(), "a program ran");
    assert!(!clone.join(".git/hooks").exists());

    assert_eq!(git(&clone, &["status", "--short", "--branch"]), "## agent/one");
    assert_eq!(fs::read(clone.join("dos.txt")).unwrap(), b"a\r\nb\r\n");
    assert_eq!(fs::read(clone.join("f.x")).unwrap(), b"stored\n");
    assert!(clone.join("link").is_symlink());
    git(&clone, &["fsck", "--strict", "--full"]);
    assert!(!clone.join(".git/objects/info/alternates").exists());
    let refs = git(&clone, &["for-each-ref", "--format=%(refname)"]);
    let expected = ["refs/heads/agent/one", "refs/remotes/origin/main", "refs/remotes/origin/topic/a", "refs/tags/v1"];
    assert_eq!(refs.lines().collect::<Vec<_>>(), expected);
    assert_eq!(git(&clone, &["remote", "get-url", "origin"]), root.to_str().unwrap());
    git(&clone, &["config", "--list"]).lines().for_each(|line| assert!(!line.contains("pwned"), "{line}"));
    let pack = fs::read_dir(clone.join(".git/objects/pack")).unwrap().next().unwrap().unwrap();
    assert!(pack.metadata().unwrap().nlink() > 1, "on one file system nothing is copied");
    assert!(!pwned.exists());
    assert_eq!(git(root, &["for-each-ref", "refs/heads/agent"]), "", "the branch is the clone's own");
}

#[test]
fn the_projects_garbage_collection_takes_nothing_of_a_clone_and_alternates_come_along() {
    let repository = Repository::new();
    let borrowing = repository.beside("borrowing");
    git(&repository.root, &["clone", "-q", "--shared", ".", borrowing.to_str().unwrap()]);
    fs::write(borrowing.join("own"), "o\n").unwrap();
    git(&borrowing, &["add", "-A"]);
    git(&borrowing, &["commit", "-q", "-m", "own"]);
    let clone = repository.beside("clone");
    let start = head(&borrowing);
    Project::discover(&borrowing).unwrap().create_clone(&clone, Start::Detached(start)).unwrap();
    git(&borrowing, &["reset", "-q", "--hard", "HEAD~1"]);
    for root in [&borrowing, &repository.root] {
        git(root, &["reflog", "expire", "--expire=now", "--all"]);
        git(root, &["gc", "-q", "--prune=now"]);
    }
    assert!(!try_git(&borrowing, &["cat-file", "-e", &start.to_string()]).status.success());
    fs::remove_dir_all(&repository.root).unwrap();
    git(&clone, &["fsck", "--strict", "--full"]);
    assert_eq!(git(&clone, &["status", "--short", "--branch"]), "## HEAD (no branch)");
    assert_eq!(head(&clone), start);
}

#[test]
fn a_clone_made_while_the_project_packs_again_and_again_is_whole() {
    let repository = Repository::new();
    for number in 0..40 {
        repository.write(&format!("d/{number}"), format!("{number}\n"));
        repository.commit("more");
    }
    let project = Project::discover(&repository.root).unwrap();
    let start = head(&repository.root);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                git(&repository.root, &["repack", "-q", "-a", "-d", "-f"]);
                git(&repository.root, &["prune-packed", "-q"]);
            }
        });
        let made: Vec<_> = (0..5).map(|number| repository.beside(&format!("clone{number}"))).collect();
        let results: Vec<_> = made.iter().map(|clone| project.create_clone(clone, Start::Detached(start))).collect();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        for (clone, result) in made.iter().zip(results) {
            result.unwrap();
            git(clone, &["fsck", "--strict", "--full"]);
            assert_eq!(git(clone, &["status", "--short"]), "");
        }
    });
}

#[test]
fn a_clone_that_cannot_be_made_leaves_nothing() {
    let repository = Repository::new();
    let head = head(&repository.root);
    let project = Project::discover(&repository.root).unwrap();
    let (full, free) = (repository.beside("full"), repository.beside("free"));
    fs::create_dir(&full).unwrap();
    fs::write(full.join("precious"), "p").unwrap();
    let refused = |folder: &Path, start| {
        let error = project.create_clone(folder, start).unwrap_err();
        assert!(matches!(error, Error::Clone { .. }), "{error}");
    };
    refused(&full, Start::Detached(head));
    refused(&free, Start::Branch("none"));
    refused(&free, Start::Detached(ObjectId::null(head.kind())));
    refused(&free.join("below"), Start::Detached(head));
    for name in ["-x", "a..b", "x.lock", "", "HEAD"] {
        refused(&free, Start::NewBranch(name, head));
    }
    // A clone that lacks what the project would have to fetch is no clone that stands alone.
    git(&repository.root, &["gc", "-q"]);
    let packs = repository.root.join(".git/objects/pack");
    let pack =
        fs::read_dir(&packs).unwrap().map(|one| one.unwrap().path()).find(|one| one.extension().unwrap() == "idx");
    fs::write(pack.unwrap().with_extension("promisor"), "").unwrap();
    refused(&free, Start::Detached(head));
    assert!(!free.exists());
    assert_eq!(fs::read(full.join("precious")).unwrap(), b"p");
}

#[test]
fn only_a_clone_that_was_made_is_removed_also_when_it_is_half_there() {
    let repository = Repository::new();
    let root = &repository.root;
    let project = Project::discover(root).unwrap();
    let (clone, theirs) = (repository.beside("clone"), repository.beside("theirs"));
    git(root, &["clone", "-q", ".", theirs.to_str().unwrap()]);
    let outside = repository.beside("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "p").unwrap();
    for folder in [&theirs, root, &outside] {
        let error = project.remove_clone(folder).unwrap_err();
        assert!(matches!(error, Error::Removal { .. }), "{error}");
    }
    std::os::unix::fs::symlink(&outside, &clone).unwrap();
    assert!(matches!(project.remove_clone(&clone), Err(Error::Removal { .. })), "a link is not followed");
    fs::remove_file(&clone).unwrap();
    let start = Start::Detached(head(root));
    let spoil: [&dyn Fn(); 5] = [
        &|| {},
        &|| fs::remove_file(clone.join("README")).unwrap(),
        &|| fs::remove_file(clone.join(".git/HEAD")).unwrap(),
        &|| fs::remove_dir_all(clone.join(".git/objects")).unwrap(),
        &|| {
            fs::remove_dir_all(&clone).unwrap();
            fs::create_dir_all(clone.join(".git")).unwrap();
        },
    ];
    for spoil in spoil {
        project.create_clone(&clone, start).unwrap();
        std::os::unix::fs::symlink(&outside, clone.join("out")).unwrap();
        spoil();
        project.remove_clone(&clone).unwrap();
        assert!(!clone.exists());
    }
    assert_eq!(fs::read(outside.join("precious")).unwrap(), b"p");
    project.create_clone(&clone, start).unwrap();
    assert_eq!(project.remove_clone(&clone).unwrap().files, 1);
    assert_eq!(project.remove_clone(&clone).unwrap().files, 0, "none is no error");
}

#[test]
fn the_history_that_only_a_clone_has_outlives_it() {
    let repository = Repository::new();
    let root = &repository.root;
    let project = Project::discover(root).unwrap();
    let store = repository.store();
    let clone = repository.beside("clone");
    let base = head(root);
    project.create_clone(&clone, Start::NewBranch("own", base)).unwrap();
    for number in 0..3 {
        fs::write(clone.join("README"), format!("{number}\n")).unwrap();
        fs::write(clone.join(format!("n{number}")), "n\n").unwrap();
        git(&clone, &["add", "-A"]);
        git(&clone, &["commit", "-q", "-m", &number.to_string()]);
    }
    git(&clone, &["checkout", "-q", "-b", "side", &base.to_string()]);
    fs::write(clone.join("side"), "s\n").unwrap();
    git(&clone, &["add", "-A"]);
    git(&clone, &["commit", "-q", "-m", "side"]);
    git(&clone, &["checkout", "-q", "own"]);
    git(&clone, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    for content in ["stash one", "stash two"] {
        fs::write(clone.join("README"), content).unwrap();
        git(&clone, &["stash", "-q"]);
    }
    let stashes = Project::discover(&clone).unwrap().tips().unwrap();
    let stashes: Vec<ObjectId> =
        stashes.into_iter().filter(|(name, _)| name == "refs/stash").map(|(_, id)| id).collect();
    let older = id(&git(&clone, &["rev-parse", "stash@{1}"]));
    assert!(stashes.contains(&older), "all entries of the stash");
    fs::write(clone.join("README"), "uncommitted\n").unwrap();
    let snapshot = Workspace::open(&store, &clone, Limits::default()).unwrap().snapshot();
    let author = Author { name: "ann".into(), email: "ann@localhost".into(), seconds: 1 };
    let parents = [snapshot.head.unwrap(), older];
    let commit = store.commit(snapshot.tree().unwrap(), &parents, &author, "work\n").unwrap();
    let history = store.beyond(&parents, &[base], usize::MAX).unwrap();
    assert_eq!(history.len(), 3 + 1 + 1 + 2, "with the stash's commit of the index");
    store.keep_history("refs/backup/1-1", commit, history).unwrap();
    assert!(store.remove_alternate(&clone.join(".git/objects")).unwrap());
    assert!(!store.remove_alternate(&clone.join(".git/objects")).unwrap());
    project.remove_clone(&clone).unwrap();
    git(store.folder(), &["fsck", "--strict", "--no-dangling"]);
    let log = git(store.folder(), &["log", "--format=%s", "refs/backup/1-1", "--not", &base.to_string()]);
    assert_eq!(log.lines().count(), 8, "{log}");
    assert_eq!(git(store.folder(), &["show", &format!("{older}:README")]), "stash one");
    store.compact([]).unwrap();
    git(store.folder(), &["fsck", "--strict", "--no-dangling"]);
    git(root, &["fetch", "-q", store.folder().to_str().unwrap(), "refs/backup/1-1:refs/heads/back"]);
    assert_eq!(git(root, &["show", "back~1:side"]), "s");
}
