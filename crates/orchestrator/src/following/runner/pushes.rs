//! Agents that push their work, beside those whose folders are followed.

use super::Runner;
use crate::following::Standing;
use crate::following::follower::Follower;
use crate::following::pushed::Pushed;
use crate::following::shared::Member;
use orchestrator_conflict as conflict;
use orchestrator_protocol::AgentId;
use orchestrator_repository::ObjectId;
use std::collections::BTreeMap;

impl Runner {
    /// Takes over exactly the pushed works that the state names.
    pub(super) async fn look_at_pushed(&mut self) {
        let wanted: BTreeMap<String, (AgentId, u64, ObjectId)> = {
            let core = self.orchestrator.shared.core.lock();
            let pushed = crate::pushed::all(&core.state);
            pushed.map(|(agent, _, commit)| (agent.id.key(), (agent.id.clone(), agent.number, commit))).collect()
        };
        let is_over =
            |(key, one): (&String, &Pushed)| wanted.get(key).is_none_or(|(_, number, _)| *number != one.number);
        let over: Vec<String> = self.pushed.iter().filter(|one| is_over(*one)).map(|(key, _)| key.clone()).collect();
        for key in over {
            let Some(one) = self.pushed.remove(&key) else { continue };
            self.orchestrator.shared.following.standings.lock().remove(&key);
            self.withdraw(one.agent, one.number).await;
        }
        for (key, (agent, number, commit)) in wanted {
            match self.pushed.get_mut(&key) {
                Some(one) => one.commit = commit,
                None => {
                    self.pushed.insert(key, Pushed::new(agent.clone(), number, commit));
                    self.submit(vec![conflict::Command::Follow { agent, merged: true }]).await;
                }
            }
        }
        self.refresh_pushed().await;
    }

    /// Compares pushed works with the target branch where one of the two moved.
    pub(super) async fn refresh_pushed(&mut self) {
        if self.pushed.is_empty() {
            return;
        }
        let mut updates = Vec::new();
        let mut failures = Vec::new();
        match self.open_store() {
            Err(error) => failures.push(error.to_string()),
            Ok(store) => {
                for (key, one) in &mut self.pushed {
                    let standing = match one.update(&store, self.tip) {
                        Ok(update) => {
                            let member = Member { agent: one.agent.clone(), number: one.number };
                            updates.extend(update.map(|update| (one.base(), member, update)));
                            Standing::Pushed { dirty: one.dirty() }
                        }
                        Err(error) => {
                            failures.push(format!("{}: {error}", one.agent));
                            Standing::Failed(error.to_string())
                        }
                    };
                    self.orchestrator.shared.following.standings.lock().insert(key.clone(), standing);
                }
            }
        }
        let degradations = &self.orchestrator.shared.degradations;
        if failures.is_empty() {
            degradations.clear("pushed_work");
        } else {
            let cure = "see that the repository can be read; tried again every second";
            degradations.raise("pushed_work", failures.join("; "), cure);
        }
        for (base, member, update) in updates {
            self.take_over(base, vec![(member, update)]).await;
        }
    }

    /// All agents whose work is known, by number.
    pub(super) fn agents(&self) -> BTreeMap<u64, AgentId> {
        let members = self.followers.values().flat_map(Follower::members).map(|one| (one.number, one.agent));
        members.chain(self.pushed.values().map(|one| (one.number, one.agent.clone()))).collect()
    }

    /// The agent behind a number, whichever way its work comes.
    pub(super) fn agent_of(&self, number: u64) -> Option<AgentId> {
        let mut members = self.followers.values().flat_map(Follower::members);
        let followed = members.find(|one| one.number == number).map(|one| one.agent);
        followed.or_else(|| self.pushed.values().find(|one| one.number == number).map(|one| one.agent.clone()))
    }

    /// The number of an agent whose work is known.
    pub(super) fn number_of(&self, agent: &AgentId) -> Option<u64> {
        let followed = self.followers.values().find_map(|one| one.member(&agent.key())).map(|one| one.number);
        followed.or_else(|| self.pushed.get(&agent.key()).map(|one| one.number))
    }
}
