use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::Path,
};

use orchestrator_repository::{Limits, State, Workspace};
use proptest::prelude::*;

use crate::git::{Repository, added_tree, git, try_git};

const NAMES: [&str; 10] = ["a", "b", "d/a", "d/b", "d/e/c", "x.log", "d/x.log", "t.txt", "d/t.txt", "ign/f"];
const FOLDERS: [&str; 4] = ["d", "d/e", "ign", "a"];
const CONTENTS: [&str; 5] = ["", "one\n", "one\r\ntwo\r\n", "one\ntwo\n", "one\r\ntwo\n\0"];
const IGNORES: [&str; 4] = ["*.log\n", "ign/\n", "!x.log\n/d\n", ""];
const ATTRIBUTES: [&str; 4] = ["* text=auto\n", "*.txt text eol=crlf\n", "*.txt -text\n", ""];

#[derive(Debug, Clone)]
enum Step {
    Write(usize, usize),
    Delete(usize),
    DeleteFolder(usize),
    Rename(usize, usize),
    Chmod(usize, bool),
    Link(usize, usize),
    Ignore(bool, usize),
    Attributes(bool, usize),
    AutoCrlf(bool),
    Stage(usize),
    StageAll,
    Unstage(usize),
    Intend(usize),
    Commit,
    Sparse(bool),
    Reset,
    Switch,
    Nested(usize),
    Merge,
    Rebase,
    Status,
    Batch,
}

fn step() -> impl Strategy<Value = Step> {
    let name = 0..NAMES.len();
    prop_oneof![
        8 => (name.clone(), 0..CONTENTS.len()).prop_map(|(name, content)| Step::Write(name, content)),
        3 => name.clone().prop_map(Step::Delete),
        1 => (0..FOLDERS.len()).prop_map(Step::DeleteFolder),
        2 => (name.clone(), name.clone()).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (name.clone(), any::<bool>()).prop_map(|(name, on)| Step::Chmod(name, on)),
        1 => (name.clone(), name.clone()).prop_map(|(name, to)| Step::Link(name, to)),
        1 => (any::<bool>(), 0..IGNORES.len()).prop_map(|(deep, which)| Step::Ignore(deep, which)),
        1 => (any::<bool>(), 0..ATTRIBUTES.len()).prop_map(|(deep, which)| Step::Attributes(deep, which)),
        1 => any::<bool>().prop_map(Step::AutoCrlf),
        2 => name.clone().prop_map(Step::Stage),
        1 => Just(Step::StageAll),
        1 => name.clone().prop_map(Step::Unstage),
        1 => name.prop_map(Step::Intend),
        2 => Just(Step::Commit),
        1 => any::<bool>().prop_map(Step::Sparse),
        1 => Just(Step::Reset),
        1 => Just(Step::Switch),
        1 => (0..FOLDERS.len()).prop_map(Step::Nested),
        1 => Just(Step::Merge),
        1 => Just(Step::Rebase),
        1 => Just(Step::Status),
        6 => Just(Step::Batch),
    ]
}

/// Makes room at `path`: parents are folders and nothing is there.
fn clear(root: &Path, path: &str) {
    let mut at = root.to_owned();
    for part in Path::new(path) {
        at.push(part);
        let last = at == root.join(path);
        match at.symlink_metadata() {
            Ok(meta) if meta.is_dir() && last => fs::remove_dir_all(&at).unwrap(),
            Ok(meta) if !meta.is_dir() => fs::remove_file(&at).unwrap(),
            _ => {}
        }
    }
    fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
}

/// Carries a step out and names the paths that a watcher would.
fn apply(root: &Path, step: &Step) -> Vec<String> {
    let name = |at: &usize| NAMES[*at].to_owned();
    let quiet = |arguments: &[&str]| drop(try_git(root, arguments));
    match step {
        Step::Write(at, content) => {
            clear(root, NAMES[*at]);
            fs::write(root.join(NAMES[*at]), CONTENTS[*content]).unwrap();
            vec![name(at)]
        }
        Step::Delete(at) => {
            let _ = fs::remove_file(root.join(NAMES[*at]));
            vec![name(at)]
        }
        Step::DeleteFolder(at) => {
            let _ = fs::remove_dir_all(root.join(FOLDERS[*at]));
            vec![FOLDERS[*at].to_owned()]
        }
        Step::Rename(from, to) => {
            if from != to && root.join(NAMES[*from]).symlink_metadata().is_ok_and(|meta| !meta.is_dir()) {
                let content = fs::read(root.join(NAMES[*from]));
                clear(root, NAMES[*to]);
                if fs::rename(root.join(NAMES[*from]), root.join(NAMES[*to])).is_err()
                    && let Ok(content) = content
                {
                    fs::write(root.join(NAMES[*to]), content).unwrap();
                }
            }
            vec![name(from), name(to)]
        }
        Step::Chmod(at, on) => {
            let path = root.join(NAMES[*at]);
            if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                fs::set_permissions(path, PermissionsExt::from_mode(if *on { 0o755 } else { 0o644 })).unwrap();
            }
            vec![name(at)]
        }
        Step::Link(at, to) => {
            clear(root, NAMES[*at]);
            symlink(NAMES[*to], root.join(NAMES[*at])).unwrap();
            vec![name(at)]
        }
        Step::Ignore(deep, which) => {
            let path = if *deep { "d/.gitignore" } else { ".gitignore" };
            clear(root, path);
            fs::write(root.join(path), IGNORES[*which]).unwrap();
            vec![path.to_owned()]
        }
        Step::Attributes(deep, which) => {
            let path = if *deep { "d/.gitattributes" } else { ".gitattributes" };
            clear(root, path);
            fs::write(root.join(path), ATTRIBUTES[*which]).unwrap();
            vec![path.to_owned()]
        }
        Step::AutoCrlf(on) => {
            quiet(&["config", "core.autocrlf", if *on { "true" } else { "false" }]);
            vec![]
        }
        Step::Stage(at) => {
            quiet(&["add", "--sparse", "--", NAMES[*at]]);
            vec![]
        }
        Step::StageAll => {
            quiet(&["add", "-A", "--sparse"]);
            vec![]
        }
        Step::Unstage(at) => {
            quiet(&["rm", "-q", "-r", "--cached", "--sparse", "--", NAMES[*at]]);
            vec![]
        }
        Step::Intend(at) => {
            quiet(&["add", "-N", "--sparse", "--", NAMES[*at]]);
            vec![]
        }
        Step::Commit => {
            quiet(&["commit", "-q", "-m", "c"]);
            vec![]
        }
        Step::Sparse(on) => {
            quiet(if *on {
                &["sparse-checkout", "set", "--no-cone", "/*", "!/d/e/"]
            } else {
                &["sparse-checkout", "disable"]
            });
            vec!["".to_owned()]
        }
        Step::Reset => {
            quiet(&["reset", "-q", "--hard"]);
            vec!["".to_owned()]
        }
        Step::Switch => {
            quiet(&["checkout", "-q", "-f", "-B", "side", "HEAD~1"]);
            vec!["".to_owned()]
        }
        Step::Nested(at) => {
            let path = root.join(FOLDERS[*at]).join("repo");
            if path.parent().unwrap().is_dir() && !path.parent().unwrap().is_symlink() && !path.exists() {
                fs::create_dir(&path).unwrap();
                git(&path, &["init", "-q"]);
                git(&path, &["commit", "-q", "--allow-empty", "-m", "nested"]);
            }
            vec![format!("{}/repo", FOLDERS[*at])]
        }
        Step::Merge => {
            quiet(&["merge", "-q", "main"]);
            vec!["".to_owned()]
        }
        Step::Rebase => {
            quiet(&["stash", "-q"]);
            quiet(&["rebase", "-q", "main"]);
            vec!["".to_owned()]
        }
        Step::Status => {
            quiet(&["status"]);
            vec![]
        }
        Step::Batch => vec![],
    }
}

fn check(steps: &[Step]) -> Result<(), TestCaseError> {
    let repository = Repository::new();
    let root = &repository.root;
    for (at, name) in NAMES.iter().enumerate() {
        repository.write(name, CONTENTS[at % CONTENTS.len()]);
    }
    repository.commit("all");
    let store = repository.store();
    let mut workspace = Workspace::open(&store, root, Limits::default()).unwrap();
    let mut told: Vec<String> = Vec::new();
    for step in steps.iter().chain([&Step::Batch]) {
        told.extend(apply(root, step));
        if !matches!(step, Step::Batch) {
            continue;
        }
        let before = workspace.snapshot().tree().unwrap();
        let changes = workspace.refresh(&std::mem::take(&mut told)).unwrap();
        if changes.state != State::Ready {
            prop_assert_eq!(workspace.snapshot().tree().unwrap(), before, "busy: the last one stands");
            let _ = try_git(root, &["merge", "--abort"]);
            let _ = try_git(root, &["rebase", "--abort"]);
            let _ = try_git(root, &["reset", "-q", "--hard"]);
            told.push(String::new());
            continue;
        }
        let expected = added_tree(root);
        let fresh = Workspace::open(&store, root, Limits::default()).unwrap();
        let status = git(root, &["status", "--short", "--ignored"]);
        prop_assert_eq!(
            &fresh.snapshot().tree().unwrap().to_string(),
            &expected,
            "read anew\n{}\n{:?}",
            status,
            fresh.snapshot()
        );
        prop_assert_eq!(&workspace.snapshot().tree().unwrap().to_string(), &expected, "refreshed\n{}", status);
        prop_assert_eq!(&workspace.snapshot().delta, &fresh.snapshot().delta);
    }
    Ok(())
}

/// Few by default, for git runs many times in each; `PROPTEST_CASES` makes them more.
fn cases() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 12;
    }
    config.max_shrink_iters = 60;
    config.failure_persistence = None;
    config
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn a_snapshot_is_what_git_would_add(steps in prop::collection::vec(step(), 1..40)) {
        check(&steps)?;
    }
}
