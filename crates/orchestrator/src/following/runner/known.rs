//! Of whom it is known how things stand.

use super::Runner;
use crate::following::follower::Follower;
use crate::following::source::name;
use orchestrator_protocol::AgentId;
use std::collections::BTreeSet;

/// What could not be looked at: what an earlier run recorded of it may still stand.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Missing {
    /// Agents, by key.
    agents: BTreeSet<String>,
    /// Names of paths.
    paths: BTreeSet<String>,
}

impl Missing {
    /// Whether everything was looked at.
    fn is_empty(&self) -> bool {
        self.agents.is_empty() && self.paths.is_empty()
    }

    /// Whether it is open how these agents' work stands at a path.
    pub(super) fn concerns<'a>(&self, path: &str, agents: impl IntoIterator<Item = &'a AgentId>) -> bool {
        self.paths.contains(path) || agents.into_iter().any(|agent| self.agents.contains(&agent.key()))
    }
}

impl Runner {
    /// Agents of whose work an earlier state stands: it could not be read at the last look.
    pub(super) fn outdated(&self) -> Vec<AgentId> {
        let unread = self.unread.iter().filter_map(|lead| self.followers.get(lead));
        let followed = unread.flat_map(Follower::members).map(|member| member.agent);
        let pushed = self.pushed.values().filter(|one| !one.is_read(self.tip)).map(|one| one.agent.clone());
        followed.chain(pushed).collect()
    }

    /// Whether all that an earlier run recorded was compared with what this one found.
    pub(super) fn is_caught_up(&self) -> bool {
        self.missed.as_ref().is_some_and(Missing::is_empty)
    }

    /// Withdraws what an earlier run recorded and what is not there any more. What could not be looked at yet may still
    /// stand: that is compared when it can be, and nothing is until then.
    pub(super) async fn catch_up(&mut self) {
        self.join_union(false).await;
        let missing = self.missing();
        if self.missed.as_ref() == Some(&missing) {
            return;
        }
        self.look_at_leases().await;
        self.withdraw_stale(&missing).await;
        self.withdraw_stale_breaks(&missing).await;
        let stale = self.stale_leases(&missing);
        self.submit(stale).await;
        self.missed = Some(missing);
        if self.is_caught_up() {
            self.orchestrator.shared.following.meaning.caught_up();
        }
    }

    /// What could not be looked at. An agent without a workspace has no work that could be.
    fn missing(&self) -> Missing {
        let outdated = self.outdated().into_iter().map(|agent| agent.key());
        let agents = self.failed.keys().cloned().chain(outdated).collect();
        Missing { agents, paths: self.unmerged.iter().map(name).collect() }
    }
}
