//! Both sockets.

use orchestrator_tests::TestServer;
use serde_json::json;

#[tokio::test]
async fn greetings_name_the_connection_and_the_newest_event() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let socket = server.socket("/orchestrator").await;
    assert_eq!((&socket.greeting["type"], &socket.greeting["seq"]), (&json!("connection_established"), &json!(1)));
    let socket = server.socket("/agent/dev").await;
    assert_eq!(
        (&socket.greeting["type"], &socket.greeting["agent_id"]),
        (&json!("agent_connection_established"), &json!("dev"))
    );
    for field in ["connection_id", "message", "timestamp"] {
        assert!(socket.greeting[field].is_string(), "{field}");
    }
}

#[tokio::test]
async fn the_documented_frames_are_answered_on_both() {
    let server = TestServer::start().await;
    for path in ["/orchestrator", "/agent/dev"] {
        let mut socket = server.socket(path).await;
        socket.send(json!({"type": "ping", "timestamp": "2025-01-27T10:30:00Z"})).await;
        assert!(socket.next_of("pong").await["timestamp"].is_string());
        socket.send(json!({"type": "get_status"})).await;
        let status = socket.next_of("status_response").await["status"].clone();
        assert_eq!(status.as_object().unwrap().len(), 6, "{status}");
        socket.send(json!({"type": "pong"})).await;
        socket.text("*sync:status").await;
        let answer = socket.next_of("command_response").await;
        assert_eq!((&answer["status"], &answer["command"]), (&json!("success"), &json!("*sync:status")));
        socket.send(json!({"type": "command", "command": "*help"})).await;
        assert!(socket.next_of("command_response").await["result"]["commands"].is_array());
    }
}

#[tokio::test]
async fn the_first_frame_registers_and_statuses_are_acknowledged_and_pushed() {
    let server = TestServer::start().await;
    let mut listener = server.socket("/orchestrator").await;
    let mut socket = server.socket("/agent/my-agent").await;
    assert_eq!(server.get("/agents").await.body["total_agents"], 0, "connecting alone registers nobody");
    socket
        .send(json!({"type": "status_update", "status": "busy", "task": "Implementing feature", "workload": 0.7}))
        .await;
    assert_eq!(socket.next_of("status_update_ack").await["agent_id"], "my-agent");
    assert_eq!(listener.next_of("agent_registered").await["agent_id"], "my-agent");
    let push = listener.next_of("agent_status_update").await;
    assert_eq!(
        (&push["status"], &push["task"], &push["workload"]),
        (&json!("busy"), &json!("Implementing feature"), &json!(0.7))
    );
    assert!(push["seq"].is_u64() && push["timestamp"].is_string());
    assert_eq!(server.get("/agents/my-agent").await.body["agent"]["connections"], 1);
}

#[tokio::test]
async fn joins_leaves_and_monitoring_are_pushed_to_agents_and_the_orchestrators_socket() {
    let server = TestServer::start().await;
    let mut sockets = [server.socket("/orchestrator").await, server.socket("/agent/dev").await];
    server.register("other", &["x"]).await;
    server.post_text("/sync/start", "").await;
    server.post_text("/sync/stop", "").await;
    server.delete("/agents/other").await;
    for socket in &mut sockets {
        for kind in ["agent_registered", "code_sync_started", "code_sync_stopped", "agent_unregistered"] {
            assert!(socket.next_of(kind).await["message"].is_string(), "{kind}");
        }
    }
}

#[tokio::test]
async fn without_an_upgrade_the_routes_say_what_they_are() {
    let server = TestServer::start().await;
    for method in ["GET", "HEAD"] {
        let answer = server.send(server.request(method, "/ws/orchestrator")).await;
        assert_eq!(answer.status, 426);
        assert_eq!(answer.headers["upgrade"], "websocket");
    }
    assert_eq!(server.get("/ws/agent/dev").await.code(), "upgrade_required");
}

#[tokio::test]
async fn a_burst_of_events_reaches_two_hundred_sockets_whole_and_in_order() {
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for n in 0..200 {
        sockets.push(server.socket(&format!("/agent/a{n}")).await);
    }
    let sends = (0..64).map(|n| server.post("/broadcast", json!({"n": n})));
    for answer in futures_util::future::join_all(sends).await {
        assert_eq!(answer.status, 200);
    }
    let mut orders = Vec::new();
    for socket in &mut sockets {
        let mut order = Vec::new();
        for _ in 0..64 {
            order.push(socket.next_of("broadcast_message").await["seq"].as_u64().unwrap());
        }
        assert!(order.is_sorted());
        orders.push(order);
    }
    assert!(orders.windows(2).all(|pair| pair[0] == pair[1]));
}
