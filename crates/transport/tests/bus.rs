//! The message bus, driven as agents drive it: by real files, beside an orchestrator in the same process.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator::{Actor, Command, Orchestrator, Outgoing, Reply};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{Address, AgentId, Autonomy, HealthStatus, InboxMessage, MessageState, TaskState};
use orchestrator_registry as registry;
use orchestrator_repository::Project;
use orchestrator_transport::bus;
use orchestrator_workflow::task;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(20);

/// A project with an orchestrator and a bus.
struct World {
    folder: tempfile::TempDir,
    orchestrator: Orchestrator,
    options: bus::Options,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

fn open(folder: &Path) -> Orchestrator {
    let project = Project::discover(folder).unwrap();
    let state = folder.join("state");
    Orchestrator::open(orchestrator::Options::new(project, state)).unwrap()
}

impl World {
    async fn new(agents: &[&str]) -> Self {
        Self::with(agents, |_| {}).await
    }

    async fn with(agents: &[&str], set: impl FnOnce(&mut bus::Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let orchestrator = open(folder.path());
        let mut options = bus::Options::new(&orchestrator.options().project);
        options.poll = Duration::from_millis(10);
        options.grace = Duration::from_millis(50);
        set(&mut options);
        let mut world = Self { folder, orchestrator, options, running: None };
        for agent in agents {
            world.register(agent).await;
            fs::create_dir_all(world.path(&format!("inbox/{agent}"))).unwrap();
        }
        world.start();
        // Folders are made one after another; the last ones of each name are in place when all are.
        let kinds = ["inbox", "processing", "outbox", "archive", "receipts", "failed"];
        let names = || agents.iter().chain(["orchestrator"].iter());
        let all = || names().all(|name| kinds.iter().all(|kind| world.path(&format!("{kind}/{name}")).is_dir()));
        world.wait("the folders", all).await;
        world
    }

    fn start(&mut self) {
        let stop = CancellationToken::new();
        let bus = self.options.clone().build(self.orchestrator.clone());
        self.running = Some((stop.clone(), tokio::spawn(bus.run(stop))));
    }

    /// Ends the bus and the orchestrator, lets something happen, and starts both anew.
    async fn restart(&mut self, meanwhile: impl FnOnce(&Self)) {
        self.stop().await;
        self.orchestrator.shutdown().await;
        meanwhile(self);
        self.orchestrator = open(self.folder.path());
        self.start();
    }

    async fn stop(&mut self) {
        if let Some((stop, running)) = self.running.take() {
            stop.cancel();
            running.await.unwrap();
        }
    }

    async fn register(&self, name: &str) {
        let agent = id(name);
        let registration =
            registry::Registration { capabilities: Some(vec![format!("can-{name}")]), ..Default::default() };
        let command = registry::Command::Register { agent: agent.clone(), registration, only_if_absent: false };
        self.orchestrator.submit(Actor::Agent(agent), Command::Registry(command)).await.unwrap();
    }

    /// Sends as HTTP does.
    async fn send(&self, from: &str, to: &str, payload: Value) -> u64 {
        let to: Address = to.parse().unwrap();
        let (kind, payload) = ("message".to_owned(), payload.into());
        let outgoing = Outgoing { from: from.into(), to, payload, kind, in_reply_to: None, durable: true, key: None };
        match self.orchestrator.submit(Actor::Anyone, Command::Send(outgoing)).await.unwrap() {
            Reply::Message { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    async fn acknowledge(&self, agent: &str, message: u64) {
        let command = mailbox::Command::Acknowledge { agent: id(agent), message };
        self.orchestrator.submit(Actor::Agent(id(agent)), Command::Mailbox(command)).await.unwrap();
    }

    async fn inbox(&self, agent: &str) -> Vec<InboxMessage> {
        self.orchestrator.inbox(&id(agent), 0, Duration::ZERO).await.unwrap()
    }

    async fn state(&self, message: u64) -> MessageState {
        self.orchestrator.message(message).await.unwrap().state
    }

    /// Waits for an event that tells of a finished message, and gives its payload.
    async fn event(&self, agent: &str) -> Value {
        let began = Instant::now();
        loop {
            if let Some(event) = self.inbox(agent).await.into_iter().find(|message| message.kind == "event") {
                return event.payload.unwrap().to_value();
            }
            assert!(began.elapsed() < DEADLINE, "waited in vain for an event to {agent}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.options.root.join(below)
    }

    /// Writes a file as senders do.
    fn put(&self, below: &str, text: impl AsRef<[u8]>) {
        let path = self.path(below);
        let temporary = path.with_file_name("writing.tmp");
        fs::write(&temporary, text).unwrap();
        fs::rename(temporary, path).unwrap();
    }

    fn shift(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn has(&self, below: &str) -> bool {
        self.path(below).symlink_metadata().is_ok()
    }

    fn json(&self, below: &str) -> Value {
        serde_json::from_slice(&fs::read(self.path(below)).unwrap()).unwrap()
    }

    fn files(&self, folder: &str) -> BTreeSet<String> {
        let listed = fs::read_dir(self.path(folder)).into_iter().flatten();
        listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// All files of the bus with this name.
    fn copies(&self, name: &str) -> Vec<PathBuf> {
        let kinds = ["inbox", "processing", "archive", "failed"];
        let folders = kinds.iter().flat_map(|kind| fs::read_dir(self.path(kind)).into_iter().flatten());
        folders.map(|folder| folder.unwrap().path().join(name)).filter(|path| path.exists()).collect()
    }

    async fn wait(&self, what: &str, condition: impl Fn() -> bool) {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < DEADLINE, "waited in vain for {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn wait_for(&self, below: &str) {
        self.wait(below, || self.has(below)).await;
    }

    async fn wait_gone(&self, below: &str) {
        self.wait(below, || !self.has(below)).await;
    }

    /// Waits until the bus has looked at everything that lies there now: what it is given last is recorded, and
    /// in a second look acknowledged.
    async fn looked(&self, agent: &str) {
        let mark = format!("mark-{}", self.files(&format!("receipts/{agent}")).len());
        self.put(&format!("inbox/{agent}/{mark}.json"), message(&mark, agent, agent, json!("mark")));
        self.wait_for(&format!("receipts/{agent}/{mark}.json")).await;
        self.shift(&format!("inbox/{agent}/{mark}.json"), &format!("archive/{agent}/{mark}.json"));
        let receipt = self.json(&format!("receipts/{agent}/{mark}.json"));
        self.wait_state(receipt["message_id"].as_str().unwrap()[1..].parse().unwrap(), MessageState::Acknowledged)
            .await;
    }

    async fn wait_state(&self, message: u64, state: MessageState) {
        let began = Instant::now();
        while self.state(message).await != state {
            assert!(began.elapsed() < DEADLINE, "message {message} never became {state:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Takes the whole bus away, at one instant.
    fn delete_bus(&self) {
        let gone = tempfile::tempdir_in(self.folder.path()).unwrap();
        fs::rename(self.folder.path().join(".orchestrator"), gone.path().join("bus")).unwrap();
    }
}

fn id(name: &str) -> AgentId {
    name.parse().unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn message(id: &str, from: &str, to: &str, payload: Value) -> String {
    json!({"id": id, "ts": "2025-01-27T10:30:00Z", "to": to, "from": from, "type": "message", "payload": payload})
        .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_an_inbox_gets_all_folders_as_first_spelled_and_git_excludes_them() {
    let folder = tempfile::tempdir().unwrap();
    let git = std::process::Command::new("git").args(["init", "--quiet"]).current_dir(folder.path()).status();
    assert!(git.unwrap().success());
    let orchestrator = open(folder.path());
    let options = bus::Options::new(&orchestrator.options().project);
    let mut world = World { folder, orchestrator, options, running: None };
    world.start();
    world.register("Dev.Agent").await;
    world.register("DEV.agent").await;
    world.wait_for("inbox/orchestrator").await;
    fs::create_dir(world.path("inbox/dev.AGENT")).unwrap();
    for kind in ["inbox", "processing", "outbox", "archive", "receipts", "failed"] {
        world.wait_for(&format!("{kind}/Dev.Agent")).await;
        world.wait_for(&format!("{kind}/orchestrator")).await;
        let mut found = world.files(kind);
        found.remove("dev.AGENT");
        assert_eq!(found, BTreeSet::from(["Dev.Agent".into(), "orchestrator".into()]));
    }
    let excluded = fs::read_to_string(world.folder.path().join(".git/info/exclude")).unwrap();
    assert!(excluded.lines().any(|line| line == "/.orchestrator/"), "{excluded}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_uses_the_bus_gets_files() {
    let world = World::new(&["a"]).await;
    world.register("socket-agent").await;
    world.register("sender").await;
    let plain = world.send("a", "socket-agent", json!(1)).await;
    world.put("inbox/a/x.json", message("x", "sender", "a", json!(2)));
    world.wait_for("inbox/sender").await;
    let answer = world.send("a", "sender", json!(3)).await;
    world.wait_for(&format!("inbox/sender/m{answer}.json")).await;
    world.looked("a").await;
    let users = BTreeSet::from(["a".to_owned(), "orchestrator".to_owned(), "sender".to_owned()]);
    assert_eq!(world.files("inbox"), users);
    assert_eq!(world.inbox("socket-agent").await.len(), 1, "m{plain} is in the mailbox all the same");

    fs::create_dir(world.path("inbox/socket-agent")).unwrap();
    world.wait_for(&format!("inbox/socket-agent/m{plain}.json")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_later_log_are_not_believed_by_an_older_copy() {
    let mut world = World::new(&["a", "b"]).await;
    let saved = tempfile::tempdir().unwrap();
    world.stop().await;
    world.orchestrator.shutdown().await;
    copy(&world.folder.path().join("state"), saved.path());
    world.restart(|_| {}).await;
    let later = world.send("a", "b", json!("of the later log")).await;
    let file = format!("m{later}.json");
    world.wait_for(&format!("inbox/b/{file}")).await;
    world.shift(&format!("inbox/b/{file}"), &format!("archive/b/{file}"));
    world.wait_state(later, MessageState::Acknowledged).await;

    world
        .restart(|world| {
            let state = world.folder.path().join("state");
            fs::remove_dir_all(&state).unwrap();
            copy(saved.path(), &state);
        })
        .await;
    let again = world.send("b", "b", json!("of the older copy")).await;
    assert_eq!(again, later, "the numbers are given again");
    world.wait_for(&format!("inbox/b/{file}")).await;
    world.looked("b").await;
    assert_eq!(world.state(again).await, MessageState::Queued);
}

/// Copies a folder of plain files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_recorded_and_receipted_and_stays_until_it_is_claimed() {
    let world = World::new(&["a", "b"]).await;
    let windows = message("x", "a", "b", json!({"n": 1})).replace(',', ",\r\n");
    world.put("inbox/b/x.json", format!("\u{feff}{windows}\r\n"));
    world.wait_for("receipts/a/x.json").await;
    let inbox = world.inbox("b").await;
    assert_eq!(
        (inbox.len(), inbox[0].from.as_str(), inbox[0].payload.as_ref().unwrap().as_str()),
        (1, "a", "{\"n\":1}")
    );
    let receipt = world.json("receipts/a/x.json");
    assert_eq!(
        (&receipt["id"], &receipt["message_id"], &receipt["state"]),
        (&json!("x"), &json!(inbox[0].id), &json!("queued"))
    );
    world.looked("b").await;
    assert!(world.has("inbox/b/x.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_is_the_same_message_and_another_content_is_refused() {
    let world = World::new(&["a", "b"]).await;
    let text = message("x", "a", "b", json!(1));
    world.put("inbox/b/x.json", &text);
    world.wait_for("receipts/a/x.json").await;
    world.shift("inbox/b/x.json", "archive/b/x.json");
    let first = world.json("receipts/a/x.json")["message_id"].as_str().unwrap()[1..].parse().unwrap();
    world.wait_state(first, MessageState::Acknowledged).await;
    world.put("inbox/b/x.json", &text);
    world.wait_gone("inbox/b/x.json").await;
    world.put("inbox/b/x.json", message("x", "a", "b", json!(2)));
    world.wait_for("failed/a/x.json.reason.json").await;
    assert_eq!(world.json("failed/a/x.json.reason.json")["code"], "idempotency_mismatch");
    assert_eq!(world.inbox("b").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_from_elsewhere_becomes_one_file_and_leaves_when_acknowledged_elsewhere() {
    let world = World::new(&["a", "b"]).await;
    let sent = world.send("a", "b", json!({"n": 1})).await;
    let file = format!("inbox/b/m{sent}.json");
    world.wait_for(&file).await;
    let text = world.json(&file);
    assert_eq!(text["id"], format!("m{sent}"));
    assert_eq!(
        (&text["from"], &text["to"], &text["type"], &text["payload"]),
        (&json!("a"), &json!("b"), &json!("message"), &json!({"n": 1}))
    );
    assert!(text["ts"].is_string() && text["in_reply_to"].is_null());
    world.acknowledge("b", sent).await;
    world.wait_for(&format!("archive/b/m{sent}.json")).await;
    assert_eq!(world.copies(&format!("m{sent}.json")).len(), 1);

    world.put("inbox/b/x.json", message("x", "a", "b", json!(1)));
    world.wait_for("receipts/a/x.json").await;
    let number = world.json("receipts/a/x.json")["message_id"].as_str().unwrap()[1..].parse().unwrap();
    world.acknowledge("b", number).await;
    world.wait_for("archive/b/x.json").await;
    assert_eq!(world.copies("x.json").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_counts_and_a_result_acknowledges_and_tells_the_sender() {
    let world = World::new(&["a", "b"]).await;
    for (id, file, content, result, ok) in [
        ("x", "x.ok.json", r#"{"done":true}"#, json!({"done": true}), true),
        ("y", "y.fail.txt", "it broke\r\n", json!("it broke"), false),
    ] {
        world.put(&format!("inbox/b/{id}.json"), message(id, "a", "b", json!(1)));
        world.wait_for(&format!("receipts/a/{id}.json")).await;
        world.shift(&format!("inbox/b/{id}.json"), &format!("processing/b/{id}.json"));
        let number: u64 =
            world.json(&format!("receipts/a/{id}.json"))["message_id"].as_str().unwrap()[1..].parse().unwrap();
        world.wait_state(number, MessageState::Delivered).await;
        world.put(&format!("outbox/b/{file}"), content);
        world.wait_for(&format!("archive/b/{file}")).await;
        world.wait_for(&format!("archive/b/{id}.json")).await;
        assert_eq!(world.state(number).await, MessageState::Acknowledged);
        let event = world.event("a").await;
        let expected =
            json!({"event": "completed", "id": id, "message_id": format!("m{number}"), "ok": ok, "result": result});
        assert_eq!(event, expected);
        let told = world.inbox("a").await[0].id[1..].parse().unwrap();
        world.acknowledge("a", told).await;
    }
    assert!(world.files("outbox/b").is_empty() && world.files("processing/b").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_events_are_told_to_nobody() {
    let world = World::new(&["a", "b"]).await;
    let event = message("x", "a", "b", json!(1)).replace(r#""type":"message""#, r#""type":"event""#);
    world.put("inbox/b/x.json", event);
    world.wait_for("receipts/a/x.json").await;
    world.put("outbox/b/x.ok.json", "{}");
    world.wait_for("archive/b/x.json").await;
    world.looked("a").await;
    assert!(world.inbox("a").await.iter().all(|message| message.kind != "event"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_quicker_than_the_scan_loses_nothing() {
    let mut world = World::new(&["a", "b"]).await;
    world.stop().await;
    world.put("processing/b/x.json", message("x", "a", "b", json!(1)));
    world.put("archive/b/y.json", message("y", "a", "b", json!(2)));
    world.put("outbox/b/y.ok.json", "{}");
    world.put("archive/b/z.json", message("z", "a", "b", json!(3)));
    world.start();
    for id in ["x", "y", "z"] {
        world.wait_for(&format!("receipts/a/{id}.json")).await;
    }
    assert_eq!(world.event("a").await["id"], "y");
    world.wait_for("archive/b/y.ok.json").await;
    world.looked("b").await;
    let left: Vec<_> = world.inbox("b").await.into_iter().filter_map(|message| message.payload).collect();
    assert_eq!(left, [json!(1).into()], "what was archived is acknowledged");
    assert!(world.has("processing/b/x.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_without_a_result_goes_back_and_after_eight_tries_to_failed_and_can_be_revived() {
    let world = World::with(&["a", "b"], |options| options.claim_term = Duration::from_secs(1)).await;
    world.put("inbox/b/x.json", message("x", "a", "b", json!(1)));
    world.wait_for("receipts/a/x.json").await;
    for _ in 0..8 {
        world.wait_for("inbox/b/x.json").await;
        world.shift("inbox/b/x.json", "processing/b/x.json");
        world.wait_gone("processing/b/x.json").await;
        assert_eq!(world.copies("x.json").len(), 1);
    }
    world.wait_for("failed/b/x.json").await;
    assert_eq!(world.json("failed/b/x.json.reason.json")["code"], "dead_letter");
    let number = world.json("receipts/a/x.json")["message_id"].as_str().unwrap()[1..].parse().unwrap();
    assert_eq!(world.state(number).await, MessageState::Dead);
    let revive = Command::Mailbox(mailbox::Command::Revive { message: number });
    world.orchestrator.submit(Actor::Operator, revive).await.unwrap();
    world.wait_for("inbox/b/x.json").await;
    assert_eq!(world.copies("x.json").len(), 1);
    world.wait_gone("failed/b/x.json.reason.json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_is_a_sign_of_life() {
    let world = World::new(&["a", "b"]).await;
    let sent = world.send("a", "b", json!(1)).await;
    world.wait_for(&format!("inbox/b/m{sent}.json")).await;
    let silent = registry::Command::WentSilent { agent: id("b") };
    world.orchestrator.submit(Actor::System, Command::Registry(silent)).await.unwrap();
    world.shift(&format!("inbox/b/m{sent}.json"), &format!("processing/b/m{sent}.json"));
    let began = Instant::now();
    while world.orchestrator.agent(&id("b")).await.unwrap().status == orchestrator_protocol::AgentStatus::Offline {
        assert!(began.elapsed() < DEADLINE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_moved_away_with_its_reason() {
    let world = World::new(&["a", "b"]).await;
    let good = message("x", "a", "b", json!(1));
    let large = message("big", "a", "b", json!("x".repeat(256 * 1024)));
    let huge = vec![b' '; 400 * 1024];
    for (file, content, kept, code) in [
        ("inbox/b/none.json", b"".as_slice(), "failed/b/none.json", "invalid_json"),
        ("inbox/b/half.json", br#"{"from":"a""#, "failed/b/half.json", "invalid_json"),
        ("inbox/b/list.json", b"[1]", "failed/b/list.json", "invalid_request"),
        (
            "inbox/b/types.json",
            br#"{"from":"a","to":"b","payload":1,"type":7}"#,
            "failed/a/types.json",
            "invalid_request",
        ),
        ("inbox/b/from.json", br#"{"from":"../../x","payload":1}"#, "failed/b/from.json", "invalid_agent_id"),
        ("inbox/b/other.json", good.as_bytes(), "failed/a/other.json", "id_mismatch"),
        ("inbox/b/big.json", large.as_bytes(), "failed/a/big.json", "message_too_large"),
        ("inbox/b/huge.json", &huge, "failed/b/huge.json", "message_too_large"),
        ("inbox/b/a b.json", good.as_bytes(), "failed/b/a_b.json", "invalid_name"),
        ("inbox/b/x.txt", good.as_bytes(), "failed/b/x.txt", "invalid_name"),
        ("inbox/b/m99.json", good.as_bytes(), "failed/b/m99.json", "reserved_id"),
        ("inbox/a/x.json", good.as_bytes(), "failed/a/x.json", "address_mismatch"),
        ("inbox/loose.json", good.as_bytes(), "failed/orchestrator/loose.json", "misplaced"),
        ("outbox/b/nothing.ok.json", b"{}", "failed/b/nothing.ok.json", "unknown_message"),
        ("outbox/b/odd.json", b"{}", "failed/b/odd.json", "invalid_name"),
    ] {
        world.put(file, content);
        world.wait_for(kept).await;
        world.wait_gone(file).await;
        let reason = world.json(&format!("{kept}.reason.json"));
        assert_eq!(reason["code"], code, "{file}");
        assert!(!reason["detail"].as_str().unwrap().is_empty() && !reason["hint"].as_str().unwrap().is_empty());
    }
    fs::create_dir(world.path("inbox/nobody")).unwrap();
    world.put("inbox/nobody/x.json", message("x", "a", "nobody", json!(1)));
    world.wait_for("failed/a/x.2.json").await;
    assert_eq!(world.json("failed/a/x.2.json.reason.json")["code"], "unknown_agent");
    assert_eq!(world.inbox("b").await, []);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn links_pipes_and_folders_are_moved_away_and_hang_nothing() {
    let world = World::new(&["a", "b"]).await;
    let secret = world.folder.path().join("secret");
    fs::write(&secret, message("link", "a", "b", json!("secret"))).unwrap();
    std::os::unix::fs::symlink(&secret, world.path("inbox/b/link.json")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(world.path("inbox/b/pipe.json")).status().unwrap();
    assert!(pipe.success());
    fs::create_dir(world.path("inbox/b/folder.json")).unwrap();
    for name in ["link.json", "pipe.json", "folder.json"] {
        world.wait_for(&format!("failed/b/{name}")).await;
        assert_eq!(world.json(&format!("failed/b/{name}.reason.json"))["code"], "not_readable", "{name}");
    }
    assert_eq!(world.inbox("b").await, []);

    // A pass may make the folder anew in between.
    world
        .wait("a link in place of the folder", || {
            let _ = fs::remove_dir(world.path("inbox/a"));
            std::os::unix::fs::symlink(world.folder.path(), world.path("inbox/a")).is_ok()
        })
        .await;
    world.wait("a real folder", || world.path("inbox/a").symlink_metadata().is_ok_and(|found| found.is_dir())).await;
    world.looked("a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_still_being_written_is_left_alone() {
    let world = World::with(&["a", "b"], |options| options.grace = Duration::from_secs(600)).await;
    fs::write(world.path("inbox/b/x.tmp"), "{").unwrap();
    fs::write(world.path("inbox/b/y.json"), r#"{"from":"a""#).unwrap();
    world.looked("b").await;
    assert!(world.has("inbox/b/x.tmp") && world.has("inbox/b/y.json"));
    fs::write(world.path("inbox/b/y.json"), message("y", "a", "b", json!(1))).unwrap();
    world.wait_for("receipts/a/y.json").await;
    assert!(world.has("inbox/b/x.tmp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_are_the_same_agent_and_one_id_is_one_message() {
    let world = World::new(&["Dev", "b"]).await;
    if !world.has("inbox/dev") {
        fs::create_dir(world.path("inbox/dev")).unwrap();
    }
    world.put("inbox/dev/x.json", message("x", "B", "dev", json!(1)));
    world.wait_for("receipts/b/x.json").await;
    world.wait_for("inbox/Dev/x.json").await;
    world.shift("inbox/Dev/x.json", "processing/Dev/x.json");
    world.put("inbox/Dev/X.json", message("X", "Dev", "Dev", json!(2)));
    world.wait_for("failed/Dev/X.json.reason.json").await;
    assert_eq!(world.json("failed/Dev/X.json.reason.json")["code"], "id_in_use");
    assert_eq!(world.inbox("dev").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_orchestrators_inbox_routes_to_everyone_and_to_who_can() {
    let world = World::new(&["a", "b", "c"]).await;
    let all = message("all", "a", "*", json!(1)).replace("{\"from", "{\"durable\":true,\"from");
    world.put("inbox/orchestrator/all.json", all);
    world.put("inbox/orchestrator/can.json", message("can", "a", "capability:can-c", json!(2)));
    world.put("inbox/orchestrator/one.json", message("one", "a", "b", json!(3)));
    for file in ["inbox/b/all.json", "inbox/c/all.json", "inbox/c/can.json", "inbox/b/one.json"] {
        world.wait_for(file).await;
    }
    for id in ["all", "can", "one"] {
        world.wait_for(&format!("archive/orchestrator/{id}.json")).await;
        assert!(world.has(&format!("receipts/a/{id}.json")));
    }
    assert!(!world.has("inbox/a/all.json"));
    assert_eq!(world.json("inbox/c/can.json")["to"], "capability:can-c");
    for (to, code) in [("capability:none", "no_capable_agent"), ("ghost", "unknown_agent")] {
        world.put(&format!("inbox/orchestrator/{code}.json"), message(code, "a", to, json!(1)));
        let reason = format!("failed/a/{code}.json.reason.json");
        world.wait_for(&reason).await;
        assert_eq!(world.json(&reason)["code"], code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn control_commands_are_carried_out_and_answered() {
    let world = World::new(&["a"]).await;
    for (id, payload) in [("one", json!("*autonomy:manual")), ("two", json!({"command": "*autonomy:manual"}))] {
        world.put(&format!("inbox/orchestrator/{id}.json"), message(id, "a", "orchestrator", payload));
        world.wait_for(&format!("archive/orchestrator/{id}.json")).await;
        let answer = world.event("a").await;
        assert_eq!((&answer["type"], &answer["command"]), (&json!("command_response"), &json!("*autonomy:manual")));
        assert_eq!((&answer["status"], &answer["result"]["autonomy"]), (&json!("success"), &json!("manual")));
        let told = &world.inbox("a").await[0];
        let asked = world.json(&format!("receipts/a/{id}.json"));
        assert_eq!((told.from.as_str(), told.in_reply_to.as_deref()), ("orchestrator", asked["message_id"].as_str()));
        world.acknowledge("a", told.id[1..].parse().unwrap()).await;
    }
    assert_eq!(world.orchestrator.autonomy().await.unwrap().0, Autonomy::Manual);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_the_message_by_its_number_or_its_file() {
    let world = World::new(&["a", "b"]).await;
    world.put("inbox/b/ask.json", message("ask", "a", "b", json!("?")));
    world.wait_for("receipts/a/ask.json").await;
    let asked = world.json("receipts/a/ask.json")["message_id"].as_str().unwrap().to_owned();
    for (id, to) in [("r1", "ask"), ("r2", asked.as_str())] {
        let reply = message(id, "b", "a", json!("!")).replace("{\"from", &format!("{{\"in_reply_to\":{to:?},\"from"));
        world.put(&format!("inbox/a/{id}.json"), reply);
        world.wait_for(&format!("receipts/b/{id}.json")).await;
    }
    let replies = world.inbox("a").await;
    assert!(
        replies.len() == 2 && replies.iter().all(|reply| reply.in_reply_to.as_ref() == Some(&asked)),
        "{replies:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_bus_is_rebuilt_while_it_runs_and_while_it_does_not() {
    let mut world = World::new(&["a", "b"]).await;
    world.put("inbox/b/x.json", message("x", "a", "b", json!({"n": 1})));
    let sent = world.send("a", "b", json!(2)).await;
    let other = format!("inbox/b/m{sent}.json");
    world.wait_for("receipts/a/x.json").await;
    world.wait_for(&other).await;
    let done = world.send("a", "b", json!(3)).await;
    world.acknowledge("b", done).await;
    world.wait_gone(&format!("inbox/b/m{done}.json")).await;
    let rebuilt = |world: &World| world.has("inbox/b/x.json") && world.has(&other);

    world.delete_bus();
    world.wait("the rebuilt files", || rebuilt(&world)).await;
    world.restart(World::delete_bus).await;
    world.wait("the rebuilt files", || rebuilt(&world)).await;
    world.looked("b").await;
    assert_eq!(world.json("inbox/b/x.json")["payload"], json!({"n": 1}));
    assert!(!world.has(&format!("inbox/b/m{done}.json")), "what is acknowledged does not come back");
    assert_eq!(world.inbox("b").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_anywhere_loses_and_doubles_nothing() {
    let mut world = World::new(&["a", "b"]).await;
    let text = message("x", "a", "b", json!(1));
    // The sender wrote while nobody looked.
    world.restart(|world| world.put("inbox/b/x.json", &text)).await;
    world.wait_for("receipts/a/x.json").await;
    let receipt = world.json("receipts/a/x.json")["message_id"].clone();
    // It was recorded, and the server died before the receipt.
    world.restart(|world| fs::remove_file(world.path("receipts/a/x.json")).unwrap()).await;
    world.wait_for("receipts/a/x.json").await;
    assert_eq!(world.json("receipts/a/x.json")["message_id"], receipt);
    // It was claimed while nobody looked, and the sender, who saw no receipt, wrote it again.
    world
        .restart(|world| {
            world.shift("inbox/b/x.json", "processing/b/x.json");
            world.put("inbox/b/x.json", &text);
        })
        .await;
    world.wait_gone("inbox/b/x.json").await;
    let number = receipt.as_str().unwrap()[1..].parse().unwrap();
    world.wait_state(number, MessageState::Delivered).await;
    assert_eq!(world.orchestrator.message(number).await.unwrap().deliveries, 1);
    // A restart is no further try.
    world.restart(|_| {}).await;
    world.looked("b").await;
    assert!(world.has("processing/b/x.json"));
    assert_eq!(world.orchestrator.message(number).await.unwrap().deliveries, 1);
    // It was finished while nobody looked.
    world
        .restart(|world| {
            world.put("outbox/b/x.ok.json", "{}");
            world.shift("processing/b/x.json", "archive/b/x.json");
        })
        .await;
    assert_eq!(world.event("a").await["id"], "x");
    world.wait_for("archive/b/x.ok.json").await;
    // The server died before it moved the result.
    world.restart(|world| world.shift("archive/b/x.ok.json", "outbox/b/x.ok.json")).await;
    world.wait_for("archive/b/x.ok.json").await;
    world.looked("a").await;
    assert_eq!(world.inbox("a").await.iter().filter(|message| message.kind == "event").count(), 1);
    assert_eq!((world.copies("x.json").len(), world.state(number).await), (1, MessageState::Acknowledged));
}

#[tokio::test(flavor = "multi_thread")]
async fn troubles_of_the_bus_stand_in_the_health_until_they_are_over() {
    let world = World::new(&["a", "b"]).await;
    let bus = world.folder.path().join(".orchestrator/bus");
    let aside = world.folder.path().join("aside");
    fs::rename(&bus, &aside).unwrap();
    // A pass may make the folder anew in between.
    world
        .wait("a file in place of the folder", || {
            let _ = fs::remove_dir_all(&bus);
            fs::write(&bus, "").is_ok()
        })
        .await;
    let status = || world.orchestrator.health(0);
    world.wait("the degradation", || status().status == HealthStatus::Degraded).await;
    let degraded = status().degraded;
    assert!(degraded.len() == 1 && degraded[0].name == "bus" && !degraded[0].cure.is_empty(), "{degraded:?}");
    fs::remove_file(&bus).unwrap();
    world.wait("the recovery", || status().status == HealthStatus::Healthy).await;
    world.wait_for("inbox/a").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_old_archives_and_receipts_are_removed() {
    let world = World::with(&["a", "b"], |options| options.keep = Duration::from_millis(300)).await;
    world.put("inbox/b/x.json", message("x", "a", "b", json!(1)));
    world.wait_for("receipts/a/x.json").await;
    world.put("inbox/b/bad.json", "[]");
    world.put("inbox/b/y.json", message("y", "a", "b", json!(2)));
    world.wait_for("receipts/a/y.json").await;
    world.shift("inbox/b/y.json", "archive/b/y.json");
    world.wait_gone("archive/b/y.json").await;
    world.wait_gone("receipts/a/y.json").await;
    assert!(world.has("inbox/b/x.json") && world.has("failed/b/bad.json"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_left_still_has_its_mail() {
    let world = World::new(&["a", "b"]).await;
    let leave = registry::Command::Unregister { agent: id("b") };
    world.orchestrator.submit(Actor::Agent(id("b")), Command::Registry(leave)).await.unwrap();
    let sent = world.send("a", "b", json!(1)).await;
    world.wait_for(&format!("inbox/b/m{sent}.json")).await;
    world.put("inbox/b/x.json", message("x", "a", "b", json!(2)));
    world.wait_for("receipts/a/x.json").await;
}

/// A task for an agent, asked for by another.
async fn task_for(world: &World, agent: &str, by: &str) -> (u64, String) {
    let request = task::Request { assigned_to: Some(id(agent)), ..task::Request::new("Add a parser", by) };
    let made = world.orchestrator.create_task(Actor::Operator, request, Some("all of it".into())).await.unwrap();
    let number = made.task_id.strip_prefix("task-").unwrap().parse().unwrap();
    // The message that hands it over follows in the same record.
    (number, format!("m{}", number + 1))
}

#[tokio::test]
async fn a_task_comes_as_a_file_taking_it_claims_it_and_its_result_ends_it() {
    let world = World::new(&["dev", "boss"]).await;
    let (number, file) = task_for(&world, "dev", "boss").await;
    world.wait_for(&format!("inbox/dev/{file}.json")).await;
    let handed = world.json(&format!("inbox/dev/{file}.json"));
    assert_eq!((&handed["type"], &handed["payload"]["description"]), (&json!("task"), &json!("all of it")));
    world.shift(&format!("inbox/dev/{file}.json"), &format!("processing/dev/{file}.json"));
    let began = Instant::now();
    while world.orchestrator.task(number).await.unwrap().state != TaskState::Claimed {
        assert!(began.elapsed() < DEADLINE, "the task was not claimed");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.put(&format!("outbox/dev/{file}.ok.json"), r#"{"merge":"merge-4"}"#);
    let told = world.event("boss").await;
    assert_eq!((&told["event"], &told["result"]), (&json!("task_done"), &json!({"merge": "merge-4"})));
    world.wait_for(&format!("archive/dev/{file}.json")).await;
    let done = world.orchestrator.task(number).await.unwrap();
    assert_eq!((done.state, done.finished_by, done.claims), (TaskState::Done, Some(id("dev")), 1));
    assert_eq!(world.inbox("boss").await.len(), 1, "told once");
}

#[tokio::test]
async fn a_failure_fails_the_task_and_a_result_of_what_went_to_another_is_refused_to_its_face() {
    let world = World::new(&["dev", "other", "boss"]).await;
    let (number, file) = task_for(&world, "dev", "boss").await;
    world.wait_for(&format!("inbox/dev/{file}.json")).await;
    world.orchestrator.assign_task(Actor::Operator, number, Some(id("other"))).await.unwrap();
    let (kept, kept_file) = task_for(&world, "other", "boss").await;
    // Without taking it first: a result alone claims, where it may.
    world.wait_for(&format!("inbox/other/{kept_file}.json")).await;
    world.put(&format!("outbox/other/{kept_file}.fail.txt"), "cannot be done\n");
    world.put(&format!("outbox/dev/{file}.ok.json"), r#"{"mine":true}"#);
    let refused = world.event("dev").await;
    assert_eq!((&refused["event"], &refused["code"]), (&json!("task_refused"), &json!("task_assigned")));
    let told = world.event("boss").await;
    assert_eq!((&told["event"], &told["result"]), (&json!("task_failed"), &json!("cannot be done")));
    assert_eq!(world.orchestrator.task(kept).await.unwrap().state, TaskState::Failed);
    let open = world.orchestrator.task(number).await.unwrap();
    assert_eq!((open.state, open.assigned_to), (TaskState::Open, Some(id("other"))));
}
