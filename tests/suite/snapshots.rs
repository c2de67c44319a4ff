//! What agents write is kept, comes back byte for byte, and so does what it replaced.

use orchestrator::Options;
use orchestrator_tests::{Answer, TestServer, commit, git, git_text, write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A project with a commit, and an agent in a worktree of its own.
async fn world() -> (TestServer, PathBuf) {
    world_with(brisk).await
}

fn brisk(options: &mut Options) {
    options.snapshots.quiet = Duration::from_millis(200);
}

/// Nothing is kept unless it is asked for.
fn never(options: &mut Options) {
    options.snapshots.quiet = Duration::from_secs(3_600);
    options.snapshots.interval = Duration::from_secs(3_600);
}

async fn world_with(configure: fn(&mut Options)) -> (TestServer, PathBuf) {
    let server = TestServer::start_with(configure, &[]).await;
    server.write("a.txt", "one\n");
    server.write("d/b.txt", "two\n");
    server.write("d/c.txt", "three\n");
    server.write(".gitignore", "/out/\n");
    commit(&server.project(), "base");
    let folder = worktree(&server, "ann").await;
    (server, folder)
}

/// A worktree of the agent's name beside the project, followed.
async fn worktree(server: &TestServer, agent: &str) -> PathBuf {
    let folder = server.project().with_file_name(agent);
    git(&server.project(), &["worktree", "add", "--quiet", "-b", agent, folder.to_str().unwrap()]);
    follow(server, agent, &folder).await;
    folder
}

async fn follow(server: &TestServer, agent: &str, folder: &Path) {
    server.follow(agent, folder).await;
    server.force().await;
}

/// Every file but git's: whether it may be run, and its bytes or the link's target.
fn files(root: &Path) -> BTreeMap<PathBuf, (bool, Vec<u8>)> {
    let (mut found, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if path.file_name() == Some(OsStr::new(".git")) {
            } else if meta.is_dir() {
                open.push(path);
            } else if meta.is_symlink() {
                found.insert(
                    path.clone(),
                    (false, std::fs::read_link(path).unwrap().into_os_string().into_encoded_bytes()),
                );
            } else {
                found.insert(path.clone(), (meta.permissions().mode() & 0o100 != 0, std::fs::read(path).unwrap()));
            }
        }
    }
    found
}

async fn list(server: &TestServer, agent: &str) -> Vec<Value> {
    let answer = server.get(&format!("/agents/{agent}/snapshots")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["snapshots"].as_array().unwrap().clone()
}

/// Waits until so many are kept; answers with the newest.
async fn kept(server: &TestServer, agent: &str, count: usize) -> Value {
    server.eventually("the work is kept", async || list(server, agent).await.len() >= count).await;
    let all = list(server, agent).await;
    assert_eq!(all.len(), count, "{all:#?}");
    all[0].clone()
}

async fn keep(server: &TestServer, agent: &str) -> String {
    let kept = server.orchestrator.keep_snapshot(&agent.parse().unwrap()).await.unwrap();
    kept.unwrap().snapshot_id
}

async fn restore(server: &TestServer, agent: &str, body: Value) -> Answer {
    server.post(&format!("/agents/{agent}/restore"), body).await
}

async fn restored(server: &TestServer, agent: &str, body: Value) -> Value {
    let answer = restore(server, agent, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn store(server: &TestServer) -> PathBuf {
    server.project().join(".git/orchestrator/work.git")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[tokio::test]
async fn work_is_kept_when_it_is_quiet_and_git_reads_it() {
    let (server, ann) = world().await;
    let mut socket = server.socket("/orchestrator").await;
    write(&ann, "a.txt", "ONE\n");
    write(&ann, "new/file", [0xff, 0, b'\r']);
    std::fs::remove_file(ann.join("d/b.txt")).unwrap();
    let one = kept(&server, "ann", 1).await;
    assert_eq!(socket.next_of("snapshot_kept").await["snapshot_id"], one["snapshot_id"]);
    let head = git_text(&ann, &[], &["rev-parse", "HEAD"]);
    assert_eq!((text(&one, "kind"), text(&one, "reason"), text(&one, "head")), ("work", "quiet", &*head));
    assert_eq!((&one["paths"], &one["available"], &one["agent_id"]), (&json!(3), &json!(true), &json!("ann")));
    git(&ann, &["add", "-A"]);
    assert_eq!(text(&one, "tree"), git_text(&ann, &[], &["write-tree"]));
    let store = store(&server);
    assert_eq!(git_text(&store, &[], &["rev-parse", text(&one, "ref")]), text(&one, "commit"));
    assert_eq!(git_text(&store, &[], &["fsck", "--strict", "--no-dangling"]), "");
    let shown = server.get(&format!("/agents/ann/snapshots/{}", text(&one, "snapshot_id"))).await.body;
    let changes = json!([{"path": "a.txt", "change": "modified"}, {"path": "d/b.txt", "change": "deleted"},
        {"path": "new/file", "change": "created"}]);
    assert_eq!((&shown["changes"], &shown["since"]), (&changes, &json!([])));
    // Once for each quiet, and only when the work is another.
    write(&ann, "a.txt", "ONE\n");
    server.force().await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(list(&server, "ann").await.len(), 1);
    write(&ann, "a.txt", "1\n");
    kept(&server, "ann", 2).await;
}

#[tokio::test]
async fn work_that_never_rests_is_kept_all_the_same() {
    let restless = |options: &mut Options| {
        options.snapshots.quiet = Duration::from_secs(3_600);
        options.snapshots.interval = Duration::from_millis(500);
    };
    let (server, ann) = world_with(restless).await;
    let began = Instant::now();
    let mut round = 0;
    while list(&server, "ann").await.len() < 2 {
        assert!(began.elapsed() < Duration::from_secs(10));
        round += 1;
        // Each file settles; the workspace never rests.
        write(&ann, format!("d/{}", round % 20), format!("{round}\n"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_restore_is_exact_and_can_be_undone() {
    let (server, ann) = world_with(never).await;
    write(&ann, "run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(ann.join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    symlink("d/c.txt", ann.join("link")).unwrap();
    write(&ann, "untracked/deep/file", "u");
    std::fs::remove_file(ann.join("d/b.txt")).unwrap();
    write(&ann, "out/ignored", "stays");
    let first = files(&ann);
    let snapshot = keep(&server, "ann").await;

    std::fs::set_permissions(ann.join("run.sh"), std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::remove_file(ann.join("link")).unwrap();
    write(&ann, "link/is/a", "folder");
    std::fs::remove_dir_all(ann.join("untracked")).unwrap();
    write(&ann, "d/b.txt", "again");
    symlink("nowhere", ann.join("dangling")).unwrap();
    let second = files(&ann);

    let plan = restored(&server, "ann", json!({"snapshot": snapshot, "dry_run": true})).await;
    assert_eq!((&plan["dry_run"], &plan["backup"]), (&json!(true), &Value::Null));
    assert_eq!(files(&ann), second, "only said what it would do");
    let done = restored(&server, "ann", json!({"snapshot": snapshot})).await;
    assert_eq!(
        (&done["written"], &done["removed"]),
        (&json!(["link", "run.sh", "untracked/deep/file"]), &plan["removed"])
    );
    assert_eq!(files(&ann), first);
    let backup = text(&done["backup"], "snapshot_id").to_owned();
    assert!(backup.starts_with('b'));
    assert_eq!(text(&list(&server, "ann").await[0], "snapshot_id"), backup);
    let undone = restored(&server, "ann", json!({"snapshot": backup})).await;
    assert_eq!(files(&ann), second, "undone");
    restored(&server, "ann", json!({"snapshot": undone["backup"]["snapshot_id"]})).await;
    assert_eq!(files(&ann), first, "and that, too");
    let told = server.get("/events?after=0").await.body["events"].clone();
    let told: Vec<&Value> = told.as_array().unwrap().iter().filter(|one| one["type"] == "workspace_restored").collect();
    assert_eq!((told.len(), &told[0]["from"], &told[0]["backup_id"]), (3, &json!(snapshot), &json!(backup)));
}

#[tokio::test]
async fn single_paths_a_commit_and_another_agents_work_come_back() {
    let (server, ann) = world_with(never).await;
    write(&ann, "a.txt", "ann\n");
    write(&ann, "d/c.txt", "ann\n");
    write(&ann, "d/new", "ann\n");
    let snapshot = keep(&server, "ann").await;
    let bob = worktree(&server, "bob").await;
    let done = restored(&server, "bob", json!({"snapshot": snapshot, "paths": ["d/", "./no/such"]})).await;
    assert_eq!(done["written"], json!(["d/c.txt", "d/new"]));
    assert_eq!(std::fs::read_to_string(bob.join("a.txt")).unwrap(), "one\n");
    let head = git_text(&bob, &[], &["rev-parse", "HEAD"]);
    let done = restored(&server, "bob", json!({"snapshot": head})).await;
    assert_eq!((&done["written"], &done["removed"]), (&json!(["d/c.txt"]), &json!(["d/new"])));
    assert_eq!(git_text(&bob, &[], &["status", "--porcelain"]), "");
}

#[tokio::test]
async fn what_cannot_be_restored_is_refused_and_nothing_is_changed() {
    let (server, ann) = world_with(never).await;
    let snapshot = keep(&server, "ann").await;
    write(&ann, "a.txt", "precious\n");
    let before = files(&ann);
    server.register("bob", &[]).await;
    let none = "0".repeat(40);
    for unknown in ["s999", "b1", "s", "", "x", "sNaN", "s-1", "s18446744073709551616", "HEAD", "../a", &none] {
        let answer = restore(&server, "ann", json!({"snapshot": unknown})).await;
        assert_eq!((answer.status, answer.code()), (404, "unknown_snapshot"), "{unknown}: {}", answer.body);
    }
    let other_kind = snapshot.replace('s', "b");
    assert_eq!(restore(&server, "ann", json!({"snapshot": other_kind})).await.status, 404);
    for path in [
        "",
        ".",
        "/",
        "/etc/passwd",
        "..",
        "d/../..",
        "a\0b",
        ".git",
        ".git/config",
        "d/.GIT/x",
        ".git ",
        "git~1",
        ".g\u{200c}it/x",
    ] {
        let answer = restore(&server, "ann", json!({"snapshot": snapshot, "paths": [path]})).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_path"), "{path:?}: {}", answer.body);
    }
    let answer = restore(&server, "ann", json!({"snapshot": snapshot, "paths": []})).await;
    assert_eq!((answer.status, answer.code()), (422, "invalid_path"));
    assert_eq!(restore(&server, "ann", json!({})).await.status, 422);
    assert_eq!(restore(&server, "ann", json!({"snapshot": 5})).await.status, 422);
    let answer = restore(&server, "bob", json!({"snapshot": snapshot})).await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_workspace"));
    let answer = restore(&server, "nobody", json!({"snapshot": snapshot})).await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_agent"));
    let lock = PathBuf::from(git_text(&ann, &[], &["rev-parse", "--absolute-git-dir"])).join("index.lock");
    std::fs::write(&lock, "").unwrap();
    let answer = restore(&server, "ann", json!({"snapshot": snapshot})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
    std::fs::remove_file(lock).unwrap();
    // What stands in the way is ignored by git: no backup would hold it.
    write(&ann, "new", "kept");
    let with_new = keep(&server, "ann").await;
    std::fs::remove_file(ann.join("new")).unwrap();
    write(&ann, ".gitignore", "/out/\nnew\n");
    write(&ann, "new", "ignored");
    let before_new = files(&ann);
    let answer = restore(&server, "ann", json!({"snapshot": with_new})).await;
    assert_eq!((answer.status, answer.code()), (409, "unlanded_work"), "{}", answer.body);
    assert_eq!(files(&ann), before_new);
    assert_eq!(before.get(&ann.join("a.txt")), before_new.get(&ann.join("a.txt")));
    assert_eq!(server.get("/agents/nobody/snapshots").await.status, 404);
    assert_eq!(server.get("/agents/ann/snapshots/s999").await.code(), "unknown_snapshot");
    assert_eq!(server.get("/agents/ann/snapshots/%ff").await.code(), "unknown_snapshot");
    assert!(list(&server, "ann").await.iter().all(|one| one["kind"] == "work"), "no backup was made");
}

#[tokio::test]
async fn the_last_work_of_an_agent_that_leaves_is_kept() {
    let (server, ann) = world_with(never).await;
    write(&ann, "a.txt", "last words\n");
    assert_eq!(server.delete("/agents/ann").await.status, 200);
    let last = kept(&server, "ann", 1).await;
    assert_eq!(text(&last, "reason"), "left");
    // A folder lost since, made again, and another agent in it.
    std::fs::remove_dir_all(&ann).unwrap();
    git(&server.project(), &["worktree", "prune"]);
    git(&server.project(), &["worktree", "add", "--quiet", ann.to_str().unwrap(), "ann"]);
    follow(&server, "bob", &ann).await;
    restored(&server, "bob", json!({"snapshot": last["snapshot_id"]})).await;
    assert_eq!(std::fs::read_to_string(ann.join("a.txt")).unwrap(), "last words\n");
    let nothing = worktree(&server, "eve").await;
    assert_eq!(server.delete("/agents/eve").await.status, 200);
    server.force().await;
    assert_eq!(list(&server, "eve").await, Vec::<Value>::new(), "{} holds nothing to keep", nothing.display());
}

#[tokio::test]
async fn a_removed_workspace_is_kept_once() {
    let (server, _) = world_with(never).await;
    server.register("bob", &[]).await;
    let made = server.post("/agents/bob/workspace", json!({})).await.body;
    let folder = PathBuf::from(text(&made["workspace"], "path"));
    server.force().await;
    write(&folder, "a.txt", "bob\n");
    let gone = server.delete("/agents/bob/workspace?keep=snapshot").await;
    assert_eq!(gone.status, 200, "{}", gone.body);
    server.force().await;
    let one = kept(&server, "bob", 1).await;
    assert_eq!((text(&one, "kind"), text(&one, "reason")), ("backup", "removed"));
    assert_eq!((&one["commit"], &one["ref"]), (&gone.body["backup"]["commit"], &gone.body["backup"]["ref"]));
    let made = server.post("/agents/bob/workspace", json!({})).await.body;
    restored(&server, "bob", json!({"snapshot": one["snapshot_id"]})).await;
    let back = PathBuf::from(text(&made["workspace"], "path"));
    assert_eq!(std::fs::read_to_string(back.join("a.txt")).unwrap(), "bob\n");
}

#[tokio::test]
async fn a_restart_keeps_the_list_and_what_was_not_kept_yet() {
    let (server, ann) = world_with(never).await;
    write(&ann, "a.txt", "first\n");
    let first = keep(&server, "ann").await;
    write(&ann, "a.txt", "second\n");
    server.force().await;
    let server = server.restart().await;
    let all = list(&server, "ann").await;
    let reasons: Vec<&str> = all.iter().map(|one| text(one, "reason")).collect();
    assert_eq!(reasons, ["shutdown", "asked"]);
    assert_eq!(text(&all[1], "snapshot_id"), first);
    let again = keep(&server, "ann").await;
    assert_eq!(again, text(&all[0], "snapshot_id"), "the same work is not kept twice");
    let server = server.restart().await;
    assert_eq!(list(&server, "ann").await, all);
}

#[tokio::test]
async fn a_ref_that_a_crash_left_without_a_record_gets_one_and_a_lost_one_is_told() {
    let (mut server, ann) = world_with(never).await;
    write(&ann, "a.txt", "work\n");
    keep(&server, "ann").await;
    let one = list(&server, "ann").await.remove(0);
    server.stop().await;
    let (number, _) = text(&one, "ref").strip_prefix("refs/work/").unwrap().split_once('-').unwrap();
    let stray = format!("refs/work/{number}-1");
    std::fs::copy(store(&server).join(text(&one, "ref")), store(&server).join(&stray)).unwrap();
    std::fs::remove_file(store(&server).join(text(&one, "ref"))).unwrap();
    let server = server.restart().await;
    kept(&server, "ann", 2).await;
    let all = list(&server, "ann").await;
    assert_eq!((text(&all[0], "ref"), text(&all[0], "reason")), (&*stray, "found"));
    assert_eq!((&all[1]["available"], &all[0]["available"]), (&json!(false), &json!(true)));
    let health = server.get("/health").await.body;
    assert_eq!(health["degraded"][0]["name"], "snapshot_lost", "{health}");
    write(&ann, "a.txt", "other\n");
    restored(&server, "ann", json!({"snapshot": all[0]["snapshot_id"]})).await;
    assert_eq!(std::fs::read_to_string(ann.join("a.txt")).unwrap(), "work\n");
}

#[tokio::test]
async fn what_is_written_while_a_workspace_is_being_removed_is_kept() {
    let (server, ann) = world_with(never).await;
    server.register("bob", &[]).await;
    let made = server.post("/agents/bob/workspace", json!({})).await.body;
    let bob = PathBuf::from(text(&made["workspace"], "path"));
    server.force().await;
    write(&bob, "a.txt", "seen\n");
    write(&ann, "a.txt", "ann's\n");
    // A removal waits for work that is being kept: ann's, which cannot be pinned and is tried again in 5 s.
    let head = git_text(&server.project(), &[], &["rev-parse", "HEAD"]);
    let pins = server.project().join(".git/refs/orchestrator/base");
    std::fs::create_dir_all(&pins).unwrap();
    let lock = pins.join(format!("kept-{head}.lock"));
    std::fs::write(&lock, "").unwrap();
    assert!(server.orchestrator.keep_snapshot(&"ann".parse().unwrap()).await.is_err());
    std::fs::remove_file(&lock).unwrap();
    let write_late = async {
        let is_recorded = async || {
            let all = server.get("/workspaces").await.body["workspaces"].clone();
            all.as_array().unwrap().iter().all(|one| one["agent_id"] != "bob" || one["path"].is_null())
        };
        server.eventually("its end is recorded", is_recorded).await;
        write(&bob, "late.txt", "late\n");
    };
    let (removed, ()) = tokio::join!(server.delete("/agents/bob/workspace?keep=snapshot"), write_late);
    assert_eq!(removed.status, 200, "{}", removed.body);
    assert!(!bob.exists());
    let backup = &removed.body["backup"];
    let shown = |path: &str| git_text(&store(&server), &[], &["show", &format!("{}:{path}", text(backup, "ref"))]);
    assert_eq!((shown("a.txt"), shown("late.txt")), ("seen".to_owned(), "late".to_owned()));
    let all = list(&server, "bob").await;
    assert_eq!(all.iter().filter(|one| one["reason"] == "removed").count(), 2, "{all:?}");
}

#[tokio::test]
async fn a_new_snapshot_takes_no_name_that_the_store_has() {
    let (server, ann) = world_with(never).await;
    write(&ann, "a.txt", "work\n");
    keep(&server, "ann").await;
    let one = list(&server, "ann").await.remove(0);
    let (number, stamp) = text(&one, "ref").strip_prefix("refs/work/").unwrap().split_once('-').unwrap();
    let later = stamp.parse::<i64>().unwrap() + 1_000_000;
    let stray = store(&server).join(format!("refs/backup/{number}-{later}"));
    std::fs::copy(store(&server).join(text(&one, "ref")), &stray).unwrap();
    write(&ann, "a.txt", "more work\n");
    keep(&server, "ann").await;
    let two = list(&server, "ann").await.remove(0);
    assert_eq!(text(&two, "ref"), format!("refs/work/{number}-{}", later + 1));
    let head = git_text(&ann, &[], &["rev-parse", "HEAD"]);
    let backup = restored(&server, "ann", json!({"snapshot": head})).await["backup"].clone();
    assert_eq!(text(&backup, "ref"), format!("refs/backup/{number}-{}", later + 2));
}

#[tokio::test]
async fn the_users_garbage_collection_takes_nothing_that_a_snapshot_stands_on() {
    let (server, ann) = world_with(never).await;
    write(&ann, "a.txt", "committed and forgotten\n");
    commit(&ann, "to be forgotten");
    write(&ann, "d/b.txt", "work\n");
    let wanted = files(&ann);
    let snapshot = keep(&server, "ann").await;
    git(&ann, &["reset", "--quiet", "--hard", "HEAD~1"]);
    server.force().await;
    git(&server.project(), &["reflog", "expire", "--expire=now", "--all"]);
    git(&server.project(), &["gc", "--quiet", "--prune=now"]);
    restored(&server, "ann", json!({"snapshot": snapshot})).await;
    assert_eq!(files(&ann), wanted);
}

#[tokio::test]
async fn retention_lets_go_of_the_old_and_frees_it_and_never_of_the_newest() {
    let (server, ann) = world_with(|options| {
        never(options);
        options.snapshots.retention.newest = 2;
    })
    .await;
    let mut all = Vec::new();
    for round in 0..5 {
        write(&ann, "a.txt", format!("{round}").repeat(1_000));
        all.push(keep(&server, "ann").await);
    }
    let blob = |round: usize| {
        let file = ann.join("../blob");
        std::fs::write(&file, format!("{round}").repeat(1_000)).unwrap();
        git_text(&ann, &[], &["hash-object", file.to_str().unwrap()])
    };
    assert_eq!(list(&server, "ann").await.len(), 5);
    // It is looked for at the start.
    let server = server.restart().await;
    let ids = async || -> Vec<String> {
        list(&server, "ann").await.iter().map(|one| text(one, "snapshot_id").to_owned()).collect()
    };
    server.eventually("the old ones are gone", async || ids().await == [all[4].clone(), all[3].clone()]).await;
    let store = store(&server);
    let refs = async || git_text(&store, &[], &["for-each-ref", "--format=%(refname)"]).lines().count();
    server.eventually("their refs are gone", async || refs().await == 2).await;
    let is_there = |round| {
        let listed = git_text(&store, &[], &["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]);
        listed.lines().any(|line| line == blob(round))
    };
    server.eventually("their content is gone", async || !is_there(0) && !is_there(2)).await;
    assert!(is_there(3) && is_there(4));
    assert_eq!(restore(&server, "ann", json!({"snapshot": all[0]})).await.code(), "unknown_snapshot");
    assert_eq!(git_text(&store, &[], &["fsck", "--strict", "--no-dangling"]), "");
    // What is followed goes on with what is left.
    write(&ann, "d/b.txt", "more\n");
    let newest = keep(&server, "ann").await;
    restored(&server, "ann", json!({"snapshot": all[4]})).await;
    restored(&server, "ann", json!({"snapshot": newest})).await;
    assert_eq!(std::fs::read_to_string(ann.join("d/b.txt")).unwrap(), "more\n");
}

#[tokio::test]
async fn a_file_whose_name_is_no_text_is_not_written_over_while_it_is_written() {
    let (server, ann) = world_with(never).await;
    let head = git_text(&ann, &[], &["rev-parse", "HEAD"]);
    let path = ann.join(OsStr::from_bytes(b"no%text\xff"));
    std::fs::write(&path, "before\n").unwrap();
    keep(&server, "ann").await;
    let mut writer = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    for dry_run in [true, false] {
        std::io::Write::write_all(&mut writer, b"half").unwrap();
        let answer = restore(&server, "ann", json!({"snapshot": head, "dry_run": dry_run})).await;
        assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
    }
    drop(writer);
    assert_eq!(std::fs::read(&path).unwrap(), b"before\nhalfhalf");
    restored(&server, "ann", json!({"snapshot": head})).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn names_and_contents_that_are_no_text_and_links_come_back() {
    let (server, ann) = world_with(never).await;
    git(&ann, &["mv", "a.txt", "A.TXT"]);
    let odd = OsString::from(OsStr::from_bytes(b"d/\xff\xfe name\n\t\"'%41"));
    write(&ann, &odd, [0, 0xff, 0xfe, b'\n']);
    symlink("/etc/passwd", ann.join("out of here")).unwrap();
    symlink("..", ann.join("up")).unwrap();
    let wanted = files(&ann);
    let snapshot = keep(&server, "ann").await;
    let shown = server.get(&format!("/agents/ann/snapshots/{snapshot}")).await.body;
    assert_eq!(shown["changes"].as_array().unwrap().len(), 5, "{shown}");
    std::fs::remove_file(ann.join(&odd)).unwrap();
    std::fs::remove_file(ann.join("up")).unwrap();
    write(&ann, "up/file", "in the way");
    std::fs::rename(ann.join("A.TXT"), ann.join("a.txt")).unwrap();
    restored(&server, "ann", json!({"snapshot": snapshot})).await;
    assert_eq!(files(&ann), wanted);
}

#[tokio::test]
async fn nothing_that_a_repository_names_is_run() {
    let (server, ann) = world_with(never).await;
    let mark = server.project().with_file_name("mark");
    let run = format!("sh -c 'touch {}; cat'", mark.display());
    let common = server.project().join(".git");
    for name in ["pre-commit", "post-checkout", "post-index-change", "reference-transaction", "post-commit"] {
        write(&common.join("hooks"), name, format!("#!/bin/sh\ntouch {}\n", mark.display()));
        std::fs::set_permissions(common.join("hooks").join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    // By hand: git itself would run them.
    let config = format!(
        "\n[core]\n\tfsmonitor = {run:?}\n\tpager = {run:?}\n\teditor = {run:?}\n[filter \"evil\"]\n\tclean = {run:?}\n\tsmudge = {run:?}\n\
         \tprocess = {run:?}\n\trequired = true\n[diff \"evil\"]\n\ttextconv = {run:?}\n\tcommand = {run:?}\n[merge \"evil\"]\n\tdriver = {run:?}\n\
         [gpg]\n\tprogram = {run:?}\n[commit]\n\tgpgsign = true\n"
    );
    let before = std::fs::read_to_string(common.join("config")).unwrap();
    std::fs::write(common.join("config"), before + &config).unwrap();
    write(&ann, ".gitattributes", "* filter=evil diff=evil merge=evil\n");
    let bob = server.project().with_file_name("bob");
    let worktree =
        ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "worktree", "add", "--quiet", "-b", "bob"];
    git(&server.project(), &[&worktree[..], &[bob.to_str().unwrap()]].concat());
    let _by_our_own_git = std::fs::remove_file(&mark);
    follow(&server, "bob", &bob).await;
    write(&bob, "a.txt", "theirs\n");
    write(&ann, "a.txt", "mine\n");
    server.force().await;
    let snapshot = keep(&server, "ann").await;
    write(&ann, "a.txt", "other\n");
    restored(&server, "ann", json!({"snapshot": snapshot})).await;
    assert_eq!(std::fs::read_to_string(ann.join("a.txt")).unwrap(), "mine\n");
    assert_eq!(server.get(&format!("/agents/ann/snapshots/{snapshot}")).await.status, 200);
    assert!(!mark.exists(), "something ran");
}

/// `ORCHESTRATOR_IGNORED` asks for more.
#[tokio::test]
async fn ignored_files_cost_a_save_nothing() {
    let (server, ann) = world_with(never).await;
    let count = std::env::var("ORCHESTRATOR_IGNORED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let shown = async |content: &str| {
        write(&ann, "a.txt", content);
        let began = Instant::now();
        server.force().await;
        let took = began.elapsed();
        let began = Instant::now();
        let snapshot = keep(&server, "ann").await;
        println!("a barrier, the work durable and recorded: {:?}", began.elapsed());
        let body = server.get(&format!("/agents/ann/snapshots/{snapshot}")).await.body;
        assert_eq!(body["changes"], json!([{"path": "a.txt", "change": "modified"}]));
        took
    };
    let mut without = Duration::MAX;
    for round in 0..3 {
        without = without.min(shown(&format!("without {round}\n")).await);
    }
    for file in 0..count {
        write(&ann, format!("out/{}/{file}.o", file / 1_000), "x");
    }
    let mut with = Duration::MAX;
    for round in 0..3 {
        with = with.min(shown(&format!("with {round}\n")).await);
    }
    println!("a save and the barrier: {without:?} without, {with:?} with {count} ignored files");
    assert!(with < without * 3 + Duration::from_millis(200), "{without:?} without, {with:?} with");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_told_and_tried_again() {
    let (server, ann) = world().await;
    keep(&server, "ann").await;
    let packs = store(&server).join("objects/pack");
    let away = packs.with_file_name("away");
    std::fs::rename(&packs, &away).unwrap();
    std::fs::write(&packs, "no folder").unwrap();
    write(&ann, "a.txt", "kept later\n");
    let is_told = async || server.get("/health").await.body["degraded"].to_string().contains("\"snapshot\"");
    server.eventually("it is told", async || is_told().await).await;
    std::fs::remove_file(&packs).unwrap();
    std::fs::rename(&away, &packs).unwrap();
    server.eventually("it is kept", async || list(&server, "ann").await[0]["reason"] == "quiet").await;
    server.eventually("it is well", async || !is_told().await).await;
}
