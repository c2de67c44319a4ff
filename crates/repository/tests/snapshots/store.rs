use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

use orchestrator_repository::{Author, Delta, Error, ObjectId, Store, bstr::BStr};

use crate::git::{Repository, git, try_git};

fn author() -> Author {
    Author { name: "agent \u{e4}".to_owned(), email: "agent@example.org".to_owned(), seconds: 1_700_000_000 }
}

fn id(text: &str) -> ObjectId {
    ObjectId::from_hex(text.as_bytes()).unwrap()
}

/// A snapshot with an edit, a new file in a new folder, a link and a deletion.
fn worked(repository: &Repository, store: &Store) -> ObjectId {
    repository.write("README", "edited\n");
    repository.write("new/deep/file", "content\n");
    std::os::unix::fs::symlink("README", repository.root.join("link")).unwrap();
    let _ = fs::remove_file(repository.root.join("gone"));
    repository.workspace(store).snapshot().commit(&author(), "agent 1, seq 7\n").unwrap()
}

#[test]
fn what_is_durable_is_there_after_a_restart_and_git_agrees() {
    let repository = Repository::new();
    repository.write("gone", "g");
    repository.commit("more");
    let store = repository.store();
    let commit = worked(&repository, &store);
    assert!(store.memory_bytes() > 0);
    store.make_durable(&[commit]).unwrap();
    assert_eq!(store.memory_bytes(), 0);
    store.keep(&[("refs/work/1".to_owned(), commit)]).unwrap();
    assert_eq!(store.packs(), 1, "a second time writes nothing");

    let again = repository.store();
    assert_eq!(again.refs("refs/work/").unwrap(), [("refs/work/1".to_owned(), commit)]);
    let (tree, parents) = again.read_commit(commit).unwrap();
    assert_eq!(parents, [id(&git(&repository.root, &["rev-parse", "HEAD"]))]);
    let (_, blob) = again.entry(tree, "new/deep/file".into()).unwrap().unwrap();
    assert_eq!(again.blob(blob).unwrap(), b"content\n");
    assert_eq!(again.entry(tree, "gone".into()).unwrap(), None);

    let folder = store.folder();
    git(folder, &["fsck", "--strict", "--no-dangling"]);
    for pack in fs::read_dir(folder.join("objects/pack")).unwrap() {
        let path = pack.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "idx") {
            git(folder, &["verify-pack", path.to_str().unwrap()]);
        }
    }
    assert_eq!(git(folder, &["cat-file", "blob", "refs/work/1:new/deep/file"]), "content");
    assert_eq!(git(folder, &["cat-file", "blob", "refs/work/1:link"]), "README");
    assert_eq!(
        git(folder, &["log", "-1", "--format=%an <%ae> %at %s", "refs/work/1"]),
        "agent \u{e4} <agent@example.org> 1700000000 agent 1, seq 7"
    );
    assert_eq!(git(&repository.root, &["for-each-ref", "refs/work"]), "", "nothing in the user's repository");
    assert_eq!(git(&repository.root, &["status", "--short"]), " M README\n D gone\n?? link\n?? new/");
}

#[test]
fn the_same_content_at_many_places_is_one_object() {
    let repository = Repository::new();
    for folder in ["one", "two", "two/three"] {
        repository.write(&format!("{folder}/same/file"), "same\n");
        repository.write(&format!("{folder}/same/other"), "same\n");
    }
    let store = repository.store();
    let commit = repository.workspace(&store).snapshot().commit(&author(), "m").unwrap();
    let name = "refs/work/1".to_owned();
    store.keep(&[(name.clone(), commit), (name, commit)]).unwrap();
    git(store.folder(), &["fsck", "--strict", "--no-dangling"]);
    let packed = git(store.folder(), &["count-objects", "-v"]);
    // The commit, four trees that differ, one blob.
    assert!(packed.contains("in-pack: 6\n"), "{packed}");
}

#[test]
fn a_half_made_store_is_mended() {
    let repository = Repository::new();
    let folder = repository.root.join(".git/orchestrator/work.git");
    fs::create_dir_all(folder.join("objects/pack")).unwrap();
    fs::write(folder.join("config.lock"), "half").unwrap();
    let half = fs::File::create(folder.join("objects/pack/tmp_snapshot_1.pack")).unwrap();
    half.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(4000)).unwrap();
    fs::write(folder.join("objects/pack/pack-00.idx"), "without its pack").unwrap();
    let store = repository.store();
    let commit = worked(&repository, &store);
    store.make_durable(&[commit]).unwrap();
    fs::remove_file(folder.join("HEAD")).unwrap();
    fs::remove_file(folder.join("objects/info/alternates")).unwrap();
    let store = repository.store();
    assert!(store.read_commit(commit).is_ok());
    git(&folder, &["fsck", "--strict", "--no-dangling"]);
    assert_eq!(fs::read_dir(folder.join("objects/pack")).unwrap().count(), 2);
}

#[test]
fn staged_blobs_are_kept_too_though_they_are_in_the_users_repository() {
    let repository = Repository::new();
    let store = repository.store();
    repository.write("staged", "only in the index\n");
    git(&repository.root, &["add", "-A"]);
    let snapshot = repository.workspace(&store).snapshot();
    let commit = snapshot.commit(&author(), "m").unwrap();
    store.make_durable(&[commit]).unwrap();
    store.pin("1", snapshot.head.unwrap()).unwrap();
    git(&repository.root, &["reset", "-q", "--hard"]);
    git(&repository.root, &["gc", "-q", "--prune=now"]);
    let again = repository.store();
    let Some(Delta::Entry(entry)) = snapshot.delta.get(BStr::new("staged")) else { panic!("{snapshot:?}") };
    assert_eq!(again.blob(entry.oid).unwrap(), b"only in the index\n");
}

#[test]
fn pinned_commits_outlive_the_users_garbage_collection_and_others_do_not() {
    let repository = Repository::new();
    let store = repository.store();
    let root = &repository.root;
    let mut commits = Vec::new();
    for name in ["pinned", "loose"] {
        repository.write(name, name);
        repository.commit(name);
        commits.push(id(&git(root, &["rev-parse", "HEAD"])));
        git(root, &["reset", "-q", "--hard", "HEAD~1"]);
    }
    store.pin("3", commits[0]).unwrap();
    assert_eq!(git(root, &["rev-parse", "refs/orchestrator/base/3"]), commits[0].to_string());
    let collect = || {
        git(root, &["reflog", "expire", "--expire=now", "--all"]);
        git(root, &["gc", "-q", "--prune=now"]);
    };
    collect();
    let fresh = repository.store();
    assert!(fresh.read_commit(commits[0]).is_ok() && fresh.read_commit(commits[1]).is_err());
    assert!(fresh.unpin("3").unwrap(), "also after git packed the ref");
    assert!(!fresh.unpin("3").unwrap());
    collect();
    assert!(repository.store().read_commit(commits[0]).is_err());
    for name in ["", "..", "a/b", "x.lock", "-x y", "@{"] {
        assert!(matches!(store.pin(name, commits[0]), Err(Error::Ref { .. })), "{name:?}");
        let kept = store.keep(&[(format!("refs/work/{name}"), commits[0])]);
        assert!(matches!(kept, Err(Error::Ref { .. })), "{name:?}");
    }
    assert!(matches!(store.keep(&[("refs/heads/main".to_owned(), commits[0])]), Err(Error::Ref { .. })));
}

#[test]
fn pins_that_come_and_go_at_once_are_in_nobodys_way() {
    let repository = Repository::new();
    let store = repository.store();
    let head = id(&git(&repository.root, &["rev-parse", "HEAD"]));
    // Whoever removes the last takes the folder away, in which others are just being written.
    std::thread::scope(|scope| {
        for name in ["one", "two", "three"] {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..100 {
                    store.pin(name, head).unwrap();
                    assert!(store.unpin(name).unwrap());
                }
            });
        }
    });
}

#[test]
fn a_pin_moves_and_heeds_locks_but_not_stale_ones() {
    let repository = Repository::new();
    let store = repository.store();
    let root = &repository.root;
    let first = id(&git(root, &["rev-parse", "HEAD"]));
    repository.commit("second");
    let second = id(&git(root, &["rev-parse", "HEAD"]));
    store.pin("1", first).unwrap();
    git(root, &["pack-refs", "--all"]);
    store.pin("1", second).unwrap();
    assert_eq!(git(root, &["rev-parse", "refs/orchestrator/base/1"]), second.to_string());
    let lock = root.join(".git/refs/orchestrator/base/1.lock");
    let file = fs::File::create(&lock).unwrap();
    assert!(store.pin("1", first).is_err());
    assert!(lock.exists(), "somebody else's");
    store.pin("1", second).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(100)).unwrap();
    store.pin("1", first).unwrap();
    assert!(!lock.exists());
    assert_eq!(git(root, &["rev-parse", "refs/orchestrator/base/1"]), first.to_string());
    git(root, &["fsck", "--strict"]);
}

#[test]
fn objects_stay_readable_while_the_users_git_repacks_again_and_again() {
    let repository = Repository::new();
    for at in 0..60 {
        repository.write(&format!("f{at}"), format!("{at}\n").repeat(50));
    }
    repository.commit("many");
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    let head = workspace.snapshot().head.unwrap();
    store.pin("1", head).unwrap();
    // The pin alone holds it: the branch goes back.
    git(&repository.root, &["update-ref", "refs/heads/main", "HEAD~1"]);
    git(&repository.root, &["reflog", "expire", "--expire=now", "--all"]);
    let stop = AtomicBool::new(false);
    let rounds = std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut rounds = 0;
            while !stop.load(Ordering::Relaxed) && rounds < 25 {
                // New objects, so that each round has another pack.
                let mut stdin = crate::git::command(&repository.root, &["hash-object", "-w", "--stdin"]);
                let input = repository.beside("input");
                fs::write(&input, format!("{rounds}")).unwrap();
                let blob = stdin.stdin(fs::File::open(&input).unwrap()).output().unwrap();
                let blob = String::from_utf8(blob.stdout).unwrap();
                git(&repository.root, &["update-ref", "refs/keep/1", blob.trim()]);
                git(&repository.root, &["gc", "-q", "--prune=now"]);
                rounds += 1;
            }
            stop.store(true, Ordering::Relaxed);
            rounds
        });
        let mut reads = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            for at in 0..60 {
                let (tree, _) = store.read_commit(head).unwrap();
                let (_, blob) = store.entry(tree, BStr::new(&format!("f{at}"))).unwrap().unwrap();
                assert_eq!(store.blob(blob).unwrap(), format!("{at}\n").repeat(50).into_bytes());
                reads += 1;
            }
            workspace.refresh(&["f1"]).unwrap();
        }
        assert!(reads > 60, "it was read meanwhile");
        collector.join().unwrap()
    });
    assert_eq!(rounds, 25);
}

#[test]
fn compacting_keeps_what_refs_need() {
    let repository = Repository::new();
    let store = repository.store();
    let mut commits = Vec::new();
    for round in 0..4 {
        repository.write("file", format!("{round}"));
        let commit = repository.workspace(&store).snapshot().commit(&author(), &format!("{round}")).unwrap();
        store.keep(&[(format!("refs/backup/{round}"), commit)]).unwrap();
        commits.push(commit);
    }
    assert_eq!(store.packs(), 4);
    assert!(store.remove_ref("refs/backup/0").unwrap());
    assert!(!store.remove_ref("refs/backup/0").unwrap());
    store.compact([]).unwrap();
    assert_eq!(store.packs(), 1);
    for store in [&store, &repository.store()] {
        assert!(store.read_commit(commits[0]).is_err());
        for (round, commit) in commits.iter().enumerate().skip(1) {
            let (tree, _) = store.read_commit(*commit).unwrap();
            let (_, blob) = store.entry(tree, "file".into()).unwrap().unwrap();
            assert_eq!(store.blob(blob).unwrap(), round.to_string().into_bytes());
        }
    }
    git(store.folder(), &["fsck", "--strict"]);
    store.compact([]).unwrap();
    assert_eq!(store.packs(), 1);
}

#[test]
fn a_sweep_drops_what_nobody_holds() {
    let repository = Repository::new();
    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    for round in 0..20 {
        repository.write("file", format!("{round}").repeat(1000));
        workspace.refresh(&["file"]).unwrap();
        workspace.snapshot().tree().unwrap();
    }
    let before = store.memory_bytes();
    let mark = store.mark();
    let tree = workspace.snapshot().tree().unwrap();
    let later = store.write_blob(b"after the mark").unwrap();
    assert!(store.sweep(mark, [tree]).unwrap() > 30);
    assert!(store.memory_bytes() < before / 5);
    let (_, blob) = store.entry(tree, "file".into()).unwrap().unwrap();
    assert_eq!(store.blob(blob).unwrap(), "19".repeat(1000).into_bytes());
    assert!(store.blob(later).is_ok());
}

#[test]
fn the_id_of_a_tree_is_told_without_keeping_the_tree() {
    let repository = Repository::new();
    repository.write("new/deep/file", "content\n");
    let store = repository.store();
    let snapshot = repository.workspace(&store).snapshot();
    let before = store.memory_bytes();
    let told = store.tree_id_with(snapshot.head_tree, &snapshot.delta).unwrap();
    assert_eq!(store.memory_bytes(), before);
    assert!(store.entry(told, "new/deep/file".into()).is_err());
    assert_eq!(store.tree_with(snapshot.head_tree, &snapshot.delta).unwrap(), told);
    assert!(store.memory_bytes() > before);
}

#[test]
fn contents_beyond_the_memory_limit_go_to_disk() {
    let repository = Repository::new();
    let store = repository.store();
    for at in 0..20 {
        repository.write(&format!("f{at}"), vec![at; 1000]);
    }
    let limits = orchestrator_repository::Limits { max_memory: 5000, ..Default::default() };
    let workspace = orchestrator_repository::Workspace::open(&store, &repository.root, limits).unwrap();
    assert!(store.memory_bytes() <= 6000 && store.packs() > 1);
    let tree = workspace.snapshot().tree().unwrap();
    assert_eq!(tree.to_string(), crate::git::added_tree(&repository.root));
    store.compact([tree]).unwrap();
    assert_eq!(store.packs(), 1);
    let (_, blob) = store.entry(tree, "f3".into()).unwrap().unwrap();
    assert_eq!(repository.store().blob(blob).unwrap(), vec![3; 1000]);
}

#[test]
fn a_full_memory_becomes_free_also_of_what_is_on_the_disk_already_and_compacting_goes_on() {
    let repository = Repository::new();
    let store = repository.store();
    for at in 0..20 {
        repository.write(&format!("f{at}"), vec![at; 1000]);
    }
    let limits = orchestrator_repository::Limits { max_memory: 5000, ..Default::default() };
    let open = || orchestrator_repository::Workspace::open(&store, &repository.root, limits.clone()).unwrap();
    open();
    let packs = store.packs();
    assert!(packs > 1);
    let workspace = open();
    assert!(store.memory_bytes() <= 6000, "{}", store.memory_bytes());
    assert!(store.packs() <= packs + 1, "what is on the disk is not written again");
    let Some(Delta::Entry(entry)) = workspace.snapshot().delta.get(BStr::new("f0")).copied() else { panic!() };
    assert!(!store.has_spilled());
    // Nobody says that it is in use, and no ref holds it.
    store.compact([]).unwrap();
    assert_eq!(store.packs(), 1);
    assert_eq!(store.blob(entry.oid).unwrap(), vec![0; 1000]);
}

#[test]
fn a_plain_folder_has_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let project = orchestrator_repository::Project::plain(folder.path()).unwrap();
    assert!(matches!(Store::open(&project), Err(Error::NotGit { .. })));
    assert!(!try_git(folder.path(), &["status"]).status.success());
}

#[test]
fn a_name_that_stands_is_not_given_to_another_commit() {
    let repository = Repository::new();
    let store = repository.store();
    let mut commits = Vec::new();
    for content in ["one", "two"] {
        repository.write("file", content);
        commits.push(repository.workspace(&store).snapshot().commit(&author(), content).unwrap());
    }
    let (name, other) = ("refs/backup/1-1".to_owned(), "refs/backup/1-2".to_owned());
    let twice = store.keep(&[(name.clone(), commits[0]), (name.clone(), commits[1])]);
    assert!(matches!(twice, Err(Error::Taken { .. })), "{twice:?}");
    assert_eq!(store.refs("refs/").unwrap(), []);
    store.keep(&[(name.clone(), commits[0])]).unwrap();
    store.keep(&[(name.clone(), commits[0])]).unwrap();
    let taken = store.keep(&[(other, commits[1]), (name.clone(), commits[1])]);
    assert!(matches!(taken, Err(Error::Taken { .. })), "{taken:?}");
    let taken = store.keep_history(&name, commits[1], Vec::new());
    assert!(matches!(taken, Err(Error::Taken { .. })), "{taken:?}");
    assert_eq!(store.refs("refs/").unwrap(), [(name.clone(), commits[0])], "none of a refused call is set");
    assert_eq!(store.ref_names("refs/").unwrap(), [name]);
}
