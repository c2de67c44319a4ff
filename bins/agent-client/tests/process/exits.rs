//! Exit codes, and the line that goes with them.

use crate::support::{Server, agent_client};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;

/// One line, with all three parts, and the same for programs.
fn assert_told(output: &Output, code: i32, what: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{what}: {told}");
    assert_eq!(told.lines().count(), 1, "{what}: {told}");
    assert!(told.starts_with("error: "), "{what}: {told}");
    assert!(output.stdout.is_empty(), "{what}");
}

#[test]
fn every_kind_of_refusal_has_its_exit_code() {
    let server = Server::start();
    server.text(&["register", "a"]);
    server.text(&["register", "b"]);
    server.text(&["lease", "acquire", "a", "src"]);
    server.text(&["send", "b", "1", "--from", "a", "--idempotency-key", "k"]);
    for (arguments, code) in [
        (&["agents", "ghost"][..], 3),
        (&["send", "ghost", "hi"], 3),
        (&["send", "capability:cooking", "hi"], 3),
        (&["inbox", "ghost"], 3),
        (&["lease", "release", "l999", "--token", "1"], 3),
        (&["conflicts", "resolve", "c999"], 3),
        (&["conflicts", "escalate", "c999", "--reason", "x"], 3),
        (&["conflicts", "escalate", "c999", "--reason", " "], 2),
        (&["register", "a/b"], 2),
        (&["agents", ".."], 2),
        (&["send", "b", "{broken"], 2),
        (&["send", "no good", "hi"], 2),
        (&["command", "*nonsense"], 2),
        (&["lease", "acquire", "b", "../outside"], 2),
        (&["lease", "acquire", "b", "src/x.py"], 5),
        (&["send", "b", "2", "--from", "a", "--idempotency-key", "k"], 5),
        (&["send", "b", "3", "--wait-ack", "1"], 7),
    ] {
        assert_told(&server.run(arguments), code, &arguments.join(" "));
        let told = server.run(&[arguments, &["--json"]].concat()).stderr;
        let body: Value = serde_json::from_slice(&told).unwrap();
        assert!(body["code"].is_string() && body["detail"].is_string() && body["hint"].is_string(), "{body}");
    }
    let held = server.run(&["lease", "acquire", "b", "src/x.py", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&held.stderr).unwrap()["held_by"], "a");
    let too_large = format!("\"{}\"", "x".repeat(300 * 1024));
    assert_told(&server.feed(&["send", "b", "-"], &too_large), 4, "a message of 300 KiB");
}

#[test]
fn a_wrong_command_line_is_usage() {
    for arguments in [
        &[][..],
        &["nonsense"],
        &["send", "b"],
        &["--agent-id", "x", "agents"],
        &["--agent-id", "x", "--workload", "2"],
    ] {
        let output = agent_client(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
    assert_told(&agent_client(&["--base-url", "localhost:8000", "agents"]).output().unwrap(), 2, "no URL");
    let no_file = ["--operator-secret-file", "/nonexistent/secret", "agents"];
    assert_told(&agent_client(&no_file).output().unwrap(), 2, "no secret");
}

#[test]
fn help_and_completions_need_no_server() {
    for arguments in [&["--help"][..], &["send", "--help"], &["completions", "bash"], &["--version"]] {
        let output = agent_client(arguments).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn no_server_is_unavailable_a_silent_one_a_timeout_and_a_foreign_one_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let ask = || agent_client(&["--base-url", &url, "--timeout", "1", "agents"]).output().unwrap();
    assert_told(&ask(), 7, "a server that says nothing");

    let foreign = std::thread::spawn(move || {
        // The first connection is that of the call above.
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\nhello");
        }
    });
    let output = ask();
    assert_told(&output, 6, "another program");
    assert!(String::from_utf8_lossy(&output.stderr).contains("not that of an orchestrator: hello"));
    foreign.join().unwrap();
    assert_told(&ask(), 6, "nobody");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let server = Server::start();
    for n in 0..20 {
        server.text(&["register", &format!("agent-{n}")]);
    }
    let mut command = server.command(&["events", "--follow", "--after", "0"]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut first = [0_u8; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    server.text(&["register", "one-more"]);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
