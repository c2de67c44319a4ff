//! Workspaces that are repositories of their own: followed, kept and removed as worktrees are.

use orchestrator_tests::{Answer, TestServer, commit, git};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

async fn world() -> TestServer {
    let server = TestServer::start_with(|options| options.workspace_copy = vec![".env".into()], &[]).await;
    server.write("a.txt", "one\ntwo\nthree\n");
    commit(&server.project(), "base");
    server.write(".env", "SECRET=1\n");
    server.register("ann", &[]).await;
    server
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@t"]).args(arguments).current_dir(folder);
    let output = command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null").output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

async fn ask(server: &TestServer, agent: &str, body: Value) -> Answer {
    server.post(&format!("/agents/{agent}/workspace"), body).await
}

async fn make(server: &TestServer) -> PathBuf {
    let answer = ask(server, "ann", json!({"isolation": "clone"})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.body["workspace"]["isolation"], "clone");
    answer.body["workspace"]["path"].as_str().unwrap().into()
}

async fn remove(server: &TestServer, query: &str) -> Answer {
    server.delete(&format!("/agents/ann/workspace{query}")).await
}

#[tokio::test]
async fn a_clone_is_a_repository_of_its_own_and_is_listed_as_such() {
    let server = world().await;
    git(&server.project(), &["config", "core.fsmonitor", "touch /tmp/never"]);
    let folder = make(&server).await;
    assert_eq!(folder, server.project().canonicalize().unwrap().with_file_name("project.workspaces").join("ann"));
    assert_eq!(text(&folder, &["status", "--short", "--branch"]), "## agent/ann", "what was copied is no work");
    assert_eq!(std::fs::read(folder.join(".env")).unwrap(), b"SECRET=1\n");
    assert_eq!(text(&folder, &["rev-parse", "--git-common-dir"]), ".git");
    assert!(!text(&folder, &["config", "--list"]).contains("fsmonitor"));
    let again = ask(&server, "ann", json!({})).await;
    assert_eq!(again.body["workspace"]["isolation"], "clone", "asked again, the same: {}", again.body);
    assert_eq!(again.body["workspace"]["copied"], json!([".env"]));
    let answer = ask(&server, "ann", json!({"isolation": "worktree"})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
    server.force().await;
    let listed = server.get("/workspaces").await.body["workspaces"][0].clone();
    assert_eq!((&listed["isolation"], &listed["followed"]), (&json!("clone"), &json!(true)), "{listed}");
    assert_eq!((&listed["made"], &listed["branch"], &listed["dirty"]), (&json!(true), &json!("agent/ann"), &json!(0)));
    let answer = server.post("/agents/register", json!({"agent_id": "ann", "workspace": folder})).await;
    assert_eq!(answer.status, 200, "its agent may register it: {}", answer.body);
    let answer = remove(&server, "").await;
    assert_eq!((answer.status, &answer.body["branch"]), (200, &Value::Null), "{}", answer.body);
    assert!(!folder.exists());
    assert_eq!(text(&server.project(), &["branch", "--list", "agent/*"]), "");
    let alternates = server.project().join(".git/orchestrator/work.git/objects/info/alternates");
    assert_eq!(std::fs::read_to_string(alternates).unwrap().lines().count(), 1, "it is not read any more");
    assert_eq!(make(&server).await, folder, "and can be made again");
}

#[tokio::test]
async fn what_is_committed_in_a_clone_collides_as_it_does_in_a_worktree() {
    let server = world().await;
    let clone = make(&server).await;
    server.register("bob", &[]).await;
    let answer = ask(&server, "bob", json!({})).await;
    let worktree = PathBuf::from(answer.body["workspace"]["path"].as_str().unwrap());
    std::fs::write(clone.join("a.txt"), "one\nann's\nthree\n").unwrap();
    commit(&clone, "mine");
    std::fs::write(worktree.join("a.txt"), "one\nbob's\nthree\n").unwrap();
    server.force().await;
    let open = server.get("/conflicts?status=pending").await.body["conflicts"].clone();
    assert_eq!(open[0]["conflicting_agents"], json!(["ann", "bob"]), "{open}");
    let found = server.get(&format!("/conflicts/{}", open[0]["conflict_id"].as_str().unwrap())).await.body;
    let found = found.to_string();
    assert!(found.contains("ann's") && found.contains("bob's"), "both sides' lines: {found}");
    git(&server.project(), &["gc", "--quiet", "--prune=now"]);
    assert_eq!(text(&clone, &["fsck", "--strict", "--full"]), "");
    std::fs::write(clone.join("a.txt"), "one\ntwo\nthree\n").unwrap();
    commit(&clone, "back");
    let gone = async || server.get("/conflicts?status=pending").await.body["conflicts"] == json!([]);
    server.eventually("it is withdrawn when the clone's commits no longer differ", gone).await;
}

#[tokio::test]
async fn nothing_that_only_the_clone_holds_goes_with_it() {
    let server = world().await;
    let clone = make(&server).await;
    let base = text(&clone, &["rev-parse", "HEAD"]);
    for number in ["1", "2"] {
        std::fs::write(clone.join("a.txt"), number).unwrap();
        commit(&clone, number);
    }
    let head = text(&clone, &["rev-parse", "HEAD"]);
    let answer = remove(&server, "").await;
    assert_eq!((answer.status, answer.code()), (409, "unlanded_work"));
    let told = answer.body["detail"].as_str().unwrap();
    assert!(told.contains("0 paths uncommitted and 2 commits "), "{told}");
    // On other branches too, and in the stash.
    git(&clone, &["checkout", "--quiet", "-b", "other", &base]);
    std::fs::write(clone.join("other.txt"), "o\n").unwrap();
    commit(&clone, "other");
    std::fs::write(clone.join("other.txt"), "stashed\n").unwrap();
    text(&clone, &["stash"]);
    git(&clone, &["checkout", "--quiet", "--detach", &base]);
    let told = remove(&server, "").await.body["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("0 paths uncommitted and 5 commits "), "{told}");
    std::fs::write(clone.join("new.txt"), "uncommitted\n").unwrap();
    let stash = text(&clone, &["rev-parse", "stash"]);
    server.force().await;
    let snapshot = server.post("/agents/ann/snapshots", json!({})).await;
    let answer = remove(&server, "?keep=snapshot").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!clone.exists());
    let backup = &answer.body["backup"];
    let (name, store) = (backup["ref"].as_str().unwrap(), Path::new(backup["repository"].as_str().unwrap()));
    git(&server.project(), &["reflog", "expire", "--expire=now", "--all"]);
    git(&server.project(), &["gc", "--quiet", "--prune=now"]);
    git(store, &["fsck", "--strict", "--no-dangling"]);
    assert_eq!(text(store, &["show", &format!("{name}:new.txt")]), "uncommitted");
    assert_eq!(text(store, &["show", &format!("{head}~1:a.txt")]), "1", "the whole history: {:?}", snapshot.body);
    assert_eq!(text(store, &["show", &format!("{stash}:other.txt")]), "stashed");
    let held = text(store, &["rev-list", "--count", name, "--not", &base]);
    assert_eq!(held, "6");
    assert!(text(store, &["log", "-1", "--format=%B", name]).contains("refs/heads/agent/ann: "));
    let script = backup["restore"].as_str().unwrap();
    assert!(Command::new("sh").args(["-c", script]).current_dir(server.project()).status().unwrap().success());
    let server = server.restart().await;
    let health = server.get("/health").await.body;
    assert_eq!(health["degraded"], json!([]), "{health}");
}

#[tokio::test]
async fn what_the_project_has_is_no_reason_to_refuse() {
    let server = world().await;
    let clone = make(&server).await;
    std::fs::write(clone.join("a.txt"), "landed\n").unwrap();
    commit(&clone, "mine");
    git(&clone, &["push", "--quiet", "origin", "agent/ann"]);
    git(&server.project(), &["merge", "--quiet", "--ff-only", "agent/ann"]);
    git(&clone, &["branch", "here"]);
    let answer = remove(&server, "").await;
    assert_eq!((answer.status, &answer.body["backup"]), (200, &Value::Null), "{}", answer.body);
}

#[tokio::test]
async fn a_worktree_of_the_clone_is_not_cut_off() {
    let server = world().await;
    let clone = make(&server).await;
    let other = server.project().with_file_name("other");
    git(&clone, &["worktree", "add", "--quiet", "-b", "other", other.to_str().unwrap()]);
    let answer = remove(&server, "?keep=snapshot&discard_ignored=true").await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
    git(&clone, &["worktree", "remove", other.to_str().unwrap()]);
    assert_eq!(remove(&server, "").await.status, 200);
}

#[tokio::test]
async fn what_a_crash_left_of_a_clone_is_cleared_away_and_its_work_kept() {
    let server = world().await;
    let folder = make(&server).await;
    let marker = server.state().join("workspaces/ann.json");
    let marked = std::fs::read_to_string(&marker).unwrap();
    let aside = server.project().with_file_name("aside");
    let backups = || {
        let store = server.project().join(".git/orchestrator/work.git");
        text(&store, &["for-each-ref", "--format=%(refname)", "refs/backup"]).lines().count()
    };
    let cut_off = async |spoil: &dyn Fn(), kept: usize| {
        // As if the record of the clone had never been written.
        std::fs::rename(&folder, &aside).unwrap();
        let answer = remove(&server, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        std::fs::rename(&aside, &folder).unwrap();
        std::fs::write(&marker, &marked).unwrap();
        spoil();
        let before = backups();
        assert_eq!(make(&server).await, folder);
        assert_eq!(text(&folder, &["status", "--short", "--branch"]), "## agent/ann");
        assert_eq!(backups() - before, kept);
    };
    cut_off(&|| {}, 0).await;
    cut_off(&|| std::fs::remove_file(folder.join("a.txt")).unwrap(), 0).await;
    cut_off(&|| std::fs::remove_file(folder.join(".git/HEAD")).unwrap(), 0).await;
    cut_off(&|| std::fs::remove_file(folder.join(".git/index")).unwrap(), 0).await;
    cut_off(&|| std::fs::write(folder.join("work"), "w").unwrap(), 1).await;
    cut_off(
        &|| {
            std::fs::write(folder.join("a.txt"), "committed\n").unwrap();
            commit(&folder, "mine");
        },
        1,
    )
    .await;
    assert_eq!(remove(&server, "").await.status, 200);
    text(&server.project(), &["clone", "--quiet", ".", folder.to_str().unwrap()]);
    std::fs::write(&marker, &marked).unwrap();
    let answer = ask(&server, "ann", json!({"isolation": "clone"})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "another's clone stays: {}", answer.body);
    assert!(folder.join("a.txt").exists());
}
