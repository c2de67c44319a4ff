use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use orchestrator_repository::{Advanced, Author, Moved, ObjectId, Project, Store, bstr::ByteSlice};

use crate::git::{Repository, added_tree, git, try_git};

fn id(text: &str) -> ObjectId {
    ObjectId::from_hex(text.as_bytes()).unwrap()
}

fn rev(root: &Path, text: &str) -> ObjectId {
    id(&git(root, &["rev-parse", text]))
}

fn author() -> Author {
    Author { name: "a".to_owned(), email: "a@example.org".to_owned(), seconds: 0 }
}

/// A repository with files of every kind, and a commit of our own on top of its branch that changes them in every way.
struct World {
    repository: Repository,
    project: Project,
    store: Store,
    old: ObjectId,
    new: ObjectId,
}

impl World {
    fn new() -> Self {
        let repository = Repository::new();
        let root = repository.root.clone();
        repository.write("kept", "kept\n");
        repository.write("changed", "one\n");
        repository.write("removed/deep/file", "r\n");
        repository.write("folder-to-file/x", "x\n");
        repository.write("file-to-folder", "f\n");
        repository.write("script", "#!\n");
        repository.write("crlf.txt", "a\r\nb\r\n");
        repository.write(".gitattributes", "*.txt text eol=crlf\n");
        repository.write(".gitignore", "ignored\n");
        symlink("kept", root.join("link")).unwrap();
        repository.commit("old");
        let old = rev(&root, "HEAD");
        let other = repository.beside("other");
        git(&root, &["worktree", "add", "-q", "--detach", other.to_str().unwrap()]);
        let write = |path: &str, content: &str| {
            fs::create_dir_all(other.join(path).parent().unwrap()).unwrap();
            fs::write(other.join(path), content).unwrap();
        };
        write("changed", "two\n");
        fs::remove_dir_all(other.join("removed")).unwrap();
        fs::remove_dir_all(other.join("folder-to-file")).unwrap();
        write("folder-to-file", "now a file\n");
        fs::remove_file(other.join("file-to-folder")).unwrap();
        write("file-to-folder/y", "y\n");
        fs::set_permissions(other.join("script"), fs::Permissions::from_mode(0o755)).unwrap();
        write("crlf.txt", "a\r\nB\r\n");
        fs::remove_file(other.join("link")).unwrap();
        symlink("changed", other.join("link")).unwrap();
        write("new/deep", "n\n");
        let project = Project::discover(&root).unwrap();
        let store = Store::open(&project).unwrap();
        let workspace = orchestrator_repository::Workspace::open(&store, &other, Default::default()).unwrap();
        let tree = workspace.snapshot().tree().unwrap();
        let new = store.commit(tree, &[old], &author(), "new\n").unwrap();
        git(&root, &["worktree", "remove", "--force", other.to_str().unwrap()]);
        Self { repository, project, store, old, new }
    }

    fn root(&self) -> &Path {
        &self.repository.root
    }

    fn tree(&self, commit: ObjectId) -> ObjectId {
        self.store.read_commit(commit).unwrap().0
    }

    fn advance(&self) -> Advanced {
        let mut workspace = self.repository.workspace(&self.store);
        let (from, to) = (self.tree(self.old), self.tree(self.new));
        workspace
            .advance(from, to, || self.project.move_branch("main", Some(self.old), self.new, "landing: new"))
            .unwrap()
    }

    fn status(&self) -> String {
        git(self.root(), &["status", "--porcelain"])
    }
}

#[test]
fn what_is_published_needs_nothing_of_the_store() {
    let world = World::new();
    world.store.publish(world.new).unwrap();
    assert!(world.store.is_published(world.new).unwrap());
    let store = world.store.folder().to_owned();
    fs::rename(&store, store.with_extension("away")).unwrap();
    let root = world.root();
    git(root, &["update-ref", "refs/heads/copy", &world.new.to_string()]);
    git(root, &["fsck", "--strict", "--full"]);
    assert_eq!(git(root, &["show", "copy:new/deep"]), "n");
    git(root, &["gc", "-q", "--prune=now"]);
    assert_eq!(git(root, &["log", "--format=%s", "-1", "copy"]), "new");
}

#[test]
fn a_branch_moves_only_from_where_it_is_meant_to_stand() {
    let world = World::new();
    let (root, project) = (world.root(), &world.project);
    world.store.publish(world.new).unwrap();
    git(root, &["branch", "b", "HEAD~1"]);
    let first = rev(root, "b");
    assert_eq!(project.move_branch("b", Some(world.old), world.new, "m").unwrap(), Moved::Elsewhere(Some(first)));
    assert_eq!(project.move_branch("b", None, world.new, "m").unwrap(), Moved::Elsewhere(Some(first)));
    assert_eq!(project.move_branch("none", Some(first), world.new, "m").unwrap(), Moved::Elsewhere(None));
    assert_eq!(rev(root, "b"), first);
    git(root, &["pack-refs", "--all"]);
    assert_eq!(project.move_branch("b", Some(first), world.new, "landing: it\nis").unwrap(), Moved::Done);
    assert_eq!(project.move_branch("b", Some(first), world.new, "again").unwrap(), Moved::Done, "it stands there");
    assert_eq!(
        (rev(root, "b"), git(root, &["log", "-g", "--format=%gs", "-1", "b"])),
        (world.new, "landing: it is".into())
    );
    assert_eq!(project.move_branch("made/deep", None, first, "m").unwrap(), Moved::Done);
    assert_eq!(rev(root, "made/deep"), first);
    git(root, &["symbolic-ref", "refs/heads/points", "refs/heads/b"]);
    assert!(project.move_branch("points", Some(world.new), first, "m").is_err());
    for name in ["--output=f", "-x", "a..b", "x.lock", "a b", "", "HEAD", "/a", "a/"] {
        assert!(project.move_branch(name, None, first, "m").is_err(), "{name}");
    }
    assert_eq!(git(root, &["fsck"]), "");
}

#[test]
fn a_lock_of_ours_is_cleared_and_a_foreign_one_is_not() {
    let world = World::new();
    world.store.publish(world.new).unwrap();
    let lock = world.root().join(".git/refs/heads/main.lock");
    for foreign in ["", "5e1c309dae7f45e0f39b1bf3ac3cd9db12e7d689\n"] {
        fs::write(&lock, foreign).unwrap();
        let moved = world.project.move_branch("main", Some(world.old), world.new, "m").unwrap();
        assert_eq!((moved, fs::read_to_string(&lock).unwrap().as_str()), (Moved::Locked, foreign));
    }
    // As a killed server leaves it.
    fs::write(&lock, "orchestrator lock\n").unwrap();
    assert_eq!(world.project.move_branch("main", Some(world.old), world.new, "m").unwrap(), Moved::Done);
    assert!(!lock.exists());
    let index_lock = world.root().join(".git/index.lock");
    git(world.root(), &["update-ref", "refs/heads/main", &world.old.to_string()]);
    fs::write(&index_lock, "").unwrap();
    assert!(matches!(world.advance(), Advanced::Blocked(_)));
    assert!(index_lock.exists());
    fs::write(&index_lock, "orchestrator lock\n").unwrap();
    assert_eq!(world.advance(), Advanced::Done { kept: Vec::new() });
    assert!(!index_lock.exists());
}

#[test]
fn a_checked_out_branch_takes_its_files_and_index_along_and_other_edits_stay() {
    let world = World::new();
    world.store.publish(world.new).unwrap();
    let root = world.root();
    world.repository.write("kept", "edited\n");
    world.repository.write("staged", "s\n");
    git(root, &["add", "staged"]);
    world.repository.write("untracked", "u\n");
    world.repository.write("ignored", "i\n");
    let before = world.status();
    assert_eq!(world.advance(), Advanced::Done { kept: Vec::new() });
    assert_eq!(world.status(), before);
    assert_eq!(rev(root, "HEAD"), world.new);
    for path in ["kept", "staged", "untracked", "ignored"] {
        let content = fs::read_to_string(root.join(path)).unwrap();
        assert!(["edited\n", "s\n", "u\n", "i\n"].contains(&content.as_str()), "{path}");
    }
    git(root, &["stash", "-q", "--include-untracked"]);
    assert_eq!(added_tree(root), world.tree(world.new).to_string(), "file by file what landed");
    assert_eq!(fs::read(root.join("crlf.txt")).unwrap(), b"a\r\nB\r\n");
    assert!(!root.join("removed").exists());
    git(root, &["stash", "pop", "-q"]);
    git(root, &["fsck", "--strict"]);
    assert_eq!(git(root, &["commit", "-q", "-m", "a person's next commit"]), "");
    let theirs = git(root, &["show", "--format=", "--name-only", "HEAD"]);
    assert_eq!(theirs, "staged", "it takes nothing back of what landed");
}

#[test]
fn what_is_in_the_way_is_named_and_nothing_is_touched() {
    type Hinder = fn(&World);
    let cases: [(&str, &str, Hinder); 9] = [
        ("edited", "changed", |world| world.repository.write("changed", "mine\n")),
        ("deleted", "changed", |world| fs::remove_file(world.root().join("changed")).unwrap()),
        ("staged alone", "changed", |world| {
            world.repository.write("changed", "mine\n");
            git(world.root(), &["add", "changed"]);
            world.repository.write("changed", "one\n");
        }),
        ("untracked", "new/deep", |world| world.repository.write("new/deep", "mine\n")),
        ("a file where a folder comes", "new/deep", |world| world.repository.write("new", "mine\n")),
        ("a folder where a file comes", "changed", |world| {
            fs::remove_file(world.root().join("changed")).unwrap();
            world.repository.write("changed/mine", "mine\n");
        }),
        ("made executable", "changed", |world| {
            fs::set_permissions(world.root().join("changed"), fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("removed from the index", "script", |world| {
            git(world.root(), &["rm", "-q", "--cached", "script"]);
        }),
        ("a merge under way", "", |world| {
            fs::write(world.root().join(".git/MERGE_HEAD"), format!("{}\n", world.old)).unwrap();
        }),
    ];
    for (what, path, hinder) in cases {
        let world = World::new();
        world.store.publish(world.new).unwrap();
        hinder(&world);
        let before = (world.status(), git(world.root(), &["ls-files", "-s"]));
        let Advanced::Blocked(found) = world.advance() else { panic!("{what}: nothing was in the way") };
        assert!(found.iter().any(|one| one.path == path), "{what}: {found:?}");
        assert_eq!((world.status(), git(world.root(), &["ls-files", "-s"])), before, "{what}");
        assert_eq!(rev(world.root(), "main"), world.old, "{what}");
        assert!(!world.root().join(".git/index.lock").exists(), "{what}");
    }
}

#[test]
fn what_was_cut_off_anywhere_is_finished_by_the_same_call() {
    // The branch has moved and some of the files are written: every state that a crash leaves.
    for written in 0..10_usize {
        let world = World::new();
        world.store.publish(world.new).unwrap();
        let root = world.root();
        let done = World::new();
        done.store.publish(done.new).unwrap();
        assert_eq!(done.advance(), Advanced::Done { kept: Vec::new() });
        git(root, &["update-ref", "refs/heads/main", &world.new.to_string()]);
        let removed = ["removed/deep/file", "folder-to-file/x", "file-to-folder"];
        for path in removed.iter().take(written) {
            fs::remove_file(root.join(path)).unwrap();
            let _ = fs::remove_dir(root.join(path).parent().unwrap());
        }
        let files = ["changed", "crlf.txt", "script", "new/deep", "folder-to-file", "file-to-folder/y"];
        for path in files.iter().take(written.saturating_sub(removed.len())) {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::copy(done.root().join(path), root.join(path)).unwrap();
        }
        fs::write(root.join(".git/index.lock"), "orchestrator lock\n").unwrap();
        assert_eq!(world.advance(), Advanced::Done { kept: Vec::new() }, "{written}");
        assert_eq!(world.status(), "", "{written}");
        assert_eq!(added_tree(root), world.tree(world.new).to_string(), "{written}");
    }
}

#[test]
fn a_branch_that_somebody_moved_meanwhile_takes_no_file_along() {
    let world = World::new();
    world.store.publish(world.new).unwrap();
    let root = world.root();
    let mut workspace = world.repository.workspace(&world.store);
    let advanced = workspace.advance(world.tree(world.old), world.tree(world.new), || {
        assert!(!try_git(root, &["add", "-A"]).status.success(), "the index is locked meanwhile");
        git(root, &["update-ref", "refs/heads/main", "HEAD~1"]);
        world.project.move_branch("main", Some(world.old), world.new, "m")
    });
    let stands = rev(root, "main");
    assert_eq!(advanced.unwrap(), Advanced::NotMoved(Moved::Elsewhere(Some(stands))));
    assert_eq!(fs::read(root.join("changed")).unwrap().as_bstr(), "one\n");
}

#[test]
fn a_checkout_is_exactly_its_tree_whatever_was_done_to_it() {
    let world = World::new();
    let folder = world.repository.beside("checkout");
    let warm = ["target".to_owned()];
    let (old, new) = (world.tree(world.old), world.tree(world.new));
    let first = world.store.check_out(old, &folder, &warm).unwrap();
    assert_eq!((first.files, first.written, first.removed), (11, 11, 0));
    assert_eq!(fs::read(folder.join("crlf.txt")).unwrap(), b"a\nb\n", "as git stores it");
    let again = world.store.check_out(old, &folder, &warm).unwrap();
    assert_eq!((again.written, again.removed), (0, 0));
    let time = |path: &str| fs::symlink_metadata(folder.join(path)).unwrap().modified().unwrap();
    let before = time("kept");
    // What a program may do there.
    fs::create_dir_all(folder.join("target/warm")).unwrap();
    fs::write(folder.join("target/warm/built"), "b").unwrap();
    fs::create_dir_all(folder.join("made/deep")).unwrap();
    fs::write(folder.join("made/deep/x"), "x").unwrap();
    fs::set_permissions(folder.join("made/deep"), fs::Permissions::from_mode(0o000)).unwrap();
    fs::write(folder.join("changed"), "edited\n").unwrap();
    fs::remove_file(folder.join("script")).unwrap();
    symlink("/etc", folder.join("script")).unwrap();
    fs::write(folder.join(".gitignore"), "*\n").unwrap();
    let third = world.store.check_out(new, &folder, &warm).unwrap();
    assert!(third.written > 0 && third.removed > 0, "{third:?}");
    assert_eq!(time("kept"), before, "what is right keeps its time");
    assert_eq!(fs::read(folder.join("target/warm/built")).unwrap(), b"b");
    fs::remove_dir_all(folder.join("target")).unwrap();
    git(&folder, &["init", "-q"]);
    // The attributes of the tree would convert line ends, which the tree's own text does not have.
    fs::write(folder.join(".git/info/attributes"), "* -text\n").unwrap();
    git(&folder, &["add", "-A", "-f"]);
    assert_eq!(git(&folder, &["write-tree"]), new.to_string());
}

#[test]
fn what_was_cut_off_after_the_branch_moved_is_caught_up_around_what_somebody_changed_since() {
    let world = World::new();
    let root = world.root();
    world.store.publish(world.new).unwrap();
    let moved = world.project.move_branch("main", Some(world.old), world.new, "landing: new").unwrap();
    assert_eq!(moved, Moved::Done);
    // As a killed server leaves the rest, and a person who goes on.
    fs::write(root.join(".git/index.lock"), "orchestrator lock\n").unwrap();
    fs::write(root.join(".orchestrator-restore-1"), "half").unwrap();
    fs::write(root.join("changed"), "a person's\n").unwrap();
    fs::write(root.join("script"), "#!\n").unwrap();
    assert!(matches!(world.advance(), Advanced::Blocked(_)));
    let (from, to) = (world.tree(world.old), world.tree(world.new));
    let caught_up = world.repository.workspace(&world.store).catch_up(from, to).unwrap();
    assert_eq!(caught_up, Advanced::Done { kept: vec!["changed".into()] });
    assert_eq!(world.status(), " M changed");
    assert_eq!(fs::read_to_string(root.join("changed")).unwrap(), "a person's\n");
    assert!(!root.join(".git/index.lock").exists());
}

#[test]
fn what_is_staged_stays_when_a_cut_off_landing_is_caught_up() {
    let world = World::new();
    let root = world.root();
    world.store.publish(world.new).unwrap();
    world.project.move_branch("main", Some(world.old), world.new, "landing: new").unwrap();
    fs::write(root.join("changed"), "a person's\n").unwrap();
    git(root, &["add", "changed"]);
    let (from, to) = (world.tree(world.old), world.tree(world.new));
    let caught_up = world.repository.workspace(&world.store).catch_up(from, to).unwrap();
    assert_eq!(caught_up, Advanced::Done { kept: vec!["changed".into()] });
    assert_eq!(world.status(), "M  changed");
    assert_eq!(git(root, &["show", ":changed"]), "a person's");
}

#[test]
fn a_start_clears_every_lock_of_ours_and_no_other() {
    let world = World::new();
    let git_dir = world.root().join(".git");
    let other = world.repository.beside("linked");
    git(world.root(), &["worktree", "add", "-q", other.to_str().unwrap()]);
    let write = |path: &str, content: &str| {
        fs::create_dir_all(git_dir.join(path).parent().unwrap()).unwrap();
        fs::write(git_dir.join(path), content).unwrap();
    };
    let ours = ["index.lock", "worktrees/linked/index.lock", "refs/heads/a/b.lock", "refs/orchestrator/base/x.lock"];
    ours.iter().for_each(|path| write(path, "orchestrator lock\n"));
    write("orchestrator/tmp-1-1", "half");
    let foreign = ["HEAD.lock", "refs/heads/c.lock", "refs/tags/t.lock"];
    foreign.iter().for_each(|path| write(path, ""));
    world.project.clear_locks().unwrap();
    let stands = |path: &&str| git_dir.join(path).exists();
    assert!(!ours.iter().any(stands) && !stands(&"orchestrator/tmp-1-1"));
    assert!(foreign.iter().all(stands));
}

#[test]
fn a_pin_is_not_held_up_by_a_lock_of_ours() {
    let world = World::new();
    world.store.pin("first", world.old).unwrap();
    let lock = world.root().join(".git/refs/orchestrator/base/name.lock");
    fs::write(&lock, "orchestrator lock\n").unwrap();
    world.store.pin("name", world.old).unwrap();
    assert_eq!(rev(world.root(), "refs/orchestrator/base/name"), world.old);
    fs::write(&lock, "").unwrap();
    assert!(world.store.pin("name", rev(world.root(), "HEAD~1")).is_err(), "another's is waited for");
    assert!(lock.exists());
}

#[test]
fn what_is_edited_right_after_it_was_written_is_seen_by_git() {
    let world = World::new();
    world.store.publish(world.new).unwrap();
    assert_eq!(world.advance(), Advanced::Done { kept: Vec::new() });
    // As long as what landed, at the same time.
    let path = world.root().join("changed");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "TWO\n").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert!(world.status().ends_with("M changed"), "{}", world.status());
}

#[test]
fn the_index_is_new_before_the_branch_and_old_again_when_that_does_not_move() {
    let world = World::new();
    let root = world.root();
    world.store.publish(world.new).unwrap();
    let (from, to) = (world.tree(world.old), world.tree(world.new));
    let staged = || git(root, &["ls-files", "-s", "-z"]);
    let old = staged();
    let mut workspace = world.repository.workspace(&world.store);
    let mut during = String::new();
    let refused = workspace.advance(from, to, || {
        during = staged();
        Ok(Moved::Locked)
    });
    assert_eq!(refused.unwrap(), Advanced::NotMoved(Moved::Locked));
    assert!(staged() == old && during != old && world.status().is_empty());
    assert_eq!(workspace.in_the_way(from, to).unwrap(), []);
    // Killed right before the branch moves; somebody is in the way when it goes on.
    let index = fs::read(root.join(".git/index")).unwrap();
    let _ = workspace.advance(from, to, || {
        fs::copy(root.join(".git/index"), root.join(".git/cut")).unwrap();
        Ok(Moved::Locked)
    });
    assert_eq!(fs::read(root.join(".git/index")).unwrap().len(), index.len());
    fs::rename(root.join(".git/cut"), root.join(".git/index")).unwrap();
    fs::write(root.join(".git/index.lock"), "orchestrator lock\n").unwrap();
    fs::write(root.join("changed"), "a person's\n").unwrap();
    assert!(matches!(world.advance(), Advanced::Blocked(_)));
    assert_eq!((staged(), world.status()), (old, " M changed".into()));
    git(root, &["checkout", "-q", "changed"]);
    assert_eq!(world.advance(), Advanced::Done { kept: Vec::new() });
    assert!(staged() == during && world.status().is_empty());
}

#[test]
fn a_move_that_fails_leaves_the_index_as_the_branch_is() {
    let world = World::new();
    let root = world.root();
    world.store.publish(world.new).unwrap();
    let (from, to) = (world.tree(world.old), world.tree(world.new));
    let refused = || {
        world
            .project
            .move_branch("main", None, world.new, "m")
            .and_then(|_| world.project.move_branch("a..b", None, world.new, "m"))
    };
    assert!(world.repository.workspace(&world.store).advance(from, to, refused).is_err());
    assert_eq!((world.status(), rev(root, "main")), (String::new(), world.old));
    // It failed after it had moved.
    let moved = || {
        world.project.move_branch("main", Some(world.old), world.new, "m")?;
        world.project.move_branch("a..b", None, world.new, "m")
    };
    assert!(world.repository.workspace(&world.store).advance(from, to, moved).is_err());
    assert_eq!(git(root, &["diff", "--cached", "--name-only"]), "", "a commit would take nothing back");
    assert_eq!(
        world.repository.workspace(&world.store).catch_up(from, to).unwrap(),
        Advanced::Done { kept: Vec::new() }
    );
    assert_eq!(world.status(), "");
}
