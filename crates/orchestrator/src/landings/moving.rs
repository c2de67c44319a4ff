//! The branch moves, and the folder that has it checked out follows.

use super::receipt::sealed;
use super::{Dirty, Style, beside};
use crate::mail::internal;
use crate::workspaces::refused;
use crate::{Error, Orchestrator, snapshots};
use orchestrator_landing::Landing;
use orchestrator_protocol::GateVerdict;
use orchestrator_repository::{
    Advanced, InTheWay, Limits, Moved, ObjectId, Project, Store, Workspace,
    bstr::{BString, ByteSlice},
};

/// What a landing is put onto: a branch, or the one beside it that is ahead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Where the target stands.
    pub(super) target: ObjectId,
    /// Where the branch beside it stands, when there is one.
    pub(super) beside: Option<ObjectId>,
    /// The one that is ahead.
    pub(super) tip: ObjectId,
}

/// Why a landing cannot be put onto anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoLine {
    /// The branch is gone.
    Gone,
    /// Both branches have what the other has not.
    Apart,
}

/// Where landings for a branch go on. `ours` is where a landing of ours left the branch beside it; whatever else stands
/// there is somebody else's, and nobody has checked it.
pub(super) fn line(store: &Store, target: &str, ours: Option<ObjectId>) -> Result<Result<Line, NoLine>, Error> {
    let tip = |branch: &str| store.tip(branch).map_err(internal).map(|found| found.map(|(commit, _)| commit));
    let Some(own) = tip(target)? else { return Ok(Err(NoLine::Gone)) };
    let beside = tip(&beside(target))?;
    let Some(other) = beside.filter(|other| *other != own && Some(*other) == ours) else {
        return Ok(Ok(Line { target: own, beside, tip: own }));
    };
    let shared = store.merge_base(own, other).map_err(internal)?;
    Ok(match shared {
        Some(shared) if shared == own => Ok(Line { target: own, beside, tip: other }),
        Some(shared) if shared == other => Ok(Line { target: own, beside, tip: own }),
        _ => Err(NoLine::Apart),
    })
}

/// The commit that lands, in memory.
pub(super) fn commit(
    orchestrator: &Orchestrator,
    store: &Store,
    landing: &Landing,
    tip: ObjectId,
    tree: ObjectId,
) -> Result<ObjectId, Error> {
    // The same however often it is made.
    let author = snapshots::keep::author(&landing.agent, landing.asked_at);
    let mut parents = vec![tip];
    if orchestrator.options().landing.style == Style::Merge {
        parents.extend(own_commit(store, landing, tip)?);
    }
    let message = sealed(orchestrator, landing, tree, &parents);
    store.commit(tree, &parents, &author, &message).map_err(internal)
}

/// The newest commit that the agent made itself and that the branch does not have.
fn own_commit(store: &Store, landing: &Landing, tip: ObjectId) -> Result<Option<ObjectId>, Error> {
    let Some(work) = snapshots::object(&landing.work) else { return Ok(None) };
    // A snapshot stands on what was checked out; a branch or commit is the agent's own.
    let candidates = match store.is_published(work).map_err(internal)? {
        true => vec![work],
        false => store.read_commit(work).map_err(internal)?.1,
    };
    for commit in candidates {
        let is_new = store.merge_base(commit, tip).map_err(internal)? != Some(commit);
        if is_new && store.is_published(commit).map_err(internal)? {
            return Ok(Some(commit));
        }
    }
    Ok(None)
}

/// What the commit says but for its receipt.
pub(super) fn message(landing: &Landing) -> String {
    let passed = landing.gates.iter().filter(|run| run.verdict == GateVerdict::Passed);
    let gates: Vec<&str> = passed.map(|run| run.name.as_str()).collect();
    let gates = if gates.is_empty() { "none".to_owned() } else { gates.join(", ") };
    // Of a batch only the last commit's tree was gated.
    let batch = landing.batch.as_ref().map(|batch| {
        let members: Vec<String> = batch.members.iter().map(|id| format!("merge-{id}")).collect();
        format!("Orchestrator-Batch: {}\nOrchestrator-Gated-Tree: {}\n", members.join(", "), batch.tree)
    });
    format!(
        "{}\n\nOrchestrator-Agent: {}\nOrchestrator-Merge: merge-{}\nOrchestrator-Gates: {gates}\n{}",
        landing.message,
        landing.agent,
        landing.id,
        batch.unwrap_or_default()
    )
}

/// What a branch is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) branch: String,
    pub(super) from: Option<ObjectId>,
    pub(super) to: ObjectId,
    pub(super) message: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Done { kept: Vec<BString> },
    Blocked(Vec<InTheWay>),
    NotMoved(Moved),
}

/// Moves a branch with the folder that has it checked out. What an earlier try was cut off at is done: a branch that holds
/// the commit has moved, whatever came of it since, and then nothing is in the folder's way any more.
pub(super) fn carry_out(orchestrator: &Orchestrator, store: &Store, step: &Move) -> Result<Outcome, Error> {
    let project = &orchestrator.options().project;
    let stands = store.tip(&step.branch).map_err(internal)?.map(|(commit, _)| commit);
    let has_moved = match stands.filter(|stands| Some(*stands) != step.from) {
        Some(stands) => store.merge_base(stands, step.to).map_err(internal)? == Some(step.to),
        None => false,
    };
    if has_moved && stands != Some(step.to) {
        // Somebody committed upon it, which the folder's lock allows only when the folder has followed.
        return Ok(Outcome::Done { kept: Vec::new() });
    }
    if !store.is_published(step.to).map_err(internal)? {
        // Collected since, which only a pin that somebody removed allows.
        return Ok(Outcome::NotMoved(Moved::Elsewhere(stands)));
    }
    let go = || project.move_branch(&step.branch, step.from, step.to, &step.message);
    let Some(mut workspace) = checked_out(orchestrator, store, &step.branch)? else {
        return Ok(match go().map_err(internal)? {
            Moved::Done => Outcome::Done { kept: Vec::new() },
            other => Outcome::NotMoved(other),
        });
    };
    let root = workspace.root().to_owned();
    // Under the index's lock nobody checks out another branch.
    let go = || match Project::discover(&root)?.branch()? {
        Some(branch) if branch == step.branch => go(),
        _ => Ok(Moved::Elsewhere(stands)),
    };
    let (from, to) = trees(store, step)?;
    let advanced = if has_moved { workspace.catch_up(from, to) } else { workspace.advance(from, to, go) };
    Ok(match advanced.map_err(internal)? {
        Advanced::Done { kept } => Outcome::Done { kept },
        Advanced::Blocked(found) if has_moved => return Err(internal(words(&step.branch, &found))),
        Advanced::Blocked(found) => Outcome::Blocked(found),
        Advanced::NotMoved(moved) => Outcome::NotMoved(moved),
    })
}

/// What is in the way of a move at the moment; nothing is touched.
pub(super) fn in_the_way(orchestrator: &Orchestrator, store: &Store, step: &Move) -> Result<Vec<InTheWay>, Error> {
    let Some(mut workspace) = checked_out(orchestrator, store, &step.branch)? else { return Ok(Vec::new()) };
    let (from, to) = trees(store, step)?;
    workspace.in_the_way(from, to).map_err(internal)
}

fn trees(store: &Store, step: &Move) -> Result<(ObjectId, ObjectId), Error> {
    let tree = |commit| store.read_commit(commit).map(|(tree, _)| tree).map_err(internal);
    let to = tree(step.to)?;
    Ok((step.from.map_or(Ok(to), tree)?, to))
}

/// The folder that has a branch checked out.
fn checked_out(orchestrator: &Orchestrator, store: &Store, branch: &str) -> Result<Option<Workspace>, Error> {
    let worktrees = orchestrator.options().project.worktrees().map_err(refused)?;
    let has_it = |one: &&orchestrator_repository::Worktree| !one.missing && one.branch.as_deref() == Some(branch);
    let Some(found) = worktrees.iter().find(has_it) else { return Ok(None) };
    Workspace::open(store, &found.path, Limits::default()).map(Some).map_err(refused)
}

/// Which branch moves: the target, or the one beside it when the target's folder is in the way. An error text: it waits.
pub(super) fn choose(
    orchestrator: &Orchestrator,
    store: &Store,
    landing: &Landing,
    line: Line,
    to: ObjectId,
) -> Result<Result<Move, String>, Error> {
    let message = format!("landing: merge-{} of {}", landing.id, landing.agent);
    let step = Move { branch: landing.target.clone(), from: Some(line.target), to, message };
    let found = in_the_way(orchestrator, store, &step)?;
    if found.is_empty() {
        return Ok(Ok(step));
    }
    let why = words(&landing.target, &found);
    if orchestrator.options().landing.dirty == Dirty::Wait {
        return Ok(Err(why));
    }
    let beside = beside(&landing.target);
    if line.beside.is_some_and(|stands| stands != line.tip && stands != line.target) {
        return Ok(Err(format!("{why}; and {beside} is somebody else's: remove or rename it")));
    }
    let step = Move { branch: beside, from: line.beside, ..step };
    let found = in_the_way(orchestrator, store, &step)?;
    Ok(if found.is_empty() { Ok(step) } else { Err(words(&step.branch, &found)) })
}

/// What is in the way, for people.
pub(super) fn words(target: &str, found: &[InTheWay]) -> String {
    const MOST: usize = 5;
    let one = |one: &InTheWay| match one.path.is_empty() {
        true => one.detail.to_owned(),
        false => format!("{}: {}", one.path.to_str_lossy(), one.detail),
    };
    let mut parts: Vec<String> = found.iter().take(MOST).map(one).collect();
    if found.len() > MOST {
        parts.push(format!("and {} more", found.len() - MOST));
    }
    format!("the folder that has {target} checked out is in the way: {}", parts.join("; "))
}
