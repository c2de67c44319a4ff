//! One result into one folder: merged with what stands there, after a backup, or not at all.

use super::object;
use super::pull::left;
use crate::following::lines;
use crate::mail::internal;
use crate::snapshots::{backup, keep::author};
use crate::workspaces::refused;
use crate::{Error, Orchestrator};
use orchestrator_conflict::{Applied, Version};
use orchestrator_merge::{Options, Outcome, merge};
use orchestrator_protocol::{AgentId, Backup, ConflictRegion, FileMode, PullState, Pulled};
use orchestrator_repository::bstr::{BString, ByteSlice};
use orchestrator_repository::{self as repository, Delta, Deltas, Entry, Limits, Mode, ObjectId};
use orchestrator_repository::{Restore, Store, Workspace};

/// One result to take.
#[derive(Debug, Clone)]
pub(super) struct Taking {
    /// The conflict.
    pub(super) id: u64,
    /// Its file.
    pub(super) path: String,
    /// Which side the agent is, and the result; nothing when there is none any more.
    pub(super) applied: Option<(usize, Box<Applied>)>,
}

/// Who takes, and where.
pub(super) struct Taker<'a> {
    pub(super) orchestrator: &'a Orchestrator,
    pub(super) agent: AgentId,
    pub(super) number: u64,
    pub(super) folder: String,
    /// Paths that are being written at the moment.
    pub(super) open: Vec<String>,
    pub(super) dry_run: bool,
    /// Newest commit of the target branch.
    pub(super) tip: Option<ObjectId>,
}

/// A mode with a blob.
type Stage = (Mode, ObjectId);

/// What is to stand in the folder.
enum Plan {
    /// These paths as given; nothing deletes.
    Write(Vec<(String, Option<Stage>)>),
    /// What stands there already.
    Nothing,
    /// It does not go together with what stands there.
    Left(String, Vec<ConflictRegion>),
}

impl Taker<'_> {
    /// Takes one after the other. Blocks.
    pub(super) fn take_all(&self, store: &Store, all: Vec<Taking>) -> Result<Vec<(u64, Pulled)>, Error> {
        let mut workspace = Workspace::open(store, self.folder.as_ref(), Limits::default()).map_err(refused)?;
        let mut taken = Vec::with_capacity(all.len());
        for taking in all {
            taken.push((taking.id, self.take(store, &mut workspace, &taking)?));
        }
        Ok(taken)
    }

    fn take(&self, store: &Store, workspace: &mut Workspace, taking: &Taking) -> Result<Pulled, Error> {
        let Some((side, applied)) = &taking.applied else {
            let reason = "it was only marked as settled, is not kept any longer, or the overlap was found anew since";
            return Ok(left(taking, PullState::Gone, reason));
        };
        if workspace.state() != repository::State::Ready {
            return Ok(left(taking, PullState::Busy, "git is busy in the workspace: finish or abort what it is at"));
        }
        let paths = [applied.sides.get(*side).map(|side| side.path.as_str()), Some(applied.path.as_str())];
        if let Some(open) = paths.into_iter().flatten().find(|path| self.open.iter().any(|open| open == path)) {
            return Ok(left(taking, PullState::Busy, format!("'{open}' is being written at the moment")));
        }
        let seen = workspace.snapshot().tree().map_err(internal)?;
        let writes = match plan(store, workspace, seen, *side, applied)? {
            Plan::Nothing => {
                let unchanged = left(taking, PullState::Unchanged, "");
                return Ok(Pulled { reason: None, ..unchanged });
            }
            Plan::Left(reason, regions) => {
                return Ok(Pulled { regions, ..left(taking, PullState::Conflict, reason) });
            }
            Plan::Write(writes) => writes,
        };
        let pulled = Pulled { reason: None, ..left(taking, PullState::Pulled, "") };
        if self.dry_run {
            return Ok(pulled);
        }
        match self.write(store, workspace, taking.id, seen, writes) {
            Ok(backup) => Ok(Pulled { backup: Some(backup), ..pulled }),
            Err(error) => match error {
                repository::Error::Busy { .. }
                | repository::Error::Unseen { .. }
                | repository::Error::Taken { .. }
                | repository::Error::Unsaved { .. }
                | repository::Error::Io { .. } => Ok(left(taking, PullState::Busy, error.to_string())),
                repository::Error::Name { .. } => Ok(left(taking, PullState::Conflict, error.to_string())),
                error => Err(internal(error)),
            },
        }
    }

    /// Puts the planned versions into the folder. What stands there is in a durable backup before.
    fn write(
        &self,
        store: &Store,
        workspace: &mut Workspace,
        id: u64,
        seen: ObjectId,
        writes: Vec<(String, Option<Stage>)>,
    ) -> Result<Backup, repository::Error> {
        let now = crate::engine::now().0;
        let short = format!("{}-{}", self.number, self.orchestrator.free_stamp(store, self.number)?);
        let author = author(&self.agent, now);
        let paths: Vec<BString> = writes.iter().map(|(path, _)| path.as_str().into()).collect();
        let delta = |stage: Option<Stage>| match stage {
            Some((mode, oid)) => Delta::Entry(Entry { mode, oid, opaque: None }),
            None => Delta::Deleted,
        };
        let deltas: Deltas = writes.into_iter().map(|(path, stage)| (path.into(), delta(stage))).collect();
        let tree = store.tree_with(seen, &deltas)?;
        let commit = store.commit(tree, &[], &author, &format!("Result of conflict c{id}\n"))?;
        let message = format!("Work of {}, kept when it pulled the result of conflict c{id}\n", self.agent);
        let restore = Restore { commit, paths: Some(paths), backup: short.clone(), tip: self.tip, author, message };
        let restored = workspace.restore_onto(seen, &restore)?;
        Ok(backup(store, &short, restored.backup))
    }
}

/// What is to be written so that the folder holds the result and what the agent did since.
fn plan(store: &Store, workspace: &Workspace, seen: ObjectId, side: usize, applied: &Applied) -> Result<Plan, Error> {
    let Some(own) = applied.sides.get(side) else { return Ok(Plan::Left("it is of another form".into(), Vec::new())) };
    let at = |path: &str| store.entry(seen, path.as_bytes().as_bstr()).map_err(internal);
    let is_opaque = |path: &str| {
        let found = workspace.snapshot().delta.get::<[u8]>(path.as_bytes()).copied();
        matches!(found, Some(Delta::Entry(Entry { opaque: Some(_), .. })))
    };
    let (base, result) = (stage(own.own.as_ref())?, stage(applied.result.as_ref())?);
    // Where the agent has the file now: it may have moved it there itself.
    let (mut from, to) = (own.path.as_str(), applied.path.as_str());
    if result.is_some() && at(from)?.is_none() && at(to)?.is_some() {
        from = to;
    }
    let now = at(from)?;
    let left = |reason: &str| Ok(Plan::Left(reason.to_owned(), Vec::new()));
    let Some(result) = result else {
        return match now {
            None => Ok(Plan::Nothing),
            Some(_) if now == base => Ok(Plan::Write(vec![(from.to_owned(), None)])),
            Some(_) => left("the result deletes the file, and it was changed since"),
        };
    };
    if from != to && at(to)?.is_some() {
        return left("another file stands where the result is to stand");
    }
    let merged = match (base, now) {
        _ if now == Some(result) => result,
        _ if now == base => result,
        (Some(_), None) => return left("the file was deleted since"),
        (_, Some(now)) if is_file(now) && is_file(result) && !is_opaque(from) => {
            match merged(store, base, now, result, to)? {
                Ok(merged) => merged,
                Err(plan) => return Ok(plan),
            }
        }
        _ => return left("what stands there was changed since, and is no text that could be merged"),
    };
    let mut writes = Vec::new();
    if from != to {
        writes.push((from.to_owned(), None));
    }
    if from != to || now != Some(merged) {
        writes.push((to.to_owned(), Some(merged)));
    }
    Ok(if writes.is_empty() { Plan::Nothing } else { Plan::Write(writes) })
}

/// What stands there and the result, merged over what the result was made from.
fn merged(
    store: &Store,
    base: Option<Stage>,
    now: Stage,
    result: Stage,
    path: &str,
) -> Result<Result<Stage, Plan>, Error> {
    let mode = match base.map(|(mode, _)| mode) {
        _ if now.0 == result.0 => now.0,
        Some(base) if base == now.0 => result.0,
        Some(base) if base == result.0 => now.0,
        _ => return Ok(Err(Plan::Left("its permissions were changed since".to_owned(), Vec::new()))),
    };
    let read = |(_, oid): Stage| store.blob(oid).map_err(internal);
    let base = base.filter(|base| is_file(*base)).map(read).transpose()?;
    match merge(base.as_deref(), Some(&read(now)?), Some(&read(result)?), path, &Options::default()) {
        Outcome::Clean { content: Some(content), .. } => Ok(Ok((mode, store.write_blob(&content).map_err(internal)?))),
        Outcome::Candidates { conflict, .. } | Outcome::Conflict(conflict) => {
            let regions = conflict.regions().map(orchestrator_predict::Region::from);
            let shown = regions.map(|region| ConflictRegion {
                base: lines(&region.base),
                sides: vec![lines(&region.first), lines(&region.second)],
            });
            Ok(Err(Plan::Left("the same lines were changed since".to_owned(), shown.collect())))
        }
        _ => Ok(Err(Plan::Left("it cannot be merged".to_owned(), Vec::new()))),
    }
}

fn is_file((mode, _): Stage) -> bool {
    matches!(mode, Mode::File | Mode::Executable)
}

fn stage(version: Option<&Version>) -> Result<Option<Stage>, Error> {
    let mode = |mode| match mode {
        FileMode::File => Mode::File,
        FileMode::Executable => Mode::Executable,
        FileMode::Link => Mode::Link,
        FileMode::Submodule => Mode::Submodule,
    };
    version.map(|version| Ok((mode(version.mode), object(&version.id)?))).transpose()
}
