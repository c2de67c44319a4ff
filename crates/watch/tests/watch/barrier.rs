//! W1: after `sync`, every change finished before it is in the receiver.

use std::{fs, io::Write};

use orchestrator_watch::{ChangeKind, Error};

use crate::support::{Tree, changes_of, hash, kinds, write};

#[tokio::test]
async fn two_hundred_rounds_of_write_and_sync_miss_nothing() {
    let mut tree = Tree::new(|root| fs::create_dir(root.join("d")).unwrap()).await;
    for round in 0..200 {
        let path = format!("d/{}", round % 7);
        tree.write(&path, &format!("round {round}"));
        let changes = tree.synced().await;
        let wanted = hash(&format!("round {round}"));
        assert!(
            changes.iter().any(|change| change.path == path && change.hash == wanted),
            "round {round}: {changes:?}"
        );
    }
}

#[tokio::test]
async fn every_kind_of_finished_change_is_covered() {
    let mut tree = Tree::new(|root| {
        for round in 0..40 {
            write(root, &format!("d/{round}"), &format!("{round}"));
        }
    })
    .await;
    for round in 0..40 {
        let path = tree.root.join(format!("d/{round}"));
        let expected = match round % 4 {
            0 => {
                fs::remove_file(path).unwrap();
                (format!("d/{round}"), ChangeKind::Deleted)
            }
            1 => {
                fs::rename(path, tree.root.join(format!("r{round}"))).unwrap();
                (format!("r{round}"), ChangeKind::Renamed { from: format!("d/{round}") })
            }
            2 => {
                tree.write(&format!("new{round}/x"), &format!("new {round}"));
                (format!("new{round}/x"), ChangeKind::Created)
            }
            _ => {
                fs::OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap();
                (format!("d/{round}"), ChangeKind::Modified)
            }
        };
        let changes = tree.synced().await;
        assert_eq!(kinds(&changes), [(expected.0.as_str(), expected.1)], "round {round}");
    }
}

#[tokio::test]
async fn many_barriers_at_once_are_all_answered() {
    let mut tree = Tree::new(|_| {}).await;
    tree.write("a", "x");
    let barriers: Vec<_> = (0..100).map(|_| tree.handle.sync()).collect();
    for barrier in barriers {
        barrier.await.unwrap();
    }
    let changes: Vec<_> = tree.received().into_iter().flat_map(changes_of).collect();
    assert_eq!(kinds(&changes), [("a", ChangeKind::Created)]);
}

#[tokio::test]
async fn a_file_still_held_by_a_writer_is_named_and_not_reported() {
    let mut tree = Tree::new(|_| {}).await;
    let mut file = fs::File::create(tree.root.join("open")).unwrap();
    file.write_all(b"half").unwrap();
    tree.write("done", "x");
    let point = tree.sync().await;
    assert_eq!(point.unsettled, ["open"]);
    let changes: Vec<_> = tree.received().into_iter().flat_map(changes_of).collect();
    assert_eq!(kinds(&changes), [("done", ChangeKind::Created)]);
    file.write_all(b" whole").unwrap();
    drop(file);
    let changes = tree.synced().await;
    assert_eq!(changes[0].hash, hash("half whole"));
}

/// Without a close of its own name: the way to put a file where nothing may be replaced.
#[tokio::test]
async fn a_file_that_was_linked_into_place_is_whole() {
    let mut tree = Tree::new(|_| {}).await;
    for round in 0..40 {
        let content = if round % 2 == 0 { String::new() } else { format!("{round}") };
        let (temporary, path) = (tree.root.join("temporary"), format!("{round}"));
        tree.write("temporary", &content);
        fs::hard_link(&temporary, tree.root.join(&path)).unwrap();
        fs::remove_file(&temporary).unwrap();
        let changes = tree.synced().await;
        assert_eq!(kinds(&changes), [(&*path, ChangeKind::Created)], "round {round}");
        assert_eq!(changes[0].hash, hash(&content));
    }
}

#[tokio::test]
async fn a_file_that_was_made_and_not_written_yet_is_named() {
    let mut tree = Tree::new(|_| {}).await;
    for round in 0..20 {
        let path = format!("{round}");
        let mut file = fs::File::create(tree.root.join(&path)).unwrap();
        assert_eq!(tree.sync().await.unsettled, [&*path]);
        assert_eq!(tree.received(), []);
        file.write_all(b"whole").unwrap();
        drop(file);
        assert_eq!(tree.synced().await[0].hash, hash("whole"));
    }
}

#[tokio::test]
async fn folders_without_a_watch_are_covered() {
    let unwatched = |options: &mut orchestrator_watch::Options| options.watch_budget = 0;
    let mut tree = Tree::with(|root| write(root, "d/a", "0"), unwatched).await;
    tree.received();
    for round in 1..20 {
        tree.write("d/a", &format!("{round}"));
        tree.write(&format!("new{round}/x"), "x");
        let changes = tree.synced().await;
        assert_eq!(changes.len(), 2, "round {round}: {changes:?}");
    }
}

#[tokio::test]
async fn a_lost_cookie_folder_falls_back_to_comparing_everything() {
    let cookies = tempfile::tempdir().unwrap();
    let folder = cookies.path().join("deep");
    let mut tree = Tree::with(|_| {}, |options| options.cookie_dir = folder.clone()).await;
    fs::remove_dir_all(&folder).unwrap();
    tree.write("a", "x");
    assert_eq!(kinds(&tree.synced().await), [("a", ChangeKind::Created)]);
}

#[tokio::test]
async fn stale_cookies_are_removed_at_start_and_none_stay() {
    let cookies = tempfile::tempdir().unwrap();
    write(cookies.path(), "cookie-1-1", "");
    let tree = Tree::with(|_| {}, |options| options.cookie_dir = cookies.path().to_owned()).await;
    tree.sync().await;
    assert_eq!(fs::read_dir(cookies.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_stopped_watcher_answers_that_it_stopped() {
    let tree = Tree::new(|_| {}).await;
    tree.handle.stop();
    assert!(matches!(tree.handle.sync().await, Err(Error::Stopped)));
}
