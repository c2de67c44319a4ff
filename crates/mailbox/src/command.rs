//! What can be asked of the mailboxes, and what happens then.

use orchestrator_protocol::AgentId;
use serde::{Deserialize, Serialize};

/// What can be asked of the mailboxes.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Send a message to agents that are known to exist; to nobody when it is a notice for all who listen.
    Send {
        /// Who sends: an agent's id, or `orchestrator`.
        from: String,
        /// The address as written.
        to: String,
        /// Those whom the address stands for.
        recipients: Vec<AgentId>,
        /// What it is.
        kind: String,
        /// The message that it answers.
        in_reply_to: Option<u64>,
        /// The same key from the same sender is the same message.
        key: Option<String>,
        /// Hash of everything that makes the message what it is, to tell a repetition from a reuse of the key.
        digest: String,
    },
    /// Messages were written to a socket of their addressee.
    Delivered {
        /// The addressee.
        agent: AgentId,
        /// Which.
        messages: Vec<u64>,
        /// Whether the socket acknowledges, so that a term must run.
        acknowledges: bool,
    },
    /// Take the oldest messages, for a term.
    Claim {
        /// The addressee.
        agent: AgentId,
        /// At most so many.
        max: usize,
        /// For so long, in seconds.
        ttl_seconds: u64,
    },
    /// Take one message, chosen by the receiver, for a term; a term that runs already begins anew.
    Take {
        /// The addressee.
        agent: AgentId,
        /// Which.
        message: u64,
        /// For so long, in seconds.
        ttl_seconds: u64,
    },
    /// The receiver has dealt with a message. Twice is no error.
    Acknowledge {
        /// The addressee.
        agent: AgentId,
        /// Which.
        message: u64,
    },
    /// The term of a delivery is over.
    TermOver {
        /// The addressee.
        agent: AgentId,
        /// The delivery, by its event's number.
        delivery: u64,
    },
    /// Try a dead message anew.
    Revive {
        /// Which.
        message: u64,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Command`")]
pub enum Event {
    /// A message was accepted. Its body is the record's payload.
    Sent {
        from: String,
        to: String,
        recipients: Vec<AgentId>,
        kind: String,
        in_reply_to: Option<u64>,
        thread: Option<u64>,
        key: Option<String>,
        digest: String,
        at: i64,
    },
    /// Messages were handed over. A `term` in seconds runs where the receiver acknowledges.
    Delivered { agent: AgentId, messages: Vec<u64>, term: Option<u64> },
    /// A receiver has dealt with a message.
    Acknowledged { agent: AgentId, message: u64 },
    /// A message is to be handed over again.
    Returned { agent: AgentId, message: u64 },
    /// A message was given up.
    Died { agent: AgentId, message: u64, from: String, deliveries: u32 },
}
