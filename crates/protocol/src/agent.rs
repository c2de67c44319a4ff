//! Agents: registration, status, listing, recommendation.

use crate::{AgentId, Timestamp, lenient};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What an agent says that it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentStatus {
    /// Ready and at work.
    Active,
    /// Ready, nothing to do.
    Idle,
    /// At work, would rather not be given more.
    Busy,
    /// In trouble.
    Error,
    /// Gone: said so, or silent for longer than its term.
    Offline,
}

impl AgentStatus {
    /// All values, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Active, Self::Idle, Self::Busy, Self::Error, Self::Offline];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Error => "error",
            Self::Offline => "offline",
        }
    }
}

impl std::str::FromStr for AgentStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| format!("'{text}' is no status; use active, idle, busy, error or offline"))
    }
}

/// A share of an agent's capacity, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schema(value_type = f64, minimum = 0.0, maximum = 1.0)]
pub struct Workload(f64);

/// Not a number, or outside 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a workload is a number from 0 to 1, not {0}")]
pub struct InvalidWorkload(pub f64);

impl Workload {
    /// The share, 0 to 1.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Workload {
    type Error = InvalidWorkload;

    fn try_from(value: f64) -> Result<Self, InvalidWorkload> {
        // `contains` is false for NaN. Adding zero turns a negative zero into the ordinary one.
        if (0.0..=1.0).contains(&value) { Ok(Self(value + 0.0)) } else { Err(InvalidWorkload(value)) }
    }
}

impl From<Workload> for f64 {
    fn from(workload: Workload) -> f64 {
        workload.0
    }
}

/// `POST /agents/register`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegisterRequest {
    /// The name to be known by; see [`AgentId`] for the rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "dev-agent")]
    pub agent_id: Option<String>,
    /// What the agent can do. Left out: none, or unchanged when it is registered already.
    #[serde(default, deserialize_with = "lenient::words", skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
    /// Its part in the team, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Absolute path of the folder it works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The branch it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// Answer to `POST /agents/register`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RegisterAnswer {
    /// `success`.
    pub status: String,
    /// The id, in the spelling first registered.
    pub agent_id: AgentId,
    /// For people.
    pub message: String,
    /// As they are now.
    pub capabilities: Vec<String>,
    /// True when the agent was registered before.
    pub updated: bool,
}

/// `POST /agents/{id}/status`. A field left out clears `task` and sets `workload` to 0, as documented.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StatusRequest {
    /// active, idle, busy, error or offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<AgentStatus>)]
    pub status: Option<String>,
    /// What it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Share of its capacity in use, 0 to 1.
    #[serde(default, deserialize_with = "lenient::double", skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub workload: Option<f64>,
}

/// One agent, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Agent {
    /// Its name.
    pub agent_id: AgentId,
    /// What it says it does, or `offline`.
    pub status: AgentStatus,
    /// What it works on.
    pub current_task: Option<String>,
    /// When anything was last heard of it.
    pub last_activity: Timestamp,
    /// Share of its capacity in use, 0 to 1.
    pub workload: Workload,
    /// What it can do.
    pub capabilities: Vec<String>,
    /// Its part in the team.
    pub role: Option<String>,
    /// The folder it works in.
    pub workspace: Option<String>,
    /// The branch it works on.
    pub branch: Option<String>,
    /// Open sockets.
    pub connections: u32,
}

/// The same as [`Agent`], borrowed: lists are asked for all the time and are written without a copy.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of `Agent`")]
pub struct AgentRef<'a> {
    pub agent_id: &'a AgentId,
    pub status: AgentStatus,
    pub current_task: Option<&'a str>,
    pub last_activity: Timestamp,
    pub workload: Workload,
    pub capabilities: &'a [String],
    pub role: Option<&'a str>,
    pub workspace: Option<&'a str>,
    pub branch: Option<&'a str>,
    pub connections: u32,
}

impl AgentRef<'_> {
    /// A copy that stands alone.
    #[must_use]
    pub fn to_agent(&self) -> Agent {
        Agent {
            agent_id: self.agent_id.clone(),
            status: self.status,
            current_task: self.current_task.map(str::to_owned),
            last_activity: self.last_activity,
            workload: self.workload,
            capabilities: self.capabilities.to_vec(),
            role: self.role.map(str::to_owned),
            workspace: self.workspace.map(str::to_owned),
            branch: self.branch.map(str::to_owned),
            connections: self.connections,
        }
    }
}

/// The same as [`AgentList`], borrowed.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the fields are those of `AgentList`")]
pub struct AgentListRef<'a> {
    pub status: &'a str,
    pub agents: Vec<AgentRef<'a>>,
    pub total_agents: usize,
}

/// `GET /agents/{id}`, `POST /agents/{id}/status`, `DELETE /agents/{id}`, message and broadcast acknowledgements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentAnswer {
    /// `success`.
    pub status: String,
    /// The agent concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<String>,
    /// The agent in full (`GET` only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `GET /agents`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentList {
    /// `success`.
    pub status: String,
    /// Ordered by id, without case.
    pub agents: Vec<Agent>,
    /// Their number.
    pub total_agents: usize,
}

/// One line of a recommendation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentRecommendation {
    /// The agent.
    pub agent_id: AgentId,
    /// 0 to 1; higher fits better.
    pub score: f64,
    /// Its workload.
    pub workload: Workload,
    /// What spoke for it, for people.
    pub reasons: Vec<String>,
}

/// `GET /agents/recommend?path=&capabilities=`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Recommendations {
    /// `success`.
    pub status: String,
    /// Best first; agents that are offline or in error are left out.
    pub recommendations: Vec<AgentRecommendation>,
    /// What was looked for: the capabilities asked for and those that the file's extension maps to.
    pub capabilities: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_outside_its_range_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            assert!(Workload::try_from(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&Workload::try_from(-0.0).unwrap()).unwrap(), "0.0");
    }

    #[test]
    fn a_borrowed_agent_is_written_as_the_owned_one() {
        let id: AgentId = "dev".parse().unwrap();
        let capabilities = ["python".to_owned()];
        let borrowed = AgentRef {
            agent_id: &id,
            status: AgentStatus::Busy,
            current_task: Some("t"),
            last_activity: Timestamp(5),
            workload: Workload::default(),
            capabilities: &capabilities,
            role: None,
            workspace: Some("/w"),
            branch: None,
            connections: 2,
        };
        let owned = borrowed.to_agent();
        assert_eq!(serde_json::to_string(&borrowed).unwrap(), serde_json::to_string(&owned).unwrap());
        let list = AgentListRef { status: "success", agents: vec![borrowed], total_agents: 1 };
        let owned = AgentList { status: "success".into(), agents: vec![owned], total_agents: 1 };
        assert_eq!(serde_json::to_string(&list).unwrap(), serde_json::to_string(&owned).unwrap());
    }

    #[test]
    fn query_strings_and_json_give_the_same_request() {
        let body: StatusRequest = serde_json::from_str(r#"{"status":"busy","workload":0.8,"extra":1}"#).unwrap();
        let query: StatusRequest = serde_json::from_str(r#"{"status":"busy","workload":"0.8"}"#).unwrap();
        assert_eq!(body, query);
        let register: RegisterRequest = serde_json::from_str(r#"{"capabilities":"a, b,"}"#).unwrap();
        assert_eq!(register.capabilities, Some(vec!["a".to_owned(), "b".to_owned()]));
    }
}
