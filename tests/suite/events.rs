//! The feed.

use orchestrator::{Actor, Command};
use orchestrator_tests::TestServer;
use serde_json::{Value, json};
use std::time::Duration;

fn numbers(events: &[Value]) -> Vec<u64> {
    events.iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn events_are_paged_in_order_and_nothing_is_skipped() {
    let server = TestServer::start().await;
    for n in 0..25 {
        server.post("/broadcast", json!({"n": n})).await;
    }
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = server.get(&format!("/events?after={after}&limit=10")).await.body;
        let events = page["events"].as_array().unwrap().clone();
        if events.is_empty() {
            break;
        }
        after = page["next"].as_u64().unwrap();
        assert_eq!(events.last().unwrap()["seq"], after);
        seen.extend(events);
    }
    let payloads: Vec<u64> = seen.iter().map(|event| event["payload"]["n"].as_u64().unwrap()).collect();
    assert_eq!(payloads, (0..25).collect::<Vec<_>>());
    assert!(numbers(&seen).is_sorted());
}

#[tokio::test]
async fn a_long_poll_returns_with_the_first_event() {
    let server = TestServer::start().await;
    let poll = server.get("/events?after=0&wait=30");
    let send = async {
        tokio::task::yield_now().await;
        server.post("/broadcast", json!({"n": 1})).await
    };
    let (page, _) = tokio::join!(poll, send);
    assert_eq!(page.body["events"][0]["payload"]["n"], 1);
}

#[tokio::test]
async fn a_socket_resumes_where_it_stopped_and_sees_what_the_feed_has() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let mut socket = server.socket("/orchestrator").await;
    server.post("/broadcast", json!({"n": 0})).await;
    let first = socket.next_of("broadcast_message").await["seq"].as_u64().unwrap();
    socket.close().await;
    for n in 1..30 {
        server.post("/broadcast", json!({"n": n})).await;
        server.post("/agents/dev/status", json!({"status": "busy", "task": n.to_string()})).await;
    }
    server.message("a", "dev", json!({"n": 30})).await;
    let mut socket = server.socket(&format!("/orchestrator?after={first}")).await;
    let resumed = socket.settle().await;
    let feed =
        server.get(&format!("/events?after={first}&limit=1000")).await.body["events"].as_array().unwrap().clone();
    assert_eq!(resumed, feed);
    let mut agent = server.socket(&format!("/agent/dev?after={first}")).await;
    assert_eq!(agent.settle().await, feed, "the agent sees all of it: the one message is its own");
    let mut other = server.socket(&format!("/agent/other?after={first}")).await;
    assert_eq!(other.settle().await.len(), feed.len() - 1, "and nobody else sees that message");
}

#[tokio::test]
async fn a_resume_from_the_future_begins_now() {
    let server = TestServer::start().await;
    let mut socket = server.socket("/orchestrator?after=999999").await;
    server.post("/broadcast", json!({"n": 1})).await;
    assert_eq!(socket.next_of("broadcast_message").await["payload"]["n"], 1);
    assert_eq!(server.get("/events?after=999999").await.body["events"], json!([]));
}

#[tokio::test]
async fn server_sent_events_carry_the_number_as_id_and_resume_by_it() {
    use futures_util::StreamExt;
    let server = TestServer::start().await;
    for n in 0..3 {
        server.post("/broadcast", json!({"n": n})).await;
    }
    let request = server.request("GET", "/events").header("accept", "text/event-stream").header("last-event-id", "1");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while !text.contains("id: 3") {
        let piece = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert!(text.contains("id: 2\ndata: {") && !text.contains("id: 1\n"), "{text}");
    server.post("/broadcast", json!({"n": 3})).await;
    while !text.contains("id: 4") {
        let piece = tokio::time::timeout(Duration::from_secs(10), stream.next()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
}

#[tokio::test]
async fn a_reader_that_fell_behind_is_closed_with_a_code_and_resumes_without_loss() {
    let server = TestServer::start().await;
    let mut slow = server.socket("/orchestrator").await;
    let text = "x".repeat(200_000);
    for n in 0..200 {
        server.post("/broadcast", json!({"n": n, "text": text})).await;
    }
    let (mut last, mut seen) = (0, Vec::new());
    let code = loop {
        match slow.next_or_close().await {
            Ok(frame) if frame["type"] == "broadcast_message" => {
                last = frame["seq"].as_u64().unwrap();
                seen.push(frame["payload"]["n"].as_u64().unwrap());
            }
            Ok(_) => {}
            Err(code) => break code,
        }
    };
    assert_eq!(code, 4008);
    let mut again = server.socket(&format!("/orchestrator?after={last}")).await;
    while seen.len() < 200 {
        seen.push(again.next_of("broadcast_message").await["payload"]["n"].as_u64().unwrap());
    }
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_is_no_longer_kept_is_a_gap_and_never_silence() {
    let few = |options: &mut orchestrator::Options| options.telemetry_rows = 3;
    let mut server = TestServer::start_with(few, &[]).await;
    server.register("dev", &[]).await;
    for n in 0..10 {
        server.post("/agents/dev/status", json!({"status": "busy", "task": n.to_string()})).await;
        // Reading waits for the flush, so that no status is superseded within its batch.
        server.get("/agents").await;
    }
    let id = server.message("a", "dev", json!({})).await;
    // Retention keeps what two checkpoints do not cover.
    for _ in 0..2 {
        server = server.restart().await;
        server.post("/agents/dev/status", json!({"status": "idle"})).await;
    }
    server
        .eventually("old telemetry is gone", async || {
            server.get("/events?after=0").await.body["events"][0]["type"] == "gap"
        })
        .await;
    let events = server.get("/events?after=0").await.body["events"].as_array().unwrap().clone();
    assert_eq!((&events[0]["from"], &events[0]["seq"]), (&json!(1), &json!(0)));
    let floor = events[0]["to"].as_u64().unwrap();
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"agent_registered") && kinds.contains(&"agent_message"), "decisions stay: {kinds:?}");
    assert!(kinds.iter().filter(|kind| **kind == "agent_status_update").count() < 10);
    let mut socket = server.socket("/orchestrator?after=1").await;
    let gap = socket.next().await;
    assert_eq!((&gap["type"], &gap["from"], &gap["to"]), (&json!("gap"), &json!(2), &json!(floor)));
    let page = server.get(&format!("/events?after={floor}")).await.body["events"].clone();
    assert!(page.as_array().unwrap().iter().all(|event| event["type"] != "gap"));
    let (mut after, mut pages) = (0, 0);
    while after < floor {
        after = server.get(&format!("/events?after={after}&limit=1")).await.body["next"].as_u64().unwrap();
        pages += 1;
        assert!(pages < 50, "pages of one event get through the gap");
    }
    assert_eq!(server.get(&format!("/messages/{id}")).await.body["message"]["state"], "queued");
    assert_eq!(server.get("/agents/dev").await.body["agent"]["status"], "idle");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_read_has_seen_is_within_the_newest_flushed_number() {
    let server = TestServer::start().await;
    let orchestrator = &server.orchestrator;
    let before = orchestrator.flushed();
    for round in 1..=600 {
        let reason = round.to_string();
        let notice = Command::Notice { name: "test", reason, cure: "none" };
        orchestrator.submit(Actor::System, notice).await.unwrap();
        // The notice is being flushed: the read comes at every moment of that.
        tokio::time::sleep(Duration::from_micros(round % 60 * 50)).await;
        orchestrator.read(|_| ()).await.unwrap();
        assert!(orchestrator.flushed() >= before + round, "round {round}");
    }
}
