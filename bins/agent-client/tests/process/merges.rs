//! `agent-client merge` and `agent-client rollback`, with the words and exit codes that people and scripts get.

use crate::support::{Server, git};
use std::path::{Path, PathBuf};

fn workspace(server: &Server, agent: &str) -> PathBuf {
    server.text(&["register", agent]);
    server.json(&["workspace", "create", agent])["workspace"]["path"].as_str().unwrap().into()
}

#[test]
fn work_lands_is_shown_and_is_taken_back() {
    let server = Server::start();
    let project = server.project().to_owned();
    let gates = "[[gates]]\nname = \"greeting\"\nrun = [\"grep\", \"-q\", \"hello\", \"a.txt\"]\n";
    std::fs::write(project.join("a.txt"), "hello\n").unwrap();
    std::fs::write(project.join("orchestrator.toml"), gates).unwrap();
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "--quiet", "-m", "base"]);
    let (ann, bob) = (workspace(&server, "ann"), workspace(&server, "bob"));
    let write = |folder: &Path, text: &str| std::fs::write(folder.join("a.txt"), text).unwrap();
    let run = |arguments: &[&str]| {
        let output = server.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let secret = project.join(".git/orchestrator/operator.secret");

    assert!(run(&["merge", "list"]).2.contains("nothing was asked to land yet"));
    write(&ann, "hello ann\n");
    let (code, told, _) = run(&["merge", "request", "--agent-id", "ann", "-m", "Greet Ann", "--wait"]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("gate greeting: passed") && told.contains(": landed\n"), "{told}");
    assert_eq!(std::fs::read_to_string(project.join("a.txt")).unwrap(), "hello ann\n");

    write(&bob, "good bye\n");
    let (code, told, why) = run(&["merge", "request", "--agent-id", "bob", "--wait"]);
    assert_eq!(code, 5, "{told}");
    assert!(told.contains("a.txt: both sides changed one place of it in different ways"), "{told}");
    assert!(why.contains("did not land") && why.contains("merge show"), "{why}");
    git(&bob, &["reset", "--quiet", "--hard", "HEAD"]);
    let first = server.json(&["merge", "list"])["merges"].as_array().unwrap().last().unwrap().clone();
    git(&bob, &["merge", "--quiet", "--ff-only", first["commit"].as_str().unwrap()]);
    write(&bob, "good bye\n");
    let (code, told, why) = run(&["merge", "request", "--agent-id", "bob", "--wait"]);
    assert_eq!((code, why.contains("gate 'greeting' failed with exit code 1")), (5, true), "{told}{why}");

    let list = server.json(&["merge", "list"]);
    let landed = list["merges"].as_array().unwrap().iter().find(|one| one["state"] == "landed").unwrap().clone();
    let id = landed["merge_id"].as_str().unwrap();
    assert!(run(&["merge", "list"]).1.contains("Greet Ann"));
    assert!(run(&["merge", "show", id]).1.contains("paths that change: 1, onto "));
    assert_eq!(run(&["merge", "show", "merge-999"]).0, 3);
    assert_eq!(run(&["merge", "cancel", id]).0, 5, "it landed");
    assert_eq!(run(&["rollback", id]).0, 4, "only the operator");
    let operator = ["--operator-secret-file", secret.to_str().unwrap()];
    let planned = run(&[&operator[..], &["rollback", id, "--dry-run"]].concat());
    assert_eq!((planned.0, planned.1.contains("would take back merge-")), (0, true), "{planned:?}");
    let done = run(&[&operator[..], &["rollback", id]].concat());
    assert_eq!(done.0, 0, "{done:?}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while std::fs::read_to_string(project.join("a.txt")).unwrap() != "hello\n" {
        assert!(std::time::Instant::now() < deadline, "{}", run(&["merge", "list"]).1);
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert_eq!(run(&["rollback", "yesterday"]).0, 2);
}
