//! One task.

use super::{MOST_STEPS, Request};
use orchestrator_protocol::{AgentId, TaskState};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A task that an agent holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub agent: AgentId,
    /// The fencing token: the number of the event that granted it.
    pub token: u64,
    /// Since when, in milliseconds since the Unix epoch: a label.
    pub at: i64,
}

/// Why a claim ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its holder gave it back.
    Released,
    /// Its holder was silent for the term.
    Offline,
    /// Its holder left.
    Unregistered,
    /// The operator took it away.
    Taken,
}

impl Cause {
    /// What happened, for people.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Released => "it was given back",
            Self::Offline => "its holder was offline for too long",
            Self::Unregistered => "its holder unregistered",
            Self::Taken => "the operator took it away",
        }
    }
}

/// The newest claim that ended without a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallen {
    /// Whose it was.
    pub agent: AgentId,
    /// Its token.
    pub token: u64,
    /// Why it ended.
    pub cause: Cause,
}

/// A claim that ended with a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// Who brought it.
    pub agent: AgentId,
    /// The token of its claim.
    pub token: u64,
    /// Hash of the result.
    pub digest: String,
    /// The number of the event, whose record holds the result.
    pub seq: u64,
}

/// How far a task is, as its holder said last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// 0 to 100.
    pub percent: Option<u8>,
    /// In words.
    pub note: Option<String>,
    /// When, in milliseconds since the Unix epoch: a label.
    pub at: i64,
}

/// A task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// The number of the event that made it, whose record holds the description.
    pub id: u64,
    /// What was asked for.
    pub request: Request,
    /// How it stands.
    pub state: TaskState,
    /// Why it stands so.
    pub reason: Option<String>,
    /// The agent that is to do it.
    pub assigned_to: Option<AgentId>,
    /// Who works on it.
    pub claim: Option<Claim>,
    /// The newest claim that ended without a result.
    pub fallen: Option<Fallen>,
    /// The claim that ended with one.
    pub finished: Option<Finished>,
    /// How far it is.
    pub progress: Option<Progress>,
    /// How often it was claimed.
    pub claims: u32,
    /// When it was made, in milliseconds since the Unix epoch: a label.
    pub created_at: i64,
    /// When it was changed last, in milliseconds since the Unix epoch: a label.
    pub changed_at: i64,
    /// The numbers of its newest events. Of several reports in a row only the newest is among them.
    pub steps: VecDeque<u64>,
    /// Whether the newest of them is a report.
    reported: bool,
}

impl Task {
    pub(super) fn new(id: u64, request: Request, at: i64) -> Self {
        Self {
            id,
            assigned_to: request.assigned_to.clone(),
            request,
            state: TaskState::Open,
            reason: None,
            claim: None,
            fallen: None,
            finished: None,
            progress: None,
            claims: 0,
            created_at: at,
            changed_at: at,
            steps: VecDeque::new(),
            reported: false,
        }
    }

    /// Whether it is for this agent: it holds it, is to do it, or brought its result.
    #[must_use]
    pub fn concerns(&self, agent: &AgentId) -> bool {
        let holder = self.claim.as_ref().map(|claim| &claim.agent);
        let finisher = self.finished.as_ref().map(|finished| &finished.agent);
        [holder, finisher, self.assigned_to.as_ref()].into_iter().flatten().any(|one| is(one, agent))
    }

    /// What it needs that is not among these capabilities, without case.
    pub fn lacking<'a>(&'a self, capabilities: &'a [String]) -> impl Iterator<Item = &'a String> {
        let can = |needed: &String| capabilities.iter().any(|own| own.eq_ignore_ascii_case(needed));
        self.request.capabilities.iter().filter(move |needed| !can(needed))
    }

    /// Whether an agent with these capabilities could claim it now. Whom somebody named needs no capabilities.
    #[must_use]
    pub fn is_free_for(&self, agent: &AgentId, capabilities: &[String]) -> bool {
        self.state == TaskState::Open
            && match &self.assigned_to {
                Some(named) => is(named, agent),
                None => self.lacking(capabilities).next().is_none(),
            }
    }

    /// Notes an event of its life.
    pub(super) fn step(&mut self, seq: u64, is_report: bool) {
        if is_report && self.reported {
            self.steps.pop_back();
        }
        self.reported = is_report;
        self.steps.push_back(seq);
        if self.steps.len() > MOST_STEPS {
            self.steps.pop_front();
        }
    }
}

/// Whether two ids are one agent, without making keys: lists ask this of every task.
fn is(one: &AgentId, other: &AgentId) -> bool {
    one.as_str().eq_ignore_ascii_case(other.as_str())
}
