//! The queue between a connection's task and the wire.

use bytes::Bytes;
use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;

/// Pieces that may wait for the wire.
const PIECES: usize = 4;
/// Largest piece, in bytes: with [`PIECES`] this bounds what a peer that does not read can hold.
const PIECE: usize = 64 * 1024;
/// How long a full queue may stand still.
const STUCK: Duration = Duration::from_secs(30);

/// The peer is gone, or does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// The connection is closed.
    Closed,
    /// The queue has stood still for too long.
    Stuck,
}

/// The end that the task writes to.
pub(super) struct Outbound(mpsc::Sender<Bytes>);

/// The end that the response body drains.
pub(super) struct Queue(mpsc::Receiver<Bytes>);

pub(super) fn channel() -> (Outbound, Queue) {
    let (sender, receiver) = mpsc::channel(PIECES);
    (Outbound(sender), Queue(receiver))
}

impl Outbound {
    /// Waits for room and hands the bytes over.
    pub(super) async fn send(&self, mut bytes: Bytes) -> Result<(), Gone> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            if let Err(full) = self.0.try_send(piece) {
                let piece = full.into_inner();
                match tokio::time::timeout(STUCK, self.0.send(piece)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return Err(Gone::Closed),
                    Err(_) => return Err(Gone::Stuck),
                }
            }
        }
        Ok(())
    }

    /// Hands the last bytes over if there is room.
    pub(super) fn try_send(&self, bytes: Bytes) {
        // A peer that does not read cannot be told why it is closed, either.
        let _no_room = self.0.try_send(bytes);
    }
}

impl Queue {
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(Ok))
    }
}
