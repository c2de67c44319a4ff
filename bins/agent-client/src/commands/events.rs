//! `agent-client events`: the feed.

use crate::context::Context;
use crate::exit::Failure;
use crate::feed;
use crate::following::{WAIT, persist, rest};
use clap::Args;
use orchestrator_protocol::EventPage;
use tokio::time::Instant;

/// Events asked for at once.
const PAGE: u64 = 500;

/// Arguments of `events`.
#[derive(Debug, Args)]
#[command(after_help = "\
Without --follow: everything that is kept, or what came after --after. With --follow: what happens from now on, or
from --after on; a restart of the server is waited for, and nothing is left out.

Examples:
  agent-client events --after 120
  agent-client events --follow --json")]
pub(crate) struct Arguments {
    /// Only events after this number.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
    /// Go on, and show events as they happen.
    #[arg(long)]
    follow: bool,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut after = match arguments.after {
        Some(after) => after,
        None if arguments.follow => persist(out, async || client.health().await).await?.seq,
        None => 0,
    };
    while left > 0 {
        let asked = Instant::now();
        let limit = Some(left.min(PAGE));
        let page = if arguments.follow {
            persist(out, async || client.events(Some(after), limit, Some(WAIT)).await).await?
        } else {
            client.events(Some(after), limit, None).await?
        };
        let EventPage { events, next, .. } = page;
        for event in &events {
            if out.is_json { out.json(event)? } else { out.line(&feed::line(out, event.as_str()))? }
        }
        left = left.saturating_sub(events.len() as u64);
        let is_at_end = events.is_empty() && next <= after;
        if is_at_end && !arguments.follow {
            break;
        }
        rest(is_at_end, asked).await;
        after = next;
    }
    Ok(())
}
