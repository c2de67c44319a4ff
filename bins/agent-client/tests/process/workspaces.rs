//! `agent-client workspace`, `conflicts show` and `conflicts --watch`.

use crate::support::{Server, git};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A server on a project with a commit, and a workspace for each agent.
fn world<const N: usize>(agents: [&str; N]) -> (Server, [PathBuf; N]) {
    let server = Server::start();
    std::fs::write(server.project().join("a.txt"), "one\ntwo\nthree\n").unwrap();
    git(server.project(), &["add", "-A"]);
    git(server.project(), &["commit", "--quiet", "-m", "base"]);
    let folders = agents.map(|agent| {
        server.text(&["register", agent]);
        let made = server.json(&["workspace", "create", agent]);
        PathBuf::from(made["workspace"]["path"].as_str().unwrap())
    });
    (server, folders)
}

#[test]
fn a_workspace_is_made_listed_kept_and_removed() {
    let (server, [folder]) = world(["ann"]);
    let shown = server.text(&["workspace", "create", "ann"]);
    assert!(shown.starts_with("WORKSPACE OF  ann\n") && shown.contains("branch        agent/ann\n"), "{shown}");
    std::fs::write(folder.join("a.txt"), "mine\n").unwrap();
    server.text(&["command", "*sync:force"]);
    let list = server.text(&["workspace", "list"]);
    let row: Vec<&str> = list.lines().nth(1).unwrap().split_whitespace().collect();
    let is_row = matches!(row.as_slice(), ["ann", "worktree", "agent/ann", _, "1", "followed", path] if *path == folder.to_str().unwrap());
    assert!(is_row, "{list}");
    assert_eq!(server.json(&["workspace", "list"])["workspaces"][0]["dirty"], 1);
    let refused = server.run(&["workspace", "remove", "ann"]);
    assert_eq!(refused.status.code(), Some(5));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(
        told.starts_with("error: the workspace of 'ann' holds 1 path uncommitted") && told.lines().count() == 1,
        "{told}"
    );
    let removed = server.text(&["workspace", "remove", "ann", "--keep-snapshot"]);
    let lines: Vec<&str> = removed.lines().collect();
    assert_eq!(lines[0], format!("removed {} (1 file; 5 bytes)", folder.display()));
    assert_eq!(lines[1], "its branch stays: agent/ann");
    assert!(lines[2].starts_with("its work is kept as refs/backup/"), "{removed}");
    assert!(lines[3].starts_with("to get it back: git fetch '"), "{removed}");
    assert!(!folder.exists());
}

#[test]
fn every_refusal_of_a_workspace_has_its_exit_code() {
    let (server, [folder]) = world(["ann"]);
    std::fs::write(server.project().join(".git/info/exclude"), "out\n").unwrap();
    std::fs::write(folder.join("out"), "x").unwrap();
    server.text(&["register", "bob"]);
    for (arguments, code) in [
        (&["create", "ghost"][..], 3),
        (&["remove", "ghost"], 3),
        (&["remove", "bob"], 3),
        (&["create", "bob", "--branch=-x"], 2),
        (&["create", "bob", "--branch", "a..b"], 2),
        (&["create", "bob", "--from", "no-such"], 2),
        (&["create", "bob", "--branch", "agent/ann"], 5),
        (&["create", "ann", "--branch", "other"], 5),
        (&["remove", "ann"], 5),
        (&["remove", "ann", "--keep-snapshot"], 5),
        (&["remove", "ann", "--discard-ignored"], 0),
    ] {
        let output = server.run(&[&["workspace"], arguments].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(server.run(&["conflicts", "show", "c999"]).status.code(), Some(3));
    assert_eq!(server.run(&["conflicts", "--watch", "show", "c9"]).status.code(), Some(2));
}

#[test]
fn conflicts_are_shown_as_they_are_found_change_and_end() {
    let (mut server, [ann, bob]) = world(["ann", "bob"]);
    let mut watch = server.spawn(&["conflicts", "--watch"]);
    let mut machine = server.spawn(&["conflicts", "--watch", "--json"]);
    watch.line("that it watches", |line| line.starts_with("watching for conflicts"));
    std::fs::write(ann.join("a.txt"), "one\nTWO\nthree\n").unwrap();
    std::fs::write(bob.join("a.txt"), "one\n2\nand more\nthree\n").unwrap();
    let head = watch.line("the conflict", |line| line.contains(" found  medium  content  a.txt  ann against bob"));
    let id = head.split_whitespace().next().unwrap().to_owned();
    watch.line("the end of the conflict", |line| line.ends_with("4  and more") || line.ends_with("3  and more"));
    let from = watch.seen().iter().position(|line| *line == head).unwrap();
    let expected = ["  base      2  two", "  ann       2  TWO", "  bob       2  2", "            3  and more"];
    assert_eq!(watch.seen()[from + 1..], expected);
    let frame = machine.frame("conflict_detected");
    assert_eq!((&frame["conflict_id"], &frame["regions"][0]["sides"][0]["text"]), (&json!(id), &json!("TWO\n")));

    let shown = server.text(&["conflicts", "show", &id]);
    assert_eq!(shown.lines().skip(1).collect::<Vec<_>>(), expected);
    assert_eq!(server.json(&["conflicts", "show", &id])["conflict_id"], json!(id));

    server.kill();
    server.restart();
    std::fs::write(ann.join("a.txt"), "one\nzwei\nthree\n").unwrap();
    watch.line("that it changed", |line| line.starts_with(&format!("{id} changed")));
    watch.line("the new line", |line| line == "  ann       2  zwei");
    std::fs::write(bob.join("a.txt"), "one\ntwo\nthree\n").unwrap();
    let over = watch.line("its end", |line| line.contains("resolved"));
    assert_eq!(over, format!("{id}  a.txt  ann against bob  resolved: withdrawn"));
    assert_eq!(machine.frame("conflict_resolved")["conflict_id"], json!(id));
    assert!(watch.seen().iter().all(|line| !line.contains('\u{1b}')), "no colours where there is no terminal");
    let is_json = |line: &String| serde_json::from_str::<Value>(line).is_ok() || line.starts_with("not connected");
    assert!(machine.seen().iter().all(is_json), "{:?}", machine.seen());
}

#[test]
fn what_is_open_already_is_shown_first() {
    let (server, [ann, bob]) = world(["ann", "bob"]);
    std::fs::write(ann.join("a.txt"), "1\n").unwrap();
    std::fs::remove_file(bob.join("a.txt")).unwrap();
    server.text(&["command", "*sync:force"]);
    let mut watch = server.spawn(&["conflicts", "--watch"]);
    watch.line("the conflict", |line| line.contains(" open  critical  delete_modify  a.txt  ann against bob"));
}
