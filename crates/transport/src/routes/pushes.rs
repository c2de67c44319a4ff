//! `/agents/{id}/snapshot`: work that agents push from folders out of reach.

use super::success;
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{AgentPath, Input, Query};
use crate::limits::{MAX_BODY_TIME, MAX_PACK};
use actix_web::{HttpResponse, post, put, web};
use futures_util::StreamExt;
use orchestrator::{Error, Orchestrator, Spool};
use orchestrator_protocol::{AgentId, ErrorBody, ErrorCode, KnownAnswer, KnownRequest, PushAnswer, PushRequest};
use std::io::Write;
use utoipa_actix_web::service_config::ServiceConfig;

/// So much is written at once.
const PIECE: usize = 1024 * 1024;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(known_commit).service(push_snapshot);
}

/// Say which of an agent's commits the target branch has: the first of those given, newest first.
#[utoipa::path(tag = "snapshots", params(("agent_id" = AgentId, Path)), request_body = KnownRequest,
    responses((status = 200, body = KnownAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/snapshot/known")]
async fn known_commit(context: web::Data<Context>, agent: AgentPath, request: Input<KnownRequest>) -> Answer {
    let commit = context.orchestrator.known_commit(&agent.0, request.0.commits).await?;
    Ok(HttpResponse::Ok().json(KnownAnswer { status: success(), commit }))
}

/// Take a git pack as an agent's work as it stands. It is on stable storage and merged with the work of others when
/// this answers; the next one takes its place.
#[utoipa::path(tag = "snapshots",
    params(("agent_id" = AgentId, Path), ("commit" = String, Query, description = "the commit of the work, in hex")),
    request_body(content = String, content_type = "application/octet-stream",
        description = "a pack of whole objects: what the commit holds beyond one that is known"),
    responses((status = 200, body = PushAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[put("/agents/{agent_id}/snapshot")]
async fn push_snapshot(
    context: web::Data<Context>,
    agent: AgentPath,
    request: Query<PushRequest>,
    body: web::Payload,
) -> Answer {
    // Nothing is received for nobody.
    context.orchestrator.known_commit(&agent.0, Vec::new()).await?;
    let pack = receive(&context.orchestrator, body).await?;
    let pushed = context.orchestrator.push_snapshot(agent.0, &request.0.commit, pack).await?;
    Ok(HttpResponse::Ok().json(pushed))
}

async fn receive(orchestrator: &Orchestrator, mut body: web::Payload) -> Result<Spool, Refusal> {
    let orchestrator = orchestrator.clone();
    let (spool, mut file) = blocking(move || orchestrator.spool()).await?;
    let mut received = 0_u64;
    let mut piece = Vec::with_capacity(PIECE);
    loop {
        let chunk = tokio::time::timeout(MAX_BODY_TIME, body.next()).await.map_err(|_| {
            let detail = format!("nothing of the pack arrived for {} s", MAX_BODY_TIME.as_secs());
            Refusal::new(ErrorCode::Timeout, detail, "send it again")
        })?;
        let is_end = chunk.is_none();
        if let Some(chunk) = chunk {
            let chunk = chunk.map_err(|error| {
                let detail = format!("the pack did not arrive whole: {error}");
                Refusal::new(ErrorCode::InvalidRequest, detail, "send it again")
            })?;
            received += chunk.len() as u64;
            if received > MAX_PACK {
                let detail = format!("the pack has more than {MAX_PACK} bytes");
                let hint = "commit less at once, or leave large files out with .gitignore";
                return Err(Refusal::new(ErrorCode::BodyTooLarge, detail, hint));
            }
            piece.extend_from_slice(&chunk);
        }
        if piece.len() >= PIECE || is_end {
            let full = std::mem::replace(&mut piece, Vec::with_capacity(PIECE));
            file = blocking(move || file.write_all(&full).map(|()| file)).await?;
        }
        if is_end {
            return Ok(spool);
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T, Refusal> {
    let failed = |error: &dyn std::fmt::Display| {
        let cure = "see that the state folder can be written and its disk has room".to_owned();
        Refusal::from(Error::StorageUnavailable { reason: error.to_string(), cure })
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}
