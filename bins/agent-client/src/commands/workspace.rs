//! `agent-client workspace`: folders for agents to work in.

mod push;

use crate::context::Context;
use crate::exit::Failure;
use crate::output::{Output, clean};
use crate::table::Table;
use crate::when::word;
use clap::{Args, Subcommand, ValueEnum};
use orchestrator_protocol::{
    AgentId, Isolation, Keep, MadeWorkspace, RemoveWorkspaceRequest, RemovedAnswer, Workspace, WorkspaceAnswer,
    WorkspaceRequest,
};

/// Arguments of `workspace`.
#[derive(Debug, Args)]
#[command(after_help = "\
A workspace is a git worktree on a branch of its own, or with '--isolation clone' a repository of its own. Removing one
refuses while it holds work that has not landed.

Examples:
  agent-client workspace create dev-agent
  agent-client workspace create dev-agent --branch topic/login --from main
  agent-client workspace create qa-agent --isolation clone
  agent-client workspace list
  agent-client workspace push --agent-id far-agent --watch ~/clone
  agent-client workspace remove dev-agent --keep-snapshot")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What to do with workspaces.
#[derive(Debug, Subcommand)]
enum Action {
    /// Make a workspace for a registered agent, or show the one that was made.
    Create(Create),
    /// List the folders that agents work in.
    List,
    /// Send the work in a folder that the server cannot see.
    Push(push::Push),
    /// Remove an agent's workspace; a worktree's branch stays.
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Create {
    /// Who is to work there.
    #[arg(value_name = "AGENT")]
    agent_id: String,
    /// The branch, new or checked out nowhere; agent/AGENT when left out.
    #[arg(long, value_name = "BRANCH")]
    branch: Option<String>,
    /// Begin at this branch, tag or commit; what the project has checked out when left out.
    #[arg(long, value_name = "REF")]
    from: Option<String>,
    /// How far it is apart from the project.
    #[arg(long)]
    isolation: Option<Apart>,
}

#[derive(Debug, Args)]
struct Remove {
    /// Whose.
    #[arg(value_name = "AGENT")]
    agent_id: String,
    /// Keep work that has not landed as a commit instead of refusing.
    #[arg(long)]
    keep_snapshot: bool,
    /// Let files go that git ignores and no snapshot holds.
    #[arg(long)]
    discard_ignored: bool,
}

/// How far a workspace is apart from the project.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Apart {
    Worktree,
    Clone,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    match arguments.action {
        Action::Create(Create { agent_id, branch, from, isolation }) => {
            let isolation = isolation.map(|apart| match apart {
                Apart::Worktree => Isolation::Worktree,
                Apart::Clone => Isolation::Clone,
            });
            let answer = client.create_workspace(&agent_id, &WorkspaceRequest { branch, from, isolation }).await?;
            if out.is_json { out.json(&answer) } else { made(out, &answer) }
        }
        Action::Push(arguments) => push::run(context, arguments).await,
        Action::List => {
            let list = client.workspaces().await?;
            let empty = "no workspace; make one with 'agent-client workspace create AGENT'";
            if out.is_json { out.json(&list) } else { out.table(&table(list.workspaces), empty) }
        }
        Action::Remove(Remove { agent_id, keep_snapshot, discard_ignored }) => {
            let keep = keep_snapshot.then_some(Keep::Snapshot);
            let request = RemoveWorkspaceRequest { keep, discard_ignored: discard_ignored.then_some(true) };
            let answer = client.remove_workspace(&agent_id, &request).await?;
            if out.is_json { out.json(&answer) } else { removed(out, &answer) }
        }
    }
}

fn made(out: &Output, answer: &WorkspaceAnswer) -> Result<(), Failure> {
    let MadeWorkspace { path, branch, head, isolation, copied, linked, left_out } = &answer.workspace;
    let left_out: Vec<String> = left_out.iter().map(|one| format!("{} ({})", one.path, one.reason)).collect();
    let mut table = Table::new(&["WORKSPACE OF", answer.agent_id.as_str()]);
    for (name, value) in [
        ("path", path.clone()),
        ("isolation", word(isolation)),
        ("branch", branch.clone().unwrap_or_default()),
        ("head", head.clone().unwrap_or_default()),
        ("copied", copied.join(", ")),
        ("linked", linked.join(", ")),
        ("left out", left_out.join(", ")),
    ] {
        table.row([name.to_owned(), value]);
    }
    out.table(&table, "")
}

fn table(workspaces: Vec<Workspace>) -> Table {
    let mut table = Table::new(&["AGENT", "ISOLATION", "BRANCH", "HEAD", "CHANGED", "STATE", "PATH"]);
    for one in workspaces {
        let state = match (one.reason, one.busy) {
            (Some(reason), _) => format!("not followed: {reason}"),
            (None, Some(busy)) => format!("git is busy ({})", word(&busy)),
            (None, None) if one.pushed => "pushed".to_owned(),
            (None, None) => "followed".to_owned(),
        };
        let others: Vec<&str> = one.shared_with.iter().map(AgentId::as_str).collect();
        let state = if others.is_empty() { state } else { format!("{state}, shared with {}", others.join(", ")) };
        table.row([
            one.agent_id.to_string(),
            one.isolation.as_ref().map(word).unwrap_or_default(),
            one.branch.unwrap_or_default(),
            one.head.map(|head| head.chars().take(10).collect()).unwrap_or_default(),
            one.dirty.map(|dirty| dirty.to_string()).unwrap_or_default(),
            state,
            one.path.unwrap_or_default(),
        ]);
    }
    table
}

fn removed(out: &Output, answer: &RemovedAnswer) -> Result<(), Failure> {
    let path = clean(&answer.path);
    if !answer.removed {
        return out.line(&format!("{path} stays; it is no longer the workspace of {}", answer.agent_id));
    }
    let ignored = match answer.ignored_files {
        0 => String::new(),
        ignored => format!(", {ignored} of them ignored by git"),
    };
    let files = if answer.files == 1 { "file" } else { "files" };
    out.line(&format!("removed {path} ({} {files}{ignored}; {} bytes)", answer.files, answer.bytes))?;
    if let Some(branch) = &answer.branch {
        out.line(&format!("its branch stays: {}", clean(branch)))?;
    }
    if let Some(backup) = &answer.backup {
        out.line(&format!("its work is kept as {} ({})", clean(&backup.name), clean(&backup.commit)))?;
        out.line(&format!("to get it back: {}", clean(&backup.restore)))?;
    }
    Ok(())
}
