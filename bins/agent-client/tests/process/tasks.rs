//! `agent-client task` and `agent-client approvals`, with the words and exit codes that people and scripts get.

use crate::support::Server;

fn run(server: &Server, arguments: &[&str]) -> (i32, String, String) {
    let output = server.run(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_task_is_made_taken_reported_and_done() {
    let server = Server::start();
    for agent in ["ann", "bob"] {
        server.text(&["register", agent, "--capabilities", "rust"]);
    }
    assert!(run(&server, &["task", "list"]).2.contains("no such task"));
    let create =
        ["task", "create", "Add a parser", "-d", "-", "--needs", "rust", "--path", "src/**", "--by", "bob", "--json"];
    let made = server.feed(&create, "All of it.\nWith tests.\n");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    let task = made["task"]["task_id"].as_str().unwrap();
    assert_eq!(made["task"]["description"], "All of it.\nWith tests.");

    let (code, told, _) = run(&server, &["task", "claim", task, "ann"]);
    assert_eq!(code, 0, "{told}");
    let held = server.json(&["task", "claim", task, "ann"])["task"]["claim"]["token"].as_u64().unwrap().to_string();
    assert_eq!(told, format!("{task} claimed by ann, token {held}: Add a parser\n"));
    let (code, _, why) = run(&server, &["task", "claim", task, "bob"]);
    assert_eq!((code, why.contains("is claimed by 'ann'; take another")), (5, true), "{why}");
    let (code, _, why) = run(&server, &["task", "progress", task, "--token", "1", "--percent", "5"]);
    assert_eq!((code, why.contains("'ann' holds it now")), (5, true), "{why}");
    server.text(&["task", "progress", task, "--token", &held, "--percent", "50", "--note", "the lexer works"]);
    let list = server.text(&["task", "list", "--state", "claimed", "--agent", "ann"]);
    assert!(list.starts_with("TASK") && list.contains("50 %") && list.contains("Add a parser"), "{list}");
    assert_eq!(run(&server, &["task", "done", task, "--token", &held, "--result", "{broken"]).0, 2);
    server.text(&["task", "done", task, "--token", &held, "--result", "merged"]);
    let shown = server.text(&["task", "show", task]);
    for line in
        ["  result: \"merged\"", "    With tests.", " ann claimed", " ann progress: 50 %, the lexer works", " ann done"]
    {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert_eq!(run(&server, &["task", "release", task, "--token", &held]).0, 5, "it is done");
    assert_eq!(run(&server, &["task", "show", "task-999"]).0, 3);

    let other =
        server.json(&["task", "create", "Other", "--assign", "ann"])["task"]["task_id"].as_str().unwrap().to_owned();
    server.text(&["task", "assign", &other, "bob"]);
    assert_eq!(run(&server, &["task", "claim", &other, "ann"]).0, 5, "it is bob's");
    server.text(&["task", "assign", &other, "--to-anyone"]);
    let held = server.json(&["task", "claim", &other, "ann"])["task"]["claim"]["token"].as_u64().unwrap().to_string();
    assert_eq!(run(&server, &["task", "release", &other]).0, 4, "only the operator");
    server.text(&["task", "release", &other, "--token", &held, "--reason", "no time"]);
    assert!(server.text(&["task", "list", "--for", "bob"]).contains("no time"));
    let held = server.json(&["task", "claim", &other, "bob"])["task"]["claim"]["token"].as_u64().unwrap().to_string();
    assert!(server.text(&["task", "fail", &other, "--token", &held, "--reason", "stuck"]).contains(" failed"));
    assert_eq!(run(&server, &["task", "cancel", &other]).0, 5, "it failed");
    let (_, page, note) = run(&server, &["task", "list", "--limit", "1"]);
    assert_eq!((page.lines().count(), note.contains("2 match; go on with --after")), (2, true), "{page}{note}");
}

#[test]
fn a_question_is_asked_and_the_operator_answers_it_once() {
    let server = Server::start();
    let secret = server.project().join(".git/orchestrator/operator.secret");
    assert!(run(&server, &["approvals", "list"]).2.contains("nothing was asked"));
    let ask = ["approvals", "ask", "Land on main?", "--kind", "landing", "--subject", "merge-4", "--option", "now"];
    let id = server.json(&ask)["approval"]["approval_id"].as_str().unwrap().to_owned();
    assert!(server.text(&["approvals", "list", "--state", "pending"]).contains("Land on main?"));
    assert_eq!(run(&server, &["approvals", "answer", &id, "approve"]).0, 4, "only the operator");
    let answer = ["--operator-secret-file", secret.to_str().unwrap(), "approvals", "answer", &id, "approve"];
    let (code, told, why) = run(&server, &answer);
    assert_eq!(code, 0, "{why}");
    assert!(told.contains("approved 'now' by operator"), "{told}");
    let (code, _, why) = run(&server, &answer);
    assert_eq!((code, why.contains("is approved ('now') by the operator since")), (5, true), "{why}");
    assert!(server.text(&["approvals", "show", &id]).contains("landing of merge-4: approved"));
    assert_eq!(run(&server, &["approvals", "show", "approval-999"]).0, 3);
}
