//! The live feed: what was flushed, in chunks that all listeners share.
//!
//! A flush publishes one chunk. A listener holds a cursor and takes the chunks beyond it when it is
//! woken, so that a slow one costs nothing but its own lag: chunks live as long as the newest
//! [`KEPT_BYTES`], and who falls behind them is told so and resumes from the log.

use crate::render::Entry;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;

/// Bytes of frames kept for listeners that lag.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// What one flush published.
#[derive(Debug)]
pub struct Chunk {
    /// The number of its last event.
    last: u64,
    entries: Vec<Entry>,
    bytes: usize,
    uniform: bool,
    encoded: OnceLock<Bytes>,
}

impl Chunk {
    fn new(last: u64, entries: Vec<Entry>) -> Self {
        let bytes = entries.iter().map(|entry| entry.frame.len() + 16).sum();
        let uniform =
            entries.iter().all(|entry| entry.audience == crate::render::Audience::Everyone && entry.mail.is_none());
        Self { last, entries, bytes, uniform, encoded: OnceLock::new() }
    }

    /// The number of its last event: a listener's cursor after it.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Its events, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether every listener gets the same of it.
    #[must_use]
    pub fn is_uniform(&self) -> bool {
        self.uniform
    }

    /// All its frames in a transport's encoding, made once and shared by all listeners. Only for uniform chunks.
    pub fn encoded(&self, encode: impl FnOnce(&[Entry]) -> Bytes) -> Bytes {
        self.encoded.get_or_init(|| encode(&self.entries)).clone()
    }

    /// Bytes of its frames.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

#[derive(Debug, Default)]
struct Kept {
    chunks: VecDeque<Arc<Chunk>>,
    bytes: usize,
    /// The number of the last event that is no longer kept.
    dropped: u64,
}

/// The newest chunks, and a bell.
#[derive(Debug)]
pub(crate) struct Feed {
    kept: Mutex<Kept>,
    flushed: watch::Sender<u64>,
}

impl Feed {
    /// A feed that begins after an event.
    pub(crate) fn new(flushed: u64) -> Self {
        Self { kept: Mutex::default(), flushed: watch::Sender::new(flushed) }
    }

    /// The number of the newest flushed event.
    pub(crate) fn flushed(&self) -> u64 {
        *self.flushed.borrow()
    }

    /// Publishes what a flush made durable.
    pub(crate) fn publish(&self, last: u64, entries: Vec<Entry>) {
        if !entries.is_empty() {
            let chunk = Arc::new(Chunk::new(last, entries));
            let mut kept = self.kept.lock();
            kept.bytes += chunk.bytes;
            kept.chunks.push_back(chunk);
            while kept.bytes > KEPT_BYTES && kept.chunks.len() > 1 {
                if let Some(oldest) = kept.chunks.pop_front() {
                    kept.bytes -= oldest.bytes;
                    kept.dropped = oldest.last;
                }
            }
        }
        self.flushed.send_replace(last);
    }

    pub(crate) fn subscribe(self: &Arc<Self>) -> Subscription {
        let bell = self.flushed.subscribe();
        let cursor = *bell.borrow();
        Subscription { feed: self.clone(), bell, cursor }
    }

    fn beyond(&self, cursor: u64, flushed: u64) -> Result<Vec<Arc<Chunk>>, Lagged> {
        let kept = self.kept.lock();
        if cursor < kept.dropped {
            return Err(Lagged { cursor, flushed });
        }
        let start = kept.chunks.partition_point(|chunk| chunk.last <= cursor);
        Ok(kept.chunks.range(start..).cloned().collect())
    }
}

/// The listener fell behind what is kept: it must resume from the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the listener is at event {cursor} and the feed at {flushed}, more than is kept; resume with after={cursor}")]
pub struct Lagged {
    /// The last event that the listener saw.
    pub cursor: u64,
    /// The newest event.
    pub flushed: u64,
}

/// A listener's place in the feed.
#[derive(Debug)]
pub struct Subscription {
    feed: Arc<Feed>,
    bell: watch::Receiver<u64>,
    cursor: u64,
}

impl Subscription {
    /// The number of the last event that was taken.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Waits for something new and takes all of it. Cancel safe.
    ///
    /// # Errors
    /// [`Lagged`] when the listener fell behind what is kept. `None` when the server has stopped.
    pub async fn next(&mut self) -> Option<Result<Vec<Arc<Chunk>>, Lagged>> {
        loop {
            let flushed = *self.bell.borrow_and_update();
            if flushed > self.cursor {
                let found = self.feed.beyond(self.cursor, flushed);
                if let Ok(chunks) = &found {
                    self.cursor = chunks.last().map_or(flushed, |chunk| chunk.last.max(flushed));
                    if chunks.is_empty() {
                        continue;
                    }
                }
                return Some(found);
            }
            self.bell.changed().await.ok()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Audience;

    fn entry(seq: u64, size: usize) -> Entry {
        Entry { seq, audience: Audience::Everyone, frame: "x".repeat(size).into(), mail: None }
    }

    #[tokio::test]
    async fn a_listener_gets_everything_after_its_cursor_once() {
        let feed = Arc::new(Feed::new(5));
        let mut listener = feed.subscribe();
        feed.publish(6, vec![entry(6, 1)]);
        feed.publish(7, Vec::new());
        feed.publish(9, vec![entry(8, 1), entry(9, 1)]);
        let chunks = listener.next().await.unwrap().unwrap();
        let seen: Vec<u64> = chunks.iter().flat_map(|chunk| chunk.entries()).map(|entry| entry.seq).collect();
        assert_eq!((seen, listener.cursor()), (vec![6, 8, 9], 9));
        feed.publish(10, vec![entry(10, 1)]);
        assert_eq!(listener.next().await.unwrap().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_listener_that_fell_behind_is_told_and_the_others_are_not() {
        let feed = Arc::new(Feed::new(0));
        let (mut slow, mut quick) = (feed.subscribe(), feed.subscribe());
        for seq in 1..=3 {
            feed.publish(seq, vec![entry(seq, KEPT_BYTES / 2)]);
            assert!(quick.next().await.unwrap().is_ok());
        }
        assert_eq!(slow.next().await.unwrap().unwrap_err(), Lagged { cursor: 0, flushed: 3 });
    }
}
