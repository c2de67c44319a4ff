//! Workspaces.

use crate::{Client, Error};
use orchestrator_protocol::{RemoveWorkspaceRequest, RemovedAnswer, WorkspaceAnswer, WorkspaceList, WorkspaceRequest};
use reqwest::Method;

impl Client {
    /// Makes a workspace for a registered agent, or answers with the one that was made.
    ///
    /// # Errors
    /// `unknown_agent`, `workspace_blocked`, another refusal, or why the server could not be asked.
    pub async fn create_workspace(&self, agent: &str, request: &WorkspaceRequest) -> Result<WorkspaceAnswer, Error> {
        self.post(&["agents", agent, "workspace"])?.repeatable().body(request).answer().await
    }

    /// The folders that agents work in, by agent.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn workspaces(&self) -> Result<WorkspaceList, Error> {
        self.get(&["workspaces"], &[])?.answer().await
    }

    /// Removes an agent's workspace.
    ///
    /// # Errors
    /// `unlanded_work`, `workspace_blocked`, `unknown_workspace`, or why the server could not be asked.
    pub async fn remove_workspace(
        &self,
        agent: &str,
        request: &RemoveWorkspaceRequest,
    ) -> Result<RemovedAnswer, Error> {
        let keep = request.keep.map(|_| "snapshot".to_owned());
        let query = [("keep", keep), ("discard_ignored", request.discard_ignored.map(|yes| yes.to_string()))];
        self.request(Method::DELETE, &["agents", agent, "workspace"], &query)?.answer().await
    }
}
