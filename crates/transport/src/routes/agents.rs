//! `/agents`: who is there.

use super::success;
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{AgentPath, Input, Query};
use crate::limits;
use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use orchestrator::{Actor, Command, Error};
use orchestrator_protocol::{
    AgentAnswer, AgentId, AgentList, AgentListRef, AgentRef, AgentStatus, ErrorBody, ErrorCode, Recommendations,
    RegisterAnswer, RegisterRequest, StatusRequest, Workload,
};
use orchestrator_registry::{self as registry, Registration, capabilities_for_path};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(register_agent)
        .service(recommend_agents)
        .service(list_agents)
        .service(update_status)
        .service(show_agent)
        .service(unregister_agent);
}

/// What a registration says, checked.
pub(crate) fn registration(request: RegisterRequest) -> Result<Registration, Refusal> {
    Ok(Registration {
        capabilities: limits::words("capabilities", request.capabilities)?,
        role: limits::text("role", request.role)?,
        workspace: limits::text("workspace", request.workspace)?,
        branch: limits::text("branch", request.branch)?,
    })
}

/// What a status says, checked.
pub(crate) fn status_command(agent: AgentId, request: StatusRequest) -> Result<Command, Refusal> {
    let hint = "send {\"status\": \"busy\", \"task\": \"...\", \"workload\": 0.5}";
    let status = request.status.unwrap_or_else(|| "active".to_owned());
    let status: AgentStatus =
        status.parse().map_err(|error: String| Refusal::new(ErrorCode::InvalidStatus, error, hint))?;
    let workload = Workload::try_from(request.workload.unwrap_or(0.0))
        .map_err(|error| Refusal::new(ErrorCode::InvalidWorkload, error.to_string(), hint))?;
    let task = limits::text("task", request.task)?;
    Ok(Command::Registry(registry::Command::UpdateStatus { agent, status, task, workload }))
}

/// Register an agent, or update what it says of itself.
///
/// Takes an object; or `?agent_id=` with an optional JSON array of capabilities; or both mixed, the query winning.
#[utoipa::path(tag = "agents", params(("agent_id" = Option<String>, Query)), request_body = RegisterRequest,
    responses((status = 200, body = RegisterAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/register")]
async fn register_agent(context: web::Data<Context>, http: HttpRequest, request: Input<RegisterRequest>) -> Answer {
    let Input(request) = request;
    let id = request.agent_id.as_deref().ok_or_else(|| {
        let hint = "send {\"agent_id\": \"dev-agent\", \"capabilities\": [\"python\"]}";
        Refusal::new(ErrorCode::InvalidRequest, "'agent_id' is missing", hint)
    })?;
    let agent: AgentId = id.parse()?;
    let updated = context.orchestrator.presence(&agent).is_some();
    let mut registration = registration(request)?;
    if let Some(folder) = registration.workspace.take() {
        registration.workspace = Some(context.orchestrator.permit_workspace(context.caller(&http), folder).await?);
    }
    let command = registry::Command::Register { agent: agent.clone(), registration, only_if_absent: false };
    context.orchestrator.submit(Actor::Agent(agent.clone()), Command::Registry(command)).await?;
    context.orchestrator.heard_of(&agent);
    let agent = context.orchestrator.agent(&agent).await?;
    Ok(HttpResponse::Ok().json(RegisterAnswer {
        status: success(),
        agent_id: agent.agent_id,
        message: "Agent registered successfully".to_owned(),
        capabilities: agent.capabilities,
        updated,
    }))
}

#[derive(Deserialize)]
struct RecommendQuery {
    path: Option<String>,
    capabilities: Option<OneOrMany>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Which agents fit a file, or a list of capabilities: best first.
#[utoipa::path(tag = "agents", params(
        ("path" = Option<String>, Query, description = "a file; its extension tells what it needs"),
        ("capabilities" = Option<String>, Query, description = "separated by commas")),
    responses((status = 200, body = Recommendations), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/agents/recommend")]
async fn recommend_agents(context: web::Data<Context>, query: Query<RecommendQuery>) -> Answer {
    let Query(RecommendQuery { path, capabilities }) = query;
    let asked = match capabilities {
        None => Vec::new(),
        Some(OneOrMany::One(words)) => words.split(',').map(str::to_owned).collect(),
        Some(OneOrMany::Many(words)) => words,
    };
    let mut capabilities = limits::words("capabilities", Some(asked))?.unwrap_or_default();
    for capability in path.iter().flat_map(|path| capabilities_for_path(path)) {
        if !capabilities.iter().any(|known| known == capability) {
            capabilities.push((*capability).to_owned());
        }
    }
    let recommendations = context.orchestrator.recommend(&capabilities).await?;
    Ok(HttpResponse::Ok().json(Recommendations { status: success(), recommendations, capabilities }))
}

/// List the registered agents.
#[utoipa::path(tag = "agents", responses((status = 200, body = AgentList), (status = "5XX", body = ErrorBody)))]
#[get("/agents")]
async fn list_agents(context: web::Data<Context>) -> Answer {
    let write = |agents: Vec<AgentRef<'_>>| {
        serde_json::to_vec(&AgentListRef { status: "success", total_agents: agents.len(), agents })
    };
    let list = context.orchestrator.with_agents(write).await?;
    let list = list.map_err(|error| Error::Internal(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(list))
}

/// Show one agent.
#[utoipa::path(tag = "agents", params(("agent_id" = AgentId, Path)),
    responses((status = 200, body = AgentAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/agents/{agent_id}")]
async fn show_agent(context: web::Data<Context>, agent: AgentPath) -> Answer {
    let agent = context.orchestrator.agent(&agent.0).await?;
    Ok(HttpResponse::Ok().json(AgentAnswer { status: success(), agent_id: None, agent: Some(agent), message: None }))
}

fn done(agent: &AgentId, message: &str) -> HttpResponse {
    HttpResponse::Ok().json(AgentAnswer {
        status: success(),
        agent_id: Some(agent.to_string()),
        agent: None,
        message: Some(message.to_owned()),
    })
}

/// Say what an agent is doing.
#[utoipa::path(tag = "agents",
    params(("agent_id" = AgentId, Path), ("status" = Option<String>, Query), ("task" = Option<String>, Query),
        ("workload" = Option<f64>, Query)),
    request_body = StatusRequest,
    responses((status = 200, body = AgentAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/status")]
async fn update_status(context: web::Data<Context>, agent: AgentPath, request: Input<StatusRequest>) -> Answer {
    let AgentPath(agent) = agent;
    let command = status_command(agent.clone(), request.0)?;
    context.orchestrator.submit(Actor::Agent(agent.clone()), command).await?;
    Ok(done(&agent, "Agent status updated successfully"))
}

/// Unregister an agent. Twice is no error. Its mailbox stays.
#[utoipa::path(tag = "agents", params(("agent_id" = AgentId, Path)),
    responses((status = 200, body = AgentAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[delete("/agents/{agent_id}")]
async fn unregister_agent(context: web::Data<Context>, agent: AgentPath) -> Answer {
    let AgentPath(agent) = agent;
    context.orchestrator.unregister(Actor::Agent(agent.clone()), agent.clone()).await?;
    Ok(done(&agent, "Agent unregistered successfully"))
}
