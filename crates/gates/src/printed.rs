//! What a gate prints, bounded.

use crate::report::TAIL;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

/// Counts what is printed, hands on as much as is allowed, and keeps the end.
pub(crate) struct Printed<'a> {
    reader: &'a Sender<Vec<u8>>,
    /// What the reader has not had room for. While it is there nothing more is read, so that the gate waits.
    held: Option<Vec<u8>>,
    left: u64,
    pub(crate) dropped: u64,
    tail: Vec<u8>,
}

impl<'a> Printed<'a> {
    pub(crate) fn new(limit: u64, reader: &'a Sender<Vec<u8>>) -> Self {
        Self { reader, held: None, left: limit, dropped: 0, tail: Vec::new() }
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        if self.tail.len() + bytes.len() > 8 * TAIL {
            self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        }
        self.tail.extend_from_slice(bytes);
        let allowed = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= allowed as u64;
        self.dropped += (bytes.len() - allowed) as u64;
        if let Some(bytes) = bytes.get(..allowed).filter(|bytes| !bytes.is_empty()) {
            self.held = Some(bytes.to_vec());
        }
    }

    /// Whether more can be taken.
    pub(crate) fn ready(&mut self) -> bool {
        if let Some(bytes) = self.held.take() {
            match self.reader.try_send(bytes) {
                Err(TrySendError::Full(bytes)) => self.held = Some(bytes),
                // Nobody reads any more.
                Ok(()) | Err(TrySendError::Closed(_)) => (),
            }
        }
        self.held.is_none()
    }

    /// Waits until the reader has room.
    pub(crate) fn hand_on(&mut self) {
        if let Some(bytes) = self.held.take() {
            let _ = self.reader.blocking_send(bytes);
        }
    }

    /// Nobody waits for the end any more.
    pub(crate) fn unwanted(&self) -> bool {
        self.reader.is_closed()
    }

    pub(crate) fn tail(mut self) -> Vec<u8> {
        self.tail.split_off(self.tail.len().saturating_sub(TAIL))
    }
}
