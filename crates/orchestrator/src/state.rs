//! The state: a pure function of the log.

use crate::Event;
use crate::snapshots::{Record, Snapshots};
use orchestrator_conflict as conflict;
use orchestrator_landing::Landings;
use orchestrator_mailbox::Mailbox;
use orchestrator_protocol::AgentStatus;
use orchestrator_registry::{self as registry, Registry};
use orchestrator_workflow::Workflow;
use orchestrator_workflow::approval::Approvals;
use orchestrator_workflow::task::Tasks;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Version of the checkpoint's form; one of another version is thrown away and rebuilt.
pub(crate) const CHECKPOINT_VERSION: u32 = 9;

/// Everything that is decided upon.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Agents and leases.
    pub registry: Registry,
    /// Messages on their way.
    pub mailbox: Mailbox,
    /// Edits and conflicts.
    pub conflict: conflict::State,
    /// Autonomy.
    pub workflow: Workflow,
    /// Who works on what.
    pub tasks: Tasks,
    /// What waits for a person.
    pub approvals: Approvals,
    /// What is to land, and what did.
    pub landings: Landings,
    /// What is kept of agents' work.
    pub snapshots: Snapshots,
    /// Messages whose bodies are to be erased from the disk and may still be there.
    pub erasing: BTreeSet<u64>,
}

impl State {
    /// Takes an event into the state. `seq` is the event's number.
    pub fn apply(&mut self, seq: u64, event: &Event) {
        match event {
            Event::Registry(event) => {
                self.registry.apply(seq, event);
                self.note_presence(seq, event);
                if let registry::Event::WorkspaceRemoved { agent, backup: Some(name), at, .. } = event {
                    self.snapshots.note(seq, Record::backup(agent, name, "removed", *at));
                }
            }
            Event::Mailbox(event) => self.mailbox.apply(seq, event),
            Event::Conflict(event) => {
                self.conflict.apply(seq, event);
                if let conflict::Event::Pulled { agent, backup: Some(name), at, .. } = event {
                    self.snapshots.note(seq, Record::backup(agent, name, "pulled", *at));
                }
            }
            Event::Workflow(event) => self.workflow.apply(event),
            Event::Task(event) => self.tasks.apply(seq, event),
            Event::Approval(event) => self.approvals.apply(seq, event),
            Event::Landing(event) => self.landings.apply(seq, event),
            Event::BodyErased { message } => {
                self.erasing.insert(*message);
            }
            Event::BodyGone { message } => {
                self.erasing.remove(message);
            }
            Event::Snapshots(event) => self.snapshots.apply(seq, event),
            Event::Notice { .. } => {}
        }
    }

    /// Whether an agent that holds tasks is there.
    fn note_presence(&mut self, seq: u64, event: &registry::Event) {
        use registry::Event as R;
        match event {
            R::WentOffline { agent, .. } | R::StatusUpdated { agent, status: AgentStatus::Offline, .. } => {
                self.tasks.silent(agent, seq);
            }
            // Who said that it is offline stays so until it says otherwise.
            R::Registered { agent, .. }
                if self.registry.agent(agent).is_some_and(|known| known.status == AgentStatus::Offline) => {}
            R::StatusUpdated { agent, .. } | R::CameBack { agent, .. } | R::Registered { agent, .. } => {
                self.tasks.heard(agent);
            }
            _ => {}
        }
    }
}
