//! Merged results of settled conflicts are kept until everyone has them, or for a term.

use crate::resolutions::{World, read};
use orchestrator_log::Reader;
use orchestrator_tests::git;
use serde_json::json;
use std::time::Duration;

impl World {
    fn kept(&self) -> Vec<String> {
        let refs = self.work(&["for-each-ref", "--format=%(refname)", "refs/resolution"]);
        refs.lines().map(str::to_owned).collect()
    }

    /// What is kept is looked through at the start, and every hour.
    async fn restarted(self) -> Self {
        let Self { server, ann, bob } = self;
        let world = Self { server: server.restart().await, ann, bob };
        world.force().await;
        world
    }

    /// What is looked through and stays.
    async fn stays(&self, kept: &[String]) {
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(self.kept(), kept);
        assert_eq!(self.dropped(), 0);
    }

    async fn all_go(&self) {
        self.server.eventually("nothing is kept", async || self.kept().is_empty()).await;
    }

    /// In how many records the log says that results went.
    fn dropped(&self) -> usize {
        let log = Reader::open(self.server.state().join("log.db")).unwrap();
        log.read(1, 100_000).unwrap().iter().filter(|record| record.kind == "resolution.dropped").count()
    }

    /// Writes refs as a crash would leave them.
    fn put(&self, refs: &[String]) {
        let store = self.server.project().join(".git/orchestrator/work.git");
        let base = self.server.project();
        let head = orchestrator_tests::git_text(&base, &[], &["rev-parse", "HEAD"]);
        for name in refs {
            git(&store, &["update-ref", name, &head]);
        }
    }
}

#[tokio::test]
async fn a_result_stays_until_both_have_pulled_it_and_then_goes_with_its_content() {
    let (world, id) = World::collided().await;
    let made = world.settle(&id, "union").await;
    let result = world.content(&id).await;
    let kept = world.kept();
    assert_eq!(kept, [made["ref"].as_str().unwrap()]);
    let backup = world.pulls("ann").await;
    let world = world.restarted().await;
    world.stays(&kept).await;
    assert_eq!(world.content(&id).await, result);
    world.pulls("bob").await;
    assert_eq!(world.kept(), kept, "not in the moment of the pull");

    let world = world.restarted().await;
    world.all_go().await;
    assert_eq!(world.dropped(), 1);
    let gone = world.server.get(&format!("/conflicts/{id}/resolution")).await;
    assert_eq!((gone.status, gone.code()), (404, "unknown_resolution"));
    assert!(gone.body["detail"].as_str().unwrap().contains("not kept any longer"), "{}", gone.body);
    let shown = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"].clone();
    assert_eq!(shown["resolution"]["pulled_by"], json!(["ann", "bob"]), "who, how and to what stays known");
    let again = world.pull_with("ann", json!({"conflicts": [id]})).await;
    assert_eq!(again[0]["state"], "gone");
    // What a pull wrote over is kept for its own term, and undoes the pull.
    let backups = world.work(&["for-each-ref", "--format=%(refname)", "refs/backup"]);
    assert_eq!(backups.lines().count(), 2);
    let mine = world.work(&["show", &format!("{}:a.txt", backup["ref"].as_str().unwrap())]);
    assert!(mine.contains("\n3\n") && !mine.contains("III"), "{mine}");
    assert_eq!(world.work(&["fsck", "--strict", "--no-dangling"]), "");
    // And it stays so.
    let world = world.restarted().await;
    world.is_quiet().await;
    assert_eq!((world.dropped(), read(&world.ann, "a.txt")), (1, result));
}

#[tokio::test]
async fn who_left_is_not_waited_for_and_a_result_that_is_old_goes() {
    let (world, id) = World::collided().await;
    world.settle(&id, "ours").await;
    world.pulls("ann").await;
    let kept = world.kept();
    let world = world.restarted().await;
    world.stays(&kept).await;
    assert_eq!(world.server.delete("/agents/bob").await.status, 200);
    let world = world.restarted().await;
    world.all_go().await;

    let old = |options: &mut orchestrator::Options| options.snapshots.retention.results = Duration::ZERO;
    let (world, id) = World::collided_with(old).await;
    world.settle(&id, "ours").await;
    let world = world.restarted().await;
    world.all_go().await;
    assert_eq!(world.pull("ann").await, json!([]));
    assert_eq!(world.pull_with("ann", json!({"conflicts": [id]})).await[0]["state"], "gone");
}

#[tokio::test]
async fn what_a_crash_left_goes_and_what_is_not_ours_stays() {
    let (world, id) = World::collided().await;
    world.settle(&id, "ours").await;
    world.pulls("ann").await;
    world.pulls("bob").await;
    let settled = world.kept();
    let mut world = world.restarted().await;
    world.all_go().await;
    // Killed after the record and before the ref went; killed after the ref was made and before the record; a person's.
    world.server.stop().await;
    let unnamed = format!("refs/resolution/c999-{}", "a".repeat(40));
    let foreign = "refs/resolution/mine".to_owned();
    world.put(&[settled[0].clone(), unnamed, foreign.clone()]);
    let world = world.restarted().await;
    world.server.eventually("what is ours goes", async || world.kept() == [foreign.as_str()]).await;
    assert_eq!(world.dropped(), 2, "the first was told before, the second is told now");
}
