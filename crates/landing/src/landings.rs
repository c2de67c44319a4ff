//! The state and its rules.

use crate::command::intent;
use crate::{Batch, Command, Error, Event, GateRun, Landing, Request};
use orchestrator_protocol::{AgentId, MergeState};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Ended landings that are remembered.
pub const MOST_ENDED: usize = 1_000;
/// Passes of gates that are remembered.
const MOST_PASSES: usize = 1_000;
/// Landings that may be open at once.
pub const MOST_OPEN: usize = 10_000;
/// So many of those that wait are looked at for who goes first.
pub const WINDOW: usize = 64;

/// All landings, by the number of the event that asked for each.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Landings {
    landings: BTreeMap<u64, Landing>,
    /// The newest passes, each with the tree that it was on.
    passed: VecDeque<(String, GateRun)>,
}

impl Landings {
    /// One of them.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Landing> {
        self.landings.get(&id)
    }

    /// All, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Landing> {
        self.landings.values()
    }

    /// A pass of a gate on a tree, whichever landing it was for.
    #[must_use]
    pub fn passed(&self, tree: &str, digest: &str) -> Option<&GateRun> {
        self.passed.iter().find(|(on, run)| on == tree && run.digest == digest).map(|(_, run)| run)
    }

    /// Those that are not over, oldest first.
    pub fn open(&self) -> impl Iterator<Item = &Landing> {
        self.all().filter(|landing| landing.is_open())
    }

    /// Those among which the next to be worked on is chosen ([`order`](crate::order)): the most urgent, then the oldest;
    /// [`WINDOW`] at most.
    #[must_use]
    pub fn window(&self) -> Vec<&Landing> {
        let mut queued: Vec<&Landing> = self.all().filter(|landing| landing.state == MergeState::Queued).collect();
        queued.sort_by_key(|landing| (Reverse(landing.urgency()), landing.id));
        queued.truncate(WINDOW);
        queued
    }

    /// Those that have a part in the same move of a branch, in order; it alone when it was gated alone.
    #[must_use]
    pub fn moved_with(&self, id: u64) -> Vec<u64> {
        let batch = self.get(id).and_then(|landing| landing.batch.as_ref());
        batch.map_or_else(|| vec![id], |batch| batch.members.clone())
    }

    /// Those in work that cannot land as they are when this one does not: its batch, and what was merged onto any of them.
    fn fallen_with(&self, id: u64) -> Vec<u64> {
        let mut fallen: BTreeSet<u64> = self.moved_with(id).into_iter().chain([id]).collect();
        loop {
            let stands = |one: &&Landing| one.is_in_work() && one.after.is_some_and(|after| fallen.contains(&after));
            let more: Vec<u64> = self.all().filter(stands).map(|one| one.id).collect();
            let before = fallen.len();
            fallen.extend(more);
            if fallen.len() == before {
                break;
            }
        }
        let is_in_work = |one: &u64| *one != id && self.get(*one).is_some_and(Landing::is_in_work);
        fallen.into_iter().filter(is_in_work).collect()
    }

    /// The open landing of the same work.
    #[must_use]
    pub fn same(&self, agent: &AgentId, target: &str, commit: &str) -> Option<&Landing> {
        let key = agent.key();
        self.open().find(|one| one.work == commit && one.target == target && one.agent.key() == key)
    }

    /// Which events follow from a command. `at` is the wall clock's label for them, in milliseconds.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        let event = match command {
            Command::Request(request) => return self.decide_request(request, at),
            Command::Cancel { id } => {
                let landing = self.known(*id)?;
                match (landing.state, &landing.intent) {
                    (MergeState::Cancelled, _) => return Ok(Vec::new()),
                    (_, None) if landing.is_open() => {
                        return Ok(self.without(Event::Cancelled { id: *id, at }, *id, at));
                    }
                    _ => return Err(Error::Over { id: name(*id), state: landing.state.as_str() }),
                }
            }
            Command::Begin { id, tip, after } => {
                let target = self.known(*id)?.target.clone();
                let carries = |one: &Landing| one.state == MergeState::Gating && one.target == target;
                let is_free = |after: u64| !self.all().any(|one| one.is_in_work() && one.after == Some(after));
                let stands = after.is_none_or(|after| self.get(after).is_some_and(carries) && is_free(after));
                self.expect(*id, "to begin", |landing| landing.state == MergeState::Queued && stands)?;
                Event::Begun { id: *id, tip: tip.clone(), after: *after, at }
            }
            Command::Merged { id, tree, paths, settled, regions, required } => {
                self.expect(*id, "its merge", |landing| landing.state == MergeState::Merging)?;
                let (tree, settled, required) = (tree.clone(), settled.clone(), required.clone());
                let regions = regions.clone();
                Event::Merged { id: *id, tree, paths: *paths, settled, regions, required, at }
            }
            Command::GateEnded { id, run } => {
                let is_gating = |landing: &Landing| landing.state == MergeState::Gating && landing.intent.is_none();
                self.expect(*id, "a gate", is_gating)?;
                Event::GateEnded { id: *id, run: Box::new(run.clone()), at }
            }
            Command::Intend { .. } => return self.decide_intent(command, at),
            Command::Land { id } => {
                self.expect(*id, "to land", |landing| landing.is_open() && landing.intent.is_some())?;
                return Ok(self.moved_with(*id).into_iter().map(|id| Event::Landed { id, at }).collect());
            }
            Command::Tell { id, agents, paths } => {
                self.expect(*id, "to tell of it", |landing| landing.state == MergeState::Landed)?;
                let (agents, paths) = (agents.clone(), paths.clone());
                if agents.is_empty() {
                    return Ok(Vec::new());
                }
                Event::Told { id: *id, agents, paths, at }
            }
            Command::Retire { refs } => return Ok(self.decide_retirement(refs, at)),
            Command::Requeue { id, reason } => {
                let landing = self.known(*id)?;
                match landing.state {
                    MergeState::Queued => return Ok(Vec::new()),
                    _ if landing.is_open() => {
                        return Ok(self.without(Event::Requeued { id: *id, reason: reason.clone(), at }, *id, at));
                    }
                    state => return Err(Error::Over { id: name(*id), state: state.as_str() }),
                }
            }
            Command::Stop { id, state, reason, open } => {
                self.expect(*id, "to stop", |landing| landing.is_in_work())?;
                let (reason, open) = (reason.clone(), open.clone());
                return Ok(self.without(Event::Stopped { id: *id, state: *state, reason, open, at }, *id, at));
            }
        };
        Ok(vec![event])
    }

    fn decide_request(&self, request: &Request, at: i64) -> Result<Vec<Event>, Error> {
        if self.same(&request.agent, &request.target, &request.commit).is_some() {
            return Ok(Vec::new());
        }
        if self.open().count() >= MOST_OPEN {
            return Err(Error::Full(MOST_OPEN));
        }
        Ok(vec![Event::Requested { request: Box::new(request.clone()), at }])
    }

    /// A landing is out, and what stood on it begins anew.
    fn without(&self, out: Event, id: u64, at: i64) -> Vec<Event> {
        let reason = format!("{}, which it was merged onto or gated with, did not land as it was", name(id));
        let anew = |id| Event::Requeued { id, reason: reason.clone(), at };
        [out].into_iter().chain(self.fallen_with(id).into_iter().map(anew)).collect()
    }

    /// A branch only moves to a tree that the gates passed on, and takes along only what stands beneath it.
    fn decide_intent(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        let Command::Intend { id, with, onto, branch, from, to, tree, backup } = command else { return Ok(Vec::new()) };
        let last = self.known(*id)?;
        let steps: Vec<(u64, &String)> = with.iter().map(|(id, to)| (*id, to)).chain([(*id, to)]).collect();
        let mut below = None;
        for (place, (id, _)) in steps.iter().enumerate() {
            let stands = |one: &Landing| {
                let is_next = if place == 0 { one.after.is_none() } else { one.after == below };
                let is_covered = one.required.iter().all(|digest| last.required.contains(digest));
                let is_merged = one.state == MergeState::Gating && one.intent.is_none() && one.tree.is_some();
                is_next && is_covered && is_merged && one.target == last.target
            };
            self.expect(*id, "to move a branch", stands)?;
            below = Some(*id);
        }
        self.expect(*id, "to move a branch", |one| one.is_proved() && one.tree.as_ref() == Some(tree))?;
        let members = steps.iter().map(|(id, _)| *id).collect();
        let batch = (!with.is_empty()).then(|| Box::new(Batch { members, tree: tree.clone() }));
        let mut stands = (from.clone(), onto.clone());
        let step = |(id, to): (u64, &String)| {
            let (from, onto) = std::mem::replace(&mut stands, (Some(to.clone()), to.clone()));
            let (branch, to, backup, batch) = (branch.clone(), to.clone(), backup.clone(), batch.clone());
            Event::Intended { id, branch, from, to, backup, onto: Some(onto), batch, at }
        };
        Ok(steps.into_iter().map(step).collect())
    }

    fn decide_retirement(&self, refs: &[String], at: i64) -> Vec<Event> {
        let open: Vec<&Landing> = self.open().collect();
        let is_needed = |name: &String| {
            let backup = |one: &&Landing| one.intent.as_ref().is_some_and(|intent| intent.backup == *name);
            open.iter().any(|one| one.kept == *name || backup(one))
        };
        let refs: Vec<String> = refs.iter().filter(|name| !is_needed(name)).cloned().collect();
        if refs.is_empty() { Vec::new() } else { vec![Event::Retired { refs, at }] }
    }

    fn known(&self, id: u64) -> Result<&Landing, Error> {
        self.get(id).ok_or_else(|| Error::Unknown(name(id)))
    }

    fn expect(&self, id: u64, step: &'static str, holds: impl Fn(&Landing) -> bool) -> Result<(), Error> {
        let landing = self.known(id)?;
        match holds(landing) {
            true => Ok(()),
            false => Err(Error::OutOfOrder { id: name(id), state: landing.state.as_str(), step }),
        }
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Requested { request, at } => {
                self.landings.insert(seq, queued(seq, request, *at));
            }
            Event::Begun { id, .. } => {
                let overtaken = |one: &&mut Landing| one.state == MergeState::Queued && one.id < *id;
                self.landings.values_mut().filter(overtaken).for_each(|one| one.passed_over += 1);
            }
            Event::Intended { id, batch: Some(batch), .. } => self.take_gates(*id, batch),
            // The branch is what they were merged onto.
            Event::Landed { id, .. } => {
                let stood = |one: &&mut Landing| one.after == Some(*id);
                self.landings.values_mut().filter(stood).for_each(|one| one.after = None);
            }
            Event::Retired { refs, .. } => self.forget_backups(refs),
            _ => {}
        }
        let Some(landing) = event.landing().and_then(|id| self.landings.get_mut(&id)) else { return };
        match event {
            Event::Requested { .. } | Event::Told { .. } | Event::Retired { .. } => {}
            Event::Cancelled { at, .. } => {
                (landing.state, landing.reason, landing.changed_at) = (MergeState::Cancelled, None, *at);
            }
            Event::Begun { tip, after, at, .. } => {
                landing.after = *after;
                (landing.state, landing.reason, landing.changed_at) = (MergeState::Merging, None, *at);
                landing.tip = Some(tip.clone());
                landing.attempts += 1;
            }
            Event::Merged { tree, paths, settled, regions, required, at, .. } => {
                (landing.state, landing.changed_at) = (MergeState::Gating, *at);
                landing.tree = Some(tree.clone());
                (landing.paths, landing.settled) = (*paths, settled.clone());
                landing.regions.clone_from(regions);
                landing.required.clone_from(required);
            }
            Event::GateEnded { run, at, .. } => {
                landing.changed_at = *at;
                landing.gates.push((**run).clone());
                // One that passed at the second try has to show it again.
                if let Some(tree) = landing.tree.clone().filter(|_| run.is_sure() && !run.cached) {
                    self.passed.push_back((tree, (**run).clone()));
                    self.passed.drain(..self.passed.len().saturating_sub(MOST_PASSES));
                }
            }
            Event::Intended { branch, from, to, backup, onto, at, .. } => {
                landing.changed_at = *at;
                if let Some(onto) = onto {
                    landing.tip = Some(onto.clone());
                }
                landing.intent = Some(intent(seq, branch, from.as_ref(), to, backup));
            }
            Event::Landed { at, .. } => (landing.state, landing.changed_at) = (MergeState::Landed, *at),
            Event::Requeued { reason, at, .. } => {
                landing.begin_anew();
                (landing.state, landing.reason, landing.changed_at) = (MergeState::Queued, Some(reason.clone()), *at);
            }
            Event::Stopped { state, reason, open, at, .. } => {
                (landing.state, landing.reason, landing.changed_at) = (*state, Some(reason.clone()), *at);
                landing.open.clone_from(open);
                // What was meant is taken back.
                (landing.intent, landing.batch, landing.after) = (None, None, None);
            }
        }
        if !landing.is_open() {
            self.forget_the_oldest();
        }
    }

    /// One of a batch has the gates of the last.
    fn take_gates(&mut self, id: u64, batch: &Batch) {
        let last = batch.last().and_then(|last| self.landings.get(&last));
        let gates = last.map(|last| last.gates.clone()).unwrap_or_default();
        if let Some(landing) = self.landings.get_mut(&id) {
            (landing.gates, landing.batch) = (gates, Some(batch.clone()));
        }
    }

    fn forget_backups(&mut self, refs: &[String]) {
        let gone: BTreeSet<&String> = refs.iter().collect();
        for intent in self.landings.values_mut().filter_map(|one| one.intent.as_mut()) {
            if gone.contains(&intent.backup) {
                intent.backup.clear();
            }
        }
    }

    /// Forgets those that ended first. The newest that landed on a branch stays: later ones go on from there.
    fn forget_the_oldest(&mut self) {
        let mut newest: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for landing in self.all().filter(|landing| landing.state == MergeState::Landed) {
            let Some(intent) = &landing.intent else { continue };
            let known = newest.entry(&intent.branch).or_default();
            *known = (*known).max((intent.seq, landing.id));
        }
        let stays: BTreeSet<u64> = newest.into_values().map(|(_, id)| id).collect();
        let ended = self.all().filter(|landing| !landing.is_open() && !stays.contains(&landing.id));
        let mut over: Vec<(i64, u64)> = ended.map(|landing| (landing.changed_at, landing.id)).collect();
        over.sort_unstable();
        for (_, id) in over.iter().take(over.len().saturating_sub(MOST_ENDED)) {
            self.landings.remove(id);
        }
    }
}

impl Landing {
    fn begin_anew(&mut self) {
        (self.tip, self.tree, self.intent) = (None, None, None);
        (self.after, self.batch) = (None, None);
        (self.paths, self.settled, self.required) = (0, Vec::new(), Vec::new());
        self.regions.clear();
        (self.gates, self.open) = (Vec::new(), Vec::new());
    }
}

fn queued(seq: u64, request: &Request, at: i64) -> Landing {
    Landing {
        id: seq,
        agent: request.agent.clone(),
        target: request.target.clone(),
        message: request.message.clone(),
        priority: request.priority,
        work: request.commit.clone(),
        kept: request.kept.clone(),
        state: MergeState::Queued,
        reason: None,
        tip: None,
        tree: None,
        paths: 0,
        settled: Vec::new(),
        regions: Vec::new(),
        required: Vec::new(),
        gates: Vec::new(),
        open: Vec::new(),
        intent: None,
        after: None,
        batch: None,
        passed_over: 0,
        attempts: 0,
        asked_at: at,
        changed_at: at,
    }
}

/// As callers know it.
fn name(id: u64) -> String {
    format!("merge-{id}")
}
