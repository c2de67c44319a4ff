//! The orchestrator: a cheap handle on the running whole.

use crate::batch::{Batch, Flush};
use crate::checkpointer::Checkpointer;
use crate::command::{Command, Reply};
use crate::core::Core;
use crate::effects::{Effect, asked, run_timers, wanted};
use crate::feed::{Feed, Subscription};
use crate::following::Following;
use crate::health::Degradations;
use crate::landings::{self, SharedQueue};
use crate::monitor::{self, Monitor};
use crate::presence::{Presence, Presences};
use crate::recovery::{RecoveryError, recover};
use crate::writer::Writer;
use crate::{Actor, Error, Event, Options, State};
use orchestrator_log::{HeadKey, Reader, SqliteLog};
use orchestrator_protocol::{AgentId, Autonomy, Timestamp};
use orchestrator_registry as registry;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Timers that wait to be armed.
const TIMER_QUEUE: usize = 65_536;

/// The running whole. Clones share it.
///
/// Made by [`Orchestrator::open`] inside a tokio runtime; ended by [`Orchestrator::shutdown`], which
/// flushes what was accepted. Dropping every handle without it loses nothing either: the log has it.
#[derive(Clone)]
pub struct Orchestrator {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) core: Mutex<Core>,
    pub(crate) work: Condvar,
    pub(crate) feed: Arc<Feed>,
    pub(crate) reader: Reader,
    pub(crate) presences: Presences,
    pub(crate) degradations: Degradations,
    pub(crate) options: Options,
    pub(crate) monitor: Monitor,
    pub(crate) following: Following,
    pub(crate) queue: SharedQueue,
    /// One workspace is made or removed at a time.
    pub(crate) workspaces: Arc<tokio::sync::Mutex<()>>,
    pub(crate) fatal: watch::Sender<Option<String>>,
    /// Signs heads of the log, and receipts.
    pub(crate) key: Arc<HeadKey>,
    timers: mpsc::Sender<(Duration, Command)>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Why the orchestrator could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The state folder or the log cannot be used.
    #[error(transparent)]
    Log(#[from] orchestrator_log::Error),
    /// The state cannot be rebuilt from the log.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// No thread for the writer.
    #[error("failed to start the log's thread: {0}; free some processes and start again")]
    Thread(#[from] std::io::Error),
}

/// Now, as a label.
pub(crate) fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

impl Orchestrator {
    /// Opens the project's log, rebuilds the state from it, and takes up whatever was going on. Blocks for as
    /// long as that takes; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`OpenError`] says what is in the way, such as a second server on the same state folder.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        let log = SqliteLog::open(options.state_dir.join("log.db"), orchestrator_log::Options::default())?;
        let key = Arc::new(HeadKey::load_or_create(options.state_dir.join("head.key"))?);
        let recovered = recover(&log)?;
        let seq = recovered.seq.max(log.tail().next_seq.saturating_sub(1));
        let checkpointer = Checkpointer::start(log.reader(), recovered.clone(), options.checkpoint_every)?;
        let (timers, armed) = mpsc::channel(TIMER_QUEUE);
        let shared = Arc::new(Shared {
            core: Mutex::new(Core {
                state: recovered.state,
                next_seq: seq + 1,
                open: Batch::new(),
                in_flight: None,
                halted: None,
                stopping: false,
            }),
            work: Condvar::new(),
            feed: Arc::new(Feed::new(seq)),
            reader: log.reader(),
            presences: Presences::new(),
            degradations: Degradations::default(),
            monitor: Monitor::new(),
            following: Following::new(),
            queue: SharedQueue::default(),
            workspaces: Arc::default(),
            fatal: watch::Sender::new(None),
            key: key.clone(),
            timers,
            writer: Mutex::new(None),
            options,
        });
        let orchestrator = Self { shared: shared.clone() };
        orchestrator.take_up();
        let writer = Writer::new(shared.clone(), log, key, checkpointer, recovered.checkpoint);
        let thread = std::thread::Builder::new().name("log-writer".into()).spawn(move || writer.run())?;
        *shared.writer.lock() = Some(thread);
        Following::start(&orchestrator)?;
        shared.following.look();
        tokio::spawn(run_timers(orchestrator.clone(), armed));
        tokio::spawn(watch_silence(orchestrator.clone()));
        tokio::spawn(monitor::run(orchestrator.clone()));
        tokio::spawn(landings::run(orchestrator.clone()));
        Ok(orchestrator)
    }

    /// Arms what the state wants: every term in full.
    fn take_up(&self) {
        let now = now();
        let core = self.shared.core.lock();
        for agent in core.state.registry.agents() {
            self.shared.presences.of(&agent.id, now);
            self.shared.presences.set_silenced(&agent.id, agent.silenced.is_some(), now);
        }
        let wanted = wanted(&core.state, self.shared.options.terms());
        drop(core);
        for (seq, effect) in wanted {
            self.shared.arm(seq, effect);
        }
    }

    /// Decides a command. The answer comes when its record is on stable storage; for telemetry (status,
    /// change reports) at once.
    ///
    /// # Errors
    /// [`Error`] when it is refused, or cannot be recorded; then nothing was changed.
    pub async fn submit(&self, actor: Actor, command: Command) -> Result<Reply, Error> {
        let (reply, flush) = loop {
            let full = {
                let mut core = self.shared.core.lock();
                if core.open.is_full() {
                    let (flush, wake) = core.newest_flush();
                    drop(core);
                    self.wake(wake);
                    flush
                } else {
                    let accepted = core.accept(&actor, &command, now().0)?;
                    drop(core);
                    self.wake(accepted.wake);
                    break (accepted.reply, accepted.flush);
                }
            };
            flushed(full).await?;
        };
        flushed(flush).await?;
        Ok(reply)
    }

    /// Reads the state. The answer comes when everything it saw is on stable storage.
    ///
    /// # Errors
    /// Only when the log failed for good.
    pub async fn read<T>(&self, read: impl Fn(&State) -> T) -> Result<T, Error> {
        loop {
            let (value, (flush, wake)) = {
                let mut core = self.shared.core.lock();
                (read(&core.state), core.newest_flush())
            };
            self.wake(wake);
            match flushed(flush).await {
                Ok(()) => return Ok(value),
                // What was read is gone; the state was rebuilt without it.
                Err(Error::StorageUnavailable { .. }) if self.shared.fatal.borrow().is_none() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn wake(&self, wake: bool) {
        if wake {
            self.shared.work.notify_one();
        }
    }

    /// Listens from the newest flushed event on.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        self.shared.feed.subscribe()
    }

    /// The number of the newest event on stable storage.
    #[must_use]
    pub fn flushed(&self) -> u64 {
        self.shared.feed.flushed()
    }

    /// The presence of a registered agent.
    #[must_use]
    pub fn presence(&self, agent: &AgentId) -> Option<Arc<Presence>> {
        self.shared.presences.get(agent)
    }

    /// Notes a sign of life of an agent, and records its return when it was offline for its silence.
    pub fn heard_of(&self, agent: &AgentId) {
        if let Some(presence) = self.presence(agent) {
            self.heard(agent, &presence);
        }
    }

    /// Like [`Orchestrator::heard_of`], for callers that hold the presence.
    pub fn heard(&self, agent: &AgentId, presence: &Presence) {
        if presence.touch(now()) {
            let (this, agent) = (self.clone(), agent.clone());
            tokio::spawn(async move {
                let command = Command::Registry(registry::Command::CameBack { agent });
                if let Err(error) = this.submit(Actor::System, command).await {
                    tracing::debug!(%error, "an agent's return was not recorded");
                }
            });
        }
    }

    /// The level of autonomy in force, and the configured one.
    ///
    /// # Errors
    /// Only when the log failed for good.
    pub async fn autonomy(&self) -> Result<(Autonomy, Autonomy), Error> {
        let configured = self.shared.options.autonomy;
        self.read(|state| (state.workflow.autonomy(configured), configured)).await
    }

    /// Whether nothing can be recorded at the moment.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        let core = self.shared.core.lock();
        core.halted.is_some() || core.stopping
    }

    /// Shows in the health that a part around the orchestrator does not work, under a stable name, until it
    /// has [`recovered`](Orchestrator::recovered).
    pub fn degrade(&self, name: &'static str, reason: impl Into<String>, cure: &str) {
        self.shared.degradations.raise(name, reason, cure);
    }

    /// Takes a degradation back. Twice is no error.
    pub fn recovered(&self, name: &'static str) {
        self.shared.degradations.clear(name);
    }

    /// How it was opened.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// The key with which heads of the log are signed, in hex.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.shared.key.public_key_hex()
    }

    /// Resolves with the reason when the log has failed in a way that only a restart cures: the owner must
    /// end the process at once and must not retry.
    pub async fn failed(&self) -> String {
        let mut fatal = self.shared.fatal.subscribe();
        loop {
            if let Some(reason) = fatal.borrow_and_update().clone() {
                return reason;
            }
            if fatal.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Stops accepting, flushes what was accepted, leaves a checkpoint and a signed head. Twice is no error.
    pub async fn shutdown(&self) {
        self.shared.monitor.stop();
        self.shared.queue.end.cancel();
        let this = self.clone();
        if tokio::task::spawn_blocking(move || this.shared.following.stop()).await.is_err() {
            tracing::error!("following the workspaces did not end");
        }
        self.shared.core.lock().stopping = true;
        self.shared.work.notify_one();
        let thread = self.shared.writer.lock().take();
        if let Some(thread) = thread
            && tokio::task::spawn_blocking(move || thread.join()).await.is_err()
        {
            tracing::error!("the log's thread ended badly; nothing acknowledged is lost, the next start recovers");
        }
    }
}

impl Shared {
    /// Takes what was flushed into everything that is derived from it.
    pub(crate) fn happened(&self, seq: u64, at: i64, event: &Event) {
        use registry::Event as R;
        if let Event::Registry(event) = event {
            match event {
                R::Registered { agent, .. } => {
                    self.presences.set_silenced(agent, false, Timestamp(at));
                    self.following.look();
                }
                R::CameBack { agent, .. } | R::StatusUpdated { agent, .. } => {
                    self.presences.set_silenced(agent, false, Timestamp(at));
                }
                R::WentOffline { agent, .. } => self.presences.set_silenced(agent, true, Timestamp(at)),
                R::WorkspaceMade { .. } | R::WorkspaceRemoved { .. } => self.following.look(),
                R::Unregistered { agent } => {
                    self.presences.forget(agent);
                    self.following.look();
                }
                _ => {}
            }
        }
        if let Event::Conflict(orchestrator_conflict::Event::Changed(change)) = event
            && change.agent.is_some()
        {
            self.following.reported();
        }
        match event {
            Event::Landing(orchestrator_landing::Event::Cancelled { id, .. }) => self.queue.cancelled(*id),
            Event::Landing(_) => self.queue.look.notify_one(),
            _ => {}
        }
        if let Event::Conflict(orchestrator_conflict::Event::MonitoringStopped) = event {
            self.monitor.want(None);
        }
        if let Some(effect) = asked(seq, event, self.options.terms()) {
            self.arm(seq, effect);
        }
    }

    fn arm(&self, seq: u64, effect: Effect) {
        match effect {
            Effect::Watch => self.monitor.want(Some(seq)),
            // The receiver always drains; the queue is only full for a moment. It is gone when we stop.
            Effect::Timer { term, command } => {
                let mut timer = (term, command);
                while let Err(mpsc::error::TrySendError::Full(back)) = self.timers.try_send(timer) {
                    timer = back;
                    std::thread::yield_now();
                }
            }
        }
    }
}

/// Waits for a flush.
async fn flushed(flush: Option<watch::Receiver<Flush>>) -> Result<(), Error> {
    let Some(mut flush) = flush else { return Ok(()) };
    let ended = flush.wait_for(|flush| *flush != Flush::Open).await.map(|flush| flush.clone());
    match ended {
        Ok(Flush::Refused { reason, cure }) => Err(Error::StorageUnavailable { reason, cure }),
        Ok(_) => Ok(()),
        Err(_) => Err(Error::StorageUnavailable {
            reason: "the log failed".to_owned(),
            cure: "start the server again: it recovers from the log".to_owned(),
        }),
    }
}

/// Looks twice a second for agents that were silent for their term.
async fn watch_silence(orchestrator: Orchestrator) {
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    let silence = orchestrator.shared.options.silence;
    loop {
        tick.tick().await;
        if orchestrator.shared.core.lock().stopping {
            return;
        }
        for agent in orchestrator.shared.presences.overdue(silence) {
            let command = Command::Registry(registry::Command::WentSilent { agent });
            if let Err(error) = orchestrator.submit(Actor::System, command).await {
                tracing::debug!(%error, "an agent's silence was not recorded; looking again");
            }
        }
    }
}
