//! The message bus in files: agents that can only read and write files send and receive like all others.
//!
//! ```text
//! bus/inbox/{to}/{id}.json         put there by the sender as .tmp, then renamed
//! bus/processing/{agent}/{id}.json claimed by the receiver, by a rename
//! bus/outbox/{agent}/{id}.ok.json  the receiver's result, or .fail.json
//! bus/archive/{agent}/             what is done
//! bus/receipts/{from}/{id}.json    the server has the message on stable storage
//! bus/failed/{agent}/              what was refused or given up, each with a reason beside it
//! ```
//!
//! The log is the truth and the folders are a view of it that agents may change by renames. The bus looks at
//! the folders again and again ([`Options::poll`]), compares them with the mailboxes, and does what follows;
//! it keeps nothing on disk of its own, so it can be cut off anywhere. Polling and not notification: a look
//! at folders that did not change costs one `stat` each, it works on every disk, and no event can be lost.
//!
//! - Who has an inbox here gets mail here: agents make their own, senders make it for them, and whoever sends
//!   through the bus is given one. Messages of all others cost the disk nothing.
//! - A message's file is read in place, recorded with the key `bus:{id}`, and only then receipted. Until the
//!   receipt the message is the sender's.
//! - A message from elsewhere gets a file under its number (`m42.json`); a deleted file is written again.
//! - A claim runs for [`Options::claim_term`]; without a result the file goes back to the inbox, and to
//!   `failed/` after eight tries.
//! - Taking the file of a message that hands a task over claims the task; the result is the task's.
//! - A result acknowledges the message and sends an event `completed` to the sender, except for results of
//!   events. A message that is moved to the archive without a result is acknowledged, too.
//! - `inbox/orchestrator/` takes control commands, and messages for `*` (a notice; with `"durable": true` a
//!   file for everyone) and `capability:NAME`.
//!
//! # Limitations
//! Links are not followed and the bus's folders must be real ones, but paths are used by name: who may write
//! in the project can still race the server. Receivers choose what to claim; the order of a sender's messages
//! is that of their `ts`. Agents of other spellings than the first registered share its folders.

mod accept;
#[cfg(test)]
mod crash_tests;
mod deliver;
mod desk;
mod error;
mod file;
mod finish;
mod folders;
mod hall;
mod name;
mod office;
mod spool;
mod sweep;
mod tasks;

pub use error::Error;

use desk::{Clock, Desk, Unsettled};
use folders::{Folders, OFFICE};
use hall::Hall;
use orchestrator::Orchestrator;
use orchestrator_protocol::{AgentId, Timestamp};
use orchestrator_repository::Project;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use tokio_util::sync::CancellationToken;

/// The name under which the bus's troubles stand in the health.
const NAME: &str = "bus";

/// How often old files are looked for.
const SWEEP_AFTER: Duration = Duration::from_secs(3_600);

/// How a bus is run. [`Options::new`] has the usual values.
#[derive(Debug, Clone)]
pub struct Options {
    /// The bus's folder; made when missing.
    pub root: PathBuf,
    /// Pause between two looks at the folders: how long a file waits at most.
    pub poll: Duration,
    /// A claimed message goes back to the inbox after so long without a result; full seconds, up to a day.
    pub claim_term: Duration,
    /// A file that cannot be understood is refused after so long without a change: who does not write to
    /// `.tmp` first is given time to finish.
    pub grace: Duration,
    /// Archived files and receipts are removed when they are older.
    pub keep: Duration,
}

impl Options {
    /// The usual values for a project: `.orchestrator/bus` below its root.
    #[must_use]
    pub fn new(project: &Project) -> Self {
        Self {
            root: project.root().join(".orchestrator").join("bus"),
            poll: Duration::from_millis(200),
            claim_term: Duration::from_secs(15 * 60),
            grace: Duration::from_secs(1),
            keep: Duration::from_secs(7 * 86_400),
        }
    }

    /// The bus of an orchestrator. Touches no file before it runs.
    #[must_use]
    pub fn build(self, orchestrator: Orchestrator) -> Bus {
        let folders = Folders::new(&self.root, orchestrator.options().project.root());
        Bus {
            hall: Hall { orchestrator, folders, options: self },
            desks: BTreeMap::new(),
            users: None,
            unsettled: Unsettled::default(),
            clock: Clock::default(),
            odd: false,
            swept: None,
            trouble: None,
        }
    }
}

/// The bus; [`Bus::run`] is all there is to do with it.
pub struct Bus {
    hall: Hall,
    /// By the agent's key.
    desks: BTreeMap<String, Desk>,
    /// Keys of the agents that use the bus: their folders are made again when they are gone. Filled from the
    /// log by the first look.
    users: Option<BTreeSet<String>>,
    /// What may be half written in the orchestrator's inbox.
    unsettled: Unsettled,
    clock: Clock,
    /// Whether some folders are spelled otherwise or nobody's, so that they are looked into every time.
    odd: bool,
    swept: Option<Instant>,
    /// What the health says at the moment.
    trouble: Option<String>,
}

impl Bus {
    /// Serves the folders until it is told to stop. Troubles with them stand in the health under `bus` until
    /// they are over; nothing ends it but `shutdown`.
    pub async fn run(mut self, shutdown: CancellationToken) {
        self.exclude();
        let mut tick = tokio::time::interval(self.hall.options.poll.max(Duration::from_millis(1)));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                _ = tick.tick() => {}
            }
            // A look may be long, and can be cut off anywhere.
            let passed = shutdown.run_until_cancelled(Box::pin(self.pass())).await;
            let Some(passed) = passed else { return };
            self.report(passed);
        }
    }

    /// One look at everything.
    async fn pass(&mut self) -> Result<(), Error> {
        if self.hall.orchestrator.is_halted() {
            return Ok(());
        }
        self.hall.io(Folders::prepare).await?;
        self.furnish().await?;
        let mut first = office::look(&self.hall, &mut self.unsettled).await;
        let due = self.due().await?;
        for (key, changed, modified) in due {
            let Some(desk) = self.desks.get_mut(&key) else { continue };
            desk.clock.look(changed, modified);
            desk.again = false;
            let looked = deliver::look(&self.hall, desk).await;
            if looked.is_err() {
                desk.again = true;
                // The folders of others may be fine.
                first = first.and(looked);
            }
        }
        self.sweep().await?;
        first
    }

    /// Makes the folders of every agent that uses the bus, and a desk for each.
    async fn furnish(&mut self) -> Result<(), Error> {
        let mut users = match &self.users {
            Some(users) => users.clone(),
            None => self.hall.orchestrator.read(|state| state.mailbox.correspondents(spool::KEY)).await?,
        };
        let registered = self.hall.orchestrator.read(|state| state.registry.agents().count() as u64).await?;
        let seen = |folders: &Folders| Ok((folders.modified(""), folders.users()?));
        let (modified, found) = self.hall.io(seen).await?;
        if self.users.is_some() && !self.odd && !self.clock.is_due(registered, &modified) {
            return Ok(());
        }
        users.extend(found);
        // Who left may still have mail.
        let ids: Vec<AgentId> = users.iter().filter_map(|name| name.parse().ok()).collect();
        let known = |state: &orchestrator::State| {
            let known = ids.iter().filter_map(|id| state.registry.ever(id));
            known.map(|id| (id.key(), id.clone())).collect::<BTreeMap<_, _>>()
        };
        let agents = self.hall.orchestrator.read(known).await?;
        // Also where the folders cannot be made just now: their owners are to have them afterwards.
        self.users = Some(agents.keys().cloned().collect());
        let all = agents.clone();
        let furnish = move |folders: &Folders| {
            folders.furnish(all.values().map(AgentId::as_str).chain([OFFICE]))?;
            Ok((folders.modified(""), sweep::tidy(folders, &all)?))
        };
        let (modified, odd) = self.hall.io(furnish).await?;
        self.clock.look(registered, modified);
        self.odd = odd;
        for (key, agent) in agents {
            self.desks.entry(key).or_insert_with(|| Desk::new(agent));
        }
        Ok(())
    }

    /// The desks at which anything may have changed.
    async fn due(&self) -> Result<Vec<(String, u64, Vec<Option<SystemTime>>)>, Error> {
        let changed = |state: &orchestrator::State| {
            let desks = self.desks.values();
            desks.map(|desk| state.mailbox.changed(&desk.agent)).collect::<Vec<u64>>()
        };
        let changed = self.hall.orchestrator.read(changed).await?;
        let names: Vec<String> = self.desks.values().map(|desk| desk.agent.to_string()).collect();
        let modified = move |folders: &Folders| Ok(names.iter().map(|name| folders.modified(name)).collect::<Vec<_>>());
        let modified = self.hall.io(modified).await?;
        let all = self.desks.iter().zip(changed).zip(modified);
        let due = all.filter(|(((_, desk), changed), modified)| desk.again || desk.clock.is_due(*changed, modified));
        Ok(due.map(|(((key, _), changed), modified)| (key.clone(), changed, modified)).collect())
    }

    async fn sweep(&mut self) -> Result<(), Error> {
        let keep = self.hall.options.keep;
        if self.swept.is_some_and(|at| at.elapsed() < SWEEP_AFTER.min(keep)) {
            return Ok(());
        }
        let since = SystemTime::now().checked_sub(keep).unwrap_or(SystemTime::UNIX_EPOCH);
        self.hall.io(move |folders| sweep::sweep(folders, since)).await?;
        self.swept = Some(Instant::now());
        Ok(())
    }

    /// Keeps the bus out of the project's commits.
    fn exclude(&self) {
        let project = &self.hall.orchestrator.options().project;
        let Some(pattern) = pattern(project, &self.hall.options.root) else { return };
        if let Err(error) = project.exclude(&pattern) {
            tracing::warn!(%error, pattern, "the message bus is not excluded from git");
        }
    }

    fn report(&mut self, passed: Result<(), Error>) {
        match passed {
            Ok(()) => {
                if self.trouble.take().is_some() {
                    self.hall.orchestrator.recovered(NAME);
                }
            }
            // The orchestrator speaks for itself.
            Err(Error::Orchestrator(error)) => tracing::debug!(%error, "the message bus waits"),
            Err(error) => {
                let reason = error.to_string();
                if self.trouble.as_ref() != Some(&reason) {
                    self.hall.orchestrator.degrade(NAME, reason.clone(), error.cure());
                    self.trouble = Some(reason);
                }
            }
        }
    }
}

/// The line for git's exclude file; `None` when the bus is not below the project.
fn pattern(project: &Project, root: &std::path::Path) -> Option<String> {
    let below = root.strip_prefix(project.root()).ok()?;
    if below.starts_with(".orchestrator") {
        return Some("/.orchestrator/".to_owned());
    }
    let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let escape = |c: char| if "\\*?[!# ".contains(c) { format!("\\{c}") } else { c.to_string() };
    let path: String = parts.join("/").chars().map(escape).collect();
    (!path.is_empty()).then(|| format!("/{path}/"))
}

/// Now, as a label.
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
