//! Death at every point at which the bus changes the disk or the log.

use super::{Bus, Options};
use orchestrator::{Actor, Command, Orchestrator, Outgoing};
use orchestrator_protocol::{Address, AgentId};
use orchestrator_registry as registry;
use orchestrator_repository::Project;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Lets the bus die before one of its changes on disk. Unlit, it lasts for ever.
#[derive(Debug, Clone)]
pub(crate) struct Fuse {
    left: Arc<AtomicI64>,
    /// What was about to happen.
    names: Arc<Mutex<BTreeSet<&'static str>>>,
}

impl Default for Fuse {
    fn default() -> Self {
        Self { left: Arc::new(AtomicI64::new(i64::MAX)), names: Arc::default() }
    }
}

impl Fuse {
    pub(crate) fn burn(&self, name: &'static str) -> io::Result<()> {
        self.names.lock().unwrap().insert(name);
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            left if left > 0 => Ok(()),
            _ => Err(io::Error::other("the server is dead")),
        }
    }

    fn is_burnt(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }
}

struct World {
    _folder: tempfile::TempDir,
    root: PathBuf,
    orchestrator: Orchestrator,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = orchestrator::Options::new(Project::plain(folder.path()).unwrap(), folder.path().join("state"));
        let orchestrator = Orchestrator::open(options).unwrap();
        for name in ["a", "b"] {
            let agent: AgentId = name.parse().unwrap();
            let registration = registry::Registration::default();
            let command = registry::Command::Register { agent: agent.clone(), registration, only_if_absent: false };
            orchestrator.submit(Actor::Agent(agent), Command::Registry(command)).await.unwrap();
        }
        let root = folder.path().join("bus");
        ["a", "b"].iter().for_each(|name| fs::create_dir_all(root.join("inbox").join(name)).unwrap());
        Self { root, orchestrator, _folder: folder }
    }

    fn bus(&self) -> Bus {
        let options = Options {
            root: self.root.clone(),
            poll: Duration::from_millis(1),
            claim_term: Duration::from_secs(600),
            grace: Duration::ZERO,
            keep: Duration::from_secs(600),
        };
        options.build(self.orchestrator.clone())
    }

    /// Looks until nothing changes any more. A bus that dies is followed by a new one, as after a restart.
    async fn settle(&self, fuse: &mut Option<Fuse>) {
        let mut bus = self.bus();
        if let Some(fuse) = fuse.as_ref() {
            bus.hall.folders.fuse = fuse.clone();
        }
        for _ in 0..6 {
            let passed = bus.pass().await;
            if fuse.as_ref().is_some_and(Fuse::is_burnt) {
                *fuse = None;
                bus = self.bus();
            } else {
                passed.unwrap();
            }
        }
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::write(path.with_extension("tmp"), text).unwrap();
        fs::rename(path.with_extension("tmp"), path).unwrap();
    }

    fn files(&self, folder: &str) -> BTreeSet<String> {
        let listed = fs::read_dir(self.root.join(folder)).into_iter().flatten();
        listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).filter(|n| !n.starts_with('.')).collect()
    }
}

/// A message from a to b by file and one by another transport, claimed, finished, and told back. The server
/// dies before its `at`th change on disk. Returns whether it came so far, and what was about to happen.
async fn scenario(at: i64) -> (bool, BTreeSet<&'static str>) {
    let world = World::new().await;
    let lit = Fuse { left: Arc::new(AtomicI64::new(at)), ..Fuse::default() };
    let mut fuse = Some(lit.clone());
    world.settle(&mut fuse).await;

    world.put("inbox/b/x.json", r#"{"id":"x","to":"b","from":"a","type":"task","payload":{"n":1}}"#);
    let outgoing = Outgoing {
        from: "a".into(),
        to: Address::Agent("b".parse().unwrap()),
        payload: serde_json::json!({"n": 2}).into(),
        kind: "message".into(),
        in_reply_to: None,
        durable: false,
        key: None,
    };
    world.orchestrator.submit(Actor::Anyone, Command::Send(outgoing)).await.unwrap();
    world.settle(&mut fuse).await;
    let other = world.files("inbox/b").into_iter().find(|name| name != "x.json").expect("a file for the other");
    assert_eq!(world.files("inbox/b").len(), 2, "died at {at}");
    assert_eq!(world.files("receipts/a"), BTreeSet::from(["x.json".into()]), "died at {at}");

    for name in ["x.json", &other] {
        let place = |folder: &str| world.root.join(folder).join("b").join(name);
        fs::rename(place("inbox"), place("processing")).unwrap();
    }
    world.settle(&mut fuse).await;
    assert_eq!(world.files("processing/b").len(), 2, "died at {at}");
    assert_eq!(world.files("inbox/b").len(), 0, "died at {at}");

    world.put("outbox/b/x.ok.json", r#"{"done":true}"#);
    world.put(&format!("outbox/b/{}", other.replace(".json", ".fail.txt")), "no");
    world.settle(&mut fuse).await;
    check_end(&world, at, &other).await;
    world.orchestrator.shutdown().await;
    let names = lit.names.lock().unwrap().clone();
    (lit.is_burnt(), names)
}

/// Every message was recorded once, acknowledged once, told back once, and lies in exactly one folder.
async fn check_end(world: &World, at: i64, other: &str) {
    for empty in ["inbox/b", "processing/b", "outbox/b", "failed/a", "failed/b"] {
        assert_eq!(world.files(empty), BTreeSet::new(), "died at {at}: {empty}");
    }
    let archived = ["x.json", "x.ok.json", other, &other.replace(".json", ".fail.txt")];
    assert_eq!(world.files("archive/b"), archived.into_iter().map(str::to_owned).collect(), "died at {at}");
    let told = world.orchestrator.inbox(&"a".parse().unwrap(), 0, Duration::ZERO).await.unwrap();
    assert_eq!(told.iter().filter(|event| event.kind == "event").count(), 2, "died at {at}");
    assert_eq!(world.files("inbox/a").len(), 2, "died at {at}");
    let left = world.orchestrator.inbox(&"b".parse().unwrap(), 0, Duration::ZERO).await.unwrap();
    assert_eq!(left.len(), 0, "died at {at}");
    assert!(hidden(&world.root).is_empty(), "died at {at}: half-written files are left over");
}

fn hidden(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let nested = entries.map(|path| if path.is_dir() { hidden(&path) } else { vec![path] });
    let is_hidden = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with('.');
    nested.flatten().filter(is_hidden).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_server_dies_no_message_is_lost_or_told_twice() {
    let mut met = BTreeSet::new();
    for at in 0.. {
        let (died, names) = scenario(at).await;
        met.extend(names);
        if !died {
            assert!(at > 30, "only {at} points were met");
            break;
        }
    }
    let all = ["flush", "flush folder", "make", "record", "rename", "write"];
    assert_eq!(met, BTreeSet::from(all), "every kind of change was a point at which it died");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_can_be_recorded_nothing_is_moved() {
    let world = World::new().await;
    world.settle(&mut None).await;
    world.orchestrator.shutdown().await;
    world.put("inbox/b/x.json", r#"{"from":"a","payload":1}"#);
    world.put("inbox/b/bad.json", "[]");
    world.settle(&mut None).await;
    assert_eq!(world.files("inbox/b").len(), 2);
    assert_eq!(world.files("receipts/a"), BTreeSet::new());
}
