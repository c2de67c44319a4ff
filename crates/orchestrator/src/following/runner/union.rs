//! The union of everyone's work: joined after what collides in pairs was told, a little at a time.

use super::known::Missing;
use super::{Runner, spent};
use crate::following::reports::{Report, Reports};
use crate::following::source::{Tip, name, tree_mode};
use crate::following::union::{cause, found, gone, subject};
use orchestrator_conflict::{Command, Conflicts};
use orchestrator_predict::{Agent, Break, Path, Touched, Union, Version};
use orchestrator_protocol::{self as protocol, AgentId, UnionBroken, UnionCollision, UnionLeftOut, UnionPath};
use orchestrator_repository::bstr::BString;
use orchestrator_repository::{Delta, Deltas, Entry, Error, ObjectId, Store};
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// Joining pauses after so long for what comes in.
const STEP: Duration = Duration::from_millis(10);

/// The union, and what was told of how it breaks.
#[derive(Default)]
pub(super) struct Whole {
    pub(super) union: Union,
    /// By path, and by whose addition breaks it.
    breaks: Reports<Path, Agent, Break>,
    /// As whose the breaks stand in the log.
    recorded: HashMap<(Path, Agent), Vec<AgentId>>,
    /// What was worked out for the last question; nothing when anything changed since.
    extent: Option<Extent>,
}

/// How much the union is.
#[derive(Clone, Copy)]
struct Extent {
    /// The tip's tree that it was worked out for.
    tip: Option<ObjectId>,
    paths: usize,
    /// Worked out where nothing is missing in it.
    tree: Option<ObjectId>,
}

impl Whole {
    /// Something is other than it was.
    pub(super) fn changed(&mut self) {
        self.extent = None;
    }

    /// When something is to be done for it.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.union.is_due() { Some(Instant::now()) } else { self.breaks.next() }
    }

    /// An agent left: its records end by that.
    pub(super) fn forget(&mut self, agent: &AgentId, number: u64) {
        let recorded = &mut self.recorded;
        let concerns = |path: &Path, by: &Agent| {
            let agents = recorded.get(&(path.clone(), *by));
            *by == number || agents.is_some_and(|agents| agents.contains(agent))
        };
        for gone in self.breaks.forget(concerns) {
            recorded.remove(&gone);
        }
    }
}

impl Runner {
    /// Joins what changed, all of it when `pauses` is false, and tells how it breaks.
    pub(super) async fn join_union(&mut self, pauses: bool) {
        let mut reports = self.whole.breaks.due(Instant::now());
        if let Some(store) = self.store.as_ref().filter(|_| self.whole.union.is_due()) {
            let source = Tip::new(store, &mut self.memory, self.tip.map(|(_, tree)| tree));
            let begun = Instant::now();
            self.whole.changed();
            while let Some(path) = self.whole.union.next_due() {
                match self.whole.union.join(&mut self.star, &path, &source) {
                    Ok(joined) => {
                        let breaks = joined.into_iter().flat_map(|joined| &joined.breaks);
                        let broken: BTreeMap<Agent, Break> =
                            breaks.map(|one| (one.finding.first, one.clone())).collect();
                        reports.extend(self.whole.breaks.at(&path, broken, Instant::now()));
                    }
                    Err(error) => {
                        let reason = format!("the versions of '{}' could not be merged: {error}", name(&path));
                        let cure = "it is tried again every second; what is recorded of it may be old until then";
                        self.orchestrator.shared.degradations.raise("workspace_merge", reason, cure);
                        self.unmerged.insert(path);
                    }
                }
                if pauses && begun.elapsed() > STEP {
                    break;
                }
            }
            spent("union", begun);
        }
        self.tell_breaks(reports).await;
    }

    async fn tell_breaks(&mut self, reports: Vec<Report<Path, Agent, Break>>) {
        let agents = self.agents();
        let Some(store) = self.store.as_ref().filter(|_| !reports.is_empty()) else { return };
        let source = Tip::new(store, &mut self.memory, self.tip.map(|(_, tree)| tree));
        let mut commands = Vec::new();
        for report in reports {
            match report {
                Report::Found(broken) => {
                    let (path, by) = (&broken.finding.path, broken.finding.first);
                    let Some(parties) = parties(&broken, &agents) else { continue };
                    let before = self.whole.recorded.insert((path.clone(), by), parties.clone());
                    // The same break with others is another record.
                    commands.extend(before.filter(|before| *before != parties).map(|before| gone(path, before)));
                    let touched = broken.finding.touched(&source).unwrap_or_else(|error| {
                        tracing::warn!(%error, path = name(path), "what breaks the union cannot be named");
                        Touched::default()
                    });
                    commands.push(found(&broken, parties, &touched));
                }
                Report::Gone(path, by) => {
                    let recorded = self.whole.recorded.remove(&(path.clone(), by));
                    commands.extend(recorded.map(|agents| gone(&path, agents)));
                }
            }
        }
        self.submit(commands).await;
    }

    /// Breaks that an earlier run recorded, and that are not there any more.
    pub(super) async fn withdraw_stale_breaks(&self, missing: &Missing) {
        let open: Vec<(String, Vec<AgentId>, Option<String>)> = {
            let core = self.orchestrator.shared.core.lock();
            let open = core.state.conflict.conflicts().open().filter(|(_, one)| one.union_break.is_some());
            open.map(|(_, one)| (one.path.clone(), one.agents.clone(), one.subject.clone())).collect()
        };
        let is_told = |path: &str, agents: &[AgentId]| {
            self.whole.recorded.iter().any(|((one, _), told)| name(one) == path && told == agents)
        };
        let stale =
            open.into_iter().filter(|(path, agents, _)| !missing.concerns(path, agents) && !is_told(path, agents));
        let gone = stale.map(|(path, agents, subject)| Command::Gone { path, agents, target: None, subject });
        self.submit(gone.collect()).await;
    }

    /// The union as it stands, with at most so many entries in each list.
    pub(super) async fn union_view(&mut self, limit: usize) -> Result<protocol::Union, Error> {
        self.join_union(false).await;
        let agents = self.agents();
        let mut view = protocol::Union {
            target: self.target.clone(),
            tip: self.tip.map(|(commit, _)| commit.to_string()),
            unread: self.unmerged.len(),
            unknown: self.outdated(),
            ..protocol::Union::default()
        };
        let union = &self.whole.union;
        let within: Vec<Agent> = agents.keys().copied().filter(|agent| !union.leaves_out(*agent)).collect();
        view.agents = names(&within, &agents);
        for (path, joined) in union.joined() {
            view.unparsed += usize::from(joined.is_unparsed);
            if joined.agents.len() > 1 {
                let moved_from = (joined.at != *path).then(|| name(path));
                let (file_path, agents) = (name(&joined.at), names(&joined.agents, &agents));
                view.merged.push(UnionPath { file_path, agents, moved_from });
            }
        }
        let breaks: Vec<&Break> = union.joined().flat_map(|(_, joined)| &joined.breaks).collect();
        let is_whole = breaks.is_empty() && self.unmerged.is_empty() && view.unknown.is_empty();
        {
            let core = self.orchestrator.shared.core.lock();
            let conflicts = core.state.conflict.conflicts();
            for broken in &breaks {
                let Some(parties) = parties(broken, &agents) else { continue };
                let path = &broken.finding.path;
                let record = conflicts.between(&name(path), &parties, None, Some(&subject(path)));
                let conflict_id = record.map(|(id, _)| format!("c{id}"));
                let (file_path, cause) = (name(path), cause(broken.cause));
                view.breaks.push(UnionBroken { file_path, agents: parties, cause, conflict_id });
            }
            for (number, with) in union.left_out() {
                let Some(agent_id) = agents.get(&number).cloned() else { continue };
                view.truncated |= with.len() > limit;
                let collision = |(path, with): &(&Path, Option<Agent>)| {
                    let with = with.and_then(|with| agents.get(&with)).cloned();
                    let conflict_id =
                        recorded(conflicts, &name(path), &agent_id, with.as_ref(), self.target.as_deref());
                    UnionCollision { file_path: name(path), with, conflict_id }
                };
                let collisions = with.iter().take(limit).map(collision).collect();
                view.left_out.push(UnionLeftOut { agent_id, collisions });
            }
        }
        view.truncated |= view.merged.len() > limit || view.breaks.len() > limit;
        view.merged.truncate(limit);
        view.breaks.truncate(limit);
        if let Some(extent) = self.extent(is_whole)? {
            view.paths = extent.paths;
            view.tree = extent.tree.filter(|_| is_whole).map(|tree| tree.to_string());
        }
        Ok(view)
    }

    /// How much the union is, with its tree when nothing is missing in it. To work it out takes a look at every path
    /// that anyone changed, so it is remembered until something changes.
    fn extent(&mut self, is_whole: bool) -> Result<Option<Extent>, Error> {
        let Some(store) = &self.store else { return Ok(None) };
        let tip = self.tip.map(|(_, tree)| tree);
        let has_all = |known: &Extent| known.tip == tip && (known.tree.is_some() || !is_whole || tip.is_none());
        if let Some(known) = self.whole.extent.filter(has_all) {
            return Ok(Some(known));
        }
        let source = Tip::new(store, &mut self.memory, tip);
        let changes = self.whole.union.changes(&mut self.star, &source)?;
        let paths = changes.len();
        let tree = tip.filter(|_| is_whole).map(|tip| tree(store, tip, changes)).transpose()?;
        Ok(Some(*self.whole.extent.insert(Extent { tip, paths, tree })))
    }
}

/// The record of a collision of two, or with landed work.
fn recorded(
    conflicts: &Conflicts,
    path: &str,
    agent: &AgentId,
    with: Option<&AgentId>,
    target: Option<&str>,
) -> Option<String> {
    let mut agents: Vec<AgentId> = with.into_iter().chain([agent]).cloned().collect();
    agents.sort_by_key(AgentId::key);
    let target = target.filter(|_| with.is_none());
    conflicts.between(path, &agents, target, None).map(|(id, _)| format!("c{id}"))
}

/// Who does not go together, the one that breaks it first; nothing when one of them has left.
fn parties(broken: &Break, agents: &BTreeMap<Agent, AgentId>) -> Option<Vec<AgentId>> {
    let numbers = std::iter::once(&broken.finding.first).chain(&broken.with);
    numbers.map(|number| agents.get(number).cloned()).collect()
}

fn names(numbers: &[Agent], agents: &BTreeMap<Agent, AgentId>) -> Vec<AgentId> {
    numbers.iter().filter_map(|number| agents.get(number).cloned()).collect()
}

/// The id of the tip's tree with these changes. A content that is too large to be kept is left out, as in snapshots.
fn tree(store: &Store, tip: ObjectId, changes: BTreeMap<Path, Option<Version>>) -> Result<ObjectId, Error> {
    let is_kept = |version: &Version| !version.opaque || store.blob_size(ObjectId::from(version.id)).is_ok();
    let changes = changes.into_iter().filter(|(_, version)| version.as_ref().is_none_or(is_kept));
    let delta = |version: Option<Version>| match version {
        Some(version) => {
            Delta::Entry(Entry { mode: tree_mode(version.mode), oid: ObjectId::from(version.id), opaque: None })
        }
        None => Delta::Deleted,
    };
    let deltas: Deltas = changes.map(|(path, version)| (BString::from(path.to_vec()), delta(version))).collect();
    store.tree_id_with(tip, &deltas)
}
