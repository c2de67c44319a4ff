//! `agent-client --agent-id`.

use crate::support::{Program, Server};
use serde_json::json;

fn agent(server: &Server, more: &[&str]) -> Program {
    let mut agent = server.spawn(&[&["--agent-id", "dev-agent", "--json"], more].concat());
    agent.frame("agent_connection_established");
    agent
}

#[test]
fn an_agent_shows_and_acknowledges_its_messages_and_leaves_on_a_signal() {
    let server = Server::start();
    for signal in ["INT", "TERM"] {
        let mut agent =
            agent(&server, &["--capabilities", "python,api", "--status", "busy", "--task", "t", "--workload", "0.8"]);
        agent.frame("status_update_ack");
        let known = server.json(&["agents", "dev-agent"]);
        assert_eq!((&known["status"], &known["current_task"]), (&json!("busy"), &json!("t")));
        assert_eq!((&known["workload"], &known["capabilities"]), (&json!(0.8), &json!(["python", "api"])));
        let sent = server.json(&["send", "dev-agent", "hello", "--from", "a", "--wait-ack", "20"]);
        assert_eq!(sent["state"], "acknowledged");
        let frame = agent.frame("agent_message");
        assert_eq!((&frame["message_id"], &frame["payload"]["message"]), (&sent["id"], &json!("hello")));
        agent.signal(signal);
        assert_eq!(agent.end().code(), Some(0));
        assert_eq!(server.run(&["agents", "dev-agent"]).status.code(), Some(3), "unregistered");
    }
}

#[test]
fn people_get_lines() {
    let server = Server::start();
    let mut agent = server.spawn(&["--agent-id", "dev-agent"]);
    agent.line("that it is connected", |line| line == "connected");
    server.text(&["send", "dev-agent", "hello", "--from", "qa-agent"]);
    let line = agent.line("the message", |line| line.contains("agent_message"));
    assert!(line.contains("qa-agent        to dev-agent: {\"message\":\"hello\"} (m"), "{line}");
}

#[test]
fn a_restart_of_the_server_loses_no_message_and_repeats_none() {
    let mut server = Server::start();
    let mut agent = agent(&server, &[]);
    server.text(&["send", "dev-agent", "before", "--wait-ack", "20"]);
    agent.frame("agent_message");
    for round in 0..2 {
        // The agent cannot come back before the message is there.
        agent.signal("STOP");
        server.kill();
        server.restart();
        let meanwhile = format!("meanwhile-{round}");
        let sent = server.json(&["send", "dev-agent", &meanwhile]);
        agent.signal("CONT");
        agent.frame("agent_connection_established");
        let id = sent["message_id"].as_str().unwrap();
        agent.line("the message sent meanwhile", |line| line.contains(id) && line.contains(&meanwhile));
        let after = format!("after-{round}");
        server.text(&["send", "dev-agent", &after, "--wait-ack", "20"]);
        agent.line("the message sent after", |line| line.contains(&after));
        assert_eq!(server.json(&["inbox", "dev-agent"])["messages"], json!([]), "all are acknowledged");
    }
    agent.signal("INT");
    assert_eq!(agent.end().code(), Some(0));
    for text in ["before", "meanwhile-0", "after-0", "meanwhile-1", "after-1"] {
        assert_eq!(agent.said(&format!("\"{text}\"")), 1, "{text}");
    }
}

#[test]
fn an_agent_waits_for_a_server_that_is_not_there_yet() {
    let mut server = Server::start();
    server.kill();
    let mut agent = server.spawn(&["--agent-id", "dev-agent", "--json"]);
    agent.line("that nobody answers", |line| line.contains("not connected: no server answers"));
    server.restart();
    agent.frame("agent_connection_established");
}

#[test]
fn an_agent_that_is_refused_says_why_and_ends() {
    let server = Server::start();
    let output = server.run(&["--agent-id", "nul"]);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("reserved"), "{told}");
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let server = Server::start();
    let mut agent = agent(&server, &[]);
    server.signal("STOP");
    agent.signal("INT");
    agent.line("that it leaves", |line| line.contains("interrupt again"));
    agent.signal("INT");
    assert_eq!(agent.end().code(), Some(130));
    server.signal("CONT");
}

#[test]
fn changes_in_a_watched_folder_are_reported() {
    let server = Server::start();
    let folder = server.project().join("src");
    std::fs::create_dir(&folder).unwrap();
    let mut agent = agent(&server, &["--watch", folder.to_str().unwrap()]);
    std::fs::write(folder.join("a.py"), "x = 1\n").unwrap();
    agent.frame("code_change_ack");
    let changes = server.json(&["changes", "--agent", "dev-agent", "--path", "src/a.py"]);
    assert_eq!(changes["changes"][0]["change_type"], "created", "{changes}");
}
