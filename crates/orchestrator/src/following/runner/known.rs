//! Of whom it is known how things stand.

use super::Runner;
use crate::following::follower::Follower;
use orchestrator_protocol::AgentId;

impl Runner {
    /// Agents of whose work an earlier state stands: it could not be read at the last look.
    pub(super) fn outdated(&self) -> Vec<AgentId> {
        let unread = self.unread.iter().filter_map(|lead| self.followers.get(lead));
        let followed = unread.flat_map(Follower::members).map(|member| member.agent);
        let pushed = self.pushed.values().filter(|one| !one.is_read(self.tip)).map(|one| one.agent.clone());
        followed.chain(pushed).collect()
    }
}
