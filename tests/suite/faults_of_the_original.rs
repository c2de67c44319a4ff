//! Faults that the documented system had, each tried here.

use orchestrator_tests::TestServer;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[tokio::test]
async fn connection_ids_are_never_used_twice() {
    let server = TestServer::start().await;
    let mut ids = BTreeSet::new();
    for round in 0..20 {
        let socket = server.socket(if round % 2 == 0 { "/agent/dev" } else { "/orchestrator" }).await;
        ids.insert(socket.greeting["connection_id"].as_str().unwrap().to_owned());
        socket.close().await;
    }
    assert_eq!(ids.len(), 20);
}

#[tokio::test]
async fn every_socket_of_an_agent_is_served_and_closing_one_leaves_the_others() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let mut first = server.socket("/agent/dev").await;
    let mut second = server.socket("/agent/dev").await;
    server.message("a", "dev", json!({"n": 1})).await;
    assert_eq!(first.next_of("agent_message").await["payload"]["n"], 1);
    assert_eq!(second.next_of("agent_message").await["payload"]["n"], 1);
    second.close().await;
    server
        .eventually("the close is seen", async || server.get("/health").await.body["websocket_connections"] == 1)
        .await;
    server.message("a", "dev", json!({"n": 2})).await;
    assert_eq!(first.next_of("agent_message").await["payload"]["n"], 2);
}

#[tokio::test]
async fn broadcasts_succeed_while_agents_join_and_leave() {
    let server = TestServer::start().await;
    let joining = async {
        for _ in 0..50 {
            let socket = server.socket("/agent/guest").await;
            server.register("guest", &[]).await;
            server.delete("/agents/guest").await;
            socket.close().await;
        }
    };
    let broadcasting = async {
        for n in 0..50 {
            assert_eq!(server.post("/broadcast", json!({"n": n})).await.status, 200);
        }
    };
    tokio::join!(joining, broadcasting);
}

#[tokio::test]
async fn a_slow_reader_stalls_nobody() {
    let server = TestServer::start().await;
    // It never reads, so that everything on the way to it fills up.
    let _slow = server.socket("/orchestrator").await;
    let mut quick = server.socket("/orchestrator").await;
    let text = "x".repeat(100_000);
    for n in 0..100 {
        assert_eq!(server.post("/broadcast", json!({"n": n, "text": text})).await.status, 200);
        assert_eq!(quick.next_of("broadcast_message").await["payload"]["n"], n);
    }
}

#[tokio::test]
async fn a_message_to_an_offline_agent_waits_for_it() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    server.delete("/agents/dev").await;
    let id = server.message("a", "dev", json!({"n": 1})).await;
    assert_eq!(server.get(&format!("/messages/{id}")).await.body["message"]["state"], "queued");
    let mut socket = server.socket("/agent/dev").await;
    assert_eq!(socket.next_of("agent_message").await["message_id"], json!(id));
}

#[tokio::test]
async fn a_workload_that_is_no_number_is_refused_and_lists_stay_readable() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    for workload in ["NaN", "inf", "-1", "2", "much"] {
        let answer = server.post_text(&format!("/agents/dev/status?status=busy&workload={workload}"), "").await;
        assert_eq!(answer.status, 422, "{workload}");
    }
    assert_eq!(server.get("/agents").await.body["agents"][0]["workload"], 0.0);
}

#[tokio::test]
async fn two_changes_within_a_second_are_both_listed_and_one_file_has_one_name() {
    let server = TestServer::start().await;
    let mut socket = server.socket("/agent/dev").await;
    let absolute = server.project().canonicalize().unwrap().join("src/a.py");
    for path in ["src/a.py", "./src//a.py", absolute.to_str().unwrap()] {
        socket.send(json!({"type": "code_change", "file_path": path, "change_type": "modified"})).await;
        let ack = socket.next_of("code_change_ack").await;
        assert_eq!((&ack["file_path"], &ack["change_type"]), (&json!(path), &json!("modified")));
    }
    let changes = server.get("/sync/changes?path=src/a.py").await.body["changes"].clone();
    let paths: Vec<&Value> = changes.as_array().unwrap().iter().map(|change| &change["file_path"]).collect();
    assert_eq!(paths, ["src/a.py", "src/a.py", "src/a.py"]);
    assert_eq!(server.get("/sync/status").await.body["sync_status"]["active_changes"], 1);
}

#[tokio::test]
async fn conflicts_are_detected_changes_are_listed_and_both_are_pushed() {
    let server = TestServer::start().await;
    let mut listener = server.socket("/orchestrator").await;
    let mut one = server.socket("/agent/one").await;
    let mut two = server.socket("/agent/two").await;
    let change = json!({"type": "code_change", "file_path": "src/a.py", "change_type": "modified"});
    one.send(change.clone()).await;
    assert_eq!(listener.next_of("code_change_detected").await["agent_id"], "one");
    two.send(change).await;
    let push = listener.next_of("conflict_detected").await;
    assert_eq!((&push["file_path"], &push["conflicting_agents"]), (&json!("src/a.py"), &json!(["one", "two"])));
    assert_eq!(one.next_of("conflict_detected").await["conflict_id"], push["conflict_id"]);
    assert_eq!(two.next_of("conflict_detected").await["severity"], "medium");
    let changes = server.get("/sync/changes").await.body["changes"].clone();
    assert_eq!(changes[1]["affected_agents"], json!(["one"]));
}
