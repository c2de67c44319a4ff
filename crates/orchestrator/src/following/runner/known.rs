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
    pub(super) fn is_empty(&self) -> bool {
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

    /// What could not be looked at. An agent without a workspace has no work that could be.
    pub(super) fn missing(&self) -> Missing {
        let outdated = self.outdated().into_iter().map(|agent| agent.key());
        let agents = self.failed.keys().cloned().chain(outdated).collect();
        Missing { agents, paths: self.unmerged.iter().map(name).collect() }
    }
}
