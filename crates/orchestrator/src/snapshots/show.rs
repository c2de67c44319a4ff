//! Snapshots as the wire shows them.

use super::ledger::Record;
use super::{object, parse_id, unknown, wire_id};
use crate::following::{Path, name};
use crate::workspaces::refused;
use crate::{Error, Orchestrator};
use orchestrator_protocol::{AgentId, ChangedPath, PathChange, Snapshot, SnapshotAnswer, SnapshotList, Timestamp};
use orchestrator_registry as registry;
use orchestrator_repository::{self as repository, ObjectId, Store};

/// Most paths of one list.
const MAX_PATHS: usize = 1_000;

impl Orchestrator {
    /// What is kept of an agent's work, also of one that left; newest first.
    ///
    /// # Errors
    /// The agent was never registered, or the store cannot be read.
    pub async fn snapshots(&self, agent: &AgentId) -> Result<SnapshotList, Error> {
        let (known, records) = self
            .read(|state| {
                let is_its = |record: &Record| record.agent.key() == agent.key();
                let records = state.snapshots.kept().rev().filter(|(_, record)| is_its(record));
                let records: Vec<(u64, Record)> = records.map(|(id, record)| (id, record.clone())).collect();
                (state.registry.ever(agent).cloned(), records)
            })
            .await?;
        let agent_id = known.ok_or_else(|| registry::Error::UnknownAgent(agent.to_string()))?;
        let shown = self
            .blocking(move |this| {
                if records.is_empty() && this.options().project.git_common_dir().is_none() {
                    return Ok((Vec::new(), String::new()));
                }
                let store = this.shared.following.store(&this.options().project).map_err(refused)?;
                let shown = records.into_iter().map(|(id, record)| show(&store, id, record)).collect();
                Ok((shown, store.folder().display().to_string()))
            })
            .await?;
        let (snapshots, repository) = shown;
        let timestamp = crate::engine::now();
        Ok(SnapshotList { status: "success".to_owned(), agent_id, snapshots, repository, timestamp })
    }

    /// One snapshot, what its work changed, and what restoring it into the agent's workspace would change.
    ///
    /// # Errors
    /// There is none of that name for that agent, or the store cannot be read.
    pub async fn snapshot(&self, agent: &AgentId, snapshot: &str) -> Result<SnapshotAnswer, Error> {
        let (kind, id) = parse_id(snapshot).ok_or_else(|| unknown(snapshot))?;
        let found = self.read(|state| state.snapshots.get(id).cloned()).await?;
        let is_meant = |record: &Record| record.kind == kind && record.agent.key() == agent.key();
        let record = found.filter(is_meant).ok_or_else(|| unknown(snapshot))?;
        let now = self.work_of(agent).await?.and_then(|work| object(&work.tree));
        self.blocking(move |this| {
            let store = this.shared.following.store(&this.options().project).map_err(refused)?;
            let snapshot = show(&store, id, record);
            let tree = snapshot.tree.as_deref().and_then(object);
            let head = snapshot.head.as_deref().and_then(object);
            let mut truncated = false;
            let mut list = |from: ObjectId, to: ObjectId| -> Result<Vec<ChangedPath>, repository::Error> {
                let all = store.diff(from, to, false)?;
                truncated |= all.len() > MAX_PATHS;
                Ok(all.into_iter().take(MAX_PATHS).map(changed).collect())
            };
            let (mut changes, mut since) = (Vec::new(), None);
            if let Some(tree) = tree {
                let empty = ObjectId::empty_tree(tree.kind());
                let from = head.map_or(Ok(empty), |head| store.read_commit(head).map(|(tree, _)| tree));
                // The commit that was checked out may be gone; the work is not.
                changes = from.and_then(|from| list(from, tree)).unwrap_or_default();
                since = now.map(|now| list(now, tree)).transpose().map_err(crate::mail::internal)?;
            }
            Ok(SnapshotAnswer { status: "success".to_owned(), snapshot, changes, since, truncated })
        })
        .await
    }
}

/// A record with what the store knows of it.
fn show(store: &Store, id: u64, record: Record) -> Snapshot {
    let held = store.refs(&record.name).unwrap_or_default();
    let held = held.into_iter().find(|(name, _)| *name == record.name).map(|(_, commit)| commit);
    let commit = record.commit.as_deref().and_then(object).or(held);
    let read = commit.and_then(|commit| store.read_commit(commit).ok());
    let parent = read.as_ref().and_then(|(_, parents)| parents.first()).map(ToString::to_string);
    Snapshot {
        snapshot_id: wire_id(record.kind, id),
        kind: record.kind,
        agent_id: record.agent,
        name: record.name,
        commit: commit.map(|commit| commit.to_string()),
        tree: read.as_ref().map(|(tree, _)| tree.to_string()),
        head: record.head.or(parent),
        paths: record.paths,
        left_out: record.left_out,
        taken_at: Timestamp(record.at),
        reason: record.reason,
        available: held.is_some() && read.is_some(),
    }
}

fn changed(change: repository::Change) -> ChangedPath {
    let kind = match (change.from, change.to) {
        (None, _) => PathChange::Created,
        (_, None) => PathChange::Deleted,
        _ => PathChange::Modified,
    };
    ChangedPath { path: name(&Path::from(Vec::from(change.path))), change: kind }
}
