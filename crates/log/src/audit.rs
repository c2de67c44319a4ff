//! Checking a log: is every decision as it was written, and up to where can that be vouched for?
//!
//! The check recomputes every hash from the stored bytes and follows the chain. A chain proves
//! only that records fit each other; that they are the ones once written is proved by signed heads,
//! and by anchors: copies of a head that stand outside the log (a landing's commit message).

mod report;
mod walk;

pub use report::{Fault, Problem, Report};

use crate::{Error, PublicKey, Reader};

/// A copy of a chain hash that was kept outside the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// First number of the decision.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// Checks the whole log against its signed heads.
///
/// Reads a bounded number of rows at a time, so it may run beside the writer; records appended
/// after its start are left out.
pub fn verify(reader: &Reader, public_key: &PublicKey) -> Result<Report, Error> {
    verify_anchored(reader, public_key, &[])
}

/// Checks the whole log against its signed heads and the anchors.
pub fn verify_anchored(reader: &Reader, public_key: &PublicKey, anchors: &[Anchor]) -> Result<Report, Error> {
    walk::Walk::new(reader, public_key, anchors)?.run(reader)
}
