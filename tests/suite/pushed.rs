//! Work from folders that the server is never told of: pushed as packs, checked, and compared like any other.

use orchestrator_repository::{Author, Limits, ObjectId, Project, Store, Workspace};
use orchestrator_tests::{Answer, TestServer, commit, git};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const LINES: &str = "one\ntwo\nthree\n";

async fn world() -> TestServer {
    let server = TestServer::start().await;
    server.write("a.txt", LINES);
    server.write("d/b.txt", "b\n");
    commit(&server.project(), "base");
    server.register("far", &[]).await;
    server
}

fn said(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "t").env(format!("GIT_{who}_EMAIL"), "t@t");
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
    output.stdout
}

fn text(folder: &Path, arguments: &[&str]) -> String {
    String::from_utf8(said(folder, arguments, b"")).unwrap().trim_end().to_owned()
}

/// A clone that the server is not told of.
struct Far {
    _folder: tempfile::TempDir,
    root: PathBuf,
    store: Store,
}

impl Far {
    fn new(server: &TestServer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("far");
        git(folder.path(), &["clone", "--quiet", "--no-local", server.project().to_str().unwrap(), "far"]);
        let store = Store::open(&Project::discover(&root).unwrap()).unwrap();
        Self { _folder: folder, root, store }
    }

    fn write(&self, path: &str, content: &str) {
        std::fs::write(self.root.join(path), content).unwrap();
    }

    /// The work as a pack beyond a commit.
    fn pack(&self, known: &str) -> (ObjectId, Vec<u8>) {
        let workspace = Workspace::open(&self.store, &self.root, Limits::default()).unwrap();
        let author = Author { name: "far".into(), email: "far@localhost".into(), seconds: 1 };
        let commit = workspace.snapshot().commit(&author, "work\n").unwrap();
        let known = ObjectId::from_hex(known.as_bytes()).unwrap();
        (commit, self.store.pack(commit, &[known]).unwrap())
    }

    /// A pack that git makes of just these objects, without deltas.
    fn pack_of(&self, objects: &[&str]) -> Vec<u8> {
        let arguments = ["pack-objects", "--stdout", "--window=0", "--no-reuse-delta", "-q"];
        said(&self.root, &arguments, (objects.join("\n") + "\n").as_bytes())
    }
}

async fn put(server: &TestServer, agent: &str, commit: &str, pack: Vec<u8>) -> Answer {
    server.send(server.request("PUT", &format!("/agents/{agent}/snapshot?commit={commit}")).body(pack)).await
}

async fn push(server: &TestServer, far: &Far, known: &str) -> Value {
    let (commit, pack) = far.pack(known);
    let answer = put(server, "far", &commit.to_string(), pack).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn pending(server: &TestServer) -> Vec<Value> {
    server.get("/conflicts?status=pending").await.body["conflicts"].as_array().unwrap().clone()
}

async fn listed(server: &TestServer, agent: &str) -> Value {
    let all = server.get("/workspaces").await.body["workspaces"].as_array().unwrap().clone();
    all.into_iter().find(|one| one["agent_id"] == agent).unwrap_or(Value::Null)
}

#[tokio::test]
async fn pushed_work_collides_like_any_other_until_it_is_pushed_anew_or_gone() {
    let server = world().await;
    let base = text(&server.project(), &["rev-parse", "HEAD"]);
    let shown = listed(&server, "far").await;
    assert_eq!((&shown["reports_only"], &shown["followed"]), (&json!(true), &json!(false)), "{shown}");
    server.register("near", &[]).await;
    let near = server.post("/agents/near/workspace", json!({})).await;
    let near = PathBuf::from(near.body["workspace"]["path"].as_str().unwrap());
    std::fs::write(near.join("a.txt"), "one\nnear's\nthree\n").unwrap();
    assert_eq!(server.post("/command", json!({"command": "*sync:force"})).await.status, 200);

    let far = Far::new(&server);
    // A commit of its own below the work, and a path that nobody else has.
    far.write("d/c.txt", "c\n");
    commit(&far.root, "own");
    far.write("a.txt", "one\nfar's\nthree\n");
    let asked = json!({"commits": [text(&far.root, &["rev-parse", "HEAD"]), base]});
    let known = server.post("/agents/far/snapshot/known", asked).await;
    assert_eq!((known.status, &known.body["commit"]), (200, &json!(base)), "{}", known.body);
    let pushed = push(&server, &far, &base).await;
    assert_eq!((&pushed["paths"], &pushed["agent_id"]), (&json!(1), &json!("far")));
    let shown = listed(&server, "far").await;
    assert_eq!((&shown["pushed"], &shown["reports_only"]), (&json!(true), &json!(false)), "{shown}");
    assert_eq!((&shown["followed"], &shown["dirty"], &shown["path"]), (&json!(true), &json!(2), &Value::Null));
    let open = pending(&server).await;
    assert_eq!((open.len(), &open[0]["conflicting_agents"]), (1, &json!(["far", "near"])), "{open:?}");
    let whole = server.get(&format!("/conflicts/{}", open[0]["conflict_id"].as_str().unwrap())).await.body.to_string();
    assert!(whole.contains("far's") && whole.contains("near's"), "both sides' lines: {whole}");

    // What was answered is there without the clone, and whatever the project's git collects.
    drop(far);
    git(&server.project(), &["gc", "--quiet", "--prune=now"]);
    let store = server.project().join(".git/orchestrator/work.git");
    let id = pushed["commit"].as_str().unwrap();
    assert_eq!(text(&store, &["show", &format!("{id}:a.txt")]), "one\nfar's\nthree");
    assert_eq!(text(&store, &["show", &format!("{id}~1:d/c.txt")]), "c");
    git(&store, &["fsck", "--strict", "--no-dangling"]);
    std::fs::write(server.state().join("receiving/half.pack"), "PACK").unwrap();
    let server = server.restart().await;
    assert!(!server.state().join("receiving").exists(), "what a killed server was receiving is cleared away");
    server.eventually("it is followed again", async || listed(&server, "far").await["dirty"] == 2).await;
    assert_eq!(pending(&server).await.len(), 1, "a restart withdraws nothing");

    let far = Far::new(&server);
    far.write("d/b.txt", "other\n");
    push(&server, &far, &base).await;
    let gone = async || pending(&server).await.is_empty();
    server.eventually("the next push withdraws it", gone).await;
    far.write("a.txt", "one\nagain\nthree\n");
    push(&server, &far, &base).await;
    assert_eq!(pending(&server).await.len(), 1);
    let kept = server.get("/agents/far/snapshots").await.body["snapshots"].as_array().unwrap().len();
    assert_eq!(kept, 3, "each push is a snapshot");
    assert_eq!(server.delete("/agents/far").await.status, 200);
    server.eventually("its end withdraws it too", gone).await;
    assert_eq!(listed(&server, "far").await, Value::Null);
    server.register("far", &[]).await;
    assert_eq!(listed(&server, "far").await["reports_only"], true, "a new registration begins anew");
}

#[tokio::test]
async fn what_is_no_whole_snapshot_is_refused_and_leaves_nothing() {
    let server = world().await;
    let base = text(&server.project(), &["rev-parse", "HEAD"]);
    let store = server.project().join(".git/orchestrator/work.git");
    let far = Far::new(&server);
    let root = &far.root;
    far.write("a.txt", "changed\n");
    far.write("d/b.txt", "changed too\n");
    let (good, pack) = far.pack(&base);
    let good = good.to_string();
    let refused = async |what: &str, commit: &str, pack: Vec<u8>, code: &str, says: &str| {
        let answer = put(&server, "far", commit, pack).await;
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert_eq!(answer.code(), code, "{what}: {}", answer.body);
        assert!((400..500).contains(&answer.status) && detail.contains(says), "{what}: {}", answer.body);
        assert_eq!(listed(&server, "far").await["pushed"], false, "{what}");
        let held = std::fs::read_dir(store.join("objects/pack")).map_or(0, Iterator::count);
        assert_eq!(held, 0, "{what} left something in the store");
        let spooled = std::fs::read_dir(server.state().join("receiving")).map_or(0, Iterator::count);
        assert_eq!(spooled, 0, "{what} left something in the state folder");
    };
    refused("nothing", &good, Vec::new(), "invalid_pack", "cut off").await;
    refused("noise", &good, vec![7; 500], "invalid_pack", "").await;
    for cut in [1, 20, 21, pack.len() / 2, pack.len() - 5] {
        refused("truncated", &good, pack[..pack.len() - cut].to_vec(), "invalid_pack", "").await;
    }
    for at in [5, 11, 13, pack.len() / 2, pack.len() - 3] {
        let mut spoiled = pack.clone();
        spoiled[at] ^= 0x20;
        refused("corrupt", &good, spoiled, "invalid_pack", "").await;
    }
    for commit in ["", "zz", "HEAD", &good[..39], &"f".repeat(64)] {
        refused("no id", commit, pack.clone(), "invalid_request", "no commit's id").await;
    }
    refused("another commit", &"f".repeat(40), pack.clone(), "invalid_pack", "does not hold").await;
    let answer = put(&server, "nobody", &good, pack.clone()).await;
    assert_eq!((answer.status, answer.code()), (404, "unknown_agent"));

    // Objects that git made, so that only what is meant is wrong with them.
    let object = |kind: &str, content: &[u8]| {
        let id = said(root, &["hash-object", "-t", kind, "-w", "--stdin", "--literally"], content);
        String::from_utf8(id).unwrap().trim().to_owned()
    };
    let tree = |entries: &[(&str, &str, &str)]| {
        let mut content = Vec::new();
        for (mode, name, id) in entries {
            content.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            content.extend_from_slice(ObjectId::from_hex(id.as_bytes()).unwrap().as_slice());
        }
        object("tree", &content)
    };
    let commit_of = |tree: &str, parents: &[&str]| {
        let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        object(
            "commit",
            format!("tree {tree}\n{parents}author t <t> 1 +0000\ncommitter t <t> 1 +0000\n\nm\n").as_bytes(),
        )
    };
    let blob = object("blob", b"x\n");
    for name in [".git", ".GIT", "git~1", ".git ", "..", ".", "", "a/b", ".g\u{200c}it"] {
        let tree = tree(&[("100644", name, &blob)]);
        let commit = commit_of(&tree, &[&base]);
        refused(name, &commit, far.pack_of(&[&commit, &tree, &blob]), "invalid_pack", "no worktree may hold").await;
    }
    for mode in ["100600", "104755", "60000"] {
        let tree = tree(&[(mode, "a", &blob)]);
        let commit = commit_of(&tree, &[&base]);
        refused(mode, &commit, far.pack_of(&[&commit, &tree, &blob]), "invalid_pack", "").await;
    }
    let fine = tree(&[("100644", "a", &blob)]);
    let commit = commit_of(&fine, &[&base]);
    refused("a missing file", &commit, far.pack_of(&[&commit, &fine]), "invalid_pack", "is missing").await;
    refused("a missing tree", &commit, far.pack_of(&[&commit, &blob]), "invalid_pack", "").await;
    refused("no commit", &fine, far.pack_of(&[&fine, &blob]), "invalid_pack", "").await;
    let double = tree(&[("100644", "a", &blob), ("100644", "a", &blob)]);
    let commit = commit_of(&double, &[&base]);
    refused("a name twice", &commit, far.pack_of(&[&commit, &double, &blob]), "invalid_pack", "order").await;
    let folder_as_file = tree(&[("100644", "a", &fine)]);
    let commit = commit_of(&folder_as_file, &[&base]);
    refused(
        "a folder as a file",
        &commit,
        far.pack_of(&[&commit, &folder_as_file, &fine, &blob]),
        "invalid_pack",
        "no file",
    )
    .await;
    let foreign = commit_of(&fine, &[]);
    refused("a foreign commit", &foreign, far.pack_of(&[&foreign, &fine, &blob]), "invalid_pack", "no history").await;
    let on_foreign = commit_of(&fine, &[&foreign]);
    refused("an unknown base", &on_foreign, far.pack_of(&[&on_foreign, &fine, &blob]), "unknown_base", &foreign).await;
    // Few bytes that stand for ten to the power of ten paths, and folders without end.
    let (mut bomb, mut deep, mut objects) = (fine.clone(), fine.clone(), vec![fine.clone(), blob.clone()]);
    for _ in 0..10 {
        let names: Vec<String> = (0..10).map(|number| number.to_string()).collect();
        let entries: Vec<_> = names.iter().map(|name| ("40000", name.as_str(), bomb.as_str())).collect();
        bomb = tree(&entries);
        objects.push(bomb.clone());
    }
    for _ in 0..300 {
        deep = tree(&[("40000", "d", &deep)]);
        objects.push(deep.clone());
    }
    for (what, root) in [("a bomb", &bomb), ("a shaft", &deep)] {
        let commit = commit_of(root, &[&base]);
        let all: Vec<&str> = objects.iter().map(String::as_str).chain([commit.as_str()]).collect();
        refused(what, &commit, far.pack_of(&all), "invalid_pack", "deeper than").await;
    }

    assert_eq!(put(&server, "far", &good, pack).await.status, 200, "and the real one is taken");
    assert_eq!(listed(&server, "far").await["dirty"], 2);
    assert_eq!(server.get("/health").await.body["degraded"], json!([]));
}

#[tokio::test]
async fn a_pack_that_is_too_large_is_refused_and_other_limits_stand() {
    let server = world().await;
    let answer = put(&server, "far", &"a".repeat(40), vec![0; (256 << 20) + 1]).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large"), "{}", answer.body);
    let large = json!({"commits": ["x".repeat(2 << 20)]});
    let answer = server.post("/agents/far/snapshot/known", large).await;
    assert_eq!((answer.status, answer.code()), (413, "body_too_large"));
    let many = json!({"commits": vec!["a".repeat(40); 257]});
    assert_eq!(server.post("/agents/far/snapshot/known", many).await.status, 422);
    let folder = server.post("/agents/far/workspace", json!({})).await;
    assert_eq!(folder.status, 200);
    let answer = put(&server, "far", &"a".repeat(40), Vec::new()).await;
    assert_eq!((answer.status, answer.code()), (409, "workspace_blocked"), "its folder is followed: {}", answer.body);
}

#[tokio::test]
async fn a_push_that_a_crash_cut_off_leaves_the_work_before_it_standing() {
    let mut server = world().await;
    let base = text(&server.project(), &["rev-parse", "HEAD"]);
    let far = Far::new(&server);
    far.write("a.txt", "one\nfar's\nthree\n");
    push(&server, &far, &base).await;
    let kept = async |server: &TestServer| {
        server.get("/agents/far/snapshots").await.body["snapshots"].as_array().unwrap().clone()
    };
    let name = kept(&server).await[0]["ref"].as_str().unwrap().to_owned();
    let (whose, stamp) = name.rsplit_once('-').unwrap();
    let later = format!("{whose}-{}", stamp.parse::<i64>().unwrap() + 1);
    server.stop().await;
    let store = server.project().join(".git/orchestrator/work.git");
    std::fs::copy(store.join(&name), store.join(&later)).unwrap();
    let server = server.restart().await;
    server.eventually("it gets a record", async || kept(&server).await.len() == 2).await;
    let all = kept(&server).await;
    assert!(all.iter().any(|one| one["ref"] == *later && one["reason"] == "found"), "{all:?}");
    // From its first look on the record is there.
    let server = server.restart().await;
    server.eventually("the work is followed", async || listed(&server, "far").await["dirty"] == 1).await;
    assert_eq!(listed(&server, "far").await["followed"], true);
}
