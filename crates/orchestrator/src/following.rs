//! The workspaces of agents: followed while they are registered, merged with one another at every save.
//!
//! A thread of its own looks at the files and merges, so neither a decision nor a request waits for a disk. All
//! it knows is derived: from the folders, from git, and from which agents the state names with a workspace. What
//! collides is reported as commands; the record and its life are the log's.

mod budget;
mod follower;
mod keeping;
mod meaning;
mod permit;
mod pushed;
mod record;
mod reports;
mod runner;
mod shared;
mod sides;
mod source;
mod union;

pub use self::meaning::{ImpactFilter, ImpactView};
pub(crate) use self::record::{Parties, lines};
pub(crate) use self::sides::{Between, Sides};
pub(crate) use self::source::{Memory, Tip, name, tree_mode, version};
use crate::snapshots::Kept;
use crate::{Actor, Command, Error, Orchestrator};
pub(crate) use orchestrator_predict::Path;
use orchestrator_protocol::{AgentId, Union, WorkspaceBusy};
use orchestrator_registry as registry;
use orchestrator_repository::{Project, Store};
use orchestrator_watch::Handle;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Questions that may wait at once.
const QUESTIONS: usize = 256;

/// What the thread is asked.
pub(crate) enum Ask {
    /// To answer when it has taken in all that the watchers told.
    Barrier(oneshot::Sender<()>),
    /// What it knows of an agent's work; nothing when that is not followed.
    Work(String, oneshot::Sender<Option<Work>>),
    /// To keep an agent's work now, as it was seen last.
    Keep(String, keeping::Answer),
    /// To answer when nothing is being kept.
    Idle(oneshot::Sender<()>),
    /// The versions that collide between some; nothing when none do.
    Sides(Between, oneshot::Sender<Result<Option<Sides>, orchestrator_repository::Error>>),
    /// Whose work changes which of these paths.
    Touching(Vec<Path>, oneshot::Sender<Vec<(Path, AgentId)>>),
    /// The union of everyone's work, with at most so many entries in each list.
    Union(usize, oneshot::Sender<Result<Union, orchestrator_repository::Error>>),
}

/// An agent's work as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The checked-out commit in hex; nothing before the first.
    pub head: Option<String>,
    /// In hex: the tree that `git add -A && git write-tree` on a copy of the folder would give.
    pub tree: String,
    /// Paths that differ from what the work shares with the target branch.
    pub changed: usize,
}

/// The handle on the thread that follows the workspaces.
pub(crate) struct Following {
    /// Which agents have a workspace may have changed.
    look: Notify,
    end: CancellationToken,
    questions: mpsc::Sender<Ask>,
    asked: Mutex<Option<mpsc::Receiver<Ask>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// The watchers, by the agent's key.
    watchers: Mutex<BTreeMap<String, Arc<Handle>>>,
    /// How each workspace was seen last, by the agent's key.
    standings: Mutex<BTreeMap<String, Standing>>,
    /// The store of unfinished work; one process has it open once.
    store: Mutex<Option<Store>>,
    /// An agent reported a change, which may tell whose a version in a shared folder is.
    reported: Notify,
    /// Folders in which several agents work.
    shared: Mutex<BTreeSet<String>>,
    /// What changes mean for others' code.
    meaning: meaning::Meaning,
}

/// A file that was being written when the barrier was passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unsettled {
    /// The keys of the agents in whose folder it is, sorted.
    pub(crate) agents: Vec<String>,
    /// Below the folder.
    pub(crate) path: String,
}

/// The paths among these that are in an agent's folder.
pub(crate) fn open_of(unsettled: Vec<Unsettled>, agent: &AgentId) -> Vec<String> {
    let key = agent.key();
    unsettled.into_iter().filter(|one| one.agents.contains(&key)).map(|one| one.path).collect()
}

/// As callers of the barrier are told: by one agent of the folder.
impl std::fmt::Display for Unsettled {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.agents.first().map_or("", String::as_str), self.path)
    }
}

/// How a workspace was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is followed.
    Followed {
        /// Paths that are other than where the agent began.
        dirty: usize,
        /// What its git is in the middle of.
        busy: Option<WorkspaceBusy>,
    },
    /// What the agent pushed stands for it.
    Pushed {
        /// Paths that are other than where the agent began.
        dirty: usize,
    },
    /// It is not, and why.
    Failed(String),
}

impl Following {
    pub(crate) fn new() -> Self {
        let (questions, asked) = mpsc::channel(QUESTIONS);
        Self {
            look: Notify::new(),
            end: CancellationToken::new(),
            questions,
            asked: Mutex::new(Some(asked)),
            thread: Mutex::new(None),
            watchers: Mutex::default(),
            standings: Mutex::default(),
            store: Mutex::default(),
            reported: Notify::new(),
            shared: Mutex::default(),
            meaning: meaning::Meaning::new(),
        }
    }

    /// The store of unfinished work; opened when it is first asked for. Blocks.
    pub(crate) fn store(&self, project: &Project) -> Result<Store, orchestrator_repository::Error> {
        let mut store = self.store.lock();
        match &*store {
            Some(store) => Ok(store.clone()),
            None => Ok(store.insert(Store::open(project)?).clone()),
        }
    }

    /// How the workspaces were seen last, by the agent's key.
    pub(crate) fn standings(&self) -> BTreeMap<String, Standing> {
        self.standings.lock().clone()
    }

    /// Returns when what the state names is followed, and nothing else.
    pub(crate) async fn looked(&self) -> Result<(), Error> {
        if !self.is_running() {
            return Ok(());
        }
        let (done, answer) = oneshot::channel();
        self.ask(Ask::Barrier(done), answer).await
    }

    /// Starts the thread; nothing to do outside git.
    pub(crate) fn start(orchestrator: &Orchestrator) -> std::io::Result<()> {
        let following = &orchestrator.shared.following;
        let Some(asked) = following.asked.lock().take() else { return Ok(()) };
        if orchestrator.options().project.git_common_dir().is_none() {
            return Ok(());
        }
        crate::pushed::clear(orchestrator);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let this = orchestrator.clone();
        let follow = move || runtime.block_on(runner::run(this, asked));
        *following.thread.lock() = Some(std::thread::Builder::new().name("workspaces".into()).spawn(follow)?);
        following.meaning.start(orchestrator)?;
        Ok(())
    }

    /// An agent came, went, or has another workspace.
    pub(crate) fn look(&self) {
        self.look.notify_one();
    }

    /// An agent reported a change.
    pub(crate) fn reported(&self) {
        if !self.shared.lock().is_empty() {
            self.reported.notify_one();
        }
    }

    /// Whether several agents work in a folder, so that its changes are told from here.
    pub(crate) fn is_shared(&self, folder: &str) -> bool {
        self.shared.lock().contains(folder)
    }

    /// Whether any workspace is followed.
    pub(crate) fn is_following(&self) -> bool {
        !self.watchers.lock().is_empty()
    }

    /// Ends the thread and waits for it. Blocks.
    pub(crate) fn stop(&self) {
        self.end.cancel();
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that follows the workspaces ended badly; nothing in it was not derived");
        }
        self.meaning.stop();
    }

    /// Returns when every change of a followed file that was finished before the call has been merged, and compared with
    /// what others define and use, as far as the target branch is read by then.
    pub(crate) async fn barrier(&self) -> Result<Vec<Unsettled>, Error> {
        // A workspace that is only just being followed has a watcher when this answers.
        self.looked().await?;
        let mut folders: Vec<(Arc<Handle>, Vec<String>)> = Vec::new();
        for (agent, handle) in &*self.watchers.lock() {
            match folders.iter_mut().find(|(one, _)| Arc::ptr_eq(one, handle)) {
                Some((_, agents)) => agents.push(agent.clone()),
                None => folders.push((handle.clone(), vec![agent.clone()])),
            }
        }
        let mut unsettled = Vec::new();
        for (handle, agents) in folders {
            // A watcher that ends meanwhile has nothing to wait for.
            if let Ok(point) = handle.sync().await {
                unsettled.extend(point.unsettled.into_iter().map(|path| Unsettled { agents: agents.clone(), path }));
            }
        }
        self.looked().await?;
        self.meaning.looked().await?;
        Ok(unsettled)
    }

    /// Returns when no work is being made durable.
    pub(crate) async fn idle(&self) -> Result<(), Error> {
        if !self.is_running() {
            return Ok(());
        }
        let (done, answer) = oneshot::channel();
        self.ask(Ask::Idle(done), answer).await
    }

    /// Returns when every change of an agent's files that was finished before the call has been looked at.
    pub(crate) async fn settled(&self, agent: &AgentId) -> Result<(), Error> {
        let watcher = self.watchers.lock().get(&agent.key()).cloned();
        let Some(watcher) = watcher else { return Ok(()) };
        // A watcher that cannot answer withholds changes that are in doubt.
        if let Err(error) = watcher.sync().await {
            tracing::debug!(%agent, %error, "the last work that was seen stands");
        }
        self.looked().await
    }

    /// What collides between some at the moment; nothing when nothing does.
    pub(crate) async fn sides(
        &self,
        between: Between,
    ) -> Result<Result<Option<Sides>, orchestrator_repository::Error>, Error> {
        let (give, answer) = oneshot::channel();
        self.ask(Ask::Sides(between, give), answer).await
    }

    fn is_running(&self) -> bool {
        self.thread.lock().is_some()
    }

    async fn ask<T>(&self, question: Ask, answer: oneshot::Receiver<T>) -> Result<T, Error> {
        self.questions.send(question).await.map_err(|_| Error::ShuttingDown)?;
        answer.await.map_err(|_| Error::ShuttingDown)
    }
}

impl Orchestrator {
    /// An agent's work as it stands; nothing when its workspace is not followed.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] when nothing is followed any more.
    pub async fn work_of(&self, agent: &AgentId) -> Result<Option<Work>, Error> {
        let following = &self.shared.following;
        if !following.is_running() {
            return Ok(None);
        }
        let (give, answer) = oneshot::channel();
        following.ask(Ask::Work(agent.key(), give), answer).await
    }

    /// Whose unfinished work changes which of these paths, as it was seen last.
    pub(crate) async fn touching(&self, paths: Vec<Path>) -> Result<Vec<(Path, AgentId)>, Error> {
        let following = &self.shared.following;
        if !following.is_running() {
            return Ok(Vec::new());
        }
        let (give, answer) = oneshot::channel();
        following.ask(Ask::Touching(paths, give), answer).await
    }

    /// Takes an agent off the list. What it wrote until now is kept.
    ///
    /// # Errors
    /// Nothing can be recorded.
    pub async fn unregister(&self, actor: Actor, agent: AgentId) -> Result<(), Error> {
        self.shared.following.settled(&agent).await?;
        self.submit(actor, Command::Registry(registry::Command::Unregister { agent })).await.map(drop)
    }

    /// Makes an agent's work durable as it stands, every change that was finished before the call included. Nothing is
    /// answered when its workspace is not followed.
    ///
    /// # Errors
    /// The disk or the log refuses, or nothing is followed any more.
    pub async fn keep_snapshot(&self, agent: &AgentId) -> Result<Option<Kept>, Error> {
        let following = &self.shared.following;
        if !following.is_running() {
            return Ok(None);
        }
        // An agent that was registered a moment ago may not be followed yet.
        following.looked().await?;
        following.settled(agent).await?;
        let (give, answer) = oneshot::channel();
        following.ask(Ask::Keep(agent.key(), give), answer).await?
    }
}
