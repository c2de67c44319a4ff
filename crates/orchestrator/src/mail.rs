//! Messages with their bodies: what the state knows, joined with what the log holds.

use crate::event::decode;
use crate::render::{Entry, render};
use crate::{Error, Event, Orchestrator};
use orchestrator_log::{Payload, Record};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{AgentId, InboxMessage, Json, Message, MessageState, Timestamp};
use std::time::Duration;

/// Messages that one page of an inbox holds at most.
const PAGE: usize = 200;

/// What the log holds of a message.
struct Stored {
    from: String,
    to: String,
    kind: String,
    in_reply_to: Option<u64>,
    key: Option<String>,
    at: i64,
    body: Option<Json>,
}

impl Orchestrator {
    /// The unacknowledged messages of an agent with a number above `after`, oldest first, one page of them.
    /// Waits up to `wait` for one. Reading changes nothing.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn inbox(&self, agent: &AgentId, after: u64, wait: Duration) -> Result<Vec<InboxMessage>, Error> {
        let deadline = tokio::time::Instant::now() + wait;
        let mut feed = self.subscribe();
        loop {
            let standing = self.standing(agent, after).await?;
            if !standing.is_empty() {
                return self.bodies(standing).await;
            }
            if tokio::time::timeout_at(deadline, feed.next()).await.is_err() {
                return Ok(Vec::new());
            }
        }
    }

    async fn standing(&self, agent: &AgentId, after: u64) -> Result<Vec<(u64, u32)>, Error> {
        self.read(|state| {
            let own = state.mailbox.inbox(agent, after);
            own.take(PAGE).map(|(message, receipt)| (message, receipt.deliveries)).collect()
        })
        .await
    }

    /// Messages by their numbers, each with its deliveries, as their receiver sees them.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn bodies(&self, standing: Vec<(u64, u32)>) -> Result<Vec<InboxMessage>, Error> {
        self.with_log(move |this| {
            let mut messages = Vec::with_capacity(standing.len());
            for (message, deliveries) in standing {
                if let Some(stored) = this.stored(message)? {
                    messages.push(InboxMessage {
                        id: format!("m{message}"),
                        from: stored.from,
                        to: stored.to,
                        payload: stored.body,
                        kind: stored.kind,
                        timestamp: Timestamp(stored.at),
                        deliveries,
                        in_reply_to: stored.in_reply_to.map(|id| format!("m{id}")),
                    });
                }
            }
            Ok(messages)
        })
        .await
    }

    /// The idempotency keys with which messages were sent, in the order asked; `None` where there was none.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn message_keys(&self, messages: Vec<u64>) -> Result<Vec<Option<String>>, Error> {
        self.with_log(move |this| {
            let key = |message| Ok(this.stored(message)?.and_then(|stored| stored.key));
            messages.into_iter().map(key).collect()
        })
        .await
    }

    /// A message as its sender sees it.
    ///
    /// # Errors
    /// [`mailbox::Error::Unknown`] when it was never sent or is older than what is kept.
    pub async fn message(&self, id: u64) -> Result<Message, Error> {
        let unknown = || Error::Mailbox(mailbox::Error::Unknown(id));
        let standing = self.read(|state| state.mailbox.standing(id)).await?.ok_or_else(unknown)?;
        let stored = self.with_log(move |this| this.stored(id)).await?.ok_or_else(unknown)?;
        Ok(Message {
            id: format!("m{id}"),
            from: stored.from,
            to: stored.to,
            payload: stored.body,
            kind: stored.kind,
            timestamp: Timestamp(stored.at),
            in_reply_to: stored.in_reply_to.map(|id| format!("m{id}")),
            thread: format!("m{}", standing.thread),
            state: standing.state,
            deliveries: standing.deliveries,
        })
    }

    /// Messages on their way or dead, as their senders see them: those in a state, of a thread, or for an agent.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn messages(
        &self,
        state: Option<MessageState>,
        thread: Option<u64>,
        receiver: Option<&AgentId>,
    ) -> Result<Vec<Message>, Error> {
        let key = receiver.map(AgentId::key);
        let found: Vec<u64> = self
            .read(|all| {
                let waiting = all.mailbox.waiting();
                let matching = waiting.filter(|(_, waiting)| {
                    let receipts = &waiting.receipts;
                    let in_state = |wanted| match &key {
                        Some(key) => receipts.get(key).is_some_and(|receipt| receipt.state == wanted),
                        None => receipts.values().any(|receipt| receipt.state == wanted),
                    };
                    state.is_none_or(in_state)
                        && thread.is_none_or(|thread| waiting.thread == thread)
                        && key.as_ref().is_none_or(|key| receipts.contains_key(key))
                });
                matching.map(|(message, _)| message).take(PAGE).collect()
            })
            .await?;
        let mut messages = Vec::with_capacity(found.len());
        for id in found {
            match self.message(id).await {
                Ok(message) => messages.push(message),
                // It ended between the two reads.
                Err(Error::Mailbox(mailbox::Error::Unknown(_))) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(messages)
    }

    /// The frame that hands a message over, as the feed carried it when it was sent; `None` when it is not in
    /// the log.
    ///
    /// # Errors
    /// Only when the log failed.
    pub async fn message_frame(&self, id: u64) -> Result<Option<Entry>, Error> {
        self.with_log(move |this| {
            let Some(record) = this.shared.reader.record(id).map_err(internal)? else { return Ok(None) };
            Ok(entries_of(&record)?.into_iter().find(|entry| entry.seq == id))
        })
        .await
    }

    fn stored(&self, id: u64) -> Result<Option<Stored>, Error> {
        let Some(record) = self.shared.reader.record(id).map_err(internal)? else { return Ok(None) };
        let events = decode(record.seq, record.version, &record.facts).map_err(internal)?;
        let event = (record.seq..).zip(events).find(|(seq, _)| *seq == id).map(|(_, event)| event);
        let Some(Event::Mailbox(mailbox::Event::Sent { from, to, kind, in_reply_to, key, at, .. })) = event else {
            return Ok(None);
        };
        Ok(Some(Stored { from, to, kind, in_reply_to, key, at, body: body_of(&record) }))
    }

    /// Runs a read of the log where it may block.
    pub(crate) async fn with_log<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || read(&this)).await.map_err(internal)?
    }
}

/// The body of a record; `None` when it has none, or it was erased.
pub(crate) fn body_of(record: &Record) -> Option<Json> {
    match &record.payload {
        Payload::Present(bytes) => Json::parse(std::str::from_utf8(bytes).ok()?).ok(),
        Payload::None | Payload::Erased => None,
    }
}

/// What listeners are told of a record.
pub(crate) fn entries_of(record: &Record) -> Result<Vec<Entry>, Error> {
    let events = decode(record.seq, record.version, &record.facts).map_err(internal)?;
    let body = body_of(record);
    Ok((record.seq..).zip(&events).filter_map(|(seq, event)| render(seq, record.at, event, body.as_ref())).collect())
}

/// An error that is ours and not the caller's.
pub(crate) fn internal(error: impl std::fmt::Display) -> Error {
    tracing::error!(%error, "internal error");
    Error::Internal(error.to_string())
}
