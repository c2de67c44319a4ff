//! W3: overflow, a lost root and mass deletions are never passed on as they seem.

use std::fs;

use orchestrator_watch::{ChangeKind, Error, Notice, seam};

use crate::support::{Tree, changes_of, kinds, write};

fn fill(count: usize) -> impl FnOnce(&std::path::Path) {
    move |root| {
        for number in 0..count {
            write(root, &format!("d{}/{number}", number % 5), &format!("{number}"));
        }
    }
}

#[tokio::test]
async fn an_overflow_is_a_full_comparison() {
    let mut tree = Tree::new(fill(20)).await;
    seam::overflow(&tree.handle);
    assert_eq!(tree.next().await, Notice::Overflow { rescanned: 20 });
    assert_eq!(tree.handle.stats().rescans, 1);
    tree.write("d0/0", "changed");
    fs::rename(tree.root.join("d1"), tree.root.join("moved")).unwrap();
    seam::overflow(&tree.handle);
    let point = tree.sync().await;
    assert!(point.unsettled.is_empty());
    tree.assert_equals_disk(&[]);
    tree.write("moved/1", "still watched");
    let changes = tree.sync().await;
    assert!(changes.unsettled.is_empty());
    tree.assert_equals_disk(&[]);
}

#[tokio::test]
async fn a_removed_root_deletes_nothing_and_comes_back() {
    let mut tree = Tree::new(fill(20)).await;
    let aside = tree.root.with_file_name("aside");
    fs::rename(&tree.root, &aside).unwrap();
    assert_eq!(tree.next().await, Notice::RootLost);
    assert!(matches!(tree.handle.sync().await, Err(Error::Halted { .. })));
    assert!(tree.handle.stats().halted);
    assert_eq!(tree.handle.list().len(), 20);
    fs::rename(&aside, &tree.root).unwrap();
    assert_eq!(tree.next().await, Notice::RootBack);
    assert_eq!(tree.synced().await, []);
    tree.write("d0/0", "watched again");
    assert_eq!(kinds(&tree.synced().await), [("d0/0", ChangeKind::Modified)]);
}

#[tokio::test]
async fn a_root_deleted_file_by_file_and_remade_empty_asks_before_it_deletes() {
    let mut tree = Tree::new(fill(20)).await;
    fs::remove_dir_all(&tree.root).unwrap();
    assert_eq!(tree.next().await, Notice::RootLost);
    fs::create_dir(&tree.root).unwrap();
    assert_eq!(tree.next().await, Notice::RootBack);
    assert_eq!(tree.next().await, Notice::MassDeletion { count: 20, total: 20 });
    assert!(matches!(tree.handle.sync().await, Err(Error::Halted { .. })));
    assert_eq!(tree.handle.list().len(), 20);
    tree.handle.confirm_deletions();
    assert_eq!(tree.next().await, Notice::MassDeletionCleared { confirmed: true });
    assert_eq!(tree.changes().await.len(), 20);
    assert!(tree.handle.list().is_empty());
    tree.write("a", "x");
    assert_eq!(kinds(&tree.synced().await), [("a", ChangeKind::Created)]);
}

#[tokio::test]
async fn a_mass_deletion_is_withheld_until_the_files_return() {
    let mut tree = Tree::new(fill(300)).await;
    let aside = tree.root.with_file_name("aside");
    fs::create_dir(&aside).unwrap();
    for folder in ["d0", "d1", "d2"] {
        fs::rename(tree.root.join(folder), aside.join(folder)).unwrap();
    }
    assert_eq!(tree.next().await, Notice::MassDeletion { count: 180, total: 300 });
    tree.write("d4/new", "made while halted");
    for folder in ["d0", "d1", "d2"] {
        fs::rename(aside.join(folder), tree.root.join(folder)).unwrap();
    }
    assert_eq!(tree.next().await, Notice::MassDeletionCleared { confirmed: false });
    tree.sync().await;
    let changes: Vec<_> = tree.received().into_iter().flat_map(changes_of).collect();
    assert_eq!(kinds(&changes), [("d4/new", ChangeKind::Created)]);
    tree.assert_equals_disk(&[]);
}

#[tokio::test]
async fn a_confirmed_mass_deletion_is_reported_whole() {
    let mut tree = Tree::new(fill(300)).await;
    for folder in ["d0", "d1", "d2", "d3"] {
        fs::remove_dir_all(tree.root.join(folder)).unwrap();
    }
    assert_eq!(tree.next().await, Notice::MassDeletion { count: 240, total: 300 });
    tree.handle.confirm_deletions();
    assert_eq!(tree.next().await, Notice::MassDeletionCleared { confirmed: true });
    let changes = tree.changes().await;
    assert_eq!(changes.len(), 240);
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Deleted));
    tree.assert_equals_disk(&[]);
}

#[tokio::test]
async fn half_of_the_files_may_be_deleted_and_a_big_move_is_no_deletion() {
    let mut tree = Tree::new(fill(300)).await;
    fs::create_dir(tree.root.join("deeper")).unwrap();
    for folder in ["d0", "d1", "d2", "d3", "d4"] {
        fs::rename(tree.root.join(folder), tree.root.join("deeper").join(folder)).unwrap();
    }
    let mut renamed = 0;
    while renamed < 300 {
        let changes = tree.changes().await;
        renamed += changes.iter().filter(|change| matches!(change.kind, ChangeKind::Renamed { .. })).count();
        assert!(changes.iter().all(|change| change.kind != ChangeKind::Deleted), "{changes:?}");
    }
    fs::remove_dir_all(tree.root.join("deeper/d0")).unwrap();
    assert_eq!(tree.synced().await.len(), 60);
}
