//! The one place where commands are decided: the working state, the open batch, and who waits for it.
//!
//! A lock makes the order. Under it a command is decided, applied and put into the open batch, which
//! takes microseconds; nobody holds it while waiting. The writer takes the open batch when the last one
//! is flushed, so everything that comes during a flush shares the next.

use crate::batch::{Batch, Flush, Pending};
use crate::command::{Command, Reply};
use crate::decide::decide;
use crate::render::expiry;
use crate::{Actor, Error, Event, State};
use orchestrator_conflict as conflict;
use orchestrator_landing as landing;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{Address, AgentId, Lease, MessageState, Timestamp};
use orchestrator_registry as registry;
use std::sync::Arc;
use tokio::sync::watch;

/// Why nothing can be recorded at the moment.
#[derive(Debug, Clone)]
pub(crate) struct Halt {
    pub(crate) reason: String,
    pub(crate) cure: String,
}

/// What the lock guards.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) state: State,
    /// The number of the next event.
    pub(crate) next_seq: u64,
    pub(crate) open: Batch,
    /// The batch that the writer has in hand.
    pub(crate) in_flight: Option<watch::Receiver<Flush>>,
    pub(crate) halted: Option<Halt>,
    pub(crate) stopping: bool,
}

/// What becomes of a command: its reply, and the flush that it waits for; none when it is relaxed.
pub(crate) struct Accepted {
    pub(crate) reply: Reply,
    pub(crate) flush: Option<watch::Receiver<Flush>>,
    /// Whether the writer must be woken.
    pub(crate) wake: bool,
}

impl Core {
    /// The flush of the newest event in the state, to be waited for; `None` when everything is flushed. The
    /// writer must be woken when it says so.
    pub(crate) fn newest_flush(&mut self) -> (Option<watch::Receiver<Flush>>, bool) {
        if self.open.is_empty() {
            return (self.in_flight.clone(), false);
        }
        let wake = !std::mem::replace(&mut self.open.awaited, true);
        (Some(self.open.done.subscribe()), wake)
    }

    /// Decides a command and takes what follows into the state and the open batch.
    pub(crate) fn accept(&mut self, actor: &Actor, command: &Command, at: i64) -> Result<Accepted, Error> {
        if self.stopping {
            return Err(Error::ShuttingDown);
        }
        if let Some(Halt { reason, cure }) = self.halted.clone() {
            return Err(Error::StorageUnavailable { reason, cure });
        }
        let events = decide(&self.state, command, at)?;
        let seq = self.next_seq;
        let first = self.open.is_empty() && !events.is_empty();
        for (seq, event) in (seq..).zip(&events) {
            self.state.apply(seq, event);
        }
        self.next_seq += events.len() as u64;
        let reply = self.reply(command, seq, &events);
        if !events.is_empty() {
            let body = match command {
                Command::Send(outgoing) => Some(outgoing.payload.clone()),
                Command::Conflict(conflict::Command::Found { regions, impact, .. }) => {
                    crate::render::details(regions, impact.as_deref())
                }
                Command::Task(task) => crate::tasks::body(&self.state, task, &events),
                Command::Approval(_) => crate::approvals::body(&self.state, &events),
                _ => None,
            };
            self.open.push(Pending { seq, events, body, at, actor: label(actor, command) });
        }
        let (flush, awaited) = if command.is_relaxed() { (None, false) } else { self.newest_flush() };
        Ok(Accepted { reply, flush, wake: first || awaited })
    }

    fn reply(&self, command: &Command, seq: u64, events: &[Event]) -> Reply {
        match (command, events.first()) {
            (Command::Registry(_), Some(Event::Registry(registry::Event::LeaseGranted { .. }))) => self.lease(seq),
            (Command::Registry(_), Some(Event::Registry(registry::Event::LeaseRenewed { lease, .. }))) => {
                self.lease(*lease)
            }
            (Command::Send(outgoing), first) => {
                let known = || self.state.mailbox.sent_with(&outgoing.from, outgoing.key.as_deref()?);
                let id = if first.is_some() { seq } else { known().unwrap_or_default() };
                let recipient = match (first, &outgoing.to) {
                    (Some(Event::Mailbox(mailbox::Event::Sent { recipients, .. })), Address::Capability(_)) => {
                        recipients.first().cloned()
                    }
                    (_, Address::Agent(agent)) => self.state.registry.ever(agent).cloned(),
                    _ => None,
                };
                let standing = self.state.mailbox.standing(id);
                let state = standing.map_or(MessageState::Queued, |standing| standing.state);
                Reply::Message { id, recipient, state }
            }
            (Command::Mailbox(mailbox::Command::Claim { .. }), first) => match first {
                Some(Event::Mailbox(mailbox::Event::Delivered { messages, .. })) => Reply::Claimed(messages.clone()),
                _ => Reply::Claimed(Vec::new()),
            },
            (Command::Snapshots(_), Some(_)) => Reply::Snapshot(seq),
            (Command::Landing(landing::Command::Request(request)), first) => {
                let same = || self.state.landings.same(&request.agent, &request.target, &request.commit);
                Reply::Landing(first.map_or_else(|| same().map_or(0, |same| same.id), |_| seq))
            }
            (Command::Task(task), first) => match crate::tasks::reply(&self.state, task, seq) {
                Some(task) => Reply::Task(Box::new(task)),
                None => Reply::Done(first.is_some()),
            },
            (Command::Approval(command), first) => match crate::approvals::reply(&self.state, command, seq) {
                Some(approval) => Reply::Approval(Box::new(approval)),
                None => Reply::Done(first.is_some()),
            },
            (_, first) => Reply::Done(first.is_some()),
        }
    }

    fn lease(&self, id: u64) -> Reply {
        self.state.registry.lease(id).map_or(Reply::Done(true), |lease| Reply::Lease(lease_view(lease)))
    }
}

/// A lease as the wire shows it.
pub(crate) fn lease_view(lease: &registry::Lease) -> Lease {
    Lease {
        lease_id: format!("l{}", lease.id),
        token: lease.token,
        agent_id: lease.agent_id.clone(),
        resource: lease.resource.clone(),
        mode: lease.mode,
        expires_at: expiry(lease.renewed_at, lease.ttl_seconds),
        since: Timestamp(lease.granted_at),
    }
}

/// Who the log says did it: the agent that the command speaks of, where nobody better is known.
fn label(actor: &Actor, command: &Command) -> Arc<str> {
    use registry::Command as R;
    let named: Option<&AgentId> = match (actor, command) {
        (Actor::Anyone, Command::Registry(R::Register { agent, .. } | R::UpdateStatus { agent, .. })) => Some(agent),
        (Actor::Anyone, Command::Registry(R::Unregister { agent } | R::Acquire { agent, .. })) => Some(agent),
        (Actor::Anyone, Command::Registry(R::TakeWorkspace { agent, .. } | R::LeaveWorkspace { agent, .. })) => {
            Some(agent)
        }
        _ => None,
    };
    match (named, command) {
        (Some(agent), _) => agent.as_str().into(),
        (None, Command::Send(outgoing)) if *actor == Actor::Anyone => outgoing.from.as_str().into(),
        _ => actor.label(),
    }
}
