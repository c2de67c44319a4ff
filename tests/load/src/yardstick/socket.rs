//! The yardstick's sockets: one task each, and one write for each message.
//!
//! actix-ws joins what stands in its queue into one write. Here a task hands it one frame at a time and gives
//! way before the next, so that the connection writes each frame by itself, as a server does that sends to
//! each socket and waits. `strace -c -f` on the process shows one write a frame.

use super::memory::{Memory, now};
use actix_web::{HttpRequest, HttpResponse, rt, web};
use actix_ws::{Closed, Message, MessageStream, Session};
use bytestring::ByteString;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Update {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    task: Option<String>,
    workload: f64,
}

#[derive(Serialize)]
struct Greeting<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    connection_id: u64,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct Acknowledged<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    agent_id: &'a str,
    timestamp: &'a str,
}

#[derive(Serialize)]
struct Updated<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    agent_id: &'a str,
    status: &'a str,
    task: Option<&'a str>,
    workload: f64,
    seq: u64,
    timestamp: &'a str,
}

pub(crate) async fn orchestrator(
    request: HttpRequest,
    memory: web::Data<Memory>,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    open(&request, memory, body, None)
}

pub(crate) async fn agent(
    request: HttpRequest,
    memory: web::Data<Memory>,
    body: web::Payload,
    id: web::Path<String>,
) -> actix_web::Result<HttpResponse> {
    open(&request, memory, body, Some(id.into_inner()))
}

fn open(
    request: &HttpRequest,
    memory: web::Data<Memory>,
    body: web::Payload,
    agent: Option<String>,
) -> actix_web::Result<HttpResponse> {
    let (response, session, frames) = actix_ws::handle(request, body)?;
    rt::spawn(async move {
        let id = memory.next();
        // An end of the connection is no error.
        let _ = serve(&memory, id, agent, session, frames).await;
        memory.leave(id);
    });
    Ok(response)
}

async fn serve(
    memory: &Memory,
    id: u64,
    agent: Option<String>,
    mut session: Session,
    mut frames: MessageStream,
) -> Result<(), Closed> {
    let mut queue = memory.join(id);
    let kind = if agent.is_some() { "agent_connection_established" } else { "connection_established" };
    let greeting = Greeting { kind, connection_id: id, timestamp: &now() };
    session.text(serde_json::to_string(&greeting).unwrap_or_default()).await?;
    loop {
        tokio::select! {
            push = queue.recv() => {
                let Some(push) = push else { return Ok(()) };
                session.text(push).await?;
                if !queue.is_empty() {
                    tokio::task::yield_now().await;
                }
            }
            frame = frames.recv() => match frame {
                Some(Ok(Message::Text(text))) => {
                    if let Some(agent) = &agent && let Some(answer) = update(memory, id, agent, &text) {
                        session.text(answer).await?;
                    }
                }
                Some(Ok(Message::Ping(bytes))) => session.pong(&bytes).await?,
                Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                Some(Ok(_)) => {}
            }
        }
    }
}

/// Takes a status, tells all other sockets of it, and answers.
fn update(memory: &Memory, id: u64, agent: &str, text: &str) -> Option<ByteString> {
    let Update { kind, status, task, workload } = serde_json::from_str(text).ok()?;
    if kind != "status_update" {
        return None;
    }
    let timestamp = now();
    let queues = memory.queues();
    if queues.len() > 1 {
        let push = Updated {
            kind: "agent_status_update",
            agent_id: agent,
            status: &status,
            task: task.as_deref(),
            workload,
            seq: memory.next(),
            timestamp: &timestamp,
        };
        let push: ByteString = serde_json::to_string(&push).ok()?.into();
        for (_, queue) in queues.iter().filter(|(socket, _)| *socket != id) {
            // A queue has room for all that can be on its way.
            let _ = queue.try_send(push.clone());
        }
    }
    if !memory.update(agent, status, task, workload) {
        return None;
    }
    let answer = Acknowledged { kind: "status_update_ack", agent_id: agent, timestamp: &timestamp };
    Some(serde_json::to_string(&answer).ok()?.into())
}
