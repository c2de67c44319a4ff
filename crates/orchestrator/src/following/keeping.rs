//! When an agent's work is made durable: when it has been quiet, at times while it is not, and when it is asked for.
//!
//! One job at a time does it beside the thread's loop, so no save waits for a flush. What is due meanwhile shares the
//! next job, and its flush.

use super::follower::Follower;
use crate::snapshots::keep::{Kept, Reason, Work, keep};
use crate::snapshots::upkeep;
use crate::{Error, Orchestrator};
use orchestrator_repository::{ObjectId, Store};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Pause after a failure.
const RETRY: Duration = Duration::from_secs(5);
/// How often is looked for what need not be kept any longer.
const UPKEEP: Duration = Duration::from_secs(3_600);
/// More packs than this are made one.
const MAX_PACKS: usize = 100;

/// Who waits for a snapshot; nothing is answered where there was nothing to keep.
pub(crate) type Answer = oneshot::Sender<Result<Option<Kept>, Error>>;

/// What a job was, and what came of it.
pub(super) enum Done {
    Kept(Vec<Item>, Vec<Result<Option<Kept>, Error>>),
    /// With how many were let go; nothing when it had to make way.
    Upkeep(Result<Option<usize>, Error>),
}

/// One work of a job.
pub(super) struct Item {
    work: Work,
    /// An agent that is followed no longer; its pin goes when its work is kept.
    left: Option<Follower>,
    answers: Vec<Answer>,
}

/// Work that changed since it was kept.
struct Open {
    first: Instant,
    last: Instant,
}

pub(super) struct Keeping {
    quiet: Duration,
    at_least: Duration,
    /// The newest generation of each workspace, by the agent's key.
    seen: BTreeMap<String, u64>,
    open: BTreeMap<String, Open>,
    left: Vec<Item>,
    asked: Vec<(String, Answer)>,
    idle: Vec<oneshot::Sender<()>>,
    is_busy: bool,
    /// Nothing is begun before.
    not_before: Instant,
    upkeep_at: Instant,
    is_first: bool,
    done: mpsc::Sender<Done>,
    ended: mpsc::Receiver<Done>,
}

impl Keeping {
    pub(super) fn new(quiet: Duration, at_least: Duration) -> Self {
        let (done, ended) = mpsc::channel(1);
        let now = Instant::now();
        Self {
            quiet,
            at_least,
            seen: BTreeMap::new(),
            open: BTreeMap::new(),
            left: Vec::new(),
            asked: Vec::new(),
            idle: Vec::new(),
            is_busy: false,
            not_before: now,
            upkeep_at: now,
            is_first: true,
            done,
            ended,
        }
    }

    /// The end of a job.
    pub(super) async fn ended(&mut self) -> Option<Done> {
        self.ended.recv().await
    }

    /// Notes how a workspace was seen.
    pub(super) fn seen(&mut self, key: &str, generation: u64) {
        let now = Instant::now();
        if self.seen.insert(key.to_owned(), generation) != Some(generation) {
            self.open.entry(key.to_owned()).or_insert(Open { first: now, last: now }).last = now;
        }
    }

    /// Takes over an agent that is followed no longer, to keep its last work.
    pub(super) fn left(&mut self, key: &str, follower: Follower) {
        self.seen.remove(key);
        let is_open = self.open.remove(key).is_some();
        let asked = self.asked.extract_if(.., |(asked, _)| asked == key).map(|(_, answer)| answer);
        let item = Item { work: follower.work_to_keep(Reason::Left), left: None, answers: asked.collect() };
        match is_open || !item.answers.is_empty() {
            true => self.left.push(Item { left: Some(follower), ..item }),
            false => follower.unpin(),
        }
    }

    /// Takes over the work of an agent that left a folder where others go on.
    pub(super) fn parted(&mut self, work: Work) {
        let key = work.agent.key();
        let asked = self.asked.extract_if(.., |(asked, _)| *asked == key).map(|(_, answer)| answer);
        let item = Item { answers: asked.collect(), work, left: None };
        self.left.push(item);
    }

    /// A folder is followed for another of its agents.
    pub(super) fn handed_over(&mut self, from: &str, to: &str) {
        if let Some(seen) = self.seen.remove(from) {
            self.seen.insert(to.to_owned(), seen);
        }
        if let Some(open) = self.open.remove(from) {
            self.open.insert(to.to_owned(), open);
        }
    }

    /// Wants an agent's work kept now.
    pub(super) fn ask(&mut self, key: String, answer: Answer) {
        self.asked.push((key, answer));
    }

    /// Tells when nothing is being kept and nothing that was asked for is open.
    pub(super) fn when_idle(&mut self, answer: oneshot::Sender<()>) {
        self.idle.push(answer);
    }

    /// When there is something to begin; nothing while a job runs.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.is_busy {
            return None;
        }
        let is_waited_for = !(self.left.is_empty() && self.asked.is_empty() && self.idle.is_empty());
        let now = is_waited_for.then_some(self.not_before);
        let due = self.open.values().map(|open| self.due(open));
        now.into_iter().chain(due).chain([self.upkeep_at]).min().map(|at| at.max(self.not_before))
    }

    fn due(&self, open: &Open) -> Instant {
        (open.last + self.quiet).min(open.first + self.at_least)
    }

    /// Begins what is due.
    pub(super) fn begin(
        &mut self,
        orchestrator: &Orchestrator,
        store: Option<&Store>,
        tip: Option<(ObjectId, ObjectId)>,
        followers: &BTreeMap<String, Follower>,
    ) {
        let now = Instant::now();
        if self.is_busy || now < self.not_before {
            return;
        }
        let Some(store) = store else {
            for (_, answer) in self.asked.drain(..) {
                let _nobody = answer.send(Ok(None));
            }
            return self.rest(now);
        };
        let items = self.items(now, followers);
        let (this, store, done) = (orchestrator.clone(), store.clone(), self.done.clone());
        if !items.is_empty() {
            self.is_busy = true;
            tokio::spawn(async move {
                let works = items.iter().map(|item| item.work.clone()).collect();
                let kept = keep(&this, &store, tip.map(|(commit, _)| commit), works).await;
                let _stopped = done.send(Done::Kept(items, kept)).await;
            });
        } else if self.upkeep_at <= now {
            self.is_busy = true;
            self.upkeep_at = now + UPKEEP;
            let is_first = self.is_first;
            tokio::spawn(async move {
                let dropped = upkeep::run(&this, &store, tip, is_first).await;
                let _stopped = done.send(Done::Upkeep(dropped)).await;
            });
        } else {
            self.rest(now);
        }
    }

    /// Nothing is to be done.
    fn rest(&mut self, now: Instant) {
        if self.upkeep_at <= now {
            self.upkeep_at = now + RETRY;
        }
        for idle in self.idle.drain(..) {
            let _nobody = idle.send(());
        }
    }

    fn items(&mut self, now: Instant, followers: &BTreeMap<String, Follower>) -> Vec<Item> {
        let mut items = std::mem::take(&mut self.left);
        let mut asked: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
        for (key, answer) in self.asked.drain(..) {
            asked.entry(key).or_default().push(answer);
        }
        let due: Vec<String> =
            self.open.iter().filter(|(_, open)| self.due(open) <= now).map(|(key, _)| key.clone()).collect();
        for key in due {
            asked.entry(key).or_default();
        }
        for (key, answers) in asked {
            self.open.remove(&key);
            let reason = if answers.is_empty() { Reason::Quiet } else { Reason::Asked };
            match work_of(followers, &key, reason) {
                Some(work) => items.push(Item { work, left: None, answers }),
                None => answers.into_iter().for_each(|answer| {
                    let _nobody = answer.send(Ok(None));
                }),
            }
        }
        items
    }

    /// Takes the end of a job; true when the store should be made compact.
    pub(super) fn finish(&mut self, orchestrator: &Orchestrator, store: Option<&Store>, done: Done) -> bool {
        self.is_busy = false;
        let now = Instant::now();
        let degradations = &orchestrator.shared.degradations;
        match done {
            Done::Kept(items, results) => {
                let mut failures = Vec::new();
                for (mut item, result) in items.into_iter().zip(results) {
                    for answer in item.answers.drain(..) {
                        let _nobody = answer.send(result.clone());
                    }
                    match (result, &item.left) {
                        (Ok(_), Some(follower)) => follower.unpin(),
                        (Ok(_), None) => {}
                        // Nobody will look at the work of one that left again.
                        (Err(error), _) if item.work.reason == Reason::Left => {
                            failures.push(error.to_string());
                            self.left.push(item);
                        }
                        (Err(error), _) => {
                            failures.push(error.to_string());
                            let open = Open { first: now, last: now };
                            self.open.entry(item.work.agent.key()).or_insert(open);
                        }
                    }
                }
                if failures.is_empty() {
                    degradations.clear("snapshot");
                } else {
                    self.not_before = now + RETRY;
                    let cure = "see that the disk has room and the repository can be written; tried again every 5 s";
                    degradations.raise("snapshot", failures.join("; "), cure);
                }
                store.is_some_and(|store| store.packs() > MAX_PACKS)
            }
            Done::Upkeep(Ok(None)) => {
                self.upkeep_at = now + RETRY;
                false
            }
            Done::Upkeep(Ok(Some(dropped))) => {
                self.is_first = false;
                degradations.clear("snapshot_upkeep");
                dropped > 0 || store.is_some_and(|store| store.packs() > MAX_PACKS)
            }
            Done::Upkeep(Err(error)) => {
                self.upkeep_at = now + RETRY;
                let cure = "see that the repository can be read and written; tried again every 5 s";
                degradations.raise("snapshot_upkeep", format!("old snapshots could not be let go: {error}"), cure);
                false
            }
        }
    }

    /// All work that is not kept, before the end.
    pub(super) fn rest_of(&mut self, followers: &BTreeMap<String, Follower>) -> Vec<Work> {
        let left = self.left.drain(..).map(|item| item.work);
        let open = std::mem::take(&mut self.open);
        let open = open.keys().filter_map(|key| work_of(followers, key, Reason::Shutdown));
        left.map(|work| Work { reason: Reason::Shutdown, ..work }).chain(open).collect()
    }

    /// Whether a job runs.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }
}

/// An agent's work, also in a folder that is followed for another one.
fn work_of(followers: &BTreeMap<String, Follower>, key: &str, reason: Reason) -> Option<Work> {
    let (follower, member) = followers.values().find_map(|one| Some((one, one.member(key)?)))?;
    Some(Work { agent: member.agent, number: member.number, ..follower.work_to_keep(reason) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;
    use orchestrator_repository::Project;

    #[tokio::test]
    async fn upkeep_that_makes_way_is_no_failure_and_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        let made = std::process::Command::new("git").args(["init", "--quiet"]).arg(&root).status().unwrap();
        assert!(made.success());
        let project = Project::discover(&root).unwrap();
        let orchestrator = Orchestrator::open(Options::new(project.clone(), folder.path().join("state"))).unwrap();
        let store = orchestrator.shared.following.store(&project).unwrap();
        let mut keeping = Keeping::new(UPKEEP, UPKEEP);
        for is_held in [true, false] {
            let workspaces = orchestrator.shared.workspaces.clone().lock_owned().await;
            let _held = is_held.then_some(workspaces);
            keeping.upkeep_at = Instant::now();
            keeping.begin(&orchestrator, Some(&store), None, &BTreeMap::new());
            let done = keeping.ended().await.unwrap();
            keeping.finish(&orchestrator, Some(&store), done);
            assert_eq!(orchestrator.shared.degradations.list(), []);
            let next = keeping.next().unwrap().saturating_duration_since(Instant::now());
            assert_eq!((keeping.is_first, next <= RETRY), (is_held, is_held), "{next:?}");
        }
        orchestrator.shutdown().await;
    }
}
