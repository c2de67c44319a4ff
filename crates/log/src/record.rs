//! What goes into the log and what comes out of it.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;

/// How a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Hash-chained, never removed.
    Decision,
    /// Numbered in the same sequence, not chained, removable by retention.
    Telemetry,
}

/// A record the caller wants appended.
///
/// The caller chooses `seq`, the number of the record's first event; the record occupies
/// `seq..seq + events`. Numbers start at 1 and only grow; gaps are allowed, because telemetry that
/// was superseded within its batch is never written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Sequence number of the first event.
    pub seq: u64,
    /// How many numbers the record occupies, at least 1.
    pub events: u32,
    /// Chained or not.
    pub class: Class,
    /// Wall time in unix milliseconds: a label, never used for order.
    pub at: i64,
    /// Who caused it.
    pub actor: Arc<str>,
    /// What it is, in the caller's words.
    pub kind: Cow<'static, str>,
    /// Version of the encoding of `facts` and `payload`.
    pub version: u16,
    /// What the state is rebuilt from. Never erased.
    pub facts: Bytes,
    /// A body that may be erased later.
    pub payload: Option<Bytes>,
}

/// A record as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Sequence number of the first event.
    pub seq: u64,
    /// How many numbers the record occupies.
    pub events: u32,
    /// Chained or not.
    pub class: Class,
    /// Wall time in unix milliseconds: a label.
    pub at: i64,
    /// Who caused it.
    pub actor: String,
    /// What it is, in the caller's words.
    pub kind: String,
    /// Version of the encoding of `facts` and `payload`.
    pub version: u16,
    /// What the state is rebuilt from.
    pub facts: Bytes,
    /// The erasable body.
    pub payload: Payload,
    /// The record's place in the chain; decisions only.
    pub link: Option<Link>,
}

impl Record {
    /// The number of the record's last event.
    pub fn last_seq(&self) -> u64 {
        self.seq.saturating_add(u64::from(self.events.saturating_sub(1)))
    }

    /// The first number after this record: where the next page of a read starts.
    pub fn next_seq(&self) -> u64 {
        self.seq.saturating_add(u64::from(self.events))
    }
}

/// The erasable body of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The record never had one.
    None,
    /// The bytes as they were appended.
    Present(Bytes),
    /// It had one, which was erased on purpose.
    Erased,
}

/// The place of a decision in the hash chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Hash of the decision before; zeros for the first.
    pub previous: [u8; 32],
    /// Hash of this decision.
    pub hash: [u8; 32],
    /// BLAKE3 of the payload; stays when the payload is erased.
    pub payload_hash: Option<[u8; 32]>,
}
