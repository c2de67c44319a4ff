//! Putting a snapshot's files back into an agent's workspace.
//!
//! A second look at the folder does it, not the thread that follows it: that one has all agents to follow, and a
//! restore reads the whole folder and flushes every file. The watcher tells that thread what was written, as it tells
//! of everything.

use super::keep::author;
use super::ledger::{Command, Record};
use super::{object, parse_id, unknown, wire_id};
use crate::following::{Path, name, open_of};
use crate::workspaces::{blocked, open, refused};
use crate::{Actor, Error, Orchestrator, Reply};
use orchestrator_protocol::{AgentId, ErrorCode, RestoreAnswer, RestoreBackup, RestoreRequest, SnapshotKind};
use orchestrator_registry as registry;
use orchestrator_repository::bstr::BString;
use orchestrator_repository::{ObjectId, Restore, normalise};
use orchestrator_watch::unescape;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Most paths of one request.
const MAX_PATHS: usize = 1_000;

/// What was put back, or would be.
struct Done {
    commit: String,
    written: Vec<BString>,
    removed: Vec<BString>,
    skipped: Vec<BString>,
    backup: Option<Record>,
}

impl Orchestrator {
    /// Makes the files of an agent's workspace equal to those of a snapshot, where they differ; what stands there is
    /// kept as a backup before. A file that only settles is waited for; one that a writer holds open is left alone.
    ///
    /// # Errors
    /// The agent, its workspace or the snapshot is unknown, a path is none, git is busy there, something would be lost
    /// that no backup can hold, one of the files is being written, or nothing can be recorded. Then the files stand as
    /// they were, or some of them are written when the disk refuses in between, and the backup is whole.
    pub async fn restore(&self, actor: Actor, agent: AgentId, request: RestoreRequest) -> Result<RestoreAnswer, Error> {
        let paths = request.paths.as_deref().map(checked).transpose()?;
        let this = self.clone();
        self.alone(async move { this.put_back(actor, agent, request, paths).await }).await
    }

    async fn put_back(
        &self,
        actor: Actor,
        agent: AgentId,
        request: RestoreRequest,
        paths: Option<Vec<BString>>,
    ) -> Result<RestoreAnswer, Error> {
        let is_dry = request.dry_run == Some(true);
        if !is_dry {
            self.can_record()?;
        }
        let wanted = parse_id(&request.snapshot);
        let (found, record) = self
            .read(|state| {
                let record = wanted.and_then(|(kind, id)| state.snapshots.get(id).filter(|record| record.kind == kind));
                (state.registry.agent(&agent).cloned(), record.cloned())
            })
            .await?;
        let found = found.ok_or_else(|| registry::Error::UnknownAgent(agent.to_string()))?;
        let folder = found.workspace.clone().filter(|folder| folder.starts_with('/'));
        let folder = folder.ok_or_else(|| registry::Error::UnknownWorkspace(found.id.to_string()))?;
        if record.is_none() && (wanted.is_some() || request.snapshot.len() != 40) {
            return Err(unknown(&request.snapshot));
        }
        let unsettled = open_of(self.shared.following.barrier().await?, &agent);
        let (asked, id, number) = (request.snapshot.clone(), found.id.clone(), found.number);
        let done = self
            .blocking(move |this| {
                let (store, tip) = this.target()?;
                let commit = match record {
                    Some(Record { commit: Some(commit), .. }) => object(&commit),
                    Some(record) => store.refs(&record.name).map_err(refused)?.first().map(|(_, commit)| *commit),
                    None => object(&asked),
                };
                let commit = commit.filter(|commit| store.read_commit(*commit).is_ok());
                let commit: ObjectId = commit.ok_or_else(|| unknown(&asked))?;
                let folder = std::path::Path::new(&folder);
                let mut workspace = open(&store, folder)?;
                // What vanished a moment ago is not at rest either, and nobody writes it.
                let stands = |path: &PathBuf| folder.join(path).symlink_metadata().is_ok();
                let held_open: Vec<PathBuf> = unsettled.iter().flat_map(|text| on_disk(text)).filter(stands).collect();
                if is_dry || !held_open.is_empty() {
                    let planned = workspace.would_restore(commit, paths.as_deref()).map_err(refused)?;
                    let (written, removed, skipped) = (planned.written, planned.removed, planned.skipped);
                    refuse_open(&held_open, written.iter().chain(&removed))?;
                    if is_dry {
                        return Ok(Done { commit: commit.to_string(), written, removed, skipped, backup: None });
                    }
                }
                let now = crate::engine::now().0;
                let short = format!("{number}-{}", this.free_stamp(&store, number).map_err(refused)?);
                let head = workspace.snapshot().head;
                let wanted = Restore {
                    commit,
                    paths,
                    backup: short.clone(),
                    tip,
                    author: author(&id, now),
                    message: format!("Files of {id}, kept when {asked} was restored\n"),
                };
                let restored = workspace.restore(&wanted).map_err(refused)?;
                let backup = Record {
                    commit: Some(restored.backup.to_string()),
                    head: head.map(|head| head.to_string()),
                    paths: Some(workspace.snapshot().delta.len()),
                    ..Record::backup(&id, &format!("refs/backup/{short}"), "restore", now)
                };
                let (written, removed, skipped) = (restored.written, restored.removed, restored.skipped);
                Ok(Done { commit: commit.to_string(), written, removed, skipped, backup: Some(backup) })
            })
            .await?;
        let backup = match &done.backup {
            Some(backup) => Some(self.record_restore(actor, request.snapshot, &done, backup.clone()).await?),
            None => None,
        };
        Ok(answer(found.id, is_dry, done, backup))
    }

    async fn record_restore(
        &self,
        actor: Actor,
        from: String,
        done: &Done,
        backup: Record,
    ) -> Result<RestoreBackup, Error> {
        let (name, commit) = (backup.name.clone(), backup.commit.clone().unwrap_or_default());
        let (written, removed) = (done.written.len(), done.removed.len());
        let command =
            Command::Restored { from, commit: done.commit.clone(), written, removed, backup: Box::new(backup) };
        let id = match self.submit(actor, crate::Command::Snapshots(command)).await? {
            Reply::Snapshot(id) => id,
            other => return Err(crate::mail::internal(format!("a restore was answered with {other:?}"))),
        };
        Ok(RestoreBackup { snapshot_id: wire_id(SnapshotKind::Backup, id), name, commit })
    }
}

/// The paths that a watcher's text may stand for: it does not say whether it is escaped.
fn on_disk(text: &str) -> impl Iterator<Item = PathBuf> + use<> {
    [Some(PathBuf::from(text)), unescape(text).filter(|_| text.contains('%'))].into_iter().flatten()
}

/// Refuses to write what somebody else is writing at the moment.
fn refuse_open<'a>(held_open: &[PathBuf], mut touched: impl Iterator<Item = &'a BString>) -> Result<(), Error> {
    let is_open = |path: &[u8]| held_open.iter().any(|open| open.as_os_str().as_bytes() == path);
    match touched.find(|path| is_open(path)) {
        None => Ok(()),
        Some(path) => {
            let hint = "wait until its writer has closed it, or restore other paths";
            Err(blocked(format!("'{path}' is being written at the moment"), hint))
        }
    }
}

/// The one name of each path.
fn checked(paths: &[String]) -> Result<Vec<BString>, Error> {
    let invalid = |detail: String| {
        let hint = "give paths relative to the workspace, such as src/main.rs";
        Error::invalid(ErrorCode::InvalidPath, detail, hint)
    };
    if paths.is_empty() || paths.len() > MAX_PATHS {
        return Err(invalid(format!("'paths' takes 1 to {MAX_PATHS} paths; leave it out for all")));
    }
    let one = |path: &String| match path.starts_with('/') {
        true => Err(invalid(format!("'{path:.200}' is absolute"))),
        // There is no root but the workspace's own.
        false => {
            normalise(std::path::Path::new("/"), path).map(BString::from).map_err(|error| invalid(error.to_string()))
        }
    };
    paths.iter().map(one).collect()
}

fn answer(agent_id: AgentId, dry_run: bool, done: Done, backup: Option<RestoreBackup>) -> RestoreAnswer {
    let names = |mut paths: Vec<BString>| -> Vec<String> {
        paths.sort();
        paths.into_iter().map(|path| name(&Path::from(Vec::from(path)))).collect()
    };
    let message = match &backup {
        Some(backup) => format!("Restored; to undo it, restore {}", backup.snapshot_id),
        None => "Nothing was changed".to_owned(),
    };
    RestoreAnswer {
        status: "success".to_owned(),
        agent_id,
        commit: done.commit,
        dry_run,
        written: names(done.written),
        removed: names(done.removed),
        skipped: names(done.skipped),
        backup,
        message,
    }
}
