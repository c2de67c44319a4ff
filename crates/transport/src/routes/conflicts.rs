//! `/conflicts`: where agents' work collides.

use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, Query, numbered};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator::{Command, Settlement};
use orchestrator_conflict as conflict;
use orchestrator_protocol::{
    ConflictAnswer, ConflictList, ContentEncoding, ErrorBody, ErrorCode, EscalateRequest, EscalatedAnswer,
    ResolutionStatus, ResolveRequest, ResolvedAnswer, from_base64,
};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(list_conflicts).service(show_conflict).service(resolve_conflict);
    config.service(escalate_conflict).service(show_resolution);
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

/// Mark a conflict as settled; with `apply`, settle it by a merged result that the agents can pull.
#[utoipa::path(tag = "conflicts",
    params(("conflict_id" = String, Path, example = "c42"), ("resolution_strategy" = Option<String>, Query),
        ("resolved_by" = Option<String>, Query),
        ("apply" = Option<bool>, Query, description = "merge for real"),
        ("agent" = Option<String>, Query, description = "with take: whose side")),
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
    let id = numbered('c', &conflict_id, ErrorCode::UnknownConflict)?;
    let Input(request) = request;
    let (strategy, by) = (request.resolution_strategy.clone(), request.resolved_by.clone());
    let strategy = limits::text("resolution_strategy", strategy)?.unwrap_or_else(|| "manual".to_owned());
    let by = limits::text("resolved_by", by)?;
    let caller = context.caller(&http);
    let (message, resolution) = if request.apply == Some(true) {
        let settlement = settlement(strategy, by, request)?;
        let made = context.orchestrator.settle_conflict(caller, id, settlement).await?;
        ("Conflict settled; its agents can pull the result", Some(Box::new(made)))
    } else {
        let command = conflict::Command::Resolve { id, strategy, by, applied: None };
        context.orchestrator.submit(caller, Command::Conflict(command)).await?;
        ("Conflict marked as resolved", None)
    };
    let message = message.to_owned();
    Ok(HttpResponse::Ok().json(ResolvedAnswer {
        status: success(),
        conflict_id,
        message,
        resolution,
        timestamp: now(),
    }))
}

fn settlement(strategy: String, by: Option<String>, request: ResolveRequest) -> Result<Settlement, Refusal> {
    let content = match (request.content, request.encoding.unwrap_or_default()) {
        (None, _) => None,
        (Some(text), ContentEncoding::Utf8) => Some(text.into_bytes()),
        (Some(text), ContentEncoding::Base64) => Some(from_base64(&text).ok_or_else(|| {
            let hint = "encode it with the usual alphabet and padding, or send text without 'encoding'";
            Refusal::new(ErrorCode::InvalidRequest, "'content' is no base64", hint)
        })?),
    };
    Ok(Settlement {
        strategy,
        side: limits::text("agent", request.agent)?,
        content,
        force: request.force == Some(true),
        by,
    })
}

/// Ask a person to decide a conflict. It stays open, and its record says who asked and why.
#[utoipa::path(tag = "conflicts",
    params(("conflict_id" = String, Path, example = "c42"), ("reason" = Option<String>, Query),
        ("escalated_by" = Option<String>, Query)),
    request_body = EscalateRequest,
    responses((status = 200, body = EscalatedAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/conflicts/{conflict_id}/escalate")]
async fn escalate_conflict(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<EscalateRequest>,
) -> Answer {
    let conflict_id = id.into_inner();
    let id = numbered('c', &conflict_id, ErrorCode::UnknownConflict)?;
    let Input(EscalateRequest { reason, escalated_by }) = request;
    let reason = limits::text("reason", reason)?.filter(|reason| !reason.trim().is_empty()).ok_or_else(|| {
        let hint = "say in 'reason' what a person has to decide, and why it cannot be settled otherwise";
        Refusal::new(ErrorCode::InvalidRequest, "a 'reason' is missing", hint)
    })?;
    let caller = context.caller(&http);
    let by = limits::text("escalated_by", escalated_by)?;
    let command = conflict::Command::Escalate { id, by, reason };
    context.orchestrator.submit(caller, Command::Conflict(command)).await?;
    let message = "Conflict escalated: a person is asked to decide".to_owned();
    Ok(HttpResponse::Ok().json(EscalatedAnswer { status: success(), conflict_id, message, timestamp: now() }))
}

/// The bytes of the merged result that settled a conflict.
#[utoipa::path(tag = "conflicts", params(("conflict_id" = String, Path, example = "c42")),
    responses((status = 200, body = String, content_type = "application/octet-stream"),
        (status = 204, description = "the result is that the file is deleted"),
        (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/conflicts/{conflict_id}/resolution")]
async fn show_resolution(context: web::Data<Context>, id: web::Path<String>) -> Answer {
    let id = numbered('c', &id, ErrorCode::UnknownConflict)?;
    let Some(content) = context.orchestrator.resolution_content(id).await? else {
        return Ok(HttpResponse::NoContent().finish());
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type("application/octet-stream").insert_header(("X-Content-Type-Options", "nosniff"));
    Ok(answer.body(content))
}
