//! Trees of statements lose nothing.
#![expect(clippy::print_stdout, reason = "which files were left is worth seeing")]

use orchestrator_syntax::statements::statements;
use orchestrator_syntax::{Error, Language, Limits};
use std::collections::BTreeMap;
use std::path::Path;

fn check(path: &Path, counts: &mut BTreeMap<String, [usize; 3]>) {
    let Some(language) = Language::of_path(&path.to_string_lossy()) else { return };
    let Ok(text) = std::fs::read(path) else { return };
    let [read, left, wrong] = counts.entry(language.to_string()).or_default();
    match statements(language, &text, Limits::default()) {
        Ok(tree) => {
            if tree.text() == text {
                *read += 1;
            } else {
                println!("{} is not written as it was read", path.display());
                *wrong += 1;
            }
        }
        Err(error) => {
            println!("{}: {error}", path.display());
            *left += 1;
        }
    }
}

/// The files of this project, and of `ORCHESTRATOR_SOURCES` (a folder) in the long run.
#[test]
fn a_tree_is_written_as_it_was_read() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut counts = BTreeMap::new();
    let mut folders = vec![here.join("../.."), here.join("tests/samples")];
    folders.extend(std::env::var_os("ORCHESTRATOR_SOURCES").map(Into::into));
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() && !name.to_string_lossy().starts_with('.') && name != "target" => {
                    folders.push(path);
                }
                kind if kind.is_file() => check(&path, &mut counts),
                _ => {}
            }
        }
    }
    println!("read, not read, wrong: {counts:?}");
    assert!(counts.values().all(|[_, _, wrong]| *wrong == 0), "{counts:?}");
    assert!(counts.get("Rust").is_some_and(|[read, left, _]| *read > 100 && *left * 2 < *read), "{counts:?}");
}

#[test]
fn a_text_with_errors_has_no_statements() {
    let left = statements(Language::Python, b"def f(:\n", Limits::default()).unwrap_err();
    assert_eq!(left, Error::Unsound);
}
