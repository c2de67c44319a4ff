//! The benchmarks, one a file, and the order they run in.

mod broadcast;
mod collide;
mod crowd;
mod durable;
mod land;
mod list;
mod memory;
mod save;
mod snapshot;
mod socket_ack;
mod start;
mod status;
mod watch;

use crate::child::Launcher;
use crate::figure::{Figure, Limit};
use crate::output::line;
use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// Their names, in order.
pub(crate) const NAMES: [&str; 14] = [
    "status",
    "list",
    "socket-ack",
    "broadcast",
    "memory",
    "durable",
    "usual-disk",
    "start",
    "watch",
    "snapshot",
    "save",
    "collide",
    "crowd",
    "land",
];
/// Those that the yardstick can do as well.
const COMPARED: [&str; 5] = ["status", "list", "socket-ack", "broadcast", "memory"];

/// What a flush takes on a usual disk, at least.
const USUAL_FLUSH: Duration = Duration::from_millis(4);

/// What is to be done, and how often.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) launcher: Launcher,
    pub(crate) rounds: u32,
    pub(crate) quick: bool,
    pub(crate) only: Vec<String>,
}

impl Plan {
    /// Processor time of one round of one side: so many that the clock's tick is below 2 % of it.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        if self.quick { 0.5 } else { 1.0 }
    }

    /// One of two sizes.
    pub(crate) fn size(&self, usual: usize, quick: usize) -> usize {
        if self.quick { quick } else { usual }
    }
}

/// Runs what was asked for. True when every limit is kept.
pub(crate) async fn run(plan: &Plan) -> Result<bool> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    line(format!("{cores} cores, {} rounds{}", plan.rounds, if plan.quick { ", quick: rough figures" } else { "" }));
    if plan.launcher.is_self_check() {
        line("self-check: the yardstick stands in for the server, every ratio must be near 1");
    }
    let mut figures = Vec::new();
    for name in NAMES.iter().filter(|name| plan.only.is_empty() || plan.only.iter().any(|only| only == *name)) {
        let begun = Instant::now();
        let found = one(plan, name).await.with_context(|| format!("benchmark {name}"))?;
        for figure in &found {
            line(figure);
        }
        line(format!("  ({name} took {:.0} s)", begun.elapsed().as_secs_f64()));
        figures.extend(found);
    }
    line(format!("\n{}", Figure::head()));
    for figure in &figures {
        line(figure);
    }
    let (failed, judged) = (
        figures.iter().filter(|figure| !figure.passed()).count(),
        figures.iter().filter(|figure| !matches!(figure.limit, Limit::None)).count(),
    );
    line(format!("{} of {judged} limits kept", judged - failed));
    Ok(failed == 0)
}

async fn one(plan: &Plan, name: &str) -> Result<Vec<Figure>> {
    // The yardstick has no log and watches nothing.
    if plan.launcher.is_self_check() && !COMPARED.contains(&name) {
        line(format!("{name}: not in a self-check"));
        return Ok(Vec::new());
    }
    match name {
        "status" => status::run(plan).await,
        "list" => list::run(plan).await,
        "socket-ack" => socket_ack::run(plan).await,
        "broadcast" => broadcast::run(plan).await,
        "memory" => memory::run(plan).await,
        "durable" => durable::run(plan, name, Duration::ZERO).await,
        "usual-disk" => durable::run(plan, name, USUAL_FLUSH).await,
        "start" => start::run(plan).await,
        "watch" => watch::run(plan).await,
        "snapshot" => snapshot::run(plan).await,
        "save" => save::run(plan).await,
        "collide" => collide::run(plan).await,
        "land" => land::run(plan).await,
        _ => crowd::run(plan).await,
    }
}
