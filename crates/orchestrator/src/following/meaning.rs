//! What changes mean for others' code, found beside the merging so that nothing waits for a parser.
//!
//! The thread that follows the workspaces leaves news of them and never waits: of each path only the newest version
//! stands there. A thread of its own takes them, parses, and reports what one agent's change breaks in another's new
//! code. In between it reads the target branch, a little at a time.

mod answer;
mod record;
mod worker;

use super::follower::Update;
use crate::{Error, Orchestrator};
use orchestrator_predict::{Change, Path};
use orchestrator_protocol::{AgentId, Impact, SymbolUse};
use orchestrator_repository::ObjectId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::thread::JoinHandle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

/// Questions that may wait at once.
const QUESTIONS: usize = 64;

/// Which impacts are asked for; all that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct ImpactFilter {
    /// The file of the definition or of the use.
    pub path: Option<String>,
    /// The definition: `Class.method`, `method` or `src/a.py::Class.method`.
    pub symbol: Option<String>,
    /// Who changed the definition, or uses it.
    pub agent: Option<AgentId>,
    /// At most so many impacts, and so many uses.
    pub limit: usize,
}

/// What changes break, and who uses what.
#[derive(Debug, Clone, Default)]
pub struct ImpactView {
    /// Not all of the target branch is read yet.
    pub indexing: bool,
    /// Source files of the target branch that are not read.
    pub left_out: usize,
    /// Conflicts first, then what is definite.
    pub impacts: Vec<Impact>,
    /// Who uses what was named.
    pub uses: Vec<SymbolUse>,
    /// There is more.
    pub truncated: bool,
}

/// What the thread is asked.
enum Ask {
    /// To answer when it has examined all news.
    Barrier(oneshot::Sender<()>),
    /// What is broken, and who uses what.
    Impact(ImpactFilter, oneshot::Sender<ImpactView>),
}

/// What happened since the thread looked last.
#[derive(Debug, Default)]
struct News {
    tip: Option<Tip>,
    agents: BTreeMap<u64, AgentNews>,
    /// All workspaces that the state names are followed.
    caught_up: bool,
}

/// Where the target branch stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tip {
    tree: Option<ObjectId>,
    branch: Option<String>,
}

/// What happened to an agent's work.
#[derive(Debug, Default)]
struct AgentNews {
    /// It left, before the rest.
    gone: bool,
    /// Who it is, and the tree that its work began with; nothing when it only left.
    now: Option<(AgentId, Option<ObjectId>)>,
    changes: BTreeMap<Path, Option<Change>>,
}

/// The handle on the thread.
pub(crate) struct Meaning {
    news: Mutex<News>,
    arrived: Notify,
    end: CancellationToken,
    questions: mpsc::Sender<Ask>,
    asked: Mutex<Option<mpsc::Receiver<Ask>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Meaning {
    pub(super) fn new() -> Self {
        let (questions, asked) = mpsc::channel(QUESTIONS);
        Self {
            news: Mutex::default(),
            arrived: Notify::new(),
            end: CancellationToken::new(),
            questions,
            asked: Mutex::new(Some(asked)),
            thread: Mutex::new(None),
        }
    }

    pub(super) fn start(&self, orchestrator: &Orchestrator) -> std::io::Result<()> {
        let Some(asked) = self.asked.lock().take() else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let this = orchestrator.clone();
        let work = move || runtime.block_on(worker::run(this, asked));
        *self.thread.lock() = Some(std::thread::Builder::new().name("meaning".into()).spawn(work)?);
        Ok(())
    }

    /// Ends the thread and waits for it. Blocks.
    pub(super) fn stop(&self) {
        self.end.cancel();
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that compares symbols ended badly; nothing in it was not derived");
        }
    }

    /// The target branch stands elsewhere.
    pub(super) fn tip_moved(&self, tree: Option<ObjectId>, branch: Option<String>) {
        self.news.lock().tip = Some(Tip { tree, branch });
        self.arrived.notify_one();
    }

    /// An agent's work changed; `base` is the tree that it began with.
    pub(super) fn update(&self, number: u64, agent: &AgentId, base: Option<ObjectId>, update: &Update) {
        if update.is_empty() {
            return;
        }
        let mut news = self.news.lock();
        let entry = news.agents.entry(number).or_default();
        entry.now = Some((agent.clone(), base));
        entry.changes.extend(update.iter().cloned());
        drop(news);
        self.arrived.notify_one();
    }

    /// An agent left.
    pub(super) fn gone(&self, number: u64) {
        self.news.lock().agents.insert(number, AgentNews { gone: true, ..AgentNews::default() });
        self.arrived.notify_one();
    }

    /// All workspaces that the state names are followed: what is not found by now is gone.
    pub(super) fn caught_up(&self) {
        self.news.lock().caught_up = true;
        self.arrived.notify_one();
    }

    /// Returns when all that was left before is examined; does not wait for the target branch to be read.
    pub(super) async fn looked(&self) -> Result<(), Error> {
        let (done, answer) = oneshot::channel();
        self.ask(Ask::Barrier(done), answer, ()).await
    }

    /// Asks the thread; answers with `otherwise` where there is none.
    async fn ask<T>(&self, question: Ask, answer: oneshot::Receiver<T>, otherwise: T) -> Result<T, Error> {
        if self.thread.lock().is_none() {
            return Ok(otherwise);
        }
        self.questions.send(question).await.map_err(|_| Error::ShuttingDown)?;
        answer.await.map_err(|_| Error::ShuttingDown)
    }
}

impl Orchestrator {
    /// What unfinished changes break in others' work, and who uses what the filter names.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`], or the agent is not registered.
    pub async fn impact(&self, filter: ImpactFilter) -> Result<ImpactView, Error> {
        if let Some(agent) = &filter.agent {
            self.agent(agent).await?;
        }
        let (give, answer) = oneshot::channel();
        let meaning = &self.shared.following.meaning;
        meaning.ask(Ask::Impact(filter, give), answer, ImpactView::default()).await
    }
}
