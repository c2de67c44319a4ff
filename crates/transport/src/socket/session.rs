//! One connection's task.

use super::incoming::{Incoming, Received};
use super::outbound::{Gone, Outbound};
use super::{Role, close, encode, frames};
use crate::answer::Refusal;
use crate::context::Context;
use crate::routes::now;
use actix_web::web;
use bytes::{Bytes, BytesMut};
use orchestrator::{Actor, Chunk, Command, Entry, Presence, Subscription};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{ClientFrame, ErrorCode, MessageState, ServerFrame};
use orchestrator_registry as registry;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often a peer is pinged; its answer is a sign of life.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A peer that sent nothing for so long, no answer to a ping either, is closed.
const SILENT_AFTER: Duration = Duration::from_secs(65);
/// Frames read from the log at once when a connection resumes.
const RESUME_PAGE: usize = 500;

/// A connection.
pub(super) struct Session {
    context: web::Data<Context>,
    role: Role,
    /// The agent's key; empty on the orchestrator's socket.
    key: String,
    outbound: Outbound,
    acknowledges: bool,
    presence: Option<Arc<Presence>>,
    heard: Instant,
}

/// Why a connection ends.
enum End {
    /// Say goodbye with a code and a reason.
    Close(u16, String),
    /// There is nobody to say it to.
    Gone,
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Closed => Self::Gone,
            Gone::Stuck => Self::Close(close::SLOW_READER, "too slow; resume with ?after=SEQ".to_owned()),
        }
    }
}

impl From<orchestrator::Error> for End {
    fn from(error: orchestrator::Error) -> Self {
        tracing::error!(%error, "a socket could not be served");
        Self::Close(1011, "the server failed; resume with ?after=SEQ".to_owned())
    }
}

impl Session {
    pub(super) fn new(context: web::Data<Context>, role: Role, outbound: Outbound, acknowledges: bool) -> Self {
        context.socket_opened();
        let key = match &role {
            Role::Orchestrator => String::new(),
            Role::Agent(id) => id.key(),
        };
        Self { context, role, key, outbound, acknowledges, presence: None, heard: Instant::now() }
    }

    pub(super) async fn run(mut self, mut incoming: Incoming, after: Option<u64>) {
        let mut feed = self.context.orchestrator.subscribe();
        let end = match self.begin(&feed, after).await {
            Ok(()) => self.serve(&mut incoming, &mut feed).await,
            Err(end) => end,
        };
        if let End::Close(code, reason) = end {
            tracing::debug!(code, reason, "WebSocket closed");
            self.outbound.try_send(encode::close(code, &reason));
        }
    }

    /// Greets, then brings the peer up to where the feed goes on.
    async fn begin(&mut self, feed: &Subscription, after: Option<u64>) -> Result<(), End> {
        self.take_presence();
        let connection_id = uuid::Uuid::now_v7().to_string();
        let (timestamp, seq) = (now(), feed.cursor());
        let greeting = match &self.role {
            Role::Orchestrator => ServerFrame::ConnectionEstablished {
                connection_id: &connection_id,
                message: "Connected to orchestration service",
                timestamp,
                seq,
            },
            Role::Agent(id) => ServerFrame::AgentConnectionEstablished {
                agent_id: id.as_str(),
                connection_id: &connection_id,
                message: "Agent connected to orchestration service",
                timestamp,
                seq,
            },
        };
        tracing::info!(connection_id, agent = self.key, "WebSocket connected to orchestration service");
        self.outbound.send(encode::text(&greeting.to_json())).await?;
        if let Some(after) = after {
            self.resume(after, seq).await?;
        }
        self.pending_mail(after, seq).await
    }

    /// What was told between the peer's last event and the live feed.
    async fn resume(&mut self, after: u64, until: u64) -> Result<(), End> {
        let mut after = after;
        while after < until {
            let history = self.context.orchestrator.history(after, RESUME_PAGE).await?;
            let entries = history.entries.into_iter().filter(|entry| entry.seq <= until).collect::<Vec<_>>();
            self.deliver(&entries).await?;
            after = history.next.max(after + u64::from(history.complete));
        }
        Ok(())
    }

    /// Messages that wait: on a fresh connection all that nobody acknowledged, on a resumed one those from
    /// before it that were never handed over or came back.
    async fn pending_mail(&mut self, after: Option<u64>, until: u64) -> Result<(), End> {
        let Role::Agent(agent) = &self.role else { return Ok(()) };
        let waiting: Vec<u64> = self
            .context
            .orchestrator
            .read(|state| {
                let own = state.mailbox.inbox(agent, 0).take_while(|(message, _)| *message <= until);
                let due = own.filter(|(message, receipt)| match after {
                    None => receipt.term.is_none(),
                    Some(after) => *message <= after && receipt.state == MessageState::Queued,
                });
                due.map(|(message, _)| message).collect()
            })
            .await?;
        self.hand_over(waiting).await
    }

    /// Sends messages by their numbers, as they were sent first.
    async fn hand_over(&mut self, messages: Vec<u64>) -> Result<(), End> {
        for message in &messages {
            if let Some(entry) = self.context.orchestrator.message_frame(*message).await? {
                self.outbound.send(encode::text(&entry.frame)).await?;
            }
        }
        self.delivered(messages);
        Ok(())
    }

    async fn serve(&mut self, incoming: &mut Incoming, feed: &mut Subscription) -> End {
        let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        let shutdown = self.context.shutdown.clone();
        loop {
            let step = tokio::select! {
                received = incoming.next() => match received {
                    Some(received) => self.received(received).await,
                    None => Err(End::Gone),
                },
                news = feed.next() => match news {
                    Some(Ok(chunks)) => self.news(&chunks).await,
                    Some(Err(lagged)) => Err(End::Close(close::SLOW_READER, lagged.to_string())),
                    None => Err(End::Close(1001, "the server has stopped".to_owned())),
                },
                _ = ping.tick() => self.ping().await,
                () = shutdown.cancelled() => Err(End::Close(1001, "the server is shutting down".to_owned())),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn ping(&mut self) -> Result<(), End> {
        if self.heard.elapsed() > SILENT_AFTER {
            return Err(End::Close(close::SILENT, "no answer to pings".to_owned()));
        }
        Ok(self.outbound.send(encode::ping()).await?)
    }

    async fn received(&mut self, received: Received) -> Result<(), End> {
        self.heard = Instant::now();
        match received {
            Received::Text(text) => self.text(&text).await?,
            Received::Binary => {
                let refusal = Refusal::new(ErrorCode::InvalidJson, "frames are text, not binary", "send JSON as text");
                self.outbound.send(encode::text(&refusal.0.to_frame(now()))).await?;
            }
            Received::Ping(content) => self.outbound.send(encode::pong(&content)).await?,
            Received::Pong => {}
            Received::Close => return Err(End::Close(1000, String::new())),
            Received::Broken(code, reason) => return Err(End::Close(code, reason)),
        }
        if let (Some(presence), Role::Agent(agent)) = (&self.presence, &self.role) {
            self.context.orchestrator.heard(agent, presence);
        }
        Ok(())
    }

    async fn text(&mut self, text: &Bytes) -> Result<(), End> {
        let reply = match std::str::from_utf8(text) {
            Ok(text) => match ClientFrame::parse(text).map_err(frames::unreadable) {
                Ok(frame) => self.frame(frame).await,
                Err(refusal) => Err(refusal),
            },
            Err(_) => return Err(End::Close(1007, "a text frame is UTF-8".to_owned())),
        };
        let reply = reply.unwrap_or_else(|refusal| Some(refusal.0.to_frame(now())));
        match reply {
            Some(reply) => Ok(self.outbound.send(encode::text(&reply)).await?),
            None => Ok(()),
        }
    }

    async fn frame(&mut self, frame: ClientFrame) -> frames::Reply {
        if self.presence.is_none()
            && let Role::Agent(agent) = self.role.clone()
        {
            // Connecting without registering is allowed: the first frame registers.
            let registration = registry::Registration::default();
            let command = registry::Command::Register { agent: agent.clone(), registration, only_if_absent: true };
            self.context.orchestrator.submit(Actor::Agent(agent), Command::Registry(command)).await?;
            self.take_presence();
        }
        if matches!(frame, ClientFrame::MessageAck { .. }) {
            self.acknowledges = true;
        }
        frames::carry_out(&self.context, &self.role, frame).await
    }

    fn take_presence(&mut self) {
        if let (None, Role::Agent(agent)) = (&self.presence, &self.role)
            && let Some(presence) = self.context.orchestrator.presence(agent)
        {
            presence.connected();
            self.context.orchestrator.heard(agent, &presence);
            self.presence = Some(presence);
        }
    }

    /// What a flush published.
    async fn news(&mut self, chunks: &[Arc<Chunk>]) -> Result<(), End> {
        for chunk in chunks {
            if chunk.is_uniform() {
                self.outbound.send(chunk.encoded(|entries| encode::entries(entries))).await?;
            } else {
                self.deliver(chunk.entries()).await?;
            }
        }
        Ok(())
    }

    /// The frames that are for this peer, in one piece, and the messages among them.
    async fn deliver(&mut self, entries: &[Entry]) -> Result<(), End> {
        let agent = matches!(self.role, Role::Agent(_));
        let mut buffer = BytesMut::new();
        let (mut handed_over, mut again) = (Vec::new(), Vec::new());
        for entry in entries {
            if if agent { entry.is_for(&self.key) } else { entry.is_public() } {
                encode::put_text(&mut buffer, &entry.frame);
            }
            if let Some(mail) = &entry.mail
                && agent
                && mail.receivers.contains(&self.key)
            {
                if mail.again { &mut again } else { &mut handed_over }.push(mail.message);
            }
        }
        if !buffer.is_empty() {
            self.outbound.send(buffer.freeze()).await?;
        }
        self.delivered(handed_over);
        if again.is_empty() { Ok(()) } else { self.hand_over(again).await }
    }

    /// Records that messages were written to this socket. Nobody waits for it.
    fn delivered(&self, messages: Vec<u64>) {
        let Role::Agent(agent) = &self.role else { return };
        if messages.is_empty() {
            return;
        }
        let (agent, acknowledges) = (agent.clone(), self.acknowledges);
        let orchestrator = self.context.orchestrator.clone();
        let command = mailbox::Command::Delivered { agent, messages, acknowledges };
        actix_web::rt::spawn(async move {
            if let Err(error) = orchestrator.submit(Actor::System, Command::Mailbox(command)).await {
                tracing::debug!(%error, "a delivery was not recorded; the message is sent again later");
            }
        });
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.context.socket_closed();
        if let Some(presence) = &self.presence {
            presence.disconnected();
        }
    }
}
