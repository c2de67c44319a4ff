//! `agent-client snapshots` and `agent-client restore`: what is kept of agents' work, and getting it back.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::{Output, clean};
use crate::table::Table;
use crate::when::word;
use clap::{Args, Subcommand};
use orchestrator_protocol::{ChangedPath, RestoreAnswer, RestoreRequest, Snapshot, SnapshotAnswer};
use std::path::Path;

/// Arguments of `snapshots`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client snapshots list --agent-id dev-agent
  agent-client snapshots show s57 --agent-id dev-agent")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What to show.
#[derive(Debug, Subcommand)]
enum Action {
    /// List what is kept of an agent's work, newest first.
    List(Whose),
    /// Show what a snapshot changed, and what restoring it would change.
    Show {
        /// Which.
        #[arg(value_name = "SNAPSHOT")]
        snapshot: String,
        #[command(flatten)]
        whose: Whose,
    },
}

/// Whose work or workspace is meant.
#[derive(Debug, Args)]
struct Whose {
    /// The agent; when left out, the one whose workspace the current folder is in.
    #[arg(long, value_name = "ID")]
    agent_id: Option<String>,
}

/// Arguments of `restore`.
#[derive(Debug, Args)]
#[command(after_help = "\
What stands there is kept as a backup first; restoring that undoes it. Ignored files stay.

Examples:
  agent-client restore s57 --dry-run
  agent-client restore s57 src/api README.md
  agent-client restore s57 --agent-id other-agent")]
pub(crate) struct Restore {
    /// A snapshot's id, of this agent or another one, or a commit's 40 hex digits.
    #[arg(value_name = "SNAPSHOT")]
    snapshot: String,
    /// Files and folders, from the workspace's top; all when left out.
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    whose: Whose,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    match arguments.action {
        Action::List(whose) => {
            let list = client.snapshots(&agent(context, whose).await?).await?;
            if out.is_json { out.json(&list) } else { out.table(&table(list.snapshots), "nothing is kept yet") }
        }
        Action::Show { snapshot, whose } => {
            let answer = client.snapshot(&agent(context, whose).await?, &snapshot).await?;
            if out.is_json { out.json(&answer) } else { show(out, &answer) }
        }
    }
}

pub(crate) async fn restore(context: &Context<'_>, arguments: Restore) -> Result<(), Failure> {
    let Restore { snapshot, paths, whose, dry_run } = arguments;
    let agent = agent(context, whose).await?;
    let paths = (!paths.is_empty()).then_some(paths);
    let answer = context.client.restore(&agent, &RestoreRequest { snapshot, paths, dry_run: Some(dry_run) }).await?;
    if context.out.is_json { context.out.json(&answer) } else { restored(context.out, &answer) }
}

/// The agent that is named, or that works in the current folder.
async fn agent(context: &Context<'_>, whose: Whose) -> Result<String, Failure> {
    if let Some(agent) = whose.agent_id {
        return Ok(agent);
    }
    let here = std::env::current_dir().and_then(|folder| folder.canonicalize()).unwrap_or_default();
    let workspaces = context.client.workspaces().await?.workspaces;
    let around = |path: &str| Path::new(path).canonicalize().is_ok_and(|path| here.starts_with(path));
    let placed = workspaces.into_iter().filter_map(|one| Some((one.path?, one.agent_id)));
    let found = placed.filter(|(path, _)| around(path)).max_by_key(|(path, _)| path.len());
    found.map(|(_, agent)| agent.to_string()).ok_or_else(|| {
        Failure::usage("the current folder is no agent's workspace".to_owned(), "name the agent with --agent-id ID")
    })
}

fn table(snapshots: Vec<Snapshot>) -> Table {
    let mut table = Table::new(&["SNAPSHOT", "TAKEN", "FOR", "PATHS", "ON", "COMMIT"]);
    for one in snapshots {
        let short = |hex: Option<String>| hex.map(|hex| hex.chars().take(10).collect()).unwrap_or_default();
        let commit = if one.available { short(one.commit) } else { "gone".to_owned() };
        let paths = one.paths.map(|paths| paths.to_string()).unwrap_or_default();
        table.row([one.snapshot_id, word(&one.taken_at), one.reason, paths, short(one.head), commit]);
    }
    table
}

fn show(out: &Output, answer: &SnapshotAnswer) -> Result<(), Failure> {
    let of = format!("{} of {}", answer.snapshot.snapshot_id, answer.snapshot.agent_id);
    out.line(&format!("{of}, taken {} ({})", word(&answer.snapshot.taken_at), clean(&answer.snapshot.reason)))?;
    if answer.snapshot.left_out > 0 {
        out.line(&format!("{} files were too large to be kept with it", answer.snapshot.left_out))?;
    }
    paths(out, "it changed", &answer.changes)?;
    match &answer.since {
        Some(since) => paths(out, "restoring it would change", since)?,
        None => out.line("the agent's workspace is not followed")?,
    }
    if answer.truncated { out.line("there are more paths than are shown") } else { Ok(()) }
}

fn paths(out: &Output, what: &str, changes: &[ChangedPath]) -> Result<(), Failure> {
    if changes.is_empty() {
        return out.line(&format!("{what} nothing"));
    }
    out.line(&format!("{what}:"))?;
    changes.iter().try_for_each(|one| out.line(&format!("  {:<8}  {}", word(&one.change), clean(&one.path))))
}

fn restored(out: &Output, answer: &RestoreAnswer) -> Result<(), Failure> {
    let did = |done: &'static str, would: &'static str| if answer.dry_run { would } else { done };
    for (what, paths) in [
        (did("written", "would write"), &answer.written),
        (did("removed", "would remove"), &answer.removed),
        (did("left alone", "would leave alone"), &answer.skipped),
    ] {
        paths.iter().try_for_each(|path| out.line(&format!("{what}  {}", clean(path))))?;
    }
    let count = answer.written.len() + answer.removed.len();
    let paths = if count == 1 { "path" } else { "paths" };
    out.line(&format!("{count} {paths} {}", did("changed", "would change")))?;
    match &answer.backup {
        Some(backup) => {
            let (agent, backup) = (&answer.agent_id, &backup.snapshot_id);
            out.line(&format!("to undo it: agent-client restore --agent-id {agent} {}", clean(backup)))
        }
        None => Ok(()),
    }
}
