//! Everyone's unfinished work together: real worktrees, nothing committed.

use orchestrator_tests::{Socket, TestServer, commit, git, git_text, write};
use serde_json::{Value, json};
use std::path::PathBuf;

const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";
const TRY: &str = "\
class A {
    void a() {
        try {
            run();
        }
        // the first
        catch (IllegalStateException e) {
            first();
        }
        // the second
        catch (IllegalArgumentException e) {
            second();
        }
        // at last
        finally {
            last();
        }
        // done
    }
}
";
/// One of them has to stay.
const CLAUSES: [&str; 3] = [
    "        catch (IllegalStateException e) {\n            first();\n        }\n",
    "        catch (IllegalArgumentException e) {\n            second();\n        }\n",
    "        finally {\n            last();\n        }\n",
];
const BLOCK: &str = "b1\nb2\nb3\nb4\nb5\nb6\nb7\nb8\n";

fn moved() -> String {
    format!("{BLOCK}between\nm1\nm2\nm3\nend\nand more\nlast\n")
}

/// Three agents with a worktree each, registered in this order: cleo, ann, bob.
struct World {
    server: TestServer,
    cleo: PathBuf,
    ann: PathBuf,
    bob: PathBuf,
}

impl World {
    async fn new() -> Self {
        let server = TestServer::start().await;
        for (name, text) in [("a.txt", TEXT), ("b.txt", TEXT), ("A.java", TRY), ("moved.txt", &moved())] {
            server.write(name, text);
        }
        commit(&server.project(), "base");
        let folder = |agent: &str| server.project().parent().unwrap().join(agent);
        let [cleo, ann, bob] = ["cleo", "ann", "bob"].map(folder);
        for folder in [&cleo, &ann, &bob] {
            let agent = folder.file_name().unwrap().to_str().unwrap();
            git(&server.project(), &["worktree", "add", "--quiet", "-b", agent, folder.to_str().unwrap()]);
            server.follow(agent, folder).await;
        }
        server.force().await;
        Self { server, cleo, ann, bob }
    }

    /// Each takes another clause away: any two go together, and all three are no program.
    fn break_program(&self) {
        for (folder, clause) in [&self.cleo, &self.ann, &self.bob].into_iter().zip(CLAUSES) {
            write(folder, "A.java", TRY.replace(clause, ""));
        }
    }

    async fn sockets(&self) -> Vec<Socket> {
        let mut sockets = Vec::new();
        for agent in ["cleo", "ann", "bob"] {
            sockets.push(self.server.socket(&format!("/agent/{agent}")).await);
        }
        sockets
    }

    async fn union(&self) -> Value {
        self.server.force().await;
        let answer = self.server.get("/sync/union").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["union"].clone()
    }

    /// The open conflicts: path, agents, type, severity, and how the union breaks.
    async fn open(&self) -> Vec<Value> {
        self.server.force().await;
        let all = self.server.get("/conflicts?status=pending").await.body["conflicts"].clone();
        let fields = ["file_path", "conflicting_agents", "conflict_type", "severity", "union_break"];
        all.as_array().unwrap().iter().map(|one| fields.iter().map(|field| one[*field].clone()).collect()).collect()
    }

    /// The tree that git makes of these files in the project's folder.
    fn tree(&self, files: &[(&str, &str)]) -> String {
        let scratch = self.server.project().parent().unwrap().join("scratch");
        git(&self.server.project(), &["worktree", "add", "--quiet", "--detach", scratch.to_str().unwrap()]);
        for (name, text) in files {
            write(&scratch, name, text);
        }
        git(&scratch, &["add", "-A"]);
        let tree = git_text(&scratch, &[], &["write-tree"]).trim().to_owned();
        git(&self.server.project(), &["worktree", "remove", "--force", scratch.to_str().unwrap()]);
        tree
    }
}

fn without(clauses: &[usize]) -> String {
    clauses.iter().fold(TRY.to_owned(), |text, clause| text.replace(CLAUSES[*clause], ""))
}

/// The next conflict that a socket tells of, as the union's.
async fn told(socket: &mut Socket) -> Value {
    let push = socket.next_of("conflict_detected").await;
    assert_ne!(push["union_break"], Value::Null, "{push}");
    push
}

#[tokio::test]
async fn three_that_go_together_in_pairs_and_not_as_a_program_are_told_so_until_one_edits() {
    let world = World::new().await;
    let mut sockets = world.sockets().await;
    world.break_program();
    let mut pushes = Vec::new();
    for socket in &mut sockets {
        pushes.push(told(socket).await);
    }
    let id = pushes[0]["conflict_id"].clone();
    assert!(pushes.iter().all(|push| push["conflict_id"] == id), "one record: {pushes:?}");
    let push = &pushes[0];
    assert_eq!((&push["severity"], &push["conflict_type"]), (&json!("critical"), &json!("content")));
    let parties = (&push["conflicting_agents"], &push["affected_agent"], &push["union_break"]);
    assert_eq!(parties, (&json!(["bob", "cleo", "ann"]), &json!("bob"), &json!("does_not_parse")));
    assert_eq!(push["entities"], json!(["A.java::A.a"]));
    let removed: Vec<&Value> = push["regions"].as_array().unwrap().iter().map(|one| &one["base"]["text"]).collect();
    assert_eq!(removed, CLAUSES, "everyone's change is shown");
    assert_eq!(push["regions"][2]["sides"][0]["line_count"], 0, "bob took it away");
    assert_eq!(push["regions"][2]["sides"][1]["text"], CLAUSES[2], "and the union of the others has it");
    let record = json!(["A.java", ["bob", "cleo", "ann"], "content", "critical", "does_not_parse"]);
    assert_eq!(world.open().await, [record]);

    let union = world.union().await;
    assert_eq!((&union["agents"], &union["left_out"]), (&json!(["cleo", "ann", "bob"]), &json!([])));
    let broken = json!([{
        "file_path": "A.java", "agents": ["bob", "cleo", "ann"], "cause": "does_not_parse", "conflict_id": id,
    }]);
    assert_eq!((&union["breaks"], &union["tree"]), (&broken, &Value::Null));
    assert_eq!(union["merged"], json!([{"file_path": "A.java", "agents": ["cleo", "ann"]}]));

    let id = id.as_str().unwrap();
    let request = json!({"apply": true, "resolution_strategy": "auto"});
    let refused = world.server.post(&format!("/conflicts/{id}/resolve"), request).await;
    assert_eq!((refused.status, refused.code()), (409, "cannot_settle"), "{}", refused.body);

    write(&world.ann, "A.java", TRY.replace("second();", "another();"));
    for socket in &mut sockets {
        let gone = socket.next_of("conflict_resolved").await;
        assert_eq!((&gone["conflict_id"], &gone["resolution_strategy"]), (&json!(id), &json!("withdrawn")));
    }
    assert_eq!(world.open().await, Vec::<Value>::new());
    let union = world.union().await;
    assert_eq!((&union["breaks"], &union["paths"]), (&json!([]), &json!(1)));
    let whole = without(&[0, 2]).replace("second();", "another();");
    assert_eq!(union["tree"], world.tree(&[("A.java", &whole)]), "the tree is that which git would make");
}

#[tokio::test]
async fn versions_that_merge_in_pairs_and_not_with_the_union_of_the_others_collide_with_it() {
    let world = World::new().await;
    let base = moved();
    // Together the first two moved the block, or what stood before it; the third changed that.
    write(&world.cleo, "moved.txt", base.replace(BLOCK, ""));
    write(&world.ann, "moved.txt", base.replace("end\n", &format!("end\n{BLOCK}")));
    assert_eq!(world.open().await, Vec::<Value>::new());
    let union = world.union().await;
    assert_eq!(union["merged"], json!([{"file_path": "moved.txt", "agents": ["cleo", "ann"]}]));
    let both = base.replace("end\n", &format!("end\n{BLOCK}")).replacen(BLOCK, "", 1);
    assert_eq!(union["tree"], world.tree(&[("moved.txt", &both)]));

    let mut feed = world.server.socket("/agent/bob").await;
    write(&world.bob, "moved.txt", base.replace("m2", "M2"));
    let push = told(&mut feed).await;
    assert_eq!(push["regions"][0]["sides"][0]["text"], "between\nm1\nM2\nm3\nend\n");
    let record = json!(["moved.txt", ["bob", "cleo", "ann"], "content", "critical", "collides"]);
    assert_eq!(world.open().await, [record]);
    write(&world.bob, "moved.txt", base.replace("last", "bob's"));
    assert_eq!(feed.next_of("conflict_resolved").await["conflict_id"], push["conflict_id"]);
    assert_eq!(world.open().await, Vec::<Value>::new());
}

#[tokio::test]
async fn who_collides_is_left_out_and_named_with_the_reason() {
    let world = World::new().await;
    world.server.register("reporter", &[]).await;
    write(&world.cleo, "a.txt", TEXT.replace("one", "ONE"));
    write(&world.ann, "a.txt", TEXT.replace("one", "1"));
    write(&world.ann, "b.txt", TEXT.replace("eight", "8"));
    write(&world.bob, "b.txt", TEXT.replace("one", "1"));
    let union = world.union().await;
    let id = world.server.get("/conflicts").await.body["conflicts"][0]["conflict_id"].clone();
    let left_out = |agent: &str, with: &str| {
        let collision = json!({"file_path": "a.txt", "with": with, "conflict_id": id});
        json!({"agent_id": agent, "collisions": [collision]})
    };
    assert_eq!(union["left_out"], json!([left_out("cleo", "ann"), left_out("ann", "cleo")]));
    assert_eq!((&union["agents"], &union["unknown"]), (&json!(["bob"]), &json!(["reporter"])));
    assert_eq!((&union["paths"], &union["merged"]), (&json!(1), &json!([])), "what ann has in b.txt is not in it");
    assert_eq!(union["tree"], world.tree(&[("b.txt", &TEXT.replace("one", "1"))]));
    let head = git_text(&world.server.project(), &[], &["rev-parse", "HEAD"]);
    let branch = git_text(&world.server.project(), &[], &["branch", "--show-current"]);
    assert_eq!((&union["tip"], &union["target"]), (&json!(head.trim()), &json!(branch.trim())));

    write(&world.cleo, "a.txt", TEXT.replace("eight", "EIGHT"));
    let union = world.union().await;
    assert_eq!((&union["agents"], &union["left_out"]), (&json!(["cleo", "ann", "bob"]), &json!([])));
    let merged = |path: &str, agents: [&str; 2]| json!({"file_path": path, "agents": agents});
    assert_eq!(union["merged"], json!([merged("a.txt", ["cleo", "ann"]), merged("b.txt", ["ann", "bob"])]));
    let (a, b) = (TEXT.replace("one", "1").replace("eight", "EIGHT"), TEXT.replace("one", "1").replace("eight", "8"));
    assert_eq!(union["tree"], world.tree(&[("a.txt", &a), ("b.txt", &b)]));
    let answer = world.server.get("/sync/union?limit=1").await.body["union"].clone();
    assert_eq!((answer["merged"].as_array().unwrap().len(), &answer["truncated"]), (1, &json!(true)));
    assert_eq!(world.server.get("/sync/union?limit=x").await.status, 422);

    world.server.write("b.txt", &TEXT.replace("one", "landed"));
    commit(&world.server.project(), "landed");
    let union = world.union().await;
    assert_eq!(union["agents"], json!(["cleo", "ann"]));
    assert_eq!(union["left_out"][0]["agent_id"], "bob");
    assert_eq!(union["left_out"][0]["collisions"][0]["with"], Value::Null, "it collides with landed work");
    assert_ne!(union["left_out"][0]["collisions"][0]["conflict_id"], Value::Null);
}

#[tokio::test]
async fn a_renamed_file_is_in_it_where_it_is_now_with_the_edits_of_others() {
    let world = World::new().await;
    std::fs::remove_file(world.ann.join("a.txt")).unwrap();
    write(&world.ann, "renamed.txt", TEXT.replace("one", "ONE"));
    write(&world.bob, "a.txt", TEXT.replace("eight", "EIGHT"));
    let union = world.union().await;
    let merged = json!([{"file_path": "renamed.txt", "agents": ["ann", "bob"], "moved_from": "a.txt"}]);
    assert_eq!((&union["merged"], &union["left_out"]), (&merged, &json!([])));
    let project = world.server.project();
    let scratch = project.parent().unwrap().join("expected");
    git(&project, &["worktree", "add", "--quiet", "--detach", scratch.to_str().unwrap()]);
    git(&scratch, &["mv", "a.txt", "renamed.txt"]);
    write(&scratch, "renamed.txt", TEXT.replace("one", "ONE").replace("eight", "EIGHT"));
    git(&scratch, &["add", "-A"]);
    assert_eq!(union["tree"], git_text(&scratch, &[], &["write-tree"]).trim());
}

#[tokio::test]
async fn a_restart_keeps_the_record_and_withdraws_what_is_gone() {
    let mut world = World::new().await;
    world.break_program();
    assert_eq!(world.open().await.len(), 1);
    let before = world.server.get("/conflicts").await.body["conflicts"].clone();
    world.server = world.server.restart().await;
    assert_eq!(world.open().await.len(), 1);
    assert_eq!(world.server.get("/conflicts").await.body["conflicts"], before, "the same record after a restart");

    world.server.stop().await;
    write(&world.bob, "A.java", TRY);
    world.server = world.server.restart().await;
    let is_over = async || world.open().await.is_empty();
    world.server.eventually("what is gone is withdrawn", is_over).await;
}

#[tokio::test]
async fn who_leaves_takes_the_break_along() {
    let world = World::new().await;
    world.break_program();
    assert_eq!(world.open().await.len(), 1);
    assert_eq!(world.server.delete("/agents/cleo").await.status, 200);
    assert_eq!(world.open().await, Vec::<Value>::new());
    let union = world.union().await;
    assert_eq!((&union["agents"], &union["breaks"]), (&json!(["ann", "bob"]), &json!([])));
    assert_eq!(union["tree"], world.tree(&[("A.java", &without(&[1, 2]))]));
}

#[tokio::test]
async fn a_workspace_that_cannot_be_read_is_unknown_and_there_is_no_tree() {
    let world = World::new().await;
    write(&world.cleo, "a.txt", TEXT.replace("one", "ONE"));
    let before = world.union().await;
    assert_ne!(before["tree"], Value::Null);
    let aside = world.ann.with_file_name("aside");
    std::fs::rename(&world.ann, &aside).unwrap();
    let view = async || world.server.get("/sync/union").await.body["union"].clone();
    let is_unknown = async || view().await["unknown"] == json!(["ann"]);
    world.server.eventually("ann's work is not known", is_unknown).await;
    let union = view().await;
    assert_eq!((&union["tree"], &union["paths"]), (&Value::Null, &json!(1)), "{union}");
    std::fs::rename(&aside, &world.ann).unwrap();
    world.server.eventually("it is read again", async || view().await == before).await;
}
