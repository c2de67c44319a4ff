//! `/ws`: the two sockets. Without an upgrade they say what they are.

use super::inbox::PollQuery;
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::Query;
use crate::socket::{self, Role};
use actix_web::http::header::UPGRADE;
use actix_web::{HttpRequest, get, web};
use orchestrator_protocol::{AgentId, ErrorBody, ErrorCode};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(orchestrator_socket).service(agent_socket);
}

#[derive(Deserialize)]
struct AckQuery {
    #[serde(default)]
    ack: Option<String>,
}

fn upgrade_asked(request: &HttpRequest) -> Result<(), Refusal> {
    let asked = request.headers().get(UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
    if asked {
        return Ok(());
    }
    let hint = "connect with a WebSocket client: ws://localhost:8000 and this path";
    Err(Refusal::new(ErrorCode::UpgradeRequired, "this route speaks WebSocket only", hint))
}

/// Everything that happens, and control commands. A WebSocket.
#[utoipa::path(tag = "sockets", params(("after" = Option<u64>, Query, description = "resume after this event")),
    responses((status = 101, description = "switched to WebSocket"), (status = "4XX", body = ErrorBody)))]
#[get("/ws/orchestrator")]
async fn orchestrator_socket(
    context: web::Data<Context>,
    request: HttpRequest,
    body: web::Payload,
    query: Query<PollQuery>,
) -> Answer {
    upgrade_asked(&request)?;
    socket::open(&context, &request, body, Role::Orchestrator, query.0.after()?, false).await
}

/// One agent's line: its frames in, its messages and everything public out. A WebSocket.
#[utoipa::path(tag = "sockets", params(("agent_id" = AgentId, Path),
        ("after" = Option<u64>, Query, description = "resume after this event"),
        ("ack" = Option<bool>, Query, description = "this client acknowledges messages")),
    responses((status = 101, description = "switched to WebSocket"), (status = "4XX", body = ErrorBody)))]
#[get("/ws/agent/{agent_id}")]
async fn agent_socket(
    context: web::Data<Context>,
    request: HttpRequest,
    body: web::Payload,
    id: web::Path<String>,
    query: Query<PollQuery>,
    ack: Query<AckQuery>,
) -> Answer {
    upgrade_asked(&request)?;
    let agent: AgentId = id.parse()?;
    let acknowledges = matches!(ack.0.ack.as_deref(), Some("1" | "true" | ""));
    socket::open(&context, &request, body, Role::Agent(agent), query.0.after()?, acknowledges).await
}
