//! Ten writers at once, in bursts. After each burst git itself is asked: what is the work of each agent, and
//! which pairs of works collide? The server must say the same.

use orchestrator_tests::{TestServer, git, git_text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const WRITERS: usize = 10;
const BURSTS: usize = 6;
const MANY_BURSTS: usize = 20;
/// Operations in all; `ORCHESTRATOR_STORM` asks for more, then in more bursts.
const OPERATIONS: usize = 3_000;
/// Every other burst is calm: a few edits, so that most pairs go together and a wrong alarm shows.
const CALM: usize = 8;
const FILES: usize = 60;
const LINES: usize = 40;

/// Splitmix64: the same storm for the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }
}

fn file(number: usize) -> String {
    format!("src/part{}/file{number}.txt", number % 7)
}

/// Short lines: of a long one, git's measure of likeness only sees the last nine characters.
fn original(number: usize) -> String {
    (0..LINES).map(|line| format!("f{number}l{line}\n")).collect()
}

/// One operation of one writer; what cannot be done is not done.
fn operate(folder: &Path, random: &mut Random, writer: usize) {
    let path = folder.join(file(random.below(FILES)));
    let text = std::fs::read_to_string(&path).ok();
    match (random.below(100), text) {
        (0..70, Some(text)) => {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            if lines.is_empty() {
                return;
            }
            let place = random.below(lines.len());
            match random.below(4) {
                0 => lines.insert(place, format!("w{writer}+{}", random.below(5))),
                1 => {
                    lines.remove(place);
                }
                _ => lines[place] = format!("w{writer}={}", random.below(5)),
            }
            std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        }
        (70..74, Some(_)) => std::fs::remove_file(&path).unwrap(),
        (74..78, Some(text)) => {
            // As editors save: a new file takes the old one's place.
            let beside = path.with_extension("swp");
            std::fs::write(&beside, text.replace("l1", "L1")).unwrap();
            std::fs::rename(&beside, &path).unwrap();
        }
        (78..80, Some(_)) => {
            let moved = folder.join(format!("moved/w{writer}-{}.txt", random.below(20)));
            std::fs::create_dir_all(moved.parent().unwrap()).unwrap();
            std::fs::rename(&path, moved).unwrap();
        }
        (80..90, _) => {
            let number = path.file_stem().unwrap().to_str().unwrap()[4..].parse().unwrap();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, original(number)).unwrap();
        }
        (90..95, _) => {
            let new = folder.join(format!("new/file{}.txt", random.below(30)));
            std::fs::create_dir_all(new.parent().unwrap()).unwrap();
            std::fs::write(new, format!("new by {}\n", random.below(4))).unwrap();
        }
        (95..97, _) => {
            let _gone = std::fs::remove_file(folder.join(format!("new/file{}.txt", random.below(30))));
        }
        (97, _) => {
            let ignored = folder.join("build");
            std::fs::create_dir_all(&ignored).unwrap();
            std::fs::write(ignored.join(format!("{}.o", random.below(1_000))), "noise").unwrap();
        }
        _ => {}
    }
}

/// The tree of a folder as git makes it, without touching its index.
fn tree(folder: &Path, scratch: &Path) -> String {
    let index = scratch.join(folder.file_name().unwrap());
    let own = git_text(folder, &[], &["rev-parse", "--git-path", "index"]);
    let own = folder.join(own);
    std::fs::copy(&own, &index).unwrap();
    // By its time git tells which files may have changed within the same tick.
    let written = std::fs::metadata(own).unwrap().modified().unwrap();
    std::fs::File::options().write(true).open(&index).unwrap().set_modified(written).unwrap();
    let environment = [("GIT_INDEX_FILE", index.to_str().unwrap())];
    git_text(folder, &environment, &["add", "-A"]);
    git_text(folder, &environment, &["write-tree"])
}

/// The paths at which two works collide, as git merges them.
fn collisions(project: &Path, one: &str, two: &str) -> BTreeSet<String> {
    let merge =
        ["-c", "diff.algorithm=histogram", "merge-tree", "--write-tree", "--name-only", "--no-messages", one, two];
    let text = git_text(project, &[], &merge);
    text.lines().skip(1).map(str::to_owned).collect()
}

/// The paths that git names and no record covers, and the records none of whose paths git names. Of a renamed file,
/// git names the new path, the old one or both, and a record holds all of them.
fn differences(git: &BTreeSet<String>, records: &[BTreeSet<String>]) -> (Vec<String>, Vec<BTreeSet<String>>) {
    let is_covered = |path: &&String| records.iter().any(|record| record.contains(*path));
    let missed = git.iter().filter(|path| !is_covered(path)).cloned().collect();
    let extra = records.iter().filter(|record| record.is_disjoint(git)).cloned().collect();
    (missed, extra)
}

/// How often the server and git agreed.
#[derive(Default)]
struct Tally {
    pairs: usize,
    both: usize,
    missed: Vec<String>,
    extra: Vec<String>,
}

struct Storm {
    server: TestServer,
    folders: Vec<PathBuf>,
    tip: String,
    scratch: tempfile::TempDir,
}

impl Storm {
    async fn new() -> Self {
        let server = TestServer::start().await;
        let project = server.project();
        for number in 0..FILES {
            server.write(&file(number), &original(number));
        }
        server.write(".gitignore", "build/\n*.swp\n");
        git(&project, &["add", "-A"]);
        git(&project, &["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "base"]);
        let mut folders = Vec::new();
        for writer in 0..WRITERS {
            let folder = project.parent().unwrap().join(format!("w{writer}"));
            let branch = format!("branch{writer}");
            git(&project, &["worktree", "add", "--quiet", "-b", &branch, folder.to_str().unwrap()]);
            let answer =
                server.post("/agents/register", json!({"agent_id": format!("w{writer}"), "workspace": folder})).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            folders.push(folder);
        }
        let tip = git_text(&project, &[], &["rev-parse", "HEAD"]);
        Self { server, folders, tip, scratch: tempfile::tempdir().unwrap() }
    }

    fn burst(&self, operations: usize, seed: u64) {
        std::thread::scope(|scope| {
            for (writer, folder) in self.folders.iter().enumerate() {
                scope.spawn(move || {
                    let mut random = Random(seed * 1_000 + writer as u64);
                    (0..operations / WRITERS).for_each(|_| operate(folder, &mut random, writer));
                });
            }
        });
    }

    /// Puts all files back, so that the next burst begins from the tip.
    fn reset(&self) {
        for folder in &self.folders {
            git(folder, &["reset", "--quiet", "--hard"]);
            git(folder, &["clean", "-fdq"]);
        }
    }

    /// Waits for quiet, then holds what the server knows against git.
    async fn compare(&self, tally: &mut Tally) -> Duration {
        let began = Instant::now();
        let answer = self.server.post("/command", json!({"command": "*sync:force"})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let took = began.elapsed();
        let mut commits = Vec::new();
        for (writer, folder) in self.folders.iter().enumerate() {
            let tree = tree(folder, self.scratch.path());
            let known = self.server.orchestrator.work_of(&format!("w{writer}").parse().unwrap()).await.unwrap();
            assert_eq!(known.unwrap().tree, tree, "the work of w{writer} is what git says it is");
            let who = [
                ("GIT_AUTHOR_NAME", "t"),
                ("GIT_AUTHOR_EMAIL", "t"),
                ("GIT_COMMITTER_NAME", "t"),
                ("GIT_COMMITTER_EMAIL", "t"),
            ];
            commits.push(git_text(folder, &who, &["commit-tree", &tree, "-p", &self.tip, "-m", "work"]));
        }
        // What vanished is withdrawn after it stayed away for a moment.
        let mut recorded: BTreeMap<(usize, usize), Vec<BTreeSet<String>>> = BTreeMap::new();
        let mut expected: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for one in 0..WRITERS {
            for two in one + 1..WRITERS {
                expected.insert((one, two), collisions(&self.server.project(), &commits[one], &commits[two]));
            }
        }
        let settled = Instant::now() + Duration::from_millis(2_500);
        loop {
            recorded.clear();
            for conflict in self.open().await {
                let number =
                    |at: usize| conflict["conflicting_agents"][at].as_str().unwrap()[1..].parse::<usize>().unwrap();
                let between = (number(0).min(number(1)), number(0).max(number(1)));
                let moved = conflict["agent_paths"].as_array().into_iter().flatten();
                let paths = moved.chain([&conflict["file_path"]]).filter_map(Value::as_str).map(str::to_owned);
                recorded.entry(between).or_default().push(paths.collect());
            }
            let none = Vec::new();
            let agrees = |(pair, paths): (&(usize, usize), &BTreeSet<String>)| {
                let (missed, extra) = differences(paths, recorded.get(pair).unwrap_or(&none));
                missed.is_empty() && extra.is_empty()
            };
            if expected.iter().all(agrees) || Instant::now() > settled {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        for (pair, paths) in expected {
            tally.pairs += 1;
            let found = recorded.remove(&pair).unwrap_or_default();
            let (missed, extra) = differences(&paths, &found);
            tally.both += found.len() - extra.len();
            tally.missed.extend(missed.into_iter().map(|path| format!("{pair:?} {path}")));
            tally.extra.extend(extra.into_iter().map(|paths| format!("{pair:?} {paths:?}")));
        }
        took
    }

    async fn open(&self) -> Vec<Value> {
        let answer = self.server.get("/conflicts?status=pending").await.body;
        // Git knows of lines only.
        let of_lines = |one: &&Value| one["conflict_type"] != "semantic";
        answer["conflicts"].as_array().unwrap().iter().filter(of_lines).cloned().collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_every_burst_the_server_knows_what_git_knows() {
    let asked = std::env::var("ORCHESTRATOR_STORM").ok().and_then(|text| text.parse().ok());
    let (operations, bursts) = asked.map_or((OPERATIONS, BURSTS), |operations| (operations, MANY_BURSTS));
    let storm = Storm::new().await;
    let (mut tally, mut longest) = (Tally::default(), Duration::ZERO);
    for burst in 0..bursts {
        let is_calm = burst % 2 == 1;
        let count = if is_calm { CALM * WRITERS } else { operations / (bursts / 2) };
        storm.burst(count, burst as u64 + 1);
        longest = longest.max(storm.compare(&mut tally).await);
        storm.reset();
    }
    let Tally { pairs, both, missed, extra } = tally;
    println!(
        "{operations} operations in {bursts} bursts: {pairs} pairs, {both} overlaps found, {} missed, {} extra; at most {} ms after a burst",
        missed.len(),
        extra.len(),
        longest.as_millis()
    );
    for (what, list) in [("missed", &missed), ("extra", &extra)] {
        list.iter().take(20).for_each(|one| println!("{what}: {one}"));
    }
    assert!(both > 200, "only {both} overlaps: too few to tell anything");
    assert_eq!(missed, Vec::<String>::new(), "an overlap was missed");
    assert!(extra.len() * 50 <= both, "more than 2% are no overlaps: {extra:?}");
    assert!(longest < Duration::from_secs(30), "{longest:?}");
}
