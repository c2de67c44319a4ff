//! Merged trees as folders: `tests/trees/<name>/` holds `base`, what `ours` and `theirs` have otherwise, and what the `result`
//! has otherwise than the base; without it the result is what `merge` makes of each file, which must be clean. `entries` says
//! of which tree which path is `executable`, `symlink`, `submodule` or `deleted`; `expect` lists what must be found, the places
//! in the result, in ours and in theirs behind it.

use orchestrator_merge::{EntryMode, Options, Severity, Spot, TreeEntries, TreeEntry, TreeFinding, merge, verify_tree};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// In place of object ids there is the content.
type Tree = TreeEntries<Vec<u8>>;

struct Case {
    folder: PathBuf,
    base: Tree,
    ours: Tree,
    theirs: Tree,
    result: Tree,
}

impl Case {
    fn read(folder: &Path) -> Self {
        let base = changed(folder, "base", &Tree::new());
        let [ours, theirs] = ["ours", "theirs"].map(|side| changed(folder, side, &base));
        let result = match folder.join("result").exists() {
            true => changed(folder, "result", &base),
            false => merged(&base, &ours, &theirs),
        };
        Self { folder: folder.to_owned(), base, ours, theirs, result }
    }

    /// What is wrong with the answer.
    fn fault(&self) -> Option<String> {
        let Self { base, ours, theirs, result, .. } = self;
        let found = verify_tree(base, ours, theirs, result, |content| Some(content.clone()));
        let mut mirrored = verify_tree(base, theirs, ours, result, |content| Some(content.clone()));
        for finding in &mut mirrored {
            std::mem::swap(&mut finding.ours, &mut finding.theirs);
        }
        mirrored.sort_unstable();
        if found != mirrored {
            return Some(format!("swapping the sides changes it: {found:#?} {mirrored:#?}"));
        }
        let found: Vec<String> = found.iter().map(line).collect();
        let expected = fs::read_to_string(self.folder.join("expect")).unwrap();
        let expected: Vec<&str> = expected.lines().collect();
        (found != expected).then(|| format!("found:\n{}", found.join("\n")))
    }
}

fn line(finding: &TreeFinding) -> String {
    let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
    let spot = |spot: &Spot| match spot.line {
        Some(line) => format!("{}:{line}", spot.path),
        None => spot.path.clone(),
    };
    let [at, ours, theirs] = [&finding.at, &finding.ours, &finding.theirs].map(spot);
    format!("{severity} {} at {at}, ours {ours}, theirs {theirs}: {}", finding.fault.name(), finding.what)
}

/// A tree: the base, with the files of a folder over it.
fn changed(folder: &Path, name: &str, base: &Tree) -> Tree {
    let mut tree = base.clone();
    let root = folder.join(name);
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let id = fs::read(&path).unwrap();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            tree.insert(name, TreeEntry { mode: EntryMode::File, id });
        }
    }
    let entries = fs::read_to_string(folder.join("entries")).unwrap_or_default();
    for line in entries.lines() {
        let [of, path, what] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        if of != name {
            continue;
        }
        let mode = match what {
            "executable" => EntryMode::Executable,
            "symlink" => EntryMode::Symlink,
            "submodule" => EntryMode::Submodule,
            _ => {
                assert!(what == "deleted" && tree.remove(path).is_some(), "{line}");
                continue;
            }
        };
        tree.get_mut(path).unwrap_or_else(|| panic!("{line}")).mode = mode;
    }
    tree
}

/// What `merge` makes of each path.
fn merged(base: &Tree, ours: &Tree, theirs: &Tree) -> Tree {
    let paths: BTreeSet<&String> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    let content = |path: &String| {
        let [base, ours, theirs] = [base, ours, theirs].map(|tree| tree.get(path).map(|entry| &entry.id[..]));
        let outcome = merge(base, ours, theirs, path, &Options::default());
        let content = outcome.content().unwrap_or_else(|| panic!("{path}: {outcome:?}"));
        Some(TreeEntry { mode: EntryMode::File, id: content?.to_vec() })
    };
    paths.into_iter().filter_map(|path| Some((path.clone(), content(path)?))).collect()
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trees");
    let mut folders: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort_unstable();
    folders.iter().map(|folder| Case::read(folder)).collect()
}

#[test]
fn every_tree_has_the_faults_that_its_folder_says() {
    let cases = cases();
    assert!(!cases.is_empty());
    let name = |case: &Case| case.folder.file_name().unwrap().to_string_lossy().into_owned();
    let faults: Vec<_> =
        cases.iter().filter_map(|case| case.fault().map(|fault| format!("{}: {fault}", name(case)))).collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

#[test]
fn a_side_that_changed_nothing_breaks_nothing() {
    for Case { base, ours, theirs, .. } in &cases() {
        for side in [ours, theirs] {
            for (ours, theirs) in [(side, base), (base, side), (side, side)] {
                let found = verify_tree(base, ours, theirs, side, |content| Some(content.clone()));
                assert_eq!(found, [], "{base:?}");
            }
        }
    }
}

#[test]
fn what_cannot_be_loaded_is_no_error() {
    for Case { base, ours, theirs, result, .. } in &cases() {
        let found = verify_tree(base, ours, theirs, result, |_| None);
        assert!(found.iter().all(|finding| finding.fault.name() == "entry"), "{found:?}");
    }
}
