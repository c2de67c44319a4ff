//! `/agents/{id}/pull`: taking the merged results of settled conflicts.

use crate::answer::Answer;
use crate::context::Context;
use crate::input::{AgentPath, Input, numbered};
use actix_web::{HttpRequest, HttpResponse, post, web};
use orchestrator::Pull;
use orchestrator_protocol::{AgentId, ErrorBody, ErrorCode, PullAnswer, PullRequest};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(pull);
}

/// Merge the results that settled an agent's conflicts into its folder. What stands there is backed up first; what does
/// not go together is left alone.
#[utoipa::path(tag = "conflicts",
    params(("agent_id" = AgentId, Path), ("conflicts" = Option<String>, Query, description = "ids, separated by commas"),
        ("dry_run" = Option<bool>, Query)),
    request_body = PullRequest,
    responses((status = 200, body = PullAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/pull")]
async fn pull(context: web::Data<Context>, http: HttpRequest, agent: AgentPath, request: Input<PullRequest>) -> Answer {
    let Input(PullRequest { conflicts, dry_run }) = request;
    let number = |id: String| numbered('c', &id, ErrorCode::UnknownConflict);
    let conflicts = conflicts.map(|ids| ids.into_iter().map(number).collect()).transpose()?;
    let pull = Pull { conflicts, dry_run: dry_run == Some(true) };
    let answer = context.orchestrator.pull(context.caller(&http), agent.0, pull).await?;
    Ok(HttpResponse::Ok().json(answer))
}
