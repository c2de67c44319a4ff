//! All events, and how they are written into the log.

use crate::snapshots;
use orchestrator_conflict as conflict;
use orchestrator_landing as landing;
use orchestrator_log::Class;
use orchestrator_mailbox as mailbox;
use orchestrator_registry as registry;
use orchestrator_workflow::{self as workflow, approval, task};
use serde::{Deserialize, Serialize};

/// Version of the encoding of a record's facts. Raise it when an event's fields change, and teach
/// [`decode`] the old form: stored history is read for ever.
pub(crate) const VERSION: u16 = 1;

/// Anything that can happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// To agents and leases.
    Registry(registry::Event),
    /// To messages.
    Mailbox(mailbox::Event),
    /// To files, edits and conflicts.
    Conflict(conflict::Event),
    /// To the level of autonomy.
    Workflow(workflow::Event),
    /// To tasks.
    Task(task::Event),
    /// To what waits for a person.
    Approval(approval::Event),
    /// To what is to land.
    Landing(landing::Event),
    /// To what is kept of agents' work.
    Snapshots(snapshots::Event),
    /// The watcher met something that a person should know.
    Notice {
        /// A stable word.
        name: String,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        cure: String,
    },
    /// The operator had a message's body erased.
    BodyErased {
        /// Which.
        message: u64,
    },
    /// An erased body is gone from the disk.
    BodyGone {
        /// Which.
        message: u64,
    },
}

impl Event {
    /// Decisions are chained and their callers wait; telemetry is numbered only and may be removed by age.
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Registry(registry::Event::StatusUpdated { .. })
            | Self::Conflict(
                conflict::Event::Changed(_) | conflict::Event::EditEnded { .. } | conflict::Event::Followed { .. },
            )
            | Self::Task(task::Event::Progressed { .. })
            | Self::Notice { .. } => Class::Telemetry,
            _ => Class::Decision,
        }
    }

    /// The record's kind, for people who read the log.
    pub(crate) fn kind(&self) -> &'static str {
        use approval::Event as A;
        use conflict::Event as C;
        use landing::Event as L;
        use mailbox::Event as M;
        use registry::Event as R;
        use snapshots::Event as S;
        use task::Event as T;
        match self {
            Self::Registry(R::Registered { .. }) => "agent.registered",
            Self::Registry(R::StatusUpdated { .. }) => "agent.status",
            Self::Registry(R::WentOffline { .. }) => "agent.offline",
            Self::Registry(R::CameBack { .. }) => "agent.back",
            Self::Registry(R::Unregistered { .. }) => "agent.unregistered",
            Self::Registry(R::WorkspaceMade { .. }) => "workspace.made",
            Self::Registry(R::WorkspaceRemoved { .. }) => "workspace.removed",
            Self::Registry(R::LeaseGranted { .. }) => "lease.granted",
            Self::Registry(R::LeaseRenewed { .. }) => "lease.renewed",
            Self::Registry(R::LeaseEnded { .. }) => "lease.ended",
            Self::Mailbox(M::Sent { .. }) => "message.sent",
            Self::Mailbox(M::Delivered { .. }) => "message.delivered",
            Self::Mailbox(M::Acknowledged { .. }) => "message.acknowledged",
            Self::Mailbox(M::Returned { .. }) => "message.returned",
            Self::Mailbox(M::Died { .. }) => "message.died",
            Self::Conflict(C::Changed(_)) => "change",
            Self::Conflict(C::MonitoringStarted) => "sync.started",
            Self::Conflict(C::MonitoringStopped) => "sync.stopped",
            Self::Conflict(C::EditEnded { .. }) => "edit.ended",
            Self::Conflict(C::Detected { .. }) => "conflict.detected",
            Self::Conflict(C::Widened { .. }) => "conflict.widened",
            Self::Conflict(C::Followed { .. }) => "workspace.followed",
            Self::Conflict(C::Found { .. }) => "conflict.found",
            Self::Conflict(C::Refined { .. }) => "conflict.refined",
            Self::Conflict(C::Resolved { .. }) => "conflict.resolved",
            Self::Conflict(C::Pulled { .. }) => "conflict.pulled",
            Self::Conflict(C::Escalated { .. }) => "conflict.escalated",
            Self::Conflict(C::Closed { .. }) => "conflict.closed",
            Self::Conflict(C::Dropped { .. }) => "resolution.dropped",
            Self::Workflow(workflow::Event::AutonomyChanged { .. }) => "autonomy.changed",
            Self::Task(T::Created { .. }) => "task.created",
            Self::Task(T::Assigned { .. }) => "task.assigned",
            Self::Task(T::Claimed { .. }) => "task.claimed",
            Self::Task(T::Progressed { .. }) => "task.progress",
            Self::Task(T::Finished { .. }) => "task.finished",
            Self::Task(T::GivenBack { .. }) => "task.given_back",
            Self::Task(T::Cancelled { .. }) => "task.cancelled",
            Self::Task(T::Expired { .. }) => "task.expired",
            Self::Approval(A::Asked { .. }) => "approval.asked",
            Self::Approval(A::Answered { .. }) => "approval.answered",
            Self::Approval(A::Expired { .. }) => "approval.expired",
            Self::Landing(L::Requested { .. }) => "merge.requested",
            Self::Landing(L::Cancelled { .. }) => "merge.cancelled",
            Self::Landing(L::Begun { .. }) => "merge.begun",
            Self::Landing(L::Merged { .. }) => "merge.merged",
            Self::Landing(L::GateEnded { .. }) => "merge.gate",
            Self::Landing(L::Intended { .. }) => "merge.intended",
            Self::Landing(L::Landed { .. }) => "merge.landed",
            Self::Landing(L::Requeued { .. }) => "merge.requeued",
            Self::Landing(L::Stopped { .. }) => "merge.stopped",
            Self::Landing(L::Told { .. }) => "merge.told",
            Self::Landing(L::Retired { .. }) => "merge.retired",
            Self::Snapshots(S::Kept(_)) => "snapshot.kept",
            Self::Snapshots(S::Restored { .. }) => "workspace.restored",
            Self::Snapshots(S::Dropped { .. }) => "snapshot.dropped",
            Self::Snapshots(S::Gone { .. }) => "snapshot.gone",
            Self::Notice { .. } => "notice",
            Self::BodyErased { .. } => "message.erased",
            Self::BodyGone { .. } => "message.gone",
        }
    }
}

/// The facts of a record: its events as a JSON array.
pub(crate) fn encode(events: &[Event]) -> Vec<u8> {
    // Events hold text, integers and finite numbers only, so this cannot fail.
    serde_json::to_vec(events).unwrap_or_default()
}

/// A record that this program cannot read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Written by a newer program.
    #[error("record {seq} has version {version}, this program reads up to {VERSION}; use the newer program")]
    Version {
        /// The record.
        seq: u64,
        /// Its version.
        version: u16,
    },
    /// Not what any version wrote.
    #[error("record {seq} cannot be read ({source}); run 'orchestrator-server audit verify'")]
    Facts {
        /// The record.
        seq: u64,
        /// What the reader said.
        source: serde_json::Error,
    },
}

/// Reads the facts of a record, whatever version wrote it.
pub(crate) fn decode(seq: u64, version: u16, facts: &[u8]) -> Result<Vec<Event>, DecodeError> {
    match version {
        VERSION => serde_json::from_slice(facts).map_err(|source| DecodeError::Facts { seq, source }),
        _ => Err(DecodeError::Version { seq, version }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orchestrator_protocol::{AgentStatus, Workload};

    /// What version 1 wrote must be read for ever: never change this text.
    const STORED: &str = r#"[{"registry":{"registered":{"agent":"dev","capabilities":["python"],"role":null,"workspace":null,"branch":null,"at":5}}},{"mailbox":{"sent":{"from":"a","to":"b","recipients":["b"],"kind":"message","in_reply_to":null,"thread":null,"key":"k","digest":"d","at":5}}},{"conflict":"monitoring_started"},{"conflict":{"changed":{"path":"a.py","agent":null,"change_type":"modified","hash":null,"previous_hash":null,"previous_path":null,"conflict_level":"low","affected":[],"at":5}}},{"workflow":{"autonomy_changed":{"level":"manual"}}},{"body_erased":{"message":4}}]"#;

    #[test]
    fn history_of_version_1_is_read_and_written_alike() {
        let events = decode(1, 1, STORED.as_bytes()).unwrap();
        assert_eq!(events.len(), 6);
        assert_eq!(String::from_utf8(encode(&events)).unwrap(), STORED);
    }

    /// The same for tasks and approvals.
    const STORED_TASKS: &str = r#"[{"task":{"created":{"request":{"title":"t","kind":"task","priority":0,"capabilities":["x"],"paths":["a"],"entities":["a::f"],"depends_on":[1],"deadline_seconds":5,"created_by":"a","assigned_to":"b","key":"k","digest":"d"},"at":5}}},{"task":{"assigned":{"id":1,"agent":null,"at":5}}},{"task":{"claimed":{"id":1,"agent":"b","at":5}}},{"task":{"progressed":{"id":1,"agent":"b","token":3,"percent":50,"note":null,"at":5}}},{"task":{"finished":{"id":1,"agent":"b","token":3,"state":"done","digest":"d","at":5}}},{"task":{"given_back":{"id":1,"agent":"b","token":3,"cause":"offline","reason":null,"at":5}}},{"task":{"cancelled":{"id":1,"reason":"r","at":5}}},{"task":{"expired":{"id":1,"at":5}}},{"approval":{"asked":{"request":{"kind":"landing","subject":null,"question":"q","options":["o"],"asked_by":"a","deadline_seconds":5,"default":{"verdict":"approve","option":"o"},"key":null,"digest":"d"},"at":5}}},{"approval":{"answered":{"id":9,"answer":{"verdict":"deny","option":null},"note":null,"at":5}}},{"approval":{"expired":{"id":9,"answer":null,"at":5}}}]"#;

    #[test]
    fn history_of_tasks_and_approvals_is_read_and_written_alike() {
        let events = decode(1, 1, STORED_TASKS.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(encode(&events)).unwrap(), STORED_TASKS);
        let telemetry: Vec<&Event> = events.iter().filter(|event| event.class() == Class::Telemetry).collect();
        assert!(matches!(telemetry[..], [Event::Task(task::Event::Progressed { .. })]));
    }

    #[test]
    fn a_newer_record_is_refused_and_not_guessed_at() {
        assert!(matches!(decode(9, VERSION + 1, b"[]"), Err(DecodeError::Version { seq: 9, .. })));
        assert!(matches!(decode(9, VERSION, b"{}"), Err(DecodeError::Facts { seq: 9, .. })));
    }

    #[test]
    fn status_is_telemetry_and_a_message_is_a_decision() {
        let status = registry::Event::StatusUpdated {
            agent: "a".parse().unwrap(),
            status: AgentStatus::Busy,
            task: None,
            workload: Workload::default(),
        };
        assert_eq!(Event::Registry(status).class(), Class::Telemetry);
        assert_eq!(Event::BodyErased { message: 1 }.class(), Class::Decision);
    }
}
