//! Folders that several agents work in: they come and go, and each change is told once, as that of whom a report or a
//! lease names.

use super::{Runner, paths_of};
use crate::following::shared::{Member, Shared};
use crate::following::{Path, name};
use crate::policy::attribution::{Author, Says, among, edits_of};
use crate::snapshots::keep::{Reason, Work};
use orchestrator_conflict as conflict;
use orchestrator_predict::Version;
use orchestrator_protocol::AgentId;
use orchestrator_watch::{Change, ChangeKind};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

impl Runner {
    /// Lets go of the agents that left, or have another workspace.
    pub(super) async fn let_go(&mut self, wanted: &BTreeMap<String, (AgentId, u64, String)>) {
        let leads: Vec<String> = self.followers.keys().cloned().collect();
        for lead in leads {
            let Some(follower) = self.followers.get(&lead) else { continue };
            let is_wanted = |member: &Member| {
                let wanted = wanted.get(&member.agent.key());
                wanted.is_some_and(|(_, number, folder)| *number == member.number && *folder == follower.folder)
            };
            let (staying, leaving): (Vec<Member>, Vec<Member>) = follower.members().into_iter().partition(is_wanted);
            // The one that it is followed for last, so that the rest is as it is with one.
            let leaves_all = staying.is_empty();
            for member in leaving.into_iter().rev() {
                if !leaves_all || member.agent.key() != lead {
                    self.part(&lead, member).await;
                }
            }
            if leaves_all {
                self.leave(&lead).await;
            }
        }
        self.show_shared();
    }

    /// Another agent works in a followed folder. What is there stays whose it was.
    pub(super) async fn join(&mut self, lead: &str, member: Member) {
        // What happened before was by those who were there.
        self.take_notices(lead).await;
        let since = self.orchestrator.shared.core.lock().next_seq.saturating_sub(1);
        let Some(follower) = self.followers.get_mut(lead) else { return };
        follower.others.push(member.clone());
        follower.shared.get_or_insert_with(|| Shared::new(since));
        let (standing, handle) = (follower.standing(), follower.handle.clone());
        let following = &self.orchestrator.shared.following;
        following.watchers.lock().insert(member.agent.key(), handle);
        following.standings.lock().insert(member.agent.key(), standing);
        self.show_shared();
        self.submit(vec![conflict::Command::Follow { agent: member.agent, merged: true }]).await;
        self.own_again(lead).await;
        self.remember_losses(lead).await;
    }

    /// An agent leaves a folder where others go on.
    async fn part(&mut self, lead: &str, member: Member) {
        self.take_notices(lead).await;
        let key = member.agent.key();
        let Some(mut follower) = self.followers.remove(lead) else { return };
        let work = follower.work_to_keep(Reason::Left);
        self.keeping.parted(Work { agent: member.agent.clone(), number: member.number, ..work });
        follower.others.retain(|other| *other != member);
        if let Some(shared) = &mut follower.shared {
            shared.disown(member.number);
        }
        let mut at = lead.to_owned();
        if key == lead
            && let Some(next) = follower.others.first().cloned()
        {
            at = next.agent.key();
            follower.hand_over(next);
            self.keeping.handed_over(lead, &at);
            if self.unread.remove(lead) {
                self.unread.insert(at.clone());
            }
        }
        self.followers.insert(at.clone(), follower);
        self.orchestrator.shared.following.watchers.lock().remove(&key);
        self.orchestrator.shared.following.standings.lock().remove(&key);
        self.withdraw(member.agent, member.number).await;
        self.own_again(&at).await;
    }

    async fn take_notices(&mut self, lead: &str) {
        while let Some(notice) = self.followers.get_mut(lead).and_then(|one| one.notices.try_recv().ok()) {
            Box::pin(self.noticed(lead, notice)).await;
        }
    }

    /// Says anew whose all changes of a folder are.
    async fn own_again(&mut self, lead: &str) {
        let paths = self.followers.get(lead).map(|follower| follower.seen_paths());
        self.say_again(lead, paths.unwrap_or_default()).await;
    }

    async fn say_again(&mut self, lead: &str, paths: BTreeSet<Path>) {
        let Some((follower, store)) = self.followers.get_mut(lead).zip(self.store.as_ref()) else { return };
        match follower.seen(store, paths) {
            Ok(update) => {
                let (base, parts) = (follower.base(), follower.parts(update));
                self.take_over(base, parts).await;
            }
            Err(error) => tracing::warn!(%error, "whose changes are could not be said anew"),
        }
    }

    fn show_shared(&self) {
        let shared = self.followers.values().filter(|one| !one.others.is_empty()).map(|one| one.folder.clone());
        *self.orchestrator.shared.following.shared.lock() = shared.collect();
    }

    /// Files of a shared folder came to rest.
    pub(super) async fn noticed_shared(&mut self, lead: &str, changes: Vec<Change>) {
        let authors: Vec<Author> = changes.iter().map(|change| self.author(lead, &change.path)).collect();
        let before = self.stood_before(lead, &changes);
        for (change, author) in changes.iter().zip(&authors) {
            self.own(lead, change, author.agent.as_ref());
        }
        let paths: Vec<Vec<u8>> = changes.iter().flat_map(paths_of).collect();
        self.refresh(lead, Some(&paths)).await;
        if let Some(follower) = self.followers.get_mut(lead) {
            follower.changed_at = Instant::now();
        }
        let mut settled = BTreeSet::new();
        for ((change, author), before) in changes.iter().zip(&authors).zip(before) {
            settled.extend(self.settle(lead, change, author, before));
        }
        self.judge(lead, settled).await;
        let told = changes.into_iter().zip(authors).map(|(change, author)| {
            if let Some(agent) = &author.agent {
                self.orchestrator.heard_of(agent);
            }
            crate::monitor::to_command(change, author.agent)
        });
        let told: Vec<conflict::Command> = told.collect();
        let own: Vec<(String, AgentId)> = told.iter().filter_map(told_of).collect();
        self.submit(told).await;
        for (path, agent) in own {
            self.hear(lead, &path, &agent);
        }
    }

    fn agents_in(&self, lead: &str) -> Vec<AgentId> {
        let members = self.followers.get(lead).map(|follower| follower.members()).unwrap_or_default();
        members.into_iter().map(|member| member.agent).collect()
    }

    /// Whose the newest version of a file is. Reports until now are accounted for with that.
    fn author(&mut self, lead: &str, path: &str) -> Author {
        let members = self.agents_in(lead);
        let shared = self.followers.get_mut(lead).and_then(|follower| follower.shared.as_mut());
        let (Some(shared), [_, _, ..]) = (shared, members.as_slice()) else {
            return Author { agent: members.into_iter().next(), says: Says::Report };
        };
        let core = self.orchestrator.shared.core.lock();
        let author = among(&core.state, path, &members, |agent| shared.heard(path, agent));
        for edit in edits_of(&core.state, path, &members) {
            shared.hear(path, &edit.agent, edit.seq);
        }
        author
    }

    /// What was told of an agent's change is no report of its own.
    fn hear(&mut self, lead: &str, path: &str, agent: &AgentId) {
        let shared = self.followers.get_mut(lead).and_then(|follower| follower.shared.as_mut());
        let core = self.orchestrator.shared.core.lock();
        if let Some((shared, edit)) = shared.zip(core.state.conflict.edits().by(path, agent)) {
            shared.hear(path, agent, edit.seq);
        }
    }

    /// Notes whose work stands where something changed.
    fn own(&mut self, lead: &str, change: &Change, agent: Option<&AgentId>) {
        let Some(follower) = self.followers.get_mut(lead) else { return };
        let member = agent.and_then(|agent| follower.member(&agent.key()));
        if let Some((member, shared)) = member.zip(follower.shared.as_mut()) {
            for path in paths_of(change) {
                shared.own(path.into(), member.number);
            }
        }
    }

    /// What stood at each changed path when it was seen last.
    fn stood_before(&self, lead: &str, changes: &[Change]) -> Vec<Option<Version>> {
        let Some((follower, store)) = self.followers.get(lead).zip(self.store.as_ref()) else { return Vec::new() };
        let version = |change: &Change| {
            let path = paths_of(change).into_iter().next()?;
            follower.version(store, &path.into()).ok().flatten()
        };
        changes.iter().map(version).collect()
    }

    /// Takes in a version, when what was read is what had come to rest.
    fn settle(&mut self, lead: &str, change: &Change, author: &Author, before: Option<Version>) -> Option<Path> {
        let (follower, store) = self.followers.get_mut(lead).zip(self.store.as_ref())?;
        let mut paths = paths_of(change).into_iter().map(Path::from);
        let path = paths.next()?;
        let version = follower.version(store, &path).ok()?;
        let is_it = match (&version, &change.hash) {
            (Some(version), Some(hash)) if !version.opaque => {
                let content = store.blob(orchestrator_repository::ObjectId::from(version.id)).ok()?;
                let crlf = || content.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]);
                *hash == blake3::hash(&content).to_hex().as_str() || *hash == blake3::hash(&crlf()).to_hex().as_str()
            }
            (None, Some(_)) => false,
            (Some(_), None) => change.kind != ChangeKind::Deleted,
            _ => true,
        };
        if !is_it {
            return None;
        }
        let shared = follower.shared.as_mut()?;
        if let Some(from) = paths.next() {
            shared.renamed(&from, &path);
        }
        shared.settle(&path, before, version, author.clone());
        Some(path)
    }

    /// Reports that came after the version they are about.
    pub(super) async fn claims(&mut self) {
        let leads: Vec<String> = self.followers.keys().cloned().collect();
        for lead in leads {
            let shared = self.followers.get(&lead).and_then(|follower| follower.shared.as_ref());
            let mut claimed = BTreeSet::new();
            for path in shared.map(Shared::unclaimed).unwrap_or_default() {
                let author = self.author(&lead, &name(&path));
                let Author { agent: Some(agent), says: Says::Report } = author else { continue };
                let Some(follower) = self.followers.get_mut(&lead) else { continue };
                let member = follower.member(&agent.key());
                if let Some((member, shared)) = member.zip(follower.shared.as_mut()) {
                    shared.claim(&path, &agent);
                    shared.own(path.clone(), member.number);
                    claimed.insert(path);
                }
            }
            if !claimed.is_empty() {
                self.say_again(&lead, claimed.clone()).await;
                self.judge(&lead, claimed).await;
            }
        }
    }
}

/// Which file's change is told as whose.
fn told_of(command: &conflict::Command) -> Option<(String, AgentId)> {
    match command {
        conflict::Command::Change { path, agent: Some(agent), .. } => Some((path.clone(), agent.clone())),
        _ => None,
    }
}
