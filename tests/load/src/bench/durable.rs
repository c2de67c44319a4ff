//! `POST /messages` at several numbers in flight, against a plain write+fdatasync loop on the same disk.
//!
//! The loop writes as many bytes of the same rows before each flush as the server did on average (its own
//! histogram of batches says how many records that was). Each round has a server with an empty log, so that
//! no round pays for the backlog of another. On a disk whose flushes cost next to nothing, the loop has
//! nothing to do but to write, and the figures say what a request costs; so the same is measured once more
//! with flushes that take as long as on a usual disk.

use super::Plan;
use crate::child::Process;
use crate::client::http::{BASE, Http, encode};
use crate::client::{agent, register};
use crate::disk::flushes;
use crate::figure::{Figure, Limit, median, percentile, short};
use crate::measure::cpu_seconds;
use crate::output::line;
use anyhow::{Context, Result, ensure};
use orchestrator_log::{Class, Options, Payload, SqliteLog};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Requests in flight.
const CONCURRENCY: [usize; 4] = [1, 16, 64, 256];
/// Receivers, taken in turn, so that no mailbox is ever full.
const AGENTS: usize = 64;
/// A server that has not ended by then is killed: the log needs no more than that.
const PATIENCE: Duration = Duration::from_secs(10);
/// A flush that is quicker never reached a disk.
const IMPOSSIBLE: f64 = 20e-6;

/// What a round of the server showed.
struct Sent {
    /// Seconds from request to acknowledgement.
    latencies: Vec<f64>,
    rate: f64,
    /// Records that shared a flush on average.
    batch: f64,
    /// Bytes that a record has in the log, hashes and numbers included.
    row: f64,
    /// Processor time of an acknowledgement, in microseconds.
    cost: f64,
    /// Seconds that the server took to end after SIGTERM.
    stop: f64,
}

/// Runs it, with flushes that take longer by `delay` on both sides.
pub(crate) async fn run(plan: &Plan, title: &str, delay: Duration) -> Result<Vec<Figure>> {
    let time = Duration::from_millis(if plan.quick { 1_000 } else { 3_000 });
    let mut figures = Vec::new();
    for concurrency in CONCURRENCY {
        let name = |what| format!("{title} {concurrency}, {what}");
        let mut rows = Figure::ratio(name("rate"), "rows/s", Limit::AtLeast(0.5));
        let mut middle = Figure::ratio(name("p50"), "ms; 2.5 flushes+2", Limit::AtMost(1.0));
        let mut tail = Figure::ratio(name("p99"), "ms", Limit::AtMost(2.0));
        let (mut batches, mut costs, mut stops) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            let scratch = plan.launcher.scratch()?;
            let sent = send(plan.launcher.server_flushing(&scratch, delay)?, concurrency, time, &scratch.log()).await?;
            let bytes = (sent.batch * sent.row).ceil() as usize;
            let taken = flushes(scratch.root(), bytes, time, delay)?;
            let flush = median(&taken).context("no flush")?;
            ensure!(flush > IMPOSSIBLE, "flushes cost nothing here: choose a folder on a disk with --dir");
            let (p50, p99) = (quantile(&sent.latencies, 0.5)?, quantile(&sent.latencies, 0.99)?);
            rows.push(sent.rate, sent.batch * taken.len() as f64 / taken.iter().sum::<f64>());
            middle.push(p50 * 1e3, 2.5 * flush * 1e3 + 2.0);
            tail.push(p99 * 1e3, quantile(&taken, 0.99)? * 1e3);
            batches.push(sent.batch);
            costs.push(sent.cost);
            stops.push(sent.stop);
        }
        let one = |values: &[f64]| median(values).map_or_else(String::new, short);
        let (batch, cost, stop) = (one(&batches), one(&costs), one(&stops));
        line(format!(
            "  {title} {concurrency}: {batch} records a flush, {cost} CPU µs an acknowledgement, {stop} s to stop"
        ));
        figures.extend([rows, middle, tail]);
    }
    Ok(figures)
}

fn quantile(values: &[f64], share: f64) -> Result<f64> {
    percentile(values, share).context("nothing was measured")
}

/// Sends messages for a while, each connection the next one when the last is acknowledged.
async fn send(process: Process, concurrency: usize, time: Duration, log: &Path) -> Result<Sent> {
    let address = process.address();
    register(address, AGENTS).await?;
    let mut connections = Vec::new();
    for number in 0..concurrency {
        let from = agent(number % AGENTS);
        let payload = r#"{"title":"review the parser","files":["src/parser.rs","src/lexer.rs"],"priority":2}"#;
        let requests: Vec<_> = (1..AGENTS)
            .map(|distance| {
                let to = agent((number + distance) % AGENTS);
                let body = format!(r#"{{"from":"{from}","to":"{to}","type":"task","payload":{payload}}}"#);
                encode(address, "POST", &format!("{BASE}/messages"), &body)
            })
            .collect();
        let mut http = Http::connect(address).await?;
        for request in requests.iter().take(1) {
            http.send(request).await?;
        }
        connections.push((http, requests));
    }
    let mut metrics = Http::connect(address).await?;
    let (before, used) = (batches(&mut metrics).await?, cpu_seconds(process.pid())?);
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for (mut http, requests) in connections {
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            for request in requests.iter().cycle().take_while(|_| begun.elapsed() < time) {
                let start = Instant::now();
                http.send(request).await?;
                latencies.push(start.elapsed().as_secs_f64());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done??);
    }
    let (elapsed, count) = (begun.elapsed().as_secs_f64(), latencies.len() as f64);
    let cost = (cpu_seconds(process.pid())? - used) * 1e6 / count;
    let after = batches(&mut metrics).await?;
    drop(metrics);
    let stop = process.stop_within(PATIENCE)?.unwrap_or(PATIENCE).as_secs_f64();
    let batch = (after.0 - before.0) / (after.1 - before.1);
    Ok(Sent { latencies, rate: count / elapsed, batch, row: row_bytes(log)?, cost, stop })
}

/// Records and flushes so far, from the server's histogram.
async fn batches(http: &mut Http) -> Result<(f64, f64)> {
    let text = String::from_utf8_lossy(http.call("GET", "/metrics", "").await?).into_owned();
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.split_ascii_whitespace().next_back());
        line.and_then(|number| number.parse().ok()).with_context(|| format!("no {name} in the metrics"))
    };
    Ok((value("orchestrator_batch_records_sum")?, value("orchestrator_batch_records_count")?))
}

/// Bytes of a message's record, on average: its texts, and three hashes and five numbers.
fn row_bytes(path: &Path) -> Result<f64> {
    const FIXED: usize = 3 * 32 + 5 * 8;
    let log = SqliteLog::open(path, Options::default())?;
    let records = log.reader().read(1, 10_000)?;
    let sizes: Vec<f64> = records
        .iter()
        .filter(|record| record.class == Class::Decision && record.kind == "message.sent")
        .map(|record| {
            let body = if let Payload::Present(body) = &record.payload { body.len() } else { 0 };
            (record.facts.len() + body + record.actor.len() + record.kind.len() + FIXED) as f64
        })
        .collect();
    ensure!(!sizes.is_empty() && log.tail().next_seq > 1, "no message stands in the log");
    Ok(sizes.iter().sum::<f64>() / sizes.len() as f64)
}
