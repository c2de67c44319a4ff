//! The loop: which agents are followed, what they changed, what collides.

mod known;
mod leases;
mod looking;
mod losses;
mod merging;
mod pushes;
mod sharing;
mod sides;
mod union;
mod watches;

use super::Ask;
use super::follower::Follower;
use super::keeping::{Done, Keeping};
use super::pushed::Pushed;
use super::reports::Reports;
use super::shared::Shared;
use super::source::Memory;
use crate::snapshots::keep::keep;
use crate::{Actor, Command, Error, Orchestrator};
use futures_util::future::join_all;
use orchestrator_conflict as conflict;
use orchestrator_predict::{Finding, Path, Star};
use orchestrator_repository::{ObjectId, Store};
use orchestrator_watch::{ChangeKind, Notice, unescape};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How often git is asked what it did: a commit changes no file of the worktree.
const GIT: Duration = Duration::from_secs(1);
/// Pause before a workspace that could not be followed is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// How long the end waits for what is just being made durable.
const LAST: Duration = Duration::from_secs(10);

/// Follows until the server stops.
pub(crate) async fn run(orchestrator: Orchestrator, mut questions: mpsc::Receiver<Ask>) {
    let shared = orchestrator.shared.clone();
    let mut runner = Runner::new(orchestrator);
    let mut git = tokio::time::interval(GIT);
    git.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let due = runner.next().into();
        tokio::select! {
            () = shared.following.end.cancelled() => break,
            () = shared.following.look.notified() => runner.look(Some(1)).await,
            () = shared.following.reported.notified() => runner.claims().await,
            Some(question) = questions.recv() => runner.answer(question).await,
            (agent, notice) = next_notice(&mut runner.followers, &runner.heard) => {
                runner.noticed(&agent, notice).await;
                runner.heard = agent;
            }
            Some(done) = runner.keeping.ended() => runner.kept(done),
            () = tokio::time::sleep_until(due) => runner.work_off().await,
            _ = git.tick() => runner.ask_git().await,
        }
    }
    runner.keep_rest().await;
    for follower in runner.followers.into_values() {
        follower.handle.stop();
    }
}

/// The next notice of any watcher. Those after the one that was heard last come first, so that one that never rests
/// does not keep others waiting.
async fn next_notice(followers: &mut BTreeMap<String, Follower>, heard: &str) -> (String, Notice) {
    let any = |context: &mut Context<'_>| {
        let turns: [(Bound<&str>, Bound<&str>); 2] =
            [(Bound::Excluded(heard), Bound::Unbounded), (Bound::Unbounded, Bound::Included(heard))];
        for turn in turns {
            for (agent, follower) in followers.range_mut::<str, _>(turn) {
                if let Poll::Ready(Some(notice)) = follower.notices.poll_recv(context) {
                    return Poll::Ready((agent.clone(), notice));
                }
            }
        }
        Poll::Pending
    };
    std::future::poll_fn(any).await
}

/// Whom an overlap is between; the second is nothing for landed work.
type Between = (u64, Option<u64>);

struct Runner {
    orchestrator: Orchestrator,
    store: Option<Store>,
    target: Option<String>,
    /// The newest commit of the target branch, and its tree.
    tip: Option<(ObjectId, ObjectId)>,
    star: Star,
    followers: BTreeMap<String, Follower>,
    /// Agents that push their work, by key.
    pushed: BTreeMap<String, Pushed>,
    /// Whose watcher was heard last.
    heard: String,
    /// Agents whose workspace could not be followed: why, and when it is tried again.
    failed: BTreeMap<String, (String, Instant)>,
    reports: Reports<Path, Between, Finding>,
    memory: Memory,
    /// Agents whose workspace could not be read at the last look.
    unread: BTreeSet<String>,
    /// Paths that could not be merged.
    unmerged: BTreeSet<Path>,
    /// Files of shared folders that could not be compared with what stood there before.
    unjudged: BTreeSet<Path>,
    /// Most folders to watch, in all workspaces and the project's own folder.
    budget: usize,
    /// Workspaces that are scanned instead of watched.
    scanned: usize,
    /// What the health says of them.
    shown_scanned: String,
    keeping: Keeping,
    whole: union::Whole,
    /// Edits that break a lease.
    broken: Reports<Path, (u64, u64), leases::Broken>,
    /// The leases that work was compared with.
    leases: BTreeSet<u64>,
    /// What was missing when overlaps recorded by an earlier run were compared with those found by this one; nothing
    /// before.
    missed: Option<known::Missing>,
}

impl Runner {
    fn new(orchestrator: Orchestrator) -> Self {
        let snapshots = &orchestrator.options().snapshots;
        let keeping = Keeping::new(snapshots.quiet, snapshots.interval);
        Self {
            budget: orchestrator.options().watch_budget.unwrap_or_else(orchestrator_watch::default_budget),
            broken: Reports::default(),
            leases: BTreeSet::new(),
            scanned: 0,
            shown_scanned: String::new(),
            keeping,
            orchestrator,
            store: None,
            target: None,
            tip: None,
            star: Star::default(),
            whole: union::Whole::default(),
            followers: BTreeMap::new(),
            heard: String::new(),
            pushed: BTreeMap::new(),
            failed: BTreeMap::new(),
            reports: Reports::default(),
            memory: Memory::default(),
            unread: BTreeSet::new(),
            unmerged: BTreeSet::new(),
            unjudged: BTreeSet::new(),
            missed: None,
        }
    }

    /// The branch that work is compared with: the one that is checked out in the project's folder.
    fn find_tip(&mut self) -> Result<bool, orchestrator_repository::Error> {
        let Some(store) = &self.store else { return Ok(false) };
        let target = self.orchestrator.options().project.branch()?;
        let tip = match &target {
            Some(branch) => store.tip(branch)?,
            None => None,
        };
        let renamed = std::mem::replace(&mut self.target, target.clone()) != target;
        let moved = std::mem::replace(&mut self.tip, tip) != tip || renamed;
        if moved {
            let tree = tip.map(|(_, tree)| tree);
            self.orchestrator.shared.following.meaning.tip_moved(tree, self.target.clone());
        }
        Ok(moved)
    }

    /// What git did without touching a file: commits, other branches.
    async fn ask_git(&mut self) {
        if self.failed.values().any(|(_, again)| *again <= Instant::now()) {
            self.look(Some(1)).await;
        }
        if self.followers.is_empty() && self.pushed.is_empty() && self.unmerged.is_empty() {
            return;
        }
        if !self.is_caught_up() {
            self.orchestrator.shared.following.look();
        }
        self.share_watches();
        let before = self.target.clone();
        let moved = match self.find_tip() {
            Ok(moved) => moved,
            Err(error) => {
                tracing::warn!(%error, "the target branch cannot be read; the last tip stands");
                false
            }
        };
        if self.target != before {
            self.withdraw_landed(before).await;
        }
        let keys: Vec<String> = self.followers.keys().cloned().collect();
        for key in keys {
            let untold = self.followers.get_mut(&key).map(Follower::untold);
            let untold = untold.transpose().inspect_err(|error| tracing::warn!(%error, "an index cannot be read"));
            self.refresh(&key, Some(&untold.ok().flatten().unwrap_or_default())).await;
        }
        self.refresh_pushed().await;
        let mut paths = std::mem::take(&mut self.unmerged);
        let was_unmerged = !paths.is_empty();
        if moved {
            paths.extend(self.star.paths().cloned());
        }
        self.examine(paths).await;
        self.look_at_leases().await;
        if was_unmerged && self.unmerged.is_empty() {
            self.orchestrator.shared.degradations.clear("workspace_merge");
        }
    }

    /// Answers; nobody may be waiting any more.
    async fn answer(&mut self, question: Ask) {
        match question {
            Ask::Barrier(answer) => {
                self.look(None).await;
                self.drain().await;
                let _nobody = answer.send(());
            }
            Ask::Work(agent, answer) => {
                let follower = self.followers.values().find(|one| one.member(&agent).is_some());
                let pushed = || self.pushed.get(&agent).and_then(Pushed::work);
                let _nobody = answer.send(follower.and_then(Follower::work).or_else(pushed));
            }
            Ask::Keep(agent, answer) => {
                if let Err(error) = self.look_if_unread(&agent).await {
                    let _nobody = answer.send(Err(error));
                    return;
                }
                self.keeping.ask(agent, answer);
                self.keep();
            }
            Ask::Idle(answer) => self.keeping.when_idle(answer),
            Ask::Sides(between, answer) => {
                let _nobody = answer.send(self.sides(&between));
            }
            Ask::Touching(paths, answer) => {
                let agents = self.agents();
                let mut found = Vec::new();
                for path in paths {
                    let numbers: Vec<u64> = self.star.changes_at(&path).map(|(number, _)| number).collect();
                    let known = numbers.iter().filter_map(|number| agents.get(number));
                    found.extend(known.map(|agent| (path.clone(), agent.clone())));
                }
                let _nobody = answer.send(found);
            }
            Ask::Union(limit, answer) => {
                let _nobody = answer.send(self.union_view(limit).await);
            }
        }
    }

    async fn drain(&mut self) {
        let keys: Vec<String> = self.followers.keys().cloned().collect();
        for key in keys {
            while let Some(notice) = self.followers.get_mut(&key).and_then(|one| one.notices.try_recv().ok()) {
                self.noticed(&key, notice).await;
            }
        }
        self.ask_git().await;
        self.claims().await;
        self.join_union(false).await;
    }

    /// When something is due.
    fn next(&self) -> Instant {
        let reports = self.reports.next().into_iter().chain(self.broken.next()).chain(self.whole.next());
        reports.chain(self.keeping.next()).min().unwrap_or_else(|| Instant::now() + GIT)
    }

    /// Does what is due.
    async fn work_off(&mut self) {
        let reports = self.reports.due(Instant::now());
        self.tell(reports).await;
        let broken = self.due_leases();
        self.submit(broken).await;
        self.join_union(true).await;
        self.keep();
    }

    /// Begins to make durable what is due.
    fn keep(&mut self) {
        if self.store.is_none()
            && self.orchestrator.shared.core.lock().state.snapshots.kept().next().is_some()
            && let Err(error) = self.open_store()
        {
            tracing::warn!(%error, "the store of snapshots cannot be opened");
        }
        self.keeping.begin(&self.orchestrator, self.store.as_ref(), self.tip, &self.followers);
    }

    /// Takes the end of what was made durable or let go.
    fn kept(&mut self, done: Done) {
        let is_scattered = self.keeping.finish(&self.orchestrator, self.store.as_ref(), done);
        let Some(store) = self.store.as_ref().filter(|store| is_scattered && !store.has_spilled()) else { return };
        // Nobody but this thread looks at the followed folders, so what is live is known.
        let trees = self.followers.values().map(Follower::tree).collect::<Result<Vec<_>, _>>();
        let shared = self.followers.values().filter_map(|follower| follower.shared.as_ref());
        let remembered = shared.flat_map(Shared::contents).map(ObjectId::from);
        let began = Instant::now();
        match trees.and_then(|trees| store.compact(trees.into_iter().chain(remembered))) {
            Ok(()) => tracing::info!(took = ?began.elapsed(), "the store of snapshots is one pack now"),
            Err(error) => tracing::warn!(%error, "the store of snapshots could not be made compact"),
        }
    }

    /// Keeps what is not kept yet, before the end.
    async fn keep_rest(&mut self) {
        while self.keeping.is_busy() {
            let Ok(Some(done)) = tokio::time::timeout(LAST, self.keeping.ended()).await else { return };
            self.keeping.finish(&self.orchestrator, self.store.as_ref(), done);
        }
        let works = self.keeping.rest_of(&self.followers);
        let Some(store) = self.store.as_ref().filter(|_| !works.is_empty()) else { return };
        for kept in keep(&self.orchestrator, store, self.tip.map(|(commit, _)| commit), works).await {
            if let Err(error) = kept {
                tracing::error!(%error, "work was not kept at the end; its folder has it");
            }
        }
    }

    async fn noticed(&mut self, key: &str, notice: Notice) {
        let Some(follower) = self.followers.get(key) else { return };
        let agent = follower.agent.clone();
        match notice {
            Notice::Changes(changes) if follower.shared.is_some() => self.noticed_shared(key, changes).await,
            Notice::Changes(changes) => {
                self.orchestrator.heard_of(&agent);
                let paths: Vec<Vec<u8>> = changes.iter().flat_map(paths_of).collect();
                self.refresh(key, Some(&paths)).await;
                if let Some(follower) = self.followers.get_mut(key) {
                    follower.changed_at = Instant::now();
                }
                let commands =
                    changes.into_iter().map(|change| crate::monitor::to_command(change, Some(agent.clone())));
                self.submit(commands.collect()).await;
            }
            Notice::Unchanged(paths) => {
                let paths: Vec<Vec<u8>> = paths.into_iter().map(|path| path.into_os_string().into_vec()).collect();
                self.refresh(key, Some(&paths)).await;
            }
            Notice::Overflow { .. } | Notice::RootBack | Notice::MassDeletionCleared { .. } => {
                self.refresh(key, None).await;
            }
            Notice::MassDeletion { count, total } => {
                let reason = format!("{count} of {total} files of {agent} vanished at once; its last work stands");
                self.note("workspace_mass_deletion", reason, "bring them back, or register the workspace anew").await;
            }
            Notice::RootLost => {
                let reason = format!("the workspace of {agent} is gone; its last work stands");
                self.note("workspace_lost", reason, "bring it back, or unregister the agent").await;
            }
            Notice::Degraded { reason } => self.note_shortage(key, Some(reason)),
            Notice::Recovered => self.note_shortage(key, None),
            other => tracing::warn!(?other, "the watcher told something unknown"),
        }
    }

    async fn note(&self, name: &'static str, reason: String, cure: &'static str) {
        submit(&self.orchestrator, Command::Notice { name, reason, cure }).await;
    }

    /// Submits all at once, so that they share a flush.
    async fn submit(&self, commands: Vec<conflict::Command>) {
        let all = commands.into_iter().map(|command| submit(&self.orchestrator, Command::Conflict(command)));
        join_all(all).await;
    }
}

/// A halted log refuses; what was found must not be lost with that.
pub(super) async fn submit(orchestrator: &Orchestrator, command: Command) {
    while let Err(error) = orchestrator.submit(Actor::System, command.clone()).await {
        if matches!(error, Error::ShuttingDown) {
            return;
        }
        tracing::warn!(%error, "what was found in a workspace could not be recorded; trying again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Notes how long a step of the work after a save took.
fn spent(phase: &'static str, begun: Instant) {
    metrics::histogram!("orchestrator_workspace_seconds", "phase" => phase).record(begun.elapsed().as_secs_f64());
}

/// The paths that a change is about, as bytes.
fn paths_of(change: &orchestrator_watch::Change) -> Vec<Vec<u8>> {
    let bytes = |text: &str| match change.escaped.then(|| unescape(text)).flatten() {
        Some(path) => path.as_os_str().as_bytes().to_vec(),
        None => text.as_bytes().to_vec(),
    };
    let mut paths = vec![bytes(&change.path)];
    if let ChangeKind::Renamed { from } = &change.kind {
        paths.push(bytes(from));
    }
    paths
}
