//! Messages and mailboxes.

use crate::{Client, Error, http::seconds};
use orchestrator_protocol::{Ack, ClaimRequest, Inbox, Json, Message, MessageAnswer, MessageRequest, SendAnswer};
use reqwest::Method;
use std::time::Duration;

/// Header that makes a repeated message the same message.
const KEY: &str = "idempotency-key";

/// The caller's key, or one of our own.
fn key(given: Option<&str>) -> String {
    given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
}

impl Client {
    /// Sends a message with all that its envelope can say. A lost connection makes no second message of it: without
    /// an idempotency key it gets one. Give it one to be able to repeat the call after a time-out, too.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn send(&self, request: &MessageRequest) -> Result<SendAnswer, Error> {
        let call = self.post(&["messages"])?.repeatable().body(request);
        let call = if request.idempotency_key.is_none() { call.header(KEY, &key(None)) } else { call };
        call.answer().await
    }

    /// Sends a payload to one agent: the short form of [`Client::send`].
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn message(&self, to: &str, payload: &Json, from: Option<&str>) -> Result<SendAnswer, Error> {
        let query = [("from", from.map(str::to_owned))];
        let call = self.request(Method::POST, &["agents", to, "message"], &query)?;
        call.repeatable().header(KEY, &key(None)).body(payload).answer().await
    }

    /// Tells everyone. With `durable` it is put into every mailbox instead of only being announced.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn broadcast(&self, request: &Broadcast<'_>) -> Result<SendAnswer, Error> {
        let query = [
            ("from", request.from.map(str::to_owned)),
            ("type", request.kind.map(str::to_owned)),
            ("durable", request.durable.then(|| "true".to_owned())),
        ];
        let call = self.request(Method::POST, &["broadcast"], &query)?;
        call.repeatable().header(KEY, &key(request.idempotency_key)).body(request.payload).answer().await
    }

    /// What became of a message.
    ///
    /// # Errors
    /// `unknown_message`, or why the server could not be asked.
    pub async fn message_status(&self, id: &str) -> Result<Message, Error> {
        let answer: MessageAnswer = self.get(&["messages", id], &[])?.answer().await?;
        Ok(answer.message)
    }

    /// Reads a mailbox from a cursor on, and waits for a message when there is none. Reading counts as no
    /// delivery and acknowledges nothing.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn inbox(&self, agent: &str, after: Option<u64>, wait: Option<Duration>) -> Result<Inbox, Error> {
        let query = [("after", after.map(|after| after.to_string())), ("wait", seconds(wait))];
        self.get(&["agents", agent, "inbox"], &query)?.waiting(wait).answer().await
    }

    /// Takes messages out of a mailbox for a time: nobody else gets them unless that time passes without an
    /// acknowledgement.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn claim(&self, agent: &str, request: &ClaimRequest) -> Result<Inbox, Error> {
        let wait = request.wait.and_then(|wait| Duration::try_from_secs_f64(wait).ok());
        self.post(&["agents", agent, "inbox", "claim"])?.waiting(wait).body(request).answer().await
    }

    /// Acknowledges a message of the agent's own mailbox: it is dealt with.
    ///
    /// # Errors
    /// `not_your_message`, or why the server could not be asked.
    pub async fn acknowledge(&self, agent: &str, message_id: &str) -> Result<Ack, Error> {
        self.post(&["agents", agent, "inbox", message_id, "ack"])?.repeatable().answer().await
    }
}

/// A message for everyone.
#[derive(Debug, Clone, Copy)]
pub struct Broadcast<'a> {
    /// The content.
    pub payload: &'a Json,
    /// Who sends; `orchestrator` when left out.
    pub from: Option<&'a str>,
    /// What it is; `message` when left out.
    pub kind: Option<&'a str>,
    /// Put it into every mailbox instead of only announcing it.
    pub durable: bool,
    /// The same key from the same sender is the same message.
    pub idempotency_key: Option<&'a str>,
}
