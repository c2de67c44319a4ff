//! `agent-client merge`: work on its way to a branch.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Output, clean};
use crate::table::Table;
use crate::when::word;
use clap::{Args, Subcommand};
use orchestrator_protocol::{Merge, MergeRequest, MergeState};
use std::time::Duration;

/// How often a merge that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Arguments of `merge`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client merge request --agent-id dev-agent --message \"Add a parser\" --wait
  agent-client merge list
  agent-client merge show merge-42
  agent-client merge cancel merge-42")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// Ask for an agent's work to land, as it stands.
    Request(Request),
    /// List the merges: those that are not over first.
    List,
    /// Show one merge: how far it is, its gates, and what is left to somebody.
    Show {
        /// Which.
        #[arg(value_name = "MERGE")]
        merge: String,
    },
    /// Take a merge out of the queue.
    Cancel {
        /// Which.
        #[arg(value_name = "MERGE")]
        merge: String,
    },
}

/// What is to land.
#[derive(Debug, Args)]
struct Request {
    /// Whose work.
    #[arg(long, value_name = "ID")]
    agent_id: String,
    /// The branch; the one that is checked out in the project when left out.
    #[arg(long, value_name = "BRANCH")]
    target: Option<String>,
    /// What the commit says.
    #[arg(long, short, value_name = "TEXT")]
    message: Option<String>,
    /// Higher goes first.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// A snapshot, branch or commit instead of the work as it stands.
    #[arg(long, value_name = "NAME")]
    snapshot: Option<String>,
    /// Tell each step, and return when it is over: 0 when it landed, 5 when it did not.
    #[arg(long)]
    wait: bool,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    match arguments.action {
        Action::Request(Request { agent_id, target, message, priority, snapshot, wait }) => {
            let request = MergeRequest { agent_id, target, message, priority, snapshot };
            let answer = client.request_merge(&request).await?;
            if wait {
                return follow(context, answer.merge).await;
            }
            if out.is_json { out.json(&answer) } else { show(out, &answer.merge) }
        }
        Action::List => {
            let list = client.merges().await?;
            if out.is_json { out.json(&list) } else { out.table(&table(&list.merges), "nothing was asked to land yet") }
        }
        Action::Show { merge } => {
            let answer = client.merge(&merge).await?;
            if out.is_json { out.json(&answer) } else { show(out, &answer.merge) }
        }
        Action::Cancel { merge } => {
            let answer = client.cancel_merge(&merge).await?;
            if out.is_json { out.json(&answer) } else { show(out, &answer.merge) }
        }
    }
}

/// Tells each step until the merge is over.
async fn follow(context: &Context<'_>, mut merge: Merge) -> Result<(), Failure> {
    let out = context.out;
    let mut told = String::new();
    loop {
        let line = progress(&merge);
        if !out.is_json && line != told {
            out.line(&line)?;
            told = line;
        }
        if is_over(merge.state) {
            break;
        }
        tokio::time::sleep(LOOK).await;
        merge = context.client.merge(&merge.merge_id).await?.merge;
    }
    if out.is_json {
        out.json(&merge)?;
    } else {
        show(out, &merge)?;
    }
    match merge.state {
        MergeState::Landed => Ok(()),
        _ => Err(Failure::new(
            Exit::Conflict,
            "not_landed",
            format!("{} did not land: {}", merge.merge_id, merge.reason.as_deref().unwrap_or("it was cancelled")),
            "see what is left with 'agent-client merge show', change the work, and ask again",
        )),
    }
}

fn is_over(state: MergeState) -> bool {
    !matches!(state, MergeState::Queued | MergeState::Merging | MergeState::Gating | MergeState::Waiting)
}

fn progress(merge: &Merge) -> String {
    let gates: Vec<String> = merge.gates.iter().map(|gate| format!("{} {}", gate.name, word(&gate.verdict))).collect();
    let reason = merge.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let gates = if gates.is_empty() { String::new() } else { format!(" ({})", gates.join(", ")) };
    clean(&format!("{} {}{gates}{reason}", merge.merge_id, merge.state.as_str())).into_owned()
}

fn table(merges: &[Merge]) -> Table {
    let mut table = Table::new(&["MERGE", "STATE", "AGENT", "TO", "PATHS", "MESSAGE", "WHY"]);
    for one in merges {
        let first = one.message.lines().next().unwrap_or_default();
        table.row([
            one.merge_id.clone(),
            one.state.as_str().to_owned(),
            one.agent_id.to_string(),
            one.branch.clone().unwrap_or_else(|| one.target.clone()),
            one.paths.to_string(),
            first.chars().take(40).collect(),
            one.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

fn show(out: &Output, merge: &Merge) -> Result<(), Failure> {
    let to = merge.branch.as_ref().unwrap_or(&merge.target);
    out.line(&clean(&format!("{} of {} to {to}: {}", merge.merge_id, merge.agent_id, merge.state.as_str())))?;
    if let Some(reason) = &merge.reason {
        out.line(&format!("  {}", clean(reason)))?;
    }
    if let Some(commit) = &merge.commit {
        out.line(&format!(
            "  commit {commit}, paths that change: {}, onto {}",
            merge.paths,
            merge.base.as_deref().unwrap_or("")
        ))?;
    }
    if let Some(batch) = &merge.batch {
        out.line(&format!("  gated together: {}, on the tree {}", clean(&batch.merges.join(", ")), batch.tree))?;
    }
    for settled in &merge.settled {
        out.line(&format!("  files that both sides changed: {}, settled by {}", settled.files, clean(&settled.layer)))?;
    }
    for gate in &merge.gates {
        let notes = [(gate.flaky, " at the second try"), (gate.cached, " before, on the same tree")];
        let notes: String = notes.iter().filter(|(holds, _)| *holds).map(|(_, note)| *note).collect();
        let name = clean(&gate.name);
        out.line(&format!("  gate {name}: {}{notes} ({:.1} s)", word(&gate.verdict), gate.seconds))?;
        gate.not_enforced.iter().try_for_each(|one| out.line(&format!("    not enforced: {}", clean(one))))?;
        gate.output.lines().try_for_each(|line| out.line(&format!("    {}", clean(line))))?;
    }
    merge.open.iter().try_for_each(|open| out.line(&format!("  {}: {}", clean(&open.file_path), clean(&open.reason))))
}
