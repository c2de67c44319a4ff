//! What a connection tells its owner.

use crate::{Frame, connection::Shared};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Notices that wait for their reader; when so many wait, the socket is not read on, and it is the server that
/// keeps what follows.
pub(crate) const QUEUE: usize = 256;

/// Something that happened on a connection.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The connection stands. `resumed` is false when this is its beginning, or when the server's log is not
    /// the one seen before.
    Connected {
        /// What the server said.
        greeting: Frame,
        /// Whether it goes on where the last one ended.
        resumed: bool,
    },
    /// There is no connection; another attempt follows.
    Disconnected {
        /// Why.
        reason: String,
        /// When the next attempt is made.
        retry_in: Duration,
    },
    /// A frame arrived.
    Frame(Frame),
}

/// Receives what happens on a connection, in order. `Disconnected` is left out while the queue is full;
/// nothing else ever is.
#[derive(Debug)]
pub struct Notices {
    pub(crate) queue: mpsc::Receiver<Notice>,
    pub(crate) shared: Arc<Shared>,
}

impl Notices {
    /// The next notice; `None` when the connection is closed for good. Cancel safe.
    pub async fn recv(&mut self) -> Option<Notice> {
        loop {
            let notice = self.queue.recv().await?;
            // It may have been acknowledged while its second copy waited here.
            if let Notice::Frame(frame) = &notice
                && frame.message_id().is_some_and(|id| self.shared.is_acknowledged(id))
            {
                continue;
            }
            return Some(notice);
        }
    }
}
