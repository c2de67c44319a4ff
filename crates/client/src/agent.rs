//! An agent's connection.

use crate::{Client, Error, Handle, Notices, connection::Connection, connection::Target};
use orchestrator_protocol::RegisterRequest;

/// How an agent connects.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    client: Client,
    register: RegisterRequest,
    acknowledges: bool,
    after: Option<u64>,
}

impl AgentOptions {
    /// An agent of this name that acknowledges its messages and begins with the messages that wait for it and
    /// with whatever happens from now on.
    #[must_use]
    pub fn new(client: Client, agent_id: &str) -> Self {
        let register = RegisterRequest { agent_id: Some(agent_id.to_owned()), ..RegisterRequest::default() };
        Self { client, register, acknowledges: true, after: None }
    }

    /// What it says of itself when it registers. The name stays the one given to [`AgentOptions::new`].
    #[must_use]
    pub fn register(mut self, register: RegisterRequest) -> Self {
        self.register = RegisterRequest { agent_id: self.register.agent_id, ..register };
        self
    }

    /// Acknowledges nothing: a message counts as delivered once it was written to the socket.
    #[must_use]
    pub fn without_acknowledgements(mut self) -> Self {
        self.acknowledges = false;
        self
    }

    /// Begins after an event, the number of the last frame that an earlier run has dealt with.
    #[must_use]
    pub fn after(mut self, seq: u64) -> Self {
        self.after = Some(seq);
        self
    }

    /// The parts. Nothing happens before [`AgentConnection::run`].
    #[must_use]
    pub fn build(self) -> (AgentConnection, Handle, Notices) {
        let Self { client, register, acknowledges, after } = self;
        let target = Target { client, agent: Some(register), acknowledges, after };
        let (connection, handle, notices) = Connection::new(target);
        (AgentConnection(connection), handle, notices)
    }
}

/// An agent's socket, `/ws/agent/{id}`. Registers before each connection, so that a server which does not know
/// the agent any more learns of it again.
#[derive(Debug)]
pub struct AgentConnection(Connection);

impl AgentConnection {
    /// Runs until the handle closes it or the receiver of its notices is dropped.
    ///
    /// # Errors
    /// The server's refusal when it is one that no later attempt changes, such as `invalid_agent_id`;
    /// [`Error::Unconfirmed`] when it was closed with something unsent.
    pub async fn run(self) -> Result<(), Error> {
        self.0.run().await
    }
}
