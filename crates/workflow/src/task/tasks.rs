//! The state and its rules.

use super::{
    Cause, Claim, Command, Error, Event, Fallen, Finished, MAX_DEADLINE, MOST_DEPENDENCIES, Progress, Request,
};
use super::{Task, name};
use orchestrator_protocol::{AgentId, TaskState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Tasks that may be open or claimed at once.
pub const MOST_OPEN: usize = 20_000;
/// Ended tasks that are remembered.
pub const MOST_ENDED: usize = 10_000;

/// All tasks, by the number of the event that made each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tasks {
    tasks: BTreeMap<u64, Task>,
    /// Those that are over, in the order in which they ended.
    ended: VecDeque<u64>,
    /// Agents that hold tasks, by key.
    holders: BTreeMap<String, Holder>,
    /// Idempotency keys of the tasks that are remembered, each within its asker.
    keys: BTreeMap<String, u64>,
}

/// An agent that holds tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    agent: AgentId,
    tasks: BTreeSet<u64>,
    /// The number of the event with which it fell silent; nothing while it is heard of.
    silent: Option<u64>,
}

impl Tasks {
    /// One of them.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Task> {
        self.tasks.get(&id)
    }

    /// All, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Task> {
        self.tasks.values()
    }

    /// The task that this asker asked for with this key.
    #[must_use]
    pub fn asked_with(&self, by: &str, key: &str) -> Option<u64> {
        self.keys.get(&scope(by, key)).copied()
    }

    /// The deadlines that run: tasks with their terms in seconds.
    pub fn deadlines(&self) -> impl Iterator<Item = (u64, u64)> {
        let open = self.all().filter(|task| !task.state.is_over());
        open.filter_map(|task| Some((task.id, task.request.deadline_seconds?)))
    }

    /// Holders that are silent, each with the number of the event with which that began.
    pub fn silent_holders(&self) -> impl Iterator<Item = (&AgentId, u64)> {
        self.holders.values().filter_map(|holder| Some((&holder.agent, holder.silent?)))
    }

    /// Which events follow from a command. `at` is the wall clock's label for them, in milliseconds.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        let event = match command {
            Command::Create(request) => return self.decide_create(request, at),
            Command::Assign { id, agent } => {
                let task = self.open(*id)?;
                if let Some(claim) = &task.claim {
                    return Err(claimed(*id, claim));
                }
                if agent.is_none() && task.assigned_to.is_none() {
                    return Ok(Vec::new());
                }
                Event::Assigned { id: *id, agent: agent.clone(), at }
            }
            Command::Claim { id, agent, capabilities } => return self.decide_claim(*id, agent, capabilities, at),
            Command::Report { id, token, agent, percent, note } => {
                let claim = self.held(*id, *token, agent.as_ref())?;
                if let Some(percent) = percent.filter(|percent| *percent > 100) {
                    return Err(Error::Percent(percent));
                }
                let (agent, percent, note) = (claim.agent.clone(), *percent, note.clone());
                Event::Progressed { id: *id, agent, token: *token, percent, note, at }
            }
            Command::Finish { id, token, agent, failed, digest } => {
                let state = if *failed { TaskState::Failed } else { TaskState::Done };
                let known = self.known(*id)?;
                let same = |done: &Finished| done.token == *token && done.digest == *digest && known.state == state;
                if known.finished.as_ref().is_some_and(same) {
                    return Ok(Vec::new());
                }
                let agent = self.held(*id, *token, agent.as_ref())?.agent.clone();
                Event::Finished { id: *id, agent, token: *token, state, digest: digest.clone(), at }
            }
            Command::Release { id, token, agent, operator, reason } => {
                return self.decide_release(*id, *token, agent.as_ref(), (*operator, reason.as_ref()), at);
            }
            Command::Cancel { id, reason } => {
                if self.known(*id)?.state == TaskState::Cancelled {
                    return Ok(Vec::new());
                }
                self.open(*id)?;
                Event::Cancelled { id: *id, reason: reason.clone(), at }
            }
            Command::Expire { id } => {
                let due = |task: &&Task| !task.state.is_over() && task.request.deadline_seconds.is_some();
                return Ok(self.get(*id).filter(due).map(|_| Event::Expired { id: *id, at }).into_iter().collect());
            }
            Command::HolderGone { agent, since } => {
                let holder = self.holders.get(&agent.key()).filter(|holder| holder.silent == Some(*since));
                return Ok(self.all_given_back(holder, Cause::Offline, at));
            }
            Command::HolderLeft { agent } => {
                let mut events = self.all_given_back(self.holders.get(&agent.key()), Cause::Unregistered, at);
                let key = agent.key();
                let named = |task: &&Task| {
                    let is_named = task.assigned_to.as_ref().is_some_and(|named| named.key() == key);
                    is_named && task.state == TaskState::Open
                };
                events.extend(self.all().filter(named).map(|task| Event::Assigned { id: task.id, agent: None, at }));
                return Ok(events);
            }
        };
        Ok(vec![event])
    }

    fn decide_create(&self, request: &Request, at: i64) -> Result<Vec<Event>, Error> {
        if let Some(key) = &request.key
            && let Some(known) = self.asked_with(&request.created_by, key).and_then(|id| self.get(id))
        {
            let same = known.request.digest == request.digest;
            return if same { Ok(Vec::new()) } else { Err(Error::KeyReused(key.clone())) };
        }
        if let Some(seconds) = request.deadline_seconds.filter(|seconds| !(1..=MAX_DEADLINE).contains(seconds)) {
            return Err(Error::Deadline(seconds));
        }
        if request.depends_on.len() > MOST_DEPENDENCIES {
            return Err(Error::Dependencies(request.depends_on.len()));
        }
        // A task can only name older ones, and never learns of others, so there is no way round in a circle.
        for id in &request.depends_on {
            self.known(*id)?;
        }
        if self.tasks.len() - self.ended.len() >= MOST_OPEN {
            return Err(Error::Full(MOST_OPEN));
        }
        Ok(vec![Event::Created { request: request.clone().into(), at }])
    }

    fn decide_claim(&self, id: u64, agent: &AgentId, capabilities: &[String], at: i64) -> Result<Vec<Event>, Error> {
        let task = self.open(id)?;
        match (&task.claim, &task.assigned_to) {
            (Some(claim), _) if claim.agent.key() == agent.key() => return Ok(Vec::new()),
            (Some(claim), _) => return Err(claimed(id, claim)),
            (None, Some(named)) if named.key() != agent.key() => {
                return Err(Error::Assigned { task: name(id), to: named.clone() });
            }
            // Whoever named the agent has decided that it can.
            (None, Some(_)) => {}
            (None, None) => {
                if let Some(capability) = task.lacking(capabilities).next() {
                    let (task, capability) = (name(id), capability.clone());
                    return Err(Error::Incapable { task, capability, agent: agent.clone() });
                }
            }
        }
        Ok(vec![Event::Claimed { id, agent: agent.clone(), at }])
    }

    fn decide_release(
        &self,
        id: u64,
        token: Option<u64>,
        agent: Option<&AgentId>,
        (operator, reason): (bool, Option<&String>),
        at: i64,
    ) -> Result<Vec<Event>, Error> {
        let task = self.open(id)?;
        let (claim, cause) = match token {
            Some(token) => {
                let is_repeated = |fallen: &Fallen| fallen.token == token && fallen.cause == Cause::Released;
                if task.claim.is_none() && task.fallen.as_ref().is_some_and(is_repeated) {
                    return Ok(Vec::new());
                }
                (self.held(id, token, agent)?, Cause::Released)
            }
            None if operator => match &task.claim {
                Some(claim) => (claim, Cause::Taken),
                None => return Ok(Vec::new()),
            },
            None => return Err(Error::OperatorOnly(name(id))),
        };
        Ok(vec![given_back(id, claim, cause, reason.cloned(), at)])
    }

    fn all_given_back(&self, holder: Option<&Holder>, cause: Cause, at: i64) -> Vec<Event> {
        let held = holder.into_iter().flat_map(|holder| &holder.tasks).filter_map(|id| self.get(*id));
        held.filter_map(|task| Some(given_back(task.id, task.claim.as_ref()?, cause, None, at))).collect()
    }

    fn known(&self, id: u64) -> Result<&Task, Error> {
        self.get(id).ok_or_else(|| Error::Unknown(name(id)))
    }

    fn open(&self, id: u64) -> Result<&Task, Error> {
        let task = self.known(id)?;
        match task.state.is_over() {
            false => Ok(task),
            true => Err(Error::Over {
                task: name(id),
                state: task.state.as_str(),
                by: task.finished.as_ref().map(|finished| finished.agent.clone()),
            }),
        }
    }

    /// The claim that a token holds.
    fn held(&self, id: u64, token: u64, agent: Option<&AgentId>) -> Result<&Claim, Error> {
        let task = self.open(id)?;
        let holds = |claim: &&Claim| claim.token == token && agent.is_none_or(|agent| agent.key() == claim.agent.key());
        task.claim.as_ref().filter(holds).ok_or_else(|| Error::Stale {
            task: name(id),
            given: token,
            fallen: task.fallen.clone(),
            held_by: task.claim.as_ref().map(|claim| claim.agent.clone()),
            since: task.claim.as_ref().map(|claim| claim.at),
        })
    }

    /// An agent fell silent, or said that it is offline. `seq` is that event's number.
    pub fn silent(&mut self, agent: &AgentId, seq: u64) {
        if let Some(holder) = self.holders.get_mut(&agent.key()) {
            holder.silent = Some(seq);
        }
    }

    /// An agent was heard of.
    pub fn heard(&mut self, agent: &AgentId) {
        if let Some(holder) = self.holders.get_mut(&agent.key()) {
            holder.silent = None;
        }
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        if let Event::Created { request, at } = event {
            if let Some(key) = &request.key {
                self.keys.insert(scope(&request.created_by, key), seq);
            }
            self.tasks.insert(seq, Task::new(seq, Request::clone(request), *at));
        }
        let Some(task) = event.task().and_then(|id| self.tasks.get_mut(&id)) else { return };
        task.step(seq, matches!(event, Event::Progressed { .. }));
        task.changed_at = event.at();
        let held = task.claim.as_ref().map(|claim| claim.agent.key());
        match event {
            Event::Created { .. } => {}
            Event::Assigned { agent, .. } => task.assigned_to.clone_from(agent),
            Event::Claimed { agent, at, .. } => {
                (task.state, task.reason, task.progress) = (TaskState::Claimed, None, None);
                task.claims += 1;
                task.claim = Some(Claim { agent: agent.clone(), token: seq, at: *at });
            }
            Event::Progressed { percent, note, at, .. } => {
                task.progress = Some(Progress { percent: *percent, note: note.clone(), at: *at });
            }
            Event::Finished { agent, token, state, digest, .. } => {
                (task.state, task.claim) = (*state, None);
                let (agent, digest) = (agent.clone(), digest.clone());
                task.finished = Some(Finished { agent, token: *token, digest, seq });
            }
            Event::GivenBack { agent, token, cause, reason, .. } => {
                (task.state, task.claim, task.assigned_to) = (TaskState::Open, None, None);
                task.reason = Some(reason.clone().unwrap_or_else(|| cause.text().to_owned()));
                task.fallen = Some(Fallen { agent: agent.clone(), token: *token, cause: *cause });
            }
            Event::Cancelled { reason, .. } => {
                (task.state, task.claim, task.reason) = (TaskState::Cancelled, None, reason.clone());
            }
            Event::Expired { .. } => {
                (task.state, task.claim) = (TaskState::Expired, None);
                task.reason = Some("its deadline passed".to_owned());
            }
        }
        let (id, holds, is_over) =
            (task.id, task.claim.as_ref().map(|claim| claim.agent.clone()), task.state.is_over());
        self.hold(id, held, holds);
        if is_over {
            self.end(id);
        }
    }

    /// Keeps the holders in step with a task's claim.
    fn hold(&mut self, id: u64, before: Option<String>, after: Option<AgentId>) {
        if before == after.as_ref().map(AgentId::key) {
            return;
        }
        if let Some(key) = before
            && let Some(holder) = self.holders.get_mut(&key)
        {
            holder.tasks.remove(&id);
            if holder.tasks.is_empty() {
                self.holders.remove(&key);
            }
        }
        if let Some(agent) = after {
            let new = || Holder { agent: agent.clone(), tasks: BTreeSet::new(), silent: None };
            let holder = self.holders.entry(agent.key()).or_insert_with(new);
            holder.tasks.insert(id);
            // Who takes something is there.
            holder.silent = None;
        }
    }

    fn end(&mut self, id: u64) {
        self.ended.push_back(id);
        if self.ended.len() > MOST_ENDED
            && let Some(task) = self.ended.pop_front().and_then(|oldest| self.tasks.remove(&oldest))
            && let Some(key) = &task.request.key
        {
            self.keys.remove(&scope(&task.request.created_by, key));
        }
    }
}

fn claimed(id: u64, claim: &Claim) -> Error {
    Error::Claimed { task: name(id), held_by: claim.agent.clone(), since: claim.at }
}

fn given_back(id: u64, claim: &Claim, cause: Cause, reason: Option<String>, at: i64) -> Event {
    Event::GivenBack { id, agent: claim.agent.clone(), token: claim.token, cause, reason, at }
}

fn scope(by: &str, key: &str) -> String {
    format!("{}\n{key}", by.to_ascii_lowercase())
}
