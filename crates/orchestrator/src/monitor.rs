//! Watching the project's folder while the state wants it, and turning what is seen into commands.

use crate::{Actor, Command, Error, Orchestrator};
use orchestrator_conflict as conflict;
use orchestrator_protocol::{AgentId, ChangeType, SyncBarrier};
use orchestrator_watch::{Change, ChangeKind, Handle, Notice, Stats};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Longest wait for file changes to come to rest.
const BARRIER: Duration = Duration::from_secs(30);
/// Pause before a watcher that could not start is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// Barriers that may wait at once.
const BARRIERS: usize = 256;

/// What is wanted of the watcher, and the watcher while it runs.
pub(crate) struct Monitor {
    wish: watch::Sender<Wish>,
    running: watch::Sender<Option<Arc<Handle>>>,
    drains: mpsc::Sender<oneshot::Sender<()>>,
    drained: Mutex<Option<mpsc::Receiver<oneshot::Sender<()>>>>,
}

/// What the state wants of the watcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Nothing.
    Rest,
    /// To watch; the number of the event that asked.
    Watch(u64),
    /// To end for good.
    End,
}

impl Monitor {
    pub(crate) fn new() -> Self {
        let (drains, drained) = mpsc::channel(BARRIERS);
        Self {
            wish: watch::Sender::new(Wish::Rest),
            running: watch::Sender::new(None),
            drains,
            drained: Mutex::new(Some(drained)),
        }
    }

    /// Takes up what the state wants: the number of the event that asked for watching, or nothing.
    pub(crate) fn want(&self, by: Option<u64>) {
        self.wish.send_if_modified(|wish| {
            let next = by.map_or(Wish::Rest, Wish::Watch);
            let changed = *wish != Wish::End && *wish != next;
            if changed {
                *wish = next;
            }
            changed
        });
    }

    pub(crate) fn stop(&self) {
        self.wish.send_replace(Wish::End);
    }

    fn handle(&self) -> Result<Arc<Handle>, Error> {
        let not_active = || Error::Watch("monitoring is not active".to_owned());
        self.running.borrow().clone().ok_or_else(not_active)
    }
}

impl Orchestrator {
    /// Counts of the watcher; `None` while nothing is watched.
    #[must_use]
    pub fn watched(&self) -> Option<Stats> {
        self.shared.monitor.handle().ok().map(|handle| handle.stats())
    }

    /// Waits until the folder is watched, so that no later change is missed; not for ever, since a watcher that
    /// cannot start is tried again and again and stands in the health meanwhile.
    pub(crate) async fn watching(&self) {
        let mut running = self.shared.monitor.running.subscribe();
        let up = tokio::time::timeout(BARRIER, running.wait_for(Option::is_some)).await;
        tracing::debug!(up = up.is_ok(), "waited for the watcher");
    }

    /// Returns when every file change that was finished before the call is on stable storage.
    ///
    /// # Errors
    /// [`Error::Watch`] when nothing is watched, [`Error::Timeout`] when files do not come to rest.
    pub async fn barrier(&self) -> Result<SyncBarrier, Error> {
        let timeout = |_| Error::Timeout(format!("files did not come to rest within {} s", BARRIER.as_secs()));
        let passed = tokio::time::timeout(BARRIER, async {
            let monitored = self.monitor_barrier().await;
            let followed = self.shared.following.barrier().await?.iter().map(ToString::to_string).collect::<Vec<_>>();
            match monitored {
                // Workspaces are followed whether or not the project's own folder is watched.
                Err(_) if self.shared.following.is_following() => Ok(followed),
                monitored => monitored.map(|unsettled| unsettled.into_iter().chain(followed).collect()),
            }
        });
        let unsettled = passed.await.map_err(timeout)??;
        self.read(|_| ()).await?;
        Ok(SyncBarrier { seq: self.flushed(), unsettled })
    }

    async fn monitor_barrier(&self) -> Result<Vec<String>, Error> {
        let handle = self.shared.monitor.handle()?;
        let point = handle.sync().await.map_err(|error| Error::Watch(error.to_string()))?;
        // The changes are in our loop's queue now; it answers when it has taken them all in.
        let (taken_in, answer) = oneshot::channel();
        let ended = || Error::Watch("monitoring ended meanwhile".to_owned());
        self.shared.monitor.drains.send(taken_in).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?;
        Ok(point.unsettled)
    }

    /// Lets the deletions through that the brake withholds.
    ///
    /// # Errors
    /// [`Error::Watch`] when nothing is watched.
    pub fn confirm_deletions(&self) -> Result<(), Error> {
        self.shared.monitor.handle()?.confirm_deletions();
        Ok(())
    }
}

/// Watches while it is wanted, until the end.
pub(crate) async fn run(orchestrator: Orchestrator) {
    let monitor = &orchestrator.shared.monitor;
    let mut wish = monitor.wish.subscribe();
    let Some(mut drains) = monitor.drained.lock().take() else { return };
    loop {
        let wanted = *wish.borrow_and_update();
        match wanted {
            Wish::End => return,
            Wish::Rest => {
                if wish.changed().await.is_err() {
                    return;
                }
            }
            Wish::Watch(_) => {
                let options = watch_options(&orchestrator);
                match tokio::task::spawn_blocking(|| options.build()).await {
                    Ok(Ok((handle, notices))) => {
                        orchestrator.shared.degradations.clear("watch");
                        let handle = Arc::new(handle);
                        monitor.running.send_replace(Some(handle.clone()));
                        watch_on(&orchestrator, notices, &mut wish, &mut drains).await;
                        monitor.running.send_replace(None);
                        let stopped = tokio::task::spawn_blocking(move || handle.stop()).await;
                        if stopped.is_err() {
                            tracing::error!("the watcher ended badly");
                        }
                    }
                    Ok(Err(error)) => retry_later(&orchestrator, &error.to_string(), &mut wish).await,
                    Err(error) => retry_later(&orchestrator, &error.to_string(), &mut wish).await,
                }
            }
        }
    }
}

async fn retry_later(orchestrator: &Orchestrator, reason: &str, wish: &mut watch::Receiver<Wish>) {
    let cure = "make the project's folder readable; it is tried again every 2 s";
    orchestrator.shared.degradations.raise("watch", reason, cure);
    let changed = tokio::time::timeout(RETRY, wish.changed()).await;
    tracing::debug!(changed = changed.is_ok(), "trying to watch again");
}

fn watch_options(orchestrator: &Orchestrator) -> orchestrator_watch::Options {
    let own = orchestrator.options();
    let cookies = own.state_dir.join("cookies");
    let mut options = orchestrator_watch::Options::new(own.project.root(), cookies);
    options.settle = own.settle;
    if let Some(budget) = own.watch_budget {
        options.watch_budget = budget;
    }
    options.exclude.clone_from(&own.exclude);
    options.exclude.push(own.state_dir.clone());
    options
}

/// Takes in what the watcher tells until something else is wanted.
async fn watch_on(
    orchestrator: &Orchestrator,
    mut notices: mpsc::Receiver<Notice>,
    wish: &mut watch::Receiver<Wish>,
    drains: &mut mpsc::Receiver<oneshot::Sender<()>>,
) {
    loop {
        tokio::select! {
            biased;
            Some(answer) = drains.recv() => {
                while let Ok(notice) = notices.try_recv() {
                    take_in(orchestrator, notice).await;
                }
                // Nobody may be waiting any more.
                let _nobody = answer.send(());
            }
            notice = notices.recv() => match notice {
                Some(notice) => take_in(orchestrator, notice).await,
                None => return,
            },
            changed = wish.changed() => {
                // Watching for another event is still watching.
                if changed.is_err() || !matches!(*wish.borrow(), Wish::Watch(_)) {
                    return;
                }
            }
        }
    }
}

async fn take_in(orchestrator: &Orchestrator, notice: Notice) {
    let degradations = &orchestrator.shared.degradations;
    match notice {
        Notice::Changes(changes) => {
            let root: Arc<str> = orchestrator.options().project.root().to_string_lossy().into();
            // Its follower tells the same changes, and knows more of whose they are.
            let changes = if orchestrator.shared.following.is_shared(&root) { Vec::new() } else { changes };
            for change in changes {
                let command = Command::Observed { change: to_command(change, None), root: root.clone() };
                submit(orchestrator, command).await;
            }
        }
        Notice::Unchanged(_) => {}
        Notice::Overflow { rescanned } => {
            let reason = format!("the system dropped file events; {rescanned} files were compared again");
            note(orchestrator, "watch_overflow", reason, "nothing to do; fewer changes at once avoid it").await;
        }
        Notice::RootLost => {
            let (reason, cure) = ("the project's folder is gone", "bring it back; nothing is reported until then");
            degradations.raise("watch_root", reason, cure);
            note(orchestrator, "watch_root_lost", reason.to_owned(), cure).await;
        }
        Notice::RootBack => {
            degradations.clear("watch_root");
            let reason = "the project's folder is back and was compared".to_owned();
            note(orchestrator, "watch_root_back", reason, "nothing to do").await;
        }
        Notice::MassDeletion { count, total } => {
            let reason = format!("{count} of {total} files vanished at once; the deletions are withheld");
            let cure = "bring the files back, or confirm: POST /api/orchestration/sync/confirm-deletions";
            degradations.raise("mass_deletion", reason.clone(), cure);
            note(orchestrator, "mass_deletion", reason, cure).await;
        }
        Notice::MassDeletionCleared { confirmed } => {
            degradations.clear("mass_deletion");
            let how = if confirmed { "confirmed" } else { "over: the files are back" };
            note(orchestrator, "mass_deletion_cleared", format!("the mass deletion is {how}"), "nothing to do").await;
        }
        Notice::Degraded { reason } => {
            degradations.raise("watch_budget", reason, "raise fs.inotify.max_user_watches");
        }
        Notice::Recovered => degradations.clear("watch_budget"),
        _ => tracing::warn!(?notice, "the watcher told something unknown"),
    }
}

async fn note(orchestrator: &Orchestrator, name: &'static str, reason: String, cure: &'static str) {
    submit(orchestrator, Command::Notice { name, reason, cure }).await;
}

/// A halted log refuses; what was seen must not be lost with that.
async fn submit(orchestrator: &Orchestrator, command: Command) {
    while let Err(error) = orchestrator.submit(Actor::System, command.clone()).await {
        if matches!(error, Error::ShuttingDown) {
            return;
        }
        tracing::warn!(%error, "a file change could not be recorded; trying again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// The change as a command, with its author where that is known.
pub(crate) fn to_command(change: Change, agent: Option<AgentId>) -> conflict::Command {
    let (change_type, previous_path) = match change.kind {
        ChangeKind::Created => (ChangeType::Created, None),
        ChangeKind::Modified => (ChangeType::Modified, None),
        ChangeKind::Deleted => (ChangeType::Deleted, None),
        ChangeKind::Renamed { from } => (ChangeType::Renamed, Some(from)),
    };
    conflict::Command::Change {
        path: change.path,
        agent,
        change_type,
        hash: change.hash,
        previous_hash: change.previous,
        previous_path,
    }
}
