//! From an event to what listeners are told: pure, so that a resumed reader gets the very same frames.

use crate::Event;
use crate::decide::is_for_orchestrator;
use crate::resolving::resolution;
use crate::snapshots::{self, wire_id};
use crate::views::conflict_view;
use orchestrator_conflict as conflict;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{
    AgentId, AgentMessagePush, AgentStatus, BroadcastPush, ChangePush, Conflict, ConflictImpact, ConflictPush,
    ConflictRegion, Json, Lease, Push, PushBody, ResolutionStatus, Timestamp,
};
use orchestrator_registry as registry;
use orchestrator_workflow as workflow;

/// Who is told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everyone who listens.
    Everyone,
    /// One agent, by its key, and those who listen on the orchestrator's socket.
    Agent(String),
    /// Only those who listen on the orchestrator's socket.
    Orchestrator,
    /// Nobody; the entry only moves a message.
    Nobody,
}

/// A message that an entry carries to its receivers' sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Its number.
    pub message: u64,
    /// The receivers' keys.
    pub receivers: Vec<String>,
    /// True when the entry has no frame and the message must be fetched: it is to be handed over again.
    pub again: bool,
}

/// One event as listeners get it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The event's number.
    pub seq: u64,
    /// Who is told.
    pub audience: Audience,
    /// The frame's text.
    pub frame: Box<str>,
    /// The message that it hands over.
    pub mail: Option<Mail>,
}

impl Entry {
    /// Whether an agent's socket shows the frame.
    #[must_use]
    pub fn is_for(&self, agent: &str) -> bool {
        match &self.audience {
            Audience::Everyone => true,
            Audience::Agent(key) => key == agent,
            Audience::Orchestrator | Audience::Nobody => false,
        }
    }

    /// Whether the orchestrator's socket and `GET /events` show the frame.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.audience != Audience::Nobody
    }
}

/// What listeners are told of an event; `None` when it concerns nobody. `body` is the record's payload.
pub(crate) fn render(seq: u64, at: i64, event: &Event, body: Option<&Json>) -> Option<Entry> {
    let (audience, push, mail) = match event {
        Event::Registry(event) => (Audience::Everyone, registry_push(seq, event), None),
        Event::Conflict(event) => (Audience::Everyone, conflict_push(seq, event, body)?, None),
        Event::Mailbox(event) => return mailbox_entry(seq, at, event, body),
        Event::Workflow(workflow::Event::AutonomyChanged { level }) => {
            (Audience::Everyone, PushBody::AutonomyChanged { level: *level }, None)
        }
        Event::Notice { name, reason, cure } => {
            let (name, reason, cure) = (name.clone(), reason.clone(), cure.clone());
            (Audience::Everyone, PushBody::SyncNotice { name, reason, cure }, None)
        }
        Event::Snapshots(event) => (Audience::Everyone, snapshot_push(seq, event)?, None),
        Event::Task(event) => (Audience::Everyone, PushBody::TaskUpdate(crate::tasks::push(seq, event)), None),
        Event::Approval(event) => {
            (Audience::Everyone, PushBody::ApprovalUpdate(crate::approvals::push(seq, event)), None)
        }
        Event::Landing(event) => (Audience::Everyone, PushBody::MergeUpdate(crate::landings::push(seq, event)?), None),
        Event::BodyErased { .. } | Event::BodyGone { .. } => return None,
    };
    Some(entry(seq, at, audience, push, mail))
}

fn entry(seq: u64, at: i64, audience: Audience, body: PushBody, mail: Option<Mail>) -> Entry {
    let frame = Push { body, seq, timestamp: Timestamp(at) }.to_json().into_boxed_str();
    Entry { seq, audience, frame, mail }
}

fn registry_push(seq: u64, event: &registry::Event) -> PushBody {
    use registry::Event as E;
    let status = |agent: &AgentId, status, task: &Option<String>, workload| PushBody::AgentStatusUpdate {
        agent_id: agent.clone(),
        status,
        task: task.clone(),
        workload,
    };
    match event {
        E::Registered { agent, capabilities, .. } => PushBody::AgentRegistered {
            agent_id: agent.clone(),
            message: format!("Agent {agent} registered"),
            capabilities: capabilities.clone(),
        },
        E::StatusUpdated { agent, status: said, task, workload } => status(agent, *said, task, *workload),
        E::WentOffline { agent, task, workload } => status(agent, AgentStatus::Offline, task, *workload),
        E::CameBack { agent, status: said, task, workload } => status(agent, *said, task, *workload),
        E::Unregistered { agent } => {
            PushBody::AgentUnregistered { agent_id: agent.clone(), message: format!("Agent {agent} unregistered") }
        }
        E::WorkspaceMade { agent, path, branch, .. } => {
            PushBody::WorkspaceCreated { agent_id: agent.clone(), path: path.clone(), branch: branch.clone() }
        }
        E::WorkspaceRemoved { agent, path, backup, .. } => {
            PushBody::WorkspaceRemoved { agent_id: agent.clone(), path: path.clone(), backup: backup.clone() }
        }
        E::LeaseGranted { agent, resource, mode, ttl_seconds, at } => PushBody::LeaseGranted {
            lease: Lease {
                lease_id: format!("l{seq}"),
                token: seq,
                agent_id: agent.clone(),
                resource: resource.clone(),
                mode: *mode,
                expires_at: expiry(*at, *ttl_seconds),
                since: Timestamp(*at),
            },
        },
        E::LeaseRenewed { lease, ttl_seconds, at } => {
            PushBody::LeaseRenewed { lease_id: format!("l{lease}"), token: seq, expires_at: expiry(*at, *ttl_seconds) }
        }
        E::LeaseEnded { lease, agent, reason } => {
            PushBody::LeaseEnded { lease_id: format!("l{lease}"), agent_id: agent.clone(), reason: reason.clone() }
        }
    }
}

fn snapshot_push(seq: u64, event: &snapshots::Event) -> Option<PushBody> {
    use snapshots::Event as E;
    Some(match event {
        E::Kept(record) => PushBody::SnapshotKept {
            snapshot_id: wire_id(record.kind, seq),
            agent_id: record.agent.clone(),
            commit: record.commit.clone(),
            paths: record.paths,
            reason: record.reason.clone(),
        },
        E::Restored { from, written, removed, backup, .. } => PushBody::WorkspaceRestored {
            agent_id: backup.agent.clone(),
            from: from.clone(),
            written: *written,
            removed: *removed,
            backup_id: wire_id(backup.kind, seq),
        },
        E::Dropped { .. } | E::Gone { .. } => return None,
    })
}

/// When a term ends, as a label.
pub(crate) fn expiry(at: i64, ttl_seconds: u64) -> Timestamp {
    let milliseconds = i64::try_from(ttl_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
    Timestamp(at.saturating_add(milliseconds))
}

fn conflict_push(seq: u64, event: &conflict::Event, body: Option<&Json>) -> Option<PushBody> {
    use conflict::Event as E;
    if let Some((id, record)) = event.record(seq) {
        let (regions, impact) = shown(body);
        let conflict = Conflict { regions, impact, ..conflict_view(id, &record) };
        return Some(PushBody::ConflictDetected(ConflictPush { conflict }));
    }
    Some(match event {
        E::Changed(change) => PushBody::CodeChangeDetected(ChangePush {
            file_path: change.path.clone(),
            agent_id: change.agent.clone(),
            change_type: change.change_type,
            file_hash: change.hash.clone(),
            previous_hash: change.previous_hash.clone(),
            conflict_level: change.conflict_level,
            affected_agents: change.affected.clone(),
            previous_path: change.previous_path.clone(),
        }),
        E::MonitoringStarted => PushBody::CodeSyncStarted { message: "Code synchronization started".into() },
        E::MonitoringStopped => PushBody::CodeSyncStopped { message: "Code synchronization stopped".into() },
        // Records are told above; the others concern nobody.
        E::Found { .. } | E::Refined { .. } | E::Detected { .. } | E::Widened { .. } => return None,
        E::Escalated { id, path, escalation } => PushBody::ConflictEscalated {
            conflict_id: format!("c{id}"),
            file_path: path.clone(),
            escalated_by: escalation.by.clone(),
            reason: escalation.reason.clone(),
            message: format!("Conflict c{id} needs a person"),
        },
        E::Closed { id, path, closing } => PushBody::ConflictClosed {
            conflict_id: format!("c{id}"),
            file_path: path.clone(),
            reason: closing.word().to_owned(),
            message: format!("Conflict c{id} is over ({})", closing.word()),
        },
        E::EditEnded { .. } | E::Followed { .. } | E::Dropped { .. } => return None,
        E::Resolved { id, strategy, by, applied } => PushBody::ConflictResolved {
            conflict_id: format!("c{id}"),
            resolution_strategy: strategy.clone(),
            resolved_by: by.clone(),
            message: format!("Conflict c{id} resolved ({strategy})"),
            resolution_status: match applied {
                Some(_) => ResolutionStatus::Resolving,
                None => ResolutionStatus::Resolved,
            },
            resolution: applied.as_ref().map(|applied| Box::new(resolution(strategy, by.as_ref(), applied, &[]))),
        },
        E::Pulled { id, path, agent, backup, .. } => PushBody::ConflictPulled {
            conflict_id: format!("c{id}"),
            agent_id: agent.clone(),
            file_path: path.clone(),
            backup: backup.clone(),
        },
    })
}

/// The payload of a conflict's record: the list of regions, or what is semantic.
pub(crate) fn details(regions: &[ConflictRegion], impact: Option<&ConflictImpact>) -> Option<Json> {
    let value = match impact {
        Some(impact) => serde_json::to_value(impact),
        None => serde_json::to_value(regions),
    };
    value.ok().map(Json::from)
}

/// The lines that collide, or what is semantic, as a record's payload holds it; nothing once it was erased.
pub(crate) fn shown(body: Option<&Json>) -> (Vec<ConflictRegion>, Option<Box<ConflictImpact>>) {
    let Some(body) = body else { return (Vec::new(), None) };
    match serde_json::from_str(body.as_str()) {
        Ok(regions) => (regions, None),
        Err(_) => (Vec::new(), serde_json::from_str(body.as_str()).ok()),
    }
}

fn mailbox_entry(seq: u64, at: i64, event: &mailbox::Event, body: Option<&Json>) -> Option<Entry> {
    use mailbox::Event as E;
    match event {
        E::Sent { from, to, recipients, kind, in_reply_to, .. } => {
            let payload = body.cloned();
            let message_id = format!("m{seq}");
            let in_reply_to = in_reply_to.map(|id| format!("m{id}"));
            let (from, message_type) = (from.clone(), kind.clone());
            if to == "*" {
                let push = BroadcastPush { from, payload, message_id, message_type, in_reply_to };
                let receivers: Vec<String> = recipients.iter().map(AgentId::key).collect();
                let mail = (!receivers.is_empty()).then_some(Mail { message: seq, receivers, again: false });
                return Some(entry(seq, at, Audience::Everyone, PushBody::BroadcastMessage(push), mail));
            }
            let (audience, to, mail) = match recipients.first() {
                Some(agent) => {
                    let mail = Mail { message: seq, receivers: vec![agent.key()], again: false };
                    (Audience::Agent(agent.key()), agent.to_string(), Some(mail))
                }
                None if is_for_orchestrator(to) => (Audience::Orchestrator, to.clone(), None),
                None => return None,
            };
            let push = AgentMessagePush { from, to, payload, message_id, message_type, in_reply_to };
            Some(entry(seq, at, audience, PushBody::AgentMessage(push), mail))
        }
        E::Died { agent, message, from, deliveries } => {
            let push = PushBody::MessageDead {
                message_id: format!("m{message}"),
                from: from.clone(),
                to: agent.clone(),
                deliveries: *deliveries,
            };
            Some(entry(seq, at, Audience::Everyone, push, None))
        }
        E::Returned { agent, message } => {
            let mail = Mail { message: *message, receivers: vec![agent.key()], again: true };
            Some(Entry { seq, audience: Audience::Nobody, frame: "".into(), mail: Some(mail) })
        }
        E::Delivered { .. } | E::Acknowledged { .. } => None,
    }
}
