//! Monitoring, changes and conflicts.

use crate::{Client, Error};
use orchestrator_protocol::{
    ChangeList, Conflict, ConflictAnswer, ConflictList, EscalateRequest, EscalatedAnswer, ImpactList, PullAnswer,
    PullRequest, ResolutionStatus, ResolveRequest, ResolvedAnswer, SyncAnswer, Union, UnionAnswer,
};

/// Which changes to list. The default lists all that are kept, up to the server's own limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesQuery {
    /// Only newer ones: a sequence number.
    pub since: Option<u64>,
    /// Only this agent's.
    pub agent: Option<String>,
    /// Only of this path.
    pub path: Option<String>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// Which impacts to list; all that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImpactQuery {
    /// The file of the definition or of the use.
    pub path: Option<String>,
    /// The definition: `method`, `Class.method` or `src/a.py::Class.method`.
    pub symbol: Option<String>,
    /// Who changed the definition, or uses it.
    pub agent: Option<String>,
    /// At most so many impacts, and so many uses.
    pub limit: Option<u64>,
}

impl Client {
    /// Begins to watch the project's folder.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn sync_start(&self) -> Result<SyncAnswer, Error> {
        self.post(&["sync", "start"])?.repeatable().answer().await
    }

    /// Ends watching.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn sync_stop(&self) -> Result<SyncAnswer, Error> {
        self.post(&["sync", "stop"])?.repeatable().answer().await
    }

    /// The six figures of monitoring.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn sync_status(&self) -> Result<SyncAnswer, Error> {
        self.get(&["sync", "status"], &[])?.answer().await
    }

    /// Recent changes, oldest first.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn changes(&self, query: &ChangesQuery) -> Result<ChangeList, Error> {
        let query = [
            ("since", query.since.map(|since| since.to_string())),
            ("agent", query.agent.clone()),
            ("path", query.path.clone()),
            ("limit", query.limit.map(|limit| limit.to_string())),
        ];
        self.get(&["sync", "changes"], &query)?.answer().await
    }

    /// What unfinished changes break in others' code, and who uses what is named.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn impact(&self, query: &ImpactQuery) -> Result<ImpactList, Error> {
        let query = [
            ("path", query.path.clone()),
            ("symbol", query.symbol.clone()),
            ("agent", query.agent.clone()),
            ("limit", query.limit.map(|limit| limit.to_string())),
        ];
        self.get(&["sync", "impact"], &query)?.answer().await
    }

    /// The union of everyone's unfinished work, with at most so many entries in each list.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn union(&self, limit: Option<u64>) -> Result<Union, Error> {
        let limit = limit.map(|limit| limit.to_string());
        let answer: UnionAnswer = self.get(&["sync", "union"], &[("limit", limit)])?.answer().await?;
        Ok(answer.union)
    }

    /// Conflicts, oldest first; all, or those at one point of their life.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn conflicts(&self, status: Option<ResolutionStatus>) -> Result<ConflictList, Error> {
        let status = status.map(|status| match status {
            ResolutionStatus::Pending => "pending".to_owned(),
            ResolutionStatus::Resolving => "resolving".to_owned(),
            ResolutionStatus::Resolved => "resolved".to_owned(),
            ResolutionStatus::Escalated => "escalated".to_owned(),
        });
        self.get(&["conflicts"], &[("status", status)])?.answer().await
    }

    /// One conflict, with the lines that collide.
    ///
    /// # Errors
    /// `unknown_conflict`, or why the server could not be asked.
    pub async fn conflict(&self, conflict: &str) -> Result<Conflict, Error> {
        let answer: ConflictAnswer = self.get(&["conflicts", conflict], &[])?.answer().await?;
        Ok(answer.conflict)
    }

    /// Marks a conflict as settled, or settles it by a merged result.
    ///
    /// # Errors
    /// `unknown_conflict`, `already_resolved`, `conflict_changed`, `cannot_settle`, another refusal, or why the server
    /// could not be asked.
    pub async fn resolve(&self, conflict: &str, request: &ResolveRequest) -> Result<ResolvedAnswer, Error> {
        self.post(&["conflicts", conflict, "resolve"])?.body(request).answer().await
    }

    /// Asks a person to decide a conflict.
    ///
    /// # Errors
    /// `unknown_conflict`, `already_resolved`, another refusal, or why the server could not be asked.
    pub async fn escalate(&self, conflict: &str, request: &EscalateRequest) -> Result<EscalatedAnswer, Error> {
        self.post(&["conflicts", conflict, "escalate"])?.body(request).answer().await
    }

    /// Merges the results that settled an agent's conflicts into its folder.
    ///
    /// # Errors
    /// `unknown_agent`, `not_supported`, another refusal, or why the server could not be asked.
    pub async fn pull(&self, agent: &str, request: &PullRequest) -> Result<PullAnswer, Error> {
        self.post(&["agents", agent, "pull"])?.body(request).answer().await
    }
}
