//! Against the real `git merge-file`.

use crate::support::{merged, three};
use orchestrator_merge::{Kind, Labels, Outcome, Refusal, Style};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::path::Path;
use std::process::Command;

const LABELS: Labels<'_> = Labels { ours: "ours", base: "base", theirs: "theirs" };

/// What git makes of three files, and whether it is clean.
fn git(folder: &Path, [base, ours, theirs]: &[Vec<u8>; 3], style: &[&str]) -> (Vec<u8>, bool) {
    for (name, text) in [("base", base), ("ours", ours), ("theirs", theirs)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let output = Command::new("git")
        .args(["merge-file", "-p", "--diff-algorithm=histogram", "-L", "ours", "-L", "base", "-L", "theirs"])
        .args(style)
        .args(["ours", "base", "theirs"])
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 128, "{}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, code == 0)
}

#[derive(Debug, Default)]
struct Tally {
    both_clean: u32,
    both_conflict: u32,
    same_markers: u32,
    refused: u32,
    aligned_otherwise: u32,
    we_clean_alone: u32,
}

#[test]
fn the_answer_is_that_of_git() {
    let folder = tempfile::tempdir().unwrap();
    let tally = RefCell::new(Tally::default());
    let mut runner = TestRunner::new(Config { cases: Config::default().cases.max(400), ..Config::default() });
    runner
        .run(&three(), |files| {
            let mut tally = tally.borrow_mut();
            let (text, clean) = git(folder.path(), &files, &[]);
            match (merged(&files[0], &files[1], &files[2]), clean) {
                (Outcome::Clean { content, .. }, true) => {
                    prop_assert_eq!(content.unwrap(), text);
                    tally.both_clean += 1;
                }
                (Outcome::Clean { .. }, false) => {
                    tally.we_clean_alone += 1;
                    eprintln!(
                        "WE {:?} {}",
                        files.clone().map(|f| String::from_utf8(f).unwrap()),
                        String::from_utf8_lossy(&text)
                    );
                }
                (Outcome::Conflict(conflict), true) => {
                    if matches!(conflict.kind, Kind::Refused(_)) {
                        tally.refused += 1;
                        if let Kind::Refused(r) = &conflict.kind {
                            if !matches!(r, Refusal::Twice { .. } | Refusal::DeletionUndone { .. }) {
                                eprintln!("REF {r:?} {:?}", files.clone().map(|f| String::from_utf8(f).unwrap()))
                            }
                        }
                    } else {
                        tally.aligned_otherwise += 1;
                        eprintln!("ALIGN {:?}", files.clone().map(|f| String::from_utf8(f).unwrap()))
                    }
                }
                (Outcome::Conflict(conflict), false) => {
                    tally.both_conflict += 1;
                    let same = conflict.markers(Style::Merge, &LABELS).unwrap() == text
                        && conflict.markers(Style::Diff3, &LABELS).unwrap()
                            == git(folder.path(), &files, &["--diff3"]).0
                        && conflict.markers(Style::Zdiff3, &LABELS).unwrap()
                            == git(folder.path(), &files, &["--zdiff3"]).0;
                    tally.same_markers += u32::from(same);
                }
                _ => unreachable!(),
            }
            Ok(())
        })
        .unwrap();
    eprintln!("{:?}", tally.into_inner());
}
