//! `agent-client inbox`: reads a mailbox.

use crate::context::Context;
use crate::exit::Failure;
use crate::following::{WAIT, persist, rest};
use crate::output::clean;
use crate::when;
use clap::Args;
use orchestrator_protocol::{ClaimRequest, Inbox, InboxMessage};
use std::time::Duration;
use tokio::time::Instant;

/// Arguments of `inbox`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reading acknowledges nothing and counts as no delivery, so that it can be repeated. --claim takes messages: nobody
else gets them for as long as --ttl says, and --ack finishes them.

Examples:
  agent-client inbox dev-agent
  agent-client inbox dev-agent --follow --ack
  agent-client inbox dev-agent --claim --max 5 --wait 30 --json")]
pub(crate) struct Arguments {
    /// Whose mailbox.
    #[arg(value_name = "ID")]
    agent_id: String,
    /// Only messages newer than this cursor.
    #[arg(long, value_name = "SEQ", conflicts_with = "claim")]
    after: Option<u64>,
    /// Wait so many seconds for a message when there is none.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=60))]
    wait: Option<u32>,
    /// Go on, and show messages as they come.
    #[arg(long)]
    follow: bool,
    /// Acknowledge each message once it is printed.
    #[arg(long)]
    ack: bool,
    /// Take the messages, so that nobody else gets them.
    #[arg(long)]
    claim: bool,
    /// Take at most so many at once.
    #[arg(long, value_name = "NUMBER", requires = "claim")]
    max: Option<u64>,
    /// Take them for so many seconds.
    #[arg(long, value_name = "SECONDS", requires = "claim")]
    ttl: Option<u64>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let asked = arguments.wait.map(|seconds| Duration::from_secs(seconds.into()));
    if !arguments.follow {
        let inbox = read(context, &arguments, arguments.after, asked).await?;
        if context.out.is_json {
            context.out.json(&inbox)?;
        } else if inbox.messages.is_empty() {
            context.out.note("no message waits");
        }
        return settle(context, &arguments, &inbox.messages, !context.out.is_json).await;
    }
    let mut after = arguments.after;
    loop {
        let asked = Instant::now();
        let inbox = persist(context.out, async || read(context, &arguments, after, Some(WAIT)).await).await?;
        settle(context, &arguments, &inbox.messages, true).await?;
        rest(inbox.messages.is_empty(), asked).await;
        after = Some(inbox.next);
    }
}

async fn read(
    context: &Context<'_>,
    arguments: &Arguments,
    after: Option<u64>,
    wait: Option<Duration>,
) -> Result<Inbox, orchestrator_client::Error> {
    if !arguments.claim {
        return context.client.inbox(&arguments.agent_id, after, wait).await;
    }
    let wait = wait.map(|wait| wait.as_secs_f64());
    let request = ClaimRequest { max: arguments.max, wait, ttl_seconds: arguments.ttl };
    context.client.claim(&arguments.agent_id, &request).await
}

/// Prints messages one by one and acknowledges each where that is asked for.
async fn settle(
    context: &Context<'_>,
    arguments: &Arguments,
    messages: &[InboxMessage],
    prints: bool,
) -> Result<(), Failure> {
    for message in messages {
        if prints && context.out.is_json {
            context.out.json(message)?;
        } else if prints {
            context.out.line(&line(context, message))?;
        }
        if arguments.ack {
            persist(context.out, async || context.client.acknowledge(&arguments.agent_id, &message.id).await).await?;
        }
    }
    Ok(())
}

fn line(context: &Context<'_>, message: &InboxMessage) -> String {
    let clock = context.out.dim(&when::clock(message.timestamp));
    let payload = message.payload.as_ref().map_or("(erased)", |payload| payload.as_str());
    let kind = if message.kind == "message" { String::new() } else { format!("[{}] ", message.kind) };
    let reply = message.in_reply_to.as_ref().map(|id| format!(" (answers {id})")).unwrap_or_default();
    let from = context.out.bold(&format!("{:14}", clean(&message.from)));
    format!("{clock}  {:6}  {from}  {}{}{reply}", message.id, clean(&kind), clean(payload))
}
