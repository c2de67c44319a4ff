//! `agent-client conflicts`: work that collides.

mod meaning;
mod shown;
mod watch;

use crate::context::Context;
use crate::exit::Failure;
use crate::output::clean;
use crate::table::Table;
use crate::when::{ago, now, word};
use clap::{Args, Subcommand};
use orchestrator_protocol::{Conflict, ResolutionStatus, ResolveRequest};

/// Arguments of `conflicts`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
#[command(after_help = "\
Examples:
  agent-client conflicts --status pending
  agent-client conflicts --watch
  agent-client conflicts show c12
  agent-client conflicts resolve c12 --strategy 'kept both' --by architect-agent")]
pub(crate) struct Arguments {
    /// Only those that are pending, resolving, resolved or escalated.
    #[arg(long)]
    status: Option<ResolutionStatus>,
    /// Show what is open with everybody's lines, and go on as conflicts are found, change and end.
    #[arg(long)]
    watch: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

/// What to do with one.
#[derive(Debug, Subcommand)]
enum Action {
    /// Show one, with the lines that collide.
    Show(Show),
    /// Mark a conflict as settled.
    Resolve(Resolve),
}

#[derive(Debug, Args)]
struct Show {
    /// Which conflict.
    #[arg(value_name = "CONFLICT")]
    id: String,
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
    match arguments.action {
        Some(_) if arguments.watch => {
            return Err(Failure::usage("--watch shows all conflicts", "leave it out, or the subcommand"));
        }
        Some(Action::Show(Show { id })) => return show(context, &client.conflict(&id).await?),
        Some(Action::Resolve(Resolve { id, strategy, by, apply })) => {
            let apply = apply.then_some(true);
            let request = ResolveRequest { resolution_strategy: strategy, resolved_by: by, apply };
            let answer = client.resolve(&id, &request).await?;
            return if out.is_json { out.json(&answer) } else { out.line(&clean(&answer.message)) };
        }
        None if arguments.watch => return watch::run(context, arguments.status).await,
        None => {}
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

fn show(context: &Context<'_>, conflict: &Conflict) -> Result<(), Failure> {
    let out = context.out;
    if out.is_json {
        return out.json(conflict);
    }
    for line in shown::lines(out, conflict, &word(&conflict.resolution_status), now()) {
        out.line(&line)?;
    }
    Ok(())
}
