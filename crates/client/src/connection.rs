//! The running part of both connections: connects, reads, writes, beats, and connects again.

use crate::handle::Handle;
use crate::notice::{Notice, Notices};
use crate::outgoing::{MAX_UNCONFIRMED, Outgoing, Unconfirmed};
use crate::pause::Pauses;
use crate::resume::{Remembered, Resume, Verdict};
use crate::socket::{Read, Socket};
use crate::{Client, Error, Frame, handle, notice};
use orchestrator_protocol::{RegisterRequest, StatusRequest};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Seconds between two pings.
const BEAT: Duration = Duration::from_secs(20);
/// How long the answer to a ping may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long closing may take, for each of its two steps.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the handle and the receiver share with the running part.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) closing: CancellationToken,
    acknowledged: Mutex<Remembered>,
}

impl Shared {
    pub(crate) fn acknowledge(&self, id: &str) {
        self.acknowledged.lock().add(id);
    }

    pub(crate) fn is_acknowledged(&self, id: &str) -> bool {
        self.acknowledged.lock().contains(id)
    }
}

/// Which socket, and what goes with it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) client: Client,
    /// The agent whose socket it is, and how it registers; none for the orchestrator's socket.
    pub(crate) agent: Option<RegisterRequest>,
    /// Whether messages are acknowledged.
    pub(crate) acknowledges: bool,
    pub(crate) after: Option<u64>,
}

/// The running part.
#[derive(Debug)]
pub(crate) struct Connection {
    target: Target,
    shared: Arc<Shared>,
    notices: mpsc::Sender<Notice>,
    queue: mpsc::Receiver<Outgoing>,
    resume: Resume,
    unconfirmed: Unconfirmed,
    status: Option<StatusRequest>,
}

/// Why a connection that stood does not stand any more.
enum End {
    /// The owner closed it; the socket is still open.
    Closing(Box<Socket>),
    /// The owner dropped the receiver.
    Unwatched,
    /// It broke.
    Lost(String),
}

impl Connection {
    pub(crate) fn new(target: Target) -> (Self, Handle, Notices) {
        let shared = Arc::new(Shared::default());
        let (notices, notice_queue) = mpsc::channel(notice::QUEUE);
        let (sender, queue) = mpsc::channel(handle::QUEUE);
        let resume = Resume::new(target.agent.is_some(), target.after);
        let handle = Handle { queue: sender, shared: shared.clone() };
        let receiver = Notices { queue: notice_queue, shared: shared.clone() };
        let connection =
            Self { target, shared, notices, queue, resume, unconfirmed: Unconfirmed::default(), status: None };
        (connection, handle, receiver)
    }

    /// Runs until the handle closes it, the receiver is dropped, or the server refuses it for good.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        let closing = self.shared.closing.clone();
        let mut pauses = Pauses::new();
        loop {
            let opened = tokio::select! {
                () = closing.cancelled() => return self.ended(),
                opened = self.open() => opened,
            };
            let reason = match opened {
                Ok(socket) => {
                    let began = Instant::now();
                    let end = self.stand(socket).await;
                    pauses.stood(began.elapsed());
                    match end {
                        End::Closing(socket) => {
                            self.close(*socket).await;
                            return self.ended();
                        }
                        End::Unwatched => return self.ended(),
                        End::Lost(reason) => reason,
                    }
                }
                Err(error) if error.is_temporary() => error.to_string(),
                Err(error) => return Err(error),
            };
            let retry_in = pauses.next();
            tracing::info!(%reason, ?retry_in, "no connection");
            self.tell(Notice::Disconnected { reason, retry_in });
            tokio::select! {
                () = closing.cancelled() => return self.ended(),
                () = self.notices.closed() => return self.ended(),
                () = sleep(retry_in) => {}
            }
        }
    }

    fn ended(&mut self) -> Result<(), Error> {
        self.queue.close();
        let mut left = self.unconfirmed.len();
        while let Ok(outgoing) = self.queue.try_recv() {
            left += usize::from(matches!(outgoing, Outgoing::Message(_) | Outgoing::Change { .. }));
        }
        if left == 0 { Ok(()) } else { Err(Error::Unconfirmed(left)) }
    }

    /// Tells what became of the connection, unless the owner is too far behind to care.
    fn tell(&self, notice: Notice) {
        let _ = self.notices.try_send(notice);
    }

    /// Registers, where there is an agent to register, and opens the socket.
    async fn open(&self) -> Result<Socket, Error> {
        let mut query = Vec::new();
        if let Some(after) = self.resume.cursor() {
            query.push(("after", after.to_string()));
        }
        let Some(register) = &self.target.agent else {
            return Socket::open(&self.target.client, &["ws", "orchestrator"], &query).await;
        };
        self.target.client.register(register).await?;
        if self.target.acknowledges {
            query.push(("ack", "1".to_owned()));
        }
        let agent = register.agent_id.as_deref().unwrap_or_default();
        Socket::open(&self.target.client, &["ws", "agent", agent], &query).await
    }

    /// Serves an open socket until it ends.
    async fn stand(&mut self, mut socket: Socket) -> End {
        if let Err(reason) = self.repeat(&mut socket).await {
            return End::Lost(reason);
        }
        let (closing, notices) = (self.shared.closing.clone(), self.notices.clone());
        let (mut next_ping, mut waiting_since) = (Instant::now() + BEAT, None);
        loop {
            let can_send = self.unconfirmed.len() < MAX_UNCONFIRMED;
            let deadline = waiting_since.unwrap_or(next_ping) + PATIENCE;
            let outcome = tokio::select! {
                () = closing.cancelled() => return End::Closing(Box::new(socket)),
                Some(outgoing) = self.queue.recv(), if can_send => self.write(&mut socket, outgoing).await,
                () = sleep_until(next_ping) => {
                    next_ping = Instant::now() + BEAT;
                    waiting_since.get_or_insert_with(Instant::now);
                    socket.write(r#"{"type":"ping"}"#.to_owned()).await
                }
                () = sleep_until(deadline), if waiting_since.is_some() => {
                    if notices.capacity() > 0 {
                        return End::Lost(format!("no sign of life for {} s", PATIENCE.as_secs()));
                    }
                    // It is the owner who does not read; the server may well have answered.
                    waiting_since = Some(Instant::now());
                    Ok(())
                }
                // A place in the queue first: what is read from the socket is never dropped.
                read = async { (notices.reserve().await, socket.read().await) } => match read {
                    (Err(_), _) => return End::Unwatched,
                    (_, Err(reason)) => return End::Lost(reason),
                    (Ok(place), Ok(read)) => {
                        waiting_since = None;
                        let Read::Frame(frame) = read else { continue };
                        match take(&mut self.resume, &mut self.unconfirmed, &self.shared, frame) {
                            Taken::Nothing => Ok(()),
                            Taken::Notice(notice) => {
                                place.send(notice);
                                Ok(())
                            }
                            Taken::Acknowledged(id) => socket.write(Outgoing::Acknowledgement(id).to_json()).await,
                        }
                    }
                },
            };
            if let Err(reason) = outcome {
                return End::Lost(reason);
            }
        }
    }

    /// Writes what the last socket may have lost.
    async fn repeat(&mut self, socket: &mut Socket) -> Result<(), String> {
        if let Some(status) = &self.status {
            socket.write(Outgoing::Status(status.clone()).to_json()).await?;
        }
        for outgoing in self.unconfirmed.again() {
            socket.write(outgoing.to_json()).await?;
        }
        Ok(())
    }

    async fn write(&mut self, socket: &mut Socket, outgoing: Outgoing) -> Result<(), String> {
        if let Outgoing::Status(status) = &outgoing {
            self.status = Some(status.clone());
        }
        self.unconfirmed.sent(&outgoing);
        socket.write(outgoing.to_json()).await
    }

    /// Sends what waits, hears the confirmations out, and says goodbye.
    async fn close(&mut self, mut socket: Socket) {
        self.queue.close();
        let finishing = async {
            while let Some(outgoing) = self.queue.recv().await {
                self.write(&mut socket, outgoing).await?;
            }
            while self.unconfirmed.len() > 0 {
                if let Read::Frame(frame) = socket.read().await? {
                    self.unconfirmed.answered(&frame);
                }
            }
            Ok::<(), String>(())
        };
        match timeout(GOODBYE, finishing).await {
            Ok(Ok(())) => socket.close(GOODBYE).await,
            Ok(Err(reason)) => tracing::info!(reason, "lost while closing"),
            Err(_) => socket.close(Duration::ZERO).await,
        }
    }
}

/// What a frame is to the owner.
enum Taken {
    Notice(Notice),
    /// The owner has acknowledged it, and the server does not know.
    Acknowledged(String),
    /// It came before, or concerns only the connection.
    Nothing,
}

/// Keeps the books on a frame that was read.
fn take(resume: &mut Resume, unconfirmed: &mut Unconfirmed, shared: &Shared, mut frame: Frame) -> Taken {
    match frame.kind() {
        "pong" => return Taken::Nothing,
        "connection_established" | "agent_connection_established" => {
            let had_cursor = resume.cursor().is_some();
            let is_same_log = resume.greeted(frame.seq().unwrap_or_default());
            if !is_same_log {
                *shared.acknowledged.lock() = Remembered::default();
            }
            return Taken::Notice(Notice::Connected { greeting: frame, resumed: had_cursor && is_same_log });
        }
        _ => unconfirmed.answered(&frame),
    }
    match resume.accept(&frame) {
        Verdict::Drop => Taken::Nothing,
        Verdict::Deliver => Taken::Notice(Notice::Frame(frame)),
        Verdict::Again => {
            if let Some(id) = frame.message_id().filter(|id| shared.is_acknowledged(id)) {
                return Taken::Acknowledged(id.to_owned());
            }
            frame.is_redelivery = true;
            Taken::Notice(Notice::Frame(frame))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Frame {
        Frame::parse(text).unwrap()
    }

    #[test]
    fn a_message_comes_again_until_it_is_acknowledged_and_then_never() {
        let (mut resume, mut unconfirmed) = (Resume::new(true, None), Unconfirmed::default());
        let shared = Shared::default();
        let mut take = |text| take(&mut resume, &mut unconfirmed, &shared, frame(text));
        let message = r#"{"type":"agent_message","message_id":"m7","seq":7}"#;
        let greeting = r#"{"type":"agent_connection_established","seq":7}"#;
        assert!(matches!(take(greeting), Taken::Notice(Notice::Connected { resumed: false, .. })));
        assert!(matches!(take(message), Taken::Notice(Notice::Frame(frame)) if !frame.is_redelivery()));
        assert!(matches!(take(greeting), Taken::Notice(Notice::Connected { resumed: true, .. })));
        assert!(matches!(take(message), Taken::Notice(Notice::Frame(frame)) if frame.is_redelivery()));
        shared.acknowledge("m7");
        assert!(matches!(take(message), Taken::Acknowledged(id) if id == "m7"));
        assert!(matches!(take(r#"{"type":"pong"}"#), Taken::Nothing));
        let another_log = r#"{"type":"agent_connection_established","seq":1}"#;
        assert!(matches!(take(another_log), Taken::Notice(Notice::Connected { resumed: false, .. })));
        assert!(matches!(take(message), Taken::Notice(Notice::Frame(frame)) if !frame.is_redelivery()));
    }
}
