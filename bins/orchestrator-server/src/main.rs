//! `orchestrator-server`: serves the repository it is started in, checks its log, and replays its merges.

mod commands;
mod settings;
mod telemetry;

use clap::{CommandFactory, Parser, Subcommand};
use commands::{audit, replay, serve};
use std::process::ExitCode;

/// A request is many small pieces of memory, made and dropped on several threads: what this allocator is for.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Coordinates AI coding agents on one codebase.
///
/// Without a command it serves the repository of the current folder on http://localhost:8000. Agents join
/// with `agent-client`, over HTTP, WebSocket or files.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = AFTER_HELP)]
struct Arguments {
    #[command(flatten)]
    settings: settings::Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "\
Next:
  orchestrator-server                                   serve the current repository
  curl http://localhost:8000/api/orchestration/health   see that it is there
  agent-client --agent-id dev-agent --capabilities python,backend
  http://localhost:8000/docs                            all routes, to try out";

#[derive(Subcommand)]
enum Command {
    /// Serve (the default).
    Serve,
    /// Check, read or copy the log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Do the repository's merges again and score the merge engine by what people committed.
    Replay(replay::Arguments),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        None | Some(Command::Serve) => serve::run(&arguments.settings),
        Some(Command::Audit(command)) => audit::run(&arguments.settings, &command),
        Some(Command::Replay(wanted)) => replay::run(&arguments.settings, &wanted),
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Arguments::command(), "orchestrator-server", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| {
        commands::complain(&error);
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
