//! `/command`: control commands.

use crate::answer::{Answer, status_of};
use crate::context::Context;
use crate::input::Input;
use actix_web::{HttpRequest, HttpResponse, post, web};
use orchestrator_protocol::{CommandAnswer, CommandRequest, ErrorBody};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(run_command);
}

/// Carry out a control command; `*help` lists them.
#[utoipa::path(tag = "control", request_body = CommandRequest,
    responses((status = 200, body = CommandAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/command")]
async fn run_command(context: web::Data<Context>, http: HttpRequest, request: Input<CommandRequest>) -> Answer {
    let (answer, refusal) = context.orchestrator.control(context.caller(&http), &request.0.command).await;
    Ok(match refusal {
        None => HttpResponse::Ok().json(answer),
        Some(body) => HttpResponse::build(status_of(body.code)).json(body),
    })
}
