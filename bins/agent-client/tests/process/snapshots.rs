//! `agent-client snapshots` and `agent-client restore`, against a server that is killed.

use crate::support::{Server, git};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn world() -> (Server, PathBuf) {
    let server = Server::start();
    std::fs::write(server.project().join("a.txt"), "one\n").unwrap();
    std::fs::write(server.project().join("b.txt"), "two\n").unwrap();
    git(server.project(), &["add", "-A"]);
    git(server.project(), &["commit", "--quiet", "-m", "base"]);
    server.text(&["register", "ann"]);
    let made = server.json(&["workspace", "create", "ann"]);
    (server, made["workspace"]["path"].as_str().unwrap().into())
}

/// Waits until the work is kept; answers with the newest snapshot's id.
fn kept(server: &Server, count: usize) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let list = server.json(&["snapshots", "list", "--agent-id", "ann"]);
        match list["snapshots"].as_array().unwrap() {
            all if all.len() >= count => return all[0]["snapshot_id"].as_str().unwrap().to_owned(),
            _ => assert!(Instant::now() < deadline, "nothing was kept: {list}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn kept_work_outlives_the_server_and_its_folder_and_a_restore_is_undone() {
    let (mut server, folder) = world();
    std::fs::write(folder.join("a.txt"), "mine\n").unwrap();
    std::fs::write(folder.join("new.txt"), "new\n").unwrap();
    let snapshot = kept(&server, 1);
    server.kill();
    std::fs::remove_dir_all(&folder).unwrap();
    git(server.project(), &["worktree", "prune"]);
    git(server.project(), &["worktree", "add", "--quiet", folder.to_str().unwrap(), "agent/ann"]);
    server.restart();
    assert_eq!(kept(&server, 1), snapshot);

    let here = |arguments: &[&str]| {
        let output = server.command(arguments).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let plan = here(&["restore", &snapshot, "--dry-run"]);
    assert_eq!(plan, "would write  a.txt\nwould write  new.txt\n2 paths would change\n");
    let done = here(&["restore", &snapshot, "a.txt"]);
    let undo = done.strip_prefix("written  a.txt\n1 path changed\nto undo it: agent-client ").unwrap().trim_end();
    assert_eq!(std::fs::read_to_string(folder.join("a.txt")).unwrap(), "mine\n");
    assert!(!folder.join("new.txt").exists());
    here(&undo.split(' ').collect::<Vec<_>>());
    assert_eq!(std::fs::read_to_string(folder.join("a.txt")).unwrap(), "one\n");

    let table = here(&["snapshots", "list"]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["SNAPSHOT", "TAKEN", "FOR", "PATHS", "ON", "COMMIT"]);
    let of = |id: &str| rows.iter().find(|row| row[0] == id).unwrap().clone();
    assert_eq!((of(&snapshot)[2], of(&snapshot)[3]), ("quiet", "2"), "{table}");
    let shown = here(&["snapshots", "show", &snapshot]);
    let paths = "it changed:\n  modified  a.txt\n  created   new.txt\n";
    assert!(shown.starts_with(&format!("{snapshot} of ann, taken ")) && shown.contains(paths), "{shown}");
    let json: Value = serde_json::from_str(&here(&["snapshots", "show", &snapshot, "--json"])).unwrap();
    assert_eq!(json["snapshot"]["paths"], 2);
}

#[test]
fn every_refusal_of_a_restore_has_its_exit_code() {
    let (server, folder) = world();
    std::fs::write(folder.join("a.txt"), "mine\n").unwrap();
    let snapshot = kept(&server, 1);
    server.text(&["register", "bob"]);
    for (arguments, code) in [
        (&["restore", "s999", "--agent-id", "ann"][..], 3),
        (&["restore", &snapshot, "--agent-id", "ghost"], 3),
        (&["restore", &snapshot, "--agent-id", "bob"], 3),
        (&["restore", &snapshot, "--agent-id", "ann", ".git/config"], 2),
        (&["restore", &snapshot, "--agent-id", "ann", "../x"], 2),
        (&["restore", &snapshot], 2),
        (&["snapshots", "list"], 2),
        (&["snapshots", "list", "--agent-id", "ghost"], 3),
        (&["snapshots", "show", "s999", "--agent-id", "ann"], 3),
        (&["restore", &snapshot, "--agent-id", "ann"], 0),
    ] {
        let output = server.command(arguments).current_dir(server.project()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
