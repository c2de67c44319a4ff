//! The two sockets.
//!
//! A connection is one task. It reads frames, listens to the feed, and puts what must go out into a short
//! queue of encoded bytes that the response body drains; whatever waits there leaves in one write. What
//! everyone gets is encoded once a flush and shared. A peer that does not read fills its queue, then only
//! its own place in the feed grows old; when the feed has dropped what it missed, or the queue has stood
//! still too long, it is closed with a code and resumes with `?after=SEQ`.

mod encode;
mod frames;
mod incoming;
mod outbound;
mod session;

use crate::answer::{Answer, Refusal};
use crate::context::Context;
use actix_http::body::BodyStream;
use actix_http::ws;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use orchestrator_protocol::{AgentId, ErrorCode};

/// Which of the two it is.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    /// `/ws/orchestrator`.
    Orchestrator,
    /// `/ws/agent/{id}`.
    Agent(AgentId),
}

/// Close codes of our own.
pub(crate) mod close {
    /// The peer read too slowly; it resumes with `?after=` the last `seq` it saw.
    pub(crate) const SLOW_READER: u16 = 4008;
    /// The peer answered no ping.
    pub(crate) const SILENT: u16 = 4009;
}

/// Answers the upgrade and starts the connection's task.
pub(crate) async fn open(
    context: &web::Data<Context>,
    request: &HttpRequest,
    body: web::Payload,
    role: Role,
    after: Option<u64>,
    acknowledges: bool,
) -> Answer {
    let mut response = ws::handshake(request.head()).map_err(|error| {
        let detail = format!("the WebSocket handshake is not right: {error}");
        Refusal::new(ErrorCode::InvalidRequest, detail, "use a WebSocket client of version 13")
    })?;
    let (outbound, mut queue) = outbound::channel();
    let body_stream = stream::poll_fn(move |context| queue.poll_next(context));
    let response = response
        .message_body(BodyStream::new(body_stream))
        .map_err(|error| Refusal::from(orchestrator::Error::Internal(error.to_string())))?;
    let session = session::Session::new(context.clone(), role, outbound, acknowledges);
    actix_web::rt::spawn(session.run(incoming::Incoming::new(body), after));
    Ok(HttpResponse::from(response).map_into_boxed_body())
}
