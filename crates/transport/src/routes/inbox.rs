//! `/agents/{id}/inbox`: what an agent has to read.

use super::success;
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{AgentPath, Input, Query, numbered};
use crate::limits::MAX_WAIT;
use actix_web::{HttpResponse, get, post, web};
use orchestrator::{Actor, Command, Error, Reply};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{Ack, AgentId, ClaimRequest, ErrorBody, ErrorCode, Inbox, InboxMessage, MessageState};
use orchestrator_registry as registry;
use serde::Deserialize;
use std::time::Duration;
use utoipa_actix_web::service_config::ServiceConfig;

/// Term of a claim when none is given, in seconds.
const CLAIM_TERM: u64 = 60;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(claim_messages).service(acknowledge_message).service(read_inbox);
}

/// `after`, `wait` and `limit` of long polls, as a query brings them.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct PollQuery {
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    wait: Option<String>,
    #[serde(default)]
    limit: Option<String>,
}

impl PollQuery {
    pub(crate) fn after(&self) -> Result<Option<u64>, Refusal> {
        number("after", self.after.as_deref())
    }

    pub(crate) fn limit(&self) -> Result<Option<u64>, Refusal> {
        number("limit", self.limit.as_deref())
    }

    pub(crate) fn wait(&self) -> Result<Duration, Refusal> {
        let seconds = self.wait.as_deref().map(str::parse::<f64>).transpose();
        let invalid = |_| {
            let detail = format!("'wait' is no number of seconds: '{:.40}'", self.wait.as_deref().unwrap_or_default());
            Refusal::new(ErrorCode::InvalidRequest, detail, "give seconds, such as 30")
        };
        seconds.map_err(invalid)?.map_or(Ok(Duration::ZERO), waiting)
    }
}

fn number(name: &str, text: Option<&str>) -> Result<Option<u64>, Refusal> {
    let invalid = |text: &str| {
        let detail = format!("'{name}' is no whole number: '{text:.40}'");
        Refusal::new(ErrorCode::InvalidRequest, detail, "give the number that 'next' or 'seq' told")
    };
    text.map(|text| text.parse().map_err(|_| invalid(text))).transpose()
}

/// Seconds of a long poll: none below zero, no more than a minute.
fn waiting(seconds: f64) -> Result<Duration, Refusal> {
    if !seconds.is_finite() || seconds < 0.0 {
        let detail = "'wait' is a number of seconds from 0";
        return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "give seconds, such as 30"));
    }
    Ok(Duration::from_secs_f64(seconds.min(MAX_WAIT)))
}

async fn known(context: &Context, agent: &AgentId) -> Result<AgentId, Refusal> {
    let known = context.orchestrator.read(|state| state.registry.ever(agent).cloned()).await?;
    known.ok_or_else(|| Error::Registry(registry::Error::UnknownAgent(agent.to_string())).into())
}

fn inbox(messages: Vec<InboxMessage>, after: u64) -> HttpResponse {
    let newest = messages.iter().filter_map(|message| message.id.get(1..)?.parse().ok()).max();
    HttpResponse::Ok().json(Inbox { status: success(), next: newest.unwrap_or(after), messages })
}

/// The unacknowledged messages after a number, oldest first; waits for one when asked to. Changes nothing.
#[utoipa::path(tag = "inbox",
    params(("agent_id" = AgentId, Path), ("after" = Option<u64>, Query),
        ("wait" = Option<f64>, Query, description = "seconds, 60 at most")),
    responses((status = 200, body = Inbox), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/agents/{agent_id}/inbox")]
async fn read_inbox(context: web::Data<Context>, agent: AgentPath, query: Query<PollQuery>) -> Answer {
    let agent = known(&context, &agent.0).await?;
    let after = query.0.after()?.unwrap_or(0);
    let wait = query.0.wait()?;
    let messages = tokio::select! {
        messages = context.orchestrator.inbox(&agent, after, wait) => messages?,
        () = context.shutdown.cancelled() => Vec::new(),
    };
    Ok(inbox(messages, after))
}

/// Take the oldest messages for a term: nobody else gets them until it is over.
#[utoipa::path(tag = "inbox", params(("agent_id" = AgentId, Path)), request_body = ClaimRequest,
    responses((status = 200, body = Inbox), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/inbox/claim")]
async fn claim_messages(context: web::Data<Context>, agent: AgentPath, request: Input<ClaimRequest>) -> Answer {
    let agent = known(&context, &agent.0).await?;
    let ClaimRequest { max, wait, ttl_seconds } = request.0;
    let max = max.unwrap_or(1);
    let ttl_seconds = ttl_seconds.unwrap_or(CLAIM_TERM);
    if !(1..=100).contains(&max) || !(1..=86_400).contains(&ttl_seconds) {
        let detail = "'max' is 1 to 100 messages and 'ttl_seconds' 1 to 86400";
        return Err(Refusal::new(ErrorCode::InvalidRequest, detail, "leave them out for 1 and 60"));
    }
    let deadline = tokio::time::Instant::now() + waiting(wait.unwrap_or(0.0))?;
    let command = mailbox::Command::Claim { agent: agent.clone(), max: max as usize, ttl_seconds };
    let mut feed = context.orchestrator.subscribe();
    loop {
        let actor = Actor::Agent(agent.clone());
        let reply = context.orchestrator.submit(actor, Command::Mailbox(command.clone())).await?;
        let claimed = match reply {
            Reply::Claimed(claimed) => claimed,
            _ => Vec::new(),
        };
        if !claimed.is_empty() {
            let deliveries = context.orchestrator.read(|state| {
                let receipt = |message: u64| state.mailbox.inbox(&agent, message - 1).next();
                let count = |message: &u64| receipt(*message).map_or(1, |(_, receipt)| receipt.deliveries);
                claimed.iter().map(|message| (*message, count(message))).collect()
            });
            return Ok(inbox(context.orchestrator.bodies(deliveries.await?).await?, 0));
        }
        tokio::select! {
            waited = tokio::time::timeout_at(deadline, feed.next()) => if waited.is_err() {
                return Ok(inbox(Vec::new(), 0));
            },
            () = context.shutdown.cancelled() => return Ok(inbox(Vec::new(), 0)),
        }
    }
}

/// Say that a message was dealt with. Twice is no error.
#[utoipa::path(tag = "inbox", params(("agent_id" = AgentId, Path), ("message_id" = String, Path, example = "m42")),
    responses((status = 200, body = Ack), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/inbox/{message_id}/ack")]
async fn acknowledge_message(
    context: web::Data<Context>,
    path: web::Path<(String, String)>,
    agent: AgentPath,
) -> Answer {
    let (_, message_id) = path.into_inner();
    let message = numbered('m', &message_id, ErrorCode::UnknownMessage)?;
    let AgentPath(agent) = agent;
    let command = mailbox::Command::Acknowledge { agent: agent.clone(), message };
    context.orchestrator.submit(Actor::Agent(agent), Command::Mailbox(command)).await?;
    Ok(HttpResponse::Ok().json(Ack { status: success(), message_id, state: MessageState::Acknowledged }))
}
