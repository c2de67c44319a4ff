//! From the log to the state: the newest checkpoint that decodes, and every record after it.

use crate::State;
use crate::event::{DecodeError, decode};
use crate::state::CHECKPOINT_VERSION;
use orchestrator_log::{Reader, SqliteLog};

/// Records read at once.
const PAGE: usize = 4_096;

/// Why the state could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] orchestrator_log::Error),
    /// A record could not be understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// A state, and where it stands.
#[derive(Clone)]
pub(crate) struct Recovered {
    pub(crate) state: State,
    /// The number of the newest event in it.
    pub(crate) seq: u64,
    /// The number of the checkpoint it began with; 0 for none.
    pub(crate) checkpoint: u64,
}

/// Rebuilds the state.
pub(crate) fn recover(log: &SqliteLog) -> Result<Recovered, RecoveryError> {
    let mut recovered = Recovered { state: State::default(), seq: 0, checkpoint: 0 };
    for checkpoint in log.checkpoints()? {
        let state = (checkpoint.version == CHECKPOINT_VERSION)
            .then(|| serde_json::from_slice(&checkpoint.bytes).ok())
            .flatten();
        if let Some(state) = state {
            recovered.state = state;
            recovered.seq = checkpoint.seq;
            recovered.checkpoint = checkpoint.seq;
            break;
        }
        tracing::warn!(seq = checkpoint.seq, "checkpoint does not decode; rebuilding from the log");
    }
    replay(&log.reader(), &mut recovered)?;
    Ok(recovered)
}

/// Applies every record after the state's newest event.
pub(crate) fn replay(reader: &Reader, recovered: &mut Recovered) -> Result<(), RecoveryError> {
    loop {
        let records = reader.read(recovered.seq + 1, PAGE)?;
        let Some(last) = records.last() else { return Ok(()) };
        let next = last.last_seq();
        for record in &records {
            for (seq, event) in (record.seq..).zip(decode(record.seq, record.version, &record.facts)?) {
                recovered.state.apply(seq, &event);
            }
        }
        recovered.seq = next;
    }
}
