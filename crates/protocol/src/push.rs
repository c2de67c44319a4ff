//! Pushes: what the server tells everyone who listens.

use crate::{
    AgentId, AgentStatus, ApprovalPush, Autonomy, ChangeType, Conflict, Json, Lease, MergeGate, MergeOpen, MergeState,
    Resolution, ResolutionStatus, Severity, TaskPush, Timestamp, Workload,
};
use serde::{Deserialize, Serialize};

/// One event as sockets, `GET /events` and server-sent events carry it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Push {
    /// What happened, with its `type`.
    #[serde(flatten)]
    pub body: PushBody,
    /// The event's sequence number: give the last one seen as `after` to resume.
    pub seq: u64,
    /// When it was recorded.
    pub timestamp: Timestamp,
}

/// What happened. The variants' names in snake case are the frames' `type`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the documented frames, described in docs/PROTOCOL.md")]
pub enum PushBody {
    /// An agent joined, or registered again with other capabilities.
    AgentRegistered { agent_id: AgentId, message: String, capabilities: Vec<String> },
    /// An agent's status, task or workload changed, or it fell silent, or came back.
    AgentStatusUpdate { agent_id: AgentId, status: AgentStatus, task: Option<String>, workload: Workload },
    /// An agent left.
    AgentUnregistered { agent_id: AgentId, message: String },
    /// A workspace was made for an agent.
    WorkspaceCreated { agent_id: AgentId, path: String, branch: String },
    /// A workspace is the agent's no longer; `backup` is the ref of what was kept.
    WorkspaceRemoved { agent_id: AgentId, path: String, backup: Option<String> },
    /// An agent's work is durable as it stood.
    SnapshotKept {
        snapshot_id: String,
        agent_id: AgentId,
        commit: Option<String>,
        paths: Option<usize>,
        reason: String,
    },
    /// A snapshot was put into an agent's workspace; `backup_id` is what stood there.
    WorkspaceRestored { agent_id: AgentId, from: String, written: usize, removed: usize, backup_id: String },
    /// A landing went a step on. What a step does not change is left out.
    MergeUpdate(MergePush),
    /// A task went a step on. What a step does not tell is left out.
    TaskUpdate(TaskPush),
    /// A question to a person was asked, answered, or ended by itself. What a step does not tell is left out.
    ApprovalUpdate(ApprovalPush),
    /// Monitoring began.
    CodeSyncStarted { message: String },
    /// Monitoring ended.
    CodeSyncStopped { message: String },
    /// A file changed.
    CodeChangeDetected(ChangePush),
    /// Work of several agents collides. The whole record.
    ConflictDetected(ConflictPush),
    /// A conflict was settled or is gone. With a merged result it is over when `conflict_closed` says so.
    ConflictResolved {
        conflict_id: String,
        resolution_strategy: String,
        resolved_by: Option<String>,
        message: String,
        /// `resolved`, or `resolving` with a merged result.
        resolution_status: ResolutionStatus,
        /// The merged result, when it was not only marked.
        #[serde(skip_serializing_if = "Option::is_none")]
        resolution: Option<Box<Resolution>>,
    },
    /// A person was asked to decide a conflict.
    ConflictEscalated {
        conflict_id: String,
        file_path: String,
        escalated_by: Option<String>,
        reason: String,
        message: String,
    },
    /// A conflict that a merged result had settled is over.
    ConflictClosed { conflict_id: String, file_path: String, reason: String, message: String },
    /// An agent took the merged result of a conflict into its work; `backup` is the ref of what stood there.
    ConflictPulled { conflict_id: String, agent_id: AgentId, file_path: String, backup: Option<String> },
    /// A message for one agent.
    AgentMessage(AgentMessagePush),
    /// A message for everyone.
    BroadcastMessage(BroadcastPush),
    /// A message was given up after its last try.
    MessageDead { message_id: String, from: String, to: AgentId, deliveries: u32 },
    /// A lease was granted.
    LeaseGranted { lease: Lease },
    /// A lease got another term, and a newer token.
    LeaseRenewed { lease_id: String, token: u64, expires_at: Timestamp },
    /// A lease ended: released, expired, or its holder left.
    LeaseEnded { lease_id: String, agent_id: AgentId, reason: String },
    /// The level of autonomy changed.
    AutonomyChanged { level: Autonomy },
    /// The watcher met something that a person should know: an overflow, a lost root, a mass deletion.
    SyncNotice { name: String, reason: String, cure: String },
    /// Events from `from` to `to` are no longer kept; the feed goes on after them.
    Gap { from: u64, to: u64 },
}

/// Body of `code_change_detected`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `Change`")]
pub struct ChangePush {
    pub file_path: String,
    pub agent_id: Option<AgentId>,
    pub change_type: ChangeType,
    pub file_hash: Option<String>,
    pub previous_hash: Option<String>,
    pub conflict_level: Severity,
    pub affected_agents: Vec<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
}

/// Body of `conflict_detected`: the whole record, so that a listener needs no second request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConflictPush {
    /// The whole record.
    #[serde(flatten)]
    pub conflict: Conflict,
}

/// Body of `agent_message`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `InboxMessage`; `message_type` is its `type`")]
pub struct AgentMessagePush {
    pub from: String,
    pub to: String,
    pub payload: Option<Json>,
    pub message_id: String,
    pub message_type: String,
    #[serde(default)]
    pub in_reply_to: Option<String>,
}

/// Body of `broadcast_message`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `InboxMessage`; `message_type` is its `type`")]
pub struct BroadcastPush {
    pub from: String,
    pub payload: Option<Json>,
    pub message_id: String,
    pub message_type: String,
    #[serde(default)]
    pub in_reply_to: Option<String>,
}

impl Push {
    /// The frame's text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Every field is text, a finite number or valid JSON, so this cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `merge_update`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MergePush {
    /// Which.
    pub merge_id: String,
    /// How far it is.
    pub state: MergeState,
    /// Whose work it is, when it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    /// The branch: the one asked for, or the one that is about to move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The commit that is about to land, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why it does not go on, or begins anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A gate that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Box<MergeGate>>,
    /// What the merge leaves to somebody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<MergeOpen>,
    /// Whose unfinished work changes what landed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub touches: Vec<AgentId>,
    /// Paths that they and the landing changed; some of them, where there are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(body: PushBody) -> Push {
        Push { body, seq: 7, timestamp: Timestamp(1_737_973_800_000) }
    }

    #[test]
    fn pushes_have_the_documented_form() {
        let id: AgentId = "dev-agent".parse().unwrap();
        let frames = [
            push(PushBody::AgentRegistered {
                agent_id: id.clone(),
                message: "Agent dev-agent registered".into(),
                capabilities: vec!["python".into()],
            }),
            push(PushBody::AgentStatusUpdate {
                agent_id: id.clone(),
                status: AgentStatus::Busy,
                task: None,
                workload: Workload::try_from(0.8).unwrap(),
            }),
            push(PushBody::AgentMessage(AgentMessagePush {
                from: "a".into(),
                to: "b".into(),
                payload: Some(Json::parse("{\"n\":1e400}").unwrap()),
                message_id: "m7".into(),
                message_type: "message".into(),
                in_reply_to: None,
            })),
            push(PushBody::ConflictDetected(ConflictPush {
                conflict: Conflict {
                    conflict_id: "c7".into(),
                    file_path: "a.py".into(),
                    conflicting_agents: vec![id],
                    conflict_type: crate::ConflictType::Overlap,
                    severity: Severity::Medium,
                    detected_at: Timestamp(0),
                    resolution_status: ResolutionStatus::Pending,
                    resolution_strategy: None,
                    resolved_by: None,
                    target: None,
                    agent_paths: Vec::new(),
                    affected_agent: None,
                    snapshot_id: None,
                    union_break: None,
                    escalation: None,
                    entities: Vec::new(),
                    impact: None,
                    regions: Vec::new(),
                    resolution: None,
                },
            })),
            push(PushBody::Gap { from: 1, to: 6 }),
        ];
        let text: Vec<String> = frames.iter().map(Push::to_json).collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
