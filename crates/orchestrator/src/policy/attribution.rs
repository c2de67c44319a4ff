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
    /// A report or a lease speaks for this very version; else it is whoever had the file in work last.
    pub(crate) is_sure: bool,
}

/// A report newer than event `heard`, which no earlier version accounts for, says most; then a lease; then who has the
/// file in work.
pub(crate) fn among(state: &State, path: &str, members: &[AgentId], heard: u64) -> Author {
    let is_member = |agent: &AgentId| members.iter().any(|one| one.key() == agent.key());
    let edit = newest_edit(state, path, members);
    let report = edit.filter(|edit| edit.seq > heard).map(|edit| &edit.agent);
    let sure = report.or_else(|| state.registry.holder_of(path).filter(|holder| is_member(holder)));
    match sure {
        Some(agent) => Author { agent: Some(agent.clone()), is_sure: true },
        None => Author { agent: edit.map(|edit| edit.agent.clone()), is_sure: false },
    }
}

/// The newest edit in work by one of these.
pub(crate) fn newest_edit<'a>(state: &'a State, path: &str, members: &[AgentId]) -> Option<&'a Edit> {
    let is_member = |edit: &&Edit| members.iter().any(|one| one.key() == edit.agent.key());
    state.conflict.edits().of(path).into_iter().filter(is_member).max_by_key(|edit| edit.seq)
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
