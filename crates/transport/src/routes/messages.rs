//! Messages: sending, and what became of them.

use super::{now, success};
use crate::answer::{Answer, Refusal};
use crate::context::Context;
use crate::input::{Input, MessageBody, Query, check_message_size, numbered};
use crate::limits;
use actix_web::{HttpRequest, HttpResponse, delete, get, post, web};
use orchestrator::{Actor, Command, Orchestrator, Outgoing, Reply};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{
    Ack, Address, AgentId, ErrorBody, ErrorCode, Json, MessageAnswer, MessageList, MessageRequest, MessageState,
    ORCHESTRATOR, SendAnswer,
};
use serde::Deserialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(message_agent).service(broadcast).service(send_message).service(list_messages);
    config.service(show_message).service(retry_message).service(erase_message);
}

/// What stands around a payload.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Envelope {
    #[serde(default)]
    pub(crate) from: Option<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: Option<String>,
    #[serde(default)]
    pub(crate) in_reply_to: Option<String>,
    #[serde(default)]
    pub(crate) durable: Option<String>,
}

impl Envelope {
    fn is_durable(&self) -> Result<bool, Refusal> {
        match self.durable.as_deref() {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1" | "") => Ok(true),
            Some(other) => {
                let detail = format!("'durable' is neither true nor false: '{other:.40}'");
                Err(Refusal::new(ErrorCode::InvalidRequest, detail, "write durable=true"))
            }
        }
    }
}

/// A message put together, checked.
pub(crate) fn outgoing(
    to: Address,
    payload: Json,
    envelope: Envelope,
    durable: bool,
    key: Option<String>,
) -> Result<Outgoing, Refusal> {
    let from = envelope.from.unwrap_or_else(|| ORCHESTRATOR.to_owned());
    let from = if from.eq_ignore_ascii_case(ORCHESTRATOR) {
        ORCHESTRATOR.to_owned()
    } else {
        from.parse::<AgentId>()?.to_string()
    };
    let in_reply_to = envelope.in_reply_to.map(|id| numbered('m', &id, ErrorCode::UnknownMessage)).transpose()?;
    check_message_size(&payload)?;
    let kind = limits::text("type", envelope.kind)?.unwrap_or_else(|| "message".to_owned());
    let key = limits::text("idempotency_key", key)?;
    Ok(Outgoing { from, to, payload, kind, in_reply_to, durable, key })
}

/// Sends it; answers with its number, the one agent it went to, and its state.
pub(crate) async fn send(
    orchestrator: &Orchestrator,
    actor: Actor,
    outgoing: Outgoing,
) -> Result<(u64, Option<AgentId>, MessageState), Refusal> {
    if let Ok(sender) = outgoing.from.parse() {
        orchestrator.heard_of(&sender);
    }
    match orchestrator.submit(actor, Command::Send(outgoing)).await? {
        Reply::Message { id, recipient, state } => Ok((id, recipient, state)),
        _ => Err(Refusal::from(orchestrator::Error::Internal("a message was answered by something else".into()))),
    }
}

pub(crate) fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, Refusal> {
    let value = request.headers().get("idempotency-key");
    value
        .map(|value| value.to_str().map(str::to_owned))
        .transpose()
        .map_err(|_| Refusal::new(ErrorCode::InvalidRequest, "the Idempotency-Key is no plain text", "use a UUID"))
}

fn sent(agent_id: Option<String>, message: &str, id: u64, state: MessageState) -> HttpResponse {
    HttpResponse::Ok().json(SendAnswer {
        status: success(),
        agent_id,
        message: message.to_owned(),
        timestamp: now(),
        message_id: format!("m{id}"),
        state,
    })
}

/// Send a message to one agent. The body is the payload; what stands around it rides in the query.
#[utoipa::path(tag = "messages",
    params(("agent_id" = String, Path), ("from" = Option<String>, Query), ("type" = Option<String>, Query),
        ("in_reply_to" = Option<String>, Query), ("durable" = Option<bool>, Query),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = serde_json::Value,
    responses((status = 200, body = SendAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/agents/{agent_id}/message")]
async fn message_agent(
    context: web::Data<Context>,
    http: HttpRequest,
    to: web::Path<String>,
    envelope: Query<Envelope>,
    body: MessageBody,
) -> Answer {
    // Someone else's route: it is no sign of life of the addressee, but `orchestrator` is a valid one.
    let to: Address =
        if to.eq_ignore_ascii_case(ORCHESTRATOR) { Address::Orchestrator } else { Address::Agent(to.parse()?) };
    let address = to.to_string();
    let durable = envelope.0.is_durable()?;
    let outgoing = outgoing(to, body.0, envelope.0, durable, idempotency_key(&http)?)?;
    let (id, recipient, state) = send(&context.orchestrator, context.caller(&http), outgoing).await?;
    let agent_id = recipient.map_or(address, |agent| agent.to_string());
    Ok(sent(Some(agent_id), "Message sent successfully", id, state))
}

/// Announce a message to everyone who listens; with `durable=true`, put it into every mailbox too.
#[utoipa::path(tag = "messages",
    params(("from" = Option<String>, Query), ("type" = Option<String>, Query), ("in_reply_to" = Option<String>, Query),
        ("durable" = Option<bool>, Query), ("Idempotency-Key" = Option<String>, Header)),
    request_body = serde_json::Value,
    responses((status = 200, body = SendAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/broadcast")]
async fn broadcast(
    context: web::Data<Context>,
    http: HttpRequest,
    envelope: Query<Envelope>,
    body: MessageBody,
) -> Answer {
    let durable = envelope.0.is_durable()?;
    let outgoing = outgoing(Address::Everyone, body.0, envelope.0, durable, idempotency_key(&http)?)?;
    let (id, _, state) = send(&context.orchestrator, context.caller(&http), outgoing).await?;
    Ok(sent(None, "Message broadcasted successfully", id, state))
}

/// Send a message with its whole envelope in the body.
#[utoipa::path(tag = "messages", request_body = MessageRequest,
    responses((status = 200, body = SendAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/messages")]
async fn send_message(context: web::Data<Context>, http: HttpRequest, request: Input<MessageRequest>) -> Answer {
    let MessageRequest { from, to, payload, kind, in_reply_to, durable, idempotency_key: key } = request.0;
    let key = key.or(idempotency_key(&http)?);
    let envelope = Envelope { from, kind, in_reply_to, durable: None };
    let outgoing = outgoing(to.parse()?, payload, envelope, durable.unwrap_or(false), key)?;
    let (id, recipient, state) = send(&context.orchestrator, context.caller(&http), outgoing).await?;
    Ok(sent(recipient.map(|agent| agent.to_string()), "Message sent successfully", id, state))
}

#[derive(Deserialize)]
struct ListQuery {
    #[serde(default)]
    state: Option<MessageState>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    thread: Option<String>,
}

/// Messages on their way or dead: `?state=dead` is the dead-letter list.
#[utoipa::path(tag = "messages",
    params(("state" = Option<MessageState>, Query), ("to" = Option<String>, Query), ("thread" = Option<String>, Query)),
    responses((status = 200, body = MessageList), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/messages")]
async fn list_messages(context: web::Data<Context>, query: Query<ListQuery>) -> Answer {
    let ListQuery { state, to, thread } = query.0;
    let thread = thread.map(|id| numbered('m', &id, ErrorCode::UnknownMessage)).transpose()?;
    let to: Option<AgentId> = to.map(|to| to.parse()).transpose()?;
    let messages = context.orchestrator.messages(state, thread, to.as_ref()).await?;
    Ok(HttpResponse::Ok().json(MessageList { status: success(), messages }))
}

/// What is known of a message.
#[utoipa::path(tag = "messages", params(("message_id" = String, Path, example = "m42")),
    responses((status = 200, body = MessageAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[get("/messages/{message_id}")]
async fn show_message(context: web::Data<Context>, id: web::Path<String>) -> Answer {
    let message = context.orchestrator.message(numbered('m', &id, ErrorCode::UnknownMessage)?).await?;
    Ok(HttpResponse::Ok().json(MessageAnswer { status: success(), message }))
}

/// Try a dead message anew. For the operator.
#[utoipa::path(tag = "messages", params(("message_id" = String, Path, example = "m42")),
    responses((status = 200, body = Ack), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[post("/messages/{message_id}/retry")]
async fn retry_message(context: web::Data<Context>, http: HttpRequest, id: web::Path<String>) -> Answer {
    super::sync::operator_only(&context, &http)?;
    let message = numbered('m', &id, ErrorCode::UnknownMessage)?;
    let command = Command::Mailbox(mailbox::Command::Revive { message });
    context.orchestrator.submit(Actor::Operator, command).await?;
    Ok(HttpResponse::Ok().json(Ack { status: success(), message_id: id.into_inner(), state: MessageState::Queued }))
}

/// Erase a message's body for good. That it was sent stays in the log. For the operator.
#[utoipa::path(tag = "messages", params(("message_id" = String, Path, example = "m42")),
    responses((status = 200, body = MessageAnswer), (status = "4XX", body = ErrorBody), (status = "5XX", body = ErrorBody)))]
#[delete("/messages/{message_id}")]
async fn erase_message(context: web::Data<Context>, http: HttpRequest, id: web::Path<String>) -> Answer {
    super::sync::operator_only(&context, &http)?;
    let message = numbered('m', &id, ErrorCode::UnknownMessage)?;
    context.orchestrator.erase_body(Actor::Operator, message).await?;
    let message = context.orchestrator.message(message).await?;
    Ok(HttpResponse::Ok().json(MessageAnswer { status: success(), message }))
}
