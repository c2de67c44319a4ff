//! Watching the project's folder.

use orchestrator_tests::TestServer;
use serde_json::{Value, json};

/// Passes the barrier: every change made before is recorded.
async fn force(server: &TestServer) -> Value {
    server.eventually("watching", async || server.orchestrator.watched().is_some()).await;
    let answer = server.post("/command", json!({"command": "*sync:force"})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["result"].clone()
}

async fn changes(server: &TestServer, query: &str) -> Vec<Value> {
    server.get(&format!("/sync/changes{query}")).await.body["changes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn what_is_on_disk_when_the_barrier_is_asked_is_listed_when_it_returns() {
    let server = TestServer::start().await;
    server.post_text("/sync/start", "").await;
    for round in 0..20 {
        server.write("src/a.py", &format!("print({round})\n"));
        let seq = force(&server).await["seq"].as_u64().unwrap();
        let last = changes(&server, "").await.pop().unwrap();
        assert_eq!((&last["file_path"], last["seq"].as_u64().unwrap() <= seq), (&json!("src/a.py"), true), "{round}");
    }
}

#[tokio::test]
async fn changes_carry_hashes_kinds_and_are_filtered() {
    let server = TestServer::start().await;
    server.write("src/a.py", "one");
    server.post_text("/sync/start", "").await;
    force(&server).await;
    server.write("src/a.py", "two");
    server.write("docs/b.md", "b");
    force(&server).await;
    std::fs::remove_file(server.project().join("docs/b.md")).unwrap();
    force(&server).await;
    let all = changes(&server, "").await;
    let find =
        |path: &str, kind: &str| all.iter().find(|change| change["file_path"] == path && change["change_type"] == kind);
    let modified = find("src/a.py", "modified").unwrap();
    assert_eq!(modified["file_hash"].as_str().unwrap().len(), 64);
    assert_ne!(modified["file_hash"], modified["previous_hash"]);
    assert!(find("docs/b.md", "created").is_some() && find("docs/b.md", "deleted").is_some());
    assert!(changes(&server, "?path=docs").await.iter().all(|change| change["file_path"] == "docs/b.md"));
    let newest = all.last().unwrap()["seq"].as_u64().unwrap();
    assert!(changes(&server, &format!("?since={newest}")).await.is_empty());
    assert_eq!(changes(&server, "?limit=1").await.len(), 1);
}

#[tokio::test]
async fn a_change_is_attributed_to_who_reported_or_leases_the_file_and_else_to_nobody() {
    let server = TestServer::start().await;
    server.post_text("/sync/start", "").await;
    server.register("holder", &[]).await;
    let resource = json!({"kind": "glob", "value": "lib/**"});
    server.post("/leases", json!({"agent_id": "holder", "resource": resource})).await;
    let mut socket = server.socket("/agent/editor").await;
    socket.send(json!({"type": "code_change", "file_path": "src/a.py", "change_type": "modified"})).await;
    socket.next_of("code_change_ack").await;
    force(&server).await;
    for path in ["src/a.py", "lib/x.py", "other.txt"] {
        server.write(path, "new");
    }
    force(&server).await;
    for (path, agent) in [("src/a.py", json!("editor")), ("lib/x.py", json!("holder")), ("other.txt", Value::Null)] {
        let seen = changes(&server, &format!("?path={path}")).await;
        assert_eq!(seen.last().unwrap()["agent_id"], agent, "{path}");
    }
    assert!(changes(&server, "?agent=HOLDER").await.iter().all(|change| change["agent_id"] == "holder"));
}

#[tokio::test]
async fn ignored_files_and_our_own_are_not_changes() {
    let server = TestServer::start().await;
    server.write(".gitignore", "build/\n*.tmp\n");
    server.post_text("/sync/start", "").await;
    force(&server).await;
    for path in ["build/out.o", "x.tmp", ".orchestrator/bus/inbox/a/b.json"] {
        server.write(path, "x");
    }
    server.write("seen.txt", "x");
    force(&server).await;
    let paths: Vec<Value> = changes(&server, "").await.iter().map(|change| change["file_path"].clone()).collect();
    assert_eq!(paths, ["seen.txt"]);
    assert_eq!(server.get("/sync/status").await.body["sync_status"]["total_files_monitored"], 2);
}

#[tokio::test]
async fn a_mass_deletion_is_withheld_until_the_operator_confirms_it() {
    let server = TestServer::start().await;
    for n in 0..120 {
        server.write(&format!("src/f{n}.txt"), "x");
    }
    server.post_text("/sync/start", "").await;
    force(&server).await;
    std::fs::remove_dir_all(server.project().join("src")).unwrap();
    server
        .eventually("health says so", async || {
            server.get("/health").await.body["degraded"][0]["name"] == "mass_deletion"
        })
        .await;
    assert!(changes(&server, "").await.iter().all(|change| change["change_type"] != "deleted"));
    let confirm = server.request("POST", "/sync/confirm-deletions").header("x-orchestrator-operator", server.secret());
    assert_eq!(server.send(confirm).await.status, 200);
    server.eventually("they are let through", async || changes(&server, "?path=src").await.len() == 120).await;
    server.eventually("health is well again", async || server.get("/health").await.body["status"] == "healthy").await;
}

#[tokio::test]
async fn an_agents_edit_ends_when_it_leaves_and_the_conflict_is_withdrawn() {
    let server = TestServer::start().await;
    for name in ["one", "two"] {
        let mut socket = server.socket(&format!("/agent/{name}")).await;
        socket.send(json!({"type": "code_change", "file_path": "src/a.py", "change_type": "modified"})).await;
        socket.next_of("code_change_ack").await;
    }
    assert_eq!(server.get("/sync/status").await.body["sync_status"]["active_conflicts"], 1);
    server.delete("/agents/two").await;
    let conflict = server.get("/conflicts").await.body["conflicts"][0].clone();
    assert_eq!(
        (&conflict["resolution_status"], &conflict["resolution_strategy"]),
        (&json!("resolved"), &json!("withdrawn"))
    );
}
