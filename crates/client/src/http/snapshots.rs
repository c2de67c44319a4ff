//! Snapshots of agents' work.

use crate::{Client, Error};
use orchestrator_protocol::{RestoreAnswer, RestoreRequest, SnapshotAnswer, SnapshotList};

impl Client {
    /// What is kept of an agent's work, newest first.
    ///
    /// # Errors
    /// `unknown_agent`, or why the server could not be asked.
    pub async fn snapshots(&self, agent: &str) -> Result<SnapshotList, Error> {
        self.get(&["agents", agent, "snapshots"], &[])?.answer().await
    }

    /// One snapshot, and what restoring it would change.
    ///
    /// # Errors
    /// `unknown_snapshot`, or why the server could not be asked.
    pub async fn snapshot(&self, agent: &str, snapshot: &str) -> Result<SnapshotAnswer, Error> {
        self.get(&["agents", agent, "snapshots", snapshot], &[])?.answer().await
    }

    /// Puts a snapshot's files into an agent's workspace, after what stands there was kept.
    ///
    /// # Errors
    /// `unknown_snapshot`, `unknown_workspace`, `workspace_blocked`, `unlanded_work`, another refusal, or why the
    /// server could not be asked.
    pub async fn restore(&self, agent: &str, request: &RestoreRequest) -> Result<RestoreAnswer, Error> {
        self.post(&["agents", agent, "restore"])?.body(request).answer().await
    }
}
