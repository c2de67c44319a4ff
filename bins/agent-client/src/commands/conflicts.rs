//! `agent-client conflicts`: work that collides.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::clean;
use crate::table::Table;
use crate::when::{ago, now, word};
use clap::{Args, Subcommand};
use orchestrator_protocol::{ResolutionStatus, ResolveRequest};

/// Arguments of `conflicts`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
#[command(after_help = "\
Examples:
  agent-client conflicts --status pending
  agent-client conflicts resolve c12 --strategy 'kept both' --by architect-agent")]
pub(crate) struct Arguments {
    /// Only those that are pending, resolving, resolved or escalated.
    #[arg(long)]
    status: Option<ResolutionStatus>,
    #[command(subcommand)]
    action: Option<Action>,
}

/// What to do with one.
#[derive(Debug, Subcommand)]
enum Action {
    /// Mark a conflict as settled.
    Resolve(Resolve),
}

#[derive(Debug, Args)]
struct Resolve {
    /// Which conflict.
    #[arg(value_name = "CONFLICT")]
    id: String,
    /// How it was settled; 'manual' when left out.
    #[arg(long, value_name = "TEXT")]
    strategy: Option<String>,
    /// Who settled it.
    #[arg(long, value_name = "ID")]
    by: Option<String>,
    /// Merge for real instead of marking.
    #[arg(long)]
    apply: bool,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    if let Some(Action::Resolve(Resolve { id, strategy, by, apply })) = arguments.action {
        let request = ResolveRequest { resolution_strategy: strategy, resolved_by: by, apply: apply.then_some(true) };
        let answer = client.resolve(&id, &request).await?;
        return if out.is_json { out.json(&answer) } else { out.line(&clean(&answer.message)) };
    }
    let list = client.conflicts(arguments.status).await?;
    if out.is_json {
        return out.json(&list);
    }
    let mut table = Table::new(&["ID", "SEVERITY", "STATUS", "TYPE", "AGENTS", "PATH", "FOUND"]);
    for conflict in list.conflicts {
        let agents: Vec<String> = conflict.conflicting_agents.iter().map(ToString::to_string).collect();
        table.row([
            conflict.conflict_id,
            word(&conflict.severity),
            word(&conflict.resolution_status),
            word(&conflict.conflict_type),
            agents.join(","),
            conflict.file_path,
            ago(conflict.detected_at, now()),
        ]);
    }
    out.table(&table, "no conflicts")
}
