//! The versions behind a recorded overlap, as they are now.

use super::super::record::Parties;
use super::super::sides::{Between, Sides};
use super::super::source::{Tip, name};
use super::Runner;
use orchestrator_conflict::Command;
use orchestrator_predict::{Path, Touched};
use orchestrator_repository::Error;

impl Runner {
    /// Nothing when they do not collide there any more.
    pub(super) fn sides(&mut self, between: &Between) -> Result<Option<Sides>, Error> {
        let mut numbers: Vec<u64> = between.agents.iter().filter_map(|agent| self.number_of(agent)).collect();
        let leading = numbers.first().copied();
        numbers.sort_unstable();
        let (first, second) = match (numbers.as_slice(), &between.target) {
            ([only], Some(_)) => (*only, None),
            ([first, second], None) => (*first, Some(*second)),
            _ => return Ok(None),
        };
        let path: Option<Path> = self.star.paths().find(|path| name(path) == between.path).cloned();
        let Some((store, path)) = self.store.as_ref().zip(path) else { return Ok(None) };
        let source = Tip::new(store, &mut self.memory, self.tip.map(|(_, tree)| tree));
        let Some(found) = self.star.sides(&path, first, second, &source)? else { return Ok(None) };
        let agent = |number| self.agent_of(number);
        let parties = Parties::new(agent, self.target.as_deref(), first, second);
        let Some(Command::Found { overlap, .. }) =
            parties.map(|parties| parties.found(&found.finding, &Touched::default()))
        else {
            return Ok(None);
        };
        if overlap.target != between.target {
            return Ok(None);
        }
        let (mut moved, mut stands) = (found.finding.paths, [found.first, found.second]);
        if leading != Some(first) {
            moved.reverse();
            stands.reverse();
        }
        Ok(Some(Sides { fingerprint: overlap.fingerprint, path, moved, base: found.base, stands }))
    }
}
