//! The wrong merges that must never be produced: `merge` does not, and `verify` refuses them when they are handed over.

use crate::support::{clean, conflict, conflict_of, merged, refusal};
use orchestrator_merge::{Kind, Options, Outcome, Refusal, Side, merge, verify, verify_laws};

const MODULE: &str = "import os\nimport sys\n\n\ndef load(path):\n    return open(\n        path,\n        mode=\"rb\",\n    )\n\n\n\
                      def save(path):\n    pass\n";

/// The module with one text replaced.
fn with(old: &str, new: &str) -> String {
    assert_eq!(MODULE.matches(old).count(), 1, "{old:?}");
    MODULE.replace(old, new)
}

#[test]
fn an_import_or_a_line_between_is_dropped() {
    let (ours, theirs) = (with("import os", "import io\nimport os"), with("    pass", "    raise OSError"));
    let right = String::from_utf8(clean(MODULE.as_bytes(), ours.as_bytes(), theirs.as_bytes())).unwrap();
    assert_eq!(right, MODULE.replace("import os", "import io\nimport os").replace("    pass", "    raise OSError"));
    for (lost, kept_by_both) in [("import sys\n", true), ("import io\n", false), ("    raise OSError\n", false)] {
        let found = refusal(MODULE, &ours, &theirs, &right.replacen(lost, "", 1));
        let text = lost.trim().to_owned();
        assert_eq!(found, if kept_by_both { Refusal::LineLost { text } } else { Refusal::EditLost { text } });
    }
}

#[test]
fn a_multi_line_construct_is_cut() {
    let (ours, theirs) = (with("import os", "import io"), with("    pass", "    raise OSError"));
    let right = with("import os", "import io").replace("    pass", "    raise OSError");
    for cut in ["        mode=\"rb\",\n    )\n", "    )\n", "    return open(\n"] {
        let found = refusal(MODULE, &ours, &theirs, &right.replacen(cut, "", 1));
        assert!(matches!(found, Refusal::LineLost { .. }), "{found}");
    }
}

#[test]
fn an_entity_stands_twice() {
    // Both moved one line, to different places: every line merge has it at both.
    let (base, ours, theirs) = ("a\nb\nx\nc\nd\ne\n", "a\nb\nc\nd\nx\ne\n", "x\na\nb\nc\nd\ne\n");
    let left = conflict(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    assert_eq!(left.kind, Kind::Refused(Refusal::Twice { text: "x".to_owned() }));
    assert_eq!(left.regions().count(), 2);
    assert_eq!(refusal(base, ours, theirs, "x\na\nb\nc\nd\nx\ne\n"), Refusal::Twice { text: "x".to_owned() });
    // One moved a function, the other edited it where it was.
    let (base, ours, theirs) = ("def f():\n    1\n\nx\ny\n", "x\ny\n\ndef f():\n    1\n", "def f():\n    2\n\nx\ny\n");
    assert_eq!(conflict(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).kind, Kind::Content);
    let both = "def f():\n    2\n\nx\ny\n\ndef f():\n    1\n";
    assert_eq!(refusal(base, ours, theirs, both), Refusal::BothChanged { line: 1 });
    // Both added the same function, and it is there twice.
    let added = with("def save", "def new():\n    7\n\n\ndef save");
    let (ours, theirs) = (added.replace("import os", "import io"), added.replace("    pass", "    raise OSError"));
    let right = String::from_utf8(clean(MODULE.as_bytes(), ours.as_bytes(), theirs.as_bytes())).unwrap();
    assert_eq!(right.matches("def new").count(), 1);
    let found = refusal(MODULE, &ours, &theirs, &right.replace("def new():\n", "def new():\ndef new():\n"));
    assert_eq!(found, Refusal::Repeated { text: "def new():".to_owned() });
}

#[test]
fn a_deletion_is_undone_or_an_edit_lost() {
    let (ours, theirs) = (with("import sys\n", ""), with("    pass", "    raise OSError"));
    let right = String::from_utf8(clean(MODULE.as_bytes(), ours.as_bytes(), theirs.as_bytes())).unwrap();
    assert!(!right.contains("import sys"));
    let undone = right.replace("import os\n", "import os\nimport sys\n");
    assert_eq!(refusal(MODULE, &ours, &theirs, &undone), Refusal::DeletionUndone { text: "import sys".to_owned() });
    // One deleted a line, the other moved it.
    let (base, ours, theirs) = ("a\nx\nb\nc\nd\n", "a\nb\nc\nx\nd\n", "a\nb\nc\nd\n");
    assert!(matches!(conflict(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).kind, Kind::Refused(_)));
    assert_eq!(refusal(base, ours, theirs, ours), Refusal::DeletionUndone { text: "x".to_owned() });
    // One deleted the file, the other changed it: neither answer is right.
    let (base, changed) = (Some(&b"a\n"[..]), Some(&b"b\n"[..]));
    for (ours, theirs, deleted) in [(None, changed, Side::Ours), (changed, None, Side::Theirs)] {
        let left = conflict_of(merge(base, ours, theirs, "f", &Options::default()));
        assert_eq!(left.kind, Kind::DeleteModify { deleted });
        for result in [None, changed, base] {
            assert_eq!(verify(base, ours, theirs, result, "f"), Err(Refusal::DeleteModify));
        }
    }
    // A file that both changed is not deleted.
    assert_eq!(verify(base, changed, Some(b"c\n"), None, "f"), Err(Refusal::Deleted));
    // Only one side changed the file, and the change is gone.
    assert_eq!(verify(base, base, changed, base, "f"), Err(Refusal::NotIdentity));
}

#[test]
fn a_key_stands_twice() {
    let base = "{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}\n";
    let ours = base.replace("  \"b\"", "  \"retries\": 9,\n  \"b\"");
    let theirs = base.replace("  \"c\"", "  \"retries\": 9,\n  \"c\"");
    let twice = ours.replace("  \"c\"", "  \"retries\": 9,\n  \"c\"");
    let left = conflict(base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    let expected = Refusal::Twice { text: "\"retries\": 9,".to_owned() };
    assert_eq!(left.kind, Kind::Refused(expected.clone()));
    assert_eq!(refusal(base, &ours, &theirs, &twice), expected);
}

#[test]
fn words_are_fused_or_doubled_in_one_line() {
    let (ours, theirs) = (with("import os", "import io"), with("    pass", "    raise OSError"));
    let right = with("import os", "import io").replace("    pass", "    raise OSError");
    for (line, wrong) in [("import io\n", "import io"), ("import io", "import io io"), ("raise OSError", "raise pass")]
    {
        let found = refusal(MODULE, &ours, &theirs, &right.replacen(line, wrong, 1));
        assert!(matches!(found, Refusal::Foreign { .. }), "{found}");
    }
    // A last line without newline is not fused with what comes after it.
    assert_eq!(clean(b"a\nb\nc", b"A\nb\nc", b"a\nb\nc\nd\n"), b"A\nb\nc\nd\n");
}

#[test]
fn both_fix_the_same_thing_in_different_ways() {
    let (ours, theirs) = (with("    pass", "    raise OSError"), with("    pass", "    return None"));
    assert_eq!(conflict(MODULE.as_bytes(), ours.as_bytes(), theirs.as_bytes()).kind, Kind::Content);
    let one = with("    pass", "    raise OSError\n    return None");
    let other = with("    pass", "    return None\n    raise OSError");
    for wrong in [&one, &other, &ours, &theirs] {
        assert_eq!(refusal(MODULE, &ours, &theirs, wrong), Refusal::BothChanged { line: 13 });
    }
}

#[test]
fn the_form_of_a_file_is_rewritten() {
    let (ours, theirs) = (with("import os", "import io"), with("    pass", "    raise OSError"));
    let right = with("import os", "import io").replace("    pass", "    raise OSError");
    let refused = |wrong: &str| refusal(MODULE, &ours, &theirs, wrong);
    assert_eq!(refused(&right.replace('\n', "\r\n")), Refusal::LineEndings);
    assert_eq!(refused(&right.replacen('\n', "\r\n", 1)), Refusal::LineEndings);
    assert_eq!(refused(&format!("\u{feff}{right}")), Refusal::ByteOrderMark);
    assert_eq!(refused(right.trim_end()), Refusal::FinalNewline);
    assert!(matches!(refused(&right.replace("    return", "  return")), Refusal::Foreign { .. }));
    assert!(matches!(refused(&right.replace("import sys\n", "import sys  \n")), Refusal::Foreign { .. }));
}

#[test]
fn a_generated_file_is_merged_as_text() {
    let (base, ours, theirs) = (Some(&b"a\nb\nc\n"[..]), Some(&b"A\nb\nc\n"[..]), Some(&b"a\nb\nC\n"[..]));
    for path in
        ["Cargo.lock", "web/package-lock.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock", "go.sum", "a.min.js"]
    {
        assert_eq!(conflict_of(merge(base, ours, theirs, path, &Options::default())).kind, Kind::Generated, "{path}");
        assert_eq!(verify(base, ours, theirs, Some(b"A\nb\nC\n"), path), Err(Refusal::Generated), "{path}");
        let only_ours = merge(base, ours, base, path, &Options::default());
        assert_eq!(only_ours.content(), Some(ours), "{path}");
    }
    let marked = |text: &str| format!("// @generated by a tool\n{text}");
    let [base, ours, theirs] = ["a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n"].map(marked);
    assert_eq!(conflict(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).kind, Kind::Generated);
}

#[test]
fn markers_inside_strings_are_misread() {
    let quoted = "text = '''\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n'''\nx\ny\n";
    let (ours, theirs) = (quoted.replace("text", "TEXT"), quoted.replace("y\n", "Y\n"));
    let right = clean(quoted.as_bytes(), ours.as_bytes(), theirs.as_bytes());
    assert_eq!(right, quoted.replace("text", "TEXT").replace("y\n", "Y\n").into_bytes());
    let (ours, theirs) = (with("import os", "import io"), with("    pass", "    raise OSError"));
    let right = with("import os", "import io").replace("    pass", "    raise OSError");
    for marker in ["<<<<<<< HEAD\n", "||||||| base\n", "=======\n", ">>>>>>> theirs\n"] {
        let wrong = right.replacen("import sys\n", &format!("import sys\n{marker}"), 1);
        assert_eq!(refusal(MODULE, &ours, &theirs, &wrong), Refusal::Marker { line: 3 });
    }
}

#[test]
fn the_result_depends_on_the_side() {
    let (base, ours, theirs) = (Some(&b"a\nb\n"[..]), Some(&b"a\nx\nb\n"[..]), Some(&b"a\ny\nb\n"[..]));
    assert_eq!(conflict_of(merge(base, ours, theirs, "f", &Options::default())).kind, Kind::Content);
    assert_eq!(verify(base, ours, theirs, Some(b"a\nx\ny\nb\n"), "f"), Err(Refusal::BothChanged { line: 2 }));
    let clean = |content: Option<&[u8]>| Outcome::Clean { content: content.map(<[u8]>::to_vec), regions: Vec::new() };
    let ours_first = |_: Option<&[u8]>, ours: Option<&[u8]>, _: Option<&[u8]>| clean(ours);
    assert_eq!(verify_laws(base, ours, theirs, ours, ours_first), Err(Refusal::Asymmetric));
    let growing = |_: Option<&[u8]>, one: Option<&[u8]>, two: Option<&[u8]>| {
        let mut lines = [one.unwrap(), two.unwrap()];
        lines.sort_unstable();
        clean(Some(&lines.concat()))
    };
    let grown = growing(base, ours, theirs);
    assert_eq!(verify_laws(base, ours, theirs, grown.content().unwrap(), growing), Err(Refusal::NotIdempotent));
}

#[test]
fn edits_beside_each_other_are_clean() {
    for (base, ours, theirs, wrong, line) in [
        ("a\nb\n", "A\nb\n", "a\nB\n", "A\nB\n", 1),
        ("a\nb\nc\n", "a\nc\n", "a\nb\nC\n", "a\nC\n", 2),
        ("a\nb\n", "a\nx\nb\n", "a\nB\n", "a\nx\nB\n", 2),
    ] {
        assert_eq!(conflict(base.as_bytes(), ours.as_bytes(), theirs.as_bytes()).kind, Kind::Content);
        assert_eq!(refusal(base, ours, theirs, wrong), Refusal::Adjacent { line });
    }
}

#[test]
fn bytes_that_are_no_utf8_are_decoded() {
    let (base, ours, theirs) = (b"\xff\xe9\nb\nc\n", b"\xff\xe9\nb\nC\xe9\n", b"\xff\xe9\xe8\nb\nc\n");
    let right = b"\xff\xe9\xe8\nb\nC\xe9\n";
    assert_eq!(clean(base, ours, theirs), right);
    let lossy = String::from_utf8_lossy(right).into_owned();
    let found = verify(Some(base), Some(ours), Some(theirs), Some(lossy.as_bytes()), "f").unwrap_err();
    assert!(matches!(found, Refusal::Foreign { line: 1, .. }), "{found}");
    // Not text: never merged by lines.
    let (base, ours, theirs) = (b"\0\na\nb\nc\n", b"\0\nA\nb\nc\n", b"\0\na\nb\nC\n");
    assert_eq!(conflict(base, ours, theirs).kind, Kind::Binary);
    assert_eq!(verify(Some(base), Some(ours), Some(theirs), Some(b"\0\nA\nb\nC\n"), "f"), Err(Refusal::Binary));
    assert!(matches!(merged(base, ours, base), Outcome::Clean { .. }));
}
