//! A server that stays up while the repository grows: each landing adds a pack to it.

use orchestrator_tests::{TestServer, commit, git, git_text, write};
use serde_json::json;
use std::path::PathBuf;

/// More than the packs for which the library makes room by itself.
const PACKS: usize = 40;

#[tokio::test]
async fn after_many_packs_an_agent_is_still_seen_and_its_work_still_lands() {
    let server = TestServer::start().await;
    server.write("a.txt", "base\n");
    commit(&server.project(), "base");
    server.register("ann", &[]).await;
    let answer = server.post("/agents/ann/workspace", json!({})).await;
    let folder: PathBuf = answer.body["workspace"]["path"].as_str().unwrap().into();
    server.force().await;
    for number in 0..PACKS {
        write(&folder, "a.txt", format!("{number}\n"));
        commit(&folder, "step");
        git(&folder, &["repack", "-d", "-q"]);
    }
    let packs = server.project().join(".git/objects/pack").read_dir().unwrap().count() / 2;
    assert!(packs >= PACKS, "{packs}");
    write(&folder, "a.txt", "work\n");
    server.force().await;
    assert_eq!(server.get("/health").await.body["degraded"], json!([]));
    let answer = server.post("/merges", json!({"agent_id": "ann"})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = answer.body["merge"]["merge_id"].as_str().unwrap().to_owned();
    let is_over = async || server.get(&format!("/merges/{id}")).await.body["merge"]["state"] == "landed";
    server.eventually("it landed", is_over).await;
    assert_eq!(git_text(&server.project(), &[], &["show", "HEAD:a.txt"]), "work");
}
