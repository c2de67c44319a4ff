//! Each kind of change, settled.

use std::{fs, io::Write, os::unix::fs::PermissionsExt, time::Duration};

use orchestrator_watch::{ChangeKind, Entry};

use crate::support::{Tree, hash, kinds, write};

#[tokio::test]
async fn a_new_file_is_created_with_its_hash_and_size() {
    let mut tree = Tree::new(|_| {}).await;
    tree.write("a.txt", "hello");
    let changes = tree.changes().await;
    assert_eq!(kinds(&changes), [("a.txt", ChangeKind::Created)]);
    assert_eq!((&changes[0].hash, &changes[0].previous), (&hash("hello"), &None));
    assert_eq!((changes[0].size, changes[0].entry), (Some(5), Some(Entry::File)));
}

#[tokio::test]
async fn a_changed_file_names_its_old_and_new_content() {
    let mut tree = Tree::new(|root| write(root, "d/a", "old")).await;
    tree.write("d/a", "new");
    let changes = tree.changes().await;
    assert_eq!(kinds(&changes), [("d/a", ChangeKind::Modified)]);
    assert_eq!((&changes[0].hash, &changes[0].previous), (&hash("new"), &hash("old")));
}

#[tokio::test]
async fn a_removed_file_is_deleted_and_names_what_was_lost() {
    let mut tree = Tree::new(|root| write(root, "a", "old")).await;
    fs::remove_file(tree.root.join("a")).unwrap();
    let changes = tree.changes().await;
    assert_eq!(kinds(&changes), [("a", ChangeKind::Deleted)]);
    assert_eq!((&changes[0].hash, &changes[0].previous, changes[0].size), (&None, &hash("old"), None));
    assert!(tree.handle.list().is_empty());
}

#[tokio::test]
async fn a_moved_file_is_one_rename() {
    let mut tree = Tree::new(|root| {
        write(root, "a", "content");
        fs::create_dir(root.join("d")).unwrap();
    })
    .await;
    fs::rename(tree.root.join("a"), tree.root.join("d/b")).unwrap();
    let changes = tree.changes().await;
    assert_eq!(kinds(&changes), [("d/b", ChangeKind::Renamed { from: "a".to_owned() })]);
    assert_eq!((&changes[0].hash, &changes[0].previous), (&hash("content"), &hash("content")));
}

#[tokio::test]
async fn a_moved_folder_is_renames_of_its_files_and_stays_watched() {
    let mut tree = Tree::new(|root| {
        write(root, "old/a", "1");
        write(root, "old/deep/b", "2");
    })
    .await;
    fs::rename(tree.root.join("old"), tree.root.join("new")).unwrap();
    let changes = tree.changes().await;
    let from = |path: &str| ChangeKind::Renamed { from: path.to_owned() };
    assert_eq!(kinds(&changes), [("new/a", from("old/a")), ("new/deep/b", from("old/deep/b"))]);
    tree.write("new/deep/b", "3");
    assert_eq!(kinds(&tree.changes().await), [("new/deep/b", ChangeKind::Modified)]);
    fs::create_dir(tree.root.join("old")).unwrap();
    tree.write("old/a", "4");
    assert_eq!(kinds(&tree.changes().await), [("old/a", ChangeKind::Created)]);
}

#[tokio::test]
async fn a_save_by_rename_over_is_one_modification() {
    let mut tree = Tree::new(|root| write(root, "a", "old")).await;
    fs::write(tree.root.join(".a.tmp"), "new").unwrap();
    fs::rename(tree.root.join(".a.tmp"), tree.root.join("a")).unwrap();
    let changes = tree.changes().await;
    assert_eq!(kinds(&changes), [("a", ChangeKind::Modified)]);
    assert_eq!((&changes[0].hash, &changes[0].previous), (&hash("new"), &hash("old")));
}

#[tokio::test]
async fn a_touch_is_no_change_and_an_executable_bit_is_one() {
    let mut tree = Tree::new(|root| write(root, "a", "same")).await;
    fs::write(tree.root.join("a"), "same").unwrap();
    assert_eq!(tree.synced().await, []);
    fs::set_permissions(tree.root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
    let changes = tree.synced().await;
    assert_eq!(kinds(&changes), [("a", ChangeKind::Modified)]);
    assert_eq!((&changes[0].hash, changes[0].entry), (&hash("same"), Some(Entry::Executable)));
}

#[tokio::test]
async fn what_was_touched_and_is_as_it_was_is_told_as_unchanged() {
    let mut tree = Tree::new(|root| write(root, "a", "same")).await;
    fs::write(tree.root.join("a"), "other").unwrap();
    fs::write(tree.root.join("a"), "same").unwrap();
    assert_eq!(tree.unchanged().await, ["a".into()].into());
    tree.write("new", "for a moment");
    fs::remove_file(tree.root.join("new")).unwrap();
    assert_eq!(tree.unchanged().await, ["new".into()].into());
    tree.write("folder/deep/new", "for a moment");
    tree.until(|stats| stats.folders_watched + stats.folders_scanned > 1).await;
    fs::remove_dir_all(tree.root.join("folder")).unwrap();
    assert_eq!(tree.unchanged().await, ["folder/deep/new".into()].into());
    assert_eq!(tree.unchanged().await, [].into());
}

#[tokio::test]
async fn a_folder_made_with_files_in_it_at_once_is_seen_whole() {
    let mut tree = Tree::new(|_| {}).await;
    for round in 0..20 {
        for deep in ["a", "a/b", "a/b/c"] {
            tree.write(&format!("r{round}/{deep}/file"), "x");
        }
        let changes = tree.synced().await;
        assert_eq!(changes.len(), 3, "round {round}: {changes:?}");
    }
}

#[tokio::test]
async fn a_file_being_written_slowly_is_reported_once_and_whole() {
    let mut tree = Tree::new(|_| {}).await;
    let path = tree.root.join("slow");
    let writer = std::thread::spawn(move || {
        let mut file = fs::File::create(path).unwrap();
        for _ in 0..8 {
            file.write_all(b"part ").unwrap();
            // Longer than the settle time: only the missing close says that more comes.
            std::thread::sleep(Duration::from_millis(90));
        }
    });
    let changes = tree.changes().await;
    writer.join().unwrap();
    assert_eq!(kinds(&changes), [("slow", ChangeKind::Created)]);
    assert_eq!(changes[0].hash, hash(&"part ".repeat(8)));
    assert_eq!(tree.synced().await, []);
}

#[tokio::test]
async fn a_log_file_that_stays_open_is_reported_after_patience() {
    let mut tree = Tree::with(|_| {}, |options| options.patience = Duration::from_millis(200)).await;
    let mut file = fs::File::create(tree.root.join("log")).unwrap();
    file.write_all(b"line\n").unwrap();
    let changes = tree.changes().await;
    assert_eq!(changes[0].hash, hash("line\n"));
    drop(file);
}
