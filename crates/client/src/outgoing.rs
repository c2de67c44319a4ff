//! What is sent on a socket, and what of it the server has not confirmed yet.

use crate::Frame;
use orchestrator_protocol::{ChangeType, ErrorCode, MessageRequest, StatusRequest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::VecDeque;

/// Messages and reports on their way at once; beyond it sending waits for the server.
pub(crate) const MAX_UNCONFIRMED: usize = 1_000;

/// One frame to send.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outgoing {
    Status(StatusRequest),
    Change { path: String, change: ChangeType },
    Message(MessageRequest),
    Acknowledgement(String),
    Command(String),
}

/// A [`MessageRequest`] under the names that frames use.
#[derive(Serialize)]
struct MessageFrame<'a> {
    #[serde(rename = "type")]
    frame: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    to: &'a str,
    payload: &'a orchestrator_protocol::Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_reply_to: Option<&'a str>,
    durable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency_key: Option<&'a str>,
}

impl Outgoing {
    /// The frame's text.
    pub(crate) fn to_json(&self) -> String {
        match self {
            Self::Status(StatusRequest { status, task, workload }) => {
                json!({"type": "status_update", "status": status, "task": task, "workload": workload}).to_string()
            }
            Self::Change { path, change } => {
                json!({"type": "code_change", "file_path": path, "change_type": change}).to_string()
            }
            Self::Message(request) => {
                let frame = MessageFrame {
                    frame: "agent_message",
                    from: request.from.as_deref(),
                    to: &request.to,
                    payload: &request.payload,
                    message_type: request.kind.as_deref(),
                    in_reply_to: request.in_reply_to.as_deref(),
                    durable: request.durable.unwrap_or_default(),
                    idempotency_key: request.idempotency_key.as_deref(),
                };
                // Text and valid JSON only, so this cannot fail.
                serde_json::to_string(&frame).unwrap_or_default()
            }
            Self::Acknowledgement(id) => json!({"type": "message_ack", "original_message": id}).to_string(),
            Self::Command(command) => json!({"type": "command", "command": command}).to_string(),
        }
    }
}

/// Messages and change reports that were written to a socket and not confirmed: they are written again on the
/// next one. Messages carry idempotency keys, so that repeating one makes no second message of it; a report
/// of the same change twice changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Unconfirmed {
    messages: VecDeque<Outgoing>,
    changes: VecDeque<Outgoing>,
}

impl Unconfirmed {
    /// Notes what is being written.
    pub(crate) fn sent(&mut self, outgoing: &Outgoing) {
        match outgoing {
            Outgoing::Message(_) => self.messages.push_back(outgoing.clone()),
            Outgoing::Change { .. } => self.changes.push_back(outgoing.clone()),
            // The newest status is kept elsewhere; an acknowledgement that was lost is made again when the message
            // comes again; a command goes out at most once.
            Outgoing::Status(_) | Outgoing::Acknowledgement(_) | Outgoing::Command(_) => {}
        }
    }

    /// Takes an answer. The server answers frames of one kind in their order; an `error` is laid to the oldest
    /// frame that can have caused it.
    pub(crate) fn answered(&mut self, frame: &Frame) {
        match frame.kind() {
            "agent_message_ack" => {
                self.messages.pop_front();
            }
            "code_change_ack" => {
                self.changes.pop_front();
            }
            "error" => {
                #[derive(Deserialize)]
                struct Refusal {
                    code: ErrorCode,
                }
                if let Some(refused) = self.refused_by(frame.read().ok().map(|refusal: Refusal| refusal.code)) {
                    refused.pop_front();
                }
            }
            _ => {}
        }
    }

    fn refused_by(&mut self, code: Option<ErrorCode>) -> Option<&mut VecDeque<Outgoing>> {
        use ErrorCode as E;
        match code {
            Some(E::InvalidPath | E::InvalidChangeType) => Some(&mut self.changes),
            Some(E::InvalidStatus | E::InvalidWorkload | E::UnknownCommand | E::NotYourMessage) => None,
            Some(E::NoWorkflowDefined | E::OperatorOnly | E::NotSupported | E::WatchUnavailable) => None,
            _ if self.messages.is_empty() => Some(&mut self.changes),
            _ => Some(&mut self.messages),
        }
    }

    /// All of it, to be written again: what was sent first comes first.
    pub(crate) fn again(&self) -> impl Iterator<Item = &Outgoing> {
        self.messages.iter().chain(&self.changes)
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len() + self.changes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::{ClientFrame, Json};

    fn message(n: u32) -> Outgoing {
        Outgoing::Message(MessageRequest {
            from: Some("a".into()),
            to: "b".into(),
            payload: Json::parse("{\"n\":1e400}").unwrap(),
            kind: Some("task".into()),
            in_reply_to: None,
            durable: None,
            idempotency_key: Some(n.to_string()),
        })
    }

    fn change() -> Outgoing {
        Outgoing::Change { path: "a.py".into(), change: ChangeType::Modified }
    }

    #[test]
    fn the_server_reads_what_is_written() {
        let status = StatusRequest { status: Some("busy".into()), task: None, workload: Some(0.5) };
        for (outgoing, expected) in [
            (Outgoing::Status(status.clone()), ClientFrame::StatusUpdate(status)),
            (change(), ClientFrame::CodeChange { file_path: "a.py".into(), change_type: "modified".into() }),
            (
                message(1),
                ClientFrame::AgentMessage {
                    from: Some("a".into()),
                    to: "b".into(),
                    payload: Json::parse("{\"n\":1e400}").unwrap(),
                    message_type: Some("task".into()),
                    in_reply_to: None,
                    durable: false,
                    idempotency_key: Some("1".into()),
                },
            ),
            (Outgoing::Acknowledgement("m4".into()), ClientFrame::MessageAck { message_id: "m4".into() }),
            (Outgoing::Command("*help".into()), ClientFrame::Command("*help".into())),
        ] {
            assert_eq!(ClientFrame::parse(&outgoing.to_json()), Ok(expected));
        }
    }

    #[test]
    fn what_was_not_confirmed_is_sent_again_in_order() {
        let answer = |text: &str| Frame::parse(text).unwrap();
        let mut unconfirmed = Unconfirmed::default();
        for outgoing in [message(1), message(2), change(), Outgoing::Command("*help".into())] {
            unconfirmed.sent(&outgoing);
        }
        unconfirmed.answered(&answer(r#"{"type":"agent_message_ack","message_id":"m4"}"#));
        assert_eq!(unconfirmed.again().cloned().collect::<Vec<_>>(), [message(2), change()]);
        unconfirmed.answered(&answer(r#"{"type":"error","code":"invalid_path"}"#));
        assert_eq!(unconfirmed.again().cloned().collect::<Vec<_>>(), [message(2)]);
        unconfirmed.answered(&answer(r#"{"type":"error","code":"unknown_command"}"#));
        assert_eq!(unconfirmed.len(), 1);
        unconfirmed.answered(&answer(r#"{"type":"error","code":"unknown_agent"}"#));
        assert_eq!(unconfirmed.len(), 0);
    }
}
