//! The arguments of the whole program. Each subcommand's own stand beside it.

use crate::commands::{
    agent, agents, approvals, broadcast, changes, command, completions, conflicts, events, impact, inbox, lease, merge,
    merge_driver, merge_file, pull, receipt, recommend, register, rollback, send, snapshots, task, union, unregister,
    workspace,
};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  agent-client --agent-id dev-agent --capabilities python,api --task 'user login'
  agent-client agents
  agent-client workspace create dev-agent
  agent-client conflicts --watch
  agent-client send dev-agent '{\"action\": \"request_review\"}' --from qa-agent --wait-ack 60
  agent-client lease acquire dev-agent 'src/api/**' --ttl 600
  agent-client command '*sync:status'

Exit codes:
  0 done   1 failed   2 usage   3 not found   4 refused   5 conflict   6 unavailable   7 timeout";

/// Runs an agent (with --agent-id), or one of the subcommands.
#[derive(Debug, Parser)]
#[command(name = "agent-client", version, about, after_help = EXAMPLES, max_term_width = 110)]
#[command(override_usage = "agent-client --agent-id ID [OPTIONS]\n       agent-client [OPTIONS] COMMAND")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(flatten)]
    pub(crate) agent: agent::Arguments,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Address of the server.
    #[arg(long, global = true, env = "ORCHESTRATOR_URL", value_name = "URL", default_value = "http://localhost:8000")]
    pub(crate) base_url: String,
    /// Print JSON in the server's own shapes, one value a line.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Give up on an answer after so many seconds.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: u32,
    /// File with the operator's secret, for operator commands.
    #[arg(long, global = true, env = "ORCHESTRATOR_OPERATOR_SECRET_FILE", value_name = "FILE")]
    pub(crate) operator_secret_file: Option<PathBuf>,
    /// Say more about what happens, on standard error; repeat for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List agents, or show one.
    Agents(agents::Arguments),
    /// Register an agent, or change what is known of it.
    Register(register::Arguments),
    /// Take an agent off the list.
    Unregister(unregister::Arguments),
    /// Send a message to an agent, to whoever has a capability, or to everyone.
    Send(send::Arguments),
    /// Tell everyone.
    Broadcast(broadcast::Arguments),
    /// Read an agent's mailbox.
    Inbox(inbox::Arguments),
    /// List recent file changes.
    Changes(changes::Arguments),
    /// Make, list and remove folders for agents to work in.
    Workspace(workspace::Arguments),
    /// List and show what is kept of agents' work.
    Snapshots(snapshots::Arguments),
    /// Put a snapshot back into an agent's workspace.
    Restore(snapshots::Restore),
    /// List conflicts, watch them, show or settle one.
    Conflicts(conflicts::Arguments),
    /// What changes of definitions break in others' code, and who uses what.
    Impact(impact::Arguments),
    /// The union of everyone's work: who is in it, who is left out and why, and where it breaks.
    Union(union::Arguments),
    /// Ask for work to land, and see how far it is.
    Merge(merge::Arguments),
    /// Make tasks, take them, and see how far they are.
    Task(task::Arguments),
    /// Questions that only a person answers.
    Approvals(approvals::Arguments),
    /// Take back what landed.
    Rollback(rollback::Arguments),
    /// Check what landed commits say of themselves, in any clone.
    Receipt(receipt::Arguments),
    /// Take the merged results of settled conflicts into an agent's folder.
    Pull(pull::Arguments),
    /// Claim files, and look at claims.
    Lease(lease::Arguments),
    /// Carry out a control command.
    #[command(name = "command")]
    Control(command::Arguments),
    /// Show how the server is and what goes on.
    Status,
    /// Show what happened, and what happens.
    Events(events::Arguments),
    /// Ask who fits best for a piece of work.
    Recommend(recommend::Arguments),
    /// Merge three versions of one file, as `git merge-file` does.
    MergeFile(merge_file::Arguments),
    /// Let git merge files with `agent-client merge-file`.
    MergeDriver(merge_driver::Arguments),
    /// Print a completion script for a shell.
    Completions(completions::Arguments),
}

/// Reads the program's arguments. `Err` after help, a version or a usage error was printed.
pub(crate) fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().and_then(Cli::checked).map_err(|error| {
        // Nobody is left to be told when standard error is gone.
        let _ = error.print();
        match error.exit_code() {
            0 => ExitCode::SUCCESS,
            // To git, any lower number is a conflict.
            _ if is_merge_file() => ExitCode::from(merge_file::USAGE),
            code => ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX)),
        }
    })
}

/// Whether arguments that cannot be parsed ask for `merge-file`.
fn is_merge_file() -> bool {
    let found = Cli::command().ignore_errors(true).try_get_matches_from(std::env::args_os());
    found.is_ok_and(|matches| matches.subcommand_name() == Some("merge-file"))
}

impl Cli {
    /// A usage error when neither an agent nor a command is asked for, or both are.
    fn checked(self) -> Result<Self, clap::Error> {
        let (kind, text) = match (&self.command, &self.agent.agent_id) {
            (None, None) => (
                ErrorKind::MissingSubcommand,
                "nothing to do: give --agent-id to run an agent, or a command such as 'status'",
            ),
            (Some(_), _) if self.agent.is_given() => (
                ErrorKind::ArgumentConflict,
                "options that run an agent, such as --agent-id, do not go with a command; leave one of them out",
            ),
            _ => return Ok(self),
        };
        Err(Self::command().error(kind, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("agent-client").chain(line.split_whitespace()))
    }

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_documented_lines_are_taken() {
        let cli = parse("--agent-id dev-agent --capabilities python,backend,api --status active --task t").unwrap();
        assert_eq!(cli.agent.agent_id.as_deref(), Some("dev-agent"));
        assert_eq!(cli.agent.described.capabilities, ["python", "backend", "api"]);
        assert_eq!(cli.global.base_url, "http://localhost:8000");
        for line in [
            "--agent-id x --base-url http://h:1 --workload 0.8 --role r --workspace /w --branch b --watch .",
            "agents",
            "agents dev-agent --json",
            "--base-url http://h:1 agents",
            "register x --capabilities a,b",
            "unregister x",
            "send dev-agent {} --from a --type task --in-reply-to m1 --idempotency-key k --wait-ack 5",
            "send * hello --durable",
            "broadcast hello --from a",
            "inbox x --follow --ack",
            "inbox x --claim --max 5 --ttl 60",
            "changes --agent x --path a.py --since 4 --limit 5",
            "conflicts --status pending",
            "conflicts --watch --json",
            "conflicts show c4",
            "workspace create x --branch b --from main --isolation clone",
            "workspace list",
            "workspace remove x --keep-snapshot --discard-ignored",
            "snapshots list",
            "snapshots list --agent-id x",
            "snapshots show s4 --agent-id x",
            "restore s4",
            "restore b4 src/a README --agent-id x --dry-run",
            "task create parser --needs rust,sql --path src/** --entity a.rs::f --depends-on task-4 --deadline 60 --assign x",
            "task list --state open,claimed --agent x --for y --after 4 --limit 5",
            "task show task-4",
            "task assign task-4 x",
            "task assign task-4 --to-anyone",
            "task claim task-4 x",
            "task progress task-4 --token 5 --percent 50 --note half",
            "task done task-4 --token 5 --result {}",
            "task fail task-4 --token 5 --reason stuck",
            "task release task-4",
            "task cancel task-4 --reason over",
            "approvals list --state pending --kind landing",
            "approvals show approval-4",
            "approvals ask sure? --kind landing --option now --option later --deadline 60 --default approve",
            "approvals answer approval-4 approve --option now --note fine",
            "conflicts resolve c4 --strategy manual --by me",
            "conflicts resolve c4 --apply --strategy take --take x",
            "conflicts resolve c4 --apply --content merged.py --force",
            "pull x c4 c5 --dry-run",
            "lease acquire x src/** --shared --ttl 60",
            "lease list",
            "lease renew l4 --token 4",
            "lease release l4 --token 4",
            "command *sync:status",
            "command *workflow:start code_sync",
            "status",
            "events --after 4 --follow",
            "recommend --path a.py --capabilities python",
            "merge-file base ours theirs",
            "merge-file --accept proven --style zdiff3 --marker-size 9 -L a -L b -L c -p src/a.py -o out base ours theirs",
            "merge-file --explain --json --candidates dir base ours theirs",
            "merge-driver install --global",
            "merge-driver install --patterns *.py *.json",
            "merge-driver uninstall",
            "completions bash",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn what_cannot_be_meant_is_a_usage_error() {
        for line in [
            "nonsense",
            "send dev-agent",
            "--agent-id x --workload 1.5",
            "--agent-id x --workload nan",
            "--agent-id x --status asleep",
            "conflicts --status open",
            "conflicts show",
            "conflicts resolve c4 --take x",
            "pull",
            "task",
            "task create",
            "task claim task-4",
            "task assign task-4",
            "task done task-4",
            "task progress task-4 --token 5 --percent 101",
            "task list --state asleep",
            "approvals",
            "approvals ask sure?",
            "approvals answer approval-4",
            "approvals answer approval-4 perhaps",
            "workspace",
            "workspace create",
            "snapshots",
            "snapshots show",
            "restore",
            "workspace create x --isolation moon",
            "lease renew l4",
            "lease acquire x a --kind thing",
            "inbox x --max 5",
            "agents --timeout 0",
            "merge-file base ours",
            "merge-file base ours theirs --accept everything",
            "merge-file base ours theirs --marker-size 0",
            "merge-driver",
            "completions vi",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
