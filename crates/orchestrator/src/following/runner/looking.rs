//! Which workspaces are followed.

use super::{RETRY, Runner};
use crate::following::Standing;
use crate::following::follower::{FollowError, Follower};
use crate::following::shared::Member;
use orchestrator_conflict as conflict;
use orchestrator_protocol::AgentId;
use orchestrator_repository::Store;
use std::collections::BTreeMap;
use std::time::Instant;

impl Runner {
    /// Follows exactly the workspaces that the state names. Of new ones at most so many, and looks again soon for the
    /// rest: a first look at a large folder takes a while, and those that are followed already must not wait for it.
    pub(super) async fn look(&mut self, at_most: Option<usize>) {
        let wanted: BTreeMap<String, (AgentId, u64, String)> = {
            let core = self.orchestrator.shared.core.lock();
            let folder = |text: &Option<String>| text.clone().filter(|text| text.starts_with('/'));
            let agents = core.state.registry.agents();
            agents.filter_map(|a| Some((a.id.key(), (a.id.clone(), a.number, folder(&a.workspace)?)))).collect()
        };
        self.let_go(&wanted).await;
        self.failed.retain(|key, _| wanted.contains_key(key));
        let is_known = |key: &String| wanted.contains_key(key) || self.pushed.contains_key(key);
        self.orchestrator.shared.following.standings.lock().retain(|key, _| is_known(key));
        self.look_at_pushed().await;
        let is_due = |key: &String| {
            let waits = self.failed.get(key).is_some_and(|(_, again)| *again > Instant::now());
            !self.followers.values().any(|follower| follower.member(key).is_some()) && !waits
        };
        let mut new: Vec<_> = wanted.into_iter().filter(|(key, _)| is_due(key)).collect();
        // Of those who share a folder, the first one registered comes first.
        new.sort_by_key(|(_, (_, number, _))| *number);
        let rest = at_most.map_or(Vec::new(), |most| new.split_off(most.min(new.len())));
        for (key, agent) in new {
            self.follow(key, agent).await;
        }
        self.show_failures();
        self.share_watches();
        if !rest.is_empty() {
            self.orchestrator.shared.following.look();
        } else if !self.is_caught_up() {
            self.catch_up().await;
        }
    }

    pub(super) async fn follow(&mut self, key: String, agent: (AgentId, u64, String)) {
        let here = self.followers.iter().find(|(_, follower)| follower.folder == agent.2).map(|(lead, _)| lead.clone());
        if let Some(lead) = here {
            self.failed.remove(&key);
            return self.join(&lead, Member { agent: agent.0, number: agent.1 }).await;
        }
        match self.open(agent.clone()) {
            Ok(follower) => {
                self.failed.remove(&key);
                self.orchestrator.shared.following.watchers.lock().insert(key.clone(), follower.handle.clone());
                self.followers.insert(key.clone(), follower);
                self.submit(vec![conflict::Command::Follow { agent: agent.0, merged: true }]).await;
                self.refresh(&key, Some(&[])).await;
                self.remember_losses(&key).await;
            }
            Err(error) => {
                let failed = Standing::Failed(error.to_string());
                self.orchestrator.shared.following.standings.lock().insert(key.clone(), failed);
                let reason = format!("{}: {error}", agent.2);
                self.failed.insert(key, (reason, Instant::now() + RETRY));
                self.submit(vec![conflict::Command::Follow { agent: agent.0, merged: false }]).await;
            }
        }
    }

    pub(super) fn open(&mut self, agent: (AgentId, u64, String)) -> Result<Follower, FollowError> {
        let store = self.open_store()?;
        let used: usize = self.followers.values().map(|one| one.handle.stats().folders_watched).sum();
        Follower::open(&self.orchestrator, &store, agent, self.budget.saturating_sub(used))
    }

    pub(super) fn open_store(&mut self) -> Result<Store, orchestrator_repository::Error> {
        if let Some(store) = &self.store {
            return Ok(store.clone());
        }
        let store = self.orchestrator.shared.following.store(&self.orchestrator.options().project)?;
        self.store = Some(store.clone());
        self.find_tip()?;
        Ok(store)
    }

    pub(super) async fn leave(&mut self, key: &str) {
        while let Some(notice) = self.followers.get_mut(key).and_then(|one| one.notices.try_recv().ok()) {
            Box::pin(self.noticed(key, notice)).await;
        }
        let Some(follower) = self.followers.remove(key) else { return };
        self.orchestrator.shared.following.watchers.lock().remove(key);
        self.orchestrator.shared.following.standings.lock().remove(key);
        if self.unread.remove(key) && self.unread.is_empty() {
            self.orchestrator.shared.degradations.clear("workspace_read");
        }
        follower.handle.stop();
        let (agent, number) = (follower.agent.clone(), follower.number);
        self.keeping.left(key, follower);
        self.withdraw(agent, number).await;
    }

    /// An agent's work is compared no more, and its records end.
    pub(super) async fn withdraw(&mut self, agent: AgentId, number: u64) {
        let touched = self.star.remove(number);
        self.orchestrator.shared.following.meaning.gone(number);
        // What was told of it is withdrawn with it.
        let _withdrawn = self.reports.forget(|_, (first, second)| *first == number || *second == Some(number));
        self.whole.forget(&agent, number);
        let _withdrawn = self.broken.forget(|_, (_, breaker)| *breaker == number);
        self.submit(vec![conflict::Command::Withdraw { agent }]).await;
        self.examine(touched).await;
    }

    pub(super) fn show_failures(&self) {
        let degradations = &self.orchestrator.shared.degradations;
        if self.failed.is_empty() {
            degradations.clear("workspaces");
        } else {
            let reasons: Vec<&str> = self.failed.values().map(|(reason, _)| reason.as_str()).collect();
            let cure =
                "register a worktree or clone of this repository that the server can read; tried again every 2 s";
            degradations.raise("workspaces", reasons.join("; "), cure);
        }
    }
}
