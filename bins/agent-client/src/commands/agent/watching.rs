//! Reporting the changes of a folder.

use crate::exit::Failure;
use crate::output::Output;
use orchestrator_client::Handle;
use orchestrator_protocol::ChangeType;
use orchestrator_watch::{Change, ChangeKind, Notice, Options};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::sync::mpsc::Receiver;

/// A watched folder.
pub(super) struct Watching {
    watcher: orchestrator_watch::Handle,
    notices: Receiver<Notice>,
    /// From the project to the folder, with a slash at its end unless they are the same.
    prefix: String,
    /// The watcher's own files, removed at the end.
    _cookies: TempDir,
}

impl Watching {
    /// Lists the folder and begins to watch it.
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let unusable = |error: &dyn std::error::Error| {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let what = format!("{} cannot be watched: {error}{cause}", folder.display());
            Failure::usage(what, "give a folder that can be read")
        };
        let cookies = tempfile::tempdir()?;
        let folder = folder.canonicalize().map_err(|error| unusable(&error))?;
        let prefix = prefix(&project_of(&folder), &folder);
        let (watcher, notices) = Options::new(&folder, cookies.path()).build().map_err(|error| unusable(&error))?;
        Ok(Self { watcher, notices, prefix, _cookies: cookies })
    }

    /// Reports every settled change until the watcher ends.
    pub(super) async fn report(mut self, out: &Output, handle: &Handle) -> Result<(), Failure> {
        while let Some(notice) = self.notices.recv().await {
            match notice {
                Notice::Changes(changes) => {
                    for change in &changes {
                        for (path, kind) in reports(&self.prefix, change) {
                            handle.code_change(&path, kind).await?;
                        }
                    }
                }
                Notice::RootLost => out.note("the watched folder is gone; its files are not reported as deleted"),
                Notice::RootBack => out.note("the watched folder is back"),
                Notice::MassDeletion { count, total } => {
                    // Someone started this program to have changes reported; a person at the server is asked there.
                    out.note(&format!(
                        "{count} of {total} files vanished together; nothing is reported until they return"
                    ));
                }
                Notice::MassDeletionCleared { .. } => out.note("files are reported again"),
                Notice::Degraded { reason } => out.note(&reason),
                _ => {}
            }
        }
        self.watcher.stop();
        Ok(())
    }
}

/// The top of the working tree that holds a folder; the folder itself when there is none.
fn project_of(folder: &Path) -> PathBuf {
    folder.ancestors().find(|ancestor| ancestor.join(".git").exists()).unwrap_or(folder).to_owned()
}

fn prefix(project: &Path, folder: &Path) -> String {
    let inner = folder.strip_prefix(project).unwrap_or(Path::new(""));
    if inner.as_os_str().is_empty() { String::new() } else { format!("{}/", inner.display()) }
}

/// What is said of a change: the frame names one path, so that a file with a new name is one deleted and one
/// created.
fn reports(prefix: &str, change: &Change) -> Vec<(String, ChangeType)> {
    let at = |path: &str| format!("{prefix}{path}");
    match &change.kind {
        ChangeKind::Created => vec![(at(&change.path), ChangeType::Created)],
        ChangeKind::Modified => vec![(at(&change.path), ChangeType::Modified)],
        ChangeKind::Deleted => vec![(at(&change.path), ChangeType::Deleted)],
        ChangeKind::Renamed { from } => {
            vec![(at(from), ChangeType::Deleted), (at(&change.path), ChangeType::Created)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_project() {
        let project = tempfile::tempdir().unwrap();
        let folder = project.path().join("src/api");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::create_dir(project.path().join(".git")).unwrap();
        assert_eq!(project_of(&folder), project.path());
        assert_eq!(prefix(&project_of(&folder), &folder), "src/api/");
        assert_eq!(prefix(project.path(), project.path()), "");
    }

    #[test]
    fn a_new_name_is_one_file_deleted_and_one_created() {
        let change = |kind| Change {
            path: "b.py".into(),
            escaped: false,
            kind,
            hash: None,
            previous: None,
            size: None,
            entry: None,
        };
        assert_eq!(reports("src/", &change(ChangeKind::Modified)), [("src/b.py".into(), ChangeType::Modified)]);
        assert_eq!(
            reports("", &change(ChangeKind::Renamed { from: "a.py".into() })),
            [("a.py".into(), ChangeType::Deleted), ("b.py".into(), ChangeType::Created)]
        );
    }
}
