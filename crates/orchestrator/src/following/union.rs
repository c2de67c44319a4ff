//! The union of everyone's work as others see it.

mod record;

pub(super) use self::record::{cause, found, gone, subject};
use super::Ask;
use crate::{Error, Orchestrator};
use orchestrator_protocol::{AgentId, Union};
use std::collections::HashSet;
use tokio::sync::oneshot;

impl Orchestrator {
    /// The union of everyone's work as it stands, with at most so many entries in each list.
    ///
    /// # Errors
    /// [`Error::ShuttingDown`] when nothing is followed any more, or something could not be read.
    pub async fn union(&self, limit: usize) -> Result<Union, Error> {
        let following = &self.shared.following;
        let mut union = if following.is_running() {
            let (give, answer) = oneshot::channel();
            following.ask(Ask::Union(limit, give), answer).await?.map_err(crate::mail::internal)?
        } else {
            Union::default()
        };
        let left_out = union.left_out.iter().map(|one| &one.agent_id);
        let mut known: HashSet<String> = union.agents.iter().chain(left_out).map(AgentId::key).collect();
        // What stands of these is older than their work.
        for outdated in &union.unknown {
            known.remove(&outdated.key());
        }
        union.unknown = self
            .read(|state| {
                let agents = state.registry.agents().map(|agent| &agent.id);
                agents.filter(|agent| !known.contains(&agent.key())).cloned().collect()
            })
            .await?;
        Ok(union)
    }
}
