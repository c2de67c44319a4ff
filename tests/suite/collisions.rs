//! Unfinished work that collides: real worktrees, real edits, nothing committed.

use orchestrator_tests::{TestServer, commit, git, git_text, write};
use serde_json::{Value, json};
use std::path::PathBuf;

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

/// A repository with a commit, and a worktree for each agent.
async fn world(agents: &[&str]) -> (TestServer, Vec<PathBuf>) {
    let server = TestServer::start().await;
    for name in ["a.txt", "b.txt", "old.txt"] {
        server.write(name, TEXT);
    }
    commit(&server.project(), "base");
    let mut folders = Vec::new();
    for agent in agents {
        let folder = server.project().parent().unwrap().join(agent);
        git(&server.project(), &["worktree", "add", "--quiet", "-b", agent, folder.to_str().unwrap()]);
        server.follow(agent, &folder).await;
        folders.push(folder);
    }
    if !agents.is_empty() {
        // What stands there when following begins is no change.
        server.force().await;
    }
    (server, folders)
}

async fn open(server: &TestServer) -> Vec<Value> {
    server.force().await;
    server.get("/conflicts?status=pending").await.body["conflicts"].as_array().unwrap().clone()
}

/// The open conflicts: path, agents, type, severity.
async fn summary(server: &TestServer) -> Vec<Value> {
    let mut all: Vec<Value> = open(server)
        .await
        .iter()
        .map(|one| json!([one["file_path"], one["conflicting_agents"], one["conflict_type"], one["severity"]]))
        .collect();
    all.sort_by_key(Value::to_string);
    all
}

#[tokio::test]
async fn only_what_really_collides_is_a_conflict() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let (ann, bob) = (&folders[0], &folders[1]);
    write(ann, "a.txt", TEXT.replace("one", "ONE"));
    write(bob, "a.txt", TEXT.replace("eight", "EIGHT"));
    write(bob, "b.txt", TEXT.replace("one", "1"));
    assert_eq!(summary(&server).await, Vec::<Value>::new(), "different lines, different files");
    write(ann, "b.txt", TEXT.replace("one", "I").replace("eight", "VIII"));
    std::fs::remove_file(ann.join("old.txt")).unwrap();
    write(bob, "old.txt", TEXT.replace("two", "2"));
    write(ann, "new/file.txt", "mine\n");
    write(bob, "new/file.txt", "yours\n");
    let expected = [
        json!(["b.txt", ["ann", "bob"], "content", "medium"]),
        json!(["new/file.txt", ["ann", "bob"], "add_add", "medium"]),
        json!(["old.txt", ["ann", "bob"], "delete_modify", "critical"]),
    ];
    assert_eq!(summary(&server).await, expected);
}

#[tokio::test]
async fn the_push_holds_the_lines_of_both_sides_and_so_does_the_record() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let mut socket = server.socket("/agent/bob").await;
    write(&folders[1], "a.txt", TEXT.replace("three\n", "THREE\nand more\n"));
    write(&folders[0], "a.txt", TEXT.replace("three\n", "3\n"));
    let push = socket.next_of("conflict_detected").await;
    let region = json!({
        "base": {"start_line": 3, "line_count": 1, "text": "three\n"},
        "sides": [
            {"start_line": 3, "line_count": 1, "text": "3\n"},
            {"start_line": 3, "line_count": 2, "text": "THREE\nand more\n"},
        ],
    });
    assert_eq!((&push["conflicting_agents"], &push["regions"]), (&json!(["ann", "bob"]), &json!([region])));
    let id = push["conflict_id"].as_str().unwrap();
    let shown = server.get(&format!("/conflicts/{id}")).await.body;
    assert_eq!(shown["conflict"]["regions"], push["regions"]);
    assert_eq!(server.get("/conflicts/c9999").await.status, 404);
    server.force().await;
    let changes = server.get("/sync/changes?agent=ann").await.body["changes"].clone();
    assert_eq!(changes[0]["file_path"], "a.txt", "edits in a workspace are its agent's: {changes}");
}

#[tokio::test]
async fn of_a_file_that_one_deleted_the_other_ones_lines_are_shown() {
    let (server, folders) = world(&["ann", "bob"]).await;
    std::fs::remove_file(folders[0].join("a.txt")).unwrap();
    write(&folders[1], "a.txt", TEXT.replace("three\n", "THREE\nand more\n"));
    std::fs::remove_file(folders[1].join("b.txt")).unwrap();
    write(&folders[0], "b.txt", TEXT.replace("six\n", ""));
    let base = json!({"start_line": 3, "line_count": 1, "text": "three\n"});
    let changed = json!({"start_line": 3, "line_count": 2, "text": "THREE\nand more\n"});
    let deleted = json!({"start_line": 1, "line_count": 0, "text": "", "deleted": true});
    let less = json!({"start_line": 6, "line_count": 0, "text": ""});
    let expected = [
        ("a.txt", json!([{"base": base, "sides": [deleted, changed]}])),
        ("b.txt", json!([{"base": {"start_line": 6, "line_count": 1, "text": "six\n"}, "sides": [less, deleted]}])),
    ];
    let mut found = open(&server).await;
    found.sort_by_key(|one| one["file_path"].to_string());
    assert_eq!(found.len(), 2, "{found:?}");
    for (one, (path, regions)) in found.iter().zip(expected) {
        assert_eq!((&one["file_path"], &one["conflict_type"]), (&json!(path), &json!("delete_modify")));
        let shown = server.get(&format!("/conflicts/{}", one["conflict_id"].as_str().unwrap())).await.body;
        assert_eq!(shown["conflict"]["regions"], regions);
    }
}

#[tokio::test]
async fn an_overlap_that_is_gone_is_withdrawn_and_a_marked_one_stays_quiet_until_it_changes() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let mut feed = server.socket("/orchestrator").await;
    write(&folders[0], "a.txt", TEXT.replace("one", "ONE"));
    write(&folders[1], "a.txt", TEXT.replace("one", "1"));
    let id = feed.next_of("conflict_detected").await["conflict_id"].as_str().unwrap().to_owned();
    write(&folders[1], "a.txt", TEXT);
    let gone = feed.next_of("conflict_resolved").await;
    assert_eq!((&gone["conflict_id"], &gone["resolution_strategy"]), (&json!(id), &json!("withdrawn")));

    write(&folders[1], "a.txt", TEXT.replace("one", "I"));
    let again = feed.next_of("conflict_detected").await["conflict_id"].as_str().unwrap().to_owned();
    server.post(&format!("/conflicts/{again}/resolve"), json!({"resolution_strategy": "agreed"})).await;
    feed.next_of("conflict_resolved").await;
    write(&folders[1], "b.txt", "elsewhere\n");
    assert_eq!(summary(&server).await, Vec::<Value>::new(), "nothing new about what was settled");
    write(&folders[1], "a.txt", TEXT.replace("one", "II"));
    let third = feed.next_of("conflict_detected").await;
    assert_ne!(third["conflict_id"], json!(again));
}

#[tokio::test]
async fn work_that_landed_meanwhile_is_the_other_side() {
    let (server, folders) = world(&["ann"]).await;
    write(&folders[0], "a.txt", TEXT.replace("one", "ONE"));
    assert_eq!(summary(&server).await, Vec::<Value>::new());
    server.write("a.txt", &TEXT.replace("one", "landed"));
    commit(&server.project(), "landed");
    assert_eq!(summary(&server).await, [json!(["a.txt", ["ann"], "content", "medium"])]);
    let target = open(&server).await[0]["target"].clone();
    assert!(target == "master" || target == "main", "{target}");
}

#[tokio::test]
async fn committed_work_counts_like_uncommitted_work() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "a.txt", TEXT.replace("one", "ONE"));
    commit(&folders[0], "ann's");
    write(&folders[1], "a.txt", TEXT.replace("one", "1"));
    assert_eq!(summary(&server).await.len(), 1);
    git(&folders[1], &["checkout", "--quiet", "--", "a.txt"]);
    let began = std::time::Instant::now();
    while !summary(&server).await.is_empty() {
        assert!(began.elapsed().as_secs() < 20, "the overlap is not withdrawn");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_restart_keeps_the_record_and_an_agent_that_leaves_takes_it_along() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "a.txt", TEXT.replace("one", "ONE"));
    write(&folders[1], "a.txt", TEXT.replace("one", "1"));
    let before = open(&server).await;
    assert_eq!(before.len(), 1);
    let server = server.restart().await;
    assert_eq!(open(&server).await, before, "found again, and told once");
    server.delete("/agents/bob").await;
    assert_eq!(open(&server).await, Vec::<Value>::new());
    let all = server.get("/conflicts").await.body;
    assert_eq!(all["conflicts"][0]["resolution_strategy"], "withdrawn");
    assert_eq!(all["total_conflicts"], 1);
}

#[tokio::test]
async fn what_changed_while_the_server_was_down_is_found_and_what_is_gone_withdrawn() {
    let (mut server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "a.txt", TEXT.replace("one", "ONE"));
    write(&folders[1], "a.txt", TEXT.replace("one", "1"));
    assert_eq!(open(&server).await.len(), 1);
    server.stop().await;
    write(&folders[0], "a.txt", TEXT);
    write(&folders[0], "b.txt", "x\n");
    write(&folders[1], "b.txt", "y\n");
    let server = server.restart().await;
    let expected = [json!(["b.txt", ["ann", "bob"], "content", "medium"])];
    assert_eq!(summary(&server).await, expected);
}

#[tokio::test]
async fn foreign_folders_need_the_operator() {
    let (server, _) = world(&[]).await;
    let foreign = tempfile::tempdir().unwrap();
    let register = |folder: Value| json!({"agent_id": "x", "workspace": folder});
    for (folder, status, code) in [
        (json!(foreign.path()), 403, "operator_only"),
        (json!("relative"), 422, "invalid_path"),
        (json!("/no/such/folder"), 422, "invalid_path"),
    ] {
        let answer = server.post("/agents/register", register(folder)).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (status, Some(code)), "{}", answer.body);
    }
    let request = server.request("POST", "/agents/register").header("x-orchestrator-operator", server.secret());
    let answer = server.send(request.json(&register(json!(foreign.path())))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let shows = async || {
        let health = server.get("/health").await.body;
        health["degraded"].as_array().unwrap().iter().any(|one| one["name"] == "workspaces")
    };
    server.eventually("the health says that a folder of another history cannot be followed", shows).await;
}

#[tokio::test]
async fn a_workspace_that_cannot_be_read_shows_in_the_health_and_nothing_is_missed() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[1], "a.txt", TEXT.replace("one", "1"));
    server.force().await;
    let shows = async || {
        let health = server.get("/health").await.body;
        health["degraded"].as_array().unwrap().iter().any(|one| one["name"] == "workspace_read")
    };
    let aside = folders[0].with_file_name("aside");
    std::fs::rename(&folders[0], &aside).unwrap();
    server.eventually("the health says that the workspace cannot be read", &shows).await;
    write(&aside, "a.txt", TEXT.replace("one", "ONE"));
    std::fs::rename(&aside, &folders[0]).unwrap();
    let found = async || server.get("/conflicts?status=pending").await.body["conflicts"] != json!([]);
    server.eventually("the overlap made meanwhile is found", found).await;
    server.eventually("the health is fine again", async || !shows().await).await;
}

/// A lease that stands for ten minutes.
async fn claim(server: &TestServer, agent: &str, kind: &str, value: &str) -> String {
    let resource = json!({"kind": kind, "value": value});
    let body = json!({"agent_id": agent, "resource": resource, "ttl_seconds": 600});
    let answer = server.post("/leases", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let lease = &answer.body["lease"];
    format!("/leases/{}?token={}", lease["lease_id"].as_str().unwrap(), lease["token"])
}

const SHOP: &str = "def price(item):\n    return item.price\n\n\nclass Cart:\n    def add(self):\n        return 0\n\n    def total(self):\n        return 1\n";

#[tokio::test]
async fn an_edit_of_what_another_one_holds_is_a_conflict_at_once_and_ends_with_the_edit_or_the_claim() {
    let (mut server, folders) = world(&["ann", "bob"]).await;
    write(&server.project(), "shop.py", SHOP);
    commit(&server.project(), "shop");
    let head = git_text(&server.project(), &[], &["rev-parse", "HEAD"]).trim().to_owned();
    for folder in &folders {
        git(folder, &["merge", "--quiet", "--ff-only", &head]);
    }
    claim(&server, "ann", "entity", "shop.py::Cart.total").await;
    let lease = claim(&server, "ann", "path", "b.txt").await;
    server.force().await;
    let mut feed = server.socket("/orchestrator").await;

    write(&folders[1], "shop.py", SHOP.replace("item.price", "item.price * 2"));
    assert_eq!(summary(&server).await, Vec::<Value>::new(), "that part is free");
    write(&folders[1], "shop.py", SHOP.replace("return 0", "return 5"));
    assert_eq!(summary(&server).await, Vec::<Value>::new(), "and so is its neighbour");
    write(&folders[1], "shop.py", SHOP.replace("return 1", "return 2"));
    let push = feed.next_of("conflict_detected").await;
    let expected = json!(["shop.py", "lease", "high", ["ann", "bob"], "bob", ["shop.py::Cart.total"]]);
    let fields = ["file_path", "conflict_type", "severity", "conflicting_agents", "affected_agent", "entities"];
    assert_eq!(Value::from_iter(fields.iter().map(|field| push[field].clone())), expected);

    write(&folders[1], "b.txt", TEXT.replace("one", "ONE"));
    assert_eq!(feed.next_of("conflict_detected").await["file_path"], "b.txt");
    assert_eq!(server.delete(&lease).await.status, 200);
    assert_eq!(feed.next_of("conflict_resolved").await["resolution_strategy"], "withdrawn");
    assert_eq!(summary(&server).await.len(), 1, "with the claim its conflict ended");

    server = server.restart().await;
    assert_eq!(summary(&server).await.len(), 1, "the same record after a restart");
    let mut feed = server.socket("/orchestrator").await;
    write(&folders[1], "shop.py", SHOP);
    assert_eq!(feed.next_of("conflict_resolved").await["conflict_id"], push["conflict_id"]);
    write(&folders[0], "shop.py", SHOP.replace("return 1", "return 3"));
    assert_eq!(summary(&server).await, Vec::<Value>::new(), "who holds it may change it");
}

#[tokio::test]
async fn a_report_of_an_edit_breaks_a_lease_too() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    server.register("bob", &[]).await;
    claim(&server, "ann", "glob", "src/**").await;
    let mut bob = server.socket("/agent/bob").await;
    bob.send(json!({"type": "code_change", "file_path": "docs/a.md", "change_type": "modified"})).await;
    bob.send(json!({"type": "code_change", "file_path": "src/a.py", "change_type": "modified"})).await;
    let push = bob.next_of("conflict_detected").await;
    assert_eq!((&push["file_path"], &push["conflict_type"]), (&json!("src/a.py"), &json!("lease")));
    server.delete("/agents/ann").await;
    assert_eq!(bob.next_of("conflict_resolved").await["conflict_id"], push["conflict_id"]);
    let status = server.get("/sync/status").await.body["sync_status"].clone();
    assert_eq!(status["resolved_conflicts"], 1, "with the lease and with its holder it ends once");
}

#[tokio::test]
async fn what_only_a_report_said_of_a_lease_gives_way_to_the_work_itself() {
    let (server, folders) = world(&["ann", "bob"]).await;
    server.register("cat", &[]).await;
    claim(&server, "ann", "path", "a.txt").await;
    let mut cat = server.socket("/agent/cat").await;
    cat.send(json!({"type": "code_change", "file_path": "a.txt", "change_type": "modified"})).await;
    let push = cat.next_of("conflict_detected").await;
    assert_eq!((&push["conflict_type"], &push["affected_agent"]), (&json!("lease"), &json!("cat")));
    let folder = folders[0].parent().unwrap().join("cat");
    git(&server.project(), &["worktree", "add", "--quiet", "-b", "cat", folder.to_str().unwrap()]);
    server.follow("cat", &folder).await;
    assert_eq!(
        cat.next_of("conflict_resolved").await["conflict_id"],
        push["conflict_id"],
        "its work holds no such edit"
    );
    write(&folder, "a.txt", "cat's\n");
    assert_eq!(cat.next_of("conflict_detected").await["conflict_type"], "lease");
}

#[tokio::test]
async fn a_conflict_with_landed_work_ends_when_another_branch_is_the_target() {
    let (server, folders) = world(&["ann"]).await;
    write(&folders[0], "a.txt", TEXT.replace("one", "ONE"));
    write(&server.project(), "a.txt", TEXT.replace("one", "landed"));
    commit(&server.project(), "landed");
    let first = git_text(&server.project(), &[], &["branch", "--show-current"]);
    let targets = async || {
        let open = open(&server).await;
        open.iter().map(|one| one["target"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    server.eventually("it collides with the branch", async || targets().await == [first.clone()]).await;
    git(&server.project(), &["checkout", "--quiet", "-b", "release"]);
    server.eventually("it collides with the other branch", async || targets().await == ["release"]).await;
    git(&server.project(), &["checkout", "--quiet", "--detach"]);
    server.eventually("there is no target", async || targets().await.is_empty()).await;
}
