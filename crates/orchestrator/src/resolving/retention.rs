//! How long merged results are kept: until nobody needs them, or for a term.

use crate::State;
use orchestrator_conflict::{Closing, Event};
use std::time::Duration;

/// A ref that keeps a merged result and what it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResult {
    /// The conflict that it settled.
    pub conflict: u64,
    /// The ref in the store.
    pub name: String,
    /// When it was made, in milliseconds since 1970.
    pub at: i64,
}

/// Lets go of what need not be kept any longer. A conflict that only waited for it to be pulled is over then.
pub(crate) fn retire(state: &State, kept: &[KeptResult], term: Duration, now: i64) -> Vec<Event> {
    let results = over(state, kept, term, now);
    if results.is_empty() {
        return Vec::new();
    }
    let closed = |(id, name): &(u64, String)| {
        let record = state.conflict.conflicts().get(*id)?;
        record.kept().filter(|applied| applied.kept == *name)?;
        record.closed(*id, Closing::Dropped)
    };
    let closed: Vec<Event> = results.iter().filter_map(closed).collect();
    [Event::Dropped { results }].into_iter().chain(closed).collect()
}

/// Which need not be kept any longer at the time `now`, in milliseconds since 1970: the conflict is over, and everyone
/// whom the result is for has pulled it or is not registered any more; or it is older than the term. What no record
/// names can be pulled by nobody: a crash left it, or the record was forgotten. Those that were told to go are not
/// named again.
fn over(state: &State, kept: &[KeptResult], term: Duration, now: i64) -> Vec<(u64, String)> {
    let term = i64::try_from(term.as_millis()).unwrap_or(i64::MAX);
    let is_over = |one: &&KeptResult| {
        let record = state.conflict.conflicts().get(one.conflict);
        let named = record.filter(|record| record.applied.as_ref().is_some_and(|applied| applied.kept == one.name));
        let Some(record) = named else { return true };
        let has_done = |agent| record.has_pulled(agent) || state.registry.agent(agent).is_none();
        let is_done = !record.is_open() && record.agents.iter().all(has_done);
        !record.dropped && (is_done || now.saturating_sub(one.at) > term)
    };
    kept.iter().filter(is_over).map(|one| (one.conflict, one.name.clone())).collect()
}

/// The conflict's number in a ref's name, `refs/resolution/c<number>-<commit>`.
pub(super) fn number(name: &str) -> Option<u64> {
    let (number, _) = name.strip_prefix(super::kept::REFS)?.strip_prefix('c')?.split_once('-')?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_conflict::Applied;
    use orchestrator_protocol::{AgentId, ConflictType, Severity};
    use orchestrator_registry as registry;

    const DAY: i64 = 86_400_000;
    const TERM: Duration = Duration::from_secs(30 * 86_400);

    fn agent(name: &str) -> AgentId {
        name.parse().unwrap()
    }

    fn joins(state: &mut State, seq: u64, name: &str) {
        let command = registry::Command::Register {
            agent: agent(name),
            registration: registry::Registration::default(),
            only_if_absent: false,
        };
        for event in state.registry.decide(&command, 0).unwrap() {
            state.apply(seq, &crate::Event::Registry(event));
        }
    }

    fn apply(state: &mut State, event: Event) {
        state.apply(100, &crate::Event::Conflict(event));
    }

    /// Conflict 7 of ann and bob, settled by a result that nobody has pulled.
    fn settled() -> (State, KeptResult) {
        let mut state = State::default();
        joins(&mut state, 1, "ann");
        joins(&mut state, 2, "bob");
        let (conflict_type, severity) = (ConflictType::Overlap, Severity::Medium);
        let agents = vec![agent("ann"), agent("bob")];
        let detected = Event::Detected { path: "a".into(), agents, conflict_type, severity, at: 0 };
        state.apply(7, &crate::Event::Conflict(detected));
        let name = "refs/resolution/c7-aa".to_owned();
        let applied = Applied {
            fingerprint: String::new(),
            taken: None,
            forced: false,
            kept: name.clone(),
            commit: String::new(),
            path: "a".into(),
            result: None,
            size: 0,
            base: None,
            sides: Vec::new(),
            between: Vec::new(),
        };
        let applied = Some(Box::new(applied));
        apply(&mut state, Event::Resolved { id: 7, strategy: "ours".into(), by: None, applied });
        (state, KeptResult { conflict: 7, name, at: 0 })
    }

    fn pulls(state: &mut State, name: &str) {
        let (path, agent) = ("a".into(), agent(name));
        apply(state, Event::Pulled { id: 7, path, agent, backup: None, at: 0 });
    }

    #[test]
    fn it_stays_until_everyone_has_pulled_it_or_left() {
        let (mut state, kept) = settled();
        let goes = |state: &State| !over(state, std::slice::from_ref(&kept), TERM, DAY).is_empty();
        assert!(!goes(&state));
        pulls(&mut state, "ANN");
        assert!(!goes(&state), "bob has not");
        let mut left = state.clone();
        left.apply(101, &crate::Event::Registry(registry::Event::Unregistered { agent: agent("bob") }));
        assert!(goes(&left));
        pulls(&mut state, "bob");
        assert!(goes(&state));
        apply(&mut state, Event::Dropped { results: vec![(7, kept.name.clone())] });
        assert!(!goes(&state), "it was told to go");
        assert!(state.conflict.conflicts().get(7).unwrap().kept().is_none());
    }

    #[test]
    fn an_old_one_goes_and_what_no_record_names() {
        let (state, kept) = settled();
        let unnamed = KeptResult { name: "refs/resolution/c7-bb".into(), ..kept };
        let forgotten = KeptResult { conflict: 8, name: "refs/resolution/c8-cc".into(), at: 0 };
        let all = [kept, unnamed, forgotten];
        let ids = |now| over(&state, &all, TERM, now).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(ids(30 * DAY), [all[1].name.as_str(), &all[2].name]);
        assert_eq!(ids(30 * DAY + 1).len(), 3);
        assert_eq!(all.map(|one| number(&one.name)), [Some(7), Some(7), Some(8)]);
        assert_eq!(number("refs/resolution/mine"), None);
    }
}
