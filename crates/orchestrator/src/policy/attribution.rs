//! Whose a change is that the watcher saw: the agent that has the file in work, the one that holds a lease
//! on it, or the only one that works in the watched folder. Nobody's when none of these tells.

use crate::State;
use orchestrator_conflict::Command;
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
