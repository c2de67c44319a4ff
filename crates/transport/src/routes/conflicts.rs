//! `/conflicts`: where agents' work collides.

use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, Query, numbered};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator::Command;
use orchestrator_conflict as conflict;
use orchestrator_protocol::{
    ConflictAnswer, ConflictList, ErrorBody, ErrorCode, ResolutionStatus, ResolveRequest, ResolvedAnswer,
};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(list_conflicts).service(show_conflict).service(resolve_conflict);
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    status: Option<String>,
}

/// List the conflicts.
#[utoipa::path(tag = "conflicts", params(("status" = Option<ResolutionStatus>, Query)),
    responses((status = 200, body = ConflictList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/conflicts")]
async fn list_conflicts(context: web::Data<Context>, query: Query<ListQuery>) -> Answer {
    let filtered_by = query.0.status;
    let hint = "leave 'status' out for all";
    let status: Option<ResolutionStatus> = filtered_by
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: String| Refusal::new(ErrorCode::InvalidRequest, error, hint))?;
    let (conflicts, total_conflicts) = context.orchestrator.conflicts(status).await?;
    let list = ConflictList { status: success(), conflicts, total_conflicts, filtered_by, timestamp: now() };
    Ok(HttpResponse::Ok().json(list))
}

/// Show one conflict, with the lines that collide.
#[utoipa::path(tag = "conflicts", params(("conflict_id" = String, Path, example = "c42")),
    responses((status = 200, body = ConflictAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/conflicts/{conflict_id}")]
async fn show_conflict(context: web::Data<Context>, id: web::Path<String>) -> Answer {
    let id = numbered('c', &id, ErrorCode::UnknownConflict)?;
    let conflict = context.orchestrator.conflict(id).await?;
    Ok(HttpResponse::Ok().json(ConflictAnswer { status: success(), conflict }))
}

/// Mark a conflict as settled.
#[utoipa::path(tag = "conflicts",
    params(("conflict_id" = String, Path, example = "c42"), ("resolution_strategy" = Option<String>, Query),
        ("resolved_by" = Option<String>, Query)),
    request_body = ResolveRequest,
    responses((status = 200, body = ResolvedAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/conflicts/{conflict_id}/resolve")]
async fn resolve_conflict(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<ResolveRequest>,
) -> Answer {
    let conflict_id = id.into_inner();
    let Input(ResolveRequest { resolution_strategy, resolved_by, apply }) = request;
    let id = numbered('c', &conflict_id, ErrorCode::UnknownConflict)?;
    if apply == Some(true) {
        let detail = "this server cannot merge yet; it can only mark a conflict as settled";
        return Err(Refusal::new(ErrorCode::NotSupported, detail, "leave 'apply' out to mark it"));
    }
    let strategy = limits::text("resolution_strategy", resolution_strategy)?.unwrap_or_else(|| "manual".to_owned());
    let by = limits::text("resolved_by", resolved_by)?;
    let command = conflict::Command::Resolve { id, strategy, by };
    context.orchestrator.submit(context.caller(&http), Command::Conflict(command)).await?;
    let message = "Conflict marked as resolved".to_owned();
    Ok(HttpResponse::Ok().json(ResolvedAnswer { status: success(), conflict_id, message, timestamp: now() }))
}
