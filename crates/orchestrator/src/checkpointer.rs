//! Checkpoints of the state, made beside the writer: neither a decision nor a flush waits for one.
//!
//! A second state follows the flushed log on a thread of its own, exactly as a start would rebuild it. The
//! price is that state's memory; cloning the working state instead would hold its lock for as long as that
//! takes, which grows with the mail that waits.

use crate::recovery::{Recovered, RecoveryError, replay};
use orchestrator_log::Reader;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Events that pay for so many bytes of a checkpoint: a large state is written less often.
const BYTES_AN_EVENT: u64 = 256;

/// A checkpoint to be stored.
pub(crate) struct Made {
    /// The number of the newest event in it.
    pub(crate) seq: u64,
    /// The state.
    pub(crate) bytes: Vec<u8>,
}

/// The writer's end of the thread.
pub(crate) struct Checkpointer {
    ask: Option<SyncSender<()>>,
    made: Receiver<Result<Made, RecoveryError>>,
    thread: Option<JoinHandle<()>>,
    /// Asked for and not yet made.
    asked: bool,
    every: u64,
    /// The number that the next one waits for.
    due: u64,
}

impl Checkpointer {
    /// Starts the thread. `every` is the least number of events between two checkpoints; `begin` the state that
    /// the log's checkpoint and the records after it gave.
    pub(crate) fn start(reader: Reader, begin: Recovered, every: u64) -> std::io::Result<Self> {
        let due = begin.checkpoint + every;
        let (ask, asked) = sync_channel(1);
        let (give, made) = sync_channel(1);
        let follow = move || {
            let mut state = begin;
            while asked.recv().is_ok() {
                let step = replay(&reader, &mut state)
                    .map(|()| Made { seq: state.seq, bytes: serde_json::to_vec(&state.state).unwrap_or_default() });
                if give.send(step).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("checkpoints".into()).spawn(follow)?;
        Ok(Self { ask: Some(ask), made, thread: Some(thread), asked: false, every, due })
    }

    /// Called after each batch with the newest flushed number: asks for a checkpoint when one is due, and
    /// hands out the one that is ready.
    pub(crate) fn poll(&mut self, flushed: u64) -> Option<Result<Made, RecoveryError>> {
        if !self.asked && flushed >= self.due {
            self.asked = self.ask.as_ref().is_some_and(|ask| ask.try_send(()).is_ok());
        }
        let made = self.made.try_recv().ok()?;
        self.asked = false;
        let size = made.as_ref().map_or(0, |made| made.bytes.len() as u64);
        self.due = flushed + self.every.max(size / BYTES_AN_EVENT);
        Some(made)
    }

    /// A last checkpoint, of all that is flushed.
    pub(crate) fn finish(self) -> Option<Result<Made, RecoveryError>> {
        if self.asked {
            // An earlier one that nobody took yet.
            self.made.recv().ok();
        }
        self.ask.as_ref()?.send(()).ok()?;
        self.made.recv().ok()
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes checkpoints ended badly; the next start replays more of the log");
        }
    }
}
