//! Registration, status, listing, recommendation.

use crate::{Client, Error};
use orchestrator_protocol::{
    Agent, AgentAnswer, AgentList, Recommendations, RegisterAnswer, RegisterRequest, StatusRequest,
};
use reqwest::Method;

impl Client {
    /// Registers an agent, or updates what it can do when it is known already.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn register(&self, request: &RegisterRequest) -> Result<RegisterAnswer, Error> {
        self.post(&["agents", "register"])?.repeatable().body(request).answer().await
    }

    /// Sets an agent's status, task and workload.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn status(&self, agent: &str, request: &StatusRequest) -> Result<AgentAnswer, Error> {
        self.post(&["agents", agent, "status"])?.repeatable().body(request).answer().await
    }

    /// All agents, by id.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn agents(&self) -> Result<AgentList, Error> {
        self.get(&["agents"], &[])?.answer().await
    }

    /// One agent.
    ///
    /// # Errors
    /// `unknown_agent`, or why the server could not be asked.
    pub async fn agent(&self, agent: &str) -> Result<Agent, Error> {
        let call = self.get(&["agents", agent], &[])?;
        let url = call.url.to_string();
        let answer: AgentAnswer = call.answer().await?;
        answer.agent.ok_or_else(|| Error::Unexpected { status: 200, url, reason: "it names no agent".to_owned() })
    }

    /// Takes an agent off the list. Doing it again changes nothing.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn unregister(&self, agent: &str) -> Result<AgentAnswer, Error> {
        self.request(Method::DELETE, &["agents", agent], &[])?.repeatable().answer().await
    }

    /// Who fits best for a path, or for capabilities, or for both.
    ///
    /// # Errors
    /// The server's refusal, or why it could not be asked.
    pub async fn recommend(&self, path: Option<&str>, capabilities: &[String]) -> Result<Recommendations, Error> {
        let capabilities = (!capabilities.is_empty()).then(|| capabilities.join(","));
        let query = [("path", path.map(str::to_owned)), ("capabilities", capabilities)];
        self.get(&["agents", "recommend"], &query)?.answer().await
    }
}
