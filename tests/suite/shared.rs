//! Several agents in one folder: whose a change is, and what one writes over of another's.

use orchestrator_tests::{TestServer, commit, git, git_text};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

/// A project with a commit, and agents that share a worktree beside it.
async fn world(agents: &[&str]) -> (TestServer, PathBuf) {
    let server = TestServer::start().await;
    for name in ["a.txt", "b.txt", "c.txt"] {
        server.write(name, TEXT);
    }
    commit(&server.project(), "base");
    let folder = worktree(&server, "both");
    for agent in agents {
        follow(&server, agent, &folder).await;
    }
    (server, folder)
}

fn worktree(server: &TestServer, name: &str) -> PathBuf {
    let folder = server.project().with_file_name(name);
    git(&server.project(), &["worktree", "add", "--quiet", "-b", name, folder.to_str().unwrap()]);
    folder
}

async fn follow(server: &TestServer, agent: &str, folder: &Path) {
    server.follow(agent, folder).await;
    server.force().await;
}

async fn report(server: &TestServer, agent: &str, path: &str) {
    let mut socket = server.socket(&format!("/agent/{agent}")).await;
    socket.send(json!({"type": "code_change", "file_path": path})).await;
    socket.next_of("code_change_ack").await;
}

/// Writes, and says so; returns when the server has taken in both.
async fn save(server: &TestServer, folder: &Path, agent: &str, path: &str, content: impl AsRef<[u8]>) {
    std::fs::write(folder.join(path), content).unwrap();
    report(server, agent, path).await;
    server.force().await;
}

/// Who changed the file, as far as the server saw it on disk, oldest first.
async fn authors(server: &TestServer, path: &str) -> Vec<Value> {
    server.force().await;
    let changes = server.get("/sync/changes").await.body["changes"].as_array().unwrap().clone();
    let seen = changes.iter().filter(|one| one["file_path"] == path && !one["file_hash"].is_null());
    seen.map(|one| one["agent_id"].clone()).collect()
}

async fn open(server: &TestServer) -> Vec<Value> {
    server.force().await;
    server.get("/conflicts?status=pending").await.body["conflicts"].as_array().unwrap().clone()
}

/// The only open conflict, whole.
async fn only(server: &TestServer) -> Value {
    let all = open(server).await;
    assert_eq!(all.len(), 1, "{all:#?}");
    server.get(&format!("/conflicts/{}", all[0]["conflict_id"].as_str().unwrap())).await.body["conflict"].clone()
}

async fn lease(server: &TestServer, agent: &str, path: &str) -> Value {
    let body = json!({"agent_id": agent, "resource": {"kind": "path", "value": path}, "mode": "exclusive"});
    let answer = server.post("/leases", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn with(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(TEXT.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[tokio::test]
async fn a_change_is_told_once_and_is_whose_a_report_or_a_lease_says() {
    let (server, folder) = world(&["ann", "bob"]).await;
    save(&server, &folder, "bob", "a.txt", with(&[("one", "ONE")])).await;
    assert_eq!(authors(&server, "a.txt").await, ["bob"]);
    lease(&server, "ann", "b.txt").await;
    std::fs::write(folder.join("b.txt"), with(&[("two", "TWO")])).unwrap();
    assert_eq!(authors(&server, "b.txt").await, ["ann"]);
    std::fs::write(folder.join("c.txt"), with(&[("two", "TWO")])).unwrap();
    assert_eq!(authors(&server, "c.txt").await, [Value::Null], "nobody can be named");
    assert_eq!(open(&server).await, Vec::<Value>::new());
    let shown = server.get("/workspaces").await.body["workspaces"].clone();
    let shown: Vec<Value> =
        shown.as_array().unwrap().iter().map(|w| json!([w["agent_id"], w["shared_with"]])).collect();
    assert_eq!(shown, [json!(["ann", ["bob"]]), json!(["bob", ["ann"]])]);
}

#[tokio::test]
async fn a_report_may_come_after_the_change() {
    let (server, folder) = world(&["ann", "bob"]).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's")])).await;
    std::fs::write(folder.join("a.txt"), with(&[("seven", "bob's")])).unwrap();
    server.force().await;
    assert_eq!(open(&server).await, Vec::<Value>::new(), "it may be ann's own");
    report(&server, "bob", "a.txt").await;
    let conflict = only(&server).await;
    assert_eq!((&conflict["conflict_type"], &conflict["affected_agent"]), (&json!("lost_update"), &json!("ann")));
}

#[tokio::test]
async fn edits_one_after_the_other_that_both_stand_are_no_lost_update() {
    let (server, folder) = world(&["ann", "bob"]).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's")])).await;
    save(&server, &folder, "bob", "a.txt", with(&[("two", "ann's"), ("seven", "bob's")])).await;
    save(&server, &folder, "bob", "a.txt", with(&[("two", "ann's, and bob's"), ("seven", "bob's")])).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's, and bob's"), ("seven", "bob's"), ("one", "1")]))
        .await;
    assert_eq!(open(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_stale_copy_over_anothers_work_is_a_conflict_and_the_work_comes_back() {
    let (server, folder) = world(&["ann", "bob"]).await;
    let mut socket = server.socket("/agent/ann").await;
    let anns = with(&[("two", "ann's two")]);
    save(&server, &folder, "ann", "a.txt", &anns).await;
    save(&server, &folder, "bob", "a.txt", with(&[("seven", "bob's")])).await;
    let push = socket.next_of("conflict_detected").await;
    let part = |text: &str| json!({"start_line": 2, "line_count": 1, "text": text});
    let regions = json!([{"base": part("two\n"), "sides": [part("ann's two\n"), part("two\n")]}]);
    assert_eq!(push["regions"], regions);
    let conflict = only(&server).await;
    assert_eq!((&conflict["regions"], &conflict["conflicting_agents"]), (&regions, &json!(["ann", "bob"])));
    assert_eq!((&conflict["severity"], &conflict["file_path"]), (&json!("critical"), &json!("a.txt")));
    let snapshot = conflict["snapshot_id"].as_str().unwrap().to_owned();
    let list = |body: Value| {
        body["snapshots"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| json!([one["snapshot_id"], one["kind"], one["reason"]]))
            .collect::<Vec<_>>()
    };
    let kept = list(server.get("/agents/ann/snapshots").await.body);
    assert!(kept.contains(&json!([snapshot, "backup", "overwritten"])), "{kept:?}");

    socket.close().await;
    let server = server.restart().await;
    server.force().await;
    assert_eq!(only(&server).await["conflict_id"], conflict["conflict_id"], "it outlives a restart");
    let body = json!({"snapshot": snapshot, "paths": ["a.txt"]});
    let answer = server.post("/agents/ann/restore", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(std::fs::read_to_string(folder.join("a.txt")).unwrap(), anns, "byte for byte");
    assert_eq!(open(&server).await, Vec::<Value>::new(), "the work is back");
    let whole = server.get(&format!("/conflicts/{}", conflict["conflict_id"].as_str().unwrap())).await.body;
    assert_eq!(whole["conflict"]["resolution_strategy"], "withdrawn");
}

#[tokio::test]
async fn an_old_copy_takes_back_the_work_of_all_who_came_after_it() {
    let (server, folder) = world(&["ann", "bob", "cid"]).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's")])).await;
    let both = with(&[("two", "ann's"), ("four", "bob's")]);
    save(&server, &folder, "bob", "a.txt", &both).await;
    save(&server, &folder, "cid", "a.txt", with(&[("seven", "cid's")])).await;
    let all = open(&server).await;
    let who: Vec<Value> = all.iter().map(|one| json!([one["affected_agent"], one["conflicting_agents"]])).collect();
    assert_eq!(who, [json!(["ann", ["ann", "cid"]]), json!(["bob", ["bob", "cid"]])]);
    // Both backups hold the file as it was right before.
    let body = json!({"snapshot": all[0]["snapshot_id"], "paths": ["a.txt"]});
    assert_eq!(server.post("/agents/bob/restore", body).await.status, 200);
    assert_eq!(std::fs::read_to_string(folder.join("a.txt")).unwrap(), both);
    assert_eq!(open(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn merged_by_hand_it_is_withdrawn_and_it_stays_when_who_wrote_it_leaves() {
    let (server, folder) = world(&["ann", "bob"]).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's two")])).await;
    save(&server, &folder, "bob", "a.txt", with(&[("seven", "bob's")])).await;
    let id = only(&server).await["conflict_id"].clone();
    assert_eq!(server.delete("/agents/bob").await.status, 200);
    assert_eq!(only(&server).await["conflict_id"], id, "what is gone is gone");
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's two"), ("seven", "bob's")])).await;
    assert_eq!(open(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn deleting_a_file_that_another_just_edited_and_replacing_a_binary_are_lost_updates() {
    let (server, folder) = world(&["ann", "bob"]).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's two")])).await;
    std::fs::remove_file(folder.join("a.txt")).unwrap();
    report(&server, "bob", "a.txt").await;
    let conflict = only(&server).await;
    assert_eq!(
        (&conflict["conflict_type"], &conflict["regions"][0]["sides"][0]["text"]),
        (&json!("lost_update"), &json!("ann's two\n"))
    );
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's two")])).await;
    assert_eq!(open(&server).await, Vec::<Value>::new());

    save(&server, &folder, "ann", "image.bin", b"\0ann").await;
    save(&server, &folder, "bob", "image.bin", b"\0bob").await;
    let conflict = only(&server).await;
    assert_eq!((&conflict["file_path"], &conflict["affected_agent"]), (&json!("image.bin"), &json!("ann")));
    let body = json!({"snapshot": conflict["snapshot_id"], "paths": ["image.bin"]});
    assert_eq!(server.post("/agents/ann/restore", body).await.status, 200);
    assert_eq!(std::fs::read(folder.join("image.bin")).unwrap(), b"\0ann");
    assert_eq!(open(&server).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_third_agent_elsewhere_collides_with_the_one_of_them_whose_work_it_is() {
    let (server, folder) = world(&["ann", "bob"]).await;
    let own = worktree(&server, "cid");
    follow(&server, "cid", &own).await;
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's")])).await;
    save(&server, &folder, "bob", "b.txt", with(&[("two", "bob's")])).await;
    std::fs::write(own.join("b.txt"), with(&[("two", "cid's")])).unwrap();
    assert_eq!(only(&server).await["conflicting_agents"], json!(["bob", "cid"]));
    std::fs::write(own.join("b.txt"), TEXT).unwrap();
    std::fs::write(own.join("a.txt"), with(&[("two", "cid's")])).unwrap();
    server
        .eventually("only ann's is left", async || {
            let all = open(&server).await;
            all.len() == 1 && all[0]["conflicting_agents"] == json!(["ann", "cid"])
        })
        .await;
}

#[tokio::test]
async fn agents_come_and_go_and_no_change_is_lost() {
    let (server, folder) = world(&["ann"]).await;
    std::fs::write(folder.join("a.txt"), with(&[("two", "ann's")])).unwrap();
    assert_eq!(authors(&server, "a.txt").await, ["ann"], "alone, all is its own");
    std::fs::write(folder.join("b.txt"), with(&[("two", "ann's")])).unwrap();
    follow(&server, "bob", &folder).await;
    let own = worktree(&server, "cid");
    follow(&server, "cid", &own).await;
    save(&server, &folder, "bob", "c.txt", with(&[("two", "bob's")])).await;
    assert_eq!(authors(&server, "b.txt").await.len(), 1);
    // The first one leaves: the other goes on alone, with all that is there.
    assert_eq!(server.delete("/agents/ann").await.status, 200);
    std::fs::write(folder.join("new.txt"), "bob's\n").unwrap();
    assert_eq!(authors(&server, "new.txt").await, ["bob"]);
    std::fs::write(own.join("a.txt"), with(&[("two", "cid's")])).unwrap();
    assert_eq!(only(&server).await["conflicting_agents"], json!(["bob", "cid"]));
    let left = async || server.get("/agents/ann/snapshots").await.body["snapshots"].clone();
    let is_left = async || left().await.as_array().is_some_and(|all| all.iter().any(|one| one["reason"] == "left"));
    server.eventually("what ann left is kept", is_left).await;
    let kept = server.orchestrator.keep_snapshot(&"bob".parse().unwrap()).await.unwrap();
    assert!(kept.is_some());
    assert!(server.get("/workspaces").await.body["workspaces"][0]["shared_with"].is_null());
}

#[tokio::test]
async fn the_projects_own_folder_can_be_shared_while_it_is_watched() {
    let server = TestServer::start().await;
    server.write("a.txt", TEXT);
    commit(&server.project(), "base");
    assert_eq!(server.post("/sync/start", json!({})).await.status, 200);
    let folder = server.project();
    for agent in ["ann", "bob"] {
        follow(&server, agent, &folder).await;
    }
    save(&server, &folder, "ann", "a.txt", with(&[("two", "ann's two")])).await;
    assert_eq!(authors(&server, "a.txt").await, ["ann"], "told once");
    save(&server, &folder, "bob", "a.txt", with(&[("seven", "bob's")])).await;
    assert_eq!(authors(&server, "a.txt").await, ["ann", "bob"]);
    assert_eq!(only(&server).await["conflict_type"], "lost_update");
}

#[tokio::test]
async fn what_anyone_in_the_folder_is_writing_is_not_written_over() {
    let (server, folder) = world(&["ann", "bob"]).await;
    let head = git_text(&folder, &[], &["rev-parse", "HEAD"]);
    let cat = worktree(&server, "cat");
    follow(&server, "cat", &cat).await;
    save(&server, &folder, "bob", "a.txt", with(&[("two", "bob's")])).await;
    std::fs::write(cat.join("a.txt"), with(&[("two", "cat's")])).unwrap();
    let all = open(&server).await;
    assert_eq!((all.len(), &all[0]["conflicting_agents"]), (1, &json!(["bob", "cat"])), "{all:?}");
    let id = all[0]["conflict_id"].as_str().unwrap();
    let settle = json!({"resolution_strategy": "take", "agent": "cat", "apply": true});
    assert_eq!(server.post(&format!("/conflicts/{id}/resolve"), settle).await.status, 200);

    let mut writer = std::fs::OpenOptions::new().append(true).open(folder.join("a.txt")).unwrap();
    let mut half = async || {
        std::io::Write::write_all(&mut writer, b"x").unwrap();
        let before = std::fs::read(folder.join("a.txt")).unwrap();
        let told = server.post("/command", json!({"command": "*sync:force"})).await.body;
        assert_eq!(told["result"]["unsettled"], json!(["ann: a.txt"]), "{told}");
        before
    };
    let before = half().await;
    let pulled = server.post("/agents/bob/pull", json!({})).await.body;
    assert_eq!(pulled["results"][0]["state"], "busy", "{pulled}");
    assert_eq!(std::fs::read(folder.join("a.txt")).unwrap(), before);
    for agent in ["ann", "bob"] {
        for dry_run in [true, false] {
            let before = half().await;
            let wanted = json!({"snapshot": head, "dry_run": dry_run});
            let answer = server.post(&format!("/agents/{agent}/restore"), wanted).await;
            assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "{agent}: {}", answer.body);
            assert_eq!(answer.body["detail"], "'a.txt' is being written at the moment");
            assert_eq!(std::fs::read(folder.join("a.txt")).unwrap(), before);
        }
    }
    half().await;
    let elsewhere = json!({"snapshot": head, "paths": ["b.txt"]});
    assert_eq!(server.post("/agents/bob/restore", elsewhere).await.status, 200);
    drop(writer);
    let answer = server.post("/agents/bob/restore", json!({"snapshot": head})).await;
    assert_eq!((answer.status, &answer.body["written"]), (200, &json!(["a.txt"])), "{}", answer.body);
}
