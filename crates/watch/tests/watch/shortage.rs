//! Fewer watches than folders.

use std::{fs, time::Duration};

use orchestrator_watch::{ChangeKind, Notice};

use crate::support::{Tree, kinds, write};

#[tokio::test]
async fn without_any_watch_changes_are_found_by_scanning() {
    let adjust = |options: &mut orchestrator_watch::Options| {
        options.watch_budget = 0;
        options.scan_interval = Duration::from_millis(50);
    };
    let mut tree = Tree::with(|root| write(root, "d/e/a", "1"), adjust).await;
    assert!(matches!(tree.next().await, Notice::Degraded { .. }));
    let stats = tree.handle.stats();
    assert_eq!((stats.folders_watched, stats.folders_scanned), (0, 3));
    tree.write("d/e/a", "2");
    assert_eq!(kinds(&tree.changes().await), [("d/e/a", ChangeKind::Modified)]);
    tree.write("d/new/b", "1");
    assert_eq!(kinds(&tree.changes().await), [("d/new/b", ChangeKind::Created)]);
    fs::remove_file(tree.root.join("d/e/a")).unwrap();
    assert_eq!(kinds(&tree.changes().await), [("d/e/a", ChangeKind::Deleted)]);
}

#[tokio::test]
async fn a_tree_that_fits_the_budget_again_recovers() {
    let adjust = |options: &mut orchestrator_watch::Options| {
        options.watch_budget = 3;
        options.scan_interval = Duration::from_millis(50);
    };
    let mut tree = Tree::with(
        |root| {
            for name in ["a", "b", "c", "d"] {
                write(root, &format!("{name}/file"), name);
            }
        },
        adjust,
    )
    .await;
    assert!(matches!(tree.next().await, Notice::Degraded { .. }));
    let stats = tree.handle.stats();
    assert_eq!((stats.folders_watched, stats.folders_scanned), (3, 2));
    fs::remove_dir_all(tree.root.join("a")).unwrap();
    fs::remove_dir_all(tree.root.join("b")).unwrap();
    let mut recovered = false;
    while !recovered {
        recovered = tree.next().await == Notice::Recovered;
    }
    tree.synced().await;
    assert_eq!(tree.handle.list(), ["c/file", "d/file"]);
    assert_eq!(tree.handle.stats().folders_watched, 3);
}

#[tokio::test]
async fn another_budget_misses_nothing() {
    let scanned = Duration::from_millis(50);
    let mut tree = Tree::with(|root| write(root, "d/e/a", "1"), |_| {}).await;
    assert_eq!(tree.handle.stats().folders_watched, 3);
    tree.handle.allot(0, scanned);
    tree.write("d/e/a", "2");
    assert!(matches!(tree.next().await, Notice::Degraded { .. }));
    assert_eq!(kinds(&tree.changes().await), [("d/e/a", ChangeKind::Modified)]);
    assert_eq!((tree.handle.stats().folders_watched, tree.handle.stats().folders_scanned), (0, 3));
    // Nothing is scanned within the test's patience: what comes, the system said.
    tree.write("d/e/a", "3");
    tree.handle.allot(100, Duration::from_secs(3_600));
    assert_eq!(tree.next().await, Notice::Recovered);
    assert_eq!(kinds(&tree.changes().await), [("d/e/a", ChangeKind::Modified)]);
    assert_eq!(tree.handle.stats().folders_watched, 3);
    tree.write("d/e/b", "1");
    assert_eq!(kinds(&tree.changes().await), [("d/e/b", ChangeKind::Created)]);
}
