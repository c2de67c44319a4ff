//! The loop: takes the news, compares, tells, and reads the target branch when nothing else is to do.

use super::record::{Between, Broken, Parties, Subject, gather};
use super::{AgentNews, Ask, ImpactFilter, ImpactView, News, Tip, answer};
use crate::following::reports::{Report, Reports};
use crate::following::runner::submit;
use crate::following::source::{self, Memory};
use crate::{Command, Orchestrator, State};
use futures_util::future::join_all;
use orchestrator_conflict as conflict;
use orchestrator_predict::{Agent, Impact, Landed, Symbols};
use orchestrator_protocol::{AgentId, ConflictType};
use orchestrator_repository::{Error, ObjectId, Store};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How long the target branch is read before the news are looked at again.
const STEP: Duration = Duration::from_millis(20);
/// Pause before what could not be read is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// When nothing is due.
const IDLE: Duration = Duration::from_secs(3_600);
/// Files by which the target branch may be ahead of an agent's work to be compared with it.
const AHEAD: usize = 5_000;

/// Compares until the server stops.
pub(super) async fn run(orchestrator: Orchestrator, mut questions: mpsc::Receiver<Ask>) {
    let shared = orchestrator.shared.clone();
    let meaning = &shared.following.meaning;
    let mut worker = Worker::new(orchestrator);
    loop {
        let due = worker.next().into();
        tokio::select! {
            biased;
            () = meaning.end.cancelled() => break,
            () = meaning.arrived.notified() => worker.look().await,
            Some(question) = questions.recv() => worker.answer(question).await,
            () = tokio::time::sleep_until(due) => worker.work_off().await,
            () = std::future::ready(()), if worker.is_reading => worker.read_on().await,
        }
        // Others on this thread, such as its timers, get their turn between two steps.
        tokio::task::yield_now().await;
    }
}

struct Worker {
    orchestrator: Orchestrator,
    symbols: Symbols,
    names: HashMap<Agent, AgentId>,
    /// The tree that each agent's work began with.
    bases: HashMap<Agent, Option<ObjectId>>,
    tip: Tip,
    /// What has landed since older trees.
    ahead: HashMap<ObjectId, Arc<Landed>>,
    /// What landed work breaks.
    landed: HashMap<Agent, Vec<Impact>>,
    reports: Reports<Between, Subject, Broken>,
    memory: Memory,
    /// The tip is not read to its end.
    is_reading: bool,
    /// All workspaces are followed.
    caught_up: bool,
    /// Records of earlier runs were compared with what was found by this one.
    compared: bool,
    /// When what could not be read is tried again.
    retry: Option<Instant>,
    /// Agents whose work is to be compared again, since something could not be read.
    again: BTreeSet<Agent>,
}

impl Worker {
    fn new(orchestrator: Orchestrator) -> Self {
        Self {
            orchestrator,
            symbols: Symbols::default(),
            names: HashMap::new(),
            bases: HashMap::new(),
            tip: Tip::default(),
            ahead: HashMap::new(),
            landed: HashMap::new(),
            reports: Reports::default(),
            memory: Memory::default(),
            is_reading: false,
            caught_up: false,
            compared: false,
            retry: None,
            again: BTreeSet::new(),
        }
    }

    fn store(&self) -> Result<Store, Error> {
        self.orchestrator.shared.following.store(&self.orchestrator.options().project)
    }

    /// Takes the news and compares what they concern.
    async fn look(&mut self) {
        let mut news = std::mem::take(&mut *self.orchestrator.shared.following.meaning.news.lock());
        self.caught_up |= std::mem::take(&mut news.caught_up);
        let mut gone = Vec::new();
        for (agent, news) in &mut news.agents {
            if std::mem::take(&mut news.gone) {
                gone.extend(self.forget(*agent));
            }
        }
        if news.tip.as_ref().is_some_and(|tip| tip.branch != self.tip.branch) {
            gone.extend(self.forget_landed());
        }
        self.submit(gone).await;
        let mut dirty = std::mem::take(&mut self.again);
        match self.take(&mut news, &mut dirty) {
            Ok(()) => {
                self.orchestrator.shared.degradations.clear("symbols");
                self.retry = None;
            }
            Err(error) => {
                self.trouble(&error);
                self.put_back(news);
            }
        }
        self.compare(dirty).await;
        self.compare_records().await;
    }

    fn trouble(&mut self, error: &Error) {
        let reason = format!("who uses what could not be read: {error}");
        let cure = "it is tried again every second; conflicts of meaning may be missing until then";
        self.orchestrator.shared.degradations.raise("symbols", reason, cure);
        self.retry = Some(Instant::now() + RETRY);
    }

    /// What was not taken in is news again, unless there is newer.
    fn put_back(&self, old: News) {
        let mut news = self.orchestrator.shared.following.meaning.news.lock();
        if news.tip.is_none() {
            news.tip = old.tip;
        }
        for (agent, old) in old.agents {
            let entry = news.agents.entry(agent).or_default();
            if !entry.gone {
                if entry.now.is_none() {
                    entry.now = old.now;
                }
                for (path, change) in old.changes {
                    entry.changes.entry(path).or_insert(change);
                }
            }
        }
    }

    /// An agent left. Its records are withdrawn with it; what was told since is taken back here.
    fn forget(&mut self, agent: Agent) -> Vec<conflict::Command> {
        self.symbols.remove(agent);
        self.landed.remove(&agent);
        self.bases.remove(&agent);
        self.again.remove(&agent);
        let told = self.reports.forget(|(author, user), _| *author == Some(agent) || *user == agent);
        let gone = told.into_iter().filter_map(|(between, subject)| Some(self.parties(between)?.gone(&subject)));
        let gone = gone.collect();
        self.names.remove(&agent);
        gone
    }

    /// Work is compared with another branch now: what has landed on the old one is over.
    fn forget_landed(&mut self) -> Vec<conflict::Command> {
        let told = self.reports.forget(|(author, _), _| author.is_none());
        told.into_iter().filter_map(|(between, subject)| Some(self.parties(between)?.gone(&subject))).collect()
    }

    fn take(&mut self, news: &mut News, dirty: &mut BTreeSet<Agent>) -> Result<(), Error> {
        if news.tip.is_none() && news.agents.is_empty() {
            return Ok(());
        }
        let store = self.store()?;
        if let Some(tip) = news.tip.take() {
            self.move_tip(&store, tip.clone()).inspect_err(|_| news.tip = Some(tip))?;
            dirty.extend(self.symbols.agents());
        }
        while let Some(entry) = news.agents.first_entry() {
            let (agent, AgentNews { now, changes, .. }) = (*entry.key(), entry.get());
            if let Some((id, base)) = now {
                let source = source::Tip::new(&store, &mut self.memory, self.tip.tree);
                let changes = changes.iter().map(|(path, change)| (path.clone(), *change));
                self.names.insert(agent, id.clone());
                // What was taken in before the failure is compared all the same.
                let changed = self.symbols.update(agent, changes, &source).inspect_err(|_| {
                    dirty.insert(agent);
                })?;
                let moved = self.bases.insert(agent, *base) != Some(*base);
                if changed || moved {
                    dirty.insert(agent);
                }
            }
            entry.remove();
        }
        Ok(())
    }

    fn move_tip(&mut self, store: &Store, tip: Tip) -> Result<(), Error> {
        let empty = |tree: ObjectId| ObjectId::empty_tree(tree.kind());
        let changes = match (self.tip.tree, tip.tree) {
            (Some(old), Some(new)) => store.diff(old, new, false)?,
            (None, Some(new)) => store.diff(empty(new), new, false)?,
            (Some(old), None) => store.diff(old, empty(old), false)?,
            (None, None) => Vec::new(),
        };
        let files = changes.into_iter().map(|change| {
            (Vec::from(change.path).into(), change.to.map(|(mode, id)| source::version(mode, id, false)))
        });
        let source = source::Tip::new(store, &mut self.memory, tip.tree);
        self.symbols.tip_moved(files, &source)?;
        self.tip = tip;
        self.ahead.clear();
        self.is_reading = !self.symbols.is_complete();
        Ok(())
    }

    /// Reads a little more of the target branch; when that was all, compares everything.
    async fn read_on(&mut self) {
        let Ok(store) = self.store().inspect_err(|error| self.trouble(error)) else {
            self.is_reading = false;
            return;
        };
        let until = Instant::now() + STEP;
        let source = source::Tip::new(&store, &mut self.memory, self.tip.tree);
        self.symbols.index_some(&source, || Instant::now() < until);
        if self.symbols.is_complete() {
            self.is_reading = false;
            let [files, _, left_out] = self.symbols.counts();
            tracing::info!(files, left_out, "the target branch's definitions and uses are read");
            self.memory = Memory::default();
            let all = self.symbols.agents().collect();
            self.compare(all).await;
            self.compare_records().await;
        }
    }

    /// What the changes of these agents break, and what others break of theirs.
    async fn compare(&mut self, dirty: BTreeSet<Agent>) {
        if dirty.is_empty() {
            return;
        }
        let Ok(store) = self.store().inspect_err(|error| self.trouble(error)) else {
            self.again.extend(dirty);
            return;
        };
        let all: Vec<Agent> = self.symbols.agents().collect();
        let mut reports = Vec::new();
        for one in &dirty {
            let others = all.iter().filter(|other| *other != one);
            let pairs = others.flat_map(|other| {
                let both_change = dirty.contains(other) && other < one;
                [(*one, *other), (*other, *one)].into_iter().filter(move |_| !both_change)
            });
            for (author, user) in pairs {
                let source = source::Tip::new(&store, &mut self.memory, self.tip.tree);
                match self.symbols.examine(author, user, &source) {
                    Ok(impacts) => {
                        let between = (Some(author), user);
                        reports.extend(self.reports.at(&between, gather(between, impacts), Instant::now()));
                    }
                    Err(error) => {
                        self.trouble(&error);
                        self.again.insert(*one);
                    }
                }
            }
            match self.compare_landed(&store, *one) {
                Ok(impacts) => {
                    let between = (None, *one);
                    reports.extend(self.reports.at(&between, gather(between, impacts.clone()), Instant::now()));
                    self.landed.insert(*one, impacts);
                }
                Err(error) => {
                    self.trouble(&error);
                    self.again.insert(*one);
                }
            }
        }
        self.tell(reports).await;
    }

    fn compare_landed(&mut self, store: &Store, agent: Agent) -> Result<Vec<Impact>, Error> {
        let (Some(Some(base)), Some(tip)) = (self.bases.get(&agent).copied(), self.tip.tree) else {
            return Ok(Vec::new());
        };
        if base == tip {
            return Ok(Vec::new());
        }
        let source = source::Tip::new(store, &mut self.memory, self.tip.tree);
        let landed = match self.ahead.get(&base) {
            Some(landed) => landed.clone(),
            None => {
                let changes = store.diff(tip, base, false)?;
                let before = changes.into_iter().take(AHEAD).map(|change| {
                    (Vec::from(change.path).into(), change.to.map(|(mode, id)| source::version(mode, id, false)))
                });
                let landed = Arc::new(self.symbols.landed(before, &source)?);
                self.ahead.insert(base, landed.clone());
                landed
            }
        };
        self.symbols.examine_landed(agent, &landed, &source)
    }

    /// When something is due.
    fn next(&self) -> Instant {
        self.reports.next().into_iter().chain(self.retry).min().unwrap_or_else(|| Instant::now() + IDLE)
    }

    async fn work_off(&mut self) {
        let now = Instant::now();
        let due = self.reports.due(now);
        self.tell(due).await;
        if self.retry.is_some_and(|at| at <= now) {
            self.retry = None;
            self.look().await;
            self.is_reading = !self.symbols.is_complete();
        }
    }

    fn parties(&self, between: Between) -> Option<Parties> {
        Parties::new(|agent| self.names.get(&agent).cloned(), self.tip.branch.as_deref(), between)
    }

    async fn tell(&self, reports: Vec<Report<Between, Subject, Broken>>) {
        let commands = reports.into_iter().filter_map(|report| match report {
            Report::Found(broken) => Some(self.parties(broken.between)?.found(&broken)),
            Report::Gone(between, subject) => Some(self.parties(between)?.gone(&subject)),
        });
        self.submit(commands.collect()).await;
    }

    async fn submit(&self, commands: Vec<conflict::Command>) {
        let all = commands.into_iter().map(|command| submit(&self.orchestrator, Command::Conflict(command)));
        join_all(all).await;
    }

    /// Withdraws what an earlier run recorded and what is not there any more; not before all is known.
    async fn compare_records(&mut self) {
        if self.compared || !self.caught_up || self.is_reading || self.retry.is_some() {
            return;
        }
        self.compared = true;
        let told = self.reports.told();
        let told = told.filter_map(|broken| Some(self.parties(broken.between)?.key(&broken.subject())));
        let told: HashSet<(Vec<AgentId>, Option<String>, String)> = told.collect();
        let open = |state: &State| {
            let open = state.conflict.conflicts().open();
            let semantic = open.filter(|(_, one)| one.conflict_type == ConflictType::Semantic);
            let semantic = semantic.filter_map(|(_, one)| {
                Some((one.path.clone(), one.agents.clone(), one.target.clone(), one.subject.clone()?))
            });
            semantic.collect::<Vec<_>>()
        };
        let open = open(&self.orchestrator.shared.core.lock().state);
        let stale = open.into_iter().filter_map(|(path, agents, target, subject)| {
            let key = (agents, target, subject);
            let is_told = told.contains(&key);
            let (agents, target, subject) = key;
            (!is_told).then_some(conflict::Command::Gone { path, agents, target, subject: Some(subject) })
        });
        self.submit(stale.collect()).await;
    }

    /// Answers; nobody may be waiting any more.
    async fn answer(&mut self, question: Ask) {
        self.look().await;
        match question {
            Ask::Barrier(done) => {
                let _nobody = done.send(());
            }
            Ask::Impact(filter, give) => {
                let _nobody = give.send(self.impact(filter));
            }
        }
    }

    fn impact(&mut self, filter: ImpactFilter) -> ImpactView {
        let [_, waiting, left_out] = self.symbols.counts();
        let known = |view: ImpactView| ImpactView { indexing: waiting > 0, left_out, ..view };
        let Some(question) = answer::question(filter, &self.names) else { return known(ImpactView::default()) };
        let landed: Vec<Impact> = self.landed.values().flatten().cloned().collect();
        let found = self.store().and_then(|store| {
            let source = source::Tip::new(&store, &mut self.memory, self.tip.tree);
            self.symbols.answer(&question, landed, &source)
        });
        match found {
            Ok(found) => known(answer::view(&found, &self.names)),
            Err(error) => {
                self.trouble(&error);
                known(ImpactView { truncated: true, ..ImpactView::default() })
            }
        }
    }
}
