//! The commands, one file each, and which of them runs.

pub(crate) mod agent;
pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod broadcast;
pub(crate) mod changes;
pub(crate) mod command;
pub(crate) mod completions;
pub(crate) mod conflicts;
pub(crate) mod events;
pub(crate) mod impact;
pub(crate) mod inbox;
pub(crate) mod lease;
pub(crate) mod merge;
pub(crate) mod merge_driver;
pub(crate) mod merge_file;
pub(crate) mod pull;
pub(crate) mod receipt;
pub(crate) mod recommend;
pub(crate) mod register;
pub(crate) mod rollback;
pub(crate) mod send;
pub(crate) mod snapshots;
pub(crate) mod status;
pub(crate) mod task;
pub(crate) mod union;
pub(crate) mod unregister;
pub(crate) mod workspace;

use crate::arguments::{Cli, Command};
use crate::context::Context;
use crate::exit::Failure;
use crate::output::Output;
use std::process::ExitCode;

/// Runs what asks no server: no runtime, no network. `None` where a server is asked.
pub(crate) fn run_alone(cli: &Cli, out: &Output) -> Option<ExitCode> {
    match cli.command.as_ref()? {
        Command::Completions(arguments) => Some(out.ended(completions::run(arguments, out))),
        Command::MergeFile(arguments) => Some(merge_file::run(arguments, out)),
        Command::MergeDriver(arguments) => Some(out.ended(merge_driver::run(arguments, out))),
        _ => None,
    }
}

/// Runs what was asked for.
pub(crate) async fn run(cli: Cli, out: &Output) -> Result<(), Failure> {
    let Some(command) = cli.command else {
        return agent::run(&Context::new(&cli.global, out)?, cli.agent).await;
    };
    let context = &Context::new(&cli.global, out)?;
    match command {
        Command::Agents(arguments) => agents::run(context, arguments).await,
        Command::Register(arguments) => register::run(context, arguments).await,
        Command::Unregister(arguments) => unregister::run(context, arguments).await,
        Command::Send(arguments) => send::run(context, arguments).await,
        Command::Broadcast(arguments) => broadcast::run(context, arguments).await,
        Command::Inbox(arguments) => inbox::run(context, arguments).await,
        Command::Changes(arguments) => changes::run(context, arguments).await,
        Command::Conflicts(arguments) => conflicts::run(context, arguments).await,
        Command::Impact(arguments) => impact::run(context, arguments).await,
        Command::Merge(arguments) => merge::run(context, arguments).await,
        Command::Task(arguments) => task::run(context, arguments).await,
        Command::Approvals(arguments) => approvals::run(context, arguments).await,
        Command::Rollback(arguments) => rollback::run(context, arguments).await,
        Command::Receipt(arguments) => receipt::run(context, arguments).await,
        Command::Union(arguments) => union::run(context, arguments).await,
        Command::Pull(arguments) => pull::run(context, arguments).await,
        Command::Lease(arguments) => lease::run(context, arguments).await,
        Command::Control(arguments) => command::run(context, arguments).await,
        Command::Status => status::run(context).await,
        Command::Events(arguments) => events::run(context, arguments).await,
        Command::Recommend(arguments) => recommend::run(context, arguments).await,
        Command::Workspace(arguments) => workspace::run(context, arguments).await,
        Command::Snapshots(arguments) => snapshots::run(context, arguments).await,
        Command::Restore(arguments) => snapshots::restore(context, arguments).await,
        Command::Completions(_) | Command::MergeFile(_) | Command::MergeDriver(_) => Ok(()),
    }
}
