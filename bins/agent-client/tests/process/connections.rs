//! The library's sockets.

use crate::support::Server;
use orchestrator_client::{AgentOptions, Client, Error, Frame, ListenerOptions, Notice, Notices};
use orchestrator_protocol::{AgentMessagePush, ChangeType, Json, MessageRequest, RegisterRequest};
use std::time::Duration;

async fn next(notices: &mut Notices) -> Notice {
    tokio::time::timeout(Duration::from_secs(50), notices.recv()).await.expect("a notice in time").expect("a notice")
}

/// The next frame that fits, and whether a connection began before it.
async fn frame(notices: &mut Notices, fits: impl Fn(&Frame) -> bool) -> Frame {
    loop {
        if let Notice::Frame(frame) = next(notices).await
            && fits(&frame)
        {
            return frame;
        }
    }
}

async fn connected(notices: &mut Notices) -> bool {
    loop {
        if let Notice::Connected { resumed, .. } = next(notices).await {
            return resumed;
        }
    }
}

fn register(id: &str) -> RegisterRequest {
    RegisterRequest { agent_id: Some(id.to_owned()), ..RegisterRequest::default() }
}

fn message(to: &str, text: &str) -> MessageRequest {
    MessageRequest {
        from: None,
        to: to.to_owned(),
        payload: Json::parse(text).unwrap(),
        kind: None,
        in_reply_to: None,
        durable: None,
        idempotency_key: None,
    }
}

#[tokio::test]
async fn a_listener_resumes_without_a_loss_or_a_repetition() {
    let mut server = Server::start();
    let client = Client::new(&server.url()).unwrap();
    let (listener, handle, mut notices) = ListenerOptions::new(client.clone()).after(0).build();
    let running = tokio::spawn(listener.run());
    connected(&mut notices).await;
    let mut seen: Vec<u64> = Vec::new();
    for round in 0..3 {
        for n in 0..20 {
            client.register(&register(&format!("agent-{round}-{n}"))).await.unwrap();
        }
        let last = format!("\"agent-{round}-19\"");
        loop {
            let frame = frame(&mut notices, |_| true).await;
            seen.extend(frame.seq());
            if frame.text().contains(&last) {
                break;
            }
        }
        server.kill();
        server.restart();
        client.register(&register(&format!("meanwhile-{round}"))).await.unwrap();
        assert!(connected(&mut notices).await, "it resumes");
    }
    let last = frame(&mut notices, |frame| frame.text().contains("\"meanwhile-2\"")).await;
    seen.extend(last.seq());
    let page = client.events(Some(0), Some(1_000), None).await.unwrap();
    let all: Vec<u64> = page.events.iter().filter_map(|event| Frame::parse(event.as_str()).unwrap().seq()).collect();
    assert_eq!(seen, all);
    handle.close();
    running.await.unwrap().unwrap();
    assert!(matches!(handle.command("*status").await, Err(Error::Closed)));
}

#[tokio::test]
async fn what_is_sent_while_the_server_is_down_arrives_once() {
    let mut server = Server::start();
    let client = Client::new(&server.url()).unwrap();
    client.register(&register("b")).await.unwrap();
    let (connection, handle, mut notices) = AgentOptions::new(client.clone(), "a").build();
    let running = tokio::spawn(connection.run());
    connected(&mut notices).await;
    server.kill();
    for n in 0..10 {
        handle.agent_message(message("b", &n.to_string())).await.unwrap();
    }
    handle.code_change("src/a.py", ChangeType::Modified).await.unwrap();
    server.restart();
    for _ in 0..10 {
        frame(&mut notices, |frame| frame.kind() == "agent_message_ack").await;
    }
    let inbox = client.inbox("b", None, None).await.unwrap();
    let payloads: Vec<String> =
        inbox.messages.iter().map(|one| one.payload.as_ref().unwrap().as_str().to_owned()).collect();
    assert_eq!(payloads, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
    handle.close();
    running.await.unwrap().unwrap();
    let changes = client.changes(&orchestrator_client::ChangesQuery::default()).await.unwrap();
    assert_eq!(changes.changes[0].file_path, "src/a.py");
}

#[tokio::test]
async fn a_message_comes_again_until_it_is_acknowledged_and_says_so() {
    let server = Server::start();
    let client = Client::new(&server.url()).unwrap();
    let (connection, handle, mut notices) = AgentOptions::new(client.clone(), "a").build();
    let running = tokio::spawn(connection.run());
    connected(&mut notices).await;
    let sent = client.send(&message("a", "1")).await.unwrap();
    let is_it = |frame: &Frame| frame.message_id() == Some(sent.message_id.as_str());
    let first = frame(&mut notices, is_it).await;
    assert!(!first.is_redelivery());
    let push: AgentMessagePush = first.read().unwrap();
    assert_eq!((push.to.as_str(), push.payload.unwrap().as_str()), ("a", "1"));
    // The server's term is 30 s.
    assert!(frame(&mut notices, is_it).await.is_redelivery());
    handle.acknowledge(&sent.message_id).await.unwrap();
    handle.close();
    running.await.unwrap().unwrap();
    let message = client.message_status(&sent.message_id).await.unwrap();
    assert_eq!(message.state, orchestrator_protocol::MessageState::Acknowledged);
}

#[tokio::test]
async fn closing_with_something_unsent_says_so() {
    let mut server = Server::start();
    let client = Client::new(&server.url()).unwrap();
    server.kill();
    let (connection, handle, _notices) = AgentOptions::new(client, "a").build();
    let running = tokio::spawn(connection.run());
    handle.agent_message(message("b", "1")).await.unwrap();
    handle.close();
    assert!(matches!(running.await.unwrap(), Err(Error::Unconfirmed(1))));
}
