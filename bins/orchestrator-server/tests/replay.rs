//! `orchestrator-server replay` as a program, on histories whose counts are known.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A bare repository, written without a worktree.
struct History {
    folder: tempfile::TempDir,
    /// So that each commit is newer than the one before.
    time: u64,
}

impl History {
    fn new() -> Self {
        let history = Self { folder: tempfile::tempdir().unwrap(), time: 1_700_000_000 };
        history.git(&["init", "-q", "--bare", "-b", "main", "."], "");
        history
    }

    fn git(&self, arguments: &[&str], input: &str) -> String {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        for (name, value) in [("AUTHOR", "a"), ("COMMITTER", "c")] {
            command.env(format!("GIT_{name}_NAME"), value).env(format!("GIT_{name}_EMAIL"), value);
            command.env(format!("GIT_{name}_DATE"), format!("{} +0000", self.time));
        }
        let mut child = command.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", self.folder.path()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&mut self, files: &[(&str, &str)], parents: &[&str]) -> String {
        self.time += 60;
        let entries = files.iter().map(|(name, content)| {
            let blob = self.git(&["hash-object", "-w", "--stdin"], content);
            format!("100644 blob {blob}\t{name}\n")
        });
        let tree = self.git(&["mktree"], &entries.collect::<String>());
        let mut arguments = vec!["commit-tree", &tree, "-m", "x"];
        for parent in parents {
            arguments.extend(["-p", parent]);
        }
        let commit = self.git(&arguments, "");
        self.git(&["update-ref", "refs/heads/main", &commit], "");
        commit
    }

    /// A base, two sides, and what was committed for both.
    fn merge(&mut self, [base, ours, theirs, committed]: [&[(&str, &str)]; 4], onto: &[&str]) -> String {
        let base = self.commit(base, onto);
        let (ours, theirs) = (self.commit(ours, &[&base]), self.commit(theirs, &[&base]));
        self.commit(committed, &[&ours, &theirs])
    }

    fn replay(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orchestrator-server"));
        command.arg("replay").arg("--repo").arg(self.folder.path()).args(arguments);
        command.env_remove("ORCHESTRATOR_REPO").output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.replay(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn files(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path);
            }
        }
        found
    }
}

const LONG: [&str; 3] =
    ["1\n2\n3\n4\n5\n6\n7\n8\n9\n", "one\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n"];
const BOTH: &str = "one\n2\n3\n4\n5\n6\n7\n8\nnine\n";

/// Merges that people settled in every way there is.
fn history() -> History {
    let mut history = History::new();
    let [long, ours, theirs] = LONG;
    let crlf = ours.replace('\n', "\r\n");
    let crlf_both = BOTH.replace('\n', "\r\n");
    // A person takes our side whole; and the same three versions again, settled otherwise.
    let at = history.merge([&[("a", "x\n")], &[("a", "y\n")], &[("a", "z\n")], &[("a", "y\n")]], &[]);
    let at = history.merge([&[("a", "x\n")], &[("a", "y\n")], &[("a", "z\n")], &[("a", "w\n")]], &[&at]);
    // Text of a page, settled by something that neither side has.
    let page = [
        &[("b.html", "<p>\n")][..],
        &[("b.html", "<script>alert(1)</script>\n")],
        &[("b.html", "&\n")],
        &[("b.html", "'\"\n")],
    ];
    let at = history.merge(page, &[&at]);
    // Only our engine settles these: one side changed the line endings. The person did so, too; or did something else.
    let settled = [("c", crlf_both.as_str())];
    let at = history.merge([&[("c", long)], &[("c", &crlf)], &[("c", theirs)], &settled], &[&at]);
    let five = long.replace('5', "five");
    let at = history.merge([&[("d", long)], &[("d", &crlf)], &[("d", &five)], &[("d", long)]], &[&at]);
    // Git merges these; one was committed otherwise.
    let at = history.merge([&[("e", long)], &[("e", ours)], &[("e", theirs)], &[("e", BOTH)]], &[&at]);
    let at = history.merge([&[("e", long)], &[("e", ours)], &[("e", theirs)], &[("e", ours)]], &[&at]);
    // One deletes what the other changes; the person removes a file in conflict.
    let at = history.merge([&[("f", long)], &[("g", "")], &[("f", theirs)], &[("f", theirs)]], &[&at]);
    let at = history.merge([&[("h", "x\n")], &[("h", "y\n")], &[("h", "z\n")], &[("g", "")]], &[&at]);
    // Three at once; two merge bases; no merge base.
    let three = [1, 2, 3].map(|number| history.commit(&[("i", &format!("{number}\n"))], &[&at]));
    let at = history.commit(&[("i", "")], &[&three[0], &three[1], &three[2]]);
    let (left, right) = (history.commit(&[("j", "1\n")], &[&at]), history.commit(&[("k", "1\n")], &[&at]));
    let both = [("j", "1\n"), ("k", "1\n")];
    let (one, two) = (history.commit(&both, &[&left, &right]), history.commit(&both, &[&right, &left]));
    let at = history.commit(&both, &[&one, &two]);
    let alone = history.commit(&[("l", "")], &[]);
    history.commit(&[("l", "")], &[&at, &alone]);
    history
}

/// Class, path and rules of each case: what does not depend on time.
fn cases(report: &Value) -> Vec<String> {
    let conflicts = report["conflicts"].as_array().unwrap();
    conflicts.iter().map(|case| format!("{} {} {}", case["path"], case["answer"]["class"], case["one_sided"])).collect()
}

#[test]
fn known_merges_have_known_counts_and_the_repository_stays_as_it_is() {
    let history = history();
    let before = history.files();
    let report = history.json(&[]);
    assert_eq!(history.files(), before);

    assert_eq!(
        cases(&report),
        [
            r#""d" "differs" false"#,
            r#""c" "exact" false"#,
            r#""b.html" "conflict" false"#,
            // The newest of two with the same versions: the one that is not one side whole.
            r#""a" "conflict" false"#,
        ]
    );
    let skipped = &report["skipped"];
    for (what, count) in [("octopus", 1), ("criss_cross", 1), ("unrelated", 1), ("gone", 1), ("repeated", 1)] {
        assert_eq!(skipped[what], count, "{what}");
    }
    let score = &report["score"];
    // Nine of the list above and the two that make the criss-cross.
    assert_eq!((&score["merges"], &score["other_conflicts"]), (&11.into(), &2.into()));
    assert_eq!(score["git_clean_merges"]["part"], 4);
    assert_eq!(score["our_clean_merges"]["part"], 6);
    assert_eq!(
        (&score["ours"]["files"], &score["ours"]["exact"], &score["ours"]["differs"]),
        (&4.into(), &1.into(), &1.into())
    );
    assert_eq!(score["highest"]["lines"]["files"], 2);
    assert_eq!(score["clean"]["git"]["files"], 2);
    assert_eq!(score["clean"]["git"]["differs"], 1);
    assert_eq!(score["clean"]["git"]["one_sided"], 1);
    assert_eq!((&score["clean"]["regressions"], &score["clean"]["changed"]), (&0.into(), &0.into()));
    assert_eq!((&score["git_wrong"]["part"], &score["git_wrong"]["of"]), (&1.into(), &2.into()));
    assert_eq!((&score["our_wrong"]["part"], &score["our_wrong"]["of"]), (&2.into(), &4.into()));

    let rows = String::from_utf8(history.replay(&[]).stdout).unwrap();
    assert!(rows.contains("A2  as people did, of files git leaves  ours 25.00% (1/4"), "{rows}");
    assert!(rows.contains("A3  not as people did, of clean answers ours 50.00% (1/2"), "{rows}");
}

#[test]
fn the_answers_do_not_depend_on_the_number_of_threads() {
    let history = history();
    assert_eq!(cases(&history.json(&["--jobs", "1"])), cases(&history.json(&["--jobs", "7"])));
}

#[test]
fn what_is_not_wanted_is_left_out() {
    let history = history();
    assert_eq!(cases(&history.json(&["--paths", "*.html"])), [r#""b.html" "conflict" false"#]);
    assert_eq!(history.json(&["--merges", "6"])["conflicts"], Value::Array(Vec::new()));
    assert_eq!(history.json(&["--since", "2099-01-01"])["score"]["merges"], 0);
    let few = history.json(&["--cases-most", "1"]);
    assert_eq!((few["conflicts"].as_array().unwrap().len(), &few["skipped"]["beyond"]), (1, &3.into()));
    assert_eq!(few["score"]["our_clean_merges"]["part"], 5);
}

#[test]
fn what_older_merges_teach_settles_newer_ones_and_is_scored_apart() {
    let mut history = History::new();
    let with = |last: &str, line: &str| format!("first\nsecond\n{line}\nthird\nfourth\nfifth\n{last}\n");
    let mut at = String::new();
    // The same conflict three times in files that differ elsewhere: settled alike twice, then otherwise.
    for (last, settled) in [("1", "x + y"), ("2", "x + y"), ("3", "y")] {
        let [base, ours, theirs, committed] = ["w", "x", "y", settled].map(|line| with(last, line));
        let files = [[("a", &*base)], [("a", &*ours)], [("a", &*theirs)], [("a", &*committed)]];
        let onto: &[&str] = if at.is_empty() { &[] } else { &[&at] };
        at = history.merge([&files[0], &files[1], &files[2], &files[3]], onto);
    }
    // The same versions as the first: a lesson, and no case of its own.
    let [base, ours, theirs, committed] = ["w", "x", "y", "x + y"].map(|line| with("2", line));
    history.merge([&[("a", &base)], &[("a", &ours)], &[("a", &theirs)], &[("a", &committed)]], &[&at]);

    let without = history.json(&[]);
    assert_eq!(without["score"]["ours"]["conflict"], 3);
    let report = history.json(&["--recorded", "--jobs", "2"]);
    let answers = report["conflicts"].as_array().unwrap().iter().map(|case| &case["answer"]);
    let answers: Vec<_> =
        answers.map(|answer| (&answer["class"], &answer["rules"][0], &answer["candidates"])).collect();
    let (none, typed) = (Value::Array(Vec::new()), Value::from("RecordedText"));
    // The newest has two older answers, which contradict each other; the oldest has none.
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0].0, "conflict");
    assert_eq!(answers[0].2.as_array().unwrap().iter().filter(|class| **class == "exact").count(), 1);
    assert_eq!(answers[1], (&Value::from("differs"), &typed, &none));
    assert_eq!((answers[2].0, answers[2].2), (&Value::from("conflict"), &none));
    let layer = &report["score"]["highest"]["recorded"];
    assert_eq!((&layer["files"], &layer["differs"]), (&1.into(), &1.into()));
    let off = history.json(&["--recorded", "--layers", "no-recorded"]);
    assert_eq!(off["score"]["ours"]["conflict"], 3);
}

#[test]
fn other_programs_are_scored_on_the_same_cases() {
    let history = history();
    let report = history.json(&[
        "--compare",
        "line=git merge-file -q %A %O %B",
        "--compare",
        "union = git merge-file -q --union '%A' %O %B",
        "--compare",
        "late=sh -c 'sleep 30' %A",
        "--compare-limit",
        "1",
        "--paths",
        "{a,b.html,c}",
    ]);
    let peers = &report["score"]["peers"];
    let class = |peer: &str, class: &str| peers[peer][class].as_u64().unwrap();
    assert_eq!((class("line", "files"), class("line", "conflict")), (3, 3));
    assert_eq!((class("union", "files"), class("union", "differs")), (3, 3));
    assert_eq!((class("late", "files"), class("late", "failed")), (3, 3));
    assert_eq!(report["conflicts"][0]["peers"]["union"]["class"], "differs");
}

#[test]
fn cases_are_written_for_reading() {
    let history = history();
    let folder = tempfile::tempdir().unwrap();
    let (page, cases) = (folder.path().join("page.html"), folder.path().join("cases"));
    history.json(&["--html", page.to_str().unwrap(), "--cases", cases.to_str().unwrap(), "--class", "d,X"]);

    let names: BTreeSet<String> =
        std::fs::read_dir(&cases).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let expected = ["00000-conflict-D-d", "00002-conflict-X-b.html", "00003-conflict-X-a"];
    assert_eq!(names, expected.map(str::to_owned).into());
    let read = |case: &str, file: &str| std::fs::read_to_string(cases.join(case).join(file)).unwrap();
    assert_eq!(read("00002-conflict-X-b.html", "expected"), "'\"\n");
    assert_eq!(read("00002-conflict-X-b.html", "path"), "b.html\n");
    assert_eq!(read("00000-conflict-D-d", "result"), LONG[1].replace("5", "five").replace('\n', "\r\n"));

    let page = std::fs::read_to_string(&page).unwrap();
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"), "{page}");
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("src="));
    let places = ["Differs</span> d<", "Conflict</span> b.html<", "Exact</span> c<"].map(|text| page.find(text));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}");
    assert_well_formed(&page);
}

/// Every element that is opened is closed in its place.
fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1).map(|rest| rest.split_once('>').unwrap().0) {
        let name = tag.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name)),
            None if matches!(name, "!DOCTYPE" | "meta") => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_missing_object_is_counted_and_no_failure() {
    let history = history();
    let missing = history.git(&["hash-object", "--stdin"], "w\n");
    std::fs::remove_file(history.folder.path().join("objects").join(&missing[..2]).join(&missing[2..])).unwrap();
    let report = history.json(&[]);
    assert_eq!(cases(&report).len(), 3);
    assert_eq!(report["skipped"]["unreadable_files"], 1);
}

#[test]
fn what_cannot_be_done_is_said() {
    let history = history();
    let nowhere = tempfile::tempdir().unwrap();
    let fails = |arguments: &[&str], status, words: &str| {
        let output = history.replay(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(status) && said.contains(words), "{arguments:?}: {said}");
    };
    fails(&["--from", "no-such-branch"], 1, "no-such-branch");
    fails(&["--compare", "x=cat %O"], 1, "%A");
    fails(&["--layers", "no-magic"], 2, "'magic' is no layer");
    fails(&["--class", "Q"], 2, "'Q' is no class");
    fails(&["--paths", "a{"], 1, "a{");
    let mut command = Command::new(env!("CARGO_BIN_EXE_orchestrator-server"));
    let output = command.args(["replay", "--repo"]).arg(Path::new(nowhere.path())).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}
