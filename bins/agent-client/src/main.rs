//! `agent-client`: the command line of the Independent Orchestration Agent. Runs an agent, sends messages, claims
//! leases, looks at what happens.

mod arguments;
mod commands;
mod context;
mod exit;
mod feed;
mod following;
mod output;
mod payload;
mod replace;
mod table;
mod when;

use output::Output;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = match arguments::parse() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    let output = Output::new(cli.global.json);
    if let Some(code) = commands::run_alone(&cli, &output) {
        return code;
    }
    set_up_telemetry(cli.global.verbose);
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(exit::Failure::from)
        .and_then(|runtime| runtime.block_on(Box::pin(commands::run(cli, &output))));
    output.ended(result)
}

/// Quiet unless asked: what a person should know is printed by the commands themselves.
fn set_up_telemetry(verbose: u8) {
    let level = ["error", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let filter = EnvFilter::try_from_env("ORCHESTRATOR_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
