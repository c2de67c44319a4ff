//! `agent-client send`: a message, and what became of it.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::{payload, when};
use clap::Args;
use orchestrator_protocol::{Message, MessageRequest, MessageState};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Arguments of `send`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client send dev-agent 'please rebase' --from qa-agent
  agent-client send capability:python '{\"action\": \"review\", \"file_path\": \"a.py\"}' --type task
  git diff | agent-client send dev-agent - --text --wait-ack 60")]
pub(crate) struct Arguments {
    /// An agent, 'capability:NAME', 'orchestrator', or '*' for everyone.
    #[arg(value_name = "TO")]
    to: String,
    /// JSON, or a text, which is sent as {"message": TEXT}; '-' reads standard input.
    #[arg(value_name = "PAYLOAD")]
    payload: String,
    /// Send the payload as a text even if it looks like JSON.
    #[arg(long)]
    text: bool,
    /// Who sends; 'orchestrator' when left out.
    #[arg(long, value_name = "ID")]
    from: Option<String>,
    /// What it is, such as 'task'.
    #[arg(long = "type", value_name = "WORD")]
    kind: Option<String>,
    /// The message that this answers.
    #[arg(long, value_name = "MESSAGE")]
    in_reply_to: Option<String>,
    /// The same key from the same sender is the same message, however often it is sent.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// For everyone: put it into each mailbox instead of only announcing it.
    #[arg(long)]
    durable: bool,
    /// Wait so many seconds until it is acknowledged.
    #[arg(long, value_name = "SECONDS")]
    wait_ack: Option<u32>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let request = MessageRequest {
        from: arguments.from,
        to: arguments.to,
        payload: payload::read(&arguments.payload, arguments.text)?,
        kind: arguments.kind,
        in_reply_to: arguments.in_reply_to,
        durable: arguments.durable.then_some(true),
        idempotency_key: arguments.idempotency_key,
    };
    let answer = context.client.send(&request).await?;
    let Some(seconds) = arguments.wait_ack else {
        if context.out.is_json {
            return context.out.json(&answer);
        }
        return context.out.line(&format!("{} {}", answer.message_id, when::word(&answer.state)));
    };
    let message = acknowledged(context, &answer.message_id, Duration::from_secs(seconds.into())).await?;
    if context.out.is_json {
        return context.out.json(&message);
    }
    context.out.line(&format!("{} {}", message.id, when::word(&message.state)))
}

/// Waits until a message is acknowledged.
async fn acknowledged(context: &Context<'_>, id: &str, patience: Duration) -> Result<Message, Failure> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(50);
    loop {
        let message = context.client.message_status(id).await?;
        match message.state {
            MessageState::Acknowledged => return Ok(message),
            MessageState::Dead => {
                let what = format!("{id} was given up after {} tries", message.deliveries);
                let cure = "see whether its receiver runs and acknowledges its messages";
                return Err(Failure::new(Exit::Failed, "message_dead", what, cure));
            }
            MessageState::Queued | MessageState::Delivered if Instant::now() >= deadline => {
                let state = when::word(&message.state);
                let what = format!("{id} is {state} and not acknowledged within {} s", patience.as_secs());
                let cure = format!("it stays in the mailbox; ask again with 'agent-client inbox {}'", message.to);
                return Err(Failure::new(Exit::Timeout, "timeout", what, cure));
            }
            MessageState::Queued | MessageState::Delivered => {}
        }
        sleep(pause.min(deadline.saturating_duration_since(Instant::now()))).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}
