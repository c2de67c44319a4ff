//! Interleaved rounds of both sides, and of a second yardstick that shows the machine's noise.

use crate::bench::Plan;
use crate::child::Process;
use crate::figure::{Figure, median, short};
use crate::measure::cpu_seconds;
use crate::output::line;
use anyhow::Result;
use std::time::{Duration, Instant};

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

/// One side of one round.
struct Measured {
    /// Processor time of the server for an operation, in microseconds.
    cost: f64,
    /// Operations a second.
    rate: f64,
}

/// What comes after the last answer, such as pushes and the flush of the last batch, belongs to the round.
const AFTER: Duration = Duration::from_millis(100);

/// Measures processor time per operation on both sides, in interleaved rounds.
pub(crate) async fn compare<L: Load>(plan: &Plan, figure: Figure) -> Result<Figure> {
    let mut figure = figure;
    let scratch = plan.launcher.scratch()?;
    let mut sides: Vec<Side<L>> = Vec::new();
    for process in [plan.launcher.server(&scratch)?, plan.launcher.yardstick()?, plan.launcher.yardstick()?] {
        let load = L::connect(&process).await?;
        let mut side = Side { process, load, operations: 64 };
        side.calibrate(plan.cpu_seconds()).await?;
        sides.push(side);
    }
    let (mut our_rates, mut their_rates) = (Vec::new(), Vec::new());
    for round in 0..plan.rounds {
        let mut measured = [None, None, None];
        // Each round begins with another side, so that a drift of the machine meets all alike.
        for turn in 0..sides.len() {
            let place = (round as usize + turn) % sides.len();
            if let (Some(side), Some(slot)) = (sides.get_mut(place), measured.get_mut(place)) {
                *slot = Some(side.round().await?);
            }
        }
        if let [Some(ours), Some(theirs), Some(twin)] = measured {
            figure.push(ours.cost, theirs.cost);
            figure.noise.push(twin.cost / theirs.cost);
            our_rates.push(ours.rate);
            their_rates.push(theirs.rate);
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

impl<L: Load> Side<L> {
    /// Finds how many operations take so many seconds of the server's processor time.
    async fn calibrate(&mut self, seconds: f64) -> Result<()> {
        loop {
            let before = cpu_seconds(self.process.pid())?;
            let done = self.load.run(self.operations).await?;
            let used = cpu_seconds(self.process.pid())? - before;
            if used >= seconds / 4.0 {
                self.operations = (done as f64 * seconds / used).ceil() as u64;
                return Ok(());
            }
            self.operations = done * 2;
        }
    }

    async fn round(&mut self) -> Result<Measured> {
        let (before, begun) = (cpu_seconds(self.process.pid())?, Instant::now());
        let done = self.load.run(self.operations).await? as f64;
        let elapsed = begun.elapsed().as_secs_f64();
        tokio::time::sleep(AFTER).await;
        let used = cpu_seconds(self.process.pid())? - before;
        Ok(Measured { cost: used * 1e6 / done, rate: done / elapsed })
    }
}
