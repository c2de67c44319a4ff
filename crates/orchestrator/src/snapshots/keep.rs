//! Making an agent's work durable. Blocks: for the disk, and for others who write into the store.

use super::ledger::{Command, Record};
use super::{object, wire_id};
use crate::{Actor, Error, Orchestrator, Reply};
use orchestrator_protocol::{AgentId, SnapshotKind};
use orchestrator_repository::{self as repository, Author, Notice, ObjectId, Snapshot, Store};
use std::time::Duration;

/// A snapshot that is durable and recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its id on the wire.
    pub snapshot_id: String,
    /// The commit, in hex.
    pub commit: String,
}

/// An agent's work that is to be kept. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) agent: AgentId,
    pub(crate) number: u64,
    pub(crate) snapshot: Snapshot,
    pub(crate) reason: Reason,
}

/// What a snapshot is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Quiet,
    Asked,
    Left,
    Shutdown,
}

impl Reason {
    fn word(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Asked => "asked",
            Self::Left => "left",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What there is to record.
enum Made {
    /// It was kept before.
    Before(u64, Record),
    /// It is durable now.
    Now(Record),
    /// There is no work beside what is committed.
    Nothing,
}

/// Keeps works, in one pack where that is possible; of each what came of it, nothing where there was nothing to
/// keep. Records are tried again while the log is halted, unless this is the end.
pub(crate) async fn keep(
    orchestrator: &Orchestrator,
    store: &Store,
    tip: Option<ObjectId>,
    works: Vec<Work>,
) -> Vec<Result<Option<Kept>, Error>> {
    let is_end = works.iter().any(|work| work.reason == Reason::Shutdown);
    let (this, store) = (orchestrator.clone(), store.clone());
    let count = works.len();
    let made = tokio::task::spawn_blocking(move || make(&this, &store, tip, &works)).await;
    let made = made.unwrap_or_else(|error| (0..count).map(|_| Err(crate::mail::internal(&error))).collect());
    let mut kept = Vec::with_capacity(made.len());
    for made in made {
        kept.push(match made {
            Ok(Made::Nothing) => Ok(None),
            Ok(Made::Before(id, record)) => Ok(told(id, &record)),
            Ok(Made::Now(record)) => record_one(orchestrator, record.clone(), is_end).await.map(|id| told(id, &record)),
            Err(error) => Err(error),
        });
    }
    kept
}

fn told(id: u64, record: &Record) -> Option<Kept> {
    Some(Kept { snapshot_id: wire_id(record.kind, id), commit: record.commit.clone()? })
}

/// Records a snapshot; answers with its number.
pub(crate) async fn record_one(orchestrator: &Orchestrator, record: Record, is_end: bool) -> Result<u64, Error> {
    loop {
        match orchestrator
            .submit(Actor::System, crate::Command::Snapshots(Command::Keep(Box::new(record.clone()))))
            .await
        {
            Ok(Reply::Snapshot(id)) => return Ok(id),
            Ok(_) => return Ok(0),
            // Its ref stays and is recorded at the next start.
            Err(error) if is_end || error == Error::ShuttingDown => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "a snapshot is durable and could not be recorded; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn make(orchestrator: &Orchestrator, store: &Store, tip: Option<ObjectId>, works: &[Work]) -> Vec<Result<Made, Error>> {
    let mut made: Vec<Result<Made, Error>> = works
        .iter()
        .map(|work| prepare(orchestrator, store, tip, work).map_err(|error| failed(&work.agent, &error)))
        .collect();
    let commit = |made: &Result<Made, Error>| match made {
        Ok(Made::Now(record)) => Some((record.name.clone(), object(record.commit.as_deref()?)?)),
        _ => None,
    };
    let commits: Vec<(String, ObjectId)> = made.iter().filter_map(commit).collect();
    if commits.is_empty() || store.keep(&commits).is_ok() {
        return made;
    }
    // One that cannot be kept does not keep the others from it.
    for (work, made) in works.iter().zip(&mut made) {
        if let Some(one) = commit(made)
            && let Err(error) = store.keep(&[one])
        {
            *made = Err(failed(&work.agent, &error));
        }
    }
    made
}

fn failed(agent: &AgentId, error: &repository::Error) -> Error {
    Error::Internal(format!("the work of {agent} could not be kept: {error}"))
}

/// The commit in memory, with the record that it will have.
fn prepare(
    orchestrator: &Orchestrator,
    store: &Store,
    tip: Option<ObjectId>,
    work: &Work,
) -> Result<Made, repository::Error> {
    let snapshot = &work.snapshot;
    let head = snapshot.head.map(|head| head.to_string());
    let tree = snapshot.tree()?;
    // What a backup holds is kept again while the agent works on, for a backup goes earlier than the newest work.
    let fits = |record: &Record| record.kind == SnapshotKind::Work || work.reason == Reason::Left;
    let newest = {
        let core = orchestrator.shared.core.lock();
        core.state.snapshots.newest(work.number, fits).map(|(id, record)| (id, record.clone()))
    };
    if let Some((id, record)) = newest
        && (record.head == head || record.head.is_none())
        && tree_of(store, &record).is_some_and(|known| known == tree)
    {
        return Ok(Made::Before(id, record));
    }
    if snapshot.delta.is_empty() && work.reason != Reason::Asked {
        return Ok(Made::Nothing);
    }
    let base = store.pin_base(snapshot.head, tip, |base| pin(&base.to_string()))?;
    let now = crate::engine::now().0;
    let name = format!("refs/work/{}-{}", work.number, orchestrator.free_stamp(store, work.number)?);
    let author = author(&work.agent, now);
    let mut message = format!("Work of {}\n", work.agent);
    if let Some(head) = head.as_ref().filter(|head| base.map(|base| base.to_string()).as_ref() != Some(*head)) {
        message.push_str(&format!("\nChecked out: {head}\n"));
    }
    let commit = store.commit(tree, base.as_slice(), &author, &message)?;
    let is_large = |notice: &&Notice| matches!(notice, Notice::TooLarge { .. });
    Ok(Made::Now(Record {
        kind: SnapshotKind::Work,
        agent: work.agent.clone(),
        number: work.number,
        name,
        commit: Some(commit.to_string()),
        head,
        base: base.map(|base| base.to_string()),
        paths: Some(snapshot.delta.len()),
        left_out: snapshot.notices.values().filter(is_large).count(),
        reason: work.reason.word().to_owned(),
        at: now,
    }))
}

fn tree_of(store: &Store, record: &Record) -> Option<ObjectId> {
    let commit = match &record.commit {
        Some(commit) => object(commit)?,
        None => store.refs(&record.name).ok()?.first()?.1,
    };
    store.read_commit(commit).ok().map(|(tree, _)| tree)
}

pub(crate) fn author(agent: &AgentId, now: i64) -> Author {
    Author { name: agent.to_string(), email: format!("{agent}@localhost"), seconds: now / 1_000 }
}

/// The name of the pin that holds a commit for the snapshots that stand on it.
pub(crate) fn pin(base: &str) -> String {
    format!("kept-{base}")
}
