//! What one agent's change of a definition breaks in another's new code: real worktrees, real edits.

use orchestrator_tests::{TestServer, commit, git, write};
use serde_json::{Value, json};
use std::path::PathBuf;

const SHOP: &str = "def price(item):\n    return item.cost\n\n\ndef label(item):\n    return str(item.name)\n\n\nclass Shelf:\n    def price(self, a, b):\n        return a + b\n";
const OLD: &str = "from shop import price\n\n\ndef old(item):\n    return price(item)\n";
const NEW: &str = "from shop import price\n\n\ndef total(items):\n    return sum(price(item) for item in items)\n";

/// A repository in three languages, and a worktree for each agent.
async fn world(agents: &[&str]) -> (TestServer, Vec<PathBuf>) {
    let server = TestServer::start().await;
    for (name, text) in [
        ("shop.py", SHOP),
        ("old.py", OLD),
        ("src/lib.rs", "pub mod rates;\npub mod bill;\n"),
        ("src/rates.rs", "pub fn rate(year: u32) -> f64 {\n    f64::from(year)\n}\n"),
        ("src/bill.rs", "pub fn nothing() {}\n"),
        ("web/api.ts", "export function load(id: string): string {\n  return id;\n}\n"),
        ("Cargo.toml", "[package]\nname = \"books\"\n"),
    ] {
        server.write(name, text);
    }
    commit(&server.project(), "base");
    let mut folders = Vec::new();
    for agent in agents {
        let folder = server.project().parent().unwrap().join(agent);
        git(&server.project(), &["worktree", "add", "--quiet", "-b", agent, folder.to_str().unwrap()]);
        let answer = server.post("/agents/register", json!({"agent_id": agent, "workspace": folder})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        folders.push(folder);
    }
    server.force().await;
    indexed(&server).await;
    (server, folders)
}

/// Waits until all of the target branch is read.
async fn indexed(server: &TestServer) {
    let is_indexed = async || server.get("/sync/impact").await.body["indexing"] == false;
    server.eventually("the target branch is read", is_indexed).await;
}

/// The open semantic conflicts: what was changed, who is told, the severity.
async fn open(server: &TestServer) -> Vec<Value> {
    server.force().await;
    let list = server.get("/conflicts?status=pending").await.body["conflicts"].as_array().unwrap().clone();
    let mut all: Vec<Value> = list
        .iter()
        .filter(|one| one["conflict_type"] == "semantic")
        .map(|one| json!([one["entities"][0], one["affected_agent"], one["severity"]]))
        .collect();
    all.sort_by_key(Value::to_string);
    all
}

/// Waits until exactly these semantic conflicts are open: what is gone is withdrawn after a second.
async fn eventually_open(server: &TestServer, expected: &[Value]) {
    server.eventually(&format!("open: {expected:?}"), async || open(server).await == expected).await;
}

fn taxed() -> String {
    SHOP.replace("def price(item):", "def price(item, tax):")
}

fn told() -> Value {
    json!(["shop.py::price", "bob", "high"])
}

#[tokio::test]
async fn a_changed_signature_that_new_code_calls_is_told_to_the_caller_with_both_hunks() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let mut socket = server.socket("/agent/bob").await;
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    let push = socket.next_of("conflict_detected").await;
    assert_eq!(
        (&push["conflict_type"], &push["severity"], &push["file_path"], &push["affected_agent"]),
        (&json!("semantic"), &json!("high"), &json!("cart.py"), &json!("bob"))
    );
    assert_eq!(push["conflicting_agents"], json!(["ann", "bob"]));
    assert_eq!(push["entities"], json!(["shop.py::price", "cart.py::total"]));
    let line = |start: usize, text: &str| json!({"start_line": start, "line_count": 1, "text": text});
    assert_eq!(
        push["impact"],
        json!({
            "definition": {
                "path": "shop.py", "entity": "price", "changed_by": "ann", "change": "parameter 'tax' added",
                "before": line(1, "def price(item):\n"), "after": line(1, "def price(item, tax):\n"),
            },
            "uses": [{
                "path": "cart.py", "line": 5, "entity": "total", "name": "price", "kind": "call",
                "text": line(5, "    return sum(price(item) for item in items)\n"),
            }],
        })
    );
    let id = push["conflict_id"].as_str().unwrap();
    let shown = server.get(&format!("/conflicts/{id}")).await.body;
    assert_eq!(shown["conflict"]["impact"], push["impact"]);
    assert_eq!(open(&server).await, [told()], "one record, and none for those who call nothing");
}

#[tokio::test]
async fn it_is_found_whoever_comes_first_and_in_other_languages() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[1], "src/bill.rs", "use crate::rates::rate;\n\npub fn bill() -> f64 {\n    rate(2026)\n}\n");
    write(&folders[1], "web/page.ts", "import { load } from './api';\n\nexport const page = () => load('1');\n");
    assert_eq!(open(&server).await, Vec::<Value>::new());
    write(&folders[0], "src/rates.rs", "pub fn rate(year: u32, month: u32) -> f64 {\n    f64::from(year + month)\n}\n");
    write(&folders[0], "web/api.ts", "export function fetchOne(id: string): string {\n  return id;\n}\n");
    let expected = [json!(["src/rates.rs::rate", "bob", "high"]), json!(["web/api.ts::load", "bob", "high"])];
    assert_eq!(open(&server).await, expected);
}

#[tokio::test]
async fn what_is_removed_or_renamed_and_newly_imported_is_told() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let renamed = SHOP
        .replace("def price(item):", "def cost(item):")
        .replace("def label(item):\n    return str(item.name)\n", "");
    write(&folders[0], "shop.py", &renamed);
    write(
        &folders[1],
        "cart.py",
        "from shop import label, price\n\n\ndef show(item):\n    return label(item), price(item)\n",
    );
    let expected = [json!(["shop.py::label", "bob", "high"]), told()];
    assert_eq!(open(&server).await, expected);
}

#[tokio::test]
async fn the_same_name_elsewhere_and_half_typed_source_are_no_conflict() {
    let (server, folders) = world(&["ann", "bob"]).await;
    // The method of another class has the name of the function that changes.
    write(&folders[0], "shop.py", taxed());
    write(
        &folders[1],
        "cart.py",
        "from shop import Shelf\n\n\ndef total(shelf: Shelf):\n    return shelf.price(1, 2)\n",
    );
    write(&folders[1], "other.py", "def price(x):\n    return x\n\n\nprint(price(1))\n");
    assert_eq!(open(&server).await, Vec::<Value>::new());
    write(&folders[1], "cart.py", NEW);
    for typed in ["def pri", "def price(item, ", "def price(item, tax", "def price(item):\n    return (((\n"] {
        let broken = SHOP.replace("def price(item):\n    return item.cost\n", typed);
        write(&folders[0], "shop.py", &broken);
        server.force().await;
    }
    write(&folders[0], "shop.py", SHOP);
    eventually_open(&server, &[]).await;
    let all = server.get("/conflicts").await.body;
    assert!(all["total_conflicts"].as_u64().unwrap() <= 1, "typing is no flood: {all}");
}

#[tokio::test]
async fn it_is_withdrawn_when_the_change_is_undone_or_the_caller_follows_it() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    assert_eq!(open(&server).await, [told()]);
    write(&folders[0], "shop.py", SHOP);
    eventually_open(&server, &[]).await;
    write(&folders[0], "shop.py", taxed());
    assert_eq!(open(&server).await, [told()]);
    write(&folders[1], "cart.py", NEW.replace("price(item)", "price(item, 7)"));
    eventually_open(&server, &[]).await;
    let all = server.get("/conflicts").await.body["conflicts"].clone();
    let strategies: Vec<&Value> = all.as_array().unwrap().iter().map(|one| &one["resolution_strategy"]).collect();
    assert_eq!(strategies, ["withdrawn", "withdrawn"]);
}

#[tokio::test]
async fn a_marked_one_stays_quiet_until_it_changes() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let mut feed = server.socket("/orchestrator").await;
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    let id = feed.next_of("conflict_detected").await["conflict_id"].as_str().unwrap().to_owned();
    server.post(&format!("/conflicts/{id}/resolve"), json!({"resolution_strategy": "agreed"})).await;
    // Only its place changes, then something else.
    write(&folders[1], "cart.py", format!("# mine\n{NEW}"));
    write(&folders[1], "more.py", "x = 1\n");
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    assert_eq!(open(&server).await, Vec::<Value>::new());
    write(&folders[0], "shop.py", SHOP.replace("def price(item):", "def price(item, tax, place):"));
    eventually_open(&server, &[told()]).await;
}

#[tokio::test]
async fn a_restart_keeps_the_record_and_withdraws_what_is_gone() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    assert_eq!(open(&server).await, [told()]);
    let before = server.get("/conflicts").await.body["conflicts"].clone();
    let mut server = server.restart().await;
    server.force().await;
    indexed(&server).await;
    assert_eq!(open(&server).await, [told()]);
    assert_eq!(server.get("/conflicts").await.body["conflicts"], before, "the same record, told once");
    server.stop().await;
    write(&folders[0], "shop.py", SHOP);
    let server = server.restart().await;
    server.force().await;
    indexed(&server).await;
    eventually_open(&server, &[]).await;
    assert_eq!(server.get("/conflicts").await.body["conflicts"][0]["resolution_strategy"], "withdrawn");
}

#[tokio::test]
async fn a_change_that_lands_is_one_with_landed_work() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    assert_eq!(open(&server).await, [told()]);
    commit(&folders[0], "tax");
    git(&server.project(), &["merge", "--quiet", "--ff-only", "ann"]);
    let landed = async || {
        server.force().await;
        let list = server.get("/conflicts?status=pending").await.body["conflicts"].clone();
        list.as_array()
            .unwrap()
            .iter()
            .map(|one| json!([one["conflicting_agents"], one["affected_agent"]]))
            .collect::<Vec<_>>()
            == [json!([["bob"], "bob"])]
    };
    server.eventually("bob is told of the landed change, and no longer of ann's", landed).await;
    let list = server.get("/conflicts?status=pending").await.body["conflicts"].clone();
    assert!(list[0]["target"] == "master" || list[0]["target"] == "main", "{list}");
    write(&folders[1], "cart.py", NEW.replace("price(item)", "price(item, 7)"));
    eventually_open(&server, &[]).await;
}

#[tokio::test]
async fn an_old_use_is_shown_and_told_to_nobody() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let before = server.get("/sync/impact?symbol=shop.py::price").await.body;
    assert_eq!((&before["impacts"], before["uses"].as_array().unwrap().len()), (&json!([]), 2), "{before}");
    let used: Vec<Value> = before["uses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| json!([one["used"]["path"], one["used"]["kind"]]))
        .collect();
    assert!(used.contains(&json!(["old.py", "import"])) && used.contains(&json!(["old.py", "call"])), "{used:?}");

    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "old.py", format!("{OLD}\n\ndef more():\n    return 1\n"));
    write(&folders[1], "cart.py", NEW);
    assert_eq!(open(&server).await, [told()], "the old call is no conflict");
    let of = async |query: &str| {
        let answer = server.get(&format!("/sync/impact?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let rows = answer.body["impacts"].as_array().unwrap().iter();
        rows.map(|one| json!([one["author"], one["user"], one["affected"]["path"], one["is_new"], one["certainty"]]))
            .collect::<Vec<_>>()
    };
    let new = json!(["ann", "bob", "cart.py", true, "definite"]);
    let old = json!(["ann", "bob", "old.py", false, "definite"]);
    for (query, expected) in [
        ("", vec![new.clone(), old.clone()]),
        ("agent=bob", vec![new.clone(), old.clone()]),
        ("path=cart.py", vec![new.clone()]),
        ("path=shop.py&symbol=price", vec![new.clone(), old.clone()]),
        ("symbol=label", vec![]),
        ("limit=1", vec![new]),
    ] {
        assert_eq!(of(query).await, expected, "{query}");
    }
    write(&folders[1], "old.py", OLD);
    server.force().await;
    let project = of("path=old.py").await;
    assert_eq!(project, [json!(["ann", null, "old.py", false, "definite"])], "nobody else has it in work");
    for (query, status) in [("agent=ghost", 404), ("agent=..", 422), ("limit=x", 422), ("path=../x", 422)] {
        assert_eq!(server.get(&format!("/sync/impact?{query}")).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn colliding_lines_are_named_and_a_signature_among_them_is_severe() {
    let (server, folders) = world(&["ann", "bob"]).await;
    write(&folders[0], "shop.py", taxed().replace("str(item.name)", "repr(item.name)"));
    write(&folders[1], "shop.py", SHOP.replace("def price(item):", "def price(item, rate):"));
    server.force().await;
    let textual = async || {
        let list = server.get("/conflicts?status=pending").await.body["conflicts"].clone();
        let list = list.as_array().unwrap().clone();
        let rows = list.iter().filter(|one| one["conflict_type"] == "content");
        rows.map(|one| json!([one["file_path"], one["entities"], one["severity"]])).collect::<Vec<_>>()
    };
    assert_eq!(textual().await, [json!(["shop.py", ["shop.py::price"], "high"])]);
    write(&folders[0], "shop.py", SHOP.replace("return a + b", "return a"));
    write(&folders[1], "shop.py", SHOP.replace("return a + b", "return b"));
    let inner = [json!(["shop.py", ["shop.py::Shelf.price"], "medium"])];
    server.eventually("the other place", async || textual().await == inner).await;
}

#[tokio::test]
async fn hostile_files_do_no_harm() {
    let (server, folders) = world(&["ann", "bob"]).await;
    let deep = "(".repeat(100_000);
    for (name, bytes) in [
        ("deep.py", deep.clone().into_bytes()),
        ("deep.rs", format!("fn f() {{ {}{} }}", deep, ")".repeat(100_000)).into_bytes()),
        ("binary.py", (0..=255_u8).cycle().take(100_000).collect()),
        ("huge.ts", "export const x = 1;\n".repeat(100_000).into_bytes()),
        ("latin.py", b"def caf\xe9():\n    pass\n".to_vec()),
    ] {
        for folder in &folders {
            std::fs::write(folder.join(name), &bytes).unwrap();
        }
    }
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    assert_eq!(open(&server).await, [told()]);
    assert_eq!(server.get("/health").await.body["status"], "healthy");
}

#[tokio::test]
async fn an_agent_that_leaves_takes_its_conflicts_along() {
    let (server, folders) = world(&["ann", "bob", "cid"]).await;
    write(&folders[0], "shop.py", taxed());
    write(&folders[1], "cart.py", NEW);
    write(&folders[2], "till.py", NEW);
    assert_eq!(open(&server).await, [told(), json!(["shop.py::price", "cid", "high"])]);
    server.delete("/agents/cid").await;
    assert_eq!(open(&server).await, [told()]);
    server.delete("/agents/ann").await;
    eventually_open(&server, &[]).await;
}
