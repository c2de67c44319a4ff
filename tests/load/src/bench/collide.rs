//! 30 worktrees of 50,000 files, all dirty: from the end of a write that collides to `conflict_detected` on a
//! socket, and where that time goes.

use super::Plan;
use crate::child::Process;
use crate::client::http::{BASE, Http};
use crate::client::socket::{Socket, is};
use crate::disk::flushes;
use crate::figure::{Figure, Limit, percentile, short};
use crate::output::line;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How long a file must be quiet before it is looked at, in milliseconds: the server's default.
const WINDOW: f64 = 60.0;
/// Bytes of the records that tell of a conflict.
const RECORD: usize = 2_000;
/// Files that each agent has changed before anything is measured.
const DIRTY: usize = 20;
/// A conflict that takes longer is missed.
const PATIENCE: Duration = Duration::from_secs(10);
/// The work after a save, as the server's metrics name it.
const PHASES: [&str; 3] = ["look", "merge", "record"];

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let (agents, each) = (plan.size(30, 4), plan.size(100, 4));
    let world = World::new(&plan.launcher, each, agents)?;
    for agent in 0..agents {
        for file in 0..DIRTY {
            world.edit(agent, world.files() - 1 - agent * DIRTY - file, 0, "dirty")?;
        }
    }
    let process = world.serve(&plan.launcher).await?;
    line(format!("  {agents} worktrees of {} files, {DIRTY} changed in each", world.files()));
    let mut socket = Socket::open(process.address(), &format!("{BASE}/ws/orchestrator")).await?;
    let mut http = Http::connect(process.address()).await?;
    let mut middle = Figure::ratio("collide, p50", "ms; window + flush", Limit::AtMost(20.0));
    let mut tail = Figure::ratio("collide, p99", "ms; window + flush", Limit::AtMost(100.0));
    let trials = plan.size(100, 10);
    let mut next = 0;
    for _ in 0..plan.rounds {
        let flush = quantile(&flushes(world.root(), RECORD, Duration::from_millis(200), Duration::ZERO)?, 0.5)? * 1e3;
        let files: Vec<usize> = (next..next + trials).collect();
        next += trials;
        for file in &files {
            world.edit(file % agents, *file, LINE, "first")?;
        }
        settle(&process).await?;
        let before = phases(&mut http).await?;
        let mut taken = Vec::new();
        for file in files {
            let path = world.path(file);
            let begun = world.edit((file + 1) % agents, file, LINE, "second")?;
            let found = timeout(PATIENCE, find(&mut socket, &path)).await;
            found.with_context(|| format!("no conflict on '{path}' within {PATIENCE:?}"))??;
            taken.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        let (p50, p99) = (quantile(&taken, 0.5)?, quantile(&taken, 0.99)?);
        middle.push(p50, WINDOW + flush);
        tail.push(p99, WINDOW + flush);
        let after = phases(&mut http).await?;
        let mean = taken.iter().sum::<f64>() / taken.len() as f64;
        let spent: Vec<f64> =
            after.iter().zip(before).map(|(after, before)| (after - before) * 1e3 / taken.len() as f64).collect();
        let named: Vec<String> =
            PHASES.iter().zip(&spent).map(|(name, spent)| format!("{name} {}", short(*spent))).collect();
        let rest = mean - spent.iter().sum::<f64>();
        line(format!(
            "  mean {} ms = window and watcher, send {} + {} (record holds a flush of {}); worst {}",
            short(mean),
            short(rest),
            named.join(" + "),
            short(flush),
            short(quantile(&taken, 1.0)?)
        ));
    }
    // The limits are on what comes on top, not on the ratio.
    for figure in [&mut middle, &mut tail] {
        figure.values = figure.ours.iter().zip(&figure.theirs).map(|(ours, theirs)| ours - theirs).collect();
    }
    process.stop()?;
    Ok(vec![middle, tail])
}

/// The line that both sides edit.
const LINE: usize = 7;

/// Waits until all saves so far are merged.
pub(crate) async fn settle(process: &Process) -> Result<()> {
    let mut http = Http::connect(process.address()).await?;
    http.call("POST", &format!("{BASE}/command"), r#"{"command":"*sync:force"}"#).await?;
    Ok(())
}

async fn find(socket: &mut Socket, path: &str) -> Result<()> {
    loop {
        let frame = socket.next().await?;
        if is(frame, "conflict_detected") {
            let push: Value = serde_json::from_slice(frame)?;
            if push.get("file_path").and_then(Value::as_str) == Some(path) {
                return Ok(());
            }
        }
    }
}

/// Seconds spent so far in each phase.
async fn phases(http: &mut Http) -> Result<Vec<f64>> {
    let text = String::from_utf8(http.call("GET", "/metrics", "").await?.to_vec())?;
    let mut found = Vec::new();
    for phase in PHASES {
        let name = format!("orchestrator_workspace_seconds_sum{{phase=\"{phase}\"}} ");
        let value = text.lines().find_map(|line| line.strip_prefix(&name));
        found.push(value.with_context(|| format!("no metric {name}"))?.trim().parse()?);
    }
    ensure!(found.len() == PHASES.len());
    Ok(found)
}

fn quantile(values: &[f64], share: f64) -> Result<f64> {
    percentile(values, share).context("nothing was measured")
}
