//! What an audit found.

use std::fmt;
use std::ops::RangeInclusive;

/// Problems listed in full; more are only counted.
const LISTED: usize = 1000;

/// The outcome of an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Decisions and telemetry rows.
    pub records: u64,
    /// Decisions checked.
    pub decisions: u64,
    /// Payloads erased on purpose; their hashes are still chained.
    pub erased: u64,
    /// Signed heads checked.
    pub heads: u64,
    /// First number of the first decision.
    pub first: Option<u64>,
    /// Last number of the last decision.
    pub last: Option<u64>,
    /// The numbers whose decisions are proved to be the ones written: from the first decision to
    /// the newest valid signed head (or anchor) that no problem precedes.
    pub vouched: Option<RangeInclusive<u64>>,
    /// What is wrong, in order of discovery; the first 1,000.
    pub problems: Vec<Problem>,
    /// How many problems there are.
    pub problem_count: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    pub(super) fn add(&mut self, seq: u64, fault: Fault) {
        self.problem_count += 1;
        if self.problems.len() < LISTED {
            self.problems.push(Problem { seq, fault });
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// First number of the record concerned.
    pub seq: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a record, a payload or a head.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Header, facts or hash are not the ones hashed when it was written.
    Altered,
    /// A column does not decode.
    Malformed {
        /// Which, and how.
        detail: String,
    },
    /// The record does not follow the one before it in the table: something was removed, added or
    /// exchanged between them.
    Unlinked {
        /// First number of the record before; nothing at the beginning of the log.
        after: Option<u64>,
    },
    /// Its numbers overlap those of the record before.
    Overlapping {
        /// First number of the record before.
        with: u64,
    },
    /// The payload is not the one hashed when it was written.
    PayloadAltered,
    /// The payload is gone without a mark of erasure.
    PayloadMissing,
    /// There is a payload that the record does not have, or that is marked erased.
    PayloadAdded,
    /// A head is not signed by the key.
    BadSignature,
    /// A validly signed head or an anchor names a decision whose hash is another.
    OtherHead,
    /// A validly signed head or an anchor names a decision that is not there, others after it are.
    Removed,
    /// A validly signed head or an anchor lies beyond the end of the log: its tail was cut off.
    Truncated {
        /// Last number of the last decision that is there.
        last: Option<u64>,
    },
    /// The file itself is damaged; nothing from here on could be checked.
    Unreadable {
        /// SQLite's words.
        detail: String,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seq = self.seq;
        match &self.fault {
            Fault::Altered => write!(formatter, "decision {seq} was altered"),
            Fault::Malformed { detail } => {
                write!(formatter, "decision {seq} does not decode: {detail}")
            }
            Fault::Unlinked { after: Some(after) } => write!(
                formatter,
                "decision {seq} does not follow decision {after}: something was removed, added or exchanged between them"
            ),
            Fault::Unlinked { after: None } => write!(
                formatter,
                "decision {seq} is not the first that was written: the beginning was removed or exchanged"
            ),
            Fault::Overlapping { with } => {
                write!(formatter, "decision {seq} overlaps decision {with}")
            }
            Fault::PayloadAltered => write!(formatter, "the payload of decision {seq} was altered"),
            Fault::PayloadMissing => {
                write!(formatter, "the payload of decision {seq} was removed without a mark of erasure")
            }
            Fault::PayloadAdded => {
                write!(formatter, "a payload was added at {seq}, where none was written")
            }
            Fault::BadSignature => {
                write!(formatter, "the head at {seq} is not signed by this key")
            }
            Fault::OtherHead => {
                write!(formatter, "the chain up to decision {seq} is not the one that was signed: it was rewritten")
            }
            Fault::Removed => write!(formatter, "decision {seq} was signed and is gone"),
            Fault::Truncated { last: Some(last) } => {
                write!(formatter, "the log was signed up to decision {seq} but ends at {last}: its tail was cut off")
            }
            Fault::Truncated { last: None } => {
                write!(formatter, "the log was signed up to decision {seq} but is empty")
            }
            Fault::Unreadable { detail } => {
                write!(formatter, "the database is damaged, nothing from {seq} on could be read: {detail}")
            }
        }
    }
}
