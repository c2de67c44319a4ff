//! `agent-client recommend`: who fits best.

use crate::context::Context;
use crate::exit::Failure;
use crate::table::Table;
use clap::Args;

/// Arguments of `recommend`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent-client recommend --path src/api/users.py --capabilities testing")]
pub(crate) struct Arguments {
    /// The file that the work is about.
    #[arg(long)]
    path: Option<String>,
    /// What the work needs, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    capabilities: Vec<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let answer = context.client.recommend(arguments.path.as_deref(), &arguments.capabilities).await?;
    if context.out.is_json {
        return context.out.json(&answer);
    }
    let mut table = Table::new(&["AGENT", "SCORE", "LOAD", "WHY"]);
    for one in answer.recommendations {
        table.row([
            one.agent_id.to_string(),
            format!("{:.2}", one.score),
            format!("{:.0}%", one.workload.get() * 100.0),
            one.reasons.join("; "),
        ]);
    }
    context.out.table(&table, "no agent is available")
}
