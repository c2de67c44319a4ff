//! Who may ask.

use orchestrator_tests::TestServer;
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

#[tokio::test]
async fn a_foreign_host_origin_or_site_reaches_no_handler() {
    let server = TestServer::start().await;
    for (header, value, code) in [
        ("host", "evil.example", "host_not_allowed"),
        ("host", "localhost:1", "host_not_allowed"),
        ("origin", "http://localhost:3000", "origin_not_allowed"),
        ("origin", "null", "origin_not_allowed"),
        ("sec-fetch-site", "cross-site", "origin_not_allowed"),
    ] {
        for (method, path) in
            [("GET", "/health"), ("POST", "/broadcast"), ("GET", "/ws/orchestrator"), ("GET", "/nothing")]
        {
            let answer = server.send(server.request(method, path).header(header, value)).await;
            assert_eq!((answer.status, answer.code()), (403, code), "{method} {path} {header}: {value}");
        }
    }
    assert_eq!(server.get("/events?after=0").await.body["events"], json!([]), "nothing was broadcast");
}

#[tokio::test]
async fn a_listed_origin_gets_its_headers_and_others_do_not() {
    let server = TestServer::start_with(|_| {}, &["http://localhost:3000"]).await;
    let answer = server.send(server.request("GET", "/health").header("origin", "http://localhost:3000")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["access-control-allow-origin"], "http://localhost:3000");
    let preflight = server
        .request("OPTIONS", "/agents/register")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let answer = server.send(preflight).await;
    assert_eq!(
        (answer.status, answer.headers["access-control-allow-origin"].to_str().unwrap()),
        (200, "http://localhost:3000")
    );
    let answer = server.send(server.request("GET", "/health").header("origin", "http://localhost:3001")).await;
    assert_eq!((answer.status, answer.headers.get("access-control-allow-origin")), (403, None));
}

#[tokio::test]
async fn an_upgrade_from_a_foreign_page_is_refused() {
    let server = TestServer::start().await;
    for path in ["orchestrator", "agent/dev"] {
        let url = format!("ws://{}/api/orchestration/ws/{path}", server.authority());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("origin", "http://evil.example".parse().unwrap());
        let refused = tokio_tungstenite::connect_async(request).await.unwrap_err();
        assert!(refused.to_string().contains("403"), "{refused}");
    }
}

#[tokio::test]
async fn two_host_headers_are_refused() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let server = TestServer::start().await;
    let mut stream = tokio::net::TcpStream::connect(server.authority()).await.unwrap();
    let host = server.authority();
    let request = format!(
        "GET /api/orchestration/health HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn operator_verbs_need_the_secret() {
    let server =
        TestServer::start_with(|options| options.autonomy = orchestrator_protocol::Autonomy::Supervised, &[]).await;
    server.register("dev", &[]).await;
    let id = server.message("a", "dev", json!({"secret": 1})).await;
    for (method, path) in [
        ("DELETE", format!("/messages/{id}")),
        ("POST", format!("/messages/{id}/retry")),
        ("POST", "/sync/confirm-deletions".to_owned()),
    ] {
        let answer = server.send(server.request(method, &path)).await;
        assert_eq!((answer.status, answer.code()), (403, "operator_only"), "{method} {path}");
        let wrong = server.request(method, &path).header("x-orchestrator-operator", "0".repeat(64));
        assert_eq!(server.send(wrong).await.status, 403);
    }
    let raise = json!({"command": "*autonomy:full"});
    assert_eq!(server.post("/command", raise.clone()).await.code(), "operator_only");
    let as_operator =
        server.request("POST", "/command").json(&raise).header("x-orchestrator-operator", server.secret());
    assert_eq!(server.send(as_operator).await.body["result"]["autonomy"], "full");
    let erase = server.request("DELETE", &format!("/messages/{id}")).header("x-orchestrator-operator", server.secret());
    assert_eq!(server.send(erase).await.status, 200);
    server
        .eventually("the body is gone", async || {
            server.get(&format!("/messages/{id}")).await.body["message"]["payload"].is_null()
        })
        .await;
}

#[tokio::test]
async fn only_loopback_is_served() {
    let server = TestServer::start().await;
    let secret =
        orchestrator_transport::OperatorSecret::load_or_create(&server.state().join("operator.secret")).unwrap();
    let options = orchestrator_transport::ServerOptions {
        bind: ([0, 0, 0, 0], 0).into(),
        origins: Vec::new(),
        operator: secret,
        workers: None,
    };
    let refused = orchestrator_transport::Server::bind(server.orchestrator, options).err().unwrap();
    assert!(refused.to_string().contains("loopback"), "{refused}");
}
