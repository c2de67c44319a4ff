//! A workspace with very many files that git ignores: nobody watches them, opens their folders or remembers them.
//!
//! What is counted are the system's own counts: inotify watches of this process, access times of folders, resident
//! memory. Each test has a process of its own.

use orchestrator_tests::{TestServer, commit, git, write};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Ignored files in the large workspace; `ORCHESTRATOR_IGNORED` asks for more.
const FILES: usize = 20_000;
/// Of these in one folder.
const IN_FOLDER: usize = 25;
const RULES: &str = "node_modules/\n*.log\n/out\n";
/// More than chance, and less than a million of anything.
const SLACK: u64 = 16 << 20;

/// Folders, and when each was last opened.
struct Folders(Vec<(PathBuf, (i64, i64))>);

impl Folders {
    fn new(folders: Vec<PathBuf>) -> Self {
        Self(folders.into_iter().map(|folder| (opened(&folder), folder)).map(|(at, folder)| (folder, at)).collect())
    }

    /// Those that were listed since.
    fn listed(&self) -> Vec<&Path> {
        let is_listed = |(folder, at): &&(PathBuf, (i64, i64))| opened(folder) != *at;
        self.0.iter().filter(is_listed).map(|(folder, _)| folder.as_path()).collect()
    }
}

fn opened(folder: &Path) -> (i64, i64) {
    let found = fs::metadata(folder).unwrap();
    (found.atime(), found.atime_nsec())
}

/// Nested ignored folders with so many files in all; answers with every folder.
fn fill(root: &Path, files: usize) -> Vec<PathBuf> {
    let mut folders = vec![root.join("node_modules"), root.join("out"), root.join("out/deep")];
    folders.iter().for_each(|folder| fs::create_dir(folder).unwrap());
    for package in 0..files.div_ceil(IN_FOLDER) {
        let above = root.join(if package % 2 == 0 { "node_modules" } else { "out/deep" });
        let outer = above.join(format!("package{package}"));
        let inner = outer.join("lib");
        fs::create_dir_all(&inner).unwrap();
        for file in 0..IN_FOLDER {
            fs::write(inner.join(format!("{file}.js")), "x").unwrap();
        }
        folders.extend([outer, inner]);
    }
    write(root, "src/trace.log", "ignored by itself\n");
    folders
}

/// Folders that this process is told of by the system.
fn watches() -> usize {
    let descriptors = fs::read_dir("/proc/self/fdinfo").unwrap();
    let texts = descriptors.filter_map(|one| fs::read_to_string(one.ok()?.path()).ok());
    texts.map(|text| text.lines().filter(|line| line.starts_with("inotify ")).count()).sum()
}

/// Resident memory of this process, in bytes.
fn memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1_024
}

async fn force(server: &TestServer) {
    assert_eq!(server.post("/command", json!({"command": "*sync:force"})).await.status, 200);
}

async fn follow(server: &TestServer, agent: &str, folder: &Path) {
    let answer = server.post("/agents/register", json!({"agent_id": agent, "workspace": folder})).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    force(server).await;
}

#[tokio::test]
async fn ignored_files_cost_nothing_however_many_they_are() {
    let files = std::env::var("ORCHESTRATOR_IGNORED").map_or(FILES, |text| text.parse().unwrap());
    let server = TestServer::start().await;
    server.write(".gitignore", RULES);
    for name in ["src/a.txt", "src/deep/b.txt", "docs/c.txt"] {
        server.write(name, "one\ntwo\nthree\n");
    }
    commit(&server.project(), "base");
    let folders = ["first", "few", "many"].map(|agent| server.project().parent().unwrap().join(agent));
    for folder in &folders {
        git(&server.project(), &["worktree", "add", "--quiet", "--detach", folder.to_str().unwrap()]);
    }
    let [first, few, many] = &folders;
    fill(few, 2);
    let ignored = Folders::new(fill(many, files));
    let tracked = Folders::new(["src", "src/deep", "docs"].map(|name| many.join(name)).to_vec());
    assert!(ignored.0.len() > files / IN_FOLDER * 2);

    // The first one pays for what is there once.
    follow(&server, "first", first).await;
    let before = watches();
    follow(&server, "few", few).await;
    let with_few = watches();
    let memory_before = memory();
    follow(&server, "many", many).await;
    assert!(with_few > before);
    assert_eq!(watches() - with_few, with_few - before, "as many folders are watched as where few are ignored");
    let keeps_times = tracked.listed().len() == 3;
    if !keeps_times {
        eprintln!("folders here have no access times (noatime): which were opened is not known");
    }

    // Saves, also of ignored files, and what they lead to.
    write(few, "src/a.txt", "one\n2\nthree\n");
    write(many, "src/a.txt", "one\nTWO\nthree\n");
    for number in 0..100 {
        let path = format!("{}/new{number}.js", ["node_modules", "out/deep"][number % 2]);
        write(many, &path, "x");
    }
    write(many, "src/trace.log", "again\n");
    force(&server).await;
    let open = server.get("/conflicts?status=pending").await.body["conflicts"].clone();
    assert_eq!(open.as_array().map(Vec::len), Some(1), "{open}");
    let id = server.orchestrator.keep_snapshot(&"many".parse().unwrap()).await.unwrap().unwrap().snapshot_id;
    let kept = server.get(&format!("/agents/many/snapshots/{id}")).await.body["snapshot"]["paths"].clone();
    assert_eq!(kept, json!(1));
    write(many, "src/a.txt", "one\nzwei\nthree\n");
    force(&server).await;
    let restored = server.post("/agents/many/restore", json!({"snapshot": id})).await;
    assert_eq!((restored.status, &restored.body["written"]), (200, &json!(["src/a.txt"])), "{}", restored.body);
    force(&server).await;
    assert_eq!(watches() - with_few, with_few - before, "no folder is watched for them");
    let grown = memory().saturating_sub(memory_before);
    assert!(grown < SLACK, "{} MiB more for {files} ignored files", grown >> 20);

    // What a start reads, too.
    let server = server.restart().await;
    force(&server).await;
    let followed = server.get("/agents").await.body["total_agents"].clone();
    assert_eq!(followed, json!(3));
    assert_eq!(server.get("/health").await.body["degraded"], Value::Array(Vec::new()));
    assert_eq!(ignored.listed(), Vec::<&Path>::new(), "no ignored folder is opened");
}
