//! The subcommands.

use crate::support::Server;
use serde_json::json;

#[test]
fn an_agent_is_registered_listed_shown_and_unregistered() {
    let server = Server::start();
    assert_eq!(
        server.text(&["register", "dev-agent", "--capabilities", "python, api"]),
        "registered dev-agent: python, api\n"
    );
    assert_eq!(server.text(&["register", "dev-agent"]), "updated dev-agent: python, api\n");
    let list = server.json(&["agents"]);
    assert_eq!((&list["status"], &list["total_agents"]), (&json!("success"), &json!(1)));
    assert_eq!(list["agents"][0]["capabilities"], json!(["python", "api"]));
    let table = server.text(&["agents"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(lines[0].starts_with("ID         STATUS") && lines[1].starts_with("dev-agent  "), "{table}");
    assert_eq!(server.json(&["agents", "DEV-agent"])["agent_id"], "dev-agent");
    assert!(server.text(&["agents", "dev-agent"]).contains("capabilities  python,api"));
    assert_eq!(server.text(&["unregister", "dev-agent"]), "unregistered dev-agent\n");
    assert_eq!(server.json(&["agents"])["total_agents"], 0);
    let none = server.run(&["agents"]);
    assert!(none.status.success() && none.stdout.is_empty() && !none.stderr.is_empty());
}

#[test]
fn a_message_is_read_acknowledged_and_its_state_known() {
    let server = Server::start();
    server.text(&["register", "b"]);
    let send = ["send", "b", "hello", "--from", "a", "--type", "task", "--idempotency-key", "k"];
    let sent = server.json(&send);
    assert_eq!(sent["state"], "queued");
    let inbox = server.json(&["inbox", "b"]);
    let message = &inbox["messages"][0];
    assert_eq!(
        (&message["id"], &message["from"], &message["type"]),
        (&sent["message_id"], &json!("a"), &json!("task"))
    );
    assert_eq!(message["payload"], json!({"message": "hello"}));
    assert!(server.text(&["inbox", "b"]).contains(r#"[task] {"message":"hello"}"#));
    assert_eq!(server.json(&["inbox", "b", "--ack"])["messages"].as_array().unwrap().len(), 1);
    assert_eq!(server.json(&["inbox", "b"])["messages"], json!([]));
    let again = server.json(&[&send[..], &["--wait-ack", "5"]].concat());
    assert_eq!((&again["id"], &again["state"]), (&sent["message_id"], &json!("acknowledged")));
}

#[test]
fn a_payload_arrives_as_it_was_written() {
    let server = Server::start();
    server.text(&["register", "b"]);
    let payload = r#"{"big": 1e400, "b": 1, "b": 2}"#;
    server.text(&["send", "b", payload]);
    assert!(server.text(&["inbox", "b", "--ack", "--json"]).contains(payload));
    let piped = server.feed(&["send", "b", "-", "--text"], "{not json\n");
    assert!(piped.status.success());
    assert_eq!(server.json(&["inbox", "b"])["messages"][0]["payload"], json!({"message": "{not json"}));
}

#[test]
fn a_claimed_message_is_nobody_elses() {
    let server = Server::start();
    server.text(&["register", "b"]);
    server.text(&["send", "b", "1", "--from", "a"]);
    server.text(&["send", "b", "2", "--from", "c"]);
    let claim = ["inbox", "b", "--claim", "--max", "5"];
    assert_eq!(server.json(&claim)["messages"].as_array().unwrap().len(), 2);
    assert_eq!(server.json(&claim)["messages"], json!([]));
}

#[test]
fn an_inbox_is_followed() {
    let server = Server::start();
    server.text(&["register", "b"]);
    let mut follower = server.spawn(&["inbox", "b", "--follow", "--ack", "--json"]);
    for payload in ["1", "2", "3"] {
        let sent = server.json(&["send", "b", payload, "--wait-ack", "20"]);
        assert_eq!(sent["state"], "acknowledged");
        let id = sent["id"].as_str().unwrap();
        follower.line(id, |line| line.contains(&format!(r#""id":"{id}""#)));
    }
}

#[test]
fn a_broadcast_reaches_mailboxes_only_when_durable() {
    let server = Server::start();
    server.text(&["register", "b"]);
    server.text(&["broadcast", "notice", "--from", "a"]);
    assert_eq!(server.json(&["inbox", "b"])["messages"], json!([]));
    server.text(&["broadcast", "kept", "--from", "a", "--durable"]);
    assert_eq!(server.json(&["inbox", "b"])["messages"][0]["payload"], json!({"message": "kept"}));
}

#[test]
fn a_lease_is_acquired_listed_renewed_and_released() {
    let server = Server::start();
    server.text(&["register", "a"]);
    let granted = server.json(&["lease", "acquire", "a", "src/**", "--ttl", "60"]);
    let lease = &granted["lease"];
    assert_eq!((&lease["resource"]["kind"], &lease["mode"]), (&json!("glob"), &json!("exclusive")));
    let (id, token) = (lease["lease_id"].as_str().unwrap(), lease["token"].to_string());
    assert!(server.text(&["lease", "list"]).contains("src/**"));
    let renewed = server.json(&["lease", "renew", id, "--token", &token, "--ttl", "120"]);
    let newer = renewed["lease"]["token"].to_string();
    assert!(newer.parse::<u64>().unwrap() > token.parse().unwrap());
    assert_eq!(server.text(&["lease", "release", id, "--token", &newer]), format!("released {id}\n"));
    assert_eq!(server.json(&["lease", "list"])["leases"], json!([]));
}

#[test]
fn the_server_is_looked_at() {
    let server = Server::start();
    server.text(&["register", "py", "--capabilities", "python"]);
    let status = server.json(&["status"]);
    assert_eq!(status["health"]["service"], "orchestration");
    assert_eq!(status["sync_status"]["registered_agents"], 1);
    assert!(server.text(&["status"]).contains("agents      1 registered"));
    assert_eq!(server.json(&["command", "*sync:status"])["type"], "command_response");
    assert_eq!(server.json(&["command", "help"])["command"], "*help");
    assert!(!server.text(&["command", "status"]).is_empty());
    assert_eq!(server.json(&["recommend", "--path", "a.py"])["recommendations"][0]["agent_id"], "py");
    assert!(server.json(&["changes"])["changes"].is_array());
    assert_eq!(server.json(&["conflicts", "--status", "pending"])["filtered_by"], "pending");
}

#[test]
fn events_are_read_from_a_cursor_and_followed() {
    let server = Server::start();
    server.text(&["register", "a"]);
    let all = server.text(&["events", "--json"]);
    let first: serde_json::Value = serde_json::from_str(all.lines().next().unwrap()).unwrap();
    let seq = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap()["seq"].as_u64().unwrap();
    assert!(all.contains("agent_registered"), "{all}");
    let newest = seq(all.lines().last().unwrap());
    assert_eq!(server.text(&["events", "--after", &newest.to_string()]), "");
    assert_eq!(server.text(&["events", "--limit", "1", "--json"]).lines().count(), 1);
    assert!(first["timestamp"].is_string());
    let mut follower = server.spawn(&["events", "--follow", "--json", "--after", &newest.to_string()]);
    server.text(&["register", "b"]);
    let frame = follower.frame("agent_registered");
    assert_eq!(frame["agent_id"], "b");
    assert!(frame["seq"].as_u64().unwrap() > newest);
    assert!(server.text(&["events"]).contains("agent_registered"));
}
