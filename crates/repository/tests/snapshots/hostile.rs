use std::fs;

use orchestrator_repository::{Author, Restore};

use crate::git::{Repository, git};

#[test]
fn nothing_that_a_repository_names_is_run() {
    let repository = Repository::new();
    let pwned = repository.beside("pwned");
    let touch = format!("touch {}", pwned.display());
    repository.write("hooks/any", format!("#!/bin/sh\n{touch}\n"));
    repository.write("f.x", "1\n2\n3\n");
    repository.commit("base");
    let root = &repository.root;
    let base = git(root, &["rev-parse", "HEAD^{tree}"]);
    for hook in ["post-checkout", "reference-transaction", "post-index-change", "fsmonitor-watchman", "pre-auto-gc"] {
        let path = root.join("hooks").join(hook);
        fs::copy(root.join("hooks/any"), &path).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    fs::write(repository.beside("included"), format!("[core]\n\tfsmonitor = {touch}\n")).unwrap();
    let config = format!(
        "[core]\n\thooksPath = hooks\n\tfsmonitor = {touch}\n\teditor = {touch}\n\tsshCommand = {touch}\n\tpager = {touch}\n\
         [filter \"evil\"]\n\tclean = {touch}\n\tsmudge = {touch}\n\tprocess = {touch}\n\trequired = true\n\
         [diff]\n\texternal = {touch}\n\
         [diff \"evil\"]\n\ttextconv = {touch}\n\tcommand = {touch}\n\
         [merge \"evil\"]\n\tdriver = {touch}\n\
         [gpg]\n\tprogram = {touch}\n[commit]\n\tgpgSign = true\n\
         [include]\n\tpath = {}\n[alias]\n\tstatus = !{touch}\n[credential]\n\thelper = !{touch}\n",
        repository.beside("included").display()
    );
    let mut old = fs::read_to_string(root.join(".git/config")).unwrap();
    old.push_str(&config);
    fs::write(root.join(".git/config"), old).unwrap();
    repository.write(".gitattributes", "*.x filter=evil diff=evil merge=evil\n");
    repository.write(".gitmodules", format!("[submodule \"s\"]\n\tpath = s\n\turl = x\n\tupdate = !{touch}\n"));
    repository.write("f.x", "1\n2\nours\n");
    repository.write("new.x", "n\n");

    let store = repository.store();
    let mut workspace = repository.workspace(&store);
    workspace.refresh(&["f.x", "new.x", ".gitattributes"]).unwrap();
    let snapshot = workspace.snapshot();
    let ours = snapshot.tree().unwrap();
    let base = orchestrator_repository::ObjectId::from_hex(base.as_bytes()).unwrap();
    repository.write("f.x", "theirs\n2\n3\n");
    workspace.refresh(&["f.x"]).unwrap();
    let theirs = workspace.snapshot().tree().unwrap();
    let merged = store.merge_trees(base, ours, theirs).unwrap();
    assert!(merged.conflicts.is_empty());
    store.diff(base, merged.tree, true).unwrap();
    let author = Author { name: "a".to_owned(), email: "a@b".to_owned(), seconds: 0 };
    let commit = snapshot.commit(&author, "m").unwrap();
    store.keep(&[("refs/work/1".to_owned(), commit)]).unwrap();
    workspace.pin("1").unwrap();
    let wanted = Restore { commit, paths: None, backup: "1".to_owned(), tip: None, author, message: "b".to_owned() };
    workspace.restore(&wanted).unwrap();
    assert_eq!(fs::read(root.join("f.x")).unwrap(), b"1\n2\nours\n");
    store.compact([]).unwrap();
    workspace.unpin("1").unwrap();
    assert!(!pwned.exists(), "a program ran");

    let run = crate::git::try_git(root, &["add", "-A"]);
    assert!(pwned.exists(), "the control, git itself, does run them: {run:?}");
}
