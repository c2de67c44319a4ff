//! The load program: the real server against a bare yardstick, round by round, as ratios.
//!
//! Machines differ and change within the hour, so nothing here is a time that must be met on its own: every
//! figure stands beside one of the same moment on the same machine. See `README.md` for what is measured.

mod bench;
mod child;
mod client;
mod disk;
mod figure;
mod measure;
mod output;
mod rounds;
mod scratch;
mod world;
mod yardstick;

use anyhow::Result;
use bench::Plan;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure the server against a bare yardstick, as ratios.
#[derive(Debug, Parser)]
#[command(name = "load")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// The orchestrator-server to measure; by default the one beside this program.
    #[arg(long)]
    server: Option<PathBuf>,
    /// One more argument for the server; may be repeated.
    #[arg(long, allow_hyphen_values = true)]
    server_arg: Vec<String>,
    /// Rounds of each benchmark; the verdict is on the median.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only this benchmark; may be repeated.
    #[arg(long, value_parser = bench::NAMES)]
    only: Vec<String>,
    /// Short rounds and small sets: shows that everything runs, its figures are rough.
    #[arg(long)]
    quick: bool,
    /// Measure the yardstick against itself: every ratio must come out near 1.
    #[arg(long)]
    self_check: bool,
    /// Where state folders and test files go; must be on the disk that is to be measured.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the yardstick until it is ended (the program starts it by itself).
    Yardstick {
        /// Worker threads.
        #[arg(long, default_value_t = child::WORKERS)]
        workers: usize,
    },
}

fn main() -> Result<ExitCode> {
    let cli = Cli::parse();
    if let Some(Command::Yardstick { workers }) = cli.command {
        yardstick::run(workers)?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = Plan {
        launcher: child::Launcher::new(cli.server, cli.server_arg, cli.self_check, &cli.dir)?,
        rounds: cli.rounds,
        quick: cli.quick,
        only: cli.only,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let passed = runtime.block_on(bench::run(&plan))?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
