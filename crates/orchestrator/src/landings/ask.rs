//! Putting work into the queue, and taking it out.

use super::view::view;
use crate::workspaces::{blocked, refused};
use crate::{Actor, Command, Error, Orchestrator, Reply, mail::internal, snapshots};
use orchestrator_landing as landing;
use orchestrator_protocol::{AgentId, ErrorCode, Merge};
use orchestrator_registry as registry;
use orchestrator_repository::{Limits, ObjectId, Project, State, Workspace};
use std::path::Path;

/// What is to land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Whose work.
    pub agent: AgentId,
    /// The branch; the one that is checked out in the project when left out.
    pub target: Option<String>,
    /// What the commit says.
    pub message: Option<String>,
    /// Higher goes first.
    pub priority: i32,
    /// A snapshot, a branch or a commit instead of the work as it stands.
    pub snapshot: Option<String>,
}

impl Orchestrator {
    /// Puts an agent's work into the queue: as it stands, every change that was finished before the call included. The same
    /// work for the same branch, while it is open, is the same landing.
    ///
    /// # Errors
    /// There is no such agent, branch, snapshot or work, or nothing can be recorded.
    pub async fn request_merge(&self, actor: Actor, wish: Wish) -> Result<Merge, Error> {
        self.can_record()?;
        let found = self.read(|state| state.registry.agent(&wish.agent).map(|agent| agent.id.clone())).await?;
        let agent = found.ok_or_else(|| registry::Error::UnknownAgent(wish.agent.to_string()))?;
        let target = match wish.target.clone() {
            Some(target) => target,
            None => self.options().project.branch().map_err(refused)?.ok_or_else(|| {
                let hint = "give 'target'";
                Error::invalid(ErrorCode::InvalidRequest, "the project has no branch checked out", hint)
            })?,
        };
        let work = match &wish.snapshot {
            None => self.standing_work(&agent).await?,
            Some(text) => self.named_work(text.clone()).await?,
        };
        self.enqueue(actor, agent, target, wish, work).await
    }

    /// Makes the work durable and puts it into the queue.
    pub(super) async fn enqueue(
        &self,
        actor: Actor,
        agent: AgentId,
        target: String,
        wish: Wish,
        work: ObjectId,
    ) -> Result<Merge, Error> {
        let message = wish.message.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let message = message.unwrap_or_else(|| format!("Work of {agent}"));
        let kept = format!("refs/landing/work-{work}");
        let (branch, name) = (target.clone(), kept.clone());
        self.blocking(move |this| {
            let store = this.shared.following.store(&this.options().project).map_err(refused)?;
            if !Project::is_branch_name(&branch) || store.tip(&branch).map_err(refused)?.is_none() {
                let detail = format!("there is no branch '{branch:.80}'");
                return Err(Error::invalid(ErrorCode::InvalidRequest, detail, "name a branch that exists"));
            }
            store.keep(&[(name, work)]).map_err(refused)
        })
        .await?;
        let held = kept.clone();
        let commit = work.to_string();
        let request = landing::Request {
            agent: agent.clone(),
            target: target.clone(),
            message,
            priority: wish.priority,
            commit: commit.clone(),
            kept,
        };
        match self.submit(actor, Command::Landing(landing::Command::Request(request))).await? {
            Reply::Landing(id) => {
                // The end of another landing of the same work may have let go of it at that moment.
                self.blocking(move |this| {
                    let store = this.shared.following.store(&this.options().project).map_err(refused)?;
                    store.keep(&[(held, work)]).map_err(refused)
                })
                .await?;
                self.merge(id).await
            }
            _ => Err(Error::Internal("a landing was asked for and not answered".to_owned())),
        }
    }

    /// Takes a landing out of the queue. Twice is no error.
    ///
    /// # Errors
    /// It is not known, it landed, or its branch is just moving.
    pub async fn cancel_merge(&self, actor: Actor, id: u64) -> Result<Merge, Error> {
        self.submit(actor, Command::Landing(landing::Command::Cancel { id })).await?;
        self.merge(id).await
    }

    /// A landing.
    ///
    /// # Errors
    /// It is not known.
    pub async fn merge(&self, id: u64) -> Result<Merge, Error> {
        let found = self.read(|state| state.landings.get(id).map(view)).await?;
        found.ok_or_else(|| landing::Error::Unknown(format!("merge-{id}")).into())
    }

    /// Landings that are not over in the order in which they will be worked on, then the others, newest first.
    ///
    /// # Errors
    /// Only when the log failed for good.
    pub async fn merges(&self) -> Result<Vec<Merge>, Error> {
        let order = self.shared.queue.order.lock().clone();
        self.read(move |state| {
            let mut open: Vec<&landing::Landing> = state.landings.open().collect();
            let place = |one: &landing::Landing| order.iter().position(|id| *id == one.id).unwrap_or(usize::MAX);
            open.sort_by_cached_key(|one| (!one.is_in_work(), place(one), std::cmp::Reverse(one.urgency()), one.id));
            let over = state.landings.all().rev().filter(|one| !one.is_open());
            open.into_iter().chain(over).map(view).collect()
        })
        .await
    }

    /// What a gate of a landing has printed so far, from a byte on; at most a mebibyte.
    ///
    /// # Errors
    /// The landing is not known, or the gate did not run for it.
    pub async fn gate_output(&self, id: u64, gate: String, from: u64) -> Result<Vec<u8>, Error> {
        self.merge(id).await?;
        self.blocking(move |this| {
            let path = super::checks::output_file(this.options(), id, &gate);
            super::checks::read_output(&path, from).map_err(|_| {
                let detail = format!("gate '{gate:.80}' has not run for merge-{id}, or its output is gone");
                Error::invalid(ErrorCode::UnknownMerge, detail, "list its gates: GET /api/orchestration/merges/{id}")
            })
        })
        .await
    }

    /// What stands in the agent's folder. It is kept as it is followed, and then looked at once more as a whole: what lands
    /// is what the agent sees, whatever following has missed.
    async fn standing_work(&self, agent: &AgentId) -> Result<ObjectId, Error> {
        let kept = self.keep_snapshot(agent).await?.ok_or_else(|| {
            let detail = format!("no workspace of '{agent}' is followed, or it holds no work");
            let hint = "register its workspace, or name what is to land in 'snapshot'";
            Error::invalid(ErrorCode::UnknownWorkspace, detail, hint)
        })?;
        let kept =
            snapshots::object(&kept.commit).ok_or_else(|| internal(format!("'{}' is no object's id", kept.commit)))?;
        let folder = self.read(|state| state.registry.agent(agent).and_then(|agent| agent.workspace.clone())).await?;
        // Work that is pushed has no folder here.
        let Some(folder) = folder.filter(|folder| folder.starts_with('/')) else { return Ok(kept) };
        let agent = agent.clone();
        self.blocking(move |this| {
            let store = this.shared.following.store(&this.options().project).map_err(refused)?;
            let workspace = Workspace::open(&store, Path::new(&folder), Limits::default()).map_err(refused)?;
            if workspace.state() != State::Ready {
                let detail = format!("git is at work in {folder}: what stands there is not whole");
                return Err(blocked(detail, "finish what git is doing there, then ask again"));
            }
            let seen = workspace.snapshot();
            let tree = seen.tree().map_err(internal)?;
            if store.read_commit(kept).map_err(internal)?.0 == tree {
                return Ok(kept);
            }
            tracing::warn!(%agent, %folder, "what was followed is not what stands there; what stands there lands");
            metrics::counter!("orchestrator_landing_looked_again_total").increment(1);
            let pin = |base: &ObjectId| snapshots::keep::pin(&base.to_string());
            let base = store.pin_base(seen.head, None, pin).map_err(refused)?;
            let author = snapshots::keep::author(&agent, crate::engine::now().0);
            store.commit(tree, base.as_slice(), &author, &format!("Work of {agent}\n")).map_err(internal)
        })
        .await
    }

    /// A snapshot's, a branch's or a commit by name.
    async fn named_work(&self, text: String) -> Result<ObjectId, Error> {
        let known = match snapshots::parse_id(&text) {
            Some((_, number)) => self.read(|state| state.snapshots.get(number).cloned()).await?,
            None => None,
        };
        self.blocking(move |this| {
            let commit = match known {
                Some(record) => match record.commit.as_deref().and_then(snapshots::object) {
                    Some(commit) => Some(commit),
                    None => {
                        let store = this.shared.following.store(&this.options().project).map_err(refused)?;
                        store.refs(&record.name).map_err(internal)?.first().map(|(_, commit)| *commit)
                    }
                },
                None => this.options().project.commit_of(&text).map_err(refused)?,
            };
            commit.ok_or_else(|| {
                let detail = format!("'{text:.80}' is no snapshot, branch or commit");
                let hint = "list snapshots: GET /api/orchestration/agents/{id}/snapshots";
                Error::invalid(ErrorCode::UnknownSnapshot, detail, hint)
            })
        })
        .await
    }
}
