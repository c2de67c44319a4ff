//! Merges as folders: `tests/corpus/<name>/` holds `path` (what the file is called), `base`, `ours` and `theirs` (a
//! missing one is an absent file), and what must come out: `expected` the merged file, an empty `conflict`, or a folder
//! `candidates` with the answers in the order of their names.

use orchestrator_merge::{Options, Outcome, merge, verify_laws};
use std::fs;
use std::path::{Path, PathBuf};

struct Case {
    folder: PathBuf,
    path: String,
    versions: [Option<Vec<u8>>; 3],
}

impl Case {
    fn read(folder: PathBuf) -> Self {
        let path =
            fs::read_to_string(folder.join("path")).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let versions = ["base", "ours", "theirs"].map(|name| fs::read(folder.join(name)).ok());
        Self { path: path.trim_end().to_owned(), versions, folder }
    }

    fn has(&self, name: &str) -> bool {
        self.folder.join(name).exists()
    }

    /// What is wrong with the answer, with the sides as they are or swapped.
    fn fault(&self) -> Option<String> {
        let [base, ours, theirs] = self.versions.each_ref().map(Option::as_deref);
        let answer = |base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>| {
            merge(base, ours, theirs, &self.path, &Options::default())
        };
        let wanted = ["expected", "conflict", "candidates"].into_iter().filter(|name| self.has(name));
        let [wanted] = wanted.collect::<Vec<_>>()[..] else {
            return Some("there must be one of expected, conflict, candidates".to_owned());
        };
        [answer(base, ours, theirs), answer(base, theirs, ours)].into_iter().find_map(|found| match (wanted, &found) {
            ("expected", Outcome::Clean { regions, .. }) if regions.is_empty() => {
                Some("merged without a reason".to_owned())
            }
            ("expected", Outcome::Clean { content, .. }) => {
                let right = fs::read(self.folder.join("expected")).unwrap();
                if content.as_deref() != Some(&right[..]) {
                    return Some(format!("merged otherwise:\n{}", text(content.as_deref().unwrap_or_default())));
                }
                let laws = verify_laws(base, ours, theirs, content.as_deref(), answer);
                laws.err().map(|refusal| refusal.to_string())
            }
            ("conflict", Outcome::Conflict(_)) => None,
            ("candidates", Outcome::Candidates { candidates, .. }) => {
                let found: Vec<_> = candidates.iter().map(|candidate| text(&candidate.content)).collect();
                (found != in_order(&self.folder.join("candidates"))).then(|| format!("other candidates: {found:#?}"))
            }
            ("conflict", Outcome::Clean { content, .. }) => {
                Some(format!("merged:\n{}", text(content.as_deref().unwrap_or_default())))
            }
            (wanted, Outcome::Conflict(left)) => {
                Some(format!("wanted {wanted}, left: {:?}, {:?}", left.kind, left.why))
            }
            (wanted, Outcome::Candidates { candidates, .. }) => {
                let found: Vec<_> = candidates.iter().map(|candidate| text(&candidate.content)).collect();
                Some(format!("wanted {wanted}, found candidates: {found:#?}"))
            }
            (wanted, found) => Some(format!("wanted {wanted}, found {found:#?}")),
        })
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files of a folder by their names.
fn in_order(folder: &Path) -> Vec<String> {
    paths(folder).iter().map(|path| text(&fs::read(path).unwrap())).collect()
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths
}

#[test]
fn every_merge_of_the_corpus_comes_out_as_its_folder_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let cases: Vec<_> = paths(&folder).into_iter().map(Case::read).collect();
    assert!(!cases.is_empty());
    let name = |case: &Case| case.folder.file_name().unwrap().to_string_lossy().into_owned();
    let faults: Vec<_> =
        cases.iter().filter_map(|case| case.fault().map(|fault| format!("{}: {fault}", name(case)))).collect();
    assert!(faults.is_empty(), "{} of {} cases:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
