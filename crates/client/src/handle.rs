//! The cheap end of a connection: sends, acknowledges, closes.

use crate::{Error, connection::Shared, outgoing::Outgoing};
use orchestrator_protocol::{ChangeType, MessageRequest, StatusRequest};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Frames that wait to be written; a sender waits while so many do.
pub(crate) const QUEUE: usize = 256;

/// Sends on a connection, whether it stands at the moment or not. Cheap to clone.
///
/// Every method waits while the queue is full, and fails with [`Error::Closed`] once the connection is closed
/// for good. What the server answers comes as a frame.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) queue: mpsc::Sender<Outgoing>,
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Sets the agent's status, task and workload, now and after every reconnection.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn status_update(&self, status: StatusRequest) -> Result<(), Error> {
        self.put(Outgoing::Status(status)).await
    }

    /// Reports an edit.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn code_change(&self, path: &str, change: ChangeType) -> Result<(), Error> {
        self.put(Outgoing::Change { path: path.to_owned(), change }).await
    }

    /// Sends a message. It is repeated after a lost connection until the server has it; without an idempotency
    /// key it gets one, so that this makes no second message of it.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn agent_message(&self, mut message: MessageRequest) -> Result<(), Error> {
        message.idempotency_key.get_or_insert_with(|| uuid::Uuid::now_v7().to_string());
        self.put(Outgoing::Message(message)).await
    }

    /// Acknowledges a message: it is dealt with and does not come again.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn acknowledge(&self, message_id: &str) -> Result<(), Error> {
        self.shared.acknowledge(message_id);
        self.put(Outgoing::Acknowledgement(message_id.to_owned())).await
    }

    /// Sends a control command such as `*sync:status`, at most once.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn command(&self, command: &str) -> Result<(), Error> {
        self.put(Outgoing::Command(command.to_owned())).await
    }

    /// Closes the connection for good: sends what waits, waits briefly for the server's confirmations, and ends
    /// the running part.
    pub fn close(&self) {
        self.shared.closing.cancel();
    }

    async fn put(&self, outgoing: Outgoing) -> Result<(), Error> {
        if self.shared.closing.is_cancelled() {
            return Err(Error::Closed);
        }
        self.queue.send(outgoing).await.map_err(|_| Error::Closed)
    }
}
