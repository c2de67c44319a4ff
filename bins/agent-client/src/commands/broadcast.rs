//! `agent-client broadcast`: tells everyone.

use crate::context::Context;
use crate::exit::Failure;
use crate::{payload, when};
use clap::Args;
use orchestrator_client::Broadcast;

/// Arguments of `broadcast`.
#[derive(Debug, Args)]
#[command(after_help = "\
An announcement reaches who is connected and stands in the event feed; with --durable it is put into every
mailbox, too, and waits there to be acknowledged.

Example:
  agent-client broadcast 'release freeze from 17:00' --from pm-agent --durable")]
pub(crate) struct Arguments {
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
    /// Put it into each mailbox instead of only announcing it.
    #[arg(long)]
    durable: bool,
    /// The same key from the same sender is the same message, however often it is sent.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let payload = payload::read(&arguments.payload, arguments.text)?;
    let request = Broadcast {
        payload: &payload,
        from: arguments.from.as_deref(),
        kind: arguments.kind.as_deref(),
        durable: arguments.durable,
        idempotency_key: arguments.idempotency_key.as_deref(),
    };
    let answer = context.client.broadcast(&request).await?;
    if context.out.is_json {
        return context.out.json(&answer);
    }
    context.out.line(&format!("{} {}", answer.message_id, when::word(&answer.state)))
}
