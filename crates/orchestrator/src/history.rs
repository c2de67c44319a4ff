//! The feed's past: the same frames, read from the log.

use crate::mail::{entries_of, internal};
use crate::render::{Audience, Entry};
use crate::{Error, Orchestrator};
use orchestrator_protocol::{Push, PushBody, Timestamp};

/// Records read at once.
const PAGE: usize = 1_000;

/// A piece of the past.
#[derive(Debug)]
pub struct History {
    /// What listeners were told, oldest first. Begins with a `gap` where events are no longer kept.
    pub entries: Vec<Entry>,
    /// The number up to which the past was read: give it as `after` for the next piece.
    pub next: u64,
    /// Whether that is the newest flushed event.
    pub complete: bool,
}

impl Orchestrator {
    /// What listeners were told after an event, up to `limit` frames of at most some hundred KiB.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn history(&self, after: u64, limit: usize) -> Result<History, Error> {
        self.with_log(move |this| this.read_history(after, limit)).await
    }

    fn read_history(&self, after: u64, limit: usize) -> Result<History, Error> {
        let flushed = self.flushed();
        let reader = &self.shared.reader;
        let mut history = History { entries: Vec::new(), next: after.min(flushed), complete: false };
        let floor = reader.telemetry_floor().map_err(internal)?;
        if after < floor {
            history.entries.push(gap(after, floor));
        }
        let mut bytes = 0;
        while history.next < flushed {
            let records = reader.read_range(history.next + 1, flushed, PAGE.min(limit + 1)).map_err(internal)?;
            if records.is_empty() {
                history.next = flushed;
            }
            for record in &records {
                for entry in entries_of(record)? {
                    if entry.seq <= history.next {
                        continue;
                    }
                    if history.entries.len() >= limit || bytes > 512 * 1024 {
                        return Ok(history);
                    }
                    bytes += entry.frame.len();
                    history.next = entry.seq;
                    history.entries.push(entry);
                }
                history.next = record.last_seq();
            }
        }
        history.complete = true;
        Ok(history)
    }
}

/// Says that telemetry between two numbers is gone. It carries the number before it, so that a listener
/// who resumes from there loses nothing of what is left.
fn gap(after: u64, floor: u64) -> Entry {
    let body = PushBody::Gap { from: after + 1, to: floor };
    let push = Push { body, seq: after, timestamp: Timestamp(crate::engine::now().0) };
    Entry { seq: after, audience: Audience::Everyone, frame: push.to_json().into(), mail: None }
}
