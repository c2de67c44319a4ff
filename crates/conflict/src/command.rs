//! What can be asked, and what happens.

use crate::{Applied, Change, Closing, Conflict, Escalation, Overlap};
use orchestrator_protocol::{AgentId, ChangeType, ConflictImpact, ConflictRegion, ConflictType, Severity};
use serde::{Deserialize, Serialize};

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A file changed: an agent says so, or the watcher saw it.
    Change {
        /// The file, normalised.
        path: String,
        /// Who did it, where that is known.
        agent: Option<AgentId>,
        /// What happened.
        change_type: ChangeType,
        /// blake3 of the content, in hex.
        hash: Option<String>,
        /// The same before the change.
        previous_hash: Option<String>,
        /// The old name of a renamed file.
        previous_path: Option<String>,
    },
    /// From now on an agent's work is merged with that of others, or no longer: overlaps of such agents are
    /// found by merging and not told by file.
    Follow {
        /// Who.
        agent: AgentId,
        /// Whether it is.
        merged: bool,
    },
    /// Merging found that unfinished work collides. Finding the same again changes nothing.
    Found {
        /// What was found.
        overlap: Box<Overlap>,
        /// It goes together by a rule that a line merge does not have.
        settles: bool,
        /// One side changes an entity's signature where they collide.
        signature: bool,
        /// The lines that collide.
        regions: Vec<ConflictRegion>,
        /// What was changed and what that breaks, when it is semantic.
        impact: Option<Box<ConflictImpact>>,
    },
    /// What merging found is over.
    Gone {
        /// The file.
        path: String,
        /// The agents.
        agents: Vec<AgentId>,
        /// The branch.
        target: Option<String>,
        /// What it was about, when it was semantic.
        subject: Option<String>,
    },
    /// Begin to watch the project's folder. Twice is no error.
    StartMonitoring,
    /// Stop watching it. Twice is no error.
    StopMonitoring,
    /// The term of an edit is over. Does nothing when the file changed again in between.
    EditTermOver {
        /// The file.
        path: String,
        /// Whose edit.
        agent: AgentId,
        /// Number of the event whose term was armed.
        seq: u64,
    },
    /// An agent left: its edits are nobody's any more.
    Withdraw {
        /// Who.
        agent: AgentId,
    },
    /// Mark a conflict as settled.
    Resolve {
        /// Its number.
        id: u64,
        /// How it was settled.
        strategy: String,
        /// Who settled it.
        by: Option<String>,
        /// The merged result, when it is more than a mark.
        applied: Option<Box<Applied>>,
    },
    /// Ask a person to decide. Twice in the same words is no error; others take their place.
    Escalate {
        /// Its number.
        id: u64,
        /// Who asks.
        by: Option<String>,
        /// Why.
        reason: String,
    },
    /// An agent has taken a merged result into its work.
    Pulled {
        /// The conflict.
        id: u64,
        /// Who.
        agent: AgentId,
        /// The ref of what was written over; nothing when the work held the result already.
        backup: Option<String>,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of `Change` and `Conflict`")]
pub enum Event {
    /// A file changed.
    Changed(Change),
    /// Monitoring began.
    MonitoringStarted,
    /// Monitoring ended.
    MonitoringStopped,
    /// An edit is no longer in work.
    EditEnded { path: String, agent: AgentId },
    /// Agents collide.
    Detected { path: String, agents: Vec<AgentId>, conflict_type: ConflictType, severity: Severity, at: i64 },
    /// Another agent joined a conflict, or it became worse.
    Widened {
        id: u64,
        path: String,
        agents: Vec<AgentId>,
        conflict_type: ConflictType,
        severity: Severity,
        detected_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escalation: Option<Escalation>,
    },
    /// An agent's work is merged with that of others from now on, or no longer.
    Followed { agent: AgentId, merged: bool },
    /// Merging found that work collides. The regions are the record's payload.
    Found {
        #[serde(flatten)]
        overlap: Overlap,
        severity: Severity,
        at: i64,
    },
    /// What collides changed. The regions are the record's payload.
    Refined {
        id: u64,
        #[serde(flatten)]
        overlap: Overlap,
        severity: Severity,
        detected_at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        escalation: Option<Escalation>,
    },
    /// A person was asked to decide.
    Escalated {
        id: u64,
        path: String,
        #[serde(flatten)]
        escalation: Escalation,
    },
    /// A conflict was settled, or is gone.
    Resolved {
        id: u64,
        strategy: String,
        by: Option<String>,
        /// Left out of a mark, as ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied: Option<Box<Applied>>,
    },
    /// A conflict that a merged result had settled is over.
    Closed { id: u64, path: String, closing: Closing },
    /// Merged results are not kept any longer: of each conflict its ref, which goes.
    Dropped { results: Vec<(u64, String)> },
    /// An agent took the merged result of a conflict into its work.
    Pulled { id: u64, path: String, agent: AgentId, backup: Option<String>, at: i64 },
}

impl Event {
    /// The open record as this event leaves it, with its number; nothing when it makes and changes none. `seq` is the
    /// event's number, which is that of a new record.
    #[must_use]
    pub fn record(&self, seq: u64) -> Option<(u64, Conflict)> {
        Some(match self {
            Self::Detected { path, agents, conflict_type, severity, at } => {
                (seq, Conflict::open(path, agents, *conflict_type, *severity, *at))
            }
            Self::Widened { id, path, agents, conflict_type, severity, detected_at, escalation } => {
                let record = Conflict::open(path, agents, *conflict_type, *severity, *detected_at);
                (*id, record.with(escalation.as_ref()))
            }
            Self::Found { overlap, severity, at } => (seq, Conflict::of(overlap, *severity, *at, seq)),
            Self::Refined { id, overlap, severity, detected_at, escalation } => {
                (*id, Conflict::of(overlap, *severity, *detected_at, seq).with(escalation.as_ref()))
            }
            _ => return None,
        })
    }
}
