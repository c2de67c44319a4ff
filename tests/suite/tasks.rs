//! Tasks.

use orchestrator_tests::{Answer, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

async fn create(server: &TestServer, body: Value) -> String {
    let answer = server.post("/tasks", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["task"]["task_id"].as_str().unwrap().to_owned()
}

async fn claim(server: &TestServer, task: &str, agent: &str) -> Answer {
    server.post(&format!("/tasks/{task}/claim"), json!({"agent_id": agent})).await
}

fn token(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["task"]["claim"]["token"].as_u64().unwrap()
}

async fn step(server: &TestServer, task: &str, what: &str, body: Value) -> Answer {
    server.post(&format!("/tasks/{task}/{what}"), body).await
}

async fn state(server: &TestServer, task: &str) -> String {
    server.get(&format!("/tasks/{task}")).await.body["task"]["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_task_is_made_claimed_reported_and_done_and_its_history_says_so_after_a_restart() {
    let server = TestServer::start().await;
    server.register("Ann", &["rust", "sql"]).await;
    server.register("boss", &[]).await;
    let first = create(&server, json!({"title": "Ground work"})).await;
    let body = json!({
        "title": " Add a parser ", "description": "All of it.\nWith tests.", "kind": "feature", "priority": -3,
        "capabilities": ["Rust"], "paths": ["./src//parser", "src/**/*.rs"], "entities": ["./src/a.rs::Parser.next"],
        "depends_on": [first], "deadline_seconds": 3600, "created_by": "BOSS"
    });
    let task = create(&server, body).await;
    let claimed = claim(&server, &task, "ann").await;
    let held = token(&claimed);
    let shown = &claimed.body["task"];
    assert_eq!(
        (&shown["title"], &shown["description"], &shown["kind"], &shown["priority"], &shown["state"]),
        (&json!("Add a parser"), &json!("All of it.\nWith tests."), &json!("feature"), &json!(-3), &json!("claimed"))
    );
    assert_eq!(shown["paths"], json!(["src/parser", "src/**/*.rs"]));
    assert_eq!(shown["entities"], json!(["src/a.rs::Parser.next"]));
    assert_eq!((&shown["depends_on"], &shown["created_by"]), (&json!([first]), &json!("boss")));
    assert!(shown["deadline"].is_string() && shown["claim"]["agent_id"] == "Ann", "{shown}");
    for percent in [10, 60] {
        let report = json!({"token": held, "percent": percent, "note": format!("at {percent}")});
        assert_eq!(step(&server, &task, "progress", report).await.status, 200);
    }
    let text = format!(r#"{{"token":{held},"result":{{"n":1.50,"n":2}}}}"#);
    for _ in 0..2 {
        let done = server.post_text(&format!("/tasks/{task}/result"), text.clone()).await;
        assert_eq!((done.status, &done.body["task"]["state"]), (200, &json!("done")), "twice is no error: {done:?}");
    }
    let path = format!("/tasks/{task}");
    let before = server.get(&path).await.body["task"].clone();
    let server = server.restart().await;
    assert_eq!(server.get(&path).await.body["task"], before);
    let raw = server.request("GET", &path).send().await.unwrap().text().await.unwrap();
    assert!(raw.contains(r#""result":{"n":1.50,"n":2}"#), "as written: {raw}");
    let history: Vec<(&str, &str)> = before["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["by"].as_str().unwrap(), step["event"].as_str().unwrap()))
        .collect();
    assert_eq!(history, [("boss", "created"), ("Ann", "claimed"), ("Ann", "progress"), ("Ann", "done")]);
    assert_eq!((&before["history"][2]["percent"], &before["finished_by"]), (&json!(60), &json!("Ann")));
    let told = server.get("/agents/boss/inbox").await.body["messages"].clone();
    assert_eq!(told.as_array().unwrap().len(), 1, "{told}");
    let payload = &told[0]["payload"];
    assert_eq!((&told[0]["type"], &payload["event"]), (&json!("event"), &json!("task_done")));
    assert_eq!((&payload["task_ids"], &payload["agent_id"]), (&json!([task]), &json!("Ann")));
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_holds_the_task_and_tokens_grow() {
    let server = TestServer::start().await;
    let agents: Vec<String> = (0..8).map(|number| format!("agent-{number}")).collect();
    for agent in &agents {
        server.register(agent, &[]).await;
    }
    let task = create(&server, json!({"title": "t"})).await;
    let mut newest = 0;
    for _ in 0..3 {
        let answers = futures_util::future::join_all(agents.iter().map(|agent| claim(&server, &task, agent))).await;
        let (held, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!(held.len(), 1);
        let holder = held[0].body["task"]["claim"]["agent_id"].clone();
        for answer in refused {
            assert_eq!((answer.status, answer.code(), &answer.body["held_by"]), (409, "task_claimed", &holder));
            assert!(answer.body["since"].is_string());
        }
        let held = token(held[0]);
        assert!(held > newest);
        let again = claim(&server, &task, holder.as_str().unwrap()).await;
        assert_eq!(token(&again), held, "claiming what one holds changes nothing");
        newest = held;
        let given_back = step(&server, &task, "release", json!({"token": held, "reason": "next one"})).await;
        assert_eq!(
            (&given_back.body["task"]["state"], &given_back.body["task"]["reason"]),
            (&json!("open"), &json!("next one"))
        );
        assert_eq!(step(&server, &task, "release", json!({"token": held})).await.status, 200, "twice is no error");
    }
}

#[tokio::test]
async fn a_silent_agent_loses_its_task_and_is_fenced_off_when_it_is_back() {
    let configure = |options: &mut orchestrator::Options| {
        options.silence = Duration::from_millis(600);
        options.offline_term = Duration::from_millis(600);
    };
    let server = TestServer::start_with(configure, &[]).await;
    server.register("ann", &[]).await;
    server.register("bob", &[]).await;
    let mut socket = server.socket("/orchestrator").await;
    let task = create(&server, json!({"title": "t", "assigned_to": "ann"})).await;
    let old = token(&claim(&server, &task, "ann").await);
    let back = loop {
        let told = socket.next_of("task_update").await;
        if told["event"] == "given_back" {
            break told;
        }
    };
    assert_eq!((&back["agent_id"], &back["token"], &back["state"]), (&json!("ann"), &json!(old), &json!("open")));
    assert!(back["reason"].as_str().unwrap().contains("offline"), "{back}");
    let new = token(&claim(&server, &task, "bob").await);
    assert!(new > old);
    for (what, body) in [
        ("progress", json!({"token": old, "percent": 90})),
        ("result", json!({"token": old, "result": "mine"})),
        ("release", json!({"token": old})),
        ("progress", json!({"token": new, "agent_id": "ann"})),
    ] {
        let refused = step(&server, &task, what, body).await;
        assert_eq!((refused.status, refused.code()), (409, "stale_token"), "{what}: {}", refused.body);
        assert_eq!(refused.body["held_by"], "bob", "{what}");
    }
    let inbox = server.get("/agents/ann/inbox").await.body["messages"].clone();
    let told: Vec<&Value> = inbox.as_array().unwrap().iter().map(|message| &message["payload"]["event"]).collect();
    assert_eq!(told, [&json!(null), &json!("task_taken")], "it was handed over, and taken: {inbox}");
    assert_eq!(step(&server, &task, "result", json!({"token": new})).await.body["task"]["finished_by"], "bob");
    let late = step(&server, &task, "result", json!({"token": old})).await;
    assert_eq!((late.status, late.code()), (409, "task_over"));
    assert!(late.body["detail"].as_str().unwrap().contains("done by 'bob'"), "{}", late.body);
}

#[tokio::test]
async fn an_agent_that_is_back_in_time_keeps_its_task() {
    let configure = |options: &mut orchestrator::Options| {
        options.silence = Duration::from_millis(300);
        options.offline_term = Duration::from_millis(1_500);
    };
    let server = TestServer::start_with(configure, &[]).await;
    server.register("ann", &[]).await;
    let mut socket = server.socket("/orchestrator").await;
    let task = create(&server, json!({"title": "t"})).await;
    let held = token(&claim(&server, &task, "ann").await);
    assert_eq!(socket.next_of("agent_status_update").await["status"], "offline");
    // Signs of life until well after the term.
    for _ in 0..20 {
        assert_eq!(step(&server, &task, "progress", json!({"token": held})).await.status, 200);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(step(&server, &task, "result", json!({"token": held})).await.status, 200);
}

#[tokio::test]
async fn who_leaves_or_says_it_is_offline_holds_nothing() {
    let configure = |options: &mut orchestrator::Options| options.offline_term = Duration::from_millis(100);
    let server = TestServer::start_with(configure, &[]).await;
    for agent in ["ann", "bob"] {
        server.register(agent, &[]).await;
    }
    let (one, named) = (
        create(&server, json!({"title": "t"})).await,
        create(&server, json!({"title": "t", "assigned_to": "ann"})).await,
    );
    claim(&server, &one, "ann").await;
    server.delete("/agents/ann").await;
    let shown = server.get(&format!("/tasks/{one}")).await.body["task"].clone();
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("open"), &json!("its holder unregistered")));
    assert_eq!(claim(&server, &named, "ann").await.code(), "unknown_agent");
    let held = token(&claim(&server, &named, "bob").await);
    server.post("/agents/bob/status", json!({"status": "offline"})).await;
    server.eventually("it is open", async || state(&server, &named).await == "open").await;
    assert_eq!(step(&server, &named, "progress", json!({"token": held})).await.code(), "stale_token");
    assert_eq!(claim(&server, &one, "bob").await.code(), "agent_offline");
    server.post("/agents/bob/status", json!({"status": "active"})).await;
    token(&claim(&server, &one, "bob").await);
}

#[tokio::test]
async fn a_deadline_ends_a_task_and_its_holder_and_its_asker_are_told() {
    let server = TestServer::start().await;
    for agent in ["ann", "boss"] {
        server.register(agent, &[]).await;
    }
    let task = create(&server, json!({"title": "t", "deadline_seconds": 1, "created_by": "boss"})).await;
    let other = create(&server, json!({"title": "no hurry"})).await;
    let held = token(&claim(&server, &task, "ann").await);
    // A restart grants the full term.
    let server = server.restart().await;
    assert_eq!(state(&server, &task).await, "claimed");
    server.eventually("it expires", async || state(&server, &task).await == "expired").await;
    assert_eq!(state(&server, &other).await, "open");
    let refused = step(&server, &task, "result", json!({"token": held})).await;
    assert_eq!((refused.status, refused.code()), (409, "task_over"));
    for agent in ["ann", "boss"] {
        let inbox = server.get(&format!("/agents/{agent}/inbox")).await.body["messages"].clone();
        assert_eq!(inbox[0]["payload"]["event"], "task_expired", "{agent}: {inbox}");
    }
}

#[tokio::test]
async fn a_task_is_handed_over_by_socket_and_inbox_once_each() {
    let server = TestServer::start().await;
    server.register("Ann", &[]).await;
    server.register("bob", &[]).await;
    let mut socket = server.socket("/agent/ann").await;
    let body = json!({"title": "t", "description": "all of it", "capabilities": ["cobol"], "assigned_to": "ANN"});
    let task = create(&server, body).await;
    let pushed = socket.next_of("agent_message").await;
    assert_eq!((&pushed["message_type"], &pushed["payload"]["task_id"]), (&json!("task"), &json!(task)));
    assert_eq!(pushed["payload"]["description"], "all of it");
    let inbox = server.get("/agents/ann/inbox").await.body["messages"].clone();
    assert_eq!((inbox.as_array().unwrap().len(), &inbox[0]["payload"]), (1, &pushed["payload"]));
    let refused = claim(&server, &task, "bob").await;
    assert_eq!((refused.status, refused.code(), &refused.body["held_by"]), (409, "task_assigned", &json!("Ann")));
    // Handed to someone else, with everything that it says.
    let answer = step(&server, &task, "assign", json!({"agent_id": "bob"})).await;
    assert_eq!(answer.body["task"]["assigned_to"], "bob");
    let inbox = server.get("/agents/bob/inbox").await.body["messages"].clone();
    assert_eq!(inbox[0]["payload"], pushed["payload"]);
    let held = token(&claim(&server, &task, "bob").await);
    assert_eq!(step(&server, &task, "assign", json!({"agent_id": "ann"})).await.code(), "task_claimed");
    // Whom nobody named must be able to do it.
    step(&server, &task, "release", json!({"token": held})).await;
    let refused = claim(&server, &task, "bob").await;
    assert_eq!((refused.status, refused.code()), (403, "missing_capability"));
    let answer = step(&server, &task, "cancel", json!({"reason": "over"})).await;
    assert_eq!((&answer.body["task"]["state"], &answer.body["task"]["reason"]), (&json!("cancelled"), &json!("over")));
    assert_eq!(step(&server, &task, "cancel", json!({})).await.status, 200, "twice is no error");
    assert_eq!(claim(&server, &task, "ann").await.code(), "task_over");
}

#[tokio::test]
async fn only_the_operator_takes_a_task_away_and_its_holder_is_told() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    let task = create(&server, json!({"title": "t"})).await;
    let held = token(&claim(&server, &task, "ann").await);
    let refused = step(&server, &task, "release", json!({"agent_id": "ann"})).await;
    assert_eq!((refused.status, refused.code()), (403, "operator_only"));
    let take = server.request("POST", &format!("/tasks/{task}/release")).json(&json!({"reason": "stuck"}));
    let taken = server.send(take.header("x-orchestrator-operator", server.secret())).await;
    assert_eq!((taken.status, &taken.body["task"]["reason"]), (200, &json!("stuck")));
    let refused = step(&server, &task, "progress", json!({"token": held})).await;
    assert!(refused.body["detail"].as_str().unwrap().contains("the operator took it away"), "{}", refused.body);
    assert_eq!(server.get("/agents/ann/inbox").await.body["messages"][0]["payload"]["event"], "task_taken");
    let history = server.get(&format!("/tasks/{task}")).await.body["task"]["history"].clone();
    assert_eq!((&history[2]["by"], &history[2]["event"]), (&json!("operator"), &json!("given_back")));
}

#[tokio::test]
async fn tasks_are_listed_by_what_is_asked_for_in_pages() {
    let server = TestServer::start().await;
    server.register("ann", &["rust"]).await;
    server.register("bob", &[]).await;
    let mut ids = Vec::new();
    for body in [
        json!({"title": "a"}),
        json!({"title": "b", "capabilities": ["Rust"]}),
        json!({"title": "c", "capabilities": ["cobol"]}),
        json!({"title": "d", "assigned_to": "bob"}),
        json!({"title": "e"}),
    ] {
        ids.push(create(&server, body).await);
    }
    claim(&server, &ids[0], "bob").await;
    step(&server, &ids[4], "cancel", json!({})).await;
    let titles = async |query: &str| {
        let list = server.get(&format!("/tasks{query}")).await;
        assert_eq!(list.status, 200, "{query}: {}", list.body);
        let titles: Vec<&str> =
            list.body["tasks"].as_array().unwrap().iter().map(|task| task["title"].as_str().unwrap()).collect();
        (titles.join(""), list.body["total"].as_u64().unwrap(), list.body["next"].clone())
    };
    for (query, expected) in [
        ("", "abcde"),
        ("?state=open", "bcd"),
        ("?state=claimed,cancelled", "ae"),
        ("?state=claimed&state=cancelled", "ae"),
        ("?agent=BOB", "ad"),
        ("?agent=bob&state=open", "d"),
        ("?capability=RUST", "b"),
        ("?claimable_by=ann", "b"),
        ("?claimable_by=bob", "d"),
        ("?state=done", ""),
    ] {
        assert_eq!(titles(query).await.0, expected, "{query}");
    }
    let (page, total, next) = titles("?limit=2").await;
    assert_eq!((page.as_str(), total), ("ab", 5));
    let (page, total, next) = titles(&format!("?limit=2&after={next}")).await;
    assert_eq!((page.as_str(), total), ("cd", 5));
    let (page, _, next) = titles(&format!("?limit=2&after={next}")).await;
    assert_eq!((page.as_str(), next), ("e", json!(null)));
    let shown = server.post("/command", json!({"command": "*task:list"})).await.body["result"].clone();
    assert_eq!(shown["total"], 4);
    let shown = server.post("/command", json!({"command": format!("*task:status {}", ids[0])})).await;
    assert_eq!(shown.body["result"]["task"]["claim"]["agent_id"], "bob");
    assert_eq!(server.post("/command", json!({"command": "*task:status task-x"})).await.code(), "unknown_task");
}

#[tokio::test]
async fn the_same_key_is_the_same_task() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    let body = json!({"title": "t", "idempotency_key": "k", "created_by": "boss", "assigned_to": "ann"});
    let first = create(&server, body.clone()).await;
    server.delete("/agents/ann").await;
    assert_eq!(create(&server, body).await, first, "whoever has left since");
    let by_header = server.request("POST", "/tasks").header("Idempotency-Key", "k2").json(&json!({"title": "t"}));
    let made = server.send(by_header).await.body["task"]["task_id"].clone();
    assert_eq!(create(&server, json!({"title": "t", "idempotency_key": "k2"})).await, made);
    let other = server.post("/tasks", json!({"title": "other", "idempotency_key": "k", "created_by": "Boss"})).await;
    assert_eq!((other.status, other.code()), (409, "idempotency_mismatch"));
    assert_eq!(server.get("/tasks").await.body["total"], 2);
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    let task = create(&server, json!({"title": "t"})).await;
    let held = token(&claim(&server, &task, "ann").await);
    let before = server.get(&format!("/tasks/{task}")).await.body["task"].clone();
    let long = format!(r#"{{"title":"{}"}}"#, "x".repeat(201));
    let wordy = format!(r#"{{"title":"t","description":"{}"}}"#, "x".repeat(65 * 1024));
    let many = format!(r#"{{"title":"t","depends_on":[{}]}}"#, vec![format!("\"{task}\""); 101].join(","));
    let large = format!(r#"{{"token":{held},"result":"{}"}}"#, "x".repeat(257 * 1024));
    let deep = format!(r#"{{"token":{held},"result":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    let on = |what: &str| format!("/tasks/{task}/{what}");
    let huge_token = r#"{"token":18446744073709551616}"#;
    for (path, body, status, code) in [
        ("/tasks".to_owned(), "", 422, "invalid_request"),
        ("/tasks".to_owned(), "{", 400, "invalid_json"),
        ("/tasks".to_owned(), "[]", 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"  "}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":5}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"two\nlines"}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"\ud800"}"#, 400, "invalid_json"),
        ("/tasks".to_owned(), long.as_str(), 422, "invalid_request"),
        ("/tasks".to_owned(), wordy.as_str(), 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","kind":"Not A Word"}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","priority":2147483648}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","capabilities":[1]}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","paths":["../x"]}"#, 422, "invalid_path"),
        ("/tasks".to_owned(), r#"{"title":"t","paths":[".git/config"]}"#, 422, "invalid_path"),
        ("/tasks".to_owned(), r#"{"title":"t","entities":["nothing"]}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","depends_on":["task-999"]}"#, 404, "unknown_task"),
        ("/tasks".to_owned(), r#"{"title":"t","depends_on":["merge-1"]}"#, 404, "unknown_task"),
        ("/tasks".to_owned(), many.as_str(), 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","deadline_seconds":0}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","deadline_seconds":2678401}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","deadline_seconds":-1}"#, 422, "invalid_request"),
        ("/tasks".to_owned(), r#"{"title":"t","assigned_to":"nobody"}"#, 404, "unknown_agent"),
        ("/tasks".to_owned(), r#"{"title":"t","assigned_to":"a/b"}"#, 422, "invalid_agent_id"),
        ("/tasks".to_owned(), r#"{"title":"t","created_by":"a b"}"#, 422, "invalid_agent_id"),
        ("/tasks/task-999/claim".to_owned(), r#"{"agent_id":"ann"}"#, 404, "unknown_task"),
        ("/tasks/1/claim".to_owned(), r#"{"agent_id":"ann"}"#, 404, "unknown_task"),
        ("/tasks/task-18446744073709551616/claim".to_owned(), r#"{"agent_id":"ann"}"#, 404, "unknown_task"),
        ("/tasks/task-%2e%2e/claim".to_owned(), r#"{"agent_id":"ann"}"#, 404, "unknown_task"),
        (on("claim"), "{}", 422, "invalid_agent_id"),
        (on("claim"), r#"{"agent_id":"nobody"}"#, 404, "unknown_agent"),
        (on("progress"), "{}", 422, "invalid_request"),
        (on("progress"), huge_token, 422, "invalid_request"),
        (on("progress"), r#"{"token":1}"#, 409, "stale_token"),
        (on("result"), "{}", 422, "invalid_request"),
        (on("result"), r#"{"token":1}"#, 409, "stale_token"),
        (on("result"), large.as_str(), 413, "message_too_large"),
        (on("result"), deep.as_str(), 400, "too_deep"),
        (on("release"), "{}", 403, "operator_only"),
        (on("release"), r#"{"token":0}"#, 409, "stale_token"),
        (on("assign"), r#"{"agent_id":"ann"}"#, 409, "task_claimed"),
        (on("nonsense"), "{}", 404, "unknown_route"),
    ] {
        let answer = server.post_text(&path, body).await;
        let shown = &answer.body.to_string();
        assert_eq!((answer.status, answer.code()), (status, code), "{path} {body:.80}: {shown:.300}");
        assert!(answer.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{path}");
    }
    let beyond = step(&server, &task, "progress", json!({"token": held, "percent": 101})).await;
    assert_eq!((beyond.status, beyond.code()), (422, "invalid_request"));
    let odd = step(&server, &task, "result", json!({"token": held, "state": "cancelled"})).await;
    assert_eq!((odd.status, odd.code()), (422, "invalid_request"));
    for query in ["?state=odd", "?after=x", "?limit=many", "?agent=a/b", "?claimable_by=a/b"] {
        assert_eq!(server.get(&format!("/tasks{query}")).await.status, 422, "{query}");
    }
    assert_eq!(server.get("/tasks?claimable_by=nobody").await.code(), "unknown_agent");
    assert_eq!(server.get("/tasks/task-999").await.code(), "unknown_task");
    assert_eq!(server.get(&format!("/tasks/{task}")).await.body["task"], before, "nothing of it came in");
    assert_eq!(server.get("/tasks").await.body["total"], 1);
}

#[tokio::test]
async fn the_state_is_the_same_from_the_log_alone() {
    let mut server = TestServer::start_with(|options| options.checkpoint_every = 10, &[]).await;
    for agent in ["ann", "boss"] {
        server.register(agent, &[]).await;
    }
    for number in 0..12 {
        let body =
            json!({"title": format!("t{number}"), "created_by": "boss", "idempotency_key": format!("k{number}")});
        let task = create(&server, body).await;
        let held = token(&claim(&server, &task, "ann").await);
        match number % 4 {
            0 => drop(step(&server, &task, "result", json!({"token": held, "result": number})).await),
            1 => drop(step(&server, &task, "release", json!({"token": held})).await),
            2 => drop(step(&server, &task, "cancel", json!({})).await),
            _ => drop(step(&server, &task, "progress", json!({"token": held, "percent": 5})).await),
        }
    }
    let ask =
        json!({"kind": "landing", "question": "now?", "asked_by": "boss", "deadline_seconds": 600, "default": "deny"});
    assert_eq!(server.post("/approvals", ask).await.status, 200);
    server.post("/agents/ann/status", json!({"status": "offline"})).await;
    let before = server.orchestrator.read(Clone::clone).await.unwrap();
    server.stop().await;
    let options = orchestrator_log::Options::default();
    let mut log = orchestrator_log::SqliteLog::open(server.state().join("log.db"), options).unwrap();
    log.discard_checkpoints().unwrap();
    log.shutdown().unwrap();
    let server = server.restart().await;
    assert_eq!(server.orchestrator.read(Clone::clone).await.unwrap(), before);
}
