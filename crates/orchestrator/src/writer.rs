//! The writer's thread: takes the open batch, flushes it, and only then lets anything out.

use crate::batch::{Batch, Flush};
use crate::checkpointer::{Checkpointer, Made};
use crate::core::{Core, Halt};
use crate::engine::Shared;
use crate::recovery::{RecoveryError, recover};
use crate::render::{Entry, render};
use crate::state::CHECKPOINT_VERSION;
use crate::{Actor, Command, Event};
use orchestrator_log::{AppendError, Class, HeadKey, Log, PruneBefore, SqliteLog};
use parking_lot::MutexGuard;
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
/// How long telemetry waits for more of its kind, unless a command or a read waits for its flush.
const LINGER: Duration = Duration::from_millis(3);
/// No wait is worth it that is shorter than it takes to sleep and wake.
const FINEST_WAIT: Duration = Duration::from_micros(100);
/// A caller that was answered needs at least so much of the processor to be answered and to call again.
const CALL: Duration = Duration::from_micros(20);
/// How often a halted log is tried.
const PROBE_AFTER: Duration = Duration::from_secs(1);

/// The log and its upkeep.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    log: SqliteLog,
    key: Arc<HeadKey>,
    checkpointer: Option<Checkpointer>,
    /// What the newest checkpoint covers.
    checkpoint_at: u64,
    /// What the checkpoint before the newest covers: the newest may turn out to be damaged.
    covered: u64,
    /// Duration of the last flush.
    flush: Duration,
    /// Records that were under way when it ended: flushed with it, or come meanwhile.
    crowd: usize,
    signed_at: Instant,
    /// `None` before the first time, which is right after the start.
    pruned_at: Option<Instant>,
    /// Messages whose bodies the flushed log wants erased.
    erasing: Vec<u64>,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        log: SqliteLog,
        key: Arc<HeadKey>,
        checkpointer: Checkpointer,
        checkpoint_at: u64,
    ) -> Self {
        let erasing = shared.core.lock().state.erasing.iter().copied().collect();
        // Newest first. One that cannot be read covers nothing.
        let covered = log.checkpoints().ok().and_then(|kept| kept.get(1).map(|older| older.seq)).unwrap_or(0);
        let checkpointer = Some(checkpointer);
        Self {
            shared,
            log,
            key,
            checkpointer,
            checkpoint_at,
            covered,
            flush: Duration::ZERO,
            crowd: 0,
            signed_at: Instant::now(),
            pruned_at: None,
            erasing,
        }
    }

    /// Runs until the orchestrator stops, then leaves a checkpoint and a signed head.
    pub(crate) fn run(mut self) {
        if let Err(error) = self.serve().and_then(|()| self.close()) {
            self.fail(&error.to_string());
            return;
        }
        if let Err(error) = self.log.shutdown() {
            tracing::error!(%error, "the log did not close cleanly; nothing is lost, the next start recovers");
        }
    }

    fn serve(&mut self) -> Result<(), AppendError> {
        while let Some(batch) = self.take() {
            if !batch.is_empty() {
                self.write(batch)?;
            }
            self.upkeep()?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), AppendError> {
        let newest = self.log.tail().next_seq - 1;
        let checkpointer = self.checkpointer.take().filter(|_| newest > self.checkpoint_at);
        if let Some(made) = checkpointer.and_then(Checkpointer::finish) {
            self.checkpoint(made)?;
        }
        self.sign()
    }

    /// Waits for the open batch. Empty when it is time for upkeep; `None` when all is written and the
    /// orchestrator stops.
    fn take(&self) -> Option<Batch> {
        let mut core = self.shared.core.lock();
        if core.open.is_empty() && !core.stopping {
            self.shared.work.wait_for(&mut core, PROBE_AFTER);
        }
        if core.open.is_empty() && core.stopping {
            return None;
        }
        // Telemetry that nobody waits for gathers a little, so that a flush carries more of it.
        let linger = Instant::now() + LINGER;
        while !core.open.is_empty() && !core.open.awaited && !core.open.is_full() && !core.stopping {
            if self.shared.work.wait_until(&mut core, linger).timed_out() {
                break;
            }
        }
        self.gather(&mut core);
        let batch = std::mem::replace(&mut core.open, Batch::new());
        if !batch.is_empty() {
            core.in_flight = Some(batch.done.subscribe());
        }
        Some(batch)
    }

    /// Waits a little for callers whose last command was flushed a moment ago: they are about to send the next,
    /// and would have to wait for two flushes if this one began without them. Ends as soon as all are back or
    /// nobody comes, at the latest after a third of a flush. A lone caller never waits, and a crowd that cannot be
    /// back in that time is not waited for.
    fn gather(&self, core: &mut MutexGuard<'_, Core>) {
        let (step, most) = (self.flush / 8, self.flush / 3);
        let missing = self.crowd.saturating_sub(core.open.records.len());
        let soonest = CALL * u32::try_from(missing).unwrap_or(u32::MAX);
        if step < FINEST_WAIT || soonest > most {
            return;
        }
        let until = Instant::now() + most;
        loop {
            let come = core.open.records.len();
            if come >= self.crowd || core.open.is_full() || core.stopping || Instant::now() >= until {
                return;
            }
            let quiet = self.shared.work.wait_for(core, step).timed_out();
            if quiet && core.open.records.len() == come {
                return;
            }
        }
    }

    /// Flushes a batch and tells everyone.
    fn write(&mut self, batch: Batch) -> Result<(), AppendError> {
        let started = Instant::now();
        let drafts = batch.drafts();
        let decisions = drafts.iter().filter(|draft| draft.class == Class::Decision).count() as u64;
        // A signature that is due by number shares the flush.
        let appended = if decisions > 0 && self.log.tail().unsigned + decisions >= SIGN_EVERY {
            self.signed_at = started;
            self.log.append_signed(&drafts, &self.key, crate::engine::now().0)
        } else {
            self.log.append(&drafts)
        };
        match appended {
            Ok(_) => {
                self.flush = started.elapsed();
                metrics::histogram!("orchestrator_flush_seconds").record(self.flush.as_secs_f64());
                metrics::histogram!("orchestrator_batch_records").record(batch.records.len() as f64);
                self.release(&batch);
                Ok(())
            }
            Err(AppendError::Refused { reason, cure }) => self.refuse(batch, &reason, cure),
            Err(fatal) => Err(fatal),
        }
    }

    /// Everything of the batch is on stable storage: pushes, effects and replies may leave.
    fn release(&mut self, batch: &Batch) {
        let last = batch.last_seq();
        self.crowd = batch.records.len() + self.shared.core.lock().open.records.len();
        let mut entries: Vec<Entry> = Vec::with_capacity(batch.records.len());
        for record in &batch.records {
            for (seq, event) in (record.seq..).zip(&record.events) {
                entries.extend(render(seq, record.at, event, record.body.as_ref()));
                self.shared.happened(seq, record.at, event);
                if let Event::BodyErased { message } = event {
                    self.erasing.push(*message);
                }
            }
        }
        metrics::counter!("orchestrator_events_total").increment(entries.len() as u64);
        self.shared.feed.publish(last, entries);
        // Not before: who finds nothing in flight takes the newest flushed number for that of all it has seen.
        self.shared.core.lock().in_flight = None;
        batch.done.send_replace(Flush::Done);
    }

    /// The log took nothing: the batch and what was decided upon it are dropped, the state is rebuilt, and
    /// nothing is accepted until a trial write is flushed.
    fn refuse(&mut self, batch: Batch, reason: &str, cure: &str) -> Result<(), AppendError> {
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
                Err(error) => return Err(AppendError::Fatal { reason: error.to_string() }),
            }
            dropped
        };
        for batch in [batch, dropped] {
            batch.done.send_replace(refused());
        }
        self.probe_until_writable()
    }

    fn probe_until_writable(&mut self) -> Result<(), AppendError> {
        loop {
            {
                let mut core = self.shared.core.lock();
                if core.stopping {
                    return Ok(());
                }
                self.shared.work.wait_for(&mut core, PROBE_AFTER);
            }
            match self.log.probe() {
                Ok(()) => {
                    self.shared.core.lock().halted = None;
                    self.shared.degradations.clear("storage");
                    return Ok(());
                }
                Err(AppendError::Refused { reason, cure }) => {
                    self.shared.core.lock().halted = Some(Halt { reason, cure: cure.to_owned() });
                }
                Err(fatal) => return Err(fatal),
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

    /// Erases from the disk what the state wants erased, at once or as soon as it can be written again. What is
    /// done is recorded with the next batch.
    fn erase(&mut self) -> Result<(), AppendError> {
        while let Some(message) = self.erasing.last().copied() {
            match self.log.erase_payload(message) {
                Ok(_) => {
                    self.erasing.pop();
                    self.shared.degradations.clear("erasure");
                    let command = Command::BodyGone { message };
                    let accepted = self.shared.core.lock().accept(&Actor::System, &command, crate::engine::now().0);
                    tracing::debug!(message, recorded = accepted.is_ok(), "a body was erased");
                }
                Err(AppendError::Refused { reason, cure }) => {
                    self.shared.degradations.raise("erasure", reason, cure);
                    return Ok(());
                }
                Err(fatal) => return Err(fatal),
            }
        }
        Ok(())
    }

    fn checkpoint(&mut self, made: Result<Made, RecoveryError>) -> Result<(), AppendError> {
        let cure = "until then a start takes longer; free space on the disk, or run 'orchestrator-server audit verify'";
        let Made { seq, bytes } = match made {
            Ok(made) => made,
            Err(error) => {
                self.shared.degradations.raise("checkpoint", error.to_string(), cure);
                return Ok(());
            }
        };
        match self.log.checkpoint(seq, CHECKPOINT_VERSION, &bytes) {
            Ok(()) => {
                self.covered = self.checkpoint_at;
                self.checkpoint_at = seq;
                self.shared.degradations.clear("checkpoint");
            }
            Err(AppendError::Refused { reason, .. }) => {
                self.shared.degradations.raise("checkpoint", reason, cure);
            }
            Err(fatal) => return Err(fatal),
        }
        Ok(())
    }

    fn upkeep(&mut self) -> Result<(), AppendError> {
        self.erase()?;
        let tail = self.log.tail();
        if let Some(made) = self.checkpointer.as_mut().and_then(|made| made.poll(tail.next_seq - 1)) {
            self.checkpoint(made)?;
        }
        if tail.unsigned > 0 && self.signed_at.elapsed() >= SIGN_AFTER {
            self.sign()?;
        }
        if self.pruned_at.is_none_or(|at| at.elapsed() >= PRUNE_AFTER) {
            self.pruned_at = Some(Instant::now());
            self.prune()?;
        }
        Ok(())
    }

    fn sign(&mut self) -> Result<(), AppendError> {
        self.signed_at = Instant::now();
        let signed = self.log.sign_head(&self.key, crate::engine::now().0);
        unless_fatal(signed, "the head of the log could not be signed").map(drop)
    }

    /// Retention: only telemetry that a checkpoint covers, so that the state never depends on what is gone.
    fn prune(&mut self) -> Result<(), AppendError> {
        let age = i64::try_from(self.shared.options.telemetry_age.as_millis()).unwrap_or(i64::MAX);
        let time = crate::engine::now().0.saturating_sub(age);
        let by_age = PruneBefore::At { time, through: self.covered };
        let by_count = self.shared.reader.telemetry_beyond(self.shared.options.telemetry_rows).ok().flatten();
        let by_count = by_count.map(|seq| PruneBefore::Seq(seq.min(self.covered)));
        for before in [Some(by_age), by_count].into_iter().flatten() {
            let pruned = self.log.prune_telemetry(before, PRUNE_ROWS);
            if let Some(Some(pruned)) = unless_fatal(pruned, "old telemetry could not be removed")? {
                tracing::info!(rows = pruned.rows, to = pruned.to, "old telemetry removed");
            }
        }
        Ok(())
    }
}

/// Upkeep that is refused is tried again later; one that leaves the disk in doubt ends the process.
fn unless_fatal<T>(outcome: Result<T, AppendError>, what: &str) -> Result<Option<T>, AppendError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(AppendError::Refused { reason, .. }) => {
            tracing::warn!(reason, what);
            Ok(None)
        }
        Err(fatal) => Err(fatal),
    }
}
