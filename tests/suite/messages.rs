//! Messages.

use orchestrator_tests::TestServer;
use serde_json::{Value, json};

async fn state(server: &TestServer, id: &str) -> Value {
    server.get(&format!("/messages/{id}")).await.body["message"]["state"].clone()
}

fn ids(inbox: &Value) -> Vec<String> {
    inbox["messages"].as_array().unwrap().iter().map(|message| message["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn reading_an_inbox_changes_nothing_and_acknowledging_empties_it() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let id = server.message("a", "dev", json!({"n": 1})).await;
    for _ in 0..3 {
        let inbox = server.get("/agents/dev/inbox").await.body;
        assert_eq!((ids(&inbox), &inbox["messages"][0]["deliveries"]), (vec![id.clone()], &json!(0)));
    }
    assert_eq!(state(&server, &id).await, "queued");
    for _ in 0..2 {
        assert_eq!(server.post_text(&format!("/agents/dev/inbox/{id}/ack"), "").await.body["state"], "acknowledged");
    }
    assert_eq!(server.get("/agents/dev/inbox").await.body["messages"], json!([]));
    assert_eq!(state(&server, &id).await, "acknowledged");
}

#[tokio::test]
async fn only_the_addressee_acknowledges() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    server.register("eve", &[]).await;
    let id = server.message("a", "dev", json!({})).await;
    let answer = server.post_text(&format!("/agents/eve/inbox/{id}/ack"), "").await;
    assert_eq!((answer.status, answer.code()), (403, "not_your_message"));
    let mut socket = server.socket("/agent/eve").await;
    socket.send(json!({"type": "message_ack", "original_message": id})).await;
    assert_eq!(socket.next_of("error").await["code"], "not_your_message");
}

#[tokio::test]
async fn a_long_poll_returns_with_the_first_message_and_after_shows_only_newer_ones() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let (inbox, first) = tokio::join!(server.get("/agents/dev/inbox?wait=30"), server.message("a", "dev", json!({})));
    assert_eq!(ids(&inbox.body), std::slice::from_ref(&first));
    let next = inbox.body["next"].as_u64().unwrap();
    let second = server.message("a", "dev", json!({})).await;
    assert_eq!(ids(&server.get(&format!("/agents/dev/inbox?after={next}")).await.body), [second]);
}

#[tokio::test]
async fn a_claim_is_an_attempt_and_comes_back_when_its_term_is_over() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let id = server.message("a", "dev", json!({})).await;
    let claim = json!({"max": 5, "ttl_seconds": 1});
    let claimed = server.post("/agents/dev/inbox/claim", claim.clone()).await.body;
    assert_eq!((ids(&claimed), &claimed["messages"][0]["deliveries"]), (vec![id.clone()], &json!(1)));
    assert_eq!(server.post("/agents/dev/inbox/claim", claim).await.body["messages"], json!([]), "it is out");
    let again = server.post("/agents/dev/inbox/claim", json!({"max": 5, "wait": 10, "ttl_seconds": 60})).await.body;
    assert_eq!((ids(&again), &again["messages"][0]["deliveries"]), (vec![id], &json!(2)));
}

#[tokio::test]
async fn the_same_key_is_one_message_and_another_body_is_409() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let send = async |payload: &str| {
        let request = server.request("POST", "/agents/dev/message?from=a").header("idempotency-key", "k1");
        server.send(request.body(payload.to_owned())).await
    };
    let first = send(r#"{"n":1}"#).await;
    let second = send(r#"{"n":1}"#).await;
    assert_eq!(first.body["message_id"], second.body["message_id"]);
    assert_eq!(send(r#"{"n":2}"#).await.code(), "idempotency_mismatch");
    let body = json!({"from": "b", "to": "dev", "payload": {"n": 2}, "idempotency_key": "k1"});
    assert_eq!(server.post("/messages", body).await.status, 200, "another sender's key is another key");
    assert_eq!(server.get("/agents/dev/inbox").await.body["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_socket_that_never_acknowledges_gets_a_message_once_a_connection() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let mut socket = server.socket("/agent/dev").await;
    let id = server.message("a", "dev", json!({})).await;
    assert_eq!(socket.next_of("agent_message").await["message_id"], json!(id));
    server.eventually("it counts as delivered", async || state(&server, &id).await == "delivered").await;
    assert_eq!(ids(&server.get("/agents/dev/inbox").await.body), std::slice::from_ref(&id), "it stays readable");
    socket.close().await;
    let mut socket = server.socket("/agent/dev").await;
    assert_eq!(socket.next_of("agent_message").await["message_id"], json!(id));
    assert!(socket.settle().await.iter().all(|frame| frame["type"] != "agent_message"));
}

#[tokio::test]
async fn a_socket_acknowledges_by_frame() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let mut socket = server.socket("/agent/dev?ack=1").await;
    let id = server.message("a", "dev", json!({"n": 1})).await;
    let frame = socket.next_of("agent_message").await;
    assert_eq!((&frame["from"], &frame["to"], &frame["payload"]), (&json!("a"), &json!("dev"), &json!({"n": 1})));
    socket.send(json!({"type": "message_ack", "original_message": frame, "timestamp": "2025-01-27T10:30:00Z"})).await;
    server.eventually("it is acknowledged", async || state(&server, &id).await == "acknowledged").await;
}

#[tokio::test]
async fn frames_are_routed_and_the_sender_learns_that_they_are_kept() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let mut listener = server.socket("/orchestrator").await;
    let mut sender = server.socket("/agent/architect").await;
    let frame = json!({"type": "agent_message", "from": "liar", "to": "dev", "payload": {"n": 1}, "timestamp": "2025-01-27T10:30:00Z"});
    sender.send(frame).await;
    let ack = sender.next_of("agent_message_ack").await;
    let seen = listener.next_of("agent_message").await;
    assert_eq!(
        (&seen["message_id"], &seen["from"]),
        (&ack["message_id"], &json!("architect")),
        "a socket speaks for its agent"
    );
    assert_eq!(server.get("/agents/dev/inbox").await.body["messages"][0]["from"], "architect");
    sender.send(json!({"type": "agent_message", "to": "orchestrator", "payload": {"hello": true}})).await;
    assert_eq!(listener.next_of("agent_message").await["to"], "orchestrator");
    sender.send(json!({"type": "agent_message", "to": "*", "payload": {"all": true}})).await;
    assert_eq!(sender.next_of("broadcast_message").await["payload"]["all"], true);
}

#[tokio::test]
async fn a_message_to_a_capability_goes_to_the_least_busy_agent() {
    let server = TestServer::start().await;
    server.register("busy", &["python"]).await;
    server.register("free", &["python"]).await;
    server.post("/agents/busy/status", json!({"status": "busy", "workload": 0.9})).await;
    let answer = server.post("/messages", json!({"to": "capability:python", "payload": {}})).await;
    assert_eq!(answer.body["agent_id"], "free");
    assert_eq!(server.get("/agents/free/inbox").await.body["messages"][0]["to"], "capability:python");
}

#[tokio::test]
async fn a_broadcast_is_a_notice_unless_it_is_durable() {
    let server = TestServer::start().await;
    server.register("one", &[]).await;
    server.register("two", &[]).await;
    let mut socket = server.socket("/agent/one").await;
    server.post("/broadcast", json!({"n": 1})).await;
    assert_eq!(socket.next_of("broadcast_message").await["payload"]["n"], 1);
    assert_eq!(server.get("/agents/one/inbox").await.body["messages"], json!([]));
    let answer = server.post("/broadcast?durable=true&from=two", json!({"n": 2})).await;
    let id = answer.body["message_id"].as_str().unwrap().to_owned();
    assert_eq!(socket.next_of("broadcast_message").await["payload"]["n"], 2);
    assert_eq!(ids(&server.get("/agents/one/inbox").await.body), std::slice::from_ref(&id));
    assert_eq!(server.get("/agents/two/inbox").await.body["messages"], json!([]), "not to its sender");
    server.post_text(&format!("/agents/one/inbox/{id}/ack"), "").await;
    assert_eq!(state(&server, &id).await, "acknowledged");
}

#[tokio::test]
async fn answers_make_a_thread() {
    let server = TestServer::start().await;
    server.register("a", &[]).await;
    server.register("b", &[]).await;
    let question = server.message("a", "b", json!({"q": 1})).await;
    let answer = json!({"from": "b", "to": "a", "payload": {"a": 1}, "in_reply_to": question, "type": "answer"});
    server.post("/messages", answer).await;
    let inbox = server.get("/agents/a/inbox").await.body;
    assert_eq!(
        (&inbox["messages"][0]["in_reply_to"], &inbox["messages"][0]["type"]),
        (&json!(question), &json!("answer"))
    );
    let thread = server.get(&format!("/messages?thread={question}")).await.body;
    assert_eq!(ids(&thread).len(), 2);
}

#[tokio::test]
async fn one_senders_messages_come_in_order() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let mut sent = Vec::new();
    for n in 0..50 {
        sent.push(server.message("a", "dev", json!({"n": n})).await);
    }
    assert_eq!(ids(&server.get("/agents/dev/inbox").await.body), sent);
    let mut socket = server.socket("/agent/dev").await;
    for id in &sent {
        assert_eq!(socket.next_of("agent_message").await["message_id"], json!(id));
    }
}
