//! Whose a change is that the watcher saw: the agent that has the file in work, the one that holds a lease
//! on it, or the only one that works in the watched folder. Nobody's when none of these tells.

use crate::State;
use orchestrator_conflict::{Command, Edit};
use orchestrator_protocol::AgentId;

pub(crate) fn attribute(state: &State, mut command: Command, root: &str) -> Command {
    if let Command::Change { path, agent: agent @ None, .. } = &mut command {
        *agent = author(state, path, root);
    }
    command
}

fn author(state: &State, path: &str, root: &str) -> Option<AgentId> {
    let reported = state.conflict.edits().of(path).into_iter().max_by_key(|edit| edit.seq).map(|edit| &edit.agent);
    reported.or_else(|| state.registry.holder_of(path)).or_else(|| only_worker_in(state, root)).cloned()
}

/// Whose a new version of a file is, of those who share its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Author {
    /// Nothing where nobody can be named.
    pub(crate) agent: Option<AgentId>,
    pub(crate) says: Says,
}

/// What says whose a version is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Says {
    /// A report that no earlier version accounts for.
    Report,
    /// An exclusive lease.
    Lease,
    /// Nothing about this very version: who had the file in work last, if anybody.
    #[default]
    Work,
}

/// `heard` is the newest event of each agent that an earlier version accounts for.
pub(crate) fn among(state: &State, path: &str, members: &[AgentId], heard: impl Fn(&AgentId) -> u64) -> Author {
    let is_member = |agent: &AgentId| members.iter().any(|one| one.key() == agent.key());
    let edits = edits_of(state, path, members);
    let newest =
        |edits: &mut dyn Iterator<Item = &&Edit>| edits.max_by_key(|edit| edit.seq).map(|edit| edit.agent.clone());
    if let Some(agent) = newest(&mut edits.iter().filter(|edit| edit.seq > heard(&edit.agent))) {
        return Author { agent: Some(agent), says: Says::Report };
    }
    match state.registry.holder_of(path).filter(|holder| is_member(holder)) {
        Some(holder) => Author { agent: Some(holder.clone()), says: Says::Lease },
        None => Author { agent: newest(&mut edits.iter()), says: Says::Work },
    }
}

/// The edits of a file that these have in work.
pub(crate) fn edits_of<'a>(state: &'a State, path: &str, members: &[AgentId]) -> Vec<&'a Edit> {
    let is_member = |edit: &&Edit| members.iter().any(|one| one.key() == edit.agent.key());
    state.conflict.edits().of(path).into_iter().filter(is_member).collect()
}

fn only_worker_in<'a>(state: &'a State, root: &str) -> Option<&'a AgentId> {
    let mut workers = state.registry.agents().filter(|agent| agent.workspace.as_deref() == Some(root));
    let only = workers.next()?;
    workers.next().is_none().then_some(&only.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use orchestrator_protocol::{ChangeType, LeaseMode, Resource, ResourceKind};
    use orchestrator_registry as registry;

    fn change(path: &str, agent: Option<&str>) -> Command {
        Command::Change {
            path: path.to_owned(),
            agent: agent.map(|name| name.parse().unwrap()),
            change_type: ChangeType::Modified,
            hash: None,
            previous_hash: None,
            previous_path: None,
        }
    }

    fn author_of(state: &State, path: &str) -> Option<String> {
        match attribute(state, change(path, None), "/project") {
            Command::Change { agent, .. } => agent.map(|agent| agent.to_string()),
            _ => None,
        }
    }

    #[test]
    fn a_report_says_more_than_a_lease_and_without_both_it_is_nobodys() {
        let mut state = State::default();
        let resource = Resource { kind: ResourceKind::Glob, value: "src/**".into() };
        let granted = registry::Event::LeaseGranted {
            agent: "holder".parse().unwrap(),
            resource,
            mode: LeaseMode::Exclusive,
            ttl_seconds: 60,
            at: 0,
        };
        state.apply(1, &Event::Registry(granted));
        assert_eq!(author_of(&state, "src/a.py").as_deref(), Some("holder"));
        assert_eq!(author_of(&state, "docs/a.md"), None);
        for event in state.conflict.decide(&change("src/a.py", Some("editor")), 0).unwrap() {
            state.apply(2, &Event::Conflict(event));
        }
        assert_eq!(author_of(&state, "src/a.py").as_deref(), Some("editor"));
    }

    #[test]
    fn among_those_in_a_folder_a_report_counts_for_one_version_and_a_lease_until_it_ends() {
        let mut state = State::default();
        let members: [AgentId; 2] = ["a".parse().unwrap(), "b".parse().unwrap()];
        let author = |state: &State, heard: [u64; 2]| {
            let heard = |agent: &AgentId| heard[usize::from(agent.key() == "b")];
            let Author { agent, says } = among(state, "x", &members, heard);
            (agent.map(|agent| agent.to_string()), says)
        };
        let report = |state: &mut State, seq: u64, agent: &str| {
            for event in state.conflict.decide(&change("x", Some(agent)), 0).unwrap() {
                state.apply(seq, &Event::Conflict(event));
            }
        };
        assert_eq!(author(&state, [0, 0]), (None, Says::Work));
        report(&mut state, 1, "a");
        assert_eq!(author(&state, [0, 0]), (Some("a".into()), Says::Report));
        assert_eq!(author(&state, [1, 0]), (Some("a".into()), Says::Work), "the next version may be anybody's");
        report(&mut state, 2, "b");
        report(&mut state, 3, "a");
        assert_eq!(author(&state, [3, 0]), (Some("b".into()), Says::Report), "what a does meanwhile hides no report");
        report(&mut state, 4, "stranger");
        assert_eq!(
            author(&state, [3, 2]),
            (Some("a".into()), Says::Work),
            "who is not in the folder wrote nothing there"
        );
        let resource = Resource { kind: ResourceKind::Path, value: "x".into() };
        let (agent, mode) = ("b".parse().unwrap(), LeaseMode::Exclusive);
        let granted = registry::Event::LeaseGranted { agent, resource, mode, ttl_seconds: 60, at: 0 };
        state.apply(5, &Event::Registry(granted));
        assert_eq!(author(&state, [3, 2]), (Some("b".into()), Says::Lease));
    }

    #[test]
    fn a_folder_that_two_agents_share_tells_nothing() {
        let mut state = State::default();
        for (seq, name) in [(1, "a"), (2, "b")] {
            let event = registry::Event::Registered {
                agent: name.parse().unwrap(),
                capabilities: Vec::new(),
                role: None,
                workspace: Some("/project".into()),
                branch: None,
                at: 0,
            };
            state.apply(seq, &Event::Registry(event));
            assert_eq!(author_of(&state, "x").as_deref(), (name == "a").then_some("a"));
        }
    }
}
