//! Messages between agents.

use crate::{AgentId, ErrorCode, InvalidId, Json, ORCHESTRATOR, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Address {
    /// One agent.
    Agent(AgentId),
    /// The least busy agent that can do this.
    Capability(String),
    /// Everyone.
    Everyone,
    /// The server and those who listen on its socket.
    Orchestrator,
}

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Neither `*`, nor `capability:NAME`, nor an agent id.
    #[error("an address is an agent id, 'capability:NAME', 'orchestrator' or '*': {0}")]
    Id(#[from] InvalidId),
    /// `capability:` without a name.
    #[error("'capability:' must be followed by the capability's name")]
    EmptyCapability,
}

impl InvalidAddress {
    /// The stable code that goes with this error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        ErrorCode::InvalidAddress
    }
}

impl std::str::FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if text.eq_ignore_ascii_case(ORCHESTRATOR) {
            return Ok(Self::Orchestrator);
        }
        match text.strip_prefix("capability:") {
            Some(name) if name.trim().is_empty() => Err(InvalidAddress::EmptyCapability),
            Some(name) => Ok(Self::Capability(name.trim().to_owned())),
            None => Ok(Self::Agent(text.parse()?)),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Agent(id) => f.write_str(id.as_str()),
            Self::Capability(name) => write!(f, "capability:{name}"),
            Self::Everyone => f.write_str("*"),
            Self::Orchestrator => f.write_str(ORCHESTRATOR),
        }
    }
}

/// What the sender knows of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// On stable storage, not yet handed over.
    Queued,
    /// Handed over, not acknowledged.
    Delivered,
    /// Acknowledged by its receiver.
    Acknowledged,
    /// Given up after eight tries; kept in the dead-letter list.
    Dead,
}

/// `POST /messages`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageRequest {
    /// Who sends; `orchestrator` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// An agent id, `capability:NAME`, `orchestrator` or `*`.
    pub to: String,
    /// Any JSON value.
    pub payload: Json,
    /// What it is, free text; `message` when left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The message that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// For `*`: put it into every mailbox instead of only announcing it.
    #[serde(default, deserialize_with = "lenient::boolean", skip_serializing_if = "Option::is_none")]
    pub durable: Option<bool>,
    /// The same key from the same sender is the same message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Answer of every route that takes a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SendAnswer {
    /// `success`.
    pub status: String,
    /// The addressee (`/agents/{id}/message` and capability addresses).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// For people.
    pub message: String,
    /// Now.
    pub timestamp: Timestamp,
    /// The message's id.
    pub message_id: String,
    /// What is known of it now.
    pub state: MessageState,
}

/// A message as its sender sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    /// `m` and the number of the event that recorded it.
    pub id: String,
    /// Who sent it.
    pub from: String,
    /// Where it went.
    pub to: String,
    /// The content; null once it was erased.
    pub payload: Option<Json>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was recorded.
    pub timestamp: Timestamp,
    /// The message that it answers.
    pub in_reply_to: Option<String>,
    /// The first message of its thread; its own id when it began one.
    pub thread: String,
    /// The state of the receiver who is furthest behind.
    pub state: MessageState,
    /// Attempts to hand it over, the most of any receiver.
    pub deliveries: u32,
}

/// `GET /messages/{id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageAnswer {
    /// `success`.
    pub status: String,
    /// The message.
    pub message: Message,
}

/// `GET /messages?state=&to=&thread=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageList {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub messages: Vec<Message>,
}

/// A message as its receiver sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InboxMessage {
    /// The message's id.
    pub id: String,
    /// Who sent it.
    pub from: String,
    /// Where it was sent: the agent, a capability or `*`.
    pub to: String,
    /// The content; null once it was erased.
    pub payload: Option<Json>,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it was recorded.
    pub timestamp: Timestamp,
    /// Attempts to hand it over so far.
    pub deliveries: u32,
    /// The message that it answers.
    pub in_reply_to: Option<String>,
}

/// `GET /agents/{id}/inbox?after=&wait=` and `POST /agents/{id}/inbox/claim`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Inbox {
    /// `success`.
    pub status: String,
    /// Oldest first.
    pub messages: Vec<InboxMessage>,
    /// Give this as `after` to see only what is newer.
    pub next: u64,
}

/// `POST /agents/{id}/inbox/claim`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ClaimRequest {
    /// At most so many messages, 1 to 100; 1 when left out.
    #[serde(default, deserialize_with = "lenient::integer", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 100)]
    pub max: Option<u64>,
    /// Wait so many seconds for one, at most 60.
    #[serde(default, deserialize_with = "lenient::double", skip_serializing_if = "Option::is_none")]
    pub wait: Option<f64>,
    /// Hand it to someone else unless acknowledged within so many seconds; 60 when left out.
    #[serde(default, deserialize_with = "lenient::integer", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86400)]
    pub ttl_seconds: Option<u64>,
}

/// Answer to an acknowledgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ack {
    /// `success`.
    pub status: String,
    /// The message.
    pub message_id: String,
    /// What is known of it now.
    pub state: MessageState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written_alike() {
        for text in ["dev-agent", "capability:python", "*", "orchestrator"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert!("capability: ".parse::<Address>().is_err());
        assert!("a/b".parse::<Address>().is_err());
    }
}
