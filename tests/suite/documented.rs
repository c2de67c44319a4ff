//! The documented calls.

use orchestrator_tests::TestServer;
use serde_json::{Value, json};

/// The fields that an answer has at least: documented ones are never removed or renamed.
fn has_fields(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some(), "'{field}' is missing in {value}");
    }
}

const AGENT: [&str; 6] = ["agent_id", "status", "current_task", "last_activity", "workload", "capabilities"];

#[tokio::test]
async fn registration_takes_every_documented_form() {
    let server = TestServer::start().await;
    for (path, body, capabilities) in [
        ("/agents/register", r#"{"agent_id":"a1","capabilities":["x","y"]}"#, json!(["x", "y"])),
        ("/agents/register?agent_id=a2", "", json!([])),
        ("/agents/register?agent_id=a3", r#"["x","y"]"#, json!(["x", "y"])),
        ("/agents/register?agent_id=a4", r#"{"capabilities":["x"]}"#, json!(["x"])),
        ("/agents/register?agent_id=a5", r#"{"agent_id":"loser","capabilities":["x"]}"#, json!(["x"])),
        ("/agents/register?agent_id=a6&capabilities=x,y", "", json!(["x", "y"])),
        ("/agents/register?agent_id=a7&capabilities=x&capabilities=y", "", json!(["x", "y"])),
        ("/agents/register?agent_id=a8", r#"{"unknown":{"field":1}}"#, json!([])),
    ] {
        let answer = server.post_text(path, body).await;
        assert_eq!(answer.status, 200, "{path} {body}: {}", answer.body);
        assert_eq!(answer.body["status"], "success");
        assert_eq!(answer.body["message"], "Agent registered successfully");
        assert_eq!(answer.body["capabilities"], capabilities, "{path} {body}");
    }
    let list = server.get("/agents").await;
    assert_eq!(list.body["total_agents"], 8);
    assert!(!list.body.to_string().contains("loser"), "the query wins");
    has_fields(&list.body["agents"][0], &AGENT);
}

#[tokio::test]
async fn a_duplicate_registration_updates_the_capabilities() {
    let server = TestServer::start().await;
    server.register("Dev", &["python"]).await;
    let again = server.post("/agents/register", json!({"agent_id": "dev", "capabilities": ["rust"]})).await;
    assert_eq!((again.status, &again.body["agent_id"]), (200, &json!("Dev")), "in the spelling first registered");
    let list = server.get("/agents").await;
    assert_eq!((&list.body["total_agents"], &list.body["agents"][0]["capabilities"]), (&json!(1), &json!(["rust"])));
}

#[tokio::test]
async fn status_takes_body_and_query() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let body = json!({"status": "busy", "task": "t1", "workload": 0.8});
    let answer = server.post("/agents/dev/status", body).await;
    assert_eq!((answer.status, &answer.body["agent_id"]), (200, &json!("dev")));
    assert_eq!(answer.body["message"], "Agent status updated successfully");
    let agent = server.get("/agents/dev").await.body["agent"].clone();
    assert_eq!(
        (&agent["status"], &agent["current_task"], &agent["workload"]),
        (&json!("busy"), &json!("t1"), &json!(0.8))
    );
    has_fields(&agent, &AGENT);
    server.post_text("/agents/dev/status?status=idle&task=t2&workload=0.25", "").await;
    let agent = server.get("/agents/dev").await.body["agent"].clone();
    assert_eq!(
        (&agent["status"], &agent["current_task"], &agent["workload"]),
        (&json!("idle"), &json!("t2"), &json!(0.25))
    );
}

#[tokio::test]
async fn unregistering_is_idempotent_and_unknown_agents_are_404() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    for _ in 0..2 {
        let answer = server.delete("/agents/dev").await;
        assert_eq!((answer.status, &answer.body["message"]), (200, &json!("Agent unregistered successfully")));
    }
    let answer = server.get("/agents/dev").await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_agent"));
    assert_eq!(server.post("/agents/dev/status", json!({"status": "busy"})).await.status, 404);
}

#[tokio::test]
async fn monitoring_is_started_shown_and_stopped() {
    let server = TestServer::start().await;
    for (path, active) in [("start", true), ("start", true), ("stop", false), ("stop", false)] {
        let answer = server.post_text(&format!("/sync/{path}"), "").await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("success")));
        has_fields(&answer.body, &["message", "timestamp"]);
        let status = server.get("/sync/status").await;
        assert_eq!(status.body["sync_status"]["monitoring_active"], json!(active));
        has_fields(
            &status.body["sync_status"],
            &["registered_agents", "active_changes", "active_conflicts", "resolved_conflicts", "total_files_monitored"],
        );
    }
}

#[tokio::test]
async fn messages_and_broadcasts_take_any_object() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    for (body, payload) in [
        (r#"{"action":"review"}"#, r#"{"action":"review"}"#),
        (r#"{"message":{"action":"review"}}"#, r#"{"action":"review"}"#),
        (r#"{"message":"text"}"#, r#"{"message":"text"}"#),
        (r#"{"n":1e400,"n":2}"#, r#"{"n":1e400,"n":2}"#),
    ] {
        let answer = server.post_text("/agents/dev/message", body).await;
        assert_eq!((answer.status, &answer.body["message"]), (200, &json!("Message sent successfully")));
        assert_eq!(answer.body["state"], "queued");
        let id = answer.body["message_id"].as_str().unwrap();
        let text = server.request("GET", &format!("/messages/{id}")).send().await.unwrap().text().await.unwrap();
        assert!(text.contains(payload), "{text} as written");
        let answer = server.post_text("/broadcast", body).await;
        assert_eq!((answer.status, &answer.body["message"]), (200, &json!("Message broadcasted successfully")));
    }
}

#[tokio::test]
async fn conflicts_are_listed_filtered_and_resolved() {
    let server = TestServer::start().await;
    let mut sockets = Vec::new();
    for name in ["one", "two"] {
        server.register(name, &[]).await;
        let mut socket = server.socket(&format!("/agent/{name}")).await;
        socket.send(json!({"type": "code_change", "file_path": "src/a.py", "change_type": "modified"})).await;
        socket.next_of("code_change_ack").await;
        sockets.push(socket);
    }
    let list = server.get("/conflicts?status=pending").await;
    assert_eq!((&list.body["total_conflicts"], &list.body["filtered_by"]), (&json!(1), &json!("pending")));
    let conflict = &list.body["conflicts"][0];
    assert_eq!(conflict["conflicting_agents"], json!(["one", "two"]));
    has_fields(
        conflict,
        &[
            "conflict_id",
            "file_path",
            "conflict_type",
            "severity",
            "detected_at",
            "resolution_status",
            "resolution_strategy",
        ],
    );
    let id = conflict["conflict_id"].as_str().unwrap();
    let answer =
        server.post_text(&format!("/conflicts/{id}/resolve?resolution_strategy=ours&resolved_by=one"), "").await;
    assert_eq!((answer.status, &answer.body["message"]), (200, &json!("Conflict marked as resolved")));
    let push = sockets[0].next_of("conflict_resolved").await;
    assert_eq!((&push["resolution_strategy"], &push["resolved_by"]), (&json!("ours"), &json!("one")));
    assert_eq!(server.get("/conflicts?status=pending").await.body["conflicts"], json!([]));
    assert_eq!(server.get("/sync/status").await.body["sync_status"]["resolved_conflicts"], 1);
    let again = server.post(&format!("/conflicts/{id}/resolve"), json!({})).await;
    assert_eq!((again.status, again.code()), (409, "already_resolved"));
}

#[tokio::test]
async fn health_has_the_documented_fields() {
    let server = TestServer::start().await;
    let health = server.get("/health").await;
    assert_eq!(
        (health.status, &health.body["status"], &health.body["service"]),
        (200, &json!("healthy"), &json!("orchestration"))
    );
    has_fields(&health.body["sync_service"], &["monitoring_active", "registered_agents"]);
    has_fields(&health.body, &["timestamp", "websocket_connections"]);
}

#[tokio::test]
async fn control_commands_are_answered() {
    let server = TestServer::start().await;
    for (command, field) in [
        ("*help", "commands"),
        ("*status", "autonomy"),
        ("*agent:list", "agents"),
        ("*autonomy:manual", "autonomy"),
        ("*sync:enable", "monitoring_active"),
        ("*sync:status", "monitoring_active"),
        ("*sync:force", "seq"),
        ("*sync:disable", "monitoring_active"),
        ("*workflow:status", "workflows"),
    ] {
        let answer = match command {
            "*sync:force" => {
                server.eventually("watching", async || server.orchestrator.watched().is_some()).await;
                server.post("/command", json!({"command": command})).await
            }
            _ => server.post("/command", json!({"command": command})).await,
        };
        assert_eq!(answer.status, 200, "{command}: {}", answer.body);
        assert_eq!((&answer.body["type"], &answer.body["command"]), (&json!("command_response"), &json!(command)));
        has_fields(&answer.body["result"], &[field]);
    }
    for (command, status, code) in [
        ("*workflow:start code_sync", 404, "no_workflow_defined"),
        ("*workflow:stop w1", 404, "no_workflow_defined"),
        ("*workflow:auto", 404, "no_workflow_defined"),
        ("*reboot", 422, "unknown_command"),
        ("status", 422, "unknown_command"),
    ] {
        let answer = server.post("/command", json!({"command": command})).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{command}");
    }
}

#[tokio::test]
async fn agents_are_recommended_by_file_and_capability() {
    let server = TestServer::start().await;
    server.register("py", &["python"]).await;
    server.register("js", &["javascript", "frontend"]).await;
    let answer = server.get("/agents/recommend?path=src/main.py").await;
    assert_eq!(answer.body["recommendations"][0]["agent_id"], "py");
    let answer = server.get("/agents/recommend?capabilities=frontend").await;
    assert_eq!(answer.body["recommendations"][0]["agent_id"], "js");
    assert_eq!(answer.body["recommendations"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_description_lists_every_route_and_the_page_is_served_offline() {
    let server = TestServer::start().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let api: Value = http.get(format!("{}/openapi.json", server.url)).send().await.unwrap().json().await.unwrap();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in ["/agents/register", "/agents/{agent_id}/inbox", "/events", "/ws/agent/{agent_id}", "/command"] {
        assert!(api["paths"].get(format!("/api/orchestration{path}")).is_some(), "{path}");
    }
    let page = http.get(format!("{}/docs", server.url)).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("swagger-ui") && !page.contains("https://"), "nothing is loaded from elsewhere");
}

#[tokio::test]
async fn metrics_are_in_the_form_of_prometheus() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let text = http.get(format!("{}/metrics", server.url)).send().await.unwrap().text().await.unwrap();
    for name in ["orchestrator_registered_agents", "orchestrator_flush_seconds", "orchestrator_halted 0"] {
        assert!(text.contains(name), "{name} in {text}");
    }
}
