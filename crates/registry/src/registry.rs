//! The state and its rules.

use crate::lease::MAX_LEASES;
use crate::overlap::{matcher, overlap};
use crate::{Agent, Command, Error, Event, Lease, MAX_TTL_SECONDS, Made, Registration};
use orchestrator_protocol::{AgentId, AgentStatus, LeaseMode, Resource, ResourceKind, Workload};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most agents at once.
const MAX_AGENTS: usize = 10_000;

/// All agents and leases.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Registry {
    agents: BTreeMap<String, Agent>,
    former: BTreeMap<String, AgentId>,
    leases: BTreeMap<u64, Lease>,
    /// Workspaces that were made, by the agent's key.
    made: BTreeMap<String, Made>,
}

impl Registry {
    /// The agent of that name, whatever its spelling.
    #[must_use]
    pub fn agent(&self, id: &AgentId) -> Option<&Agent> {
        self.agents.get(&id.key())
    }

    /// The agent of that name, in the spelling first registered, if it was ever registered: its mailbox outlives
    /// its registration.
    #[must_use]
    pub fn ever(&self, id: &AgentId) -> Option<&AgentId> {
        self.agent(id).map(|agent| &agent.id).or_else(|| self.former.get(&id.key()))
    }

    /// All agents, ordered by id without case.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }

    /// All agents with their keys, ordered by key.
    pub fn agents_by_key(&self) -> impl Iterator<Item = (&str, &Agent)> {
        self.agents.iter().map(|(key, agent)| (key.as_str(), agent))
    }

    /// How many agents are registered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// Whether no agent is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// The workspace that was made for an agent, whether or not it is still registered.
    #[must_use]
    pub fn made_for(&self, agent: &AgentId) -> Option<&Made> {
        self.made.get(&agent.key())
    }

    /// All workspaces that were made, ordered by agent.
    pub fn made(&self) -> impl Iterator<Item = &Made> {
        self.made.values()
    }

    /// All leases, oldest first.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values()
    }

    /// A lease by its id.
    #[must_use]
    pub fn lease(&self, id: u64) -> Option<&Lease> {
        self.leases.get(&id)
    }

    /// The agent that holds an exclusive lease on a file.
    #[must_use]
    pub fn holder_of(&self, path: &str) -> Option<&AgentId> {
        self.exclusive().find(|lease| lease.covers(path)).map(|lease| &lease.agent_id)
    }

    /// Leases by which somebody holds something alone, oldest first.
    pub fn exclusive(&self) -> impl Iterator<Item = &Lease> {
        self.leases.values().filter(|lease| lease.mode == LeaseMode::Exclusive)
    }

    /// Leases by which others hold a file, or a part of it, for themselves alone.
    pub fn claims_on<'a>(&'a self, path: &'a str, by: &AgentId) -> impl Iterator<Item = &'a Lease> {
        let key = by.key();
        self.exclusive().filter(move |lease| lease.agent != key && lease.covers(path))
    }

    fn known(&self, id: &AgentId) -> Result<&Agent, Error> {
        self.agent(id).ok_or_else(|| Error::UnknownAgent(id.to_string()))
    }

    /// Which events follow from a command. `at` is the wall clock's label for them, in milliseconds.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        match command {
            Command::Register { agent, registration, only_if_absent } => {
                self.decide_register(agent, registration, *only_if_absent, at)
            }
            Command::UpdateStatus { agent, status, task, workload } => {
                let agent = self.known(agent)?.id.clone();
                Ok(vec![Event::StatusUpdated { agent, status: *status, task: task.clone(), workload: *workload }])
            }
            Command::Unregister { agent } => Ok(self.agent(agent).map_or_else(Vec::new, |agent| {
                let mut events = self.end_leases_of(&agent.id, "unregistered");
                events.push(Event::Unregistered { agent: agent.id.clone() });
                events
            })),
            Command::WentSilent { agent } => Ok(match self.agent(agent) {
                Some(agent) if agent.status != AgentStatus::Offline => {
                    let mut events = vec![Event::WentOffline {
                        agent: agent.id.clone(),
                        task: agent.task.clone(),
                        workload: agent.workload,
                    }];
                    events.extend(self.end_leases_of(&agent.id, "offline"));
                    events
                }
                _ => Vec::new(),
            }),
            Command::CameBack { agent } => Ok(match self.agent(agent) {
                Some(agent) => agent.silenced.map_or_else(Vec::new, |status| {
                    let (task, workload) = (agent.task.clone(), agent.workload);
                    vec![Event::CameBack { agent: agent.id.clone(), status, task, workload }]
                }),
                None => Vec::new(),
            }),
            Command::TakeWorkspace { agent, path, branch } => {
                let agent = self.known(agent)?.id.clone();
                Ok(vec![Event::WorkspaceMade { agent, path: path.clone(), branch: branch.clone(), at }])
            }
            Command::LeaveWorkspace { agent: id, path, backup } => {
                let works_there = self.agent(id).is_some_and(|agent| agent.workspace.as_ref() == Some(path));
                if !works_there && self.made_for(id).is_none_or(|made| made.path != *path) {
                    return Err(Error::UnknownWorkspace(id.to_string()));
                }
                let agent = self.ever(id).unwrap_or(id).clone();
                Ok(vec![Event::WorkspaceRemoved { agent, path: path.clone(), backup: backup.clone(), at }])
            }
            Command::Acquire { agent, resource, mode, ttl_seconds } => {
                self.decide_acquire(agent, resource, *mode, *ttl_seconds, at)
            }
            Command::Renew { lease, token, ttl_seconds } => {
                let lease = self.held(*lease, *token)?;
                let ttl_seconds = valid_term(ttl_seconds.unwrap_or(lease.ttl_seconds))?;
                Ok(vec![Event::LeaseRenewed { lease: lease.id, ttl_seconds, at }])
            }
            Command::Release { lease, token } => Ok(vec![end(self.held(*lease, *token)?, "released")]),
            Command::ExpireLease { lease, token } => Ok(match self.leases.get(lease) {
                Some(lease) if lease.token == *token => vec![end(lease, "expired")],
                _ => Vec::new(),
            }),
        }
    }

    fn decide_register(
        &self,
        id: &AgentId,
        new: &Registration,
        only_if_absent: bool,
        at: i64,
    ) -> Result<Vec<Event>, Error> {
        let old = self.agent(id);
        if old.is_some() && only_if_absent {
            return Ok(Vec::new());
        }
        if old.is_none() && self.agents.len() >= MAX_AGENTS {
            return Err(Error::TooManyAgents(MAX_AGENTS));
        }
        let kept = |new: &Option<String>, old: Option<&Option<String>>| new.clone().or_else(|| old?.clone());
        Ok(vec![Event::Registered {
            agent: self.ever(id).unwrap_or(id).clone(),
            capabilities: new
                .capabilities
                .clone()
                .or_else(|| old.map(|old| old.capabilities.clone()))
                .unwrap_or_default(),
            role: kept(&new.role, old.map(|old| &old.role)),
            workspace: kept(&new.workspace, old.map(|old| &old.workspace)),
            branch: kept(&new.branch, old.map(|old| &old.branch)),
            at,
        }])
    }

    fn decide_acquire(
        &self,
        agent: &AgentId,
        resource: &Resource,
        mode: LeaseMode,
        ttl_seconds: u64,
        at: i64,
    ) -> Result<Vec<Event>, Error> {
        let agent = self.known(agent)?;
        let key = agent.id.key();
        let ttl_seconds = valid_term(ttl_seconds)?;
        if resource.kind == ResourceKind::Glob {
            matcher(&resource.value)?;
        }
        let others = self.leases.values().filter(|lease| lease.agent != key);
        let in_the_way = others
            .filter(|lease| mode == LeaseMode::Exclusive || lease.mode == LeaseMode::Exclusive)
            .find(|lease| overlap(&lease.resource, resource));
        if let Some(lease) = in_the_way {
            return Err(Error::Held { lease: lease.id, held_by: lease.agent_id.clone(), since: lease.granted_at });
        }
        let mut own = self.leases.values().filter(|lease| lease.agent == key);
        if let Some(lease) = own.clone().find(|lease| lease.resource == *resource && lease.mode == mode) {
            return Ok(vec![Event::LeaseRenewed { lease: lease.id, ttl_seconds, at }]);
        }
        if own.by_ref().count() >= MAX_LEASES {
            return Err(Error::TooManyLeases(MAX_LEASES));
        }
        Ok(vec![Event::LeaseGranted { agent: agent.id.clone(), resource: resource.clone(), mode, ttl_seconds, at }])
    }

    fn held(&self, lease: u64, token: u64) -> Result<&Lease, Error> {
        let lease = self.leases.get(&lease).ok_or(Error::UnknownLease(lease))?;
        if lease.token == token { Ok(lease) } else { Err(Error::StaleToken { given: token, newest: lease.token }) }
    }

    fn end_leases_of(&self, agent: &AgentId, reason: &str) -> Vec<Event> {
        let key = agent.key();
        self.leases.values().filter(|lease| lease.agent == key).map(|lease| end(lease, reason)).collect()
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Registered { agent, capabilities, role, workspace, branch, at } => {
                let entry = self.agents.entry(agent.key()).or_insert_with(|| Agent {
                    number: seq,
                    id: agent.clone(),
                    capabilities: Vec::new(),
                    role: None,
                    workspace: None,
                    branch: None,
                    status: AgentStatus::Active,
                    silenced: None,
                    task: None,
                    workload: Workload::default(),
                    registered_at: *at,
                });
                if let Some(status) = entry.silenced.take() {
                    entry.status = status;
                }
                entry.capabilities.clone_from(capabilities);
                entry.role.clone_from(role);
                entry.workspace.clone_from(workspace);
                entry.branch.clone_from(branch);
            }
            Event::StatusUpdated { agent, status, task, workload } => {
                if let Some(agent) = self.agents.get_mut(&agent.key()) {
                    agent.status = *status;
                    agent.silenced = None;
                    agent.task.clone_from(task);
                    agent.workload = *workload;
                }
            }
            Event::WentOffline { agent, .. } => {
                if let Some(agent) = self.agents.get_mut(&agent.key()) {
                    agent.silenced = Some(agent.status);
                    agent.status = AgentStatus::Offline;
                }
            }
            Event::CameBack { agent, status, .. } => {
                if let Some(agent) = self.agents.get_mut(&agent.key()) {
                    agent.silenced = None;
                    agent.status = *status;
                }
            }
            Event::Unregistered { agent } => {
                self.agents.remove(&agent.key());
                self.former.insert(agent.key(), agent.clone());
            }
            Event::WorkspaceMade { agent, path, branch, at } => {
                if let Some(entry) = self.agents.get_mut(&agent.key()) {
                    entry.workspace = Some(path.clone());
                    entry.branch = Some(branch.clone());
                    let (agent, number) = (agent.clone(), entry.number);
                    let made = Made { agent, number, path: path.clone(), branch: branch.clone(), at: *at };
                    self.made.insert(made.agent.key(), made);
                }
            }
            Event::WorkspaceRemoved { agent, path, .. } => {
                if let Some(entry) = self.agents.get_mut(&agent.key())
                    && entry.workspace.as_ref() == Some(path)
                {
                    entry.workspace = None;
                    entry.branch = None;
                }
                if self.made.get(&agent.key()).is_some_and(|made| made.path == *path) {
                    self.made.remove(&agent.key());
                }
            }
            Event::LeaseGranted { agent, resource, mode, ttl_seconds, at } => {
                self.leases.insert(
                    seq,
                    Lease {
                        id: seq,
                        token: seq,
                        agent: agent.key(),
                        agent_id: agent.clone(),
                        resource: resource.clone(),
                        mode: *mode,
                        ttl_seconds: *ttl_seconds,
                        granted_at: *at,
                        renewed_at: *at,
                    },
                );
            }
            Event::LeaseRenewed { lease, ttl_seconds, at } => {
                if let Some(lease) = self.leases.get_mut(lease) {
                    lease.token = seq;
                    lease.ttl_seconds = *ttl_seconds;
                    lease.renewed_at = *at;
                }
            }
            Event::LeaseEnded { lease, .. } => {
                self.leases.remove(lease);
            }
        }
    }
}

fn end(lease: &Lease, reason: &str) -> Event {
    Event::LeaseEnded { lease: lease.id, agent: lease.agent_id.clone(), reason: reason.to_owned() }
}

fn valid_term(seconds: u64) -> Result<u64, Error> {
    if (1..=MAX_TTL_SECONDS).contains(&seconds) { Ok(seconds) } else { Err(Error::InvalidTerm(seconds)) }
}
