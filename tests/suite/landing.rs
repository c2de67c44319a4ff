//! Work reaches its branch: merged, checked by the project's own gates, and taken along by the folder that has the branch
//! checked out; or it is said why not.

use orchestrator::{Dirty, Options, Style};
use orchestrator_tests::{TestServer, commit, git, git_text, write};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A project with a commit, and agents with workspaces of their own.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) branch: String,
}

impl World {
    pub(crate) async fn new(files: &[(&str, &str)]) -> Self {
        Self::with(files, |_| {}).await
    }

    pub(crate) async fn with(files: &[(&str, &str)], configure: fn(&mut Options)) -> Self {
        let server = TestServer::start_with(configure, &[]).await;
        files.iter().for_each(|(path, content)| server.write(path, content));
        commit(&server.project(), "base");
        let branch = git_text(&server.project(), &[], &["symbolic-ref", "--short", "HEAD"]);
        Self { server, branch }
    }

    pub(crate) async fn agent(&self, name: &str) -> PathBuf {
        self.server.register(name, &[]).await;
        let answer = self.server.post(&format!("/agents/{name}/workspace"), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["workspace"]["path"].as_str().unwrap().into()
    }

    pub(crate) async fn ask(&self, agent: &str) -> String {
        let answer =
            self.server.post("/merges", json!({"agent_id": agent, "message": format!("{agent}'s work")})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["merge"]["merge_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn merge(&self, id: &str) -> Value {
        self.server.get(&format!("/merges/{id}")).await.body["merge"].clone()
    }

    /// The merge when it has come to one of these states.
    pub(crate) async fn until(&self, id: &str, states: &[&str]) -> Value {
        let there = async || {
            let degraded = self.server.get("/health").await.body["degraded"].clone();
            assert_eq!(degraded, json!([]), "{}", self.merge(id).await);
            states.contains(&self.merge(id).await["state"].as_str().unwrap())
        };
        self.server.eventually(&format!("{id} is {states:?}"), there).await;
        self.merge(id).await
    }

    /// Its end.
    pub(crate) async fn over(&self, id: &str) -> Value {
        self.until(id, &["landed", "conflict", "rejected", "cancelled"]).await
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git_text(&self.server.project(), &[], arguments)
    }

    pub(crate) fn tip(&self) -> String {
        self.git(&["rev-parse", &self.branch])
    }
}

#[tokio::test]
async fn work_lands_as_it_stands_and_the_checked_out_folder_follows() {
    let world = World::new(&[("a.txt", "one\n"), ("b.txt", "b\n")]).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "two\n");
    write(&ann, "new/file.txt", "new\n");
    let base = world.tip();
    // What a person does meanwhile in the project's folder stays.
    world.server.write("b.txt", "a person's\n");
    let id = world.ask("ann").await;
    let merge = world.over(&id).await;
    assert_eq!(
        (&merge["state"], &merge["paths"], &merge["base"]),
        (&json!("landed"), &json!(2), &json!(base)),
        "{merge}"
    );
    assert_eq!(merge["commit"], json!(world.tip()));
    assert_eq!(world.git(&["show", "-s", "--format=%an|%P|%s", "HEAD"]), format!("ann|{base}|ann's work"));
    let trailers = world.git(&["show", "-s", "--format=%(trailers:only)", "HEAD"]);
    assert!(trailers.contains(&format!("Orchestrator-Merge: {id}")) && trailers.contains("Orchestrator-Agent: ann"));
    assert_eq!(world.git(&["status", "--porcelain"]), " M b.txt", "nothing else is changed there");
    assert_eq!(std::fs::read_to_string(world.server.project().join("new/file.txt")).unwrap(), "new\n");
    git(&world.server.project(), &["fsck", "--strict"]);
    let backup = merge["backup"].as_str().unwrap();
    let store = world.server.project().join(".git/orchestrator/work.git");
    assert_eq!(git_text(&store, &[], &["rev-parse", backup]), base);
    let run = world.server.post("/command", json!({"command": "*merge:run ann"})).await;
    let again = run.body["result"]["merge"]["merge_id"].clone();
    let nothing = world.over(again.as_str().unwrap()).await;
    let status = world.server.post("/command", json!({"command": "*merge:status"})).await.body["result"].clone();
    assert_eq!((&status["total"], &status["merges"][0]), (&json!(2), &nothing));
    assert_eq!(nothing["state"], "rejected");
    assert!(nothing["reason"].as_str().unwrap().contains("nothing to land"), "{nothing}");
}

#[tokio::test]
async fn two_agents_land_one_after_the_other_and_what_both_changed_is_merged() {
    let list = "import b\n\n\ndef f():\n    return 1\n";
    let world = World::new(&[("m.py", list)]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "m.py", "import a\nimport b\n\n\ndef f():\n    return 1\n");
    write(&bob, "m.py", "import b\nimport c\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 2\n");
    let (first, second) = (world.ask("ann").await, world.ask("bob").await);
    assert_eq!(world.over(&first).await["state"], "landed");
    let merge = world.over(&second).await;
    assert_eq!(merge["state"], "landed", "{merge}");
    assert_eq!(merge["settled"][0]["files"], 1, "{merge}");
    let text = world.git(&["show", "HEAD:m.py"]);
    assert!(["import a", "import b", "import c", "def g"].iter().all(|part| text.contains(part)), "{text}");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert_eq!(world.git(&["rev-list", "--count", "HEAD"]), "3");
}

#[tokio::test]
async fn what_collides_is_named_and_nothing_moves() {
    let world = World::new(&[("a.txt", "one\n"), ("gone.txt", "g\n")]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "a.txt", "ann's\n");
    write(&ann, "gone.txt", "changed\n");
    write(&bob, "a.txt", "bob's\n");
    std::fs::remove_file(bob.join("gone.txt")).unwrap();
    write(&bob, "other.txt", "fine\n");
    let first = world.ask("ann").await;
    world.over(&first).await;
    let tip = world.tip();
    let second = world.ask("bob").await;
    let merge = world.over(&second).await;
    assert_eq!(merge["state"], "conflict", "{merge}");
    let paths: Vec<&str> =
        merge["open"].as_array().unwrap().iter().map(|one| one["file_path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["a.txt", "gone.txt"]);
    assert_eq!(world.tip(), tip);
}

#[tokio::test]
async fn a_use_of_what_landed_work_renamed_is_no_clean_merge() {
    let library = "def price(order):\n    return order.total\n";
    let world = World::new(&[("lib.py", library), ("shop.py", "import lib\n")]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "lib.py", "def amount(order):\n    return order.total\n");
    write(&bob, "shop.py", "import lib\n\n\ndef pay(order):\n    return lib.price(order)\n");
    let first = world.ask("ann").await;
    world.over(&first).await;
    let second = world.ask("bob").await;
    let merge = world.over(&second).await;
    assert_eq!((&merge["state"], &merge["open"][0]["file_path"]), (&json!("conflict"), &json!("shop.py")), "{merge}");
}

#[tokio::test]
async fn the_same_request_is_one_landing_and_a_bad_one_is_refused() {
    let world =
        World::with(&[("a.txt", "one\n"), ("keep", "k\n")], |options| options.landing.dirty = Dirty::Wait).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "two\n");
    // The folder is in the way, so that the landing stays open.
    world.server.write("a.txt", "a person's\n");
    let id = world.ask("ann").await;
    world.until(&id, &["waiting"]).await;
    assert_eq!(world.ask("ann").await, id);
    let refused = async |body: Value| {
        let answer = world.server.post("/merges", body).await;
        (answer.status, answer.code().to_owned())
    };
    assert_eq!(refused(json!({"agent_id": "nobody"})).await, (404, "unknown_agent".to_owned()));
    assert_eq!(refused(json!({})).await.0, 422);
    for target in ["none", "--output=f", "a..b", "x.lock", "HEAD", ""] {
        assert_eq!(refused(json!({"agent_id": "ann", "target": target})).await.0, 422, "{target}");
    }
    assert_eq!(refused(json!({"agent_id": "ann", "snapshot": "s999"})).await, (404, "unknown_snapshot".to_owned()));
    for path in ["/merges/merge-9999", "/merges/x", "/merges/merge--1"] {
        assert_eq!(world.server.get(path).await.status, 404, "{path}");
    }
    world.server.register("idle", &[]).await;
    assert_eq!(refused(json!({"agent_id": "idle"})).await, (404, "unknown_workspace".to_owned()));
    for _ in 0..2 {
        let answer = world.server.post(&format!("/merges/{id}/cancel"), json!({})).await;
        assert_eq!((answer.status, &answer.body["merge"]["state"]), (200, &json!("cancelled")));
    }
    assert_eq!(world.server.get("/merges").await.body["merges"][0]["merge_id"], json!(id));
}

#[tokio::test]
async fn where_the_folder_is_in_the_way_it_lands_beside_and_the_branch_follows_later() {
    let world = World::new(&[("a.txt", "one\n"), ("b.txt", "b\n")]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "a.txt", "two\n");
    write(&bob, "b.txt", "bob's\n");
    world.server.write("a.txt", "a person's\n");
    let base = world.tip();
    let first = world.ask("ann").await;
    let merge = world.over(&first).await;
    let beside = format!("orchestrator/{}", world.branch);
    assert_eq!((&merge["state"], &merge["branch"]), (&json!("landed"), &json!(beside)), "{merge}");
    assert_eq!((world.tip(), world.git(&["show", &format!("{beside}:a.txt")])), (base, "two".to_owned()));
    assert_eq!(std::fs::read_to_string(world.server.project().join("a.txt")).unwrap(), "a person's\n");
    git(&world.server.project(), &["checkout", "--quiet", "a.txt"]);
    let second = world.ask("bob").await;
    let merge = world.over(&second).await;
    assert_eq!((&merge["state"], &merge["branch"]), (&json!("landed"), &json!(world.branch)), "{merge}");
    assert_eq!(
        (world.git(&["show", "HEAD:a.txt"]), world.git(&["show", "HEAD:b.txt"])),
        ("two".into(), "bob's".into())
    );
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn what_waits_for_the_folder_lands_when_it_is_free() {
    let world =
        World::with(&[("a.txt", "one\n"), ("b.txt", "b\n")], |options| options.landing.dirty = Dirty::Wait).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "a.txt", "two\n");
    write(&bob, "b.txt", "bob's\n");
    world.server.write("a.txt", "a person's\n");
    let first = world.ask("ann").await;
    let waiting = world.until(&first, &["waiting"]).await;
    assert!(waiting["reason"].as_str().unwrap().contains("a.txt: it was changed there"), "{waiting}");
    let second = world.ask("bob").await;
    assert_eq!(world.over(&second).await["state"], "landed", "who does not touch it goes on");
    git(&world.server.project(), &["checkout", "--quiet", "a.txt"]);
    assert_eq!(world.over(&first).await["state"], "landed");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[tokio::test]
async fn an_agents_own_commits_stay_with_style_merge() {
    let world = World::with(&[("a.txt", "one\n")], |options| options.landing.style = Style::Merge).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "two\n");
    commit(&ann, "ann's own");
    let own = git_text(&ann, &[], &["rev-parse", "HEAD"]);
    write(&ann, "more.txt", "not committed\n");
    let id = world.ask("ann").await;
    assert_eq!(world.over(&id).await["state"], "landed");
    assert_eq!(world.git(&["rev-parse", "HEAD^2"]), own);
    assert_eq!(world.git(&["show", "HEAD:more.txt"]), "not committed");
}

#[tokio::test]
async fn a_thousand_requests_at_once_are_all_answered_and_none_lands_twice() {
    let world = World::new(&[("a.txt", "one\n")]).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "two\n");
    let asked = (0..1_000).map(|_| world.server.post("/merges", json!({"agent_id": "ann"})));
    let answers = futures_util::future::join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let all = world.server.get("/merges").await.body["merges"].as_array().unwrap().clone();
    for merge in &all {
        world.over(merge["merge_id"].as_str().unwrap()).await;
    }
    let all = world.server.get("/merges").await.body["merges"].as_array().unwrap().clone();
    assert_eq!(all.iter().filter(|merge| merge["state"] == "landed").count(), 1, "{all:?}");
    assert_eq!(world.git(&["rev-list", "--count", "HEAD"]), "2");
}

#[tokio::test]
async fn a_restart_takes_the_queue_up_where_it_was() {
    let mut world = World::with(&[("a.txt", "one\n")], |options| options.landing.dirty = Dirty::Wait).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "two\n");
    world.server.write("a.txt", "a person's\n");
    let id = world.ask("ann").await;
    world.until(&id, &["waiting"]).await;
    let before = world.server.get("/events?after=0").await.body["events"].clone();
    world.server = world.server.restart().await;
    assert_eq!(world.merge(&id).await["state"], "waiting");
    let after = world.server.get("/events?after=0").await.body["events"].clone();
    let merges = |events: &Value| {
        let all = events.as_array().unwrap().iter().filter(|one| one["type"] == "merge_update").cloned();
        all.collect::<Vec<_>>()
    };
    assert!(!merges(&before).is_empty());
    assert_eq!(merges(&before), merges(&after)[..merges(&before).len()]);
    git(&world.server.project(), &["checkout", "--quiet", "a.txt"]);
    assert_eq!(world.over(&id).await["state"], "landed");
    assert_eq!(world.git(&["show", "HEAD:a.txt"]), "two");
}

/// A gate of a shell's text, in the form of `orchestrator.toml`.
pub(crate) fn gate(name: &str, script: &str, more: &str) -> String {
    format!("[[gates]]\nname = \"{name}\"\nrun = [\"sh\", \"-c\", {script:?}]\n{more}\n")
}

#[tokio::test]
async fn gates_run_on_exactly_the_merged_tree_and_a_red_one_keeps_it_out() {
    let gates = [
        gate(
            "exact",
            "test $(cat a.txt) = two && test ! -e untracked && ! git rev-parse 2> /dev/null && echo seen",
            "",
        ),
        gate("elsewhere", "exit 1", "paths = [\"docs/\"]"),
        gate("advice", "echo no; exit 3", "required = false"),
        gate("tests", "grep -q good b.txt || { echo 'b is bad'; exit 7; }", ""),
    ];
    let world = World::new(&[("a.txt", "one\n"), ("b.txt", "good\n"), ("orchestrator.toml", &gates.concat())]).await;
    let ann = world.agent("ann").await;
    world.server.write("untracked", "a person's\n");
    write(&ann, "a.txt", "two\n");
    write(&ann, "b.txt", "bad\n");
    // What is to land does not choose its own judges.
    write(&ann, "orchestrator.toml", "");
    let tip = world.tip();
    let id = world.ask("ann").await;
    let merge = world.over(&id).await;
    assert_eq!(
        (&merge["state"], &merge["reason"]),
        (&json!("rejected"), &json!("gate 'tests' failed with exit code 7"))
    );
    let ran: Vec<(&str, &str)> = merge["gates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gate| (gate["name"].as_str().unwrap(), gate["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(ran, [("exact", "passed"), ("advice", "failed"), ("tests", "failed")]);
    assert_eq!(merge["gates"][2]["exit_code"], 7);
    assert!(merge["gates"][2]["output"].as_str().unwrap().contains("b is bad"), "{merge}");
    let output = world.server.request("GET", &format!("/merges/{id}/gates/exact/output")).send().await.unwrap();
    assert_eq!(output.text().await.unwrap(), "seen\n");
    assert_eq!(world.server.get(&format!("/merges/{id}/gates/elsewhere/output")).await.status, 404);
    assert_eq!(world.tip(), tip);
    write(&ann, "b.txt", "good again\n");
    let id = world.ask("ann").await;
    let merge = world.over(&id).await;
    assert_eq!(merge["state"], "landed", "{merge}");
    assert!(world.git(&["show", "-s", "--format=%(trailers:only)"]).contains("Orchestrator-Gates: exact, tests"));
}

#[tokio::test]
async fn gates_that_cannot_be_read_or_started_or_end_too_late_keep_it_out() {
    for (definitions, reason) in [
        ("[[gates]]\nname = 'x'\n".to_owned(), "the gates cannot be read"),
        ("[[gates]]\nname = 'x'\nrun = ['/no/such/program']\n".to_owned(), "gate 'x' could not be started"),
        (gate("x", "sleep 60", "timeout = \"300ms\""), "gate 'x' took too long"),
        (gate("x", "kill -9 $$", ""), "gate 'x' did not pass"),
    ] {
        let world = World::new(&[("a.txt", "one\n"), ("orchestrator.toml", &definitions)]).await;
        let ann = world.agent("ann").await;
        write(&ann, "a.txt", "two\n");
        let (tip, id) = (world.tip(), world.ask("ann").await);
        let merge = world.over(&id).await;
        assert_eq!((&merge["state"], world.tip()), (&json!("rejected"), tip), "{merge}");
        assert!(merge["reason"].as_str().unwrap().starts_with(reason), "{merge}");
    }
}

#[tokio::test]
async fn two_green_sides_that_are_red_together_are_a_conflict() {
    let together = gate("together", "! { test -e one && test -e two; }", "");
    let world = World::new(&[("a.txt", "a\n"), ("orchestrator.toml", &together)]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "one", "1\n");
    write(&bob, "two", "2\n");
    let first = world.ask("ann").await;
    assert_eq!(world.over(&first).await["state"], "landed");
    let second = world.ask("bob").await;
    let merge = world.over(&second).await;
    assert_eq!(merge["state"], "conflict", "{merge}");
    assert!(merge["reason"].as_str().unwrap().contains("passes on the work alone"), "{merge}");
}

#[tokio::test]
async fn a_persons_commit_during_the_gates_is_gated_too() {
    let slow = gate("slow", "cat a.txt b.txt; sleep 1", "");
    let world = World::new(&[("a.txt", "a\n"), ("b.txt", "b\n"), ("orchestrator.toml", &slow)]).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "ann's\n");
    let id = world.ask("ann").await;
    world.until(&id, &["gating"]).await;
    world.server.write("b.txt", "a person's\n");
    commit(&world.server.project(), "a person's commit");
    let between = world.tip();
    let merge = world.over(&id).await;
    assert_eq!((&merge["state"], &merge["attempts"], &merge["base"]), (&json!("landed"), &json!(2), &json!(between)));
    let output = world.server.request("GET", &format!("/merges/{id}/gates/slow/output")).send().await.unwrap();
    assert_eq!(output.text().await.unwrap(), "ann's\na person's\n", "what landed is what was gated");
    assert_eq!(world.git(&["rev-parse", "HEAD~1"]), between);
}

#[tokio::test]
async fn the_same_gate_on_the_same_tree_runs_once() {
    let once = gate("once", "cat a.txt", "");
    let files = [("a.txt", "a\n"), ("orchestrator.toml", once.as_str())];
    let world = World::with(&files, |options| options.landing.dirty = Dirty::Wait).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "ann's\n");
    world.server.write("a.txt", "a person's\n");
    let id = world.ask("ann").await;
    let waiting = world.until(&id, &["waiting"]).await;
    assert_eq!((&waiting["gates"][0]["cached"], &waiting["gates"][0]["verdict"]), (&json!(false), &json!("passed")));
    git(&world.server.project(), &["checkout", "--quiet", "a.txt"]);
    let merge = world.over(&id).await;
    assert_eq!((&merge["state"], &merge["gates"][0]["cached"]), (&json!("landed"), &json!(true)), "{merge}");
}

#[tokio::test]
async fn what_is_taken_out_while_its_gates_run_is_killed_and_the_next_goes_on() {
    let world =
        World::new(&[("a.txt", "a\n"), ("orchestrator.toml", &gate("long", "test -e quick || sleep 60", ""))]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "a.txt", "ann's\n");
    write(&bob, "quick", "bob's\n");
    let first = world.ask("ann").await;
    world.until(&first, &["gating"]).await;
    let second = world.ask("bob").await;
    let answer = world.server.post(&format!("/merges/{first}/cancel"), json!({})).await;
    assert_eq!(answer.body["merge"]["state"], "cancelled");
    assert_eq!(world.over(&second).await["state"], "landed");
    assert_eq!(world.merge(&first).await["state"], "cancelled");
}

#[tokio::test]
async fn a_landing_is_taken_back_alone_and_that_too() {
    let world = World::new(&[("a.txt", "a\n"), ("b.txt", "b\n"), ("bin", "\u{0}\u{1}\n")]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "a.txt", "ann's\n");
    write(&ann, "bin", "\u{0}\u{2}\n");
    std::fs::remove_file(ann.join("b.txt")).unwrap();
    write(&bob, "c.txt", "bob's\n");
    let before = world.git(&["rev-parse", "HEAD^{tree}"]);
    let (first, second) = (world.ask("ann").await, world.ask("bob").await);
    world.over(&first).await;
    world.over(&second).await;
    let both = world.git(&["rev-parse", "HEAD^{tree}"]);
    let operator = world.server.secret();
    let ask = async |body: Value| {
        let request =
            world.server.request("POST", "/rollback").header("X-Orchestrator-Operator", &operator).json(&body);
        world.server.send(request).await
    };
    let refused = world.server.post("/rollback", json!({"merge_id": first})).await;
    assert_eq!((refused.status, refused.code()), (403, "operator_only"));
    let planned = ask(json!({"merge_id": first, "dry_run": true})).await;
    assert_eq!((planned.status, &planned.body["paths"]), (200, &json!(["a.txt", "b.txt", "bin"])), "{}", planned.body);
    assert_eq!((&planned.body["merge"], &planned.body["dependents"]), (&Value::Null, &json!([])));
    let undo = ask(json!({"merge_id": first})).await.body["merge"]["merge_id"].as_str().unwrap().to_owned();
    assert_eq!(world.over(&undo).await["state"], "landed");
    assert_eq!(world.git(&["diff", "--name-only", &before, "HEAD"]), "c.txt", "exactly that landing, byte for byte");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    let redo = ask(json!({"merge_id": undo})).await.body["merge"]["merge_id"].as_str().unwrap().to_owned();
    assert_eq!(world.over(&redo).await["state"], "landed");
    assert_eq!(world.git(&["rev-parse", "HEAD^{tree}"]), both);
    let all = ask(json!({"since": "2020-01-01T00:00:00Z"})).await;
    assert_eq!(all.body["merges"].as_array().unwrap().len(), 4, "{}", all.body);
    let id = all.body["merge"]["merge_id"].as_str().unwrap().to_owned();
    assert_eq!(world.over(&id).await["state"], "landed");
    assert_eq!(world.git(&["rev-parse", "HEAD^{tree}"]), before);
    for bad in [json!({}), json!({"merge_id": first, "since": "2020-01-01T00:00:00Z"}), json!({"since": "yesterday"})] {
        assert_eq!(ask(bad.clone()).await.status, 422, "{bad}");
    }
    assert_eq!(ask(json!({"merge_id": "merge-99999"})).await.status, 404);
}

#[tokio::test]
async fn what_came_later_on_the_same_lines_is_named_and_a_rollback_does_not_overwrite_it() {
    let world = World::new(&[("a.txt", "one\n")]).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "two\n");
    let first = world.ask("ann").await;
    world.over(&first).await;
    git(&ann, &["reset", "--quiet", "--hard", &world.branch]);
    write(&ann, "a.txt", "three\n");
    let second = world.ask("ann").await;
    assert_eq!(world.over(&second).await["state"], "landed");
    let request = world.server.request("POST", "/rollback").header("X-Orchestrator-Operator", world.server.secret());
    let answer = world.server.send(request.json(&json!({"merge_id": first}))).await;
    assert_eq!(answer.body["dependents"], json!([second]));
    let id = answer.body["merge"]["merge_id"].as_str().unwrap().to_owned();
    assert_eq!(world.over(&id).await["state"], "conflict");
    assert_eq!(world.git(&["show", "HEAD:a.txt"]), "three");
}

#[tokio::test]
async fn a_branch_beside_that_somebody_else_made_is_not_built_upon() {
    let refuse = gate("refuse", "test ! -e slipped-in", "");
    let world = World::new(&[("a.txt", "a\n"), ("b.txt", "b\n"), ("orchestrator.toml", &refuse)]).await;
    let ann = world.agent("ann").await;
    write(&ann, "a.txt", "ann's\n");
    // With gates of its own: none.
    git(&world.server.project(), &["checkout", "--quiet", "-b", &format!("orchestrator/{}", world.branch)]);
    world.server.write("slipped-in", "x\n");
    world.server.write("orchestrator.toml", "");
    commit(&world.server.project(), "not checked");
    let foreign = world.git(&["rev-parse", "HEAD"]);
    git(&world.server.project(), &["checkout", "--quiet", &world.branch]);
    let id = world.ask("ann").await;
    let merge = world.over(&id).await;
    assert_eq!((&merge["state"], &merge["gates"][0]["name"]), (&json!("landed"), &json!("refuse")), "{merge}");
    assert_eq!(world.git(&["ls-tree", "--name-only", "HEAD", "slipped-in"]), "");
    assert_eq!(world.git(&["rev-parse", &format!("orchestrator/{}", world.branch)]), foreign, "it is left alone");
}

#[tokio::test]
async fn what_cannot_be_landed_at_all_is_refused_and_the_others_go_on() {
    let world = World::new(&[("a.txt", "a\n"), ("b.txt", "b\n")]).await;
    let (ann, bob) = (world.agent("ann").await, world.agent("bob").await);
    write(&ann, "a.txt", "ann's\n");
    write(&bob, "b.txt", "bob's\n");
    // A branch that only points to another one cannot be compared and swapped.
    let points = format!("refs/heads/{}", world.branch);
    git(&world.server.project(), &["symbolic-ref", "refs/heads/points", &points]);
    let request = json!({"agent_id": "ann", "target": "points", "priority": 9});
    let first = world.server.post("/merges", request).await.body["merge"]["merge_id"].as_str().unwrap().to_owned();
    let second = world.ask("bob").await;
    let there = async || world.merge(&second).await["state"] == "landed";
    for _ in 0..3 {
        if !there().await {
            tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        }
    }
    world.server.eventually("the other one lands", there).await;
    let is_refused = async || world.merge(&first).await["state"] == "rejected";
    world.server.eventually("it is refused", is_refused).await;
    let merge = world.merge(&first).await;
    assert!(merge["reason"].as_str().unwrap().contains("symbolic ref"), "{merge}");
}
