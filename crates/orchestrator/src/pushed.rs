//! Work that agents push, from folders that the server cannot see.
//!
//! A push is a snapshot like any other: a durable commit with a ref and an event. What is other is where it comes from,
//! and that the agent is followed by it: the newest one is its work until the next.

use crate::snapshots::{self, Record};
use crate::workspaces::refused;
use crate::{Actor, Command, Error, Orchestrator, Reply, State};
use orchestrator_protocol::{AgentId, ErrorCode, PushAnswer, SnapshotKind};
use orchestrator_registry as registry;
use orchestrator_repository::{ObjectId, Store};
use std::fs;
use std::path::{Path, PathBuf};

/// Why such a snapshot was taken.
const REASON: &str = "pushed";
/// Folder of packs on their way in, below the state folder.
const RECEIVING: &str = "receiving";
/// Commits of one question.
const MAX_COMMITS: usize = 256;

/// The registered agents whose work is what they pushed last, with its record.
pub(crate) fn all(state: &State) -> impl Iterator<Item = (&registry::Agent, &Record, ObjectId)> {
    let without = state.registry.agents().filter(|agent| agent.workspace.is_none());
    without.filter_map(|agent| {
        // What a crash cut off was not answered, so the work before it stands.
        let counts = |record: &Record| record.kind == SnapshotKind::Work && record.reason != snapshots::FOUND;
        let (_, record) = state.snapshots.newest(agent.number, counts)?;
        let commit = snapshots::object(record.commit.as_deref()?)?;
        (record.reason == REASON).then_some((agent, record, commit))
    })
}

/// Removes what a process that was killed had been receiving.
pub(crate) fn clear(orchestrator: &Orchestrator) {
    let _none = fs::remove_dir_all(orchestrator.options().state_dir.join(RECEIVING));
}

/// A file that goes with the value.
#[derive(Debug)]
pub struct Spool(PathBuf);

impl Spool {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.0);
    }
}

impl Orchestrator {
    /// A new file in the state folder for what is being received. Blocks.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn spool(&self) -> std::io::Result<(Spool, fs::File)> {
        let folder = self.options().state_dir.join(RECEIVING);
        fs::create_dir_all(&folder)?;
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = folder.join(format!("{}-{number}.pack", std::process::id()));
        // A process of that number may have died here.
        let file = fs::File::create(&path)?;
        Ok((Spool(path), file))
    }

    /// The first of an agent's commits, given newest first, that leads to the target branch.
    ///
    /// # Errors
    /// The agent is not registered, a text is no commit, or git's data cannot be read.
    pub async fn known_commit(&self, agent: &AgentId, commits: Vec<String>) -> Result<Option<String>, Error> {
        self.pushing(agent).await?;
        if commits.len() > MAX_COMMITS {
            let detail = format!("{} commits were given, at most {MAX_COMMITS} are taken", commits.len());
            return Err(Error::invalid(ErrorCode::InvalidRequest, detail, "ask for the newest ones first"));
        }
        let commits = commits.iter().map(|text| object(text)).collect::<Result<Vec<_>, _>>()?;
        self.blocking(move |this| {
            let (store, tip) = this.target()?;
            let known = tip.map(|tip| store.first_known(&commits, tip)).transpose().map_err(refused)?;
            Ok(known.flatten().map(|commit| commit.to_string()))
        })
        .await
    }

    /// Takes a pack as an agent's work as it stands; it is durable, and merged with that of others, when this returns.
    ///
    /// # Errors
    /// The agent is not registered or has a workspace that the server follows, something is wrong with the pack, or
    /// nothing can be recorded. Then nothing of it is kept.
    pub async fn push_snapshot(&self, agent: AgentId, commit: &str, pack: Spool) -> Result<PushAnswer, Error> {
        let this = self.clone();
        let commit = object(commit)?;
        // Recorded before anybody else looks for refs without a record.
        let take = async move {
            let (agent, record) = this.take(&agent, commit, pack).await?;
            let command = Command::Snapshots(snapshots::Command::Keep(Box::new(record.clone())));
            match this.submit(Actor::System, command).await? {
                Reply::Snapshot(id) => Ok((agent, record, id)),
                _ => Err(Error::Internal("a snapshot was kept without a number".to_owned())),
            }
        };
        let (agent, record, id) = self.alone(take).await?;
        self.shared.following.look();
        self.shared.following.looked().await?;
        Ok(PushAnswer {
            status: "success".to_owned(),
            agent_id: agent,
            snapshot_id: snapshots::wire_id(SnapshotKind::Work, id),
            commit: commit.to_string(),
            head: record.head,
            paths: record.paths.unwrap_or_default(),
        })
    }

    async fn take(&self, agent: &AgentId, commit: ObjectId, pack: Spool) -> Result<(AgentId, Record), Error> {
        let registered = self.pushing(agent).await?;
        self.can_record()?;
        let now = crate::engine::now().0;
        let number = registered.number;
        let id = registered.id.clone();
        let record = self
            .blocking(move |this| {
                let pack = fs::read(pack.path()).map_err(crate::mail::internal)?;
                let (store, tip) = this.target()?;
                if let Some(tip) = tip {
                    store.pin(&snapshots::keep::pin(&tip.to_string()), tip).map_err(refused)?;
                }
                let name = format!("refs/work/{number}-{}", this.free_stamp(&store, number).map_err(refused)?);
                store.receive(&pack, commit, tip, &name).map_err(refused)?;
                let (tree, parents) = store.read_commit(commit).map_err(refused)?;
                let head = parents.first().copied();
                let from = match head {
                    Some(head) => store.read_commit(head).map_err(refused)?.0,
                    None => ObjectId::empty_tree(tree.kind()),
                };
                let paths = store.diff(from, tree, false).map_err(refused)?.len();
                Ok(Record {
                    kind: SnapshotKind::Work,
                    agent: id,
                    number,
                    name,
                    commit: Some(commit.to_string()),
                    head: head.map(|head| head.to_string()),
                    base: tip.map(|tip| tip.to_string()),
                    paths: Some(paths),
                    left_out: 0,
                    reason: REASON.to_owned(),
                    at: now,
                })
            })
            .await?;
        Ok((registered.id, record))
    }

    /// The agent, when it may push.
    async fn pushing(&self, agent: &AgentId) -> Result<registry::Agent, Error> {
        if self.options().project.git_common_dir().is_none() {
            let detail = "the project is no git repository, so there is nothing to compare work with";
            return Err(Error::invalid(ErrorCode::NotSupported, detail, "run 'git init' there and start again"));
        }
        let registered = self.read(|state| state.registry.agent(agent).cloned()).await?;
        let registered = registered.ok_or_else(|| registry::Error::UnknownAgent(agent.to_string()))?;
        if let Some(path) = &registered.workspace {
            let detail = format!("'{path}' is followed as the workspace of '{agent}'");
            let hint = "remove it with DELETE /api/orchestration/agents/{id}/workspace to push instead";
            return Err(Error::invalid(ErrorCode::WorkspaceBlocked, detail, hint));
        }
        Ok(registered)
    }

    /// The store, and the newest commit of the target branch. Blocks.
    pub(crate) fn target(&self) -> Result<(Store, Option<ObjectId>), Error> {
        let project = &self.options().project;
        let store = self.shared.following.store(project).map_err(refused)?;
        let branch = project.branch().map_err(refused)?;
        let tip = branch.map(|branch| store.tip(&branch)).transpose().map_err(refused)?.flatten();
        Ok((store, tip.map(|(commit, _)| commit)))
    }
}

fn object(text: &str) -> Result<ObjectId, Error> {
    snapshots::object(text).ok_or_else(|| {
        let detail = format!("'{text:.80}' is no commit's id");
        Error::invalid(ErrorCode::InvalidRequest, detail, "give its 40 hex digits")
    })
}
