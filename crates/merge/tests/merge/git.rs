//! Against the real `git merge-file`.

use crate::support::{edited_versions, merged, repetitive};
use orchestrator_merge::{Conflict, Kind, Labels, Outcome, Style};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
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

/// How the answers compare over many merges.
#[derive(Debug, Default)]
struct Tally {
    clean: u32,
    conflict: u32,
    /// Conflicts that all three styles write as git does.
    same_markers: u32,
    /// Git is clean, and our verifier refused what the lines gave.
    refused: u32,
    /// Git is clean, and we are not.
    only_git: u32,
    /// We are clean, and git is not.
    only_we: u32,
}

/// Merges the same files on every run, unless more are asked for than the usual ones.
fn compare(files: impl Strategy<Value = [Vec<u8>; 3]>) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let tally = RefCell::new(Tally::default());
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
    let compared = runner.run(&files, |files| {
        let (text, clean) = git(folder.path(), &files, &[]);
        let mut tally = tally.borrow_mut();
        match (merged(&files[0], &files[1], &files[2]), clean) {
            (Outcome::Clean { content, .. }, true) => {
                prop_assert_eq!(content.unwrap(), text);
                tally.clean += 1;
            }
            (Outcome::Conflict(conflict), false) => {
                tally.conflict += 1;
                let styles = [(Style::Merge, &[][..]), (Style::Diff3, &["--diff3"]), (Style::Zdiff3, &["--zdiff3"])];
                let same = styles.iter().all(|(style, option)| {
                    conflict.markers(*style, &LABELS).unwrap() == git(folder.path(), &files, option).0
                });
                tally.same_markers += u32::from(same);
            }
            (Outcome::Conflict(Conflict { kind: Kind::Refused(_), .. }), true) => tally.refused += 1,
            (_, true) => tally.only_git += 1,
            (_, false) => tally.only_we += 1,
        }
        Ok(())
    });
    compared.unwrap();
    tally.into_inner()
}

#[test]
fn edited_files_are_merged_as_git_does() {
    let tally = compare(edited_versions());
    assert_eq!((tally.only_we, tally.only_git), (0, 0), "{tally:?}");
    assert!(tally.refused * 20 <= tally.clean, "{tally:?}");
    assert!(tally.same_markers * 100 >= tally.conflict * 97, "{tally:?}");
}

/// Unrelated files of equal lines: the two histogram diffs may pair them differently, and nothing else may differ.
#[test]
fn repetitive_files_are_merged_as_git_does_but_for_a_few() {
    let tally = compare([repetitive(), repetitive(), repetitive()]);
    let all = tally.clean + tally.conflict;
    assert!((tally.only_we + tally.only_git) * 200 <= all, "{tally:?}");
    assert!(tally.same_markers * 100 >= tally.conflict * 90, "{tally:?}");
}
