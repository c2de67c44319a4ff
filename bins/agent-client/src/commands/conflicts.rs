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
use orchestrator_protocol::{Conflict, ContentEncoding, EscalateRequest, ResolutionStatus, ResolveRequest, to_base64};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Arguments of `conflicts`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false)]
#[command(after_help = "\
Examples:
  agent-client conflicts --status pending
  agent-client conflicts --watch
  agent-client conflicts show c12
  agent-client conflicts resolve c12 --strategy 'kept both' --by architect-agent
  agent-client conflicts resolve c12 --apply --strategy ours
  agent-client conflicts resolve c12 --apply --strategy take --take dev-agent
  agent-client conflicts resolve c12 --apply --content merged.py
  agent-client conflicts escalate c12 --reason 'both rewrote the parser: which one do we want?'")]
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
    /// Mark a conflict as settled; with --apply, settle it by a merged result that its agents can pull.
    Resolve(Resolve),
    /// Ask a person to decide a conflict.
    Escalate(Escalate),
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
    /// How it was settled, 'manual' when left out; with --apply: ours, theirs, take, union, auto or manual.
    #[arg(long, value_name = "TEXT")]
    strategy: Option<String>,
    /// Who settled it.
    #[arg(long, value_name = "ID")]
    by: Option<String>,
    /// Merge for real instead of marking.
    #[arg(long)]
    apply: bool,
    /// Whose side to take, with the strategy 'take'.
    #[arg(long, value_name = "AGENT", requires = "apply")]
    take: Option<String>,
    /// File with the merged content, with the strategy 'manual'; - reads standard input.
    #[arg(long, value_name = "FILE", requires = "apply", conflicts_with = "take")]
    content: Option<PathBuf>,
    /// Take the content though it does not parse, or holds conflict markers.
    #[arg(long, requires = "content")]
    force: bool,
}

#[derive(Debug, Args)]
struct Escalate {
    /// Which conflict.
    #[arg(value_name = "CONFLICT")]
    id: String,
    /// What is to be decided, and why it cannot be settled otherwise.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who asks.
    #[arg(long, value_name = "ID")]
    by: Option<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    match arguments.action {
        Some(_) if arguments.watch => {
            return Err(Failure::usage("--watch shows all conflicts", "leave it out, or the subcommand"));
        }
        Some(Action::Show(Show { id })) => return show(context, &client.conflict(&id).await?),
        Some(Action::Resolve(resolve)) => return settle(context, resolve).await,
        Some(Action::Escalate(Escalate { id, reason, by })) => {
            let request = EscalateRequest { reason: Some(reason), escalated_by: by };
            let answer = client.escalate(&id, &request).await?;
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

async fn settle(context: &Context<'_>, resolve: Resolve) -> Result<(), Failure> {
    let Context { client, out } = context;
    let Resolve { id, strategy, by, apply, take, content, force } = resolve;
    let (content, encoding) = match content.map(|file| read(&file)).transpose()?.map(String::from_utf8) {
        None => (None, None),
        Some(Ok(text)) => (Some(text), None),
        Some(Err(error)) => (Some(to_base64(error.as_bytes())), Some(ContentEncoding::Base64)),
    };
    let strategy = strategy.or_else(|| take.as_ref().map(|_| "take".to_owned()));
    let request = ResolveRequest {
        resolution_strategy: strategy,
        resolved_by: by,
        apply: apply.then_some(true),
        agent: take,
        content,
        encoding,
        force: force.then_some(true),
    };
    let answer = client.resolve(&id, &request).await?;
    if out.is_json {
        return out.json(&answer);
    }
    out.line(&clean(&answer.message))?;
    let Some(made) = answer.resolution else { return Ok(()) };
    let what = match made.result {
        Some(_) => format!("{} ({} bytes)", made.file_path, made.size),
        None => format!("{} is deleted", made.file_path),
    };
    out.line(&clean(&format!("{what}; take it with 'agent-client pull AGENT'")))
}

/// The merged content as a file or standard input has it.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_end(&mut content).map(drop),
        false => std::fs::read(file).map(|read| content = read),
    };
    let unreadable = |error| Failure::usage(format!("{} cannot be read: {error}", file.display()), "give a file, or -");
    read.map_err(unreadable)?;
    Ok(content)
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
