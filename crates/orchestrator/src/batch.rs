//! The open batch: records that were decided and applied, and wait for one flush.

use crate::Event;
use orchestrator_log::{Class, Draft};
use orchestrator_protocol::Json;
use orchestrator_registry as registry;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Bytes of bodies and records after which further commands wait for the flush of the open batch.
const FULL_BYTES: usize = 8 * 1024 * 1024;
/// Records after which further commands wait.
const FULL_RECORDS: usize = 8_192;

/// How a batch ended, as those who wait for it learn it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Flush {
    /// Not yet.
    Open,
    /// On stable storage.
    Done,
    /// Refused; nothing of it is stored.
    Refused { reason: String, cure: String },
}

/// One command's events.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) seq: u64,
    /// Empty when a later record of the batch took its place.
    pub(crate) events: Vec<Event>,
    pub(crate) body: Option<Json>,
    pub(crate) at: i64,
    pub(crate) actor: Arc<str>,
}

/// Records that share a flush.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) records: Vec<Pending>,
    pub(crate) done: watch::Sender<Flush>,
    /// Whether somebody waits for its flush: a durable command or a read.
    pub(crate) awaited: bool,
    bytes: usize,
    /// Where an agent's last status stands: within a batch the last one wins.
    statuses: HashMap<String, usize>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self {
            records: Vec::new(),
            done: watch::Sender::new(Flush::Open),
            awaited: false,
            bytes: 0,
            statuses: HashMap::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether further commands should wait.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes >= FULL_BYTES || self.records.len() >= FULL_RECORDS
    }

    /// The number of the last event; 0 when empty.
    pub(crate) fn last_seq(&self) -> u64 {
        self.records.iter().rev().find(|record| !record.events.is_empty()).map_or(0, Pending::last_seq)
    }

    pub(crate) fn push(&mut self, record: Pending) {
        self.bytes += 128 + record.body.as_ref().map_or(0, |body| body.as_str().len());
        if let [Event::Registry(registry::Event::StatusUpdated { agent, .. })] = record.events.as_slice() {
            let last = self.statuses.insert(agent.key(), self.records.len());
            if let Some(superseded) = last.and_then(|at| self.records.get_mut(at)) {
                superseded.events.clear();
            }
        } else if record.events.iter().any(|event| matches!(event, Event::Registry(_))) {
            // What an agent said before it fell silent, left or joined anew must stay before that.
            self.statuses.clear();
        }
        self.records.push(record);
    }

    /// The records as the log takes them.
    pub(crate) fn drafts(&self) -> Vec<Draft> {
        self.records.iter().filter(|record| !record.events.is_empty()).map(Pending::draft).collect()
    }
}

impl Pending {
    fn last_seq(&self) -> u64 {
        self.seq + self.events.len() as u64 - 1
    }

    fn draft(&self) -> Draft {
        let decision = self.events.iter().any(|event| event.class() == Class::Decision);
        Draft {
            seq: self.seq,
            events: u32::try_from(self.events.len()).unwrap_or(u32::MAX),
            class: if decision { Class::Decision } else { Class::Telemetry },
            at: self.at,
            actor: self.actor.clone(),
            kind: self.events.first().map_or("", Event::kind).into(),
            version: crate::event::VERSION,
            facts: crate::event::encode(&self.events).into(),
            payload: self.body.as_ref().map(|body| body.as_str().to_owned().into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::{AgentStatus, Workload};

    fn status(seq: u64, agent: &str) -> Pending {
        let event = registry::Event::StatusUpdated {
            agent: agent.parse().unwrap(),
            status: AgentStatus::Busy,
            task: None,
            workload: Workload::default(),
        };
        record(seq, Event::Registry(event))
    }

    fn record(seq: u64, event: Event) -> Pending {
        Pending { seq, events: vec![event], body: None, at: 0, actor: "a".into() }
    }

    #[test]
    fn within_a_batch_an_agents_last_status_wins_and_nothing_else_is_dropped() {
        let mut batch = Batch::new();
        batch.push(status(1, "a"));
        batch.push(status(2, "b"));
        batch.push(record(3, Event::BodyErased { message: 1 }));
        batch.push(record(4, Event::BodyErased { message: 1 }));
        batch.push(status(5, "A"));
        let kept: Vec<u64> = batch.drafts().iter().map(|draft| draft.seq).collect();
        assert_eq!(kept, [2, 3, 4, 5]);
        assert_eq!(batch.last_seq(), 5);
    }

    #[test]
    fn a_status_before_leaving_is_not_moved_behind_it() {
        let mut batch = Batch::new();
        batch.push(status(1, "a"));
        batch.push(record(2, Event::Registry(registry::Event::Unregistered { agent: "a".parse().unwrap() })));
        batch.push(status(3, "a"));
        assert_eq!(batch.drafts().len(), 3);
    }
}
