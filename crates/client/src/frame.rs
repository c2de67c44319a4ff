//! Frames as they arrive.

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A frame from the server, kept as its text so that nothing of it is lost or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    text: Box<str>,
    kind: Box<str>,
    seq: Option<u64>,
    message_id: Option<Box<str>>,
    pub(crate) is_redelivery: bool,
}

/// What tells frames apart; the rest is read by who needs it.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Box<str>,
    #[serde(default)]
    seq: Option<u64>,
    #[serde(default)]
    message_id: Option<Box<str>>,
}

impl Frame {
    /// Reads a frame's text.
    ///
    /// # Errors
    /// The parser's error when it is no JSON object with a string `type`.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let Head { kind, seq, message_id } = serde_json::from_str(text)?;
        Ok(Self { text: text.into(), kind, seq, message_id, is_redelivery: false })
    }

    /// Its text, one JSON object, as the server wrote it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its sequence number; greetings and answers to what was sent resume nothing.
    #[must_use]
    pub fn seq(&self) -> Option<u64> {
        self.seq
    }

    /// Whether it carries a message for an agent or for everyone.
    #[must_use]
    pub fn is_message(&self) -> bool {
        matches!(self.kind(), "agent_message" | "broadcast_message")
    }

    /// The id of the message that it carries: acknowledge it once it is dealt with. (Acknowledging an announcement
    /// that stands in no mailbox changes nothing.)
    #[must_use]
    pub fn message_id(&self) -> Option<&str> {
        self.message_id.as_deref().filter(|_| self.is_message())
    }

    /// Whether the message was received before and has not been acknowledged since.
    #[must_use]
    pub fn is_redelivery(&self) -> bool {
        self.is_redelivery
    }

    /// The frame as a type, such as the push bodies of `orchestrator_protocol`.
    ///
    /// # Errors
    /// The parser's error when it has other fields.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::AgentMessagePush;

    #[test]
    fn a_message_is_read_and_its_payload_keeps_its_text() {
        let text = r#"{"type":"agent_message","from":"a","to":"b","payload":{"n":1e400},"message_id":"m7","message_type":"task","in_reply_to":null,"seq":7,"timestamp":"2025-01-27T10:30:00.000Z"}"#;
        let frame = Frame::parse(text).unwrap();
        assert_eq!((frame.kind(), frame.seq(), frame.message_id()), ("agent_message", Some(7), Some("m7")));
        let message: AgentMessagePush = frame.read().unwrap();
        assert_eq!(message.payload.unwrap().as_str(), r#"{"n":1e400}"#);
        assert_eq!(frame.text(), text);
    }

    #[test]
    fn an_answer_that_names_a_message_is_no_message() {
        let frame = Frame::parse(r#"{"type":"agent_message_ack","message_id":"m7","state":"queued"}"#).unwrap();
        assert_eq!((frame.is_message(), frame.message_id(), frame.seq()), (false, None, None));
        assert!(Frame::parse("[]").is_err() && Frame::parse(r#"{"seq":1}"#).is_err());
    }
}
