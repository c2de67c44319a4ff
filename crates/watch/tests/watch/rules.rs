//! What git ignores is quiet.

use std::fs;

use orchestrator_watch::ChangeKind;

use crate::support::{Tree, kinds, write};

#[tokio::test]
async fn ignored_paths_and_the_git_folder_are_quiet() {
    let mut tree = Tree::new(|root| {
        write(root, ".gitignore", "target/\n*.log\n");
        write(root, ".git/info/exclude", "/.orchestrator/\n");
        write(root, "sub/.gitignore", "!keep.log\n");
        write(root, "target/debug/old", "x");
    })
    .await;
    assert_eq!(tree.handle.list(), [".gitignore", "sub/.gitignore"]);
    for path in ["target/debug/x", "a.log", ".git/HEAD", ".git/refs/x", ".orchestrator/bus/x", "sub/x.log"] {
        tree.write(path, "x");
    }
    tree.write("sub/keep.log", "x");
    assert_eq!(kinds(&tree.synced().await), [("sub/keep.log", ChangeKind::Created)]);
    assert_eq!(tree.handle.stats().folders_watched, 2);
}

#[tokio::test]
async fn a_changed_ignore_file_is_honoured() {
    let mut tree = Tree::new(|root| {
        write(root, ".gitignore", "out/\n");
        write(root, "out/deep/a", "x");
        write(root, "gen/b", "x");
    })
    .await;
    tree.write(".gitignore", "gen/\n");
    let changes = tree.synced().await;
    assert_eq!(
        kinds(&changes),
        [(".gitignore", ChangeKind::Modified), ("out/deep/a", ChangeKind::Created)],
        "what is ignored now was not deleted"
    );
    assert_eq!(tree.handle.list(), [".gitignore", "out/deep/a"]);
    tree.write("gen/b", "y");
    tree.write("out/deep/a", "y");
    assert_eq!(kinds(&tree.synced().await), [("out/deep/a", ChangeKind::Modified)]);
    fs::remove_file(tree.root.join(".gitignore")).unwrap();
    let changes = tree.synced().await;
    assert_eq!(kinds(&changes), [(".gitignore", ChangeKind::Deleted), ("gen/b", ChangeKind::Created)]);
}

#[tokio::test]
async fn a_new_ignore_file_holds_below_its_folder_only() {
    let mut tree = Tree::new(|root| {
        write(root, "a/x.gen", "1");
        write(root, "b/x.gen", "1");
    })
    .await;
    tree.write("a/.gitignore", "*.gen\n");
    tree.synced().await;
    assert_eq!(tree.handle.list(), ["a/.gitignore", "b/x.gen"]);
}

#[tokio::test]
async fn excluded_folders_are_never_looked_at() {
    let mut tree = Tree::with(|root| write(root, "skip/a", "x"), |options| options.exclude = vec!["skip".into()]).await;
    tree.write("skip/b", "x");
    tree.write("skipped", "x");
    assert_eq!(kinds(&tree.synced().await), [("skipped", ChangeKind::Created)]);
}
