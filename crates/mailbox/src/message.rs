//! A message on its way, and what remains of one that arrived.

use orchestrator_protocol::MessageState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A message that somebody still has to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Who sent it.
    pub from: String,
    /// The first message of its thread.
    pub thread: u64,
    /// Where it stands with each receiver, by the receiver's key.
    pub receipts: BTreeMap<String, Receipt>,
}

/// Where a message stands with one receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Queued, delivered, acknowledged or dead.
    pub state: MessageState,
    /// Attempts to hand it over.
    pub deliveries: u32,
    /// While it is out: the number of the delivery whose term runs.
    pub term: Option<u64>,
    /// That term in seconds: a restart grants it in full.
    pub seconds: u64,
}

impl Default for Receipt {
    fn default() -> Self {
        Self { state: MessageState::Queued, deliveries: 0, term: None, seconds: 0 }
    }
}

/// What is remembered of a message that nobody has to read any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Delivered (a notice, or read by a receiver that never acknowledges) or acknowledged.
    pub state: MessageState,
    /// Attempts to hand it over.
    pub deliveries: u32,
    /// The first message of its thread.
    pub thread: u64,
}

impl Waiting {
    /// What the sender sees: the receiver who is furthest behind; dead once nobody is behind and one gave up.
    #[must_use]
    pub fn state(&self) -> MessageState {
        use MessageState::{Acknowledged, Dead, Delivered, Queued};
        [Queued, Delivered, Dead]
            .into_iter()
            .find(|state| self.receipts.values().any(|receipt| receipt.state == *state))
            .unwrap_or(Acknowledged)
    }

    /// The most attempts of any receiver.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.receipts.values().map(|receipt| receipt.deliveries).max().unwrap_or(0)
    }
}
