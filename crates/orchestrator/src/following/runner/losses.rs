//! What is overwritten in a shared folder: made durable at once, then recorded.

use super::Runner;
use crate::following::record::lines;
use crate::following::shared::{Loss, Shared};
use crate::following::source::{Tip, at, tree_mode};
use crate::following::{Path, name};
use crate::snapshots::keep::{Reason, author, record_one};
use crate::snapshots::{self, object, parse_id, wire_id};
use crate::{Error, State};
use orchestrator_conflict as conflict;
use orchestrator_predict::{Version, overwritten};
use orchestrator_protocol::{AgentId, ConflictRegion, ConflictType, SnapshotKind};
use orchestrator_repository::bstr::{BString, ByteSlice};
use orchestrator_repository::{self as repository, Delta, Entry, ObjectId, Snapshot, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Regions of one record.
const REGIONS: usize = 64;

/// What is to be kept of a loss.
struct Rescue {
    name: String,
    loser: AgentId,
    path: Path,
    /// What was written over, and what stood there before the work that is gone.
    versions: [Option<Version>; 2],
    snapshot: Snapshot,
    now: i64,
}

impl Runner {
    /// Looks what the newest versions of these files took back, and what they made good.
    pub(super) async fn judge(&mut self, lead: &str, paths: BTreeSet<Path>) {
        let Some(store) = self.store.clone() else { return };
        for path in paths {
            let source = Tip::new(&store, &mut self.memory, self.tip.map(|(_, tree)| tree));
            let Some(follower) = self.followers.get_mut(lead) else { return };
            let judged = follower.version(&store, &path).and_then(|now| {
                let Some(shared) = &mut follower.shared else { return Ok(Default::default()) };
                Ok((shared.made_good(&source, &path, now)?, shared.lost(&source, &path)?))
            });
            match judged {
                Ok((over, lost)) => {
                    self.submit(over.into_iter().map(gone).collect()).await;
                    for loss in lost {
                        self.record_loss(lead, loss).await;
                    }
                    if self.unjudged.remove(&path) && self.unjudged.is_empty() {
                        self.orchestrator.shared.degradations.clear("lost_updates");
                    }
                }
                Err(error) => {
                    let reason = format!("whether work in '{}' was overwritten is not known: {error}", name(&path));
                    let cure = "see that the repository can be read; the next save of the file is compared again";
                    self.orchestrator.shared.degradations.raise("lost_updates", reason, cure);
                    self.unjudged.insert(path);
                }
            }
        }
    }

    async fn record_loss(&mut self, lead: &str, mut loss: Loss) {
        let kept = match self.rescue(lead, &loss).await {
            Ok(kept) => Some(kept),
            Err(error) => {
                let reason = format!("what {} overwrote in '{}' could not be kept: {error}", loss.by, name(&loss.path));
                let cure = "the conflict's record holds its lines; see that the disk has room";
                self.note("overwritten", reason, cure).await;
                None
            }
        };
        let at = self.orchestrator.shared.core.lock().next_seq;
        loss.subject =
            format!("lost\n{}\n{}\n{}", loss.loser.key(), name(&loss.path), kept.clone().unwrap_or(at.to_string()));
        self.submit(vec![found(&loss, kept)]).await;
        if let Some(shared) = self.followers.get_mut(lead).and_then(|follower| follower.shared.as_mut()) {
            shared.mourn(loss);
        }
    }

    /// Makes what was overwritten durable; answers with the snapshot's id.
    async fn rescue(&self, lead: &str, loss: &Loss) -> Result<String, Error> {
        let (Some(follower), Some(store)) = (self.followers.get(lead), self.store.clone()) else {
            return Err(Error::ShuttingDown);
        };
        let snapshot = follower.work_to_keep(Reason::Asked).snapshot;
        let number = {
            let core = self.orchestrator.shared.core.lock();
            core.state.registry.agent(&loss.loser).map_or(follower.number, |agent| agent.number)
        };
        let now = self.orchestrator.free_stamp(&store, number).map_err(crate::mail::internal)?;
        let name = format!("refs/backup/{number}-{now}");
        let (head, paths) = (snapshot.head, snapshot.delta.len());
        let rescue = Rescue {
            name: name.clone(),
            loser: loss.loser.clone(),
            path: loss.path.clone(),
            versions: [loss.overwritten, loss.base],
            snapshot,
            now,
        };
        let commit = tokio::task::spawn_blocking(move || rescue.keep(&store)).await.map_err(crate::mail::internal)?;
        let commit = commit.map_err(crate::mail::internal)?;
        let record = snapshots::Record {
            number,
            commit: Some(commit.to_string()),
            head: head.map(|head| head.to_string()),
            paths: Some(paths),
            ..snapshots::Record::backup(&loss.loser, &name, "overwritten", now)
        };
        let id = record_one(&self.orchestrator, record, false).await?;
        Ok(wire_id(SnapshotKind::Backup, id))
    }

    /// Takes up the losses of an earlier run that still stand.
    pub(super) async fn remember_losses(&mut self, lead: &str) {
        let (Some(follower), Some(store)) = (self.followers.get_mut(lead), self.store.clone()) else { return };
        let members: Vec<String> = follower.members().iter().map(|member| member.agent.key()).collect();
        let (open, since) = {
            let core = self.orchestrator.shared.core.lock();
            (recorded(&core.state, &members), core.next_seq.saturating_sub(1))
        };
        let known: Vec<String> = follower.shared.iter().flat_map(Shared::subjects).collect();
        let source = Tip::new(&store, &mut self.memory, self.tip.map(|(_, tree)| tree));
        let mut over = Vec::new();
        for (mut loss, commit) in open.into_iter().filter(|(loss, _)| !known.contains(&loss.subject)) {
            let stands = versions(&store, commit, &loss.path).and_then(|(base, ours)| {
                (loss.base, loss.ours, loss.overwritten) = (base, ours, ours);
                overwritten(&source, base, ours, follower.version(&store, &loss.path)?)
            });
            match stands {
                Ok(Some(regions)) => {
                    loss.regions = regions;
                    follower.shared.get_or_insert_with(|| Shared::new(since)).mourn(loss);
                }
                Ok(None) => over.push(gone(loss)),
                Err(error) => tracing::warn!(%error, "an overwritten version cannot be read; its record stays open"),
            }
        }
        self.submit(over).await;
    }
}

impl Rescue {
    /// A commit with what was overwritten. Its last parent has what stood there before, so that a later run can tell
    /// whether the work is back.
    fn keep(self, store: &Store) -> Result<ObjectId, repository::Error> {
        let pin = self.name.replacen("refs/backup/", "backup-", 1);
        // A clone's commit is not the project's: then the snapshot holds everything itself.
        let head = self.snapshot.head.filter(|head| store.pin(&pin, *head).is_ok());
        let tree = self.snapshot.tree()?;
        let path = BString::from(self.path.to_vec());
        let with = |version: Option<Version>| -> Result<ObjectId, repository::Error> {
            let delta = match version {
                Some(version) => entry(version),
                None if store.entry(tree, path.as_bstr())?.is_some() => Delta::Deleted,
                None => return Ok(tree),
            };
            store.tree_with(tree, &BTreeMap::from([(path.clone(), delta)]))
        };
        let [overwritten, before] = self.versions;
        let (author, file) = (author(&self.loser, self.now), name(&self.path));
        let before = store.commit(with(before)?, head.as_slice(), &author, &format!("{file} before the work\n"))?;
        let parents: Vec<ObjectId> = head.into_iter().chain([before]).collect();
        let message = format!("Work of {} in {file}, overwritten\n", self.loser);
        let commit = store.commit(with(overwritten)?, &parents, &author, &message)?;
        store.keep(&[(self.name, commit)])?;
        Ok(commit)
    }
}

fn entry(version: Version) -> Delta {
    Delta::Entry(Entry { mode: tree_mode(version.mode), oid: ObjectId::from(version.id), opaque: None })
}

/// What a kept commit has at the path: before the work, and with it.
fn versions(
    store: &Store,
    commit: ObjectId,
    path: &Path,
) -> Result<(Option<Version>, Option<Version>), repository::Error> {
    let (tree, parents) = store.read_commit(commit)?;
    let before = parents.last().map(|before| store.read_commit(*before)).transpose()?;
    Ok((at(store, before.map(|(tree, _)| tree), path)?, at(store, Some(tree), path)?))
}

/// Open records of losses that concern any of these, with the commits that hold what was overwritten.
fn recorded(state: &State, members: &[String]) -> Vec<(Loss, ObjectId)> {
    let open = state.conflict.conflicts().open().map(|(_, one)| one);
    let open = open.filter(|one| one.conflict_type == ConflictType::LostUpdate);
    let open = open.filter(|one| one.agents.iter().any(|agent| members.contains(&agent.key())));
    open.filter_map(|one| {
        let (_, id) = parse_id(one.snapshot.as_deref()?)?;
        let commit = object(state.snapshots.get(id)?.commit.as_deref()?)?;
        let loser = one.affected.clone()?;
        let by = one.agents.iter().find(|agent| agent.key() != loser.key())?.clone();
        let (path, subject) = (Path::from(one.path.as_bytes()), one.subject.clone()?);
        let (base, ours, overwritten, regions) = (None, None, None, Vec::new());
        Some((Loss { path, loser, by, base, ours, overwritten, regions, subject }, commit))
    })
    .collect()
}

fn agents(loss: &Loss) -> Vec<AgentId> {
    let mut agents = vec![loss.loser.clone(), loss.by.clone()];
    agents.sort_by_key(AgentId::key);
    agents
}

fn found(loss: &Loss, snapshot: Option<String>) -> conflict::Command {
    let agents = agents(loss);
    let is_first = agents.first() == Some(&loss.loser);
    let region = |region: &orchestrator_predict::Region| {
        let (own, theirs) = (lines(&region.first), lines(&region.second));
        let sides = if is_first { vec![own, theirs] } else { vec![theirs, own] };
        ConflictRegion { base: lines(&region.base), sides }
    };
    let overlap = conflict::Overlap {
        path: name(&loss.path),
        agents,
        target: None,
        conflict_type: ConflictType::LostUpdate,
        fingerprint: blake3::hash(loss.subject.as_bytes()).to_hex()[..32].to_owned(),
        agent_paths: Vec::new(),
        regions: loss.regions.len(),
        subject: Some(loss.subject.clone()),
        affected: Some(loss.loser.clone()),
        snapshot,
        union_break: None,
        entities: Vec::new(),
    };
    let regions = loss.regions.iter().take(REGIONS).map(region).collect();
    conflict::Command::Found { overlap: Box::new(overlap), settles: false, signature: false, regions, impact: None }
}

fn gone(loss: Loss) -> conflict::Command {
    let (path, agents) = (name(&loss.path), agents(&loss));
    conflict::Command::Gone { path, agents, target: None, subject: Some(loss.subject) }
}
