//! What can be asked, and by whom.

use crate::resolving::KeptResult;
use crate::snapshots;
use crate::tasks::TaskCommand;
use orchestrator_conflict as conflict;
use orchestrator_landing as landing;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{Address, AgentId, Approval, Json, Lease, MessageState, Task};
use orchestrator_registry as registry;
use orchestrator_workflow::{self as workflow, approval};
use std::sync::Arc;
use std::time::Duration;

/// Who asks. In local mode the name is believed; the operator has shown the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An agent, or whoever uses its name.
    Agent(AgentId),
    /// Someone who did not say.
    Anyone,
    /// Someone with the operator's secret.
    Operator,
    /// The server itself: timers, the watcher.
    System,
}

impl Actor {
    /// As the log names it.
    #[must_use]
    pub fn label(&self) -> Arc<str> {
        match self {
            Self::Agent(id) => id.as_str().into(),
            Self::Anyone => "anyone".into(),
            Self::Operator => "operator".into(),
            Self::System => "orchestrator".into(),
        }
    }
}

/// What can be asked of the whole.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Of agents and leases.
    Registry(registry::Command),
    /// Of mailboxes.
    Mailbox(mailbox::Command),
    /// Of edits and conflicts.
    Conflict(conflict::Command),
    /// Of autonomy and workflows.
    Workflow(workflow::Command),
    /// Of tasks.
    Task(TaskCommand),
    /// Of approvals.
    Approval(approval::Command),
    /// Of the queue of landings.
    Landing(landing::Command),
    /// Of what is kept of agents' work.
    Snapshots(snapshots::Command),
    /// Let go of merged results that nobody needs any longer.
    RetireResults {
        /// What is kept of them.
        kept: Vec<KeptResult>,
        /// How long they are kept at most.
        term: Duration,
    },
    /// Send a message to an address.
    Send(Outgoing),
    /// A change that the watcher saw; whose it is follows from reports, leases and workspaces.
    Observed {
        /// The change, without an author.
        change: conflict::Command,
        /// Absolute path of the folder that is watched.
        root: Arc<str>,
    },
    /// Record what the watcher met.
    Notice {
        /// A stable word.
        name: &'static str,
        /// What is wrong.
        reason: String,
        /// What to do about it.
        cure: &'static str,
    },
    /// Erase a message's body.
    EraseBody {
        /// Which.
        message: u64,
    },
    /// An erased body is gone from the disk. Twice is no error.
    BodyGone {
        /// Which.
        message: u64,
    },
}

/// A message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// An agent's id, or `orchestrator`.
    pub from: String,
    /// Where to.
    pub to: Address,
    /// The content.
    pub payload: Json,
    /// What it is.
    pub kind: String,
    /// The message that it answers.
    pub in_reply_to: Option<u64>,
    /// For everyone: into each mailbox, too.
    pub durable: bool,
    /// The same key from the same sender is the same message.
    pub key: Option<String>,
}

impl Command {
    /// Whether the caller is answered before the flush. Such an answer carries no number.
    pub(crate) fn is_relaxed(&self) -> bool {
        matches!(
            self,
            Self::Registry(registry::Command::UpdateStatus { .. })
                | Self::Conflict(conflict::Command::Change { .. } | conflict::Command::Follow { .. })
                | Self::Observed { .. }
                | Self::Notice { .. }
                | Self::Mailbox(mailbox::Command::Delivered { .. })
        )
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Done; nothing else to say. True when anything changed.
    Done(bool),
    /// The lease as it stands.
    Lease(Lease),
    /// The message, sent now or before with the same key.
    Message {
        /// Its number.
        id: u64,
        /// Who it went to, where the address stood for one agent.
        recipient: Option<AgentId>,
        /// What is known of it.
        state: MessageState,
    },
    /// The snapshot that was recorded, by its number.
    Snapshot(u64),
    /// The landing, asked for now or before, by its number.
    Landing(u64),
    /// The task as it stands, without its description and result.
    Task(Box<Task>),
    /// The approval as it stands.
    Approval(Box<Approval>),
    /// The messages claimed, oldest first.
    Claimed(Vec<u64>),
}
