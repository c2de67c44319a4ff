//! Health, control commands and the event feed.

use crate::{Client, Error, http::seconds};
use orchestrator_protocol::{AuditKey, CommandAnswer, CommandRequest, EventPage, Health};
use std::time::Duration;

impl Client {
    /// Carries out a control command such as `*sync:status`.
    ///
    /// # Errors
    /// `unknown_command`, `operator_only`, or why the server could not be asked.
    pub async fn command(&self, command: &str) -> Result<CommandAnswer, Error> {
        self.post(&["command"])?.body(&CommandRequest { command: command.to_owned() }).answer().await
    }

    /// How the server is. A halted server says so here; that is an answer, no error.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub async fn health(&self) -> Result<Health, Error> {
        self.get(&["health"], &[])?.taking(&[503]).answer().await
    }

    /// The server's public key, which signs its log and its receipts.
    ///
    /// # Errors
    /// Why the server could not be asked.
    pub async fn audit_key(&self) -> Result<AuditKey, Error> {
        self.get(&["audit", "key"], &[])?.answer().await
    }

    /// A page of the event feed: push frames, oldest first, and the cursor for the next page. Waits for an
    /// event when there is none after `after`.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn events(
        &self,
        after: Option<u64>,
        limit: Option<u64>,
        wait: Option<Duration>,
    ) -> Result<EventPage, Error> {
        let query = [
            ("after", after.map(|after| after.to_string())),
            ("limit", limit.map(|limit| limit.to_string())),
            ("wait", seconds(wait)),
        ];
        self.get(&["events"], &query)?.waiting(wait).answer().await
    }
}
