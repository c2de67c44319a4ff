//! `/agents/{id}/snapshots` and `/agents/{id}/restore`: what is kept of agents' work.

use crate::answer::Answer;
use crate::context::Context;
use crate::input::{AgentPath, Input};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator_protocol::{AgentId, ErrorBody, RestoreAnswer, RestoreRequest, SnapshotAnswer, SnapshotList};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(list_snapshots).service(show_snapshot).service(restore);
}

/// List what is kept of an agent's work, also of one that left; newest first.
#[utoipa::path(tag = "snapshots", params(("agent_id" = AgentId, Path)),
    responses((status = 200, body = SnapshotList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/agents/{agent_id}/snapshots")]
async fn list_snapshots(context: web::Data<Context>, agent: AgentPath) -> Answer {
    Ok(HttpResponse::Ok().json(context.orchestrator.snapshots(&agent.0).await?))
}

/// Show one snapshot: what its work changed, and what restoring it would change now.
#[utoipa::path(tag = "snapshots", params(("agent_id" = AgentId, Path), ("snapshot_id" = String, Path)),
    responses((status = 200, body = SnapshotAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/agents/{agent_id}/snapshots/{snapshot_id}")]
async fn show_snapshot(context: web::Data<Context>, http: HttpRequest, agent: AgentPath) -> Answer {
    let snapshot = http.match_info().query("snapshot_id");
    Ok(HttpResponse::Ok().json(context.orchestrator.snapshot(&agent.0, snapshot).await?))
}

/// Put a snapshot's files into an agent's workspace. What stands there is kept first.
#[utoipa::path(tag = "snapshots", params(("agent_id" = AgentId, Path)), request_body = RestoreRequest,
    responses((status = 200, body = RestoreAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/restore")]
async fn restore(
    context: web::Data<Context>,
    http: HttpRequest,
    agent: AgentPath,
    request: Input<RestoreRequest>,
) -> Answer {
    let Input(RestoreRequest { snapshot, paths, dry_run }) = request;
    let snapshot = limits::text("snapshot", Some(snapshot))?.unwrap_or_default();
    let request = RestoreRequest { snapshot, paths, dry_run };
    let restored = context.orchestrator.restore(context.caller(&http), agent.0, request).await?;
    Ok(HttpResponse::Ok().json(restored))
}
