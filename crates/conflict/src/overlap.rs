//! What merging found to collide.

use crate::Conflict;
use orchestrator_protocol::{AgentId, ConflictType, ResolutionStatus, Severity, UnionBreak};
use serde::{Deserialize, Serialize};

/// Unfinished work that collides. The lines themselves are the payload of the record that tells of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// The file.
    pub path: String,
    /// The two agents; one, when it collides with landed work; all, when their union breaks, first who breaks it.
    pub agents: Vec<AgentId>,
    /// The branch on which the landed work stands.
    pub target: Option<String>,
    /// In which way.
    pub conflict_type: ConflictType,
    /// Tells these regions from others.
    pub fingerprint: String,
    /// Where each agent has the file, when one of them renamed it; else empty.
    pub agent_paths: Vec<Option<String>>,
    /// How many regions collide.
    pub regions: usize,
    /// What tells a semantic conflict from others of the same agents, whatever its file: who changed what. Nothing for
    /// lines that collide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who has to change course, in a semantic conflict; whose work is gone, in a lost update; who breaks the union.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affected: Option<AgentId>,
    /// The snapshot that holds what was overwritten, in a lost update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// In which way the union of the agents' work breaks, when that is it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub union_break: Option<UnionBreak>,
    /// Names of what collides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<String>,
}

impl Conflict {
    /// An open record of which nothing more is known.
    pub(crate) fn open(
        path: &str,
        agents: &[AgentId],
        conflict_type: ConflictType,
        severity: Severity,
        detected_at: i64,
    ) -> Self {
        Self {
            path: path.to_owned(),
            agents: agents.to_vec(),
            conflict_type,
            severity,
            detected_at,
            status: ResolutionStatus::Pending,
            strategy: None,
            resolved_by: None,
            target: None,
            agent_paths: Vec::new(),
            fingerprint: None,
            regions: 0,
            subject: None,
            affected: None,
            snapshot: None,
            union_break: None,
            entities: Vec::new(),
            described: 0,
            applied: None,
            pulled_by: Vec::new(),
            dropped: false,
            escalation: None,
        }
    }

    /// The open record of an overlap. `described` is the number of the event that holds the lines.
    pub(crate) fn of(overlap: &Overlap, severity: Severity, detected_at: i64, described: u64) -> Self {
        Self {
            target: overlap.target.clone(),
            agent_paths: overlap.agent_paths.clone(),
            fingerprint: Some(overlap.fingerprint.clone()),
            regions: overlap.regions,
            subject: overlap.subject.clone(),
            affected: overlap.affected.clone(),
            snapshot: overlap.snapshot.clone(),
            union_break: overlap.union_break,
            entities: overlap.entities.clone(),
            described,
            ..Self::open(&overlap.path, &overlap.agents, overlap.conflict_type, severity, detected_at)
        }
    }
}
