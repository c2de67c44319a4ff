//! Snapshots of agents' work.

use crate::{Client, Error};
use orchestrator_protocol::{
    KnownAnswer, KnownRequest, PushAnswer, RestoreAnswer, RestoreRequest, SnapshotAnswer, SnapshotList,
};
use reqwest::Method;

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

    /// Which of an agent's commits, newest first, the target branch has.
    ///
    /// # Errors
    /// `unknown_agent`, `workspace_blocked`, or why the server could not be asked.
    pub async fn known_commit(&self, agent: &str, commits: Vec<String>) -> Result<KnownAnswer, Error> {
        let request = KnownRequest { commits };
        self.post(&["agents", agent, "snapshot", "known"])?.repeatable().body(&request).answer().await
    }

    /// Makes a pack the agent's work as it stands.
    ///
    /// # Errors
    /// `unknown_agent`, `unknown_base`, `invalid_pack`, `body_too_large`, `workspace_blocked`, or why the server could
    /// not be asked.
    pub async fn push_snapshot(&self, agent: &str, commit: &str, pack: Vec<u8>) -> Result<PushAnswer, Error> {
        let query = [("commit", Some(commit.to_owned()))];
        // A large pack takes its time on the way.
        let wait = std::time::Duration::from_secs(pack.len() as u64 / (1 << 20) + 30);
        let call = self.request(Method::PUT, &["agents", agent, "snapshot"], &query)?.waiting(Some(wait));
        call.repeatable().bytes("application/octet-stream", pack).answer().await
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
