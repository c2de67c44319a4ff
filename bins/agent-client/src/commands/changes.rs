//! `agent-client changes`: recent file changes.

use crate::context::Context;
use crate::exit::Failure;
use crate::table::Table;
use crate::when::{ago, now, word};
use clap::Args;
use orchestrator_client::ChangesQuery;

/// Arguments of `changes`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent-client changes --agent dev-agent --limit 20")]
pub(crate) struct Arguments {
    /// Only changes newer than this event.
    #[arg(long, value_name = "SEQ")]
    since: Option<u64>,
    /// Only this agent's changes.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Only changes of this path.
    #[arg(long)]
    path: Option<String>,
    /// At most so many.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Arguments { since, agent, path, limit } = arguments;
    let list = context.client.changes(&ChangesQuery { since, agent, path, limit }).await?;
    if context.out.is_json {
        return context.out.json(&list);
    }
    let mut table = Table::new(&["EVENT", "WHEN", "WHO", "CHANGE", "LEVEL", "PATH", "ALSO EDITED BY"]);
    for change in list.changes {
        let also: Vec<String> = change.affected_agents.iter().map(ToString::to_string).collect();
        table.row([
            change.seq.to_string(),
            ago(change.timestamp, now()),
            change.agent_id.map(|id| id.to_string()).unwrap_or_default(),
            word(&change.change_type),
            word(&change.conflict_level),
            change.file_path,
            also.join(","),
        ]);
    }
    context.out.table(&table, "no change is known; see 'agent-client status' for whether files are watched")
}
