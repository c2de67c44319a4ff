//! What the state wants done in the world, and the clock that does the waiting.
//!
//! [`wanted`] is pure. An effect's id is the number of the event that asked for it, so the same wish is
//! never armed twice and a completion says exactly what it completes. Timers count on the monotonic
//! clock with a full term after a start; what they come back with names what they were armed for, and
//! the rules ignore it when that has changed in between.

use crate::{Actor, Command, Error, Event, Orchestrator, State};
use orchestrator_conflict as conflict;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{AgentId, AgentStatus};
use orchestrator_registry as registry;
use orchestrator_workflow::{approval, task};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::time::DelayQueue;

/// One thing that the state wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Come back with this command after the term. Recognises itself done by its token: the rules compare it.
    Timer {
        /// The term.
        term: Duration,
        /// The command.
        command: Command,
    },
    /// Watch the project's folder while this is wanted. Running is done.
    Watch,
}

/// Terms that are set and not part of what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// An edit is in work until its file has not changed for so long.
    pub edit: Duration,
    /// A task is its holder's until that agent was offline for so long.
    pub offline: Duration,
}

/// Everything that the state wants done, by effect id.
#[must_use]
pub fn wanted(state: &State, terms: Terms) -> BTreeMap<u64, Effect> {
    let mut wanted = BTreeMap::new();
    for lease in state.registry.leases() {
        wanted.insert(lease.token, expire_lease(lease.id, lease.token, lease.ttl_seconds));
    }
    for (delivery, (agent, seconds)) in state.mailbox.running_terms() {
        if let Ok(agent) = agent.parse() {
            wanted.insert(delivery, mail_term(agent, delivery, seconds));
        }
    }
    for (path, edit) in state.conflict.edits().all() {
        wanted.insert(edit.seq, edit_over(path, &edit.agent, edit.seq, terms.edit));
    }
    for (task, seconds) in state.tasks.deadlines() {
        wanted.insert(task, task_deadline(task, seconds));
    }
    for (agent, since) in state.tasks.silent_holders() {
        wanted.insert(since, holder_gone(agent, since, terms.offline));
    }
    for (approval, seconds) in state.approvals.deadlines() {
        wanted.insert(approval, approval_deadline(approval, seconds));
    }
    if let Some(seq) = state.conflict.monitoring() {
        wanted.insert(seq, Effect::Watch);
    }
    wanted
}

/// The effect that an event asks for, without looking at the whole state.
#[must_use]
pub fn asked(seq: u64, event: &Event, terms: Terms) -> Option<Effect> {
    use registry::Event as R;
    match event {
        Event::Registry(R::LeaseGranted { ttl_seconds, .. }) => Some(expire_lease(seq, seq, *ttl_seconds)),
        Event::Registry(R::LeaseRenewed { lease, ttl_seconds, .. }) => Some(expire_lease(*lease, seq, *ttl_seconds)),
        Event::Mailbox(mailbox::Event::Delivered { agent, term: Some(term), .. }) => {
            Some(mail_term(agent.clone(), seq, *term))
        }
        Event::Conflict(conflict::Event::Changed(change)) => {
            change.agent.as_ref().map(|agent| edit_over(&change.path, agent, seq, terms.edit))
        }
        Event::Conflict(conflict::Event::MonitoringStarted) => Some(Effect::Watch),
        Event::Task(task::Event::Created { request, .. }) => Some(task_deadline(seq, request.deadline_seconds?)),
        // Whether the agent holds anything is seen when the term is over.
        Event::Registry(
            R::WentOffline { agent, .. } | R::StatusUpdated { agent, status: AgentStatus::Offline, .. },
        ) => Some(holder_gone(agent, seq, terms.offline)),
        Event::Approval(approval::Event::Asked { request, .. }) => {
            Some(approval_deadline(seq, request.deadline_seconds?))
        }
        _ => None,
    }
}

fn expire_lease(lease: u64, token: u64, ttl_seconds: u64) -> Effect {
    let command = Command::Registry(registry::Command::ExpireLease { lease, token });
    Effect::Timer { term: Duration::from_secs(ttl_seconds), command }
}

fn mail_term(agent: AgentId, delivery: u64, seconds: u64) -> Effect {
    let command = Command::Mailbox(mailbox::Command::TermOver { agent, delivery });
    Effect::Timer { term: Duration::from_secs(seconds), command }
}

fn edit_over(path: &str, agent: &AgentId, seq: u64, term: Duration) -> Effect {
    let command =
        Command::Conflict(conflict::Command::EditTermOver { path: path.to_owned(), agent: agent.clone(), seq });
    Effect::Timer { term, command }
}

fn task_deadline(id: u64, seconds: u64) -> Effect {
    let command = Command::Task(task::Command::Expire { id }.into());
    Effect::Timer { term: Duration::from_secs(seconds), command }
}

fn holder_gone(agent: &AgentId, since: u64, term: Duration) -> Effect {
    let command = Command::Task(task::Command::HolderGone { agent: agent.clone(), since }.into());
    Effect::Timer { term, command }
}

fn approval_deadline(id: u64, seconds: u64) -> Effect {
    let command = Command::Approval(approval::Command::Expire { id });
    Effect::Timer { term: Duration::from_secs(seconds), command }
}

/// Arms timers and comes back with their commands, until the sender is gone.
pub(crate) async fn run_timers(orchestrator: Orchestrator, mut asked: mpsc::Receiver<(Duration, Command)>) {
    let mut queue: DelayQueue<Command> = DelayQueue::new();
    loop {
        tokio::select! {
            timer = asked.recv() => match timer {
                Some((term, command)) => {
                    queue.insert(command, term);
                }
                None => return,
            },
            Some(due) = std::future::poll_fn(|context| queue.poll_expired(context)), if !queue.is_empty() => {
                tokio::spawn(come_back(orchestrator.clone(), due.into_inner()));
            }
        }
    }
}

/// Submits a timer's command. A halted log refuses it; the timer must not be lost with that.
async fn come_back(orchestrator: Orchestrator, command: Command) {
    while let Err(error) = orchestrator.submit(Actor::System, command.clone()).await {
        if matches!(error, Error::ShuttingDown) {
            return;
        }
        tracing::warn!(%error, "a timer's command was refused; trying again");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::decide;
    use orchestrator_protocol::{ChangeType, LeaseMode, Resource, ResourceKind};
    use proptest::prelude::*;

    fn id(at: usize) -> AgentId {
        ["a", "b", "c"][at].parse().unwrap()
    }

    fn any_command() -> impl Strategy<Value = Command> {
        let agent = || (0..3_usize).prop_map(id);
        prop_oneof![
            agent().prop_map(|agent| Command::Registry(registry::Command::Register {
                agent,
                registration: registry::Registration::default(),
                only_if_absent: true
            })),
            agent().prop_map(|agent| Command::Registry(registry::Command::Unregister { agent })),
            (agent(), 0..3_usize).prop_map(|(agent, at)| Command::Registry(registry::Command::Acquire {
                agent,
                resource: Resource { kind: ResourceKind::Path, value: ["x", "y", "z"][at].into() },
                mode: LeaseMode::Exclusive,
                ttl_seconds: 9
            })),
            (agent(), 0..3_usize).prop_map(|(agent, at)| Command::Conflict(conflict::Command::Change {
                path: ["x", "y", "z"][at].into(),
                agent: Some(agent),
                change_type: ChangeType::Modified,
                hash: None,
                previous_hash: None,
                previous_path: None
            })),
            agent().prop_map(|agent| Command::Send(crate::Outgoing {
                from: "a".into(),
                to: orchestrator_protocol::Address::Agent(agent),
                payload: serde_json::json!({}).into(),
                kind: "message".into(),
                in_reply_to: None,
                durable: false,
                key: None
            })),
            agent().prop_map(|agent| Command::Mailbox(mailbox::Command::Claim { agent, max: 2, ttl_seconds: 5 })),
            prop::option::of(1..9_u64).prop_map(|deadline_seconds| Command::Task(
                task::Command::Create(task::Request { deadline_seconds, ..task::Request::new("t", "a") }.into()).into()
            )),
            (1..30_u64, agent()).prop_map(|(id, agent)| Command::Task(
                task::Command::Claim { id, agent, capabilities: Vec::new() }.into()
            )),
            agent().prop_map(|agent| Command::Registry(registry::Command::WentSilent { agent })),
            agent().prop_map(|agent| Command::Registry(registry::Command::CameBack { agent })),
            prop::option::of(1..9_u64).prop_map(|deadline_seconds| Command::Approval(approval::Command::Ask(
                approval::Request { deadline_seconds, ..approval::Request::new("k", "q", "a") }.into()
            ))),
            Just(Command::Conflict(conflict::Command::StartMonitoring)),
            Just(Command::Conflict(conflict::Command::StopMonitoring)),
        ]
    }

    proptest! {
        /// The incremental way never forgets an effect that the whole state wants.
        #[test]
        fn everything_wanted_was_asked_for(commands in prop::collection::vec(any_command(), 1..60)) {
            let term = Terms { edit: Duration::from_secs(60), offline: Duration::from_secs(10) };
            let (mut state, mut seq, mut armed) = (State::default(), 0, BTreeMap::new());
            for command in commands {
                for event in decide(&state, &command, 0).unwrap_or_default() {
                    seq += 1;
                    state.apply(seq, &event);
                    if let Some(effect) = asked(seq, &event, term) {
                        armed.insert(seq, effect);
                    }
                }
                for id in wanted(&state, term).keys() {
                    prop_assert!(armed.contains_key(id), "effect {id} is wanted and was never asked for");
                }
            }
        }
    }
}
