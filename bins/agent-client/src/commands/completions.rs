//! `agent-client completions`: completion scripts.

use crate::arguments::Cli;
use crate::exit::Failure;
use crate::output::Output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  agent-client completions bash > ~/.local/share/bash-completion/completions/agent-client"
)]
pub(crate) struct Arguments {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments, out: &Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "agent-client", &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end())
}
