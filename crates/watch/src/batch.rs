//! One settled batch: what was found at each path becomes changes. Pure.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use blake3::Hash;

use crate::{Change, ChangeKind, index::Record, name};

/// What one path was and is. Equal sides are no change.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) before: Option<Record>,
    pub(crate) now: Option<Record>,
}

/// All outcomes of a batch, by path.
pub(crate) type Batch = BTreeMap<PathBuf, Outcome>;

/// Same content, type and executable bit.
fn same(before: &Record, now: &Record) -> bool {
    if before.stamp.entry != now.stamp.entry {
        return false;
    }
    match (before.hash, now.hash) {
        (Some(before), Some(now)) => before == now,
        _ => before.stamp.same_content(&now.stamp),
    }
}

/// Which vanished path each new path comes from: the same inode with the same birth, else the same content.
pub(crate) fn renames(batch: &Batch) -> HashMap<PathBuf, PathBuf> {
    let mut by_inode: HashMap<(u64, i128), &Path> = HashMap::new();
    let mut by_hash: HashMap<Hash, Vec<&Path>> = HashMap::new();
    for (path, before) in vanished(batch) {
        if let Some(born) = before.stamp.born {
            by_inode.insert((before.stamp.inode, born), path);
        }
        if let Some(hash) = before.hash.filter(|_| before.stamp.size > 0) {
            by_hash.entry(hash).or_default().push(path);
        }
    }
    let mut sources: HashMap<PathBuf, PathBuf> = HashMap::new();
    let mut used: std::collections::HashSet<&Path> = std::collections::HashSet::new();
    let appeared = || {
        batch.iter().filter_map(|(path, outcome)| match (outcome.before, outcome.now) {
            (None, Some(now)) => Some((path, now)),
            _ => None,
        })
    };
    for (path, now) in appeared() {
        let source = now.stamp.born.and_then(|born| by_inode.get(&(now.stamp.inode, born)));
        if let Some(source) = source.filter(|source| used.insert(source)) {
            sources.insert(path.clone(), source.to_path_buf());
        }
    }
    for (path, now) in appeared() {
        let Some(candidates) = now.hash.and_then(|hash| by_hash.get(&hash)) else {
            continue;
        };
        if sources.contains_key(path) {
            continue;
        }
        let free = || candidates.iter().filter(|source| !used.contains(*source));
        let source = free().find(|source| source.file_name() == path.file_name()).or_else(|| free().next()).copied();
        if let Some(source) = source {
            used.insert(source);
            sources.insert(path.clone(), source.to_path_buf());
        }
    }
    sources
}

/// The paths where nothing is other than before.
pub(crate) fn unchanged(batch: &Batch) -> Vec<PathBuf> {
    let unchanged = batch.iter().filter(|(_, outcome)| match (&outcome.before, &outcome.now) {
        (None, None) => true,
        (Some(before), Some(now)) => same(before, now),
        _ => false,
    });
    unchanged.map(|(path, _)| path.clone()).collect()
}

/// Files that vanished and did not move.
pub(crate) fn deletions(batch: &Batch, renames: &HashMap<PathBuf, PathBuf>) -> usize {
    vanished(batch).count() - renames.len()
}

/// The changes, sorted by path.
pub(crate) fn changes(batch: &Batch, renames: &HashMap<PathBuf, PathBuf>) -> Vec<Change> {
    let moved: std::collections::HashSet<&PathBuf> = renames.values().collect();
    let mut changes = Vec::with_capacity(batch.len());
    for (path, outcome) in batch {
        let source = renames.get(path);
        let kind = match (&outcome.before, &outcome.now, source) {
            (None, None, _) => continue,
            (Some(before), Some(now), _) if same(before, now) => continue,
            (Some(_), None, _) if moved.contains(path) => continue,
            (Some(_), None, _) => ChangeKind::Deleted,
            (Some(_), Some(_), _) => ChangeKind::Modified,
            (None, Some(_), Some(source)) => ChangeKind::Renamed { from: name::text(source).0 },
            (None, Some(_), None) => ChangeKind::Created,
        };
        let old = match source {
            Some(source) => batch.get(source).and_then(|outcome| outcome.before),
            None => outcome.before,
        };
        let (text, escaped) = name::text(path);
        changes.push(Change {
            path: text,
            escaped,
            kind,
            hash: outcome.now.and_then(|now| now.hash).map(hex),
            previous: old.and_then(|old| old.hash).map(hex),
            size: outcome.now.map(|now| now.stamp.size),
            entry: outcome.now.map(|now| now.stamp.entry),
        });
    }
    changes
}

/// A hash as it is reported.
pub(crate) fn hex(hash: Hash) -> String {
    hash.to_hex().to_string()
}

/// The paths where something stood before and nothing stands now.
pub(crate) fn vanished(batch: &Batch) -> impl Iterator<Item = (&Path, Record)> {
    batch.iter().filter_map(|(path, outcome)| match (outcome.before, outcome.now) {
        (Some(before), None) => Some((path.as_path(), before)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, stamp::Stamp};

    /// A file with this inode and content; born at 1.
    fn file(inode: u64, content: &str) -> Option<Record> {
        born(inode, content, Some(1))
    }

    fn born(inode: u64, content: &str, born: Option<i128>) -> Option<Record> {
        let size = content.len() as u64;
        let stamp = Stamp { modified: i128::from(inode), changed: 0, born, size, inode, entry: Entry::File };
        Some(Record { stamp, hash: Some(blake3::hash(content.as_bytes())), racy: false })
    }

    /// A file's record before and after a batch.
    type Sides = (Option<Record>, Option<Record>);

    fn check(files: &[(&str, Sides)], expected: &[(&str, &str)]) {
        let batch: Batch =
            files.iter().map(|(path, (before, now))| (path.into(), Outcome { before: *before, now: *now })).collect();
        let renames = renames(&batch);
        let found: Vec<_> = changes(&batch, &renames)
            .into_iter()
            .map(|change| {
                let kind = match change.kind {
                    ChangeKind::Created => "created".to_owned(),
                    ChangeKind::Modified => "modified".to_owned(),
                    ChangeKind::Deleted => "deleted".to_owned(),
                    ChangeKind::Renamed { from } => format!("from {from}"),
                };
                (change.path, kind)
            })
            .collect();
        let expected: Vec<_> = expected.iter().map(|(path, kind)| ((*path).to_owned(), (*kind).to_owned())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn each_kind_is_told_from_both_sides() {
        check(&[("a", (None, file(1, "x")))], &[("a", "created")]);
        check(&[("a", (file(1, "x"), None))], &[("a", "deleted")]);
        check(&[("a", (file(1, "x"), file(1, "y")))], &[("a", "modified")]);
        check(&[("a", (file(1, "x"), file(2, "x")))], &[]);
        check(&[("a", (None, None))], &[]);
    }

    #[test]
    fn a_rename_is_known_by_inode_even_when_edited_and_by_content_across_copies() {
        check(&[("a", (file(1, "x"), None)), ("b", (None, file(1, "y")))], &[("b", "from a")]);
        check(&[("a", (file(1, "x"), None)), ("b", (None, file(2, "x")))], &[("b", "from a")]);
        check(
            &[("d/n", (file(1, "x"), None)), ("d/o", (file(2, "x"), None)), ("e/o", (None, file(3, "x")))],
            &[("d/n", "deleted"), ("e/o", "from d/o")],
        );
    }

    #[test]
    fn a_reused_inode_and_an_empty_file_are_no_rename() {
        check(
            &[("a", (file(1, "x"), None)), ("b", (None, born(1, "y", Some(9))))],
            &[("a", "deleted"), ("b", "created")],
        );
        check(
            &[("a", (born(1, "x", None), None)), ("b", (None, born(1, "y", None)))],
            &[("a", "deleted"), ("b", "created")],
        );
        check(&[("a", (file(1, ""), None)), ("b", (None, file(2, "")))], &[("a", "deleted"), ("b", "created")]);
    }

    #[test]
    fn a_save_by_rename_over_is_one_modification() {
        check(&[("tmp", (None, None)), ("f", (file(1, "x"), file(2, "y")))], &[("f", "modified")]);
        check(
            &[("tmp", (file(2, "y"), None)), ("f", (file(1, "x"), file(2, "y")))],
            &[("f", "modified"), ("tmp", "deleted")],
        );
    }

    #[test]
    fn one_vanished_file_is_the_source_of_one_new_file_only() {
        check(
            &[("a", (file(1, "x"), None)), ("b", (None, file(2, "x"))), ("c", (None, file(3, "x")))],
            &[("b", "from a"), ("c", "created")],
        );
    }
}
