//! Approvals.

use orchestrator_tests::{Answer, TestServer};
use serde_json::{Value, json};

async fn ask(server: &TestServer, body: Value) -> String {
    let answer = server.post("/approvals", body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["approval"]["approval_id"].as_str().unwrap().to_owned()
}

async fn answer(server: &TestServer, id: &str, body: Value) -> Answer {
    let request = server.request("POST", &format!("/approvals/{id}/answer")).json(&body);
    server.send(request.header("x-orchestrator-operator", server.secret())).await
}

#[tokio::test]
async fn the_operator_answers_once_and_everyone_is_told() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    let mut socket = server.socket("/orchestrator").await;
    let body = json!({
        "kind": "landing", "subject": "merge-4", "question": "Land on main?", "options": ["now", "tonight"],
        "asked_by": "ANN"
    });
    let id = ask(&server, body).await;
    let asked = socket.next_of("approval_update").await;
    assert_eq!(
        (&asked["approval_id"], &asked["state"], &asked["asked_by"]),
        (&json!(id), &json!("pending"), &json!("ann"))
    );
    assert_eq!((&asked["question"], &asked["options"]), (&json!("Land on main?"), &json!(["now", "tonight"])));
    let by_agent = server.post(&format!("/approvals/{id}/answer"), json!({"answer": "approve", "option": "now"})).await;
    assert_eq!((by_agent.status, by_agent.code()), (403, "operator_only"));
    let path = format!("/approvals/{id}");
    assert_eq!(server.get(&path).await.body["approval"]["state"], "pending");
    let given =
        answer(&server, &id, json!({"answer": "approve", "option": "tonight", "note": "after the backup"})).await;
    assert_eq!((given.status, &given.body["approval"]["state"]), (200, &json!("approved")), "{}", given.body);
    let told = socket.next_of("approval_update").await;
    assert_eq!(
        (&told["state"], &told["option"], &told["answered_by"]),
        (&json!("approved"), &json!("tonight"), &json!("operator"))
    );
    let at = given.body["approval"]["answered_at"].as_str().unwrap().to_owned();
    for again in ["approve", "deny"] {
        let refused = answer(&server, &id, json!({"answer": again, "option": "now"})).await;
        assert_eq!((refused.status, refused.code()), (409, "approval_over"));
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("approved ('tonight') by the operator") && detail.contains(&at), "{detail}");
    }
    let server = server.restart().await;
    let kept = server.get(&path).await.body["approval"].clone();
    assert_eq!(
        (&kept["option"], &kept["note"], &kept["answered_at"]),
        (&json!("tonight"), &json!("after the backup"), &json!(at))
    );
    let inbox = server.get("/agents/ann/inbox").await.body["messages"].clone();
    let news = &inbox[0]["payload"];
    assert_eq!(
        (&news["event"], &news["approval_id"], &news["option"]),
        (&json!("approval_answered"), &json!(id), &json!("tonight"))
    );
}

#[tokio::test]
async fn of_many_answers_at_once_one_counts() {
    let server = TestServer::start().await;
    let id = ask(&server, json!({"kind": "rollback", "question": "Take it back?"})).await;
    let given = ["approve", "deny", "approve", "deny", "approve", "deny"];
    let answers = futures_util::future::join_all(given.map(|word| answer(&server, &id, json!({"answer": word})))).await;
    let taken: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(taken.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == 200 || answer.code() == "approval_over"));
    assert_eq!(server.get(&format!("/approvals/{id}")).await.body["approval"], taken[0].body["approval"]);
}

#[tokio::test]
async fn a_deadline_takes_the_default_or_ends_it_and_a_late_answer_is_refused() {
    let server = TestServer::start().await;
    server.register("ann", &[]).await;
    let asked = |more: Value| {
        let mut body = json!({"kind": "resolution", "question": "?", "asked_by": "ann", "deadline_seconds": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let mut expected = Vec::new();
    for (more, state, event) in [
        (json!({}), "expired", "approval_expired"),
        (json!({"default": "deny"}), "denied", "approval_answered"),
        (json!({"default": "approve", "options": ["a", "b"], "default_option": "b"}), "approved", "approval_answered"),
    ] {
        expected.push((ask(&server, asked(more)).await, state, event));
    }
    for (id, state, _) in &expected {
        let path = format!("/approvals/{id}");
        let is_over = async || server.get(&path).await.body["approval"]["state"] != "pending";
        server.eventually("it ends", is_over).await;
        assert_eq!(server.get(&path).await.body["approval"]["state"], *state);
        let late = answer(&server, id, json!({"answer": "deny"})).await;
        assert_eq!((late.status, late.code()), (409, "approval_over"), "{state}");
        assert!(late.body["detail"].as_str().unwrap().contains(&format!("is {state}")), "{}", late.body);
    }
    let approved = server.get(&format!("/approvals/{}", expected[2].0)).await.body["approval"].clone();
    assert_eq!((&approved["option"], &approved["answered_by"]), (&json!("b"), &json!("deadline")));
    let inbox = server.get("/agents/ann/inbox").await.body["messages"].clone();
    for (id, _, event) in &expected {
        let news = inbox.as_array().unwrap().iter().find(|message| message["payload"]["approval_id"] == **id).unwrap();
        assert_eq!(news["payload"]["event"], *event);
    }
}

#[tokio::test]
async fn approvals_are_listed_by_state_and_kind_in_pages() {
    let server = TestServer::start().await;
    let mut ids = Vec::new();
    for kind in ["landing", "rollback", "landing"] {
        ids.push(ask(&server, json!({"kind": kind, "question": "?"})).await);
    }
    answer(&server, &ids[0], json!({"answer": "deny"})).await;
    let listed = async |query: &str| {
        let list = server.get(&format!("/approvals{query}")).await.body;
        let ids: Vec<String> = list["approvals"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["approval_id"].as_str().unwrap().to_owned())
            .collect();
        (ids, list["next"].clone())
    };
    assert_eq!(listed("").await.0, ids);
    assert_eq!(listed("?state=pending").await.0, ids[1..]);
    assert_eq!(listed("?state=pending&kind=landing").await.0, ids[2..]);
    let (page, next) = listed("?limit=2").await;
    assert_eq!(page, ids[..2]);
    assert_eq!(listed(&format!("?limit=2&after={next}")).await, (ids[2..].to_vec(), json!(null)));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_and_changes_nothing() {
    let server = TestServer::start().await;
    let id =
        ask(&server, json!({"kind": "landing", "question": "?", "options": ["a", "b"], "idempotency_key": "k"})).await;
    let long = "x".repeat(5_000);
    for (body, status, code) in [
        (json!({}), 422, "invalid_request"),
        (json!({"kind": "landing"}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": " "}), 422, "invalid_request"),
        (json!({"kind": "Not A Word", "question": "?"}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": long}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": "?", "deadline_seconds": 0}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": "?", "default": "deny"}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": "?", "default": "perhaps"}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": "?", "default_option": "a"}), 422, "invalid_request"),
        (json!({"kind": "landing", "question": "?", "asked_by": "a/b"}), 422, "invalid_agent_id"),
        (json!({"kind": "landing", "question": "other", "idempotency_key": "k"}), 409, "idempotency_mismatch"),
        (
            json!({"kind": "landing", "question": "?", "options": ["a", "b"], "default": "approve", "deadline_seconds": 9}),
            422,
            "invalid_request",
        ),
    ] {
        let refused = server.post("/approvals", body.clone()).await;
        assert_eq!((refused.status, refused.code()), (status, code), "{body:.200}: {}", refused.body);
        assert!(refused.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{body:.80}");
    }
    for (body, status, code) in [
        (json!({}), 422, "invalid_request"),
        (json!({"answer": "yes"}), 422, "invalid_request"),
        (json!({"answer": "approve"}), 422, "invalid_request"),
        (json!({"answer": "approve", "option": "c"}), 422, "invalid_request"),
        (json!({"answer": "deny", "option": "a"}), 422, "invalid_request"),
    ] {
        let refused = answer(&server, &id, body.clone()).await;
        assert_eq!((refused.status, refused.code()), (status, code), "{body}: {}", refused.body);
    }
    for unknown in ["approval-999", "approval-x", "999"] {
        assert_eq!(answer(&server, unknown, json!({"answer": "deny"})).await.code(), "unknown_approval");
        assert_eq!(server.get(&format!("/approvals/{unknown}")).await.status, 404);
    }
    assert_eq!(server.get("/approvals?state=odd").await.status, 422);
    let list = server.get("/approvals").await.body;
    assert_eq!((&list["total"], &list["approvals"][0]["state"]), (&json!(1), &json!("pending")));
}
