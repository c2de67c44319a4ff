//! The life of a conflict's record: found, given to a person, settled and on its way, over.

use crate::resolutions::{TEXT, World};
use orchestrator_tests::{Socket, TestServer, write};
use serde_json::{Value, json};

impl World {
    async fn status(&self, id: &str) -> String {
        let shown = self.server.get(&format!("/conflicts/{id}")).await.body["conflict"].clone();
        shown["resolution_status"].as_str().unwrap().to_owned()
    }

    async fn at(&self, status: &str) -> Vec<String> {
        let list = self.server.get(&format!("/conflicts?status={status}")).await.body["conflicts"].clone();
        let ids = list.as_array().unwrap().iter().map(|one| one["conflict_id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    /// How many are not over, and how many are.
    async fn counts(&self) -> (u64, u64) {
        let status = self.server.get("/sync/status").await.body["sync_status"].clone();
        (status["active_conflicts"].as_u64().unwrap(), status["resolved_conflicts"].as_u64().unwrap())
    }

    async fn escalate(&self, id: &str, request: Value) -> orchestrator_tests::Answer {
        self.server.post(&format!("/conflicts/{id}/escalate"), request).await
    }
}

/// The next frame that says something of a conflict's life.
async fn told(feed: &mut Socket) -> Value {
    loop {
        let frame = feed.next().await;
        if frame["type"].as_str().unwrap().starts_with("conflict_") {
            return frame;
        }
    }
}

fn kind(frame: &Value) -> (&str, &str) {
    let detail = if frame["type"] == "conflict_pulled" { "agent_id" } else { "reason" };
    (frame["type"].as_str().unwrap(), frame[detail].as_str().unwrap_or_default())
}

#[tokio::test]
async fn a_settled_conflict_is_resolving_until_both_have_the_result() {
    let (mut world, id) = World::collided().await;
    let mut feed = world.server.socket("/orchestrator").await;
    assert_eq!((world.counts().await, world.at("pending").await), ((1, 0), vec![id.clone()]));
    world.settle(&id, "ours").await;
    let settled = told(&mut feed).await;
    assert_eq!((kind(&settled).0, &settled["resolution_status"]), ("conflict_resolved", &json!("resolving")));
    assert_eq!((world.counts().await, world.at("resolving").await), ((1, 0), vec![id.clone()]));
    assert!(world.at("pending").await.is_empty() && world.at("resolved").await.is_empty());
    // Who has the result collides with who has not, in the very lines that were settled.
    world.pulls("ann").await;
    world.is_quiet().await;
    assert_eq!(world.status(&id).await, "resolving");
    world.server = world.server.restart().await;
    world.is_quiet().await;
    assert_eq!(world.at("resolving").await, [id.as_str()], "a restart ends nothing");
    let before = world.server.orchestrator.read(Clone::clone).await.unwrap();

    let mut feed = world.server.socket("/orchestrator").await;
    world.pulls("bob").await;
    let (pulled, closed) = (told(&mut feed).await, told(&mut feed).await);
    assert_eq!((kind(&pulled), kind(&closed)), (("conflict_pulled", "bob"), ("conflict_closed", "pulled")));
    assert_eq!((&closed["conflict_id"], &closed["file_path"]), (&json!(id), &json!("a.txt")));
    assert_eq!((world.counts().await, world.at("resolved").await), ((0, 1), vec![id.clone()]));
    assert_ne!(world.server.orchestrator.read(Clone::clone).await.unwrap(), before);
    world.is_quiet().await;
    let list = world.server.get("/conflicts").await.body["conflicts"].clone();
    assert_eq!(list.as_array().unwrap().len(), 1, "one record from its first day to its last");
}

#[tokio::test]
async fn it_is_over_when_nothing_collides_or_an_agent_leaves_or_other_lines_collide() {
    // Both do by hand what the result says.
    let (world, id) = World::collided().await;
    let mut feed = world.server.socket("/orchestrator").await;
    world.settle(&id, "ours").await;
    write(&world.bob, "a.txt", TEXT);
    assert_eq!(kind(&told(&mut feed).await).0, "conflict_resolved");
    assert_eq!(kind(&told(&mut feed).await), ("conflict_closed", "gone"));
    assert_eq!(world.status(&id).await, "resolved");
    let shown = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"].clone();
    assert_eq!(shown["resolution_strategy"], "ours", "it was settled, not withdrawn");

    let (world, id) = World::collided().await;
    let mut feed = world.server.socket("/orchestrator").await;
    world.settle(&id, "ours").await;
    assert_eq!(world.server.delete("/agents/bob").await.status, 200);
    told(&mut feed).await;
    assert_eq!(kind(&told(&mut feed).await), ("conflict_closed", "left"));

    let (world, id) = World::collided().await;
    let mut feed = world.server.socket("/orchestrator").await;
    world.settle(&id, "ours").await;
    write(&world.bob, "a.txt", TEXT.replace("three", "drei"));
    told(&mut feed).await;
    let (found, closed) = (told(&mut feed).await, told(&mut feed).await);
    assert_eq!((kind(&found).0, kind(&closed)), ("conflict_detected", ("conflict_closed", "replaced")));
    assert_eq!((&closed["conflict_id"], found["conflict_id"] == json!(id)), (&json!(id), false));
    assert_eq!(found["regions"][0]["sides"][1]["text"], "drei\n");
    let newer = found["conflict_id"].as_str().unwrap().to_owned();
    let shown = world.server.get(&format!("/conflicts/{newer}")).await.body["conflict"].clone();
    assert_eq!(shown["regions"], found["regions"]);
    assert_eq!((world.at("pending").await, world.at("resolved").await), (vec![newer], vec![id]));
}

#[tokio::test]
async fn a_person_is_asked_and_the_record_says_who_asked_and_why() {
    let (mut world, id) = World::collided().await;
    let mut feed = world.server.socket("/orchestrator").await;
    let request = json!({"reason": "which of the two?", "escalated_by": "ann"});
    let answer = world.escalate(&id, request.clone()).await;
    assert_eq!((answer.status, &answer.body["conflict_id"]), (200, &json!(id)), "{}", answer.body);
    let push = told(&mut feed).await;
    assert_eq!(kind(&push), ("conflict_escalated", "which of the two?"));
    assert_eq!((&push["conflict_id"], &push["escalated_by"]), (&json!(id), &json!("ann")));
    assert_eq!((world.at("escalated").await, world.at("pending").await), (vec![id.clone()], Vec::new()));
    assert_eq!(world.counts().await, (1, 0), "it is not over");
    assert_eq!(world.escalate(&id, request).await.status, 200, "twice is no error");

    // Other lines of the same work are for the same person, and nothing flickers.
    write(&world.bob, "a.txt", TEXT.replace("three", "drei"));
    let changed = told(&mut feed).await;
    assert_eq!((kind(&changed).0, &changed["conflict_id"]), ("conflict_detected", &json!(id)));
    assert_eq!(changed["resolution_status"], "escalated");
    assert_eq!(changed["escalation"]["reason"], "which of the two?");
    world.server = world.server.restart().await;
    world.force().await;
    assert_eq!(world.at("escalated").await, [id.as_str()]);

    let mut feed = world.server.socket("/orchestrator").await;
    world.settle(&id, "theirs").await;
    assert_eq!(kind(&told(&mut feed).await).0, "conflict_resolved");
    let shown = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"].clone();
    assert_eq!((&shown["resolution_status"], &shown["escalation"]["by"]), (&json!("resolving"), &json!("ann")));
    assert!(shown["escalation"]["at"].is_string());
    assert!(world.at("escalated").await.is_empty());
    let late = world.escalate(&id, json!({"reason": "too late"})).await;
    assert_eq!((late.status, late.code()), (409, "already_resolved"));
}

#[tokio::test]
async fn an_escalated_conflict_ends_when_it_is_marked_or_gone() {
    let (world, id) = World::collided().await;
    assert_eq!(world.escalate(&id, json!({"reason": "?"})).await.status, 200);
    write(&world.bob, "a.txt", TEXT);
    let over = async || {
        world.force().await;
        world.status(&id).await == "resolved"
    };
    world.server.eventually("it is withdrawn", over).await;
    let shown = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"].clone();
    assert_eq!((&shown["resolution_strategy"], &shown["escalation"]["by"]), (&json!("withdrawn"), &Value::Null));

    // Known from reports only; asked with the query alone.
    let server = TestServer::start().await;
    for agent in ["a", "b", "c"] {
        server.register(agent, &[]).await;
    }
    let report = async |agent: &str| {
        let mut socket = server.socket(&format!("/agent/{agent}")).await;
        socket.send(json!({"type": "code_change", "file_path": "x.py", "change_type": "modified"})).await;
        socket.next_of("code_change_ack").await;
    };
    report("a").await;
    report("b").await;
    let list = async |status: &str| {
        let list = server.get(&format!("/conflicts?status={status}")).await.body["conflicts"].clone();
        list.as_array().unwrap().clone()
    };
    let id = list("pending").await[0]["conflict_id"].as_str().unwrap().to_owned();
    let asked = server.post_text(&format!("/conflicts/{id}/escalate?reason=both%20mine"), "").await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    report("c").await;
    let escalated = list("escalated").await;
    assert_eq!(escalated.len(), 1);
    assert_eq!(escalated[0]["conflicting_agents"], json!(["a", "b", "c"]), "who joins joins the same record");
    assert_eq!(escalated[0]["escalation"]["reason"], "both mine");
    assert_eq!(server.post(&format!("/conflicts/{id}/resolve"), json!({})).await.status, 200);
    assert_eq!(list("resolved").await.len(), 1);
}

#[tokio::test]
async fn bad_requests_to_escalate_are_refused_with_a_reason() {
    let (world, id) = World::collided().await;
    for (id, request, status, code) in [
        ("c9999", json!({"reason": "x"}), 404, "unknown_conflict"),
        ("x", json!({"reason": "x"}), 404, "unknown_conflict"),
        (&id, json!({}), 422, "invalid_request"),
        (&id, json!({"reason": "  "}), 422, "invalid_request"),
        (&id, json!({"reason": 7}), 422, "invalid_request"),
        (&id, json!({"reason": "x\u{0}"}), 422, "invalid_request"),
        (&id, json!({"reason": "x".repeat(100_000)}), 422, "invalid_request"),
        (&id, json!({"reason": "x", "escalated_by": ["ann"]}), 422, "invalid_request"),
    ] {
        let answer = world.escalate(id, request).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.body);
        assert!(answer.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    }
    assert_eq!(world.status(&id).await, "pending");
}
