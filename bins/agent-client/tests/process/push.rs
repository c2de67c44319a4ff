//! `agent-client workspace push`: from a clone that the server is never told of.

use crate::support::{Server, git};
use std::path::PathBuf;

fn world() -> (Server, tempfile::TempDir, PathBuf) {
    let server = Server::start();
    std::fs::write(server.project().join("a.txt"), "one\ntwo\nthree\n").unwrap();
    git(server.project(), &["add", "-A"]);
    git(server.project(), &["commit", "--quiet", "-m", "base"]);
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["clone", "--quiet", "--no-local", server.project().to_str().unwrap(), "far"]);
    let far = folder.path().join("far");
    (server, folder, far)
}

#[test]
fn work_is_pushed_once_or_whenever_it_changes() {
    let (mut server, _folder, far) = world();
    let clone = far.to_str().unwrap();
    assert_eq!(server.run(&["workspace", "push", "--agent-id", "far", clone]).status.code(), Some(3), "not registered");
    server.text(&["register", "far"]);
    let list = server.text(&["workspace", "list"]);
    assert!(list.contains("not followed: it has no folder here and pushed nothing"), "{list}");
    std::fs::write(far.join("new.txt"), "n\n").unwrap();
    let told = server.text(&["workspace", "push", "--agent-id", "far", clone]);
    assert!(told.starts_with("pushed the work of far as s") && told.contains("; 1 uncommitted path)"), "{told}");
    let row = server.text(&["workspace", "list"]);
    let row: Vec<&str> = row.lines().nth(1).unwrap().split_whitespace().collect();
    assert!(matches!(row.as_slice(), ["far", "-", "-", _, "1", "pushed", "-"]), "{row:?}");

    let mut watch = server.spawn(&["workspace", "push", "--agent-id", "far", "--watch", clone]);
    watch.line("the first push", |line| line.contains("; 1 uncommitted path)"));
    std::fs::write(far.join("a.txt"), "one\nfar's\nthree\n").unwrap();
    watch.line("the next one", |line| line.contains("; 2 uncommitted paths)"));
    git(&far, &["add", "-A"]);
    git(&far, &["commit", "--quiet", "-m", "own"]);
    watch.line("that all is committed", |line| line.contains("; 0 uncommitted paths)"));
    server.kill();
    std::fs::write(far.join("a.txt"), "one\nagain\nthree\n").unwrap();
    server.restart();
    watch.line("that it went on", |line| line.contains("; 1 uncommitted path)"));
    let list = server.json(&["workspace", "list"]);
    assert_eq!(
        (&list["workspaces"][0]["pushed"], &list["workspaces"][0]["dirty"]),
        (&true.into(), &2.into()),
        "{list}"
    );
    watch.signal("TERM");
}

#[test]
fn what_cannot_be_pushed_says_why() {
    let (server, folder, far) = world();
    server.text(&["register", "far"]);
    let plain = server.run(&["workspace", "push", "--agent-id", "far", folder.path().to_str().unwrap()]);
    assert_eq!(plain.status.code(), Some(1));
    assert!(String::from_utf8(plain.stderr).unwrap().contains("not in a git repository"));
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    git(&other, &["init", "--quiet"]);
    std::fs::write(other.join("x"), "x\n").unwrap();
    git(&other, &["add", "-A"]);
    git(&other, &["commit", "--quiet", "-m", "foreign"]);
    let foreign = server.run(&["workspace", "push", "--agent-id", "far", other.to_str().unwrap()]);
    let told = String::from_utf8(foreign.stderr).unwrap();
    assert!(foreign.status.code() == Some(4) && told.contains("shares no history"), "{told}");
    std::fs::write(far.join(".git/index.lock"), "").unwrap();
    let busy = server.run(&["workspace", "push", "--agent-id", "far", far.to_str().unwrap()]);
    assert_eq!(busy.status.code(), Some(5));
}
