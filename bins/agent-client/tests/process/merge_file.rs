//! `agent-client merge-file`: three files in, git's exit codes out.

use crate::support::agent_client;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

const BASE: &str = "one\ntwo\nthree\nfour\nfive\n";
const OURS: &str = "ONE\ntwo\nthree\nfour\nfive\n";
const THEIRS: &str = "one\ntwo\nthree\nfour\nFIVE\n";
const MERGED: &str = "ONE\ntwo\nthree\nfour\nFIVE\n";
/// Collides with ours.
const OTHER: &str = "eins\ntwo\nthree\nfour\nFIVE\n";

/// A folder with the three files.
fn folder(base: &[u8], ours: &[u8], theirs: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("base", base), ("ours", ours), ("theirs", theirs)] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn merge_file(folder: &Path, arguments: &[&str]) -> Output {
    agent_client(&["merge-file"]).args(arguments).current_dir(folder).output().unwrap()
}

#[track_caller]
fn assert_merges(folder: &Path, arguments: &[&str], code: i32, expected: &str) {
    let output = merge_file(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{arguments:?}");
}

const THREE: [&str; 3] = ["base", "ours", "theirs"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&THREE[..], more].concat()
}

#[test]
fn the_result_is_printed_or_written_whole() {
    let folder = folder(BASE.as_bytes(), OURS.as_bytes(), THEIRS.as_bytes());
    let at = |name: &str| folder.path().join(name);
    assert_merges(folder.path(), &THREE, 0, MERGED);
    fs::set_permissions(at("ours"), fs::Permissions::from_mode(0o750)).unwrap();
    assert_merges(folder.path(), &with(&["-o", "ours"]), 0, "");
    assert_eq!(fs::read_to_string(at("ours")).unwrap(), MERGED);
    assert_eq!(at("ours").metadata().unwrap().permissions().mode() & 0o777, 0o750);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left");
    // A file that both sides deleted, or one deleted and the other left alone, is removed.
    assert_merges(folder.path(), &["base", "base", "/dev/null", "-o", "theirs"], 0, "");
    assert!(!at("theirs").exists());
}

#[test]
fn a_conflict_has_markers_and_exit_code_1() {
    let folder = folder(BASE.as_bytes(), OURS.as_bytes(), OTHER.as_bytes());
    let rest = "two\nthree\nfour\nFIVE\n";
    let usual = format!("<<<<<<< ours\nONE\n=======\neins\n>>>>>>> theirs\n{rest}");
    assert_merges(folder.path(), &THREE, 1, &usual);
    let named = format!("<<<<<<<<< me\nONE\n||||||||| was\none\n=========\neins\n>>>>>>>>> %Y you\n{rest}");
    let labels = ["-L", "me", "-L", "was", "--label=%Y you"];
    assert_merges(folder.path(), &with(&[&labels[..], &["--style", "diff3", "--marker-size=9"]].concat()), 1, &named);
    // What an old git leaves in place of a label is none.
    assert_merges(folder.path(), &with(&["--label=%X", "--label=%S", "--label=%Y"]), 1, &usual);
    assert_merges(folder.path(), &with(&["-o", "out"]), 1, "");
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), usual);
}

#[test]
fn what_has_no_lines_is_left_as_ours_has_it() {
    let folder = folder(b"\0a", b"\0b", b"\0c");
    let output = merge_file(folder.path(), &with(&["--explain"]));
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b"\0b"[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("not text"));
    // One side deleted the file: what is left of it is what the other made of it.
    assert_merges(folder.path(), &["base", "/dev/null", "theirs", "-o", "out"], 1, "");
    assert_eq!(fs::read(folder.path().join("out")).unwrap(), b"\0c");
}

#[test]
fn a_failure_is_129_or_more_and_writes_nothing() {
    let folder = folder(BASE.as_bytes(), OURS.as_bytes(), THEIRS.as_bytes());
    fs::write(folder.path().join("out"), "as it was").unwrap();
    fs::create_dir(folder.path().join("dir")).unwrap();
    for (arguments, code) in [
        (&["-o", "out"][..], 129),
        (&["base", "ours", "-o", "out"], 129),
        (&["base", "ours", "theirs", "more", "-o", "out"], 129),
        (&["base", "ours", "theirs", "-o", "out", "--nonsense"], 129),
        (&["base", "ours", "theirs", "-o", "out", "--accept", "everything"], 129),
        (&["base", "ours", "theirs", "-o", "out", "--marker-size", "0"], 129),
        (&["base", "ours", "theirs", "-o", "out", "-L", "1", "-L", "2", "-L", "3", "-L", "4"], 129),
        (&["absent", "ours", "theirs", "-o", "out"], 255),
        (&["base", "dir", "theirs", "-o", "out"], 255),
        (&["base", "ours", "theirs", "-o", "dir"], 255),
        (&["base", "ours", "theirs", "-o", "absent/out"], 255),
        (&["base", "ours", "theirs", "-o", "/dev/null"], 255),
    ] {
        let output = merge_file(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), "as it was", "{arguments:?}");
    }
    assert_eq!(
        agent_client(&["--agent-id", "x", "merge-file", "a", "b", "c"]).output().unwrap().status.code(),
        Some(129)
    );
    assert_eq!(agent_client(&["merge-file", "--help"]).output().unwrap().status.code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
}

#[test]
fn only_what_is_proven_is_taken_where_that_is_asked_for() {
    let [base, ours, theirs] = [BASE, OURS, THEIRS].map(|text| text.replace("three\n", "3\n3b\n3c\n"));
    let folder = folder(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let open = "<<<<<<< ours\nONE\n=======\none\n>>>>>>> theirs\ntwo\n3\n3b\n3c\nfour\n\
                <<<<<<< ours\nfive\n=======\nFIVE\n>>>>>>> theirs\n";
    assert_merges(folder.path(), &with(&["--accept", "proven"]), 1, open);
    assert_merges(folder.path(), &["base", "ours", "ours", "--accept", "proven"], 0, &ours);
    let merged = MERGED.replace("three\n", "3\n3b\n3c\n");
    assert_merges(folder.path(), &with(&["--accept", "candidate"]), 0, &merged);
}

#[test]
fn it_tells_what_settled_each_region_and_what_is_left() {
    let folder = folder(BASE.as_bytes(), OURS.as_bytes(), OTHER.as_bytes());
    let output = merge_file(folder.path(), &with(&["--explain", "-p", "notes.txt"]));
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = "notes.txt: conflict: both sides changed the same or touching lines\n  \
                    settled base 5, ours 5, theirs 5: lines, theirs-changed, verified\n  \
                    open    base 1, ours 1, theirs 1\n";
    assert_eq!(told, expected);

    let other = self::folder(b"a = 1\n", b"a = 2\n", b"a = 3\n");
    let output = merge_file(other.path(), &with(&["--explain", "-p", "notes.py"]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("\n  left    by the layers beyond lines: "), "{told}");

    let output = merge_file(folder.path(), &with(&["--json"]));
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["outcome"], &report["merged"]), (&"conflict".into(), &false.into()), "{report}");
    assert_eq!((&report["conflict"]["kind"], &report["path"]), (&"content".into(), &"ours".into()), "{report}");
    let region = &report["conflict"]["regions"][0];
    assert_eq!(region["theirs"], serde_json::json!({"start": 1, "count": 1, "text": "eins\n"}), "{report}");
    assert!(report["content"].as_str().unwrap().starts_with("<<<<<<< ours\n"), "{report}");

    fs::write(folder.path().join("theirs"), THEIRS).unwrap();
    let output = merge_file(folder.path(), &with(&["--json", "-o", "out"]));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["outcome"], &report["content"]), (&"clean".into(), &MERGED.into()), "{report}");
    assert_eq!(report["regions"][1]["rule"], "theirs-changed", "{report}");
    assert_eq!(fs::read_to_string(folder.path().join("out")).unwrap(), MERGED);
}

#[test]
fn a_file_of_any_length_is_merged() {
    let lines: String = (0..510_000).map(|n| format!("{n}\n")).collect();
    let folder = folder(
        lines.as_bytes(),
        lines.replacen("\n7\n", "\nseven\n", 1).as_bytes(),
        lines.replacen("\n500007\n", "\n\n", 1).as_bytes(),
    );
    let expected = lines.replacen("\n7\n", "\nseven\n", 1).replacen("\n500007\n", "\n\n", 1);
    let output = merge_file(folder.path(), &THREE);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout == expected.as_bytes());
}

#[test]
fn data_is_merged_by_what_it_holds() {
    let base = "{\n  \"dependencies\": {\n    \"a\": \"1\",\n    \"z\": \"1\"\n  }\n}\n";
    let added = |name: &str| base.replace("    \"z\"", &format!("    \"{name}\": \"2\",\n    \"z\""));
    let folder = folder(base.as_bytes(), added("m").as_bytes(), added("k").as_bytes());
    let output = merge_file(folder.path(), &with(&["-p", "web/package.json", "--explain"]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let expected = base.replace("    \"z\"", "    \"k\": \"2\",\n    \"m\": \"2\",\n    \"z\"");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    let settled = "web/package.json: merged\n  settled base before 4, ours 4, theirs 4: sets, values, verified\n";
    assert_eq!(told, settled);
    // As text it is a conflict, and as a key that both give another value.
    assert_eq!(merge_file(folder.path(), &with(&["-p", "web/package.txt"])).status.code(), Some(1));
    fs::write(folder.path().join("theirs"), added("m").replace("2", "3")).unwrap();
    assert_eq!(merge_file(folder.path(), &with(&["-p", "web/package.json"])).status.code(), Some(1));
}

#[test]
fn what_a_person_settled_is_learnt_and_settles_the_same_conflict() {
    let folder = folder(BASE.as_bytes(), OURS.as_bytes(), OTHER.as_bytes());
    let at = |name: &str| folder.path().join(name);
    let resolved = "ONE, eins\ntwo\nthree\nfour\nFIVE\n";
    fs::write(at("resolved"), resolved).unwrap();
    let recorded = ["-p", "notes.txt", "--recorded", "team.json"];
    let learn = || merge_file(folder.path(), &with(&[&recorded[..], &["--learn", "resolved"]].concat()));
    let output = learn();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(0), &b""[..]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told, "notes.txt: learnt 1 of 1 regions that both sides changed\n");

    assert_merges(folder.path(), &with(&recorded), 0, resolved);
    let output = merge_file(folder.path(), &with(&[&recorded[..], &["--explain"]].concat()));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("settled base 1, ours 1, theirs 1: recorded, recorded-text, recorded\n"), "{told}");
    // With the sides swapped it is the same; for another file it is a candidate, and nothing is proven by it.
    assert_merges(folder.path(), &[&["base", "theirs", "ours"], &recorded[..]].concat(), 0, resolved);
    let other = ["-p", "other.txt", "--recorded", "team.json"];
    assert_eq!(merge_file(folder.path(), &with(&other)).status.code(), Some(1));
    assert_merges(folder.path(), &with(&[&other[..], &["--accept", "candidate"]].concat()), 0, resolved);
    let proven = merge_file(folder.path(), &with(&[&recorded[..], &["--accept", "proven"]].concat()));
    assert_eq!(proven.status.code(), Some(1));
    // A second answer for the same conflict settles nothing any more.
    fs::write(at("resolved"), MERGED).unwrap();
    assert_eq!(learn().status.code(), Some(0));
    let output = merge_file(folder.path(), &with(&[&recorded[..], &["--json"]].concat()));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["outcome"], report["candidates"].as_array().unwrap().len()), (&"candidates".into(), 2));

    for (arguments, code) in [
        (&["--learn", "resolved"][..], 129),
        (&["--recorded", "absent.json"], 255),
        (&["--recorded", "base"], 255),
        (&["--recorded", "base", "--learn", "resolved"], 255),
        (&["--recorded", "team.json", "--learn", "absent"], 255),
    ] {
        assert_eq!(merge_file(folder.path(), &with(arguments)).status.code(), Some(code), "{arguments:?}");
    }
    assert_eq!(fs::read_to_string(at("base")).unwrap(), BASE);
}
