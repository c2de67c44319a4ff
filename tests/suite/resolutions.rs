//! Conflicts settled by merged results, and taking them into workspaces.

use orchestrator::Options;
use orchestrator_tests::{Answer, TestServer, commit, git, git_text, write};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub(crate) const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";
const CODE: &str = "def f():\n    return 1\n\n\ndef g():\n    return 2\n";

/// Two agents, each in a worktree of one repository.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) ann: PathBuf,
    pub(crate) bob: PathBuf,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(configure: fn(&mut Options)) -> Self {
        let server = TestServer::start_with(configure, &[]).await;
        for (name, text) in [("a.txt", TEXT), ("b.txt", TEXT), ("code.py", CODE)] {
            server.write(name, text);
        }
        commit(&server.project(), "base");
        let mut folders = ["ann", "bob"].map(|agent| server.project().parent().unwrap().join(agent));
        for folder in &folders {
            let agent = folder.file_name().unwrap().to_str().unwrap();
            git(&server.project(), &["worktree", "add", "--quiet", "-b", agent, folder.to_str().unwrap()]);
            let answer = server.post("/agents/register", json!({"agent_id": agent, "workspace": folder})).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
        let [ann, bob] = std::mem::take(&mut folders);
        let world = Self { server, ann, bob };
        world.force().await;
        world
    }

    /// The first edits two regions' worth, the other clashes in one of them: `ann` and `bob` collide in line 3 alone.
    pub(crate) async fn collided() -> (Self, String) {
        Self::collided_with(|_| {}).await
    }

    pub(crate) async fn collided_with(configure: fn(&mut Options)) -> (Self, String) {
        let world = Self::with(configure).await;
        write(&world.ann, "a.txt", TEXT.replace("one", "ONE").replace("three\n", "3\n"));
        write(&world.bob, "a.txt", TEXT.replace("three\n", "III\nand more\n").replace("eight", "EIGHT"));
        let id = world.only_conflict().await;
        (world, id)
    }

    /// Returns when every file change made before is merged.
    pub(crate) async fn force(&self) {
        let answer = self.server.post("/command", json!({"command": "*sync:force"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    pub(crate) async fn open(&self) -> Vec<Value> {
        self.force().await;
        self.server.get("/conflicts?status=pending").await.body["conflicts"].as_array().unwrap().clone()
    }

    pub(crate) async fn only_conflict(&self) -> String {
        let open = self.open().await;
        assert_eq!(open.len(), 1, "{open:?}");
        open[0]["conflict_id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn resolve(&self, id: &str, mut request: Value) -> Answer {
        request["apply"] = json!(true);
        self.server.post(&format!("/conflicts/{id}/resolve"), request).await
    }

    pub(crate) async fn settle(&self, id: &str, strategy: &str) -> Value {
        let answer = self.resolve(id, json!({"resolution_strategy": strategy})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["resolution"].clone()
    }

    pub(crate) async fn content(&self, id: &str) -> String {
        let request = self.server.request("GET", &format!("/conflicts/{id}/resolution"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/octet-stream");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        answer.text().await.unwrap()
    }

    pub(crate) async fn pull(&self, agent: &str) -> Value {
        self.pull_with(agent, json!({})).await
    }

    pub(crate) async fn pull_with(&self, agent: &str, request: Value) -> Value {
        let answer = self.server.post(&format!("/agents/{agent}/pull"), request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["results"].clone()
    }

    /// Takes the one result that there is; answers with what stood there before.
    pub(crate) async fn pulls(&self, agent: &str) -> Value {
        let results = self.pull(agent).await;
        assert_eq!((results.as_array().unwrap().len(), &results[0]["state"]), (1, &json!("pulled")), "{results}");
        results[0]["backup"].clone()
    }

    /// Nothing is open, now or once everything has been told.
    pub(crate) async fn is_quiet(&self) {
        assert_eq!(self.open().await, Vec::<Value>::new());
        // What changes or vanishes is told when it has lasted for a second.
        tokio::time::sleep(std::time::Duration::from_millis(1_300)).await;
        assert_eq!(self.open().await, Vec::<Value>::new());
    }

    pub(crate) fn work(&self, arguments: &[&str]) -> String {
        let store = self.server.project().join(".git/orchestrator/work.git");
        git_text(&store, &[], arguments)
    }
}

pub(crate) fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[tokio::test]
async fn each_strategy_keeps_the_clean_changes_of_both_and_decides_the_rest() {
    for (request, expected) in [
        (json!({"resolution_strategy": "ours"}), "ONE\ntwo\n3\nfour\nfive\nsix\nseven\nEIGHT\n"),
        (json!({"resolution_strategy": "theirs"}), "ONE\ntwo\nIII\nand more\nfour\nfive\nsix\nseven\nEIGHT\n"),
        (
            json!({"resolution_strategy": "take", "agent": "BOB"}),
            "ONE\ntwo\nIII\nand more\nfour\nfive\nsix\nseven\nEIGHT\n",
        ),
        (json!({"resolution_strategy": "union"}), "ONE\ntwo\n3\nIII\nand more\nfour\nfive\nsix\nseven\nEIGHT\n"),
        (json!({"content": "by hand\n"}), "by hand\n"),
        (json!({"content": "AP9h", "encoding": "base64", "resolution_strategy": "manual"}), "\0\u{fffd}a"),
    ] {
        let (world, id) = World::collided().await;
        let answer = world.resolve(&id, request.clone()).await;
        assert_eq!(answer.status, 200, "{request}: {}", answer.body);
        assert_eq!(world.content(&id).await, expected, "{request}");
    }
}

#[tokio::test]
async fn both_pull_and_then_nothing_collides() {
    for strategy in ["ours", "theirs", "union"] {
        let (world, id) = World::collided().await;
        world.settle(&id, strategy).await;
        let result = world.content(&id).await;
        world.pulls("ann").await;
        assert_eq!(read(&world.ann, "a.txt"), result);
        world.is_quiet().await;
        world.pulls("bob").await;
        assert_eq!(read(&world.bob, "a.txt"), result, "{strategy}");
        world.is_quiet().await;
        let shown = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"]["resolution"].clone();
        assert_eq!(shown["pulled_by"], json!(["ann", "bob"]));
        assert_eq!(world.pull("ann").await, json!([]), "it has it");
        let again = world.pull_with("ann", json!({"conflicts": [id]})).await;
        assert_eq!(again[0]["state"], "unchanged");
    }
}

#[tokio::test]
async fn a_pull_merges_with_what_was_edited_since_and_never_over_the_same_lines() {
    let (world, id) = World::collided().await;
    world.settle(&id, "theirs").await;
    let since = read(&world.ann, "a.txt").replace("six", "SIX");
    write(&world.ann, "a.txt", &since);
    let dry = world.pull_with("ann", json!({"dry_run": true})).await;
    assert_eq!((&dry[0]["state"], &dry[0]["backup"]), (&json!("pulled"), &Value::Null));
    assert_eq!(read(&world.ann, "a.txt"), since, "nothing is written");
    world.pulls("ann").await;
    assert_eq!(read(&world.ann, "a.txt"), "ONE\ntwo\nIII\nand more\nfour\nfive\nSIX\nseven\nEIGHT\n");

    let since = read(&world.bob, "a.txt").replace("one", "uno");
    write(&world.bob, "a.txt", &since);
    let left = world.pull("bob").await;
    assert_eq!(left[0]["state"], "conflict");
    assert_eq!(left[0]["regions"][0]["sides"][0]["text"], "uno\n");
    assert_eq!(left[0]["regions"][0]["sides"][1]["text"], "ONE\n");
    assert_eq!(read(&world.bob, "a.txt"), since, "it is as it was");
    assert_eq!(world.work(&["for-each-ref", "refs/backup"]).lines().count(), 1, "ann's alone");
}

#[tokio::test]
async fn the_backup_holds_what_was_written_over_and_its_rights_stay() {
    let (world, id) = World::collided().await;
    std::fs::set_permissions(world.ann.join("a.txt"), PermissionsExt::from_mode(0o600)).unwrap();
    let before = read(&world.ann, "a.txt");
    world.settle(&id, "theirs").await;
    let backup = world.pulls("ann").await;
    assert_eq!(std::fs::metadata(world.ann.join("a.txt")).unwrap().permissions().mode() & 0o777, 0o600);
    let (name, commit) = (backup["ref"].as_str().unwrap(), backup["commit"].as_str().unwrap());
    assert_eq!(world.work(&["rev-parse", name]), commit);
    assert_eq!(world.work(&["show", &format!("{name}:a.txt")]), before.trim_end());
    // The command in the answer gets it back.
    let fetch: Vec<&str> = backup["restore"].as_str().unwrap().split(' ').map(|word| word.trim_matches('\'')).collect();
    git(&world.ann, &fetch[1..]);
    let branch = fetch[3].rsplit_once(":refs/heads/").unwrap().1;
    git(&world.ann, &["checkout", "--quiet", branch, "--", "a.txt"]);
    assert_eq!(read(&world.ann, "a.txt"), before);
    // What was undone can be taken again, by name.
    assert_eq!(world.pull("ann").await, json!([]));
    assert_eq!(world.pull_with("ann", json!({"conflicts": [id]})).await[0]["state"], "pulled");
}

#[tokio::test]
async fn nothing_is_written_while_git_or_a_writer_is_at_work() {
    let (world, id) = World::collided().await;
    world.settle(&id, "theirs").await;
    let before = read(&world.ann, "a.txt");
    let lock = world.server.project().join(".git/worktrees/ann/index.lock");
    std::fs::write(&lock, "").unwrap();
    assert_eq!(world.pull("ann").await[0]["state"], "busy");
    std::fs::remove_file(&lock).unwrap();

    let mut writer = std::fs::OpenOptions::new().append(true).open(world.ann.join("a.txt")).unwrap();
    std::io::Write::write_all(&mut writer, b"half a li").unwrap();
    let busy = world.pull("ann").await;
    assert_eq!(busy[0]["state"], "busy", "{busy}");
    assert_eq!(read(&world.ann, "a.txt"), format!("{before}half a li"));
    std::io::Write::write_all(&mut writer, b"ne\n").unwrap();
    drop(writer);
    assert_eq!(world.pull("ann").await[0]["state"], "conflict", "its last line is also the result's");
    write(&world.ann, "a.txt", &before);
    world.pulls("ann").await;
}

#[tokio::test]
async fn the_log_says_who_how_from_what_and_to_what() {
    let (world, id) = World::collided().await;
    let mut socket = world.server.socket("/agent/bob").await;
    let request = json!({"resolution_strategy": "take", "agent": "ann", "resolved_by": "boss"});
    let made = world.resolve(&id, request).await.body["resolution"].clone();
    let push = socket.next_of("conflict_resolved").await;
    assert_eq!(push["resolution"], made);
    assert_eq!((&made["strategy"], &made["agent"], &made["by"]), (&json!("take"), &json!("ann"), &json!("boss")));
    // Everything named is there, durable, and what git says it is.
    let blob = |text: &str| world.work(&["cat-file", "blob", text]);
    let names = ["base", "first", "second", "result"];
    let ids = [&made["base"], &made["sides"][0]["content"], &made["sides"][1]["content"], &made["result"]];
    for (name, id) in names.iter().zip(ids) {
        let reference = made["ref"].as_str().unwrap();
        assert_eq!(world.work(&["rev-parse", &format!("{reference}:{name}")]), id.as_str().unwrap());
    }
    assert_eq!(blob(made["base"].as_str().unwrap()), TEXT.trim_end());
    assert_eq!(blob(made["sides"][0]["content"].as_str().unwrap()), read(&world.ann, "a.txt").trim_end());
    let backup = world.pulls("bob").await;
    let pulled = socket.next_of("conflict_pulled").await;
    assert_eq!((&pulled["agent_id"], &pulled["conflict_id"]), (&json!("bob"), &json!(id)));
    assert_eq!(pulled["backup"], backup["ref"]);
    let feed = world.server.get("/events?after=0&limit=1000").await.body["events"].clone();
    let told = |kind: &str| feed.as_array().unwrap().iter().any(|one| one["type"] == kind);
    assert!(told("conflict_resolved") && told("conflict_pulled"));
}

#[tokio::test]
async fn a_restart_between_settling_and_pulling_changes_nothing() {
    let (mut world, id) = World::collided().await;
    let made = world.settle(&id, "union").await;
    let result = world.content(&id).await;
    world.server = world.server.restart().await;
    assert_eq!(world.content(&id).await, result);
    let shown = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"].clone();
    assert_eq!(shown["resolution"], made);
    world.pulls("bob").await;
    world.is_quiet().await;
    world.server = world.server.restart().await;
    world.is_quiet().await;
    world.pulls("ann").await;
    assert_eq!((read(&world.ann, "a.txt"), read(&world.bob, "a.txt")), (result.clone(), result));
    world.is_quiet().await;
}

#[tokio::test]
async fn a_record_of_the_past_is_not_settled_and_a_result_of_the_past_not_pulled() {
    let (world, id) = World::collided().await;
    write(&world.bob, "a.txt", TEXT.replace("three", "drei"));
    // The record still has the old lines for a second; what is settled would be others.
    let answer = world.resolve(&id, json!({"resolution_strategy": "ours"})).await;
    assert_eq!((answer.status, answer.code()), (409, "conflict_changed"), "{}", answer.body);
    let changed = async || {
        let shown = world.server.get(&format!("/conflicts/{id}")).await.body;
        shown["conflict"]["regions"][0]["sides"][1]["text"] == "drei\n"
    };
    world.server.eventually("the record follows", changed).await;
    world.settle(&id, "theirs").await;
    write(&world.ann, "a.txt", TEXT.replace("three", "trois"));
    let newer = async || world.open().await.len() == 1;
    world.server.eventually("other lines are another conflict", newer).await;
    assert_eq!(world.pull("ann").await, json!([]));
    assert_eq!(world.pull_with("ann", json!({"conflicts": [id]})).await[0]["state"], "gone");
}

#[tokio::test]
async fn work_that_landed_is_a_side_like_another() {
    for (request, expected) in [
        (json!({"resolution_strategy": "ours"}), "mine"),
        (json!({"resolution_strategy": "theirs"}), "landed"),
        (json!({"resolution_strategy": "union"}), "mine\nlanded"),
    ] {
        let world = World::new().await;
        write(&world.ann, "a.txt", TEXT.replace("one", "mine"));
        world.server.write("a.txt", &TEXT.replace("one", "landed").replace("eight", "8"));
        commit(&world.server.project(), "landed");
        let found = async || world.open().await.len() == 1;
        world.server.eventually("the landed work collides", found).await;
        let id = world.only_conflict().await;
        let branch = world.server.get(&format!("/conflicts/{id}")).await.body["conflict"]["target"].clone();
        let answer = world.resolve(&id, request).await;
        assert_eq!(answer.body["resolution"]["sides"][1]["name"], branch);
        world.pulls("ann").await;
        assert_eq!(read(&world.ann, "a.txt"), TEXT.replace("one", expected).replace("eight", "8"));
        world.is_quiet().await;
    }
}

#[tokio::test]
async fn a_deletion_against_a_change_is_one_decision() {
    for (strategy, stands) in [("ours", false), ("theirs", true)] {
        let world = World::new().await;
        std::fs::remove_file(world.ann.join("b.txt")).unwrap();
        write(&world.bob, "b.txt", TEXT.replace("two", "2"));
        let id = world.only_conflict().await;
        for refused in ["union", "auto"] {
            let answer = world.resolve(&id, json!({"resolution_strategy": refused})).await;
            assert_eq!((answer.status, answer.code()), (409, "cannot_settle"), "{}", answer.body);
        }
        let made = world.settle(&id, strategy).await;
        assert_eq!(made["result"].is_string(), stands);
        let bytes = world.server.get(&format!("/conflicts/{id}/resolution")).await;
        assert_eq!(bytes.status, if stands { 200 } else { 204 });
        let (taker, folder) = if stands { ("ann", &world.ann) } else { ("bob", &world.bob) };
        world.pulls(taker).await;
        assert_eq!(folder.join("b.txt").exists(), stands);
        world.is_quiet().await;
        let other = if stands { "bob" } else { "ann" };
        assert_eq!(world.pull(other).await[0]["state"], "unchanged");
    }
}

#[tokio::test]
async fn a_rename_is_kept_and_goes_to_the_other_agent_too() {
    let world = World::new().await;
    std::fs::remove_file(world.ann.join("b.txt")).unwrap();
    write(&world.ann, "moved.txt", TEXT.replace("one", "ONE"));
    write(&world.bob, "b.txt", TEXT.replace("one", "1").replace("eight", "8"));
    let id = world.only_conflict().await;
    let made = world.settle(&id, "theirs").await;
    assert_eq!((&made["file_path"], &made["sides"][1]["file_path"]), (&json!("moved.txt"), &json!("b.txt")));
    let expected = TEXT.replace("one", "1").replace("eight", "8");
    // What bob does meanwhile goes along to the new name.
    write(&world.bob, "b.txt", expected.replace("five", "5"));
    let backup = world.pulls("bob").await;
    assert!(!world.bob.join("b.txt").exists());
    assert_eq!(read(&world.bob, "moved.txt"), expected.replace("five", "5"));
    world.pulls("ann").await;
    assert_eq!(read(&world.ann, "moved.txt"), expected);
    let force = json!({"command": "*sync:force"});
    assert_eq!(world.server.post("/command", force).await.status, 200);
    let over = async || world.open().await.is_empty();
    world.server.eventually("nothing collides any more", over).await;
    let kept = world.work(&["show", &format!("{}:b.txt", backup["commit"].as_str().unwrap())]);
    assert_eq!(kept, expected.replace("five", "5").trim_end());
}

#[tokio::test]
async fn permissions_and_binary_contents_are_taken_whole() {
    let world = World::new().await;
    for (folder, mode, content) in [(&world.ann, 0o755, b"a\0a"), (&world.bob, 0o644, b"b\0b")] {
        std::fs::write(folder.join("tool"), content).unwrap();
        std::fs::set_permissions(folder.join("tool"), PermissionsExt::from_mode(mode)).unwrap();
    }
    let id = world.only_conflict().await;
    let answer = world.resolve(&id, json!({"resolution_strategy": "union"})).await;
    assert_eq!((answer.status, answer.code()), (409, "cannot_settle"), "{}", answer.body);
    assert_eq!(world.settle(&id, "ours").await["mode"], "executable");
    world.pulls("bob").await;
    assert_eq!(read(&world.bob, "tool"), "a\0a");
    assert_eq!(std::fs::metadata(world.bob.join("tool")).unwrap().permissions().mode() & 0o777, 0o755);
    world.is_quiet().await;
}

#[tokio::test]
async fn a_result_that_is_not_sound_is_refused() {
    let world = World::new().await;
    write(&world.ann, "code.py", CODE.replace("return 1", "return (\n        1)"));
    write(&world.bob, "code.py", CODE.replace("return 1", "return (\n        9)"));
    let id = world.only_conflict().await;
    let auto = world.resolve(&id, json!({"resolution_strategy": "auto"})).await;
    assert_eq!((auto.status, auto.code()), (409, "cannot_settle"));
    assert!(auto.body["detail"].as_str().unwrap().starts_with("1 region is left"), "{}", auto.body);
    let union = world.resolve(&id, json!({"resolution_strategy": "union"})).await;
    assert_eq!((union.status, union.code()), (409, "result_does_not_parse"), "{}", union.body);
    let markers = "<<<<<<< ours\nx = 1\n=======\nx = 2\n>>>>>>> theirs\n";
    let refused = world.resolve(&id, json!({"content": markers})).await;
    assert_eq!((refused.status, refused.code()), (409, "result_refused"), "{}", refused.body);
    let broken = world.resolve(&id, json!({"content": "x = 1\ndef (:\n"})).await;
    assert_eq!(broken.code(), "result_does_not_parse");
    assert!(broken.body["detail"].as_str().unwrap().ends_with("line 2"), "{}", broken.body);
    assert_eq!(world.work(&["for-each-ref", "refs/resolution"]), "", "nothing is kept of what was refused");
    let forced = world.resolve(&id, json!({"content": "x = 1\ndef (:\n", "force": true})).await;
    assert_eq!((forced.status, &forced.body["resolution"]["forced"]), (200, &json!(true)));
}

#[tokio::test]
async fn what_settles_by_itself_is_settled_by_auto() {
    let world = World::new().await;
    write(&world.ann, "a.txt", TEXT.trim_end());
    write(&world.bob, "a.txt", TEXT.replace("eight\n", "eight\nnine\n"));
    let open = world.open().await;
    assert_eq!(open[0]["severity"], "low", "{open:?}");
    let id = open[0]["conflict_id"].as_str().unwrap();
    world.settle(id, "auto").await;
    assert_eq!(world.content(id).await, format!("{TEXT}nine"));
}

#[tokio::test]
async fn the_first_who_settles_decides() {
    let (world, id) = World::collided().await;
    let (one, two) = tokio::join!(
        world.resolve(&id, json!({"resolution_strategy": "ours"})),
        world.resolve(&id, json!({"resolution_strategy": "theirs"}))
    );
    let (won, lost) = if one.status == 200 { (one, two) } else { (two, one) };
    assert_eq!((won.status, lost.status, lost.code()), (200, 409, "already_resolved"));
    assert_eq!(world.work(&["for-each-ref", "refs/resolution"]).lines().count(), 1);
    let mark = world.server.post(&format!("/conflicts/{id}/resolve"), json!({})).await;
    assert_eq!(mark.code(), "already_resolved");
}

#[tokio::test]
async fn bad_input_is_refused_with_a_reason() {
    let (world, id) = World::collided().await;
    let too_large = "x".repeat(1_100_000);
    for (request, status, code) in [
        (json!({"resolution_strategy": "kept both"}), 422, "invalid_request"),
        (json!({"resolution_strategy": "take"}), 422, "invalid_request"),
        (json!({"resolution_strategy": "take", "agent": "carl"}), 422, "invalid_request"),
        (json!({"resolution_strategy": "manual"}), 422, "invalid_request"),
        (json!({}), 422, "invalid_request"),
        (json!({"content": "a", "encoding": "base64"}), 422, "invalid_request"),
        (json!({"content": "a", "encoding": "latin1"}), 422, "invalid_request"),
        (json!({"content": 7}), 422, "invalid_request"),
        (json!({"content": too_large}), 413, "body_too_large"),
    ] {
        let answer = world.resolve(&id, request).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.body);
        assert!(answer.body["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    }
    let unknown = world.resolve("c9999", json!({"resolution_strategy": "ours"})).await;
    assert_eq!((unknown.status, unknown.code()), (404, "unknown_conflict"));
    let none = world.server.get(&format!("/conflicts/{id}/resolution")).await;
    assert_eq!((none.status, none.code()), (404, "unknown_resolution"));

    world.server.register("carl", &[]).await;
    world.settle(&id, "ours").await;
    for (agent, request, status, code) in [
        ("nobody", json!({}), 404, "unknown_agent"),
        ("carl", json!({}), 422, "not_supported"),
        ("ann", json!({"conflicts": ["c9999"]}), 404, "unknown_conflict"),
        ("ann", json!({"conflicts": ["x"]}), 404, "unknown_conflict"),
        ("ann", json!({"dry_run": "perhaps"}), 422, "invalid_request"),
    ] {
        let answer = world.server.post(&format!("/agents/{agent}/pull"), request).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.body);
    }
    // Reports alone are no work that could be merged.
    let (a, b) = ("dora", "emil");
    for agent in [a, b] {
        world.server.register(agent, &[]).await;
        let change = json!({"type": "code_change", "file_path": "x.py", "change_type": "modified"});
        let mut socket = world.server.socket(&format!("/agent/{agent}")).await;
        socket.send(change).await;
        socket.next_of("code_change_ack").await;
    }
    let reported = world.only_conflict().await;
    let answer = world.resolve(&reported, json!({"resolution_strategy": "ours"})).await;
    assert_eq!((answer.status, answer.code()), (422, "not_supported"), "{}", answer.body);
    let foreign = world.server.post("/agents/ann/pull", json!({"conflicts": [reported]})).await;
    assert_eq!((foreign.status, foreign.code()), (422, "invalid_request"), "{}", foreign.body);
}
