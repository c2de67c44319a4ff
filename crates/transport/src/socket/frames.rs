//! What a frame asks, and its answer.

use super::Role;
use crate::answer::Refusal;
use crate::context::Context;
use crate::limits;
use crate::routes::agents::status_command;
use crate::routes::messages::{Envelope, outgoing, send};
use crate::routes::now;
use crate::routes::sync::normalised;
use orchestrator::{Actor, Command};
use orchestrator_conflict as conflict;
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{AgentId, ChangeType, ClientFrame, ErrorCode, FrameError, ORCHESTRATOR, ServerFrame};

/// What comes back: the text of a frame, or nothing.
pub(super) type Reply = Result<Option<String>, Refusal>;

/// Carries out a frame.
pub(super) async fn carry_out(context: &Context, role: &Role, frame: ClientFrame) -> Reply {
    let orchestrator = &context.orchestrator;
    match (frame, role) {
        (ClientFrame::Ping, _) => Ok(Some(ServerFrame::Pong { timestamp: now() }.to_json())),
        (ClientFrame::Pong, _) => Ok(None),
        (ClientFrame::GetStatus, _) => {
            let status = orchestrator.sync_status().await?;
            Ok(Some(ServerFrame::StatusResponse { status, timestamp: now() }.to_json()))
        }
        (ClientFrame::Command(text), role) => {
            let actor = match role {
                Role::Orchestrator => Actor::Anyone,
                Role::Agent(id) => Actor::Agent(id.clone()),
            };
            Ok(Some(orchestrator.control(actor, &text).await.0.to_frame()))
        }
        (frame @ ClientFrame::AgentMessage { .. }, role) => message(context, role, frame).await,
        (ClientFrame::MessageAck { .. }, Role::Orchestrator) => Ok(None),
        (ClientFrame::MessageAck { message_id }, Role::Agent(agent)) => {
            acknowledge(context, agent, &message_id).await?;
            Ok(None)
        }
        (ClientFrame::StatusUpdate(request), Role::Agent(agent)) => {
            let command = status_command(agent.clone(), request)?;
            orchestrator.submit(Actor::Agent(agent.clone()), command).await?;
            Ok(Some(ServerFrame::StatusUpdateAck { agent_id: agent.as_str(), timestamp: now() }.to_json()))
        }
        (ClientFrame::CodeChange { file_path, change_type }, Role::Agent(agent)) => {
            code_change(context, agent, &file_path, &change_type).await
        }
        (ClientFrame::StatusUpdate(_) | ClientFrame::CodeChange { .. }, Role::Orchestrator) => {
            let detail = "this frame belongs on an agent's own socket";
            Err(Refusal::new(ErrorCode::UnknownFrame, detail, "connect to /api/orchestration/ws/agent/{id}"))
        }
    }
}

async fn code_change(context: &Context, agent: &AgentId, file_path: &str, change_type: &str) -> Reply {
    let kind: ChangeType = change_type
        .parse()
        .map_err(|error: String| Refusal::new(ErrorCode::InvalidChangeType, error, "most edits are 'modified'"))?;
    let command = conflict::Command::Change {
        path: normalised(&context.orchestrator, file_path)?,
        agent: Some(agent.clone()),
        change_type: kind,
        hash: None,
        previous_hash: None,
        previous_path: None,
    };
    context.orchestrator.submit(Actor::Agent(agent.clone()), Command::Conflict(command)).await?;
    Ok(Some(ServerFrame::CodeChangeAck { file_path, change_type, timestamp: now() }.to_json()))
}

async fn message(context: &Context, role: &Role, frame: ClientFrame) -> Reply {
    let ClientFrame::AgentMessage { from, to, payload, message_type, in_reply_to, durable, idempotency_key } = frame
    else {
        return Ok(None);
    };
    // On an agent's socket the sender is that agent, whatever the frame says.
    let (from, actor) = match role {
        Role::Agent(agent) => (agent.to_string(), Actor::Agent(agent.clone())),
        Role::Orchestrator => (from.unwrap_or_else(|| ORCHESTRATOR.to_owned()), Actor::Anyone),
    };
    let envelope = Envelope { from: Some(from), kind: message_type, in_reply_to, durable: None };
    let key = limits::text("idempotency_key", idempotency_key)?;
    let outgoing = outgoing(to.parse()?, payload, envelope, durable, key)?;
    let (id, _, state) = send(&context.orchestrator, actor, outgoing).await?;
    let message_id = format!("m{id}");
    Ok(Some(ServerFrame::AgentMessageAck { message_id: &message_id, state, timestamp: now() }.to_json()))
}

/// Documented clients acknowledge whatever they get, notices included: what names no message is no error.
async fn acknowledge(context: &Context, agent: &AgentId, message_id: &str) -> Result<(), Refusal> {
    let Some(message) = message_id.strip_prefix('m').and_then(|digits| digits.parse().ok()) else { return Ok(()) };
    let command = mailbox::Command::Acknowledge { agent: agent.clone(), message };
    context.orchestrator.submit(Actor::Agent(agent.clone()), Command::Mailbox(command)).await?;
    Ok(())
}

/// The refusal of a frame that could not be read.
#[expect(clippy::needless_pass_by_value, reason = "it is a map_err function")]
pub(super) fn unreadable(error: FrameError) -> Refusal {
    Refusal::new(error.code(), error.to_string(), "send one JSON object with a 'type' a frame, or a *command")
}
