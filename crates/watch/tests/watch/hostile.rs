//! Trees that would hang or fool a careless watcher.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
    process::Command,
};

use orchestrator_watch::{ChangeKind, Entry, unescape};

use crate::support::{Tree, hash, kinds, write};

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test]
async fn links_are_files_of_their_own_and_never_followed() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "secret", "x");
    let mut tree = Tree::new(|root| symlink(outside.path(), root.join("before")).unwrap()).await;
    symlink(outside.path(), tree.root.join("folder")).unwrap();
    symlink(outside.path().join("secret"), tree.root.join("file")).unwrap();
    symlink("nowhere", tree.root.join("dangling")).unwrap();
    let changes = tree.synced().await;
    let created = ChangeKind::Created;
    assert_eq!(kinds(&changes), [("dangling", created.clone()), ("file", created.clone()), ("folder", created)]);
    assert!(changes.iter().all(|change| change.entry == Some(Entry::Link)));
    assert_eq!(changes[0].hash, hash("nowhere"));
    write(outside.path(), "secret", "y");
    write(outside.path(), "more", "y");
    assert_eq!(tree.synced().await, []);
    assert_eq!(tree.handle.list(), ["before", "dangling", "file", "folder"]);
}

#[tokio::test]
async fn a_folder_that_becomes_a_link_has_no_files_any_more() {
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), "a", "theirs");
    let mut tree = Tree::new(|root| write(root, "d/a", "ours")).await;
    fs::remove_dir_all(tree.root.join("d")).unwrap();
    symlink(outside.path(), tree.root.join("d")).unwrap();
    let changes = tree.synced().await;
    assert_eq!(kinds(&changes), [("d", ChangeKind::Created), ("d/a", ChangeKind::Deleted)]);
}

#[tokio::test]
async fn a_file_and_a_folder_may_change_places() {
    let mut tree = Tree::new(|root| {
        write(root, "x", "file");
        write(root, "y/inner", "folder");
    })
    .await;
    fs::remove_file(tree.root.join("x")).unwrap();
    tree.write("x/inner", "1");
    fs::remove_dir_all(tree.root.join("y")).unwrap();
    tree.write("y", "2");
    tree.synced().await;
    assert_eq!(tree.handle.list(), ["x/inner", "y"]);
    tree.assert_equals_disk(&[]);
}

#[tokio::test]
async fn a_pipe_does_not_hang_and_is_not_a_file() {
    let mut tree = Tree::new(|root| pipe(&root.join("before"))).await;
    pipe(&tree.root.join("after"));
    tree.write("a", "x");
    assert_eq!(kinds(&tree.synced().await), [("a", ChangeKind::Created)]);
    fs::remove_file(tree.root.join("a")).unwrap();
    pipe(&tree.root.join("a"));
    assert_eq!(kinds(&tree.synced().await), [("a", ChangeKind::Deleted)]);
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_reported_losslessly() {
    let mut tree = Tree::new(|_| {}).await;
    let name = OsStr::from_bytes(b"50%-\xff.txt");
    fs::write(tree.root.join(name), "x").unwrap();
    let changes = tree.synced().await;
    assert_eq!(kinds(&changes), [("50%25-%FF.txt", ChangeKind::Created)]);
    assert!(changes[0].escaped);
    assert_eq!(unescape(&changes[0].path).unwrap().as_os_str(), name);
}

#[tokio::test]
async fn a_path_too_long_to_open_does_not_stop_others() {
    // Permissions do not bind every user that runs tests; a path longer than the system takes fails for all.
    let mut tree = Tree::new(|_| {}).await;
    let script = r#"n=0; p=$(printf 'd%.0s' $(seq 200)); while [ $n -lt 25 ]; do mkdir "$p" && cd -P "$p" || exit 1; n=$((n+1)); done; echo x > deep"#;
    let made = Command::new("bash").arg("-c").arg(script).current_dir(&tree.root).status().unwrap();
    assert!(made.success());
    tree.write("a", "x");
    assert_eq!(kinds(&tree.synced().await), [("a", ChangeKind::Created)]);
    let script = r#"p=$(printf 'd%.0s' $(seq 200)); rm -rf "$p""#;
    assert!(Command::new("bash").arg("-c").arg(script).current_dir(&tree.root).status().unwrap().success());
}

#[tokio::test]
async fn an_unreadable_file_is_reported_without_a_hash() {
    use std::os::unix::fs::PermissionsExt;
    let mut tree = Tree::new(|_| {}).await;
    let path = tree.root.join("closed");
    fs::write(&path, "x").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let privileged = fs::read(&path).is_ok();
    tree.write("open", "x");
    let changes = tree.synced().await;
    assert_eq!(kinds(&changes), [("closed", ChangeKind::Created), ("open", ChangeKind::Created)]);
    assert_eq!(changes[0].hash, if privileged { hash("x") } else { None });
    assert_eq!(changes[1].hash, hash("x"));
}
