use std::{collections::BTreeSet, fs};

use orchestrator_repository::{ObjectId, Store};
use proptest::prelude::*;

use crate::git::{Repository, git, try_git};

fn id(text: &str) -> ObjectId {
    ObjectId::from_hex(text.trim().as_bytes()).unwrap()
}

/// An edit of one side: file, first line, what is done there.
#[derive(Debug, Clone)]
enum Edit {
    Replace(usize, usize, u8),
    Insert(usize, usize, u8),
    Cut(usize, usize),
    Delete(usize),
    Rename(usize),
    Add(usize, u8),
    Run(usize),
}

const FILES: usize = 4;

fn edit() -> impl Strategy<Value = Edit> {
    let file = 0..FILES;
    let line = 0_usize..30;
    prop_oneof![
        6 => (file.clone(), line.clone(), any::<u8>()).prop_map(|(file, line, text)| Edit::Replace(file, line, text)),
        4 => (file.clone(), line.clone(), any::<u8>()).prop_map(|(file, line, text)| Edit::Insert(file, line, text)),
        3 => (file.clone(), line).prop_map(|(file, line)| Edit::Cut(file, line)),
        1 => file.clone().prop_map(Edit::Delete),
        1 => file.clone().prop_map(Edit::Rename),
        1 => (file.clone(), 0_u8..2).prop_map(|(file, text)| Edit::Add(file, text)),
        1 => file.prop_map(Edit::Run),
    ]
}

fn apply(repository: &Repository, side: &str, edits: &[Edit]) -> (ObjectId, ObjectId) {
    let root = &repository.root;
    git(root, &["checkout", "-q", "-f", "-B", side, "main"]);
    for edit in edits {
        let (Edit::Replace(file, ..)
        | Edit::Insert(file, ..)
        | Edit::Cut(file, _)
        | Edit::Delete(file)
        | Edit::Rename(file)
        | Edit::Add(file, _)
        | Edit::Run(file)) = edit;
        let path = root.join(format!("f{file}"));
        let text = fs::read_to_string(&path).ok();
        let mut lines: Vec<String> = text.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
        let at = |line: &usize| line % lines.len().max(1);
        match (edit, text.is_some()) {
            (Edit::Add(_, text), _) => fs::write(root.join(format!("n{file}")), format!("new {text}\n")).unwrap(),
            (_, false) => {}
            (Edit::Delete(_), _) => fs::remove_file(&path).unwrap(),
            (Edit::Rename(_), _) => fs::rename(&path, root.join(format!("r{file}-{side}"))).unwrap(),
            (Edit::Run(_), _) => {
                fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            }
            (Edit::Replace(_, line, text), _) if !lines.is_empty() => {
                let at = at(line);
                lines[at] = format!("{side} {text}");
                fs::write(&path, lines.join("\n") + "\n").unwrap();
            }
            (Edit::Insert(_, line, text), _) => {
                let at = at(line);
                lines.insert(at, format!("{side} in {text}"));
                fs::write(&path, lines.join("\n") + "\n").unwrap();
            }
            (Edit::Cut(_, line), _) if !lines.is_empty() => {
                lines.remove(at(line));
                fs::write(&path, lines.join("\n") + "\n").unwrap();
            }
            _ => {}
        }
    }
    repository.commit(side);
    (id(&git(root, &["rev-parse", "HEAD"])), id(&git(root, &["rev-parse", "HEAD^{tree}"])))
}

fn check(ours: &[Edit], theirs: &[Edit]) -> Result<(), TestCaseError> {
    let repository = Repository::new();
    for file in 0..FILES {
        let lines: Vec<_> = (0..30).map(|line| format!("file {file} line {line}\n")).collect();
        repository.write(&format!("f{file}"), lines.concat());
    }
    repository.commit("base");
    let root = &repository.root;
    let (our_commit, ours) = apply(&repository, "ours", ours);
    let (their_commit, theirs) = apply(&repository, "theirs", theirs);
    let store = repository.store();
    let (base_commit, base) = store.tip("main").unwrap().unwrap();
    prop_assert_eq!(store.merge_base(our_commit, their_commit).unwrap(), Some(base_commit));
    prop_assert_eq!(store.tip("ours").unwrap(), Some((our_commit, ours)));

    let output = try_git(
        root,
        &["-c", "diff.algorithm=histogram", "merge-tree", "--write-tree", "--name-only", "-z", "ours", "theirs"],
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let mut fields = text.split('\0');
    let expected = id(fields.next().unwrap());
    let merged = store.merge_trees(base, ours, theirs).unwrap();
    let conflicting: BTreeSet<String> = fields.take_while(|field| !field.is_empty()).map(str::to_owned).collect();
    prop_assert_eq!(merged.conflicts.is_empty(), output.status.success(), "{}\n{:?}", text, merged);
    if output.status.success() {
        prop_assert_eq!(merged.tree, expected);
    } else {
        for conflict in &merged.conflicts {
            let paths = [Some(&conflict.path), conflict.their_path.as_ref()];
            let named = paths.iter().flatten().any(|path| conflicting.contains(&path.to_string()));
            prop_assert!(named, "{conflict:?} of {conflicting:?}");
        }
    }
    diffs(&repository, &store, base, ours)
}

/// The same changes as `git diff-tree`.
fn diffs(repository: &Repository, store: &Store, from: ObjectId, to: ObjectId) -> Result<(), TestCaseError> {
    let (left, right) = (from.to_string(), to.to_string());
    let plain = git(&repository.root, &["diff-tree", "-r", "--no-renames", "--name-only", &left, &right]);
    let found: Vec<_> = store.diff(from, to, false).unwrap().iter().map(|change| change.path.to_string()).collect();
    prop_assert_eq!(found, plain.lines().map(str::to_owned).collect::<Vec<_>>());
    let renamed = git(&repository.root, &["diff-tree", "-r", "-M", "--diff-filter=R", "--name-only", &left, &right]);
    let found = store.diff(from, to, true).unwrap();
    let found: Vec<_> =
        found.iter().filter(|change| change.renamed_from.is_some()).map(|change| change.path.to_string()).collect();
    prop_assert_eq!(found, renamed.lines().map(str::to_owned).collect::<Vec<_>>());
    Ok(())
}

/// Few by default, for git runs many times in each; `PROPTEST_CASES` makes them more.
fn cases() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 40;
    }
    config.max_shrink_iters = 60;
    config.failure_persistence = None;
    config
}

proptest! {
    #![proptest_config(cases())]
    #[test]
    fn merges_and_differences_are_gits(
        ours in prop::collection::vec(edit(), 1..6),
        theirs in prop::collection::vec(edit(), 1..6),
    ) {
        check(&ours, &theirs)?;
    }
}

#[test]
fn a_conflict_keeps_its_three_stages() {
    let repository = Repository::new();
    let store = repository.store();
    let base = repository.workspace(&store).snapshot().head_tree;
    let mut workspace = repository.workspace(&store);
    let mut side = |content: &str| {
        repository.write("README", content);
        workspace.refresh(&["README"]).unwrap();
        workspace.snapshot().tree().unwrap()
    };
    let (ours, theirs) = (side("ours\n"), side("theirs\n"));
    let merged = store.merge_trees(base, ours, theirs).unwrap();
    let [conflict] = &merged.conflicts[..] else { panic!("{merged:?}") };
    let content = |stage: Option<orchestrator_repository::Stage>| store.blob(stage.unwrap().1).unwrap();
    assert_eq!(content(conflict.base), b"hello\n");
    assert_eq!(content(conflict.ours), b"ours\n");
    assert_eq!(content(conflict.theirs), b"theirs\n");
    assert_eq!(conflict.path, "README");
    assert_eq!(store.tip("none").unwrap(), None);
    assert!(store.tip("a..b").is_err() && store.tip("--output=f").is_ok());
    assert_eq!(store.merge_trees(base, ours, base).unwrap().tree, ours);
    assert_eq!(store.diff(base, base, true).unwrap(), []);
}
