//! `agent-client workspace`, `conflicts` and `pull`.

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
fn a_person_is_asked_and_sees_who_asked_and_why() {
    let (server, [ann, bob]) = world(["ann", "bob"]);
    let mut watch = server.spawn(&["conflicts", "--watch"]);
    watch.line("that it watches", |line| line.starts_with("watching for conflicts"));
    std::fs::write(ann.join("a.txt"), "one\nTWO\nthree\n").unwrap();
    std::fs::write(bob.join("a.txt"), "one\n2\nthree\n").unwrap();
    let head = watch.line("the conflict", |line| line.contains(" found  medium  content  a.txt  ann against bob"));
    let id = head.split_whitespace().next().unwrap().to_owned();
    let told = server.text(&["conflicts", "escalate", &id, "--reason", "which one?", "--by", "ann"]);
    assert_eq!(told, "Conflict escalated: a person is asked to decide\n");
    let asked = watch.line("that a person is asked", |line| line.contains("is asked"));
    assert_eq!(asked, format!("{id}  a.txt  ann against bob  a person is asked by ann: which one?"));
    // Who begins to watch now sees it, too.
    let mut late = server.spawn(&["conflicts", "--watch"]);
    late.line("what is open", |line| line.starts_with(&format!("{id} open")));
    late.line("that a person is asked", |line| line == "  a person is asked by ann: which one?");
    let shown = server.text(&["conflicts", "show", &id]);
    assert!(shown.starts_with(&format!("{id} escalated  medium")), "{shown}");
    let list = server.json(&["conflicts", "--status", "escalated"])["conflicts"].clone();
    assert_eq!(list[0]["escalation"]["reason"], "which one?");
    let answer = server.json(&["conflicts", "escalate", &id, "--reason", "which one?", "--by", "ann"]);
    assert_eq!(answer["conflict_id"], json!(id));
    server.text(&["conflicts", "resolve", &id]);
    assert_eq!(server.run(&["conflicts", "escalate", &id, "--reason", "late"]).status.code(), Some(5));
}

#[test]
fn a_conflict_is_settled_and_its_result_pulled() {
    let (server, [ann, bob]) = world(["ann", "bob"]);
    let collide = |mine: &str, yours: &str| {
        std::fs::write(ann.join("a.txt"), format!("one\n{mine}\nthree\n")).unwrap();
        std::fs::write(bob.join("a.txt"), format!("one\n{yours}\nthree\n")).unwrap();
        // What changes within a second is told when it has lasted for one.
        let began = std::time::Instant::now();
        loop {
            server.text(&["command", "*sync:force"]);
            let open = server.json(&["conflicts", "--status", "pending"])["conflicts"].clone();
            if let Some(id) = open[0]["conflict_id"].as_str() {
                return id.to_owned();
            }
            assert!(began.elapsed().as_secs() < 20, "nothing is found");
        }
    };
    let id = collide("TWO", "2");
    let code = |arguments: &[&str]| server.run(arguments).status.code();
    assert_eq!(server.text(&["pull", "ann"]), "nothing to pull\n");
    assert_eq!(code(&["conflicts", "resolve", &id, "--apply", "--strategy", "auto"]), Some(5));
    assert_eq!(code(&["conflicts", "resolve", &id, "--apply", "--strategy", "nothing"]), Some(2));
    assert_eq!(code(&["conflicts", "resolve", &id, "--apply", "--content", "no/such/file"]), Some(2));
    let told = server.text(&["conflicts", "resolve", &id, "--apply", "--take", "bob", "--by", "me"]);
    assert_eq!(told.lines().nth(1), Some("a.txt (12 bytes); take it with 'agent-client pull AGENT'"));
    assert_eq!(server.text(&["pull", "ann", "--dry-run"]), format!("{id}  a.txt  would be pulled\n"));
    let pulled = server.text(&["pull", "ann"]);
    let lines: Vec<&str> = pulled.lines().collect();
    assert_eq!(lines[0], format!("{id}  a.txt  pulled"));
    assert!(lines[1].starts_with("  what stood there is kept as refs/backup/"), "{pulled}");
    assert!(lines[2].starts_with("  to get it back: git fetch '"), "{pulled}");
    assert_eq!(std::fs::read_to_string(ann.join("a.txt")).unwrap(), "one\n2\nthree\n");
    let shown = server.text(&["conflicts", "show", &id]);
    assert!(shown.ends_with("settled with take by me: a.txt (12 bytes); pulled by ann\n"), "{shown}");
    assert_eq!(server.json(&["pull", "bob", &id])["results"][0]["state"], "unchanged");

    let merged = server.project().join("merged");
    std::fs::write(&merged, "one\n\u{e4}\nthree\n").unwrap();
    let id = collide("II", "zwei");
    server.text(&["conflicts", "resolve", &id, "--apply", "--content", merged.to_str().unwrap()]);
    std::fs::write(ann.join("a.txt"), "one\nIII\nthree\n").unwrap();
    let left = server.run(&["pull", "ann"]);
    assert_eq!(left.status.code(), Some(5));
    let told = String::from_utf8(left.stdout).unwrap();
    assert_eq!(
        told,
        format!("{id}  a.txt  conflict: the same lines were changed since\n  at line 2 of the file (1 line)\n")
    );
    assert_eq!(std::fs::read_to_string(ann.join("a.txt")).unwrap(), "one\nIII\nthree\n");
    assert_eq!((code(&["pull", "ghost"]), code(&["pull", "ann", "c999"])), (Some(3), Some(3)));
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

#[test]
fn what_is_overwritten_in_a_shared_folder_is_shown_with_the_way_back() {
    let server = Server::start();
    let file = server.project().join("a.txt");
    std::fs::write(&file, "one\ntwo\nthree\nfour\nfive\n").unwrap();
    git(server.project(), &["add", "-A"]);
    git(server.project(), &["commit", "--quiet", "-m", "base"]);
    let folder = server.project().to_str().unwrap();
    for agent in ["ann", "bob"] {
        server.text(&["register", agent, "--workspace", folder]);
    }
    server.text(&["command", "*sync:force"]);
    let listed = server.text(&["workspace", "list"]);
    assert!(listed.contains("followed, shared with bob") && listed.contains("followed, shared with ann"), "{listed}");
    let save = |agent: &str, text: &str| {
        let lease = server.json(&["lease", "acquire", agent, "a.txt"]);
        std::fs::write(&file, text).unwrap();
        server.text(&["command", "*sync:force"]);
        let id = lease["lease"]["lease_id"].as_str().unwrap();
        server.text(&["lease", "release", "--token", &lease["lease"]["token"].to_string(), id]);
    };
    let anns = "one\nann's\nthree\nfour\nfive\n";
    save("ann", anns);
    let mut watch = server.spawn(&["conflicts", "--watch"]);
    watch.line("that it watches", |line| line.starts_with("watching for conflicts"));
    save("bob", "one\ntwo\nthree\nfour\nbob's\n");
    let head = " found  critical  lost_update  a.txt  ann against bob";
    let id = watch.line("the conflict", |line| line.contains(head));
    watch.line("whose it is", |line| line == "  work of ann was overwritten by bob");
    let way = watch.line("the way back", |line| line.starts_with("  agent-client restore"));
    watch.line("the lines", |line| line == "  ann        2  ann's" || line == "  ann       2  ann's");
    let shown = server.text(&["conflicts", "show", id.split_whitespace().next().unwrap()]);
    assert!(shown.contains(&way), "{shown}");
    let words: Vec<String> = way.split_whitespace().skip(1).map(|word| word.trim_matches('\'').to_owned()).collect();
    server.text(&words.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), anns);
    watch.line("its end", |line| line.contains("resolved: withdrawn"));
}

#[test]
fn what_breaks_others_code_is_shown_with_the_lines_of_both() {
    let (server, [ann, bob]) = world(["ann", "bob"]);
    std::fs::write(ann.join("shop.py"), "def price(item):\n    return item\n").unwrap();
    git(&ann, &["add", "-A"]);
    git(&ann, &["commit", "--quiet", "-m", "shop"]);
    git(server.project(), &["merge", "--quiet", "--ff-only", "agent/ann"]);
    git(&bob, &["merge", "--quiet", "--ff-only", "agent/ann"]);
    server.text(&["command", "*sync:force"]);
    let mut watch = server.spawn(&["conflicts", "--watch"]);
    watch.line("that it watches", |line| line.starts_with("watching for conflicts"));
    std::fs::write(ann.join("shop.py"), "def price(item, tax):\n    return item\n").unwrap();
    std::fs::write(bob.join("cart.py"), "from shop import price\n\nprint(price(1))\n").unwrap();
    let head = watch.line("the conflict", |line| line.contains(" found  high  semantic  cart.py  ann against bob"));
    watch.line("the use", |line| line == "              3  print(price(1))");
    let expected = [
        "  in shop.py::price",
        "  ann changed price in shop.py: parameter 'tax' added",
        "  before      1  def price(item):",
        "  after       1  def price(item, tax):",
        "  bob uses it in cart.py (call)",
        "              3  print(price(1))",
    ];
    let from = watch.seen().iter().position(|line| *line == head).unwrap();
    assert_eq!(watch.seen()[from + 1..], expected);
    let id = head.split_whitespace().next().unwrap();
    assert_eq!(server.text(&["conflicts", "show", id]).lines().skip(1).collect::<Vec<_>>(), expected);

    let shown = server.text(&["impact", "--symbol", "shop.py::price"]);
    let rows: Vec<Vec<&str>> =
        shown.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).map(str::trim).collect()).collect();
    let change = "parameter 'tax' added";
    assert_eq!(
        rows[1],
        ["conflict", "ann", "shop.py::price", change, "bob", "cart.py:3", "print(price(1))"],
        "{shown}"
    );
    assert!(
        rows.iter().any(|row| *row == ["shop.py::price", "bob", "cart.py:3", "definite", "print(price(1))"]),
        "{shown}"
    );
    let machine = server.json(&["impact", "--agent", "bob"]);
    assert_eq!(machine["impacts"][0]["affected"]["line"], 3);
    assert_eq!(server.run(&["impact", "--agent", "ghost"]).status.code(), Some(3));
    assert_eq!(server.run(&["impact", "--path", "../x"]).status.code(), Some(2));
}

#[test]
fn the_union_of_all_work_is_shown_with_who_is_left_out_and_who_breaks_it() {
    let (server, [ann, bob, cleo]) = world(["ann", "bob", "cleo"]);
    let rows = |text: String| -> Vec<Vec<String>> {
        let cells =
            |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect();
        text.lines().map(cells).collect()
    };
    let block: String = (0..8).map(|line| format!("block {line}\n")).collect();
    let base = format!("{block}between\nm1\nm2\nm3\nend\nand more\n");
    std::fs::write(ann.join("long.txt"), &base).unwrap();
    git(&ann, &["add", "-A"]);
    git(&ann, &["commit", "--quiet", "-m", "long"]);
    for folder in [server.project(), &bob, &cleo] {
        git(folder, &["merge", "--quiet", "--ff-only", "agent/ann"]);
    }
    std::fs::write(ann.join("long.txt"), base.replace(&block, "")).unwrap();
    std::fs::write(bob.join("long.txt"), base.replace("end\n", &format!("end\n{block}"))).unwrap();
    std::fs::write(cleo.join("long.txt"), base.replace("m2", "M2")).unwrap();
    server.text(&["command", "*sync:force"]);
    let shown = rows(server.text(&["union"]));
    assert!(shown.iter().any(|row| *row == ["agents", "ann, bob, cleo"]), "{shown:?}");
    assert!(shown.iter().any(|row| *row == ["long.txt", "ann, bob", "-"]), "{shown:?}");
    let union = server.json(&["union"]);
    let id = union["breaks"][0]["conflict_id"].as_str().unwrap();
    assert!(shown.iter().any(|row| *row == ["cleo", "long.txt", "ann, bob", "collides", id]), "{shown:?}");
    let record = server.text(&["conflicts", "show", id]);
    assert!(record.contains("  what cleo changed collides with the union of ann, bob\n"), "{record}");
    assert!(record.contains("the others      - "), "{record}");

    std::fs::write(ann.join("a.txt"), "one\n2\nthree\n").unwrap();
    std::fs::write(cleo.join("a.txt"), "one\nTWO\nthree\n").unwrap();
    server.text(&["command", "*sync:force"]);
    let shown = rows(server.text(&["union"]));
    let left_out = |row: &Vec<String>| row.starts_with(&["ann", "a.txt", "cleo"].map(str::to_owned)) && row.len() == 4;
    assert!(shown.iter().any(left_out), "{shown:?}");
    let told = String::from_utf8(server.run(&["union"]).stderr).unwrap();
    assert!(told.contains("only the work of bob is in it; that of ann, cleo is left out: it collides\n"), "{told}");
    assert_eq!(server.json(&["union"])["agents"], json!(["bob"]));
    assert_eq!(server.run(&["union", "--limit", "x"]).status.code(), Some(2));
}
