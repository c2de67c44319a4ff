//! What would go with a workspace's folder, and keeping it.

use super::clones::{self, Loose};
use super::marker::Marker;
use super::{blocked, refused};
use crate::snapshots::{backup, keep::author};
use crate::{Error, Orchestrator};
use orchestrator_protocol::{AgentId, Backup, ErrorCode, Keep, RemoveWorkspaceRequest};
use orchestrator_repository::bstr::{BString, ByteSlice};
use orchestrator_repository::{Delta, Limits, Mode, Notice, ObjectId, Project, Snapshot, State, Store, Workspace};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Larger files are not kept, so their workspace is not removed.
const MAX_FILE: u64 = 256 << 20;
/// Commits are counted up to this.
const MAX_COMMITS: usize = 1_000;

/// What was found worth keeping.
pub(super) struct Kept {
    /// The commit that holds it; nothing where all work had landed.
    pub(super) backup: Option<Backup>,
    /// Ignored files that go with the folder.
    pub(super) ignored_files: usize,
    /// What was checked out and the work upon it, when it was last looked at.
    pub(super) stood: Stood,
}

/// The commit that is checked out and the tree of the work.
pub(super) type Stood = (Option<ObjectId>, ObjectId);

/// Files that no snapshot holds.
#[derive(Default)]
struct Ignored {
    files: usize,
    bytes: u64,
    first: Option<BString>,
    /// A repository within the workspace.
    repository: Option<BString>,
}

/// Whose folder is looked at.
pub(super) struct Whose<'a> {
    pub(super) agent: &'a AgentId,
    pub(super) number: u64,
    pub(super) folder: &'a Path,
    pub(super) marker: Option<&'a Marker>,
}

impl Orchestrator {
    /// Makes durable what the workspace holds and nothing else does, or refuses where that is not asked for or not
    /// possible.
    pub(super) fn keep(
        &self,
        store: &Store,
        whose: &Whose<'_>,
        request: &RemoveWorkspaceRequest,
    ) -> Result<Kept, Error> {
        let Whose { agent, folder, .. } = whose;
        let mut workspace = open(store, folder)?;
        let snapshot = workspace.snapshot();
        let project = &self.options().project;
        let target = project.head().map_err(refused)?;
        let clone = Project::discover(folder).map_err(refused)?;
        let below_head = match snapshot.head {
            Some(head) => store.beyond(&[head], target.as_slice(), MAX_COMMITS).map_err(refused)?.len(),
            None => 0,
        };
        let loose = clones::loose(store, project, &clone, snapshot.head, MAX_COMMITS).map_err(refused)?;
        let commits = below_head + loose.as_ref().map_or(0, |loose| loose.commits.len());
        let paths = snapshot.delta.len();
        if paths + commits > 0 && request.keep != Some(Keep::Snapshot) {
            let landed = project.branch().map_err(refused)?.unwrap_or_else(|| "the project".to_owned());
            let detail = format!(
                "the workspace of '{agent}' holds {} uncommitted and {} that '{landed}' does not have",
                counted(paths, "path"),
                counted(commits, "commit")
            );
            let hint =
                "land them, or remove it with keep=snapshot (--keep-snapshot), which keeps all of it as a commit";
            return Err(Error::invalid(ErrorCode::UnlandedWork, detail, hint));
        }
        can_hold(&snapshot)?;
        let ignored = self.ignored(store, whose, &snapshot)?;
        if let Some(path) = loose.as_ref().and_then(|_| clones::other_worktree(&clone)) {
            let hint = "remove it with 'git worktree remove', then ask again";
            return Err(blocked(format!("'{path}' is a worktree of the clone"), hint));
        }
        if let Some(path) = ignored.repository {
            let hint = "move it away, then ask again";
            return Err(blocked(format!("'{path}' is a repository of its own, which no snapshot holds"), hint));
        }
        if ignored.files > 0 && request.discard_ignored != Some(true) {
            let detail = format!(
                "the workspace of '{agent}' holds {} of {} bytes that git ignores and no snapshot holds, such as '{}'",
                counted(ignored.files, "file"),
                ignored.bytes,
                ignored.first.unwrap_or_default()
            );
            let hint = "move away what you need, then remove it with discard_ignored=true (--discard-ignored)";
            return Err(Error::invalid(ErrorCode::UnlandedWork, detail, hint));
        }
        let backup = match paths + commits {
            0 => None,
            _ => {
                let stamp = self.free_stamp(store, whose.number).map_err(refused)?;
                Some(back_up(store, (whose, stamp), &snapshot, target, loose.as_ref()).map_err(refused)?)
            }
        };
        workspace.rescan().map_err(refused)?;
        if workspace.snapshot().generation != snapshot.generation || workspace.state() != State::Ready {
            let hint = "stop what writes there, then ask again";
            return Err(blocked(format!("the workspace of '{agent}' changed while it was looked at"), hint));
        }
        let stood = (snapshot.head, snapshot.tree().map_err(refused)?);
        Ok(Kept { backup, ignored_files: ignored.files, stood })
    }

    /// Files that are neither in the snapshot nor as they were copied from the project.
    fn ignored(&self, store: &Store, whose: &Whose<'_>, snapshot: &Snapshot) -> Result<Ignored, Error> {
        let held = snapshot.tree().and_then(|tree| store.paths(tree)).map_err(refused)?;
        let project = self.options().project.root();
        let mut ignored = Ignored::default();
        let mut folders = vec![PathBuf::new()];
        let failed = |error: std::io::Error| {
            let hint = "make it readable, then ask again";
            blocked(format!("the workspace of '{}' cannot be read: {error}", whose.agent), hint)
        };
        while let Some(below) = folders.pop() {
            for entry in fs::read_dir(whose.folder.join(&below)).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let path = below.join(entry.file_name());
                let name = BString::from(path.as_os_str().as_bytes());
                let meta = entry.metadata().map_err(failed)?;
                if entry.file_name() == ".git" {
                    if !below.as_os_str().is_empty() {
                        ignored.repository = Some(below.as_os_str().as_bytes().into());
                    }
                } else if meta.is_dir() {
                    folders.push(path);
                } else if !held.contains(&name) && !is_shared(whose, project, &path) {
                    ignored.files += 1;
                    ignored.bytes += meta.len();
                    ignored.first = ignored.first.filter(|first| *first < name).or(Some(name));
                }
            }
        }
        Ok(ignored)
    }
}

/// Opens the worktree whose top is this folder, when its git is at rest.
pub(crate) fn open(store: &Store, folder: &Path) -> Result<Workspace, Error> {
    let limits = Limits { max_file: MAX_FILE, ..Limits::default() };
    let workspace = Workspace::open(store, folder, limits).map_err(refused)?;
    if folder.canonicalize().ok().as_deref() != Some(workspace.root()) {
        let detail = format!("{} is no worktree any more", folder.display());
        return Err(blocked(detail, "bring back its '.git', or move the folder away"));
    }
    match workspace.state() {
        State::Ready => Ok(workspace),
        State::Busy(_) => {
            let hint = "finish or abort the rebase or merge there, or remove a stale index.lock, then ask again";
            Err(blocked(format!("git is busy in {}", folder.display()), hint))
        }
    }
}

/// Refuses what a commit would not hold.
fn can_hold(snapshot: &Snapshot) -> Result<(), Error> {
    let submodule = |delta: &Delta| matches!(delta, Delta::Entry(entry) if entry.mode == Mode::Submodule);
    let unheld = snapshot.notices.iter().find(|(_, notice)| **notice != Notice::Unconverted).map(|(path, _)| path);
    let unheld = unheld.or_else(|| snapshot.delta.iter().find(|(_, delta)| submodule(delta)).map(|(path, _)| path));
    match unheld {
        None => Ok(()),
        Some(path) => {
            let detail = format!("'{path}' cannot be kept: it is too large, unreadable, changing, or no file");
            Err(blocked(detail, "move it away, then ask again"))
        }
    }
}

/// Whether the file is still as the workspace got it from the project.
fn is_shared(whose: &Whose<'_>, project: &Path, path: &Path) -> bool {
    let Some(marker) = whose.marker else { return false };
    let (ours, theirs) = (whose.folder.join(path), project.join(path));
    if marker.linked.iter().any(|linked| Path::new(linked) == path) {
        return fs::read_link(ours).is_ok_and(|target| target == theirs);
    }
    if !marker.copied.iter().any(|copied| path.starts_with(copied)) {
        return false;
    }
    if let (Ok(ours), Ok(theirs)) = (fs::read_link(&ours), fs::read_link(&theirs)) {
        return ours == theirs;
    }
    let is_file = |path: &Path| path.symlink_metadata().ok().filter(fs::Metadata::is_file).map(|meta| meta.len());
    is_file(&ours).is_some_and(|length| is_file(&theirs) == Some(length))
        && matches!((fs::read(ours), fs::read(theirs)), (Ok(ours), Ok(theirs)) if ours == theirs)
}

fn back_up(
    store: &Store,
    (whose, stamp): (&Whose<'_>, i64),
    snapshot: &Snapshot,
    target: Option<ObjectId>,
    loose: Option<&Loose>,
) -> Result<Backup, orchestrator_repository::Error> {
    let agent = whose.agent;
    let author = author(agent, crate::engine::now().0);
    let mut message = format!("Work of {agent}, kept when its workspace was removed\n");
    for (name, tip) in loose.iter().flat_map(|loose| &loose.tips) {
        message.push_str(&format!("\n{name}: {tip}"));
    }
    let tips = loose.iter().flat_map(|loose| &loose.tips).map(|(_, tip)| *tip);
    let parents: Vec<ObjectId> = snapshot.head.into_iter().chain(tips).collect();
    let commit = store.commit(snapshot.tree()?, &parents, &author, &message)?;
    let short = format!("{}-{stamp}", whose.number);
    let name = format!("refs/backup/{short}");
    let pin = format!("backup-{short}");
    match snapshot.head {
        Some(head) if loose.is_none() => {
            store.pin(&pin, head)?;
            store.keep(&[(name, commit)])?;
        }
        // What a clone has beyond the target branch goes with it.
        _ => {
            target.map_or(Ok(()), |target| store.pin(&pin, target))?;
            let history = store.beyond(&parents, target.as_slice(), usize::MAX)?;
            store.keep_history(&name, commit, history)?;
        }
    }
    Ok(backup(store, &short, commit))
}

/// The paths that a folder holds beyond its commit, or other than it; nothing when only files are missing, and no
/// commit is there only.
pub(super) fn additions(store: &Store, project: &Project, folder: &Path) -> Option<BTreeSet<String>> {
    let workspace = open(store, folder).ok()?;
    let snapshot = workspace.snapshot();
    let added = snapshot.delta.iter().filter(|(_, delta)| matches!(delta, Delta::Entry(_)));
    let paths: BTreeSet<String> = added.map(|(path, _)| path.to_str_lossy().into_owned()).collect();
    (!paths.is_empty() || clones::holds_commits(store, project, &workspace)).then_some(paths)
}

fn counted(number: usize, what: &str) -> String {
    let more = if number >= MAX_COMMITS && what == "commit" { " or more" } else { "" };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number}{more} {what}{plural}")
}
