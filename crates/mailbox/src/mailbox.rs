//! The state and its rules.

use crate::bounded::Bounded;
use crate::{Command, Ended, Error, Event, MAX_DELIVERIES, MAX_UNREAD, Receipt, Waiting};
use orchestrator_protocol::{AgentId, MessageState};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds after which a message on a socket that acknowledges is sent again.
pub const SOCKET_TERM: u64 = 30;

/// All messages that somebody still has to read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    waiting: BTreeMap<u64, Waiting>,
    boxes: BTreeMap<String, Box>,
    keys: Bounded<String, (u64, String), 100_000>,
    ended: Bounded<u64, Ended, 100_000>,
}

/// One agent's messages that are neither acknowledged nor dead.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Box {
    messages: BTreeSet<u64>,
    unread: usize,
    /// The number of the last event that touched it.
    changed: u64,
}

impl Mailbox {
    /// The unacknowledged messages of an agent with a number above `after`, oldest first.
    pub fn inbox(&self, agent: &AgentId, after: u64) -> impl Iterator<Item = (u64, &Receipt)> {
        let key = agent.key();
        let messages = self.boxes.get(&key).into_iter().flat_map(move |own| own.messages.range(after + 1..));
        messages.filter_map(move |message| Some((*message, self.waiting.get(message)?.receipts.get(&key)?)))
    }

    /// The number of the last event that touched an agent's mailbox: while it stays the same, so does the
    /// inbox.
    #[must_use]
    pub fn changed(&self, agent: &AgentId) -> u64 {
        self.boxes.get(&agent.key()).map_or(0, |own| own.changed)
    }

    /// Where a message stands with one of its receivers; `None` once nobody has to read it any more.
    #[must_use]
    pub fn receipt(&self, agent: &AgentId, message: u64) -> Option<&Receipt> {
        self.waiting.get(&message)?.receipts.get(&agent.key())
    }

    /// Where a message stands: on its way, or ended.
    #[must_use]
    pub fn standing(&self, message: u64) -> Option<Ended> {
        self.waiting
            .get(&message)
            .map(|waiting| Ended { state: waiting.state(), deliveries: waiting.deliveries(), thread: waiting.thread })
            .or_else(|| self.ended.get(&message).copied())
    }

    /// The dead-letter list, oldest first: each message with the key of the receiver who gave no answer.
    pub fn dead(&self) -> impl Iterator<Item = (u64, &str)> {
        self.waiting.iter().flat_map(|(message, waiting)| {
            let dead = waiting.receipts.iter().filter(|(_, receipt)| receipt.state == MessageState::Dead);
            dead.map(move |(agent, _)| (*message, agent.as_str()))
        })
    }

    /// The messages of a thread that are still on their way.
    pub fn thread(&self, thread: u64) -> impl Iterator<Item = u64> {
        self.waiting.iter().filter(move |(_, waiting)| waiting.thread == thread).map(|(message, _)| *message)
    }

    /// All messages that are still on their way or dead, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        self.waiting.iter().map(|(message, waiting)| (*message, waiting))
    }

    /// The message that this sender sent with this key.
    #[must_use]
    pub fn sent_with(&self, from: &str, key: &str) -> Option<u64> {
        self.keys.get(&scope(from, key)).map(|(message, _)| *message)
    }

    /// Keys of the agents that send with keys of this kind, and of those who have yet to read such a message.
    #[must_use]
    pub fn correspondents(&self, kind: &str) -> BTreeSet<String> {
        let sent = self.keys.iter().filter_map(|(scoped, (message, _))| {
            let (from, key) = scoped.split_once('\n')?;
            key.starts_with(kind).then_some((from, *message))
        });
        let receivers = |message| self.waiting.get(&message).into_iter().flat_map(|waiting| waiting.receipts.keys());
        sent.flat_map(|(from, message)| receivers(message).cloned().chain([from.to_owned()])).collect()
    }

    /// The deliveries whose terms run, each with its receiver and its term in seconds.
    #[must_use]
    pub fn running_terms(&self) -> BTreeMap<u64, (&str, u64)> {
        let receipts = self.waiting.values().flat_map(|waiting| &waiting.receipts);
        receipts.filter_map(|(agent, receipt)| Some((receipt.term?, (agent.as_str(), receipt.seconds)))).collect()
    }

    /// Which events follow from a command. `at` is the wall clock's label for them, in milliseconds.
    ///
    /// # Errors
    /// [`Error`] when the command is refused; then nothing follows.
    pub fn decide(&self, command: &Command, at: i64) -> Result<Vec<Event>, Error> {
        match command {
            Command::Send { from, to, recipients, kind, in_reply_to, key, digest } => {
                if let Some((_, known)) = key.as_ref().and_then(|key| self.keys.get(&scope(from, key))) {
                    let repeated = known == digest;
                    return if repeated {
                        Ok(Vec::new())
                    } else {
                        Err(Error::KeyReused(key.clone().unwrap_or_default()))
                    };
                }
                let full = |agent: &&AgentId| self.boxes.get(&agent.key()).is_some_and(|own| own.unread >= MAX_UNREAD);
                if let Some(agent) = recipients.iter().find(full) {
                    return Err(Error::Full(agent.to_string()));
                }
                let thread = in_reply_to.map(|parent| self.standing(parent).map_or(parent, |parent| parent.thread));
                Ok(vec![Event::Sent {
                    from: from.clone(),
                    to: to.clone(),
                    recipients: recipients.clone(),
                    kind: kind.clone(),
                    in_reply_to: *in_reply_to,
                    thread,
                    key: key.clone(),
                    digest: digest.clone(),
                    at,
                }])
            }
            Command::Delivered { agent, messages, acknowledges } => {
                let key = agent.key();
                let messages: Vec<u64> =
                    messages.iter().copied().filter(|message| self.is_in_box(*message, &key)).collect();
                let term = acknowledges.then_some(SOCKET_TERM);
                Ok(if messages.is_empty() {
                    Vec::new()
                } else {
                    vec![Event::Delivered { agent: agent.clone(), messages, term }]
                })
            }
            Command::Claim { agent, max, ttl_seconds } => {
                let messages = self.claimable(agent, *max);
                Ok(if messages.is_empty() {
                    Vec::new()
                } else {
                    vec![Event::Delivered { agent: agent.clone(), messages, term: Some(*ttl_seconds) }]
                })
            }
            Command::Take { agent, message, ttl_seconds } => Ok(if self.is_in_box(*message, &agent.key()) {
                let (messages, term) = (vec![*message], Some(*ttl_seconds));
                vec![Event::Delivered { agent: agent.clone(), messages, term }]
            } else {
                Vec::new()
            }),
            Command::Acknowledge { agent, message } => self.decide_acknowledge(agent, *message),
            Command::TermOver { agent, delivery } => Ok(self.decide_term_over(agent, *delivery)),
            Command::Revive { message } => {
                let waiting = self.waiting.get(message).ok_or(Error::Unknown(*message))?;
                let dead = waiting.receipts.iter().filter(|(_, receipt)| receipt.state == MessageState::Dead);
                let events: Vec<Event> = dead
                    .filter_map(|(key, _)| Some(Event::Returned { agent: key.parse().ok()?, message: *message }))
                    .collect();
                if events.is_empty() { Err(Error::NotDead(*message)) } else { Ok(events) }
            }
        }
    }

    fn is_in_box(&self, message: u64, key: &str) -> bool {
        self.boxes.get(key).is_some_and(|own| own.messages.contains(&message))
    }

    /// The oldest messages that are not out; none of a sender who has an earlier one out.
    fn claimable(&self, agent: &AgentId, max: usize) -> Vec<u64> {
        let mut out = BTreeSet::new();
        let mut found = Vec::new();
        for (message, receipt) in self.inbox(agent, 0) {
            let Some(waiting) = self.waiting.get(&message) else { continue };
            if receipt.term.is_some() {
                out.insert(waiting.from.as_str());
            } else if !out.contains(waiting.from.as_str()) {
                found.push(message);
            }
            if found.len() >= max {
                break;
            }
        }
        found
    }

    fn decide_acknowledge(&self, agent: &AgentId, message: u64) -> Result<Vec<Event>, Error> {
        let key = agent.key();
        match self.waiting.get(&message).map(|waiting| waiting.receipts.get(&key)) {
            Some(Some(receipt)) if receipt.state == MessageState::Acknowledged => Ok(Vec::new()),
            Some(Some(_)) => Ok(vec![Event::Acknowledged { agent: agent.clone(), message }]),
            Some(None) => Err(Error::NotYours(message, agent.to_string())),
            None if self.ended.get(&message).is_some() => Ok(Vec::new()),
            None => Err(Error::Unknown(message)),
        }
    }

    fn decide_term_over(&self, agent: &AgentId, delivery: u64) -> Vec<Event> {
        let expired = self.inbox(agent, 0).filter(|(_, receipt)| receipt.term == Some(delivery));
        expired
            .map(|(message, receipt)| {
                if receipt.deliveries >= MAX_DELIVERIES {
                    let from = self.waiting.get(&message).map(|waiting| waiting.from.clone()).unwrap_or_default();
                    Event::Died { agent: agent.clone(), message, from, deliveries: receipt.deliveries }
                } else {
                    Event::Returned { agent: agent.clone(), message }
                }
            })
            .collect()
    }

    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Sent { from, recipients, thread, key, digest, .. } => {
                if let Some(key) = key {
                    self.keys.insert(scope(from, key), (seq, digest.clone()));
                }
                let thread = thread.unwrap_or(seq);
                if recipients.is_empty() {
                    let state = MessageState::Delivered;
                    self.ended.insert(seq, Ended { state, deliveries: 0, thread });
                    return;
                }
                let receipts = recipients.iter().map(|agent| (agent.key(), Receipt::default())).collect();
                self.waiting.insert(seq, Waiting { from: from.clone(), thread, receipts });
                for agent in recipients {
                    let own = self.boxes.entry(agent.key()).or_default();
                    own.messages.insert(seq);
                    own.unread += 1;
                    own.changed = seq;
                    self.forget_oldest_read(&agent.key());
                }
            }
            Event::Delivered { agent, messages, term } => {
                for message in messages {
                    self.change(*message, &agent.key(), |receipt| {
                        receipt.state = MessageState::Delivered;
                        receipt.deliveries += 1;
                        // A socket that never acknowledges does not end somebody's claim.
                        if let Some(seconds) = term {
                            receipt.term = Some(seq);
                            receipt.seconds = *seconds;
                        }
                    });
                }
                self.touch(&agent.key(), seq);
            }
            Event::Acknowledged { agent, message } => {
                self.change(*message, &agent.key(), |receipt| {
                    receipt.state = MessageState::Acknowledged;
                    receipt.term = None;
                });
                self.leave_box(*message, &agent.key());
                self.touch(&agent.key(), seq);
            }
            Event::Returned { agent, message } => {
                let key = agent.key();
                self.change(*message, &key, |receipt| {
                    if receipt.state == MessageState::Dead {
                        receipt.deliveries = 0;
                    }
                    receipt.state = MessageState::Queued;
                    receipt.term = None;
                });
                let own = self.boxes.entry(key).or_default();
                own.messages.insert(*message);
                own.changed = seq;
            }
            Event::Died { agent, message, .. } => {
                self.change(*message, &agent.key(), |receipt| {
                    receipt.state = MessageState::Dead;
                    receipt.term = None;
                });
                if let Some(own) = self.boxes.get_mut(&agent.key()) {
                    own.messages.remove(message);
                }
                self.touch(&agent.key(), seq);
            }
        }
    }

    fn touch(&mut self, key: &str, seq: u64) {
        if let Some(own) = self.boxes.get_mut(key) {
            own.changed = seq;
        }
    }

    /// Changes a receipt and keeps count of what is unread: queued, or out for a term.
    fn change(&mut self, message: u64, key: &str, change: impl FnOnce(&mut Receipt)) {
        let Some(receipt) = self.waiting.get_mut(&message).and_then(|waiting| waiting.receipts.get_mut(key)) else {
            return;
        };
        let before = is_unread(receipt);
        change(receipt);
        let after = is_unread(receipt);
        let own = self.boxes.entry(key.to_owned()).or_default();
        own.unread = own.unread + usize::from(after) - usize::from(before);
    }

    /// Takes an ended message out of a box, and out of the state once nobody has to read it.
    fn leave_box(&mut self, message: u64, key: &str) {
        if let Some(own) = self.boxes.get_mut(key) {
            own.messages.remove(&message);
        }
        let Some(waiting) = self.waiting.get(&message) else { return };
        let in_a_box =
            |(key, receipt): (&String, &Receipt)| receipt.state == MessageState::Dead || self.is_in_box(message, key);
        if !waiting.receipts.iter().any(in_a_box) {
            let ended = Ended { state: waiting.state(), deliveries: waiting.deliveries(), thread: waiting.thread };
            self.ended.insert(message, ended);
            self.waiting.remove(&message);
        }
    }

    /// Messages that a receiver read but never acknowledges stay readable up to the box's size, no longer.
    fn forget_oldest_read(&mut self, key: &str) {
        let Some(own) = self.boxes.get(key).filter(|own| own.messages.len() > MAX_UNREAD) else { return };
        let is_read = |message: &&u64| {
            let receipt = self.waiting.get(message).and_then(|waiting| waiting.receipts.get(key));
            receipt.is_none_or(|receipt| !is_unread(receipt))
        };
        if let Some(message) = own.messages.iter().find(is_read).copied() {
            self.leave_box(message, key);
        }
    }
}

fn is_unread(receipt: &Receipt) -> bool {
    receipt.state == MessageState::Queued || receipt.term.is_some()
}

/// A key belongs to its sender.
fn scope(from: &str, key: &str) -> String {
    format!("{}\n{key}", from.to_ascii_lowercase())
}
