//! The yardstick's answers over HTTP, with the fields of the real ones.

use super::memory::{Agent, Memory, now};
use actix_web::{HttpResponse, Responder, web};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::btree_map::Values;

#[derive(Deserialize)]
pub(crate) struct Register {
    agent_id: String,
    capabilities: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Status {
    status: String,
    task: Option<String>,
    workload: f64,
}

#[derive(Serialize)]
struct Done<'a> {
    status: &'a str,
    agent_id: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct List<'a> {
    status: &'a str,
    #[serde(serialize_with = "each")]
    agents: Values<'a, String, Agent>,
    total_agents: usize,
}

fn each<S: serde::Serializer>(agents: &Values<'_, String, Agent>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(agents.clone())
}

#[derive(Serialize)]
struct Sent<'a> {
    status: &'a str,
    message: &'a str,
    timestamp: &'a str,
    message_id: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct Broadcast<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    from: &'a str,
    payload: Value,
    message_id: &'a str,
    message_type: &'a str,
    in_reply_to: Option<&'a str>,
    seq: u64,
    timestamp: &'a str,
}

pub(crate) async fn register(memory: web::Data<Memory>, body: web::Json<Register>) -> impl Responder {
    let Register { agent_id, capabilities } = body.into_inner();
    let agent = Agent {
        agent_id: agent_id.clone(),
        status: "active".to_owned(),
        current_task: None,
        last_activity: now(),
        workload: 0.0,
        capabilities,
        role: None,
        workspace: None,
        branch: None,
        connections: 0,
    };
    memory.agents.lock().insert(agent_id, agent);
    HttpResponse::Ok().json(json!({"status": "success"}))
}

pub(crate) async fn status(
    memory: web::Data<Memory>,
    id: web::Path<String>,
    body: web::Json<Status>,
) -> impl Responder {
    let Status { status, task, workload } = body.into_inner();
    if !memory.update(&id, status, task, workload) {
        return HttpResponse::NotFound().finish();
    }
    HttpResponse::Ok().json(Done { status: "success", agent_id: &id, message: "Agent status updated successfully" })
}

pub(crate) async fn list(memory: web::Data<Memory>) -> impl Responder {
    let agents = memory.agents.lock();
    HttpResponse::Ok().json(List { status: "success", agents: agents.values(), total_agents: agents.len() })
}

pub(crate) async fn broadcast(memory: web::Data<Memory>, payload: web::Json<Value>) -> impl Responder {
    let seq = memory.next();
    let (timestamp, message_id) = (now(), format!("m{seq}"));
    let frame = Broadcast {
        kind: "broadcast_message",
        from: "orchestrator",
        payload: payload.into_inner(),
        message_id: &message_id,
        message_type: "message",
        in_reply_to: None,
        seq,
        timestamp: &timestamp,
    };
    let Ok(frame) = serde_json::to_string(&frame) else { return HttpResponse::InternalServerError().finish() };
    let frame: bytestring::ByteString = frame.into();
    for (_, queue) in memory.queues().iter() {
        // A socket that has gone in between is none of the sender's business.
        let _ = queue.send(frame.clone()).await;
    }
    HttpResponse::Ok().json(Sent {
        status: "success",
        message: "Message broadcasted successfully",
        timestamp: &timestamp,
        message_id: &message_id,
        state: "delivered",
    })
}

pub(crate) async fn health() -> impl Responder {
    HttpResponse::Ok().json(json!({"status": "healthy", "service": "orchestration", "timestamp": now()}))
}
