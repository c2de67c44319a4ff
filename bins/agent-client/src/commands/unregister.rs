//! `agent-client unregister`: takes an agent off the list.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::clean;
use clap::Args;

/// Arguments of `unregister`.
#[derive(Debug, Args)]
#[command(after_help = "Doing it again changes nothing.")]
pub(crate) struct Arguments {
    /// The agent's name.
    #[arg(value_name = "ID")]
    agent_id: String,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let answer = context.client.unregister(&arguments.agent_id).await?;
    if context.out.is_json {
        return context.out.json(&answer);
    }
    context.out.line(&format!("unregistered {}", clean(&arguments.agent_id)))
}
