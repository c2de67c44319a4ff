//! 50,000 files in 500 folders: time from `POST /sync/start` until all are counted, against a bare stat walk,
//! and what another caller's requests take meanwhile.

use super::Plan;
use crate::child::Process;
use crate::client::http::{BASE, Http, encode};
use crate::disk::walk;
use crate::figure::{Figure, Limit, percentile};
use crate::world::{FOLDERS, fill};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A request that takes longer, in milliseconds, was blocked.
const BLOCKED: f64 = 100.0;
/// All files must be counted by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs it. Each round has a new server, for a server that has seen the files once knows them.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let each = plan.size(100, 10);
    let scratch = plan.launcher.scratch()?;
    let repository = scratch.repository();
    fill(&repository, each)?;
    let files = walk(&repository)?;
    ensure!(files == FOLDERS * each, "{files} files were made");

    let mut listed = Figure::ratio("watch, listed", "s", Limit::AtMost(3.0));
    let mut tail = Figure::ratio("watch, others' p99", "ms; quiet", Limit::None);
    let mut worst = Figure::ratio("watch, others' worst", "ms; quiet", Limit::AtMost(BLOCKED));
    for _ in 0..plan.rounds {
        let begun = Instant::now();
        walk(&repository)?;
        let bare = begun.elapsed().as_secs_f64();
        std::fs::remove_dir_all(scratch.state())
            .or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
        let process = plan.launcher.server(&scratch)?;
        let quiet = probe(&process, tokio::time::sleep(Duration::from_millis(500))).await?.1;
        let (seconds, probes) = probe(&process, count(&process, files)).await?;
        listed.push(seconds?, bare);
        tail.push(quantile(&probes, 0.99)?, quantile(&quiet, 0.99)?);
        worst.push(quantile(&probes, 1.0)?, quantile(&quiet, 1.0)?);
        process.stop()?;
    }
    // These limits are on the time itself and not on the ratio.
    worst.values.clone_from(&worst.ours);
    tail.values.clone_from(&tail.ours);
    Ok(vec![listed, tail, worst])
}

fn quantile(values: &[f64], share: f64) -> Result<f64> {
    percentile(values, share).context("no request came through")
}

/// Begins to watch. Answers with the seconds until all files are counted.
async fn count(process: &Process, files: usize) -> Result<f64> {
    let mut http = Http::connect(process.address()).await?;
    let begun = Instant::now();
    http.call("POST", &format!("{BASE}/sync/start"), "").await?;
    loop {
        let answer: Value = serde_json::from_slice(http.call("GET", &format!("{BASE}/sync/status"), "").await?)?;
        let counted = answer.pointer("/sync_status/total_files_monitored").and_then(Value::as_u64);
        if counted >= Some(files as u64) {
            ensure!(counted == Some(files as u64), "{counted:?} files were counted, there are {files}");
            return Ok(begun.elapsed().as_secs_f64());
        }
        ensure!(begun.elapsed() < PATIENCE, "only {counted:?} of {files} files were counted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Asks for the health again and again while something else goes on. Answers with that and with the
/// milliseconds that each request took.
async fn probe<T>(process: &Process, during: impl Future<Output = T>) -> Result<(T, Vec<f64>)> {
    let mut http = Http::connect(process.address()).await?;
    let request = encode(process.address(), "GET", &format!("{BASE}/health"), "");
    let over = Arc::new(AtomicBool::new(false));
    let stop = over.clone();
    let probes = tokio::spawn(async move {
        let mut taken = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let begun = Instant::now();
            http.send(&request).await?;
            taken.push(begun.elapsed().as_secs_f64() * 1e3);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        anyhow::Ok(taken)
    });
    let value = during.await;
    over.store(true, Ordering::Relaxed);
    Ok((value, probes.await??))
}
