//! Interleaved rounds of both sides, and of a second yardstick that shows the machine's noise.

use crate::bench::Plan;
use crate::child::Process;
use crate::figure::{Figure, Limit, median, short};
use crate::measure::cpu_seconds;
use crate::output::line;
use anyhow::{Context, Result};
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Something that can be done again and again on one process.
pub(crate) trait Load: Sized {
    /// Connects to a process.
    async fn connect(process: &Process) -> Result<Self>;

    /// Does about so many operations and waits until all are done. Answers with how many it did.
    async fn run(&mut self, operations: u64) -> Result<u64>;

    /// What a person should know of it, such as the size of an answer.
    fn remark(&self) -> String {
        String::new()
    }
}

/// One side with its load.
struct Side<L> {
    process: Process,
    load: L,
    /// Operations of a round.
    operations: u64,
}

/// What one side did in one round.
#[derive(Debug, Clone, Copy, Default)]
struct Measured {
    operations: u64,
    elapsed: Duration,
    /// Processor time of the server, in seconds.
    cpu: f64,
}

/// Turns of each side in a round: the machine's mood changes within a second, so a turn is short.
const TURNS: u64 = 5;
/// What comes after the last answer, such as pushes and the flush of the last batch, belongs to the round.
const AFTER: Duration = Duration::from_millis(100);

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// Measures processor time per operation on both sides, in interleaved rounds.
pub(crate) async fn compare<L: Load>(plan: &Plan, figure: Figure) -> Result<Figure> {
    let mut figure = figure;
    if plan.launcher.is_self_check() {
        figure.limit = Limit::Equal(0.15);
    }
    let scratch = plan.launcher.scratch()?;
    let mut sides: Vec<Side<L>> = Vec::new();
    for process in [plan.launcher.server(&scratch)?, plan.launcher.yardstick()?, plan.launcher.yardstick()?] {
        let load = timeout(PATIENCE, L::connect(&process)).await.context("connecting hangs")??;
        let mut side = Side { process, load, operations: 64 };
        side.calibrate(plan.cpu_seconds()).await?;
        sides.push(side);
    }
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let measured = round(&mut sides).await?;
        if let [ours, theirs, twin] = measured.as_slice() {
            figure.push(ours.cost(), theirs.cost());
            figure.noise.push(twin.cost() / theirs.cost());
            our_rates.push(ours.rate());
            their_rates.push(theirs.rate());
        }
    }
    let rate = |rates: &[f64]| median(rates).map_or_else(String::new, short);
    line(format!("  {}: {}/s, yardstick {}/s", figure.name, rate(&our_rates), rate(&their_rates)));
    for (name, side) in ["server", "yardstick"].iter().zip(&sides) {
        let remark = side.load.remark();
        if !remark.is_empty() {
            line(format!("  {name}: {remark}"));
        }
    }
    Ok(figure)
}

/// One round: each side has its turns, each time another one first.
async fn round<L: Load>(sides: &mut [Side<L>]) -> Result<Vec<Measured>> {
    let mut measured = vec![Measured::default(); sides.len()];
    for turn in 0..TURNS as usize {
        for place in 0..sides.len() {
            let place = (place + turn) % sides.len();
            let (Some(side), Some(measured)) = (sides.get_mut(place), measured.get_mut(place)) else { continue };
            // Only its own turns: what a server does while it is idle is no operation's cost.
            let (before, begun) = (cpu_seconds(side.process.pid())?, Instant::now());
            measured.operations += side.run(side.operations / TURNS).await?;
            measured.elapsed += begun.elapsed();
            tokio::time::sleep(AFTER).await;
            measured.cpu += cpu_seconds(side.process.pid())? - before;
        }
    }
    Ok(measured)
}

impl Measured {
    /// Processor time of an operation, in microseconds.
    fn cost(&self) -> f64 {
        self.cpu * 1e6 / self.operations as f64
    }

    /// Operations a second.
    fn rate(&self) -> f64 {
        self.operations as f64 / self.elapsed.as_secs_f64()
    }
}

impl<L: Load> Side<L> {
    /// Finds how many operations take so many seconds of the server's processor time.
    async fn calibrate(&mut self, seconds: f64) -> Result<()> {
        loop {
            let before = cpu_seconds(self.process.pid())?;
            let done = self.run(self.operations).await?;
            tokio::time::sleep(AFTER).await;
            let used = cpu_seconds(self.process.pid())? - before;
            if used >= seconds / 4.0 {
                self.operations = (done as f64 * seconds / used).ceil() as u64;
                return Ok(());
            }
            self.operations = done * 2;
        }
    }

    async fn run(&mut self, operations: u64) -> Result<u64> {
        timeout(PATIENCE, self.load.run(operations)).await.context("the load hangs")?
    }
}
