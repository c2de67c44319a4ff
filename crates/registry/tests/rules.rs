//! The registry's rules, driven through its public interface.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orchestrator_protocol::{AgentId, AgentStatus, LeaseMode, Resource, ResourceKind, Workload};
use orchestrator_registry::{Command, Error, Event, Registration, Registry};
use proptest::prelude::*;

/// A registry with a counter in place of the log.
#[derive(Default)]
struct World {
    registry: Registry,
    seq: u64,
}

impl World {
    fn run(&mut self, command: &Command) -> Result<Vec<Event>, Error> {
        let events = self.registry.decide(command, 1_000)?;
        for event in &events {
            self.seq += 1;
            self.registry.apply(self.seq, event);
        }
        Ok(events)
    }

    fn join(&mut self, name: &str, capabilities: &[&str]) {
        let capabilities = Some(capabilities.iter().map(|word| (*word).to_owned()).collect());
        let registration = Registration { capabilities, ..Registration::default() };
        self.run(&Command::Register { agent: id(name), registration, only_if_absent: false }).unwrap();
    }

    fn acquire(&mut self, name: &str, path: &str, mode: LeaseMode) -> Result<Vec<Event>, Error> {
        self.run(&Command::Acquire { agent: id(name), resource: resource(path), mode, ttl_seconds: 60 })
    }
}

fn id(name: &str) -> AgentId {
    name.parse().unwrap()
}

fn resource(value: &str) -> Resource {
    let kind = if value.contains('*') { ResourceKind::Glob } else { ResourceKind::Path };
    Resource { kind, value: value.to_owned() }
}

#[test]
fn registering_again_updates_what_is_given_and_keeps_the_rest() {
    let mut world = World::default();
    world.join("Dev", &["python"]);
    let registration = Registration { role: Some("backend".into()), ..Registration::default() };
    world.run(&Command::Register { agent: id("dev"), registration, only_if_absent: false }).unwrap();
    let agent = world.registry.agent(&id("DEV")).unwrap();
    assert_eq!(
        (agent.id.as_str(), agent.role.as_deref(), agent.capabilities.as_slice()),
        ("Dev", Some("backend"), &["python".to_owned()][..])
    );
    assert_eq!(world.registry.len(), 1);
}

#[test]
fn a_silent_agent_is_offline_loses_its_leases_and_comes_back_as_it_was() {
    let mut world = World::default();
    world.join("dev", &[]);
    let workload = Workload::try_from(0.5).unwrap();
    let busy = Command::UpdateStatus { agent: id("dev"), status: AgentStatus::Busy, task: Some("t".into()), workload };
    world.run(&busy).unwrap();
    world.acquire("dev", "src", LeaseMode::Exclusive).unwrap();
    let events = world.run(&Command::WentSilent { agent: id("dev") }).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(world.registry.agent(&id("dev")).unwrap().status, AgentStatus::Offline);
    assert_eq!(world.registry.leases().count(), 0);
    assert!(world.run(&Command::WentSilent { agent: id("dev") }).unwrap().is_empty(), "once is enough");
    world.run(&Command::CameBack { agent: id("dev") }).unwrap();
    let agent = world.registry.agent(&id("dev")).unwrap();
    assert_eq!((agent.status, agent.task.as_deref()), (AgentStatus::Busy, Some("t")));
}

#[test]
fn an_exclusive_lease_keeps_others_out_and_a_shared_one_lets_shared_ones_in() {
    let mut world = World::default();
    world.join("a", &[]);
    world.join("b", &[]);
    world.acquire("a", "src/**", LeaseMode::Shared).unwrap();
    world.acquire("b", "src/x.py", LeaseMode::Shared).unwrap();
    let refused = world.acquire("b", "src/x.py", LeaseMode::Exclusive).unwrap_err();
    assert!(matches!(refused, Error::Held { ref held_by, .. } if held_by.as_str() == "a"), "{refused}");
    assert!(world.acquire("a", "docs", LeaseMode::Exclusive).is_ok());
    assert!(world.acquire("b", "docs/x.md", LeaseMode::Shared).is_err());
}

#[test]
fn a_stale_token_is_refused_and_an_old_timer_does_nothing() {
    let mut world = World::default();
    world.join("a", &[]);
    world.acquire("a", "src", LeaseMode::Exclusive).unwrap();
    let first = world.registry.leases().next().unwrap().clone();
    world.run(&Command::Renew { lease: first.id, token: first.token, ttl_seconds: None }).unwrap();
    let second = world.registry.lease(first.id).unwrap().clone();
    assert!(second.token > first.token);
    let stale = world.run(&Command::Release { lease: first.id, token: first.token }).unwrap_err();
    assert_eq!(stale, Error::StaleToken { given: first.token, newest: second.token });
    assert!(world.run(&Command::ExpireLease { lease: first.id, token: first.token }).unwrap().is_empty());
    assert_eq!(world.run(&Command::ExpireLease { lease: first.id, token: second.token }).unwrap().len(), 1);
}

#[test]
fn recommendation_prefers_skill_then_free_capacity_and_leaves_out_who_is_gone() {
    let mut world = World::default();
    world.join("busy", &["python", "backend"]);
    world.join("free", &["python"]);
    world.join("other", &["rust"]);
    world.join("gone", &["python", "backend"]);
    let workload = Workload::try_from(0.9).unwrap();
    world.run(&Command::UpdateStatus { agent: id("busy"), status: AgentStatus::Busy, task: None, workload }).unwrap();
    world.run(&Command::WentSilent { agent: id("gone") }).unwrap();
    let names: Vec<String> = world
        .registry
        .recommend(&["python".to_owned(), "backend".to_owned()])
        .into_iter()
        .map(|found| found.agent.to_string())
        .collect();
    assert_eq!(names, ["busy", "free"]);
    assert_eq!(world.registry.most_free("PYTHON").unwrap().id.as_str(), "free");
}

fn any_command() -> impl Strategy<Value = Command> {
    let name = prop_oneof![Just("a"), Just("B"), Just("b"), Just("c")];
    let path = prop_oneof![Just("src"), Just("src/x.py"), Just("src/**"), Just("docs/*.md"), Just("docs/a.md")];
    let mode = prop_oneof![Just(LeaseMode::Exclusive), Just(LeaseMode::Shared)];
    prop_oneof![
        name.clone().prop_map(|name| Command::Register {
            agent: id(name),
            registration: Registration::default(),
            only_if_absent: true
        }),
        name.clone().prop_map(|name| Command::Unregister { agent: id(name) }),
        name.clone().prop_map(|name| Command::WentSilent { agent: id(name) }),
        name.clone().prop_map(|name| Command::CameBack { agent: id(name) }),
        (name, path, mode).prop_map(|(name, path, mode)| Command::Acquire {
            agent: id(name),
            resource: resource(path),
            mode,
            ttl_seconds: 9
        }),
        (1..40_u64, 1..40_u64).prop_map(|(lease, token)| Command::Renew { lease, token, ttl_seconds: None }),
        (1..40_u64, 1..40_u64).prop_map(|(lease, token)| Command::ExpireLease { lease, token }),
    ]
}

proptest! {
    /// L1: whatever happens, tokens only grow and no two agents hold what excludes each other.
    #[test]
    fn tokens_only_grow_and_exclusive_leases_exclude(commands in prop::collection::vec(any_command(), 1..60)) {
        let mut world = World::default();
        let mut newest = 0;
        for command in commands {
            let _refused = world.run(&command);
            let token = world.registry.leases().map(|lease| lease.token).max().unwrap_or(0);
            prop_assert!(token == 0 || token >= newest || world.registry.leases().all(|lease| lease.token < newest));
            newest = newest.max(token);
            let leases: Vec<_> = world.registry.leases().collect();
            for (at, one) in leases.iter().enumerate() {
                prop_assert!(world.registry.agent(&one.agent_id).is_some());
                for two in &leases[at + 1..] {
                    let both_shared = one.mode == LeaseMode::Shared && two.mode == LeaseMode::Shared;
                    let apart = !one.resource.value.starts_with("src") || !two.resource.value.starts_with("src");
                    prop_assert!(both_shared || one.agent == two.agent || apart);
                }
            }
        }
    }
}

#[test]
fn a_made_workspace_outlives_its_agent_until_it_is_left() {
    let mut world = World::default();
    let path = "/w/dev".to_owned();
    let take = Command::TakeWorkspace { agent: id("DEV"), path: path.clone(), branch: "agent/Dev".into() };
    let leave = Command::LeaveWorkspace { agent: id("dev"), path: path.clone(), backup: None };
    assert_eq!(world.run(&take), Err(Error::UnknownAgent("DEV".into())));
    world.join("Dev", &["python"]);
    assert_eq!(world.run(&leave), Err(Error::UnknownWorkspace("dev".into())));
    world.run(&take).unwrap();
    let agent = world.registry.agent(&id("dev")).unwrap();
    assert_eq!((agent.workspace.as_ref(), agent.capabilities.len()), (Some(&path), 1));
    world.run(&Command::Unregister { agent: id("dev") }).unwrap();
    assert_eq!(world.registry.made_for(&id("dev")).unwrap().path, path);
    world.join("dev", &[]);
    assert_eq!(world.registry.agent(&id("dev")).unwrap().workspace, None);
    world.run(&take).unwrap();
    world.run(&leave).unwrap();
    assert!(world.registry.made().next().is_none());
    assert_eq!(world.registry.agent(&id("dev")).unwrap().workspace, None);
    let other = Registration { workspace: Some("/own".into()), ..Registration::default() };
    world.run(&Command::Register { agent: id("dev"), registration: other, only_if_absent: false }).unwrap();
    world.run(&Command::LeaveWorkspace { agent: id("dev"), path: "/own".into(), backup: None }).unwrap();
    assert_eq!(world.registry.agent(&id("dev")).unwrap().workspace, None, "a folder of its own is left, too");
}
