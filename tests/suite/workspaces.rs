//! Workspaces that the server makes for agents: real worktrees, and nothing lost when they go.

use orchestrator::Options;
use orchestrator_tests::{Answer, TestServer, commit, git};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A project with a commit and an ignored `.env`, and a registered agent `Ann`.
async fn world() -> TestServer {
    world_with(|_| {}).await
}

async fn world_with(configure: fn(&mut Options)) -> TestServer {
    let server = TestServer::start_with(configure, &[]).await;
    server.write("a.txt", "one\n");
    server.write(".gitignore", ".env\n/deps/\n/target/\n");
    commit(&server.project(), "base");
    server.write(".env", "SECRET=1\n");
    server.register("Ann", &["python"]).await;
    server
}

/// What git prints.
fn said(folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(said(folder, arguments)).unwrap().trim_end().to_owned()
}

async fn ask(server: &TestServer, agent: &str, body: Value) -> Answer {
    server.post(&format!("/agents/{agent}/workspace"), body).await
}

/// Makes a workspace; answers with its folder.
async fn make(server: &TestServer, agent: &str, body: Value) -> PathBuf {
    let answer = ask(server, agent, body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["workspace"]["path"].as_str().unwrap().into()
}

async fn remove(server: &TestServer, agent: &str, query: &str) -> Answer {
    server.delete(&format!("/agents/{agent}/workspace{query}")).await
}

async fn list(server: &TestServer) -> Vec<Value> {
    assert_eq!(server.post("/command", json!({"command": "*sync:force"})).await.status, 200);
    server.get("/workspaces").await.body["workspaces"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_workspace_is_a_worktree_on_its_own_branch_beside_the_project() {
    let server = world().await;
    let answer = ask(&server, "ann", json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let head = text(&server.project(), &["rev-parse", "HEAD"]);
    let folder = server.project().canonicalize().unwrap().with_file_name("project.workspaces").join("Ann");
    let workspace = json!({"path": folder, "branch": "agent/Ann", "head": head, "isolation": "worktree", "copied": [],
        "linked": [], "left_out": []});
    assert_eq!(answer.body, json!({"status": "success", "agent_id": "Ann", "workspace": workspace}));
    assert_eq!(text(&folder, &["status", "--short", "--branch"]), "## agent/Ann");
    assert_eq!(ask(&server, "Ann", json!({})).await.body, answer.body, "asked again, the same");
    let agent = server.get("/agents/ann").await.body["agent"].clone();
    assert_eq!((&agent["workspace"], &agent["branch"]), (&json!(folder), &json!("agent/Ann")));
    assert_eq!(agent["capabilities"], json!(["python"]), "what it can do stays");
    let told = server.get("/events?after=0").await.body["events"].clone();
    let told = told.as_array().unwrap().iter().find(|one| one["type"] == "workspace_created").unwrap().clone();
    assert_eq!((&told["agent_id"], &told["path"]), (&json!("Ann"), &json!(folder)));
}

#[tokio::test]
async fn what_is_typed_in_a_workspace_is_followed_and_listed() {
    let server = world().await;
    server.register("bob", &[]).await;
    let ann = make(&server, "ann", json!({})).await;
    let bob = make(&server, "bob", json!({"branch": "topic/b"})).await;
    std::fs::write(ann.join("a.txt"), "ONE\n").unwrap();
    std::fs::write(bob.join("a.txt"), "1\n").unwrap();
    let listed = list(&server).await;
    let head = text(&ann, &["rev-parse", "HEAD"]);
    let shown = |agent: &str, path: &Path, branch: &str| {
        json!({"agent_id": agent, "path": path, "branch": branch, "head": head, "isolation": "worktree", "dirty": 1, "busy": null,
            "followed": true, "reason": null, "made": true, "pushed": false, "reports_only": false})
    };
    assert_eq!(listed, [shown("Ann", &ann, "agent/Ann"), shown("bob", &bob, "topic/b")]);
    let open = server.get("/conflicts?status=pending").await.body["conflicts"].clone();
    assert_eq!(open[0]["conflicting_agents"], json!(["Ann", "bob"]));
    let lock = PathBuf::from(text(&ann, &["rev-parse", "--absolute-git-dir"])).join("index.lock");
    std::fs::write(&lock, "").unwrap();
    let busy = async || server.get("/workspaces").await.body["workspaces"][0]["busy"] == "locked";
    server.eventually("it is shown that git is busy there", busy).await;
    let answer = remove(&server, "ann", "?keep=snapshot").await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
}

#[tokio::test]
async fn bad_names_and_starts_are_refused_and_leave_nothing() {
    let server = world().await;
    server.register("x.lock", &[]).await;
    for branch in
        ["--output=f", "-x", "a..b", "x.lock", "", "HEAD", "a b", "a/", "refs/../x", "a\u{1}b", &"n".repeat(300)]
    {
        let answer = ask(&server, "ann", json!({ "branch": branch })).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{branch}: {}", answer.body);
    }
    for from in ["no-such", "--help", "HEAD~1", ":/base", "", "zz", "0000000", "a..b"] {
        let answer = ask(&server, "ann", json!({ "from": from })).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_request"), "{from}: {}", answer.body);
    }
    assert_eq!(ask(&server, "x.lock", json!({})).await.status, 422, "its usual branch has no name");
    assert_eq!(ask(&server, "ann", json!({"isolation": "moon"})).await.status, 422);
    let answer = ask(&server, "nobody", json!({})).await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_agent"));
    let answer = remove(&server, "ann", "").await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_workspace"));
    assert_eq!(remove(&server, "ann", "?keep=all").await.status, 422);
    assert_eq!(text(&server.project(), &["for-each-ref", "--format=%(refname)"]).lines().count(), 1);
    assert_eq!(text(&server.project(), &["worktree", "list"]).lines().count(), 1);
    assert!(!server.project().with_file_name("project.workspaces").exists());
}

#[tokio::test]
async fn a_branch_that_exists_is_taken_only_when_it_is_meant() {
    let server = world().await;
    let project = server.project();
    let base = text(&project, &["rev-parse", "HEAD"]);
    git(&project, &["branch", "agent/Ann"]);
    git(&project, &["branch", "old"]);
    server.write("b.txt", "b\n");
    commit(&project, "next");
    let main = text(&project, &["branch", "--show-current"]);
    let answer = ask(&server, "ann", json!({})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "elsewhere: {}", answer.body);
    let answer = ask(&server, "ann", json!({"branch": "old", "from": main})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "elsewhere: {}", answer.body);
    let answer = ask(&server, "ann", json!({ "branch": main })).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "checked out: {}", answer.body);
    let folder = make(&server, "ann", json!({"branch": "old"})).await;
    assert_eq!(text(&folder, &["rev-parse", "HEAD"]), base, "as it is");
    let answer = ask(&server, "ann", json!({"branch": "other"})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "another branch: {}", answer.body);
    server.register("bob", &[]).await;
    let folder = make(&server, "bob", json!({ "from": &base[..7] })).await;
    assert_eq!(text(&folder, &["rev-parse", "HEAD", "--abbrev-ref", "HEAD"]), format!("{base}\nagent/bob"));
}

#[tokio::test]
async fn configured_untracked_files_come_along_and_never_become_work() {
    let server = world_with(|options| {
        options.workspace_copy = [".env", "a.txt", "local/*.key", "../outside"].map(str::to_owned).into();
        options.workspace_link = ["deps/", "cache"].map(str::to_owned).into();
    })
    .await;
    server.write("deps/lib.js", "lib\n");
    server.write("cache/x", "x\n");
    server.write("local/my [1].key", "key\n");
    std::os::unix::fs::symlink("/etc/hostname", server.project().join("local/out.key")).unwrap();
    let answer = ask(&server, "ann", json!({})).await;
    let workspace = &answer.body["workspace"];
    assert_eq!(workspace["copied"], json!([".env", "local/my [1].key"]), "{workspace}");
    assert_eq!(workspace["linked"], json!(["deps", "cache"]));
    let left: Vec<&str> =
        workspace["left_out"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert_eq!(left, ["a.txt", "local/out.key", "../outside"]);
    let folder = PathBuf::from(workspace["path"].as_str().unwrap());
    assert_eq!(std::fs::read(folder.join(".env")).unwrap(), b"SECRET=1\n");
    assert_eq!(std::fs::read_link(folder.join("deps")).unwrap(), server.project().canonicalize().unwrap().join("deps"));
    assert_eq!(text(&folder, &["status", "--short"]), "", "none of it is work");
    assert_eq!(ask(&server, "ann", json!({})).await.body, answer.body);
    assert_eq!(list(&server).await[0]["dirty"], 0);
    let answer = remove(&server, "ann", "").await;
    assert_eq!((answer.status, &answer.body["ignored_files"]), (200, &json!(0)), "unchanged: {}", answer.body);
    assert_eq!(std::fs::read(server.project().join("deps/lib.js")).unwrap(), b"lib\n", "links are not followed");
}

#[tokio::test]
async fn a_clean_workspace_is_removed_and_its_branch_stays() {
    let server = world().await;
    let folder = make(&server, "ann", json!({})).await;
    let answer = remove(&server, "ann", "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!((&answer.body["removed"], &answer.body["backup"]), (&json!(true), &Value::Null));
    assert_eq!((&answer.body["branch"], &answer.body["files"]), (&json!("agent/Ann"), &json!(2)));
    assert!(!folder.exists());
    assert_eq!(text(&server.project(), &["worktree", "list"]).lines().count(), 1);
    assert_eq!(text(&server.project(), &["branch", "--list", "agent/*"]).trim(), "agent/Ann");
    assert_eq!(server.get("/agents/ann").await.body["agent"]["workspace"], Value::Null);
    assert_eq!(remove(&server, "ann", "").await.code(), "unknown_workspace");
    let changes = server.get("/sync/changes").await.body["changes"].clone();
    assert_eq!(changes, json!([]), "its end is nobody's work");
    assert_eq!(make(&server, "ann", json!({})).await, folder, "and can be made again");
}

#[tokio::test]
async fn unlanded_work_is_refused_or_kept_and_comes_back() {
    let server = world().await;
    let folder = make(&server, "ann", json!({})).await;
    let bytes = b"\x00\xffnot text\r\n".to_vec();
    std::fs::write(folder.join("a.txt"), "changed\n").unwrap();
    std::fs::write(folder.join("new.bin"), &bytes).unwrap();
    let answer = remove(&server, "ann", "").await;
    assert_eq!((answer.status, answer.code()), (409, "unlanded_work"));
    let told = answer.body["detail"].as_str().unwrap();
    assert!(told.contains("2 paths uncommitted and 0 commits"), "{told}");
    commit(&folder, "mine");
    std::fs::write(folder.join("a.txt"), "and more\n").unwrap();
    let answer = remove(&server, "ann", "").await;
    let told = answer.body["detail"].as_str().unwrap();
    assert!(answer.status == 409 && told.contains("1 path uncommitted and 1 commit "), "{told}");

    let answer = remove(&server, "ann", "?keep=snapshot").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!folder.exists());
    let backup = &answer.body["backup"];
    let (name, id) = (backup["ref"].as_str().unwrap(), backup["commit"].as_str().unwrap());
    let store = Path::new(backup["repository"].as_str().unwrap());
    assert_eq!(text(store, &["rev-parse", name]), id);
    assert_eq!(said(store, &["cat-file", "blob", &format!("{name}:new.bin")]), bytes);
    assert_eq!(said(store, &["cat-file", "blob", &format!("{name}:a.txt")]), b"and more\n");
    git(store, &["fsck", "--strict", "--no-dangling"]);
    let script = backup["restore"].as_str().unwrap();
    let status = Command::new("sh").args(["-c", script]).current_dir(server.project()).status().unwrap();
    assert!(status.success(), "{script}");
    let kept = script.rsplit_once(':').unwrap().1;
    assert_eq!(said(&server.project(), &["cat-file", "blob", &format!("{kept}:new.bin")]), bytes);
    let removed = server.get("/events?after=0").await.body["events"].clone();
    let removed = removed.as_array().unwrap().iter().find(|one| one["type"] == "workspace_removed").unwrap().clone();
    assert_eq!(removed["backup"], backup["ref"]);
}

#[tokio::test]
async fn a_landed_commit_is_no_reason_to_refuse() {
    let server = world().await;
    let folder = make(&server, "ann", json!({})).await;
    std::fs::write(folder.join("a.txt"), "changed\n").unwrap();
    commit(&folder, "mine");
    git(&server.project(), &["merge", "--quiet", "--ff-only", "agent/Ann"]);
    let answer = remove(&server, "ann", "").await;
    assert_eq!((answer.status, &answer.body["backup"]), (200, &Value::Null), "{}", answer.body);
}

#[tokio::test]
async fn ignored_files_and_repositories_within_go_only_when_that_is_said() {
    let server = world().await;
    let folder = make(&server, "ann", json!({})).await;
    std::fs::create_dir(folder.join("target")).unwrap();
    std::fs::write(folder.join("target/out"), "12345").unwrap();
    for query in ["", "?keep=snapshot"] {
        let answer = remove(&server, "ann", query).await;
        assert_eq!((answer.status, answer.code()), (409, "unlanded_work"), "{}", answer.body);
        let told = answer.body["detail"].as_str().unwrap();
        assert!(told.contains("1 file of 5 bytes") && told.contains("'target/out'"), "{told}");
    }
    git(&folder.join("target"), &["init", "--quiet", "inner"]);
    let answer = remove(&server, "ann", "?discard_ignored=true").await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
    std::fs::remove_dir_all(folder.join("target/inner")).unwrap();
    let answer = remove(&server, "ann", "?discard_ignored=true").await;
    assert_eq!((answer.status, &answer.body["ignored_files"]), (200, &json!(1)), "{}", answer.body);
}

#[tokio::test]
async fn a_folder_that_the_agent_brought_stays() {
    let server = world().await;
    let own = server.project().with_file_name("own");
    git(&server.project(), &["worktree", "add", "--quiet", "-b", "own", own.to_str().unwrap()]);
    let answer = server.post("/agents/register", json!({"agent_id": "ann", "workspace": own})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    std::fs::write(own.join("a.txt"), "changed\n").unwrap();
    let answer = remove(&server, "ann", "").await;
    assert_eq!((answer.status, &answer.body["removed"]), (200, &json!(false)), "{}", answer.body);
    assert_eq!(std::fs::read(own.join("a.txt")).unwrap(), b"changed\n");
    assert_eq!(server.get("/agents/ann").await.body["agent"]["workspace"], Value::Null);
    let folder = server.project().with_file_name("project.workspaces").join("Ann");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("precious"), "p").unwrap();
    let answer = ask(&server, "ann", json!({})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
    assert_eq!(std::fs::read(folder.join("precious")).unwrap(), b"p");
}

#[tokio::test]
async fn a_workspace_outlives_its_agent_and_a_restart() {
    let server = world().await;
    let folder = make(&server, "ann", json!({})).await;
    server.delete("/agents/ann").await;
    std::fs::write(folder.join("a.txt"), "changed\n").unwrap();
    let server = server.restart().await;
    let listed = server.get("/workspaces").await.body["workspaces"].clone();
    assert_eq!((&listed[0]["path"], &listed[0]["followed"]), (&json!(folder), &json!(false)), "{listed}");
    assert_eq!(remove(&server, "ann", "").await.code(), "unlanded_work");
    server.register("Ann", &[]).await;
    assert_eq!(make(&server, "ann", json!({})).await, folder, "the same, with its work");
    assert_eq!(std::fs::read(folder.join("a.txt")).unwrap(), b"changed\n");
    assert_eq!(list(&server).await[0]["dirty"], 1);
}

#[tokio::test]
async fn what_a_crash_left_is_cleared_away_by_the_next_request() {
    let server = world().await;
    let folder = make(&server, "ann", json!({})).await;
    let marker = server.state().join("workspaces/ann.json");
    let text_of_marker = std::fs::read_to_string(&marker).unwrap();
    let cut_off = async |spoil: &dyn Fn()| {
        // As if the record of the workspace had never been written.
        let answer = remove(&server, "ann", "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(!marker.exists());
        git(&server.project(), &["worktree", "add", "--quiet", folder.to_str().unwrap(), "agent/Ann"]);
        std::fs::write(&marker, &text_of_marker).unwrap();
        spoil();
        assert_eq!(make(&server, "ann", json!({})).await, folder);
        assert_eq!(text(&folder, &["status", "--short", "--branch"]), "## agent/Ann");
    };
    cut_off(&|| {}).await;
    cut_off(&|| std::fs::remove_file(folder.join("a.txt")).unwrap()).await;
    cut_off(&|| std::fs::remove_dir_all(&folder).unwrap()).await;
    let git_dir = text(&folder, &["rev-parse", "--absolute-git-dir"]);
    cut_off(&|| {
        std::fs::remove_file(Path::new(&git_dir).join("index")).unwrap();
        std::fs::remove_file(folder.join("a.txt")).unwrap();
    })
    .await;
    cut_off(&|| std::fs::write(folder.join("work"), "w").unwrap()).await;
    let kept = text(&server.project().join(".git/orchestrator/work.git"), &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(kept.lines().filter(|name| name.starts_with("refs/backup/")).count(), 1, "work is kept: {kept}");
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(make(&server, "ann", json!({})).await, folder, "one that somebody deleted is made anew");
}

#[tokio::test]
async fn requests_at_once_make_one_workspace() {
    let server = world().await;
    let asked = (0..8).map(|_| ask(&server, "ann", json!({})));
    let answers = futures_util::future::join_all(asked).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (200, &answers[0].body));
    }
    assert_eq!(text(&server.project(), &["worktree", "list"]).lines().count(), 2);
    let removed = futures_util::future::join_all((0..4).map(|_| remove(&server, "ann", ""))).await;
    let mut statuses: Vec<u16> = removed.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404]);
}

#[tokio::test]
async fn what_was_recorded_of_a_workspace_stands_until_it_is_read_again_or_given_up() {
    let mut server = world().await;
    server.register("bob", &[]).await;
    let mut folders = Vec::new();
    for agent in ["Ann", "bob"] {
        let folder = make(&server, agent, json!({})).await;
        std::fs::write(folder.join("a.txt"), agent).unwrap();
        folders.push(folder);
    }
    let pending = async |server: &TestServer| {
        assert_eq!(server.post("/command", json!({"command": "*sync:force"})).await.status, 200);
        server.get("/conflicts?status=pending").await.body["conflicts"].as_array().unwrap().len()
    };
    assert_eq!(pending(&server).await, 1);
    server.stop().await;
    std::fs::remove_dir_all(&folders[1]).unwrap();
    let server = server.restart().await;
    let fails = async || server.get("/health").await.body["degraded"].to_string().contains("\"workspaces\"");
    server.eventually("bob's folder cannot be followed", fails).await;
    assert_eq!(pending(&server).await, 1, "nothing is known of bob's work");
    let removed = remove(&server, "bob", "").await;
    assert_eq!(removed.status, 200, "{}", removed.body);
    server.eventually("bob has no work that could collide", async || pending(&server).await == 0).await;
}

#[tokio::test]
async fn a_project_without_git_or_commit_says_so() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    let answer = ask(&server, "ann", json!({})).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{}", answer.body);
}

#[tokio::test]
async fn beyond_the_watch_budget_the_quiet_workspaces_are_scanned_and_named() {
    // Each workspace is one folder: the budget is enough for one of them.
    let server = TestServer::start_with(|options| options.watch_budget = Some(1), &[]).await;
    server.write("a.txt", "one\n");
    commit(&server.project(), "base");
    let mut folders = Vec::new();
    for agent in ["ann", "bob"] {
        let folder = server.project().parent().unwrap().join(agent);
        git(&server.project(), &["worktree", "add", "--quiet", "-b", agent, folder.to_str().unwrap()]);
        server.post("/agents/register", json!({"agent_id": agent, "workspace": folder})).await;
        folders.push(folder);
    }
    let named = async || {
        let health = server.get("/health").await.body;
        let degraded = health["degraded"].as_array().unwrap().clone();
        degraded
            .iter()
            .any(|one| one["name"] == "workspace_budget" && one["reason"].as_str().unwrap().ends_with(": bob"))
    };
    server.eventually("the health names who is scanned", named).await;
    std::fs::write(folders[0].join("a.txt"), "ann's\n").unwrap();
    std::fs::write(folders[1].join("a.txt"), "bob's\n").unwrap();
    let found = async || server.get("/conflicts?status=pending").await.body["total_conflicts"] == 1;
    server.eventually("what a scan finds is merged", found).await;
    server.delete("/agents/ann").await;
    let recovered = async || server.get("/health").await.body["degraded"] == json!([]);
    server.eventually("who remains is watched", recovered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_back_while_a_workspace_is_first_looked_at_is_no_work() {
    const FILES: u64 = 60;
    let server = TestServer::start().await;
    (0..FILES).for_each(|number| server.write(&format!("{number}.txt"), "stands\n"));
    commit(&server.project(), "base");
    let clean = text(&server.project(), &["rev-parse", "HEAD^{tree}"]);
    for round in 0..10 {
        let agent = format!("w{round}");
        let folder = server.project().parent().unwrap().join(&agent);
        git(&server.project(), &["worktree", "add", "--quiet", "-b", &agent, folder.to_str().unwrap()]);
        let writer = std::thread::spawn({
            let folder = folder.clone();
            move || {
                // Every file differs for a few milliseconds, then stands as it did; together they cover the first look.
                for number in 0..FILES {
                    let path = folder.join(format!("{number}.txt"));
                    std::fs::write(&path, "in motion\n").unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(2 + number % 7));
                    std::fs::write(&path, "stands\n").unwrap();
                }
            }
        });
        let answer = server.post("/agents/register", json!({"agent_id": agent, "workspace": folder})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        writer.join().unwrap();
        assert_eq!(server.post("/command", json!({"command": "*sync:force"})).await.status, 200);
        let known = server.orchestrator.work_of(&agent.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(known.tree, clean, "round {round}: what {agent} put back is held for its work");
    }
}

#[tokio::test]
async fn a_tracked_file_that_the_ignore_rules_name_is_followed_too() {
    let server = TestServer::start().await;
    server.write("built.js", "one\n");
    commit(&server.project(), "base");
    server.write(".gitignore", "*.js\n");
    commit(&server.project(), "ignored from now on");
    let folder = server.project().parent().unwrap().join("w");
    git(&server.project(), &["worktree", "add", "--quiet", "-b", "w", folder.to_str().unwrap()]);
    server.post("/agents/register", json!({"agent_id": "w", "workspace": folder})).await;
    assert_eq!(server.post("/command", json!({"command": "*sync:force"})).await.status, 200);
    std::fs::write(folder.join("built.js"), "two\n").unwrap();
    let known = async || {
        server.post("/command", json!({"command": "*sync:force"})).await;
        server.orchestrator.work_of(&"w".parse().unwrap()).await.unwrap().unwrap().changed == 1
    };
    server.eventually("the edit of a tracked file is seen", known).await;
}
