//! Bad input.

use orchestrator_tests::TestServer;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn bodies_that_are_not_right_are_refused_by_code() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_object = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(300 * 1024));
    let huge = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let long_text = "x".repeat(5_000);
    for (path, body, status, code) in [
        ("/agents/register", "", 422, "invalid_request"),
        ("/agents/register", "{", 400, "invalid_json"),
        ("/agents/register", "\"text\"", 422, "invalid_request"),
        ("/agents/register", "null", 422, "invalid_request"),
        ("/agents/register", r#"{"agent_id":5}"#, 422, "invalid_request"),
        ("/agents/register", r#"{"agent_id":""}"#, 422, "invalid_agent_id"),
        ("/agents/register", r#"{"agent_id":"a/b"}"#, 422, "invalid_agent_id"),
        ("/agents/register", r#"{"agent_id":"../up"}"#, 422, "invalid_agent_id"),
        ("/agents/register", r#"{"agent_id":"nul.txt"}"#, 422, "invalid_agent_id"),
        ("/agents/register", r#"{"agent_id":"a\u0000b"}"#, 422, "invalid_agent_id"),
        ("/agents/register", r#"{"agent_id":"\ud800"}"#, 400, "invalid_json"),
        ("/agents/register", r#"{"agent_id":"a","capabilities":[1]}"#, 422, "invalid_request"),
        ("/agents/register", r#"{"agent_id":"a","role":"\u0000"}"#, 422, "invalid_request"),
        ("/agents/register", deep.as_str(), 400, "too_deep"),
        ("/agents/dev/status", r#"{"status":"sleeping"}"#, 422, "invalid_status"),
        ("/agents/dev/status", r#"{"status":"busy","workload":1e999}"#, 400, "invalid_json"),
        ("/agents/dev/status", r#"{"status":"busy","workload":9223372036854775808}"#, 422, "invalid_workload"),
        ("/agents/dev/status", r#"{"status":"busy","workload":true}"#, 422, "invalid_request"),
        ("/agents/dev/message", "[]", 422, "invalid_request"),
        ("/agents/dev/message", "text", 400, "invalid_json"),
        ("/agents/dev/message", deep_object.as_str(), 400, "too_deep"),
        ("/agents/dev/message", large.as_str(), 413, "message_too_large"),
        ("/agents/dev/message", huge.as_str(), 413, "body_too_large"),
        ("/agents/nobody/message", "{}", 404, "unknown_agent"),
        ("/agents/a%2Fb/message", "{}", 422, "invalid_agent_id"),
        ("/agents/dev/message?from=a/b", "{}", 422, "invalid_agent_id"),
        ("/agents/dev/message?in_reply_to=x", "{}", 404, "unknown_message"),
        ("/messages", r#"{"to":"dev"}"#, 422, "invalid_request"),
        ("/messages", r#"{"to":"capability:","payload":1}"#, 422, "invalid_address"),
        ("/messages", r#"{"to":"capability:magic","payload":1}"#, 404, "no_capable_agent"),
        ("/agents/dev/inbox/m999/ack", "", 404, "unknown_message"),
        ("/agents/dev/inbox/x/ack", "", 404, "unknown_message"),
        ("/agents/dev/inbox/m18446744073709551616/ack", "", 404, "unknown_message"),
        ("/agents/dev/inbox/claim", r#"{"max":0}"#, 422, "invalid_request"),
        ("/agents/dev/inbox/claim", r#"{"wait":-1}"#, 422, "invalid_request"),
        ("/conflicts/c999/resolve", "{}", 404, "unknown_conflict"),
        ("/conflicts/1/resolve", "{}", 404, "unknown_conflict"),
        ("/leases", r#"{"agent_id":"dev","resource":{"kind":"path","value":"../x"}}"#, 422, "invalid_path"),
        ("/leases", r#"{"agent_id":"dev","resource":{"kind":"path","value":".git/config"}}"#, 422, "invalid_path"),
        ("/leases", r#"{"agent_id":"dev","resource":{"kind":"glob","value":"[a"}}"#, 422, "invalid_request"),
        ("/leases", r#"{"agent_id":"dev","resource":{"kind":"entity","value":"x"}}"#, 422, "invalid_request"),
        ("/leases", r#"{"agent_id":"dev","resource":{"kind":"moon","value":"x"}}"#, 422, "invalid_request"),
        (
            "/leases",
            r#"{"agent_id":"dev","resource":{"kind":"path","value":"x"},"ttl_seconds":0}"#,
            422,
            "invalid_request",
        ),
        ("/leases/l999/renew", r#"{"token":1}"#, 404, "unknown_lease"),
        ("/leases/l999/renew", "{}", 422, "invalid_request"),
        ("/command", "{}", 422, "invalid_request"),
        ("/nothing", "{}", 404, "unknown_route"),
        ("/health", "{}", 405, "method_not_allowed"),
    ] {
        let answer = server.post_text(path, body).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{path} {body:.80}: {:.200}",
            answer.body.to_string()
        );
        assert_eq!(answer.fields()[..2], ["code", "detail"], "{path}");
        assert!(answer.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{path}");
    }
    let task = json!({"status": "busy", "task": long_text});
    assert_eq!(server.post("/agents/dev/status", task).await.status, 422);
    assert_eq!(server.get("/agents").await.body["total_agents"], 1, "nothing of it came in");
}

#[tokio::test]
async fn queries_that_are_not_right_are_refused() {
    let server = TestServer::start().await;
    server.register("dev", &[]).await;
    for path in [
        "/agents/dev/inbox?after=x",
        "/agents/dev/inbox?after=-1",
        "/agents/dev/inbox?wait=NaN",
        "/agents/dev/inbox?after=18446744073709551616",
        "/events?limit=many",
        "/sync/changes?since=yesterday",
        "/sync/changes?path=../x",
        "/sync/changes?agent=a/b",
        "/conflicts?status=odd",
        "/messages?state=odd",
    ] {
        assert_eq!(server.get(path).await.status, 422, "{path}");
    }
    assert_eq!(server.get("/agents/..%2f..%2fetc%2fpasswd").await.status, 422);
    assert_eq!(server.get(&format!("/agents/{}", "x".repeat(10 * 1024))).await.status, 422);
    assert_eq!(server.get("/agents/%00").await.status, 422);
}

#[tokio::test]
async fn frames_that_are_not_right_are_answered_and_the_socket_stays_open() {
    let server = TestServer::start().await;
    let deep = "[".repeat(100_000);
    for path in ["/agent/dev", "/orchestrator"] {
        let mut socket = server.socket(path).await;
        for (frame, code) in [
            ("not json", "invalid_json"),
            ("[]", "invalid_request"),
            ("{}", "invalid_request"),
            (r#"{"type":"nonsense"}"#, "unknown_frame"),
            (r#"{"type":"agent_message","payload":{}}"#, "invalid_request"),
            (r#"{"type":"agent_message","to":"nobody","payload":{}}"#, "unknown_agent"),
            (deep.as_str(), "too_deep"),
        ] {
            socket.text(frame).await;
            let answer = socket.next_of("error").await;
            assert_eq!(answer["code"], code, "{path} {frame:.60}");
            assert!(answer["hint"].is_string());
        }
        socket.text("*reboot").await;
        assert_eq!(socket.next_of("command_response").await["result"]["code"], "unknown_command");
        socket.raw(Message::Binary(vec![1, 2, 3].into())).await;
        assert_eq!(socket.next_of("error").await["code"], "invalid_json");
        socket.settle().await;
    }
    let mut socket = server.socket("/agent/dev").await;
    for (frame, code) in [
        (json!({"type": "status_update", "status": "sleeping"}), "invalid_status"),
        (json!({"type": "status_update", "status": "busy", "workload": 7}), "invalid_workload"),
        (json!({"type": "code_change", "file_path": "../x", "change_type": "modified"}), "invalid_path"),
        (json!({"type": "code_change", "file_path": ".GIT/config", "change_type": "modified"}), "invalid_path"),
        (json!({"type": "code_change", "file_path": "a", "change_type": "moved"}), "invalid_change_type"),
        (json!({"type": "message_ack", "original_message": "m999"}), "unknown_message"),
    ] {
        socket.send(frame.clone()).await;
        assert_eq!(socket.next_of("error").await["code"], code, "{frame}");
    }
    for frame in [json!({"type": "message_ack"}), json!({"type": "message_ack", "original_message": {"x": 1}})] {
        socket.send(frame).await;
    }
    assert!(socket.settle().await.is_empty(), "what names no message is tolerated");
}

#[tokio::test]
async fn what_is_no_websocket_is_closed_with_a_code() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::start().await;
    let mut socket = server.socket("/orchestrator").await;
    let too_large = format!("\"{}\"", "x".repeat(2 * 1024 * 1024));
    // The server may close while we still write.
    socket.text(&too_large[..1024]).await;
    let mut stream = tokio::net::TcpStream::connect(server.authority()).await.unwrap();
    let request = format!(
        "GET /api/orchestration/ws/orchestrator HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.authority()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // An unmasked text frame: clients must mask.
    stream.write_all(&[0x81, 0x02, b'{', b'}']).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(std::time::Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server closes");
    assert!(answer.windows(2).any(|code| code == 1002_u16.to_be_bytes()), "with the code for a broken protocol");
    assert_eq!(server.get("/health").await.status, 200);
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused() {
    let server = TestServer::start().await;
    let request = server.request("POST", "/broadcast").body(vec![b'{', 0xff, 0xfe, b'}']);
    let answer = server.send(request).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_json"));
}
