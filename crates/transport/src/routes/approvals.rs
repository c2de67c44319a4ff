//! `/approvals`: questions that only a person answers.

use super::inbox::PollQuery;
use super::tasks::{PAGE, asker};
use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, Query};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use orchestrator::ApprovalFilter;
use orchestrator_protocol::{
    Approval, ApprovalAnswer, ApprovalAnswerRequest, ApprovalList, ApprovalRequest, ApprovalState, ErrorBody, ErrorCode,
};
use orchestrator_workflow::approval::{self, Answer as Given};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(ask_approval).service(list_approvals).service(show_approval).service(answer_approval);
}

/// Put a question to a person. The same key from the same asker is the same question.
#[utoipa::path(tag = "approvals", request_body = ApprovalRequest,
    responses((status = 200, body = ApprovalAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/approvals")]
async fn ask_approval(context: web::Data<Context>, http: HttpRequest, request: Input<ApprovalRequest>) -> Answer {
    let ApprovalRequest { kind, subject, question, options, asked_by, deadline_seconds, default, .. } = request.0;
    let (actor, asked_by) = asker(&context, &http, asked_by).await?;
    let default = match (default, request.0.default_option) {
        (Some(verdict), option) => Some(Given { verdict, option: limits::text("default_option", option)? }),
        (None, None) => None,
        (None, Some(_)) => {
            let detail = "'default_option' says what 'default' approves, and there is none";
            return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "give \"default\": \"approve\", too"));
        }
    };
    if question.trim().is_empty() {
        let hint = "say what is to be decided";
        return Err(Refusal::new(ErrorCode::InvalidRequest, "'question' is missing", hint));
    }
    let wanted = approval::Request {
        kind: limits::word("kind", &kind)?,
        subject: subject.map(|subject| limits::line("subject", &subject)).transpose()?,
        question: limits::text("question", Some(question))?.unwrap_or_default(),
        options: limits::words("options", options)?.unwrap_or_default(),
        asked_by,
        deadline_seconds,
        default,
        key: limits::text("idempotency_key", request.0.idempotency_key.or(super::messages::idempotency_key(&http)?))?,
        digest: String::new(),
    };
    answer(context.orchestrator.ask_approval(actor, wanted).await?)
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    state: Option<ApprovalState>,
    #[serde(default)]
    kind: Option<String>,
}

/// List approvals, oldest first: those in a state, or of a kind.
#[utoipa::path(tag = "approvals",
    params(("state" = Option<ApprovalState>, Query), ("kind" = Option<String>, Query), ("after" = Option<u64>, Query),
        ("limit" = Option<u64>, Query, description = "100 when left out, 1000 at most")),
    responses((status = 200, body = ApprovalList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/approvals")]
async fn list_approvals(context: web::Data<Context>, query: Query<ListQuery>, page: Query<PollQuery>) -> Answer {
    let filter = ApprovalFilter {
        state: query.0.state,
        kind: query.0.kind,
        after: page.0.after()?.unwrap_or(0),
        limit: page.0.limit()?.unwrap_or(PAGE.0).clamp(1, PAGE.1) as usize,
    };
    let page = context.orchestrator.approvals(&filter).await?;
    Ok(HttpResponse::Ok().json(ApprovalList {
        status: success(),
        approvals: page.approvals,
        total: page.total,
        next: page.next,
        timestamp: now(),
    }))
}

/// Show one approval.
#[utoipa::path(tag = "approvals", params(("approval_id" = String, Path, example = "approval-42")),
    responses((status = 200, body = ApprovalAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/approvals/{approval_id}")]
async fn show_approval(context: web::Data<Context>, id: web::Path<String>) -> Answer {
    answer(context.orchestrator.approval(number(&id)?).await?)
}

/// Answer a question: once. Operator only.
#[utoipa::path(tag = "approvals", params(("approval_id" = String, Path, example = "approval-42")),
    request_body = ApprovalAnswerRequest,
    responses((status = 200, body = ApprovalAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/approvals/{approval_id}/answer")]
async fn answer_approval(
    context: web::Data<Context>,
    http: HttpRequest,
    id: web::Path<String>,
    request: Input<ApprovalAnswerRequest>,
) -> Answer {
    let ApprovalAnswerRequest { answer: verdict, option, note } = request.0;
    let (id, note) = (number(&id)?, limits::text("note", note)?);
    let given = Given { verdict, option: limits::text("option", option)? };
    answer(context.orchestrator.answer_approval(context.caller(&http), id, given, note).await?)
}

fn answer(approval: Approval) -> Answer {
    Ok(HttpResponse::Ok().json(ApprovalAnswer { status: success(), approval, timestamp: now() }))
}

fn number(id: &str) -> Result<u64, Refusal> {
    id.strip_prefix("approval-").and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        let detail = format!("'{id:.80}' names no approval: ids look like approval-42");
        Refusal::new(ErrorCode::UnknownApproval, detail, "list what is known: GET /api/orchestration/approvals")
    })
}
