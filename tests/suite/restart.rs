//! Restarts.

use orchestrator_tests::TestServer;
use serde_json::json;

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let mut server = TestServer::start().await;
    server.register("Dev", &["python"]).await;
    server.post("/agents/dev/status", json!({"status": "busy", "task": "t", "workload": 0.5})).await;
    let id = server.message("a", "dev", json!({"n": 1e3})).await;
    server.post("/command", json!({"command": "*autonomy:manual"})).await;
    server.post_text("/sync/start", "").await;
    let mut socket = server.socket("/agent/other").await;
    socket.send(json!({"type": "code_change", "file_path": "a.py", "change_type": "modified"})).await;
    socket.next_of("code_change_ack").await;
    socket.close().await;
    let before = server.get("/events?after=0&limit=1000").await.body;
    for _ in 0..2 {
        server = server.restart().await;
        assert_eq!(server.get("/events?after=0&limit=1000").await.body, before, "the feed is the same, frame by frame");
        let agent = server.get("/agents/dev").await.body["agent"].clone();
        assert_eq!(
            (&agent["agent_id"], &agent["status"], &agent["current_task"]),
            (&json!("Dev"), &json!("busy"), &json!("t"))
        );
        let inbox = server.get("/agents/dev/inbox").await.body["messages"].clone();
        assert_eq!((&inbox[0]["id"], &inbox[0]["payload"]["n"]), (&json!(id), &json!(1e3)));
        assert_eq!(server.post("/command", json!({"command": "*autonomy"})).await.body["result"]["autonomy"], "manual");
        assert_eq!(server.get("/sync/status").await.body["sync_status"]["monitoring_active"], true);
        assert_eq!(server.get("/sync/status").await.body["sync_status"]["active_changes"], 1);
    }
}

#[tokio::test]
async fn the_state_is_the_same_with_and_without_a_checkpoint() {
    let server = TestServer::start_with(|options| options.checkpoint_every = 10, &[]).await;
    server.register("dev", &[]).await;
    for n in 0..40 {
        let id = server.message("a", "dev", json!({"n": n})).await;
        if n % 3 == 0 {
            server.post_text(&format!("/agents/dev/inbox/{id}/ack"), "").await;
        }
    }
    let before = server.orchestrator.read(Clone::clone).await.unwrap();
    let server = server.restart().await;
    assert_eq!(server.orchestrator.read(Clone::clone).await.unwrap(), before, "from a checkpoint and what came after");
    let mut server = server;
    server.stop().await;
    let mut log = orchestrator_log_of(&server);
    log.discard_checkpoints().unwrap();
    log.shutdown().unwrap();
    let server = server.restart().await;
    assert_eq!(server.orchestrator.read(Clone::clone).await.unwrap(), before, "from the log alone");
}

fn orchestrator_log_of(server: &TestServer) -> orchestrator_log::SqliteLog {
    orchestrator_log::SqliteLog::open(server.state().join("log.db"), orchestrator_log::Options::default()).unwrap()
}

#[tokio::test]
async fn an_erased_body_is_gone_and_the_state_is_still_rebuilt() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let id = server.message("a", "dev", json!({"secret": "hush"})).await;
    let erase = server.request("DELETE", &format!("/messages/{id}")).header("x-orchestrator-operator", server.secret());
    assert_eq!(server.send(erase).await.status, 200);
    let mut server = server;
    server.stop().await;
    let mut log = orchestrator_log_of(&server);
    log.discard_checkpoints().unwrap();
    log.shutdown().unwrap();
    let server = server.restart().await;
    let message = server.get(&format!("/messages/{id}")).await.body["message"].clone();
    assert_eq!((&message["payload"], &message["state"]), (&json!(null), &json!("queued")));
    let frame = server.get("/events?after=0").await.body["events"][1].clone();
    assert_eq!((&frame["type"], &frame["payload"]), (&json!("agent_message"), &json!(null)));
}

#[tokio::test]
async fn a_second_server_on_the_same_state_is_refused() {
    let server = TestServer::start().await;
    let project = orchestrator_repository::Project::discover(&server.project()).unwrap();
    let refused = orchestrator::Orchestrator::open(orchestrator::Options::new(project, server.state()));
    let error = refused.err().unwrap().to_string();
    assert!(error.contains("another") || error.contains("lock"), "{error}");
}

#[tokio::test]
async fn sockets_are_closed_with_a_code_when_the_server_stops() {
    let mut server = TestServer::start().await;
    let mut socket = server.socket("/orchestrator").await;
    server.stop().await;
    let code = loop {
        if let Err(code) = socket.next_or_close().await {
            break code;
        }
    };
    assert_eq!(code, 1001);
}
