//! The state and its rules.

use crate::command::intent;
use crate::{Command, Error, Event, GateRun, Landing, Request};
use orchestrator_protocol::{AgentId, MergeState};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

/// Ended landings that are remembered.
pub const MOST_ENDED: usize = 1_000;
/// Passes of gates that are remembered.
const MOST_PASSES: usize = 1_000;
/// Landings that may be open at once.
pub const MOST_OPEN: usize = 10_000;

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

    /// Which is the next to be worked on: the highest priority, then the oldest.
    #[must_use]
    pub fn next(&self) -> Option<&Landing> {
        let queued = self.all().filter(|landing| landing.state == MergeState::Queued);
        queued.min_by_key(|landing| (Reverse(landing.priority), landing.id))
    }

    /// The open landing of the same work.
    #[must_use]
    pub fn same(&self, agent: &AgentId, target: &str, commit: &str) -> Option<&Landing> {
        let key = agent.key();
        self.open().find(|one| one.agent.key() == key && one.target == target && one.work == commit)
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
                    (_, None) if landing.is_open() => Event::Cancelled { id: *id, at },
                    _ => return Err(Error::Over { id: name(*id), state: landing.state.as_str() }),
                }
            }
            Command::Begin { id, tip } => {
                self.expect(*id, "to begin", |landing| landing.state == MergeState::Queued)?;
                Event::Begun { id: *id, tip: tip.clone(), at }
            }
            Command::Merged { id, tree, paths, settled, required } => {
                self.expect(*id, "its merge", |landing| landing.state == MergeState::Merging)?;
                let (tree, settled, required) = (tree.clone(), settled.clone(), required.clone());
                Event::Merged { id: *id, tree, paths: *paths, settled, required, at }
            }
            Command::GateEnded { id, run } => {
                let is_gating = |landing: &Landing| landing.state == MergeState::Gating && landing.intent.is_none();
                self.expect(*id, "a gate", is_gating)?;
                Event::GateEnded { id: *id, run: Box::new(run.clone()), at }
            }
            Command::Intend { id, branch, from, to, tree, backup } => {
                let is_due = |landing: &Landing| {
                    landing.is_proved() && landing.intent.is_none() && landing.tree.as_ref() == Some(tree)
                };
                self.expect(*id, "to move a branch", is_due)?;
                let (branch, from, to, backup) = (branch.clone(), from.clone(), to.clone(), backup.clone());
                Event::Intended { id: *id, branch, from, to, backup, at }
            }
            Command::Land { id } => {
                self.expect(*id, "to land", |landing| landing.is_open() && landing.intent.is_some())?;
                Event::Landed { id: *id, at }
            }
            Command::Requeue { id, reason } => {
                let landing = self.known(*id)?;
                match landing.state {
                    MergeState::Queued => return Ok(Vec::new()),
                    _ if landing.is_open() => Event::Requeued { id: *id, reason: reason.clone(), at },
                    state => return Err(Error::Over { id: name(*id), state: state.as_str() }),
                }
            }
            Command::Stop { id, state, reason, open } => {
                self.expect(*id, "to stop", |landing| landing.is_in_work())?;
                Event::Stopped { id: *id, state: *state, reason: reason.clone(), open: open.clone(), at }
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
        if let Event::Requested { request, at } = event {
            self.landings.insert(seq, queued(seq, request, *at));
        }
        let Some(landing) = event.landing().and_then(|id| self.landings.get_mut(&id)) else { return };
        match event {
            Event::Requested { .. } => {}
            Event::Cancelled { at, .. } => {
                (landing.state, landing.reason, landing.changed_at) = (MergeState::Cancelled, None, *at);
            }
            Event::Begun { tip, at, .. } => {
                (landing.state, landing.reason, landing.changed_at) = (MergeState::Merging, None, *at);
                landing.tip = Some(tip.clone());
                landing.attempts += 1;
            }
            Event::Merged { tree, paths, settled, required, at, .. } => {
                (landing.state, landing.changed_at) = (MergeState::Gating, *at);
                landing.tree = Some(tree.clone());
                (landing.paths, landing.settled) = (*paths, settled.clone());
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
            Event::Intended { branch, from, to, backup, at, .. } => {
                landing.changed_at = *at;
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
                landing.intent = None;
            }
        }
        if !landing.is_open() {
            self.forget_the_oldest();
        }
    }

    fn forget_the_oldest(&mut self) {
        let ended = self.all().filter(|landing| !landing.is_open());
        let over: Vec<u64> = ended.map(|landing| landing.id).collect();
        for id in over.iter().take(over.len().saturating_sub(MOST_ENDED)) {
            self.landings.remove(id);
        }
    }
}

impl Landing {
    fn begin_anew(&mut self) {
        (self.tip, self.tree, self.intent) = (None, None, None);
        (self.paths, self.settled, self.required) = (0, Vec::new(), Vec::new());
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
        required: Vec::new(),
        gates: Vec::new(),
        open: Vec::new(),
        intent: None,
        attempts: 0,
        asked_at: at,
        changed_at: at,
    }
}

/// As callers know it.
fn name(id: u64) -> String {
    format!("merge-{id}")
}
