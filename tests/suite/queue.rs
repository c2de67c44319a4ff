//! Several landings at once: gated side by side, each on what is before it, and in batches that are taken apart when they
//! do not pass. What lands was always gated as it lands.

use crate::landing::{World, gate};
use orchestrator::Options;
use orchestrator_tests::{commit, git_text, write};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A project whose gate notes what it sees, and lets nothing pass that has a file `bad`; before that it waits until `go`
/// is there. Notes and `go` are in a folder of the test.
struct Gated {
    world: World,
    notes: tempfile::TempDir,
}

const FILES: [&str; 4] = ["a.txt", "b.txt", "c.txt", "d.txt"];

impl Gated {
    async fn new(configure: fn(&mut Options)) -> Self {
        let notes = tempfile::tempdir().unwrap();
        let at = notes.path().display();
        let script = format!(
            "echo $(cat a.txt b.txt c.txt d.txt) >> {at}/seen; n=0; \
             until test -e {at}/go; do sleep 0.02; n=$((n+1)); test $n -lt 1500 || exit 9; done; ! grep -q bad *.txt"
        );
        let gates = gate("check", &script, "");
        let mut files: Vec<(&str, &str)> = FILES.iter().map(|path| (*path, "0\n")).collect();
        files.extend([("orchestrator.toml", gates.as_str()), ("lib.py", "def price():\n    return 1\n")]);
        Self { world: World::with(&files, configure).await, notes }
    }

    fn go(&self) {
        std::fs::write(self.notes.path().join("go"), "").unwrap();
    }

    fn stop(&self) {
        std::fs::remove_file(self.notes.path().join("go")).unwrap();
    }

    /// What each run of the gate saw, in the order in which they began.
    fn seen(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.notes.path().join("seen")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    async fn until_seen(&self, count: usize) {
        let seen = async || self.seen().len() >= count;
        self.world.server.eventually(&format!("the gate began {count} times"), seen).await;
    }

    /// An agent that asks for a landing of one file.
    async fn ask(&self, agent: &str, path: &str, content: &str) -> String {
        let folder: PathBuf = self.world.agent(agent).await;
        write(&folder, path, content);
        self.world.ask(agent).await
    }

    async fn states(&self, ids: &[&String]) -> Vec<String> {
        let mut states = Vec::new();
        for id in ids {
            states.push(self.world.over(id).await["state"].as_str().unwrap().to_owned());
        }
        states
    }
}

fn two_at_once(options: &mut Options) {
    (options.landing.side_by_side, options.landing.batch) = (2, 1);
}

fn batches(options: &mut Options) {
    (options.landing.side_by_side, options.landing.batch) = (1, 4);
}

#[tokio::test]
async fn two_are_gated_at_once_and_the_second_with_what_the_first_changes() {
    let gated = Gated::new(two_at_once).await;
    let first = gated.ask("ann", "a.txt", "1\n").await;
    let second = gated.ask("bob", "b.txt", "1\n").await;
    let third = gated.ask("cy", "c.txt", "1\n").await;
    // Both run, and neither can end.
    gated.until_seen(2).await;
    let merge = gated.world.merge(&second).await;
    assert_eq!((&merge["state"], &merge["after"]), (&json!("gating"), &json!(first)), "{merge}");
    assert_eq!(gated.world.merge(&third).await["state"], "queued");
    gated.go();
    assert_eq!(gated.states(&[&first, &second, &third]).await, ["landed"; 3]);
    let mut seen = gated.seen();
    // The first two run side by side.
    seen.sort_unstable();
    assert_eq!(seen, ["1 0 0 0", "1 1 0 0", "1 1 1 0"], "what landed, each once");
    let [one, two] = [gated.world.merge(&first).await, gated.world.merge(&second).await];
    assert_eq!((&two["base"], &two["after"], &two["batch"]), (&one["commit"], &Value::Null, &Value::Null));
    assert_eq!(gated.world.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn what_stood_on_a_red_one_is_gated_again_without_it() {
    let gated = Gated::new(two_at_once).await;
    let bad = gated.ask("ann", "a.txt", "bad\n").await;
    let good = gated.ask("bob", "b.txt", "1\n").await;
    gated.until_seen(2).await;
    gated.go();
    assert_eq!(gated.states(&[&bad, &good]).await, ["rejected", "landed"]);
    let mut seen = gated.seen();
    // The first two run side by side.
    seen[..2].sort_unstable();
    assert_eq!(seen, ["bad 0 0 0", "bad 1 0 0", "0 1 0 0"]);
    let merge = gated.world.merge(&good).await;
    assert_eq!((&merge["attempts"], &merge["commit"]), (&json!(2), &json!(gated.world.tip())), "{merge}");
}

#[tokio::test]
async fn when_one_is_taken_out_what_stood_on_it_goes_on_without_it() {
    let gated = Gated::new(two_at_once).await;
    let first = gated.ask("ann", "a.txt", "1\n").await;
    let second = gated.ask("bob", "b.txt", "1\n").await;
    gated.until_seen(2).await;
    let answer = gated.world.server.post(&format!("/merges/{first}/cancel"), json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    gated.until_seen(3).await;
    gated.go();
    assert_eq!(gated.states(&[&first, &second]).await, ["cancelled", "landed"]);
    assert_eq!(gated.seen().last().unwrap(), "0 1 0 0");
    assert_eq!(gated.world.git(&["show", "HEAD:a.txt"]), "0");
}

#[tokio::test]
async fn after_a_persons_commit_all_are_gated_again_on_it() {
    let gated = Gated::new(two_at_once).await;
    let first = gated.ask("ann", "a.txt", "1\n").await;
    let second = gated.ask("bob", "b.txt", "1\n").await;
    gated.until_seen(2).await;
    gated.world.server.write("d.txt", "2\n");
    commit(&gated.world.server.project(), "a person's");
    gated.go();
    assert_eq!(gated.states(&[&first, &second]).await, ["landed"; 2]);
    let mut seen = gated.seen().split_off(2);
    seen.sort();
    assert_eq!(seen, ["1 0 0 2", "1 1 0 2"]);
}

#[tokio::test]
async fn what_comes_after_a_change_of_the_gates_is_judged_by_the_new_ones() {
    let gated = Gated::new(two_at_once).await;
    let toml = gated.world.git(&["show", "HEAD:orchestrator.toml"]);
    let stricter = format!("{toml}\n\n{}", gate("strict", "! grep -q 7 b.txt", ""));
    let first = gated.ask("ann", "orchestrator.toml", &stricter).await;
    let second = gated.ask("bob", "b.txt", "7\n").await;
    gated.until_seen(2).await;
    gated.go();
    assert_eq!(gated.states(&[&first, &second]).await, ["landed", "rejected"]);
    let merge = gated.world.merge(&second).await;
    assert!(merge["reason"].as_str().unwrap().contains("strict"), "{merge}");
}

/// Holds the only checkout until these wait, then lets go of all.
async fn together(gated: &Gated, works: &[(&str, &str, &str)]) -> Vec<String> {
    let held = gated.ask("holder", "hold.txt", "x\n").await;
    gated.until_seen(1).await;
    let mut ids = Vec::new();
    for (agent, path, content) in works {
        ids.push(gated.ask(agent, path, content).await);
    }
    gated.go();
    assert_eq!(gated.world.over(&held).await["state"], "landed");
    ids
}

#[tokio::test]
async fn a_batch_is_gated_once_and_each_lands_as_its_own_commit_that_says_so() {
    let gated = Gated::new(batches).await;
    let works = [("ann", "a.txt", "1\n"), ("bob", "b.txt", "1\n"), ("cy", "c.txt", "1\n"), ("dee", "d.txt", "1\n")];
    let ids = together(&gated, &works).await;
    assert_eq!(gated.states(&ids.iter().collect::<Vec<_>>()).await, ["landed"; 4]);
    assert_eq!(gated.seen(), ["0 0 0 0", "1 1 1 1"], "once for all of them");
    let world = &gated.world;
    let tree = world.git(&["rev-parse", "HEAD^{tree}"]);
    let mut below = world.git(&["rev-parse", "HEAD~4"]);
    for (id, (agent, path, _)) in ids.iter().zip(works) {
        let merge = world.merge(id).await;
        assert_eq!(
            (&merge["base"], &merge["batch"]),
            (&json!(below), &json!({"merges": ids, "tree": tree})),
            "{merge}"
        );
        assert_eq!(merge["gates"][0]["verdict"], "passed");
        below = merge["commit"].as_str().unwrap().to_owned();
        let said = world.git(&["show", "-s", "--format=%an%n%B", &below]);
        assert!(said.starts_with(agent) && said.contains(&format!("Orchestrator-Gated-Tree: {tree}")), "{said}");
        assert!(said.contains(&format!("Orchestrator-Batch: {}", ids.join(", "))), "{said}");
        assert_eq!(world.git(&["diff", "--name-only", &format!("{below}~"), &below]), path);
    }
    assert_eq!(below, world.tip());
    assert_eq!(
        world.git(&["reflog", "-2", "--format=%H", &world.branch]).lines().nth(1),
        world.git(&["rev-parse", "HEAD~4"]).lines().next(),
        "the branch moved in one step"
    );
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    // One of them is taken back, and only that.
    let secret = world.server.secret();
    let undo = world.server.request("POST", "/rollback").header("X-Orchestrator-Operator", secret);
    let answer = undo.json(&json!({"merge_id": ids[1]})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["paths"], json!(["b.txt"]), "{answer}");
    let undone = answer["merge"]["merge_id"].as_str().unwrap().to_owned();
    assert_eq!(world.over(&undone).await["state"], "landed");
    assert_eq!((world.git(&["show", "HEAD:b.txt"]), world.git(&["show", "HEAD:c.txt"])), ("0".into(), "1".into()));
}

#[tokio::test]
async fn of_a_red_batch_only_who_did_it_is_refused() {
    let gated = Gated::new(batches).await;
    let works = [("ann", "a.txt", "1\n"), ("bob", "b.txt", "1\n"), ("cy", "c.txt", "bad\n"), ("dee", "d.txt", "1\n")];
    let ids = together(&gated, &works).await;
    assert_eq!(gated.states(&ids.iter().collect::<Vec<_>>()).await, ["landed", "landed", "rejected", "landed"]);
    let seen: Vec<String> = gated.seen().into_iter().skip(1).collect();
    // Then whether it was the work alone.
    assert_eq!(seen, ["1 1 bad 1", "1 1 0 0", "1 1 bad 0", "0 0 bad 0", "1 1 0 1"]);
    let merge = gated.world.merge(&ids[2]).await;
    assert_eq!(merge["reason"], "gate 'check' failed with exit code 1", "{merge}");
    let late = gated.world.merge(&ids[3]).await;
    assert_eq!((&late["batch"], &late["commit"]), (&Value::Null, &json!(gated.world.tip())), "{late}");
}

#[tokio::test]
async fn of_two_that_pass_alone_and_not_together_the_second_collides() {
    let gated = Gated::new(batches).await;
    gated.go();
    let both = gate("both", "! grep -q 7 a.txt || ! grep -q 7 b.txt", "");
    let first = gated.ask("ann", "orchestrator.toml", &both).await;
    assert_eq!(gated.world.over(&first).await["state"], "landed");
    let hold = gate("hold", &format!("until test -e {}/go; do sleep 0.02; done", gated.notes.path().display()), "");
    let folder = gated.world.agent("ben").await;
    write(&folder, "orchestrator.toml", format!("{both}\n{hold}"));
    let second = gated.world.ask("ben").await;
    assert_eq!(gated.world.over(&second).await["state"], "landed");
    gated.stop();
    let held = gated.ask("holder", "c.txt", "x\n").await;
    gated.world.until(&held, &["gating"]).await;
    let one = gated.ask("cy", "a.txt", "7\n").await;
    let other = gated.ask("dee", "b.txt", "7\n").await;
    gated.go();
    assert_eq!(gated.states(&[&held, &one, &other]).await, ["landed", "landed", "conflict"]);
    let merge = gated.world.merge(&other).await;
    assert!(merge["reason"].as_str().unwrap().contains("passes on the work alone"), "{merge}");
}

#[tokio::test]
async fn who_uses_what_another_defines_shares_its_car() {
    let gated = Gated::new(|options| (options.landing.side_by_side, options.landing.batch) = (1, 2)).await;
    let library = "def price(tax=0):\n    return 1 + tax\n";
    let user = "import lib\n\n\ndef pay():\n    return lib.price()\n";
    let works = [("ann", "lib.py", library), ("bob", "b.txt", "1\n"), ("cy", "shop.py", user)];
    let ids = together(&gated, &works).await;
    assert_eq!(gated.states(&ids.iter().collect::<Vec<_>>()).await, ["landed"; 3]);
    let merge = gated.world.merge(&ids[0]).await;
    assert_eq!(merge["batch"]["merges"], json!([ids[0], ids[2]]), "{merge}");
    assert_eq!(gated.world.merge(&ids[1]).await["batch"], Value::Null);
}

#[tokio::test]
async fn small_work_goes_before_large_and_the_list_says_so() {
    let gated = Gated::new(two_at_once).await;
    let held = [gated.ask("holder", "a.txt", "1\n").await, gated.ask("other", "b.txt", "1\n").await];
    gated.until_seen(2).await;
    let folder = gated.world.agent("ann").await;
    (0..5).for_each(|at| write(&folder, format!("large/{at}"), "x\n"));
    let large = gated.world.ask("ann").await;
    let small = gated.ask("bob", "c.txt", "1\n").await;
    gated.go();
    let mut waited = vec![gated.world.over(&small).await, gated.world.over(&large).await];
    assert!(waited.iter().all(|merge| merge["state"] == "landed"), "{waited:?}");
    let [small, large] = [waited.remove(0), waited.remove(0)];
    let is_first = git_text(
        &gated.world.server.project(),
        &[],
        &[
            "rev-list",
            "--count",
            &format!("{}..{}", small["commit"].as_str().unwrap(), large["commit"].as_str().unwrap()),
        ],
    );
    assert_eq!(is_first, "1", "the small one lies beneath the large one");
    assert_eq!(gated.states(&held.iter().collect::<Vec<_>>()).await, ["landed"; 2]);
}

#[tokio::test]
async fn who_works_on_what_landed_is_told() {
    let gated = Gated::new(two_at_once).await;
    gated.go();
    let folder = gated.world.agent("bob").await;
    write(&folder, "a.txt", "bob's own\n");
    write(&folder, "b.txt", "bob's own\n");
    let answer = gated.world.server.post("/command", json!({"command": "*sync:force"})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let id = gated.ask("ann", "a.txt", "1\n").await;
    let told = async || {
        let events = gated.world.server.get("/events?after=0").await.body["events"].clone();
        let mut told = events.as_array().unwrap().iter().filter(|one| one["touches"].is_array());
        told.next()
            .map(|one| (one["merge_id"].clone(), one["state"].clone(), one["touches"].clone(), one["paths"].clone()))
    };
    gated.world.server.eventually("bob is told", async || told().await.is_some()).await;
    assert_eq!(told().await.unwrap(), (json!(id), json!("landed"), json!(["bob"]), json!(["a.txt"])));
}
