//! The connection of someone who looks on.

use crate::{Client, Error, Handle, Notices, connection::Connection, connection::Target};

/// How a listener connects.
#[derive(Debug, Clone)]
pub struct ListenerOptions {
    client: Client,
    after: Option<u64>,
}

impl ListenerOptions {
    /// A listener that begins with whatever happens from now on.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, after: None }
    }

    /// Begins after an event, the number of the last frame that an earlier run has dealt with; 0 begins with the
    /// first that is kept.
    #[must_use]
    pub fn after(mut self, seq: u64) -> Self {
        self.after = Some(seq);
        self
    }

    /// The parts. Nothing happens before [`Listener::run`].
    #[must_use]
    pub fn build(self) -> (Listener, Handle, Notices) {
        let target = Target { client: self.client, agent: None, acknowledges: false, after: self.after };
        let (connection, handle, notices) = Connection::new(target);
        (Listener(connection), handle, notices)
    }
}

/// The orchestrator's socket, `/ws/orchestrator`: everything that happens, messages between agents included.
#[derive(Debug)]
pub struct Listener(Connection);

impl Listener {
    /// Runs until the handle closes it or the receiver of its notices is dropped.
    ///
    /// # Errors
    /// The server's refusal when it is one that no later attempt changes; [`Error::Unconfirmed`] when it was
    /// closed with something unsent.
    pub async fn run(self) -> Result<(), Error> {
        self.0.run().await
    }
}
