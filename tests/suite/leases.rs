//! Claims.

use orchestrator_tests::TestServer;
use serde_json::{Value, json};

async fn acquire(server: &TestServer, agent: &str, kind: &str, value: &str, mode: &str) -> orchestrator_tests::Answer {
    let resource = json!({"kind": kind, "value": value});
    let body = json!({"agent_id": agent, "resource": resource, "mode": mode, "ttl_seconds": 1});
    server.post("/leases", body).await
}

fn lease(answer: &Value) -> (String, u64) {
    (answer["lease"]["lease_id"].as_str().unwrap().to_owned(), answer["lease"]["token"].as_u64().unwrap())
}

#[tokio::test]
async fn who_is_in_the_way_is_named_with_since_when() {
    let server = TestServer::start().await;
    server.register("a", &[]).await;
    server.register("b", &[]).await;
    assert_eq!(acquire(&server, "a", "glob", "src/**", "exclusive").await.status, 200);
    let refused = acquire(&server, "b", "path", "./src/deep/x.py", "shared").await;
    assert_eq!((refused.status, refused.code(), &refused.body["held_by"]), (409, "lease_held", &json!("a")));
    assert!(refused.body["since"].is_string());
    assert_eq!(acquire(&server, "b", "path", "docs", "exclusive").await.status, 200);
    assert_eq!(acquire(&server, "nobody", "path", "x", "exclusive").await.code(), "unknown_agent");
}

#[tokio::test]
async fn a_renewal_brings_a_larger_token_and_the_old_one_is_stale() {
    let server = TestServer::start().await;
    server.register("a", &[]).await;
    let (id, first) = lease(&acquire(&server, "a", "path", "x", "exclusive").await.body);
    let renewed = server.post(&format!("/leases/{id}/renew"), json!({"token": first, "ttl_seconds": 60})).await;
    let (_, second) = lease(&renewed.body);
    assert!(second > first);
    let stale = server.delete(&format!("/leases/{id}?token={first}")).await;
    assert_eq!((stale.status, stale.code()), (409, "stale_token"));
    assert_eq!(server.delete(&format!("/leases/{id}?token={second}")).await.status, 200);
    assert_eq!(server.get("/leases").await.body["leases"], json!([]));
}

#[tokio::test]
async fn a_term_ends_by_itself_and_everyone_is_told() {
    let server = TestServer::start().await;
    server.register("a", &[]).await;
    server.register("b", &[]).await;
    let mut socket = server.socket("/orchestrator").await;
    acquire(&server, "a", "path", "x", "exclusive").await;
    let ended = socket.next_of("lease_ended").await;
    assert_eq!((&ended["agent_id"], &ended["reason"]), (&json!("a"), &json!("expired")));
    assert_eq!(acquire(&server, "b", "path", "x", "exclusive").await.status, 200);
}

#[tokio::test]
async fn a_silent_agent_goes_offline_loses_its_leases_and_is_back_when_it_is_heard_of() {
    let server = TestServer::start_with(|options| options.silence = std::time::Duration::from_millis(700), &[]).await;
    server.register("a", &[]).await;
    let resource = json!({"kind": "path", "value": "x"});
    server.post("/leases", json!({"agent_id": "a", "resource": resource, "ttl_seconds": 600})).await;
    let mut socket = server.socket("/orchestrator").await;
    let offline = socket.next_of("agent_status_update").await;
    assert_eq!((&offline["agent_id"], &offline["status"]), (&json!("a"), &json!("offline")));
    assert_eq!(socket.next_of("lease_ended").await["reason"], "offline");
    server.get("/agents/a/inbox").await;
    assert_eq!(socket.next_of("agent_status_update").await["status"], "active");
}

#[tokio::test]
async fn a_restart_grants_one_full_term() {
    let server = TestServer::start().await;
    server.register("a", &[]).await;
    let (id, token) = lease(&acquire(&server, "a", "path", "x", "exclusive").await.body);
    let server = server.restart().await;
    let list = server.get("/leases").await.body["leases"].clone();
    assert_eq!((&list[0]["lease_id"], &list[0]["token"]), (&json!(id), &json!(token)));
    server.eventually("it ends", async || server.get("/leases").await.body["leases"] == json!([])).await;
}
