//! What is kept of agents' work: when, for how long, and how it comes back.
//!
//! A snapshot is a commit in `work.git`, its ref and an event, made in this order: what an event names is durable.
//! A ref without an event is what a crash left between the two, and gets its event at the next start. It goes the
//! other way round: first the event, then the ref. One policy ([`retention`]) and one effect ([`upkeep`]) delete
//! anything.

pub(crate) mod keep;
mod ledger;
mod names;
mod restore;
mod retention;
mod show;
pub(crate) mod upkeep;

pub use keep::Kept;
pub use ledger::{Command, Event, Record, Snapshots};
pub(crate) use names::backup;
pub(crate) use retention::MIN_BACKUP;
pub use retention::Retention;
pub(crate) use upkeep::FOUND;

use crate::Error;
use orchestrator_protocol::{ErrorCode, SnapshotKind};
use orchestrator_repository::ObjectId;

/// A snapshot's id on the wire.
pub(crate) fn wire_id(kind: SnapshotKind, id: u64) -> String {
    match kind {
        SnapshotKind::Work => format!("s{id}"),
        SnapshotKind::Backup => format!("b{id}"),
    }
}

/// The kind and number that a wire id stands for.
pub(crate) fn parse_id(text: &str) -> Option<(SnapshotKind, u64)> {
    let (kind, digits) = match (text.strip_prefix('s'), text.strip_prefix('b')) {
        (Some(digits), _) => (SnapshotKind::Work, digits),
        (_, Some(digits)) => (SnapshotKind::Backup, digits),
        _ => return None,
    };
    digits.parse().ok().map(|number| (kind, number))
}

/// A commit or another object by its 40 hex digits.
pub(crate) fn object(text: &str) -> Option<ObjectId> {
    ObjectId::from_hex(text.as_bytes()).ok()
}

fn unknown(text: &str) -> Error {
    let detail = format!("no snapshot '{text:.80}' is kept");
    Error::invalid(
        ErrorCode::UnknownSnapshot,
        detail,
        "list what is kept: GET /api/orchestration/agents/{id}/snapshots",
    )
}
