//! `/leases`: claims on paths.

use super::success;
use super::sync::normalised;
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, Query, numbered};
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use orchestrator::{Actor, Command, Error, Orchestrator, Reply};
use orchestrator_protocol::{
    AgentAnswer, AgentId, ErrorBody, ErrorCode, LeaseAnswer, LeaseList, LeaseRequest, RenewRequest, Resource,
    ResourceKind,
};
use orchestrator_registry as registry;
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

/// Term when none is given, in seconds.
const TERM: u64 = 300;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(acquire_lease).service(list_leases).service(renew_lease).service(release_lease);
}

/// One resource, one name: paths are normalised; patterns and names must stay inside the project.
pub(crate) fn checked(orchestrator: &Orchestrator, resource: Resource) -> Result<Resource, Refusal> {
    let Resource { kind, value } = resource;
    let value = match kind {
        ResourceKind::Path => normalised(orchestrator, &value)?,
        ResourceKind::Entity => match value.split_once("::") {
            Some((path, name)) if !name.trim().is_empty() => {
                format!("{}::{}", normalised(orchestrator, path)?, name.trim())
            }
            _ => {
                let detail = "an entity is written PATH::NAME";
                return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "such as src/a.py::Class.method"));
            }
        },
        ResourceKind::Glob => {
            let value = value.replace('\\', "/");
            let leaves = value.starts_with('/') || value.split('/').any(|part| part == "..") || value.contains('\0');
            if value.trim().is_empty() || leaves || value.len() > 1_024 {
                let detail = "a glob is relative to the project, without '..', of at most 1024 bytes";
                return Err(Refusal::new(ErrorCode::InvalidPath, detail, "such as src/**/*.py"));
            }
            value
        }
    };
    Ok(Resource { kind, value })
}

fn lease(reply: Reply) -> Answer {
    match reply {
        Reply::Lease(lease) => Ok(HttpResponse::Ok().json(LeaseAnswer { status: success(), lease })),
        _ => Err(Error::Internal("a lease was answered by something else".into()).into()),
    }
}

/// Claim a path, a pattern or a named part. Claiming what one holds renews it. Held by another: 409.
#[utoipa::path(tag = "leases", request_body = LeaseRequest,
    responses((status = 200, body = LeaseAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/leases")]
async fn acquire_lease(context: web::Data<Context>, request: Input<LeaseRequest>) -> Answer {
    let LeaseRequest { agent_id, resource, mode, ttl_seconds } = request.0;
    let agent: AgentId = agent_id.parse()?;
    context.orchestrator.heard_of(&agent);
    let resource = checked(&context.orchestrator, resource)?;
    let ttl_seconds = ttl_seconds.unwrap_or(TERM);
    let command = registry::Command::Acquire { agent: agent.clone(), resource, mode, ttl_seconds };
    lease(context.orchestrator.submit(Actor::Agent(agent), Command::Registry(command)).await?)
}

/// List the leases that stand.
#[utoipa::path(tag = "leases", responses((status = 200, body = LeaseList), (status = "5XX", body = ErrorBody)))]
#[get("/leases")]
async fn list_leases(context: web::Data<Context>) -> Answer {
    let leases = context.orchestrator.leases().await?;
    Ok(HttpResponse::Ok().json(LeaseList { status: success(), leases }))
}

fn needed(token: Option<u64>) -> Result<u64, Refusal> {
    token.ok_or_else(|| {
        let hint = "send the newest 'token' that the lease was answered with";
        Refusal::new(ErrorCode::InvalidRequest, "'token' is missing", hint)
    })
}

/// Keep a lease for another term. Its token changes.
#[utoipa::path(tag = "leases", params(("lease_id" = String, Path, example = "l42")), request_body = RenewRequest,
    responses((status = 200, body = LeaseAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/leases/{lease_id}/renew")]
async fn renew_lease(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<RenewRequest>,
) -> Answer {
    let id = numbered('l', &id, ErrorCode::UnknownLease)?;
    let RenewRequest { token, ttl_seconds } = request.0;
    let command = registry::Command::Renew { lease: id, token: needed(token)?, ttl_seconds };
    let holder =
        context.orchestrator.read(|state| state.registry.lease(id).map(|lease| lease.agent_id.clone())).await?;
    if let Some(holder) = holder {
        context.orchestrator.heard_of(&holder);
    }
    lease(context.orchestrator.submit(context.caller(&http), Command::Registry(command)).await?)
}

#[derive(Deserialize)]
struct ReleaseQuery {
    #[serde(default)]
    token: Option<String>,
}

/// Give a lease back.
#[utoipa::path(tag = "leases", params(("lease_id" = String, Path, example = "l42"), ("token" = u64, Query)),
    responses((status = 200, body = AgentAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[delete("/leases/{lease_id}")]
async fn release_lease(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    query: Query<ReleaseQuery>,
) -> Answer {
    let id = numbered('l', &id, ErrorCode::UnknownLease)?;
    let token = needed(query.0.token.and_then(|token| token.parse().ok()))?;
    let command = registry::Command::Release { lease: id, token };
    context.orchestrator.submit(context.caller(&http), Command::Registry(command)).await?;
    let message = Some("Lease released".to_owned());
    Ok(HttpResponse::Ok().json(AgentAnswer { status: success(), agent_id: None, agent: None, message }))
}
