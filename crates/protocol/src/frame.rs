//! Frames of the two sockets, apart from pushes.

use crate::{CommandAnswer, ErrorBody, ErrorCode, Json, MAX_DEPTH, StatusRequest, SyncStatus, Timestamp};
use serde::{Deserialize, Serialize};

/// A frame from a client.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the documented frames, described in docs/PROTOCOL.md")]
pub enum ClientFrame {
    /// Answered with `pong`.
    Ping,
    /// Tolerated: a sign of life.
    Pong,
    /// Answered with `status_response`.
    GetStatus,
    /// An agent's status, task and workload.
    StatusUpdate(StatusRequest),
    /// An agent's report of an edit.
    CodeChange { file_path: String, change_type: String },
    /// A message for `to`.
    AgentMessage {
        from: Option<String>,
        to: String,
        payload: Json,
        message_type: Option<String>,
        in_reply_to: Option<String>,
        durable: bool,
        idempotency_key: Option<String>,
    },
    /// The receiver has dealt with a message.
    MessageAck { message_id: String },
    /// A control command.
    Command(String),
}

/// Why a frame could not be read. The socket stays open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No JSON.
    #[error("the frame is not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object with a `type`.
    #[error("a frame is a JSON object with a string 'type'")]
    NoType,
    /// Nested too deeply.
    #[error("the frame is nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// A type that no client sends.
    #[error("frames of type '{0}' are not known")]
    UnknownType(String),
    /// The right type with the wrong fields.
    #[error("a frame of type '{0}' has other fields: {1}")]
    Fields(String, String),
}

impl FrameError {
    /// The stable code that goes with this error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotJson(_) => ErrorCode::InvalidJson,
            Self::TooDeep => ErrorCode::TooDeep,
            Self::UnknownType(_) => ErrorCode::UnknownFrame,
            Self::NoType | Self::Fields(..) => ErrorCode::InvalidRequest,
        }
    }
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct CodeChangeFields {
    file_path: String,
    #[serde(default = "modified")]
    change_type: String,
}

fn modified() -> String {
    "modified".to_owned()
}

#[derive(Deserialize)]
struct MessageFields {
    #[serde(default)]
    from: Option<String>,
    to: String,
    #[serde(default = "empty")]
    payload: Json,
    #[serde(default)]
    message_type: Option<String>,
    #[serde(default)]
    in_reply_to: Option<String>,
    #[serde(default)]
    durable: bool,
    #[serde(default)]
    idempotency_key: Option<String>,
}

fn empty() -> Json {
    serde_json::Value::Object(serde_json::Map::new()).into()
}

#[derive(Deserialize)]
struct AckFields {
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    original_message: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct CommandFields {
    command: String,
}

impl ClientFrame {
    /// Reads a text frame.
    ///
    /// # Errors
    /// [`FrameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        let trimmed = text.trim_start();
        if trimmed.starts_with('*') {
            return Ok(Self::Command(trimmed.trim_end().to_owned()));
        }
        if Json::is_too_deep(trimmed) {
            return Err(FrameError::TooDeep);
        }
        if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(trimmed) {
            return Err(FrameError::NotJson(error.to_string()));
        }
        let head: Head = serde_json::from_str(trimmed).map_err(|_| FrameError::NoType)?;
        fn fields<'a, T: Deserialize<'a>>(kind: &str, text: &'a str) -> Result<T, FrameError> {
            serde_json::from_str(text).map_err(|error| FrameError::Fields(kind.to_owned(), error.to_string()))
        }
        let kind = head.kind.as_str();
        Ok(match kind {
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "get_status" => Self::GetStatus,
            "status_update" => Self::StatusUpdate(fields(kind, trimmed)?),
            "code_change" => {
                let CodeChangeFields { file_path, change_type } = fields(kind, trimmed)?;
                Self::CodeChange { file_path, change_type }
            }
            "agent_message" => {
                let MessageFields { from, to, payload, message_type, in_reply_to, durable, idempotency_key } =
                    fields(kind, trimmed)?;
                Self::AgentMessage { from, to, payload, message_type, in_reply_to, durable, idempotency_key }
            }
            "message_ack" => {
                let fields: AckFields = fields(kind, trimmed)?;
                let message_id = fields.message_id.or_else(|| acknowledged_id(fields.original_message?));
                Self::MessageAck { message_id: message_id.unwrap_or_default() }
            }
            "command" => Self::Command(fields::<CommandFields>(kind, trimmed)?.command),
            _ => return Err(FrameError::UnknownType(head.kind)),
        })
    }
}

/// The documented client acknowledges with the whole frame as `original_message`; an id is taken too.
fn acknowledged_id(original: serde_json::Value) -> Option<String> {
    match original {
        serde_json::Value::String(id) => Some(id),
        serde_json::Value::Object(frame) => {
            ["message_id", "id"].iter().find_map(|key| frame.get(*key)?.as_str()).map(str::to_owned)
        }
        _ => None,
    }
}

/// A frame from the server that is no push: greetings and answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the documented frames, described in docs/PROTOCOL.md")]
pub enum ServerFrame<'a> {
    /// Greeting of `/ws/orchestrator`.
    ConnectionEstablished { connection_id: &'a str, message: &'a str, timestamp: Timestamp, seq: u64 },
    /// Greeting of `/ws/agent/{id}`.
    AgentConnectionEstablished {
        agent_id: &'a str,
        connection_id: &'a str,
        message: &'a str,
        timestamp: Timestamp,
        seq: u64,
    },
    /// Answer to `ping`.
    Pong { timestamp: Timestamp },
    /// Answer to `get_status`.
    StatusResponse { status: SyncStatus, timestamp: Timestamp },
    /// Answer to `status_update`.
    StatusUpdateAck { agent_id: &'a str, timestamp: Timestamp },
    /// Answer to `code_change`.
    CodeChangeAck { file_path: &'a str, change_type: &'a str, timestamp: Timestamp },
    /// Answer to `agent_message`: it is on stable storage.
    AgentMessageAck { message_id: &'a str, state: crate::MessageState, timestamp: Timestamp },
    /// What the client sent could not be done. The socket stays open.
    Error { code: ErrorCode, detail: &'a str, message: &'a str, hint: &'a str, timestamp: Timestamp },
}

impl ServerFrame<'_> {
    /// The frame's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every field is text, a finite number or one of the crate's words, so this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The `error` frame for an error body.
#[must_use]
pub(crate) fn error_frame(body: &ErrorBody, timestamp: Timestamp) -> String {
    ServerFrame::Error { code: body.code, detail: &body.detail, message: &body.message, hint: &body.hint, timestamp }
        .to_json()
}

impl ErrorBody {
    /// The `error` frame that carries this body on a socket.
    #[must_use]
    pub fn to_frame(&self, timestamp: Timestamp) -> String {
        error_frame(self, timestamp)
    }
}

impl CommandAnswer {
    /// The `command_response` frame, which is the same as the HTTP answer.
    #[must_use]
    pub fn to_frame(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_frames_are_read() {
        let frame = ClientFrame::parse(
            r#"{"type":"status_update","status":"busy","task":"t","workload":0.8,"timestamp":"2025-01-27T10:30:00Z"}"#,
        );
        let expected = StatusRequest { status: Some("busy".into()), task: Some("t".into()), workload: Some(0.8) };
        assert_eq!(frame, Ok(ClientFrame::StatusUpdate(expected)));
        assert_eq!(
            ClientFrame::parse(r#"{"type":"code_change","file_path":"a.py","change_type":"modified"}"#),
            Ok(ClientFrame::CodeChange { file_path: "a.py".into(), change_type: "modified".into() })
        );
        assert_eq!(ClientFrame::parse(" *sync:status\n"), Ok(ClientFrame::Command("*sync:status".into())));
        assert_eq!(
            ClientFrame::parse(r#"{"type":"command","command":"*help"}"#),
            Ok(ClientFrame::Command("*help".into()))
        );
    }

    #[test]
    fn an_acknowledgement_names_its_message_by_id_or_by_frame() {
        for text in [
            r#"{"type":"message_ack","original_message":"m4"}"#,
            r#"{"type":"message_ack","original_message":{"type":"agent_message","message_id":"m4"}}"#,
            r#"{"type":"message_ack","original_message":{"id":"m4"},"timestamp":"2025-01-27T10:30:00Z"}"#,
            r#"{"type":"message_ack","message_id":"m4"}"#,
        ] {
            assert_eq!(ClientFrame::parse(text), Ok(ClientFrame::MessageAck { message_id: "m4".into() }), "{text}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_with_its_reason() {
        let deep = "[".repeat(100_000);
        for (text, code) in [
            ("", ErrorCode::InvalidJson),
            ("{", ErrorCode::InvalidJson),
            ("[]", ErrorCode::InvalidRequest),
            ("{}", ErrorCode::InvalidRequest),
            (r#"{"type":4}"#, ErrorCode::InvalidRequest),
            (r#"{"type":"nonsense"}"#, ErrorCode::UnknownFrame),
            (r#"{"type":"agent_message"}"#, ErrorCode::InvalidRequest),
            (r#"{"type":"status_update","workload":"much"}"#, ErrorCode::InvalidRequest),
            (deep.as_str(), ErrorCode::TooDeep),
        ] {
            assert_eq!(ClientFrame::parse(text).unwrap_err().code(), code, "{text:.40}");
        }
    }
}
