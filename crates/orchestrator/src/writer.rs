//! The writer's thread: takes the open batch, flushes it, and only then lets anything out.

use crate::batch::{Batch, Flush};
use crate::core::Halt;
use crate::engine::Shared;
use crate::recovery::recover;
use crate::render::{Entry, render};
use crate::state::CHECKPOINT_VERSION;
use crate::{Event, State};
use orchestrator_log::{AppendError, HeadKey, Log, PruneBefore, SqliteLog};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The head of the chain is signed after so many records,
const SIGN_EVERY: u64 = 1_000;
/// or after so long with new ones.
const SIGN_AFTER: Duration = Duration::from_secs(60);
/// How often old telemetry is looked for.
const PRUNE_AFTER: Duration = Duration::from_secs(60);
/// Rows that one pruning removes at most, so that batches wait little.
const PRUNE_ROWS: u32 = 5_000;
/// How often a halted log is tried.
const PROBE_AFTER: Duration = Duration::from_secs(1);

/// The log and its upkeep.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    log: SqliteLog,
    key: HeadKey,
    checkpoint_at: u64,
    signed_at: Instant,
    pruned_at: Instant,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, log: SqliteLog, key: HeadKey, checkpoint_at: u64) -> Self {
        let now = Instant::now();
        Self { shared, log, key, checkpoint_at, signed_at: now, pruned_at: now }
    }

    /// Runs until the orchestrator stops, then leaves a checkpoint and a signed head.
    pub(crate) fn run(mut self) {
        while let Some((batch, snapshot)) = self.take() {
            if !batch.is_empty() && !self.write(batch) {
                return;
            }
            if let Some((seq, state)) = snapshot {
                self.checkpoint(seq, &state);
            }
            self.upkeep();
        }
        let (seq, state) = {
            let core = self.shared.core.lock();
            (core.next_seq - 1, core.state.clone())
        };
        if seq > self.checkpoint_at {
            self.checkpoint(seq, &state);
        }
        self.sign();
        if let Err(error) = self.log.shutdown() {
            tracing::error!(%error, "the log did not close cleanly; nothing is lost, the next start recovers");
        }
    }

    /// Waits for the open batch. Empty when it is time for upkeep; `None` when all is written and the
    /// orchestrator stops. The state comes along when a checkpoint is due: it holds exactly what is
    /// flushed once the batch is.
    fn take(&self) -> Option<(Batch, Option<(u64, State)>)> {
        let mut core = self.shared.core.lock();
        if core.open.is_empty() && !core.stopping {
            self.shared.work.wait_for(&mut core, PROBE_AFTER);
        }
        if core.open.is_empty() && core.stopping {
            return None;
        }
        let batch = std::mem::replace(&mut core.open, Batch::new());
        if !batch.is_empty() {
            core.in_flight = Some(batch.done.subscribe());
        }
        let seq = core.next_seq - 1;
        let due = seq >= self.checkpoint_at + self.shared.options.checkpoint_every;
        let snapshot = due.then(|| (seq, core.state.clone()));
        Some((batch, snapshot))
    }

    /// Flushes a batch and tells everyone. False when the process must end.
    fn write(&mut self, batch: Batch) -> bool {
        let started = Instant::now();
        match self.log.append(&batch.drafts()) {
            Ok(_) => {
                metrics::histogram!("orchestrator_flush_seconds").record(started.elapsed().as_secs_f64());
                metrics::histogram!("orchestrator_batch_records").record(batch.records.len() as f64);
                self.release(&batch);
                true
            }
            Err(AppendError::Refused { reason, cure }) => self.refuse(batch, &reason, cure),
            Err(AppendError::Fatal { reason }) => {
                self.fail(&reason);
                false
            }
        }
    }

    /// Everything of the batch is on stable storage: pushes, effects and replies may leave.
    fn release(&mut self, batch: &Batch) {
        let last = batch.last_seq();
        self.shared.core.lock().in_flight = None;
        let mut entries: Vec<Entry> = Vec::with_capacity(batch.records.len());
        for record in &batch.records {
            for (seq, event) in (record.seq..).zip(&record.events) {
                entries.extend(render(seq, record.at, event, record.body.as_ref()));
                self.shared.happened(seq, record.at, event);
                if let Event::BodyErased { message } = event {
                    self.erase(*message);
                }
            }
        }
        metrics::counter!("orchestrator_events_total").increment(entries.len() as u64);
        self.shared.feed.publish(last, entries);
        batch.done.send_replace(Flush::Done);
    }

    /// The log took nothing: the batch and what was decided upon it are dropped, the state is rebuilt, and
    /// nothing is accepted until a trial write is flushed.
    fn refuse(&mut self, batch: Batch, reason: &str, cure: &str) -> bool {
        let refused = || Flush::Refused { reason: reason.to_owned(), cure: cure.to_owned() };
        self.shared.degradations.raise("storage", reason, cure);
        let dropped = {
            let mut core = self.shared.core.lock();
            core.halted = Some(Halt { reason: reason.to_owned(), cure: cure.to_owned() });
            core.in_flight = None;
            let dropped = std::mem::replace(&mut core.open, Batch::new());
            match recover(&self.log) {
                Ok(recovered) => {
                    core.state = recovered.state;
                    core.next_seq = recovered.seq.max(self.log.tail().next_seq - 1) + 1;
                }
                Err(error) => {
                    drop(core);
                    self.fail(&error.to_string());
                    return false;
                }
            }
            dropped
        };
        for batch in [batch, dropped] {
            batch.done.send_replace(refused());
        }
        self.probe_until_writable()
    }

    fn probe_until_writable(&mut self) -> bool {
        loop {
            {
                let mut core = self.shared.core.lock();
                if core.stopping {
                    return true;
                }
                self.shared.work.wait_for(&mut core, PROBE_AFTER);
            }
            match self.log.probe() {
                Ok(()) => {
                    self.shared.core.lock().halted = None;
                    self.shared.degradations.clear("storage");
                    return true;
                }
                Err(AppendError::Refused { reason, cure }) => {
                    self.shared.core.lock().halted = Some(Halt { reason, cure: cure.to_owned() });
                }
                Err(AppendError::Fatal { reason }) => {
                    self.fail(&reason);
                    return false;
                }
            }
        }
    }

    /// It is not known what reached the disk. Nothing more is accepted, and the owner must end the process.
    fn fail(&self, reason: &str) {
        let cure = "start the server again: it recovers from the log".to_owned();
        tracing::error!(reason, "the log failed");
        self.shared.core.lock().halted = Some(Halt { reason: reason.to_owned(), cure });
        self.shared.fatal.send_replace(Some(reason.to_owned()));
    }

    fn erase(&mut self, message: u64) {
        if let Err(error) = self.log.erase_payload(message) {
            self.shared.degradations.raise("erasure", error.to_string(), "restart the server to try again");
        }
    }

    /// Runs erasures that a crash may have cut off.
    pub(crate) fn erase_again(&mut self, messages: &[u64]) {
        for message in messages {
            self.erase(*message);
        }
    }

    fn checkpoint(&mut self, seq: u64, state: &State) {
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        match self.log.checkpoint(seq, CHECKPOINT_VERSION, &bytes) {
            Ok(()) => {
                self.checkpoint_at = seq;
                self.shared.degradations.clear("checkpoint");
            }
            Err(error) => {
                let cure = "free space on the disk; until then a start takes longer";
                self.shared.degradations.raise("checkpoint", error.to_string(), cure);
            }
        }
    }

    fn upkeep(&mut self) {
        let tail = self.log.tail();
        if tail.unsigned >= SIGN_EVERY || (tail.unsigned > 0 && self.signed_at.elapsed() >= SIGN_AFTER) {
            self.sign();
        }
        if self.pruned_at.elapsed() >= PRUNE_AFTER {
            self.pruned_at = Instant::now();
            self.prune();
        }
    }

    fn sign(&mut self) {
        self.signed_at = Instant::now();
        if let Err(error) = self.log.sign_head(&self.key, crate::engine::now().0) {
            tracing::warn!(%error, "the head of the log could not be signed");
        }
    }

    /// Retention: only telemetry that a checkpoint covers, so that the state never depends on what is gone.
    fn prune(&mut self) {
        let age = i64::try_from(self.shared.options.telemetry_age.as_millis()).unwrap_or(i64::MAX);
        let by_age = PruneBefore::At(crate::engine::now().0.saturating_sub(age));
        let by_count = self.shared.reader.telemetry_beyond(self.shared.options.telemetry_rows).ok().flatten();
        let by_count = by_count.map(|seq| PruneBefore::Seq(seq.min(self.checkpoint_at)));
        for before in [Some(by_age), by_count].into_iter().flatten() {
            match self.log.prune_telemetry(before, PRUNE_ROWS) {
                Ok(Some(pruned)) => tracing::info!(rows = pruned.rows, to = pruned.to, "old telemetry removed"),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "old telemetry could not be removed"),
            }
        }
    }
}
