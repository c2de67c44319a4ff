//! The state and its rules.

use super::{Answer, Command, Error, Event, MAX_DEADLINE, Request, name};
use orchestrator_protocol::{ApprovalState, Verdict};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// Approvals that may be pending at once.
pub const MOST_PENDING: usize = 10_000;
/// Ended approvals that are remembered.
pub const MOST_ENDED: usize = 10_000;

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The number of the event that asked.
    pub id: u64,
    /// What was asked.
    pub request: Request,
    /// How it stands.
    pub state: ApprovalState,
    /// Which option was approved.
    pub option: Option<String>,
    /// Whether that was the default answer, at the deadline.
    pub by_default: bool,
    /// What was said with the answer.
    pub note: Option<String>,
    /// When it was asked, in milliseconds since the Unix epoch: a label.
    pub asked_at: i64,
    /// When it was answered or expired, in milliseconds since the Unix epoch: a label.
    pub ended_at: Option<i64>,
}

/// All approvals, by the number of the event that asked for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    approvals: BTreeMap<u64, Approval>,
    /// Those that are over, in the order in which they ended.
    ended: VecDeque<u64>,
    /// Idempotency keys of the approvals that are remembered, each within its asker.
    keys: BTreeMap<String, u64>,
}

impl Approvals {
    /// One of them.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Approval> {
        self.approvals.get(&id)
    }

    /// All, oldest first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &Approval> {
        self.approvals.values()
    }

    /// The approval that this asker asked for with this key.
    #[must_use]
    pub fn asked_with(&self, by: &str, key: &str) -> Option<u64> {
        self.keys.get(&scope(by, key)).copied()
    }

    /// The deadlines that run: approvals with their terms in seconds.
    pub fn deadlines(&self) -> impl Iterator<Item = (u64, u64)> {
        let pending = self.all().filter(|approval| approval.state == ApprovalState::Pending);
        pending.filter_map(|approval| Some((approval.id, approval.request.deadline_seconds?)))
    }

    /// Which events follow from a command. `at` is the wall clock's label for them, in milliseconds.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        match command {
            Command::Ask(request) => self.decide_ask(request, at),
            Command::Answer { id, operator: false, .. } => Err(Error::OperatorOnly(name(*id))),
            Command::Answer { id, answer, note, operator: true } => {
                let approval = self.get(*id).ok_or_else(|| Error::Unknown(name(*id)))?;
                if approval.state != ApprovalState::Pending {
                    return Err(Error::Over {
                        approval: name(*id),
                        state: approval.state,
                        option: approval.option.clone(),
                        by_default: approval.by_default,
                        at: approval.ended_at.unwrap_or_default(),
                    });
                }
                let answer = checked(answer, &approval.request.options)?;
                Ok(vec![Event::Answered { id: *id, answer, note: note.clone(), at }])
            }
            Command::Expire { id } => {
                let due = |approval: &&Approval| {
                    approval.state == ApprovalState::Pending && approval.request.deadline_seconds.is_some()
                };
                let expired =
                    |approval: &Approval| Event::Expired { id: *id, answer: approval.request.default.clone(), at };
                Ok(self.get(*id).filter(due).map(expired).into_iter().collect())
            }
        }
    }

    fn decide_ask(&self, request: &Request, at: i64) -> Result<Vec<Event>, Error> {
        if let Some(key) = &request.key
            && let Some(known) = self.asked_with(&request.asked_by, key).and_then(|id| self.get(id))
        {
            let same = known.request.digest == request.digest;
            return if same { Ok(Vec::new()) } else { Err(Error::KeyReused(key.clone())) };
        }
        if let Some(seconds) = request.deadline_seconds.filter(|seconds| !(1..=MAX_DEADLINE).contains(seconds)) {
            return Err(Error::Deadline(seconds));
        }
        let default = request.default.as_ref().map(|answer| checked(answer, &request.options)).transpose()?;
        if default.is_some() && request.deadline_seconds.is_none() {
            return Err(Error::DefaultWithoutDeadline);
        }
        if self.approvals.len() - self.ended.len() >= MOST_PENDING {
            return Err(Error::Full(MOST_PENDING));
        }
        Ok(vec![Event::Asked { request: Box::new(Request { default, ..request.clone() }), at }])
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Asked { request, at } => {
                if let Some(key) = &request.key {
                    self.keys.insert(scope(&request.asked_by, key), seq);
                }
                let approval = Approval {
                    id: seq,
                    request: Request::clone(request),
                    state: ApprovalState::Pending,
                    option: None,
                    by_default: false,
                    note: None,
                    asked_at: *at,
                    ended_at: None,
                };
                self.approvals.insert(seq, approval);
            }
            Event::Answered { id, answer, note, at } => {
                if let Some(approval) = self.approvals.get_mut(id) {
                    (approval.state, approval.option) = (answer.state(), answer.option.clone());
                    (approval.note, approval.ended_at) = (note.clone(), Some(*at));
                    self.end(*id);
                }
            }
            Event::Expired { id, answer, at } => {
                if let Some(approval) = self.approvals.get_mut(id) {
                    approval.state = answer.as_ref().map_or(ApprovalState::Expired, Answer::state);
                    approval.option = answer.as_ref().and_then(|answer| answer.option.clone());
                    (approval.by_default, approval.ended_at) = (answer.is_some(), Some(*at));
                    self.end(*id);
                }
            }
        }
    }

    fn end(&mut self, id: u64) {
        self.ended.push_back(id);
        if self.ended.len() > MOST_ENDED
            && let Some(approval) = self.ended.pop_front().and_then(|oldest| self.approvals.remove(&oldest))
            && let Some(key) = &approval.request.key
        {
            self.keys.remove(&scope(&approval.request.asked_by, key));
        }
    }
}

/// The answer with the option that it means: where there is one only, it need not be named.
fn checked(answer: &Answer, options: &[String]) -> Result<Answer, Error> {
    let option = match (answer.verdict, &answer.option, options) {
        (Verdict::Deny, None, _) | (Verdict::Approve, None, []) => None,
        (Verdict::Deny, Some(_), _) => return Err(Error::OptionDenied),
        (Verdict::Approve, None, [only]) => Some(only.clone()),
        (Verdict::Approve, None, options) => return Err(Error::WhichOption(options.to_vec())),
        (Verdict::Approve, Some(given), options) if options.contains(given) => Some(given.clone()),
        (Verdict::Approve, Some(given), options) => {
            return Err(Error::NoOption { given: given.clone(), options: options.to_vec() });
        }
    };
    Ok(Answer { verdict: answer.verdict, option })
}

fn scope(by: &str, key: &str) -> String {
    format!("{}\n{key}", by.to_ascii_lowercase())
}
