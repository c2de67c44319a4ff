//! Modes, symbolic links, submodules, and what is a folder to one side and none to the other.

use super::{EntryMode, Severity, Spot, TreeEntries, TreeEntry, TreeFault, TreeFinding, changed};
use crate::three_way::three_way;
use std::collections::BTreeSet;

pub(super) fn check<Id: Eq>(
    base: &TreeEntries<Id>,
    [ours, theirs]: [&TreeEntries<Id>; 2],
    result: &TreeEntries<Id>,
) -> Vec<TreeFinding> {
    let paths: BTreeSet<&str> = changed(base, ours).chain(changed(base, theirs)).collect();
    let faults = paths.iter().filter_map(|path| {
        let [base, ours, theirs, result] = [base, ours, theirs, result].map(|tree| tree.get(*path));
        Some(finding(path, path, path, fault(base, ours, theirs, result)?))
    });
    let mut findings: Vec<TreeFinding> = faults.collect();
    for (side, other, is_ours) in [(ours, theirs, true), (theirs, ours, false)] {
        for path in changed(base, side) {
            // What a side removed needs no folder.
            let Some(entry) = side.get(path) else { continue };
            let Some(above) = folders(path).find(|folder| other.contains_key(*folder)) else { continue };
            let is_left_alone = other.get(above) == base.get(above);
            if is_left_alone && result.get(path) == Some(entry) && !result.contains_key(above) {
                continue;
            }
            let what = format!("'{above}' is a folder to one side, which changed '{path}', and none to the other");
            let (one, two) = if is_ours { (path, above) } else { (above, path) };
            findings.push(finding(path, one, two, what));
        }
    }
    findings
}

fn finding(path: &str, ours: &str, theirs: &str, what: String) -> TreeFinding {
    let [at, ours, theirs] = [path, ours, theirs].map(|path| Spot { path: path.to_owned(), line: None });
    TreeFinding { at, fault: TreeFault::Entry, severity: Severity::Error, what, ours, theirs }
}

/// The folders that a path lies in, the outermost first.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// What is wrong with one entry.
fn fault<Id: Eq>(
    base: Option<&TreeEntry<Id>>,
    ours: Option<&TreeEntry<Id>>,
    theirs: Option<&TreeEntry<Id>>,
    result: Option<&TreeEntry<Id>>,
) -> Option<String> {
    let versions = [base, ours, theirs];
    let special = versions.into_iter().flatten().map(|entry| entry.mode).find(|mode| !is_file(*mode));
    if let Some(mode) = special {
        let name = if mode == EntryMode::Symlink { "symbolic link" } else { "submodule" };
        return match three_way(base, ours, theirs) {
            None => Some(format!("both sides changed the {name}, or put something else in its place")),
            Some(expected) if expected != result => {
                Some(format!("the {name} is not as the side that changed it has it"))
            }
            Some(_) => None,
        };
    }
    // Content is for the verifier of files; so is a deleted file.
    let modes = versions.map(|entry| entry.map(|entry| entry.mode));
    let [_, Some(ours), Some(theirs)] = modes else {
        return result.filter(|entry| !is_file(entry.mode)).map(|_| "neither side has a file of this kind".to_owned());
    };
    let found = result?.mode;
    match three_way(modes[0], Some(ours), Some(theirs)) {
        None => Some("both sides added the file, one of them as a program that can be run".to_owned()),
        Some(Some(expected)) if expected != found => {
            Some("the mode is not as the side that changed it has it".to_owned())
        }
        Some(_) => None,
    }
}

fn is_file(mode: EntryMode) -> bool {
    matches!(mode, EntryMode::File | EntryMode::Executable)
}
