//! `/merges`: work on its way to a branch.

use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, Query};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator::{Undo, Wish};
use orchestrator_protocol::{
    ErrorBody, ErrorCode, Merge, MergeAnswer, MergeList, MergeRequest, RollbackAnswer, RollbackRequest,
};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(rollback)
        .service(request_merge)
        .service(list_merges)
        .service(show_merge)
        .service(cancel_merge)
        .service(gate_output);
}

/// Ask for an agent's work to land: as it stands, or a snapshot, branch or commit of it. The same work, while it is open,
/// is the same merge.
#[utoipa::path(tag = "merges", request_body = MergeRequest,
    responses((status = 200, body = MergeAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/merges")]
async fn request_merge(context: web::Data<Context>, http: HttpRequest, request: Input<MergeRequest>) -> Answer {
    let Input(MergeRequest { agent_id, target, message, priority, snapshot }) = request;
    let agent = agent_id.parse().map_err(|error: orchestrator_protocol::InvalidId| {
        Refusal::new(error.code(), error.to_string(), "give 'agent_id'")
    })?;
    let wish = Wish {
        agent,
        target: limits::text("target", target)?,
        message: limits::text("message", message)?,
        priority: priority.unwrap_or(0),
        snapshot: limits::text("snapshot", snapshot)?,
    };
    answer(context.orchestrator.request_merge(context.caller(&http), wish).await?)
}

/// List the merges: those that are not over in the order in which they are worked on, then the others, newest first.
#[utoipa::path(tag = "merges",
    responses((status = 200, body = MergeList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/merges")]
async fn list_merges(context: web::Data<Context>) -> Answer {
    let merges = context.orchestrator.merges().await?;
    Ok(HttpResponse::Ok().json(MergeList { status: success(), merges, timestamp: now() }))
}

/// Show one merge.
#[utoipa::path(tag = "merges", params(("merge_id" = String, Path, example = "merge-42")),
    responses((status = 200, body = MergeAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/merges/{merge_id}")]
async fn show_merge(context: web::Data<Context>, id: web::Path<String>) -> Answer {
    answer(context.orchestrator.merge(number(&id)?).await?)
}

/// Take a merge out of the queue.
#[utoipa::path(tag = "merges", params(("merge_id" = String, Path, example = "merge-42")),
    responses((status = 200, body = MergeAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/merges/{merge_id}/cancel")]
async fn cancel_merge(context: web::Data<Context>, http: HttpRequest, id: web::Path<String>) -> Answer {
    answer(context.orchestrator.cancel_merge(context.caller(&http), number(&id)?).await?)
}

#[derive(Deserialize)]
struct OutputQuery {
    #[serde(default)]
    from: Option<u64>,
}

/// What a gate of a merge has printed so far, from a byte on; at most a mebibyte at once.
#[utoipa::path(tag = "merges",
    params(("merge_id" = String, Path, example = "merge-42"), ("gate" = String, Path), ("from" = Option<u64>, Query)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = ErrorBody),
        (status = "5XX", body = ErrorBody)))]
#[get("/merges/{merge_id}/gates/{gate}/output")]
async fn gate_output(
    context: web::Data<Context>,
    path: web::Path<(String, String)>,
    query: Query<OutputQuery>,
) -> Answer {
    let (id, gate) = path.into_inner();
    let output = context.orchestrator.gate_output(number(&id)?, gate, query.0.from.unwrap_or(0)).await?;
    Ok(HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(output))
}

/// Take back what landed: one landing, or everything after a moment. Operator only.
#[utoipa::path(tag = "merges", request_body = RollbackRequest,
    responses((status = 200, body = RollbackAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/rollback")]
async fn rollback(context: web::Data<Context>, http: HttpRequest, request: Input<RollbackRequest>) -> Answer {
    let Input(RollbackRequest { merge_id, since, target, dry_run }) = request;
    let undo = match (merge_id, since) {
        (Some(id), None) => Undo::Merge(number(&id)?),
        (None, Some(at)) => Undo::Since(at),
        _ => {
            let detail = "one of 'merge_id' and 'since' says what is taken back";
            return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "give exactly one of them"));
        }
    };
    let (target, dry_run) = (limits::text("target", target)?, dry_run.unwrap_or(false));
    let undone = context.orchestrator.rollback(context.caller(&http), undo, target, dry_run).await?;
    let names = |ids: Vec<u64>| ids.into_iter().map(|id| format!("merge-{id}")).collect();
    Ok(HttpResponse::Ok().json(RollbackAnswer {
        status: success(),
        dry_run,
        target: undone.target,
        merges: names(undone.merges),
        paths: undone.paths,
        dependents: names(undone.dependents),
        merge: undone.merge,
        timestamp: now(),
    }))
}

fn answer(merge: Merge) -> Answer {
    Ok(HttpResponse::Ok().json(MergeAnswer { status: success(), merge, timestamp: now() }))
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.strip_prefix("merge-").and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        let detail = format!("'{id:.80}' names no merge: ids look like merge-42");
        Refusal::new(ErrorCode::UnknownMerge, detail, "list what is known: GET /api/orchestration/merges")
    })
}
