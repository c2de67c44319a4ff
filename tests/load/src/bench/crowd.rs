//! 200 agents on 4,000 files each: what they cost while nobody types.

use super::Plan;
use super::collide::settle;
use crate::client::http::{BASE, Http};
use crate::figure::{Figure, Limit};
use crate::measure::{cpu_seconds, memory};
use crate::output::line;
use crate::world::World;
use anyhow::Result;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long nobody types.
const IDLE: Duration = Duration::from_secs(10);

/// Runs it, once: it shows what there is and has no limit.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let agents = plan.size(200, 10);
    let world = World::new(&plan.launcher, plan.size(8, 2), agents)?;
    let alone = plan.launcher.server(&plan.launcher.scratch()?)?;
    let bare = memory(alone.pid())?.resident;
    alone.stop()?;
    for agent in 0..agents {
        world.edit(agent, agent, 0, "dirty")?;
    }
    let begun = Instant::now();
    let process = world.serve(&plan.launcher).await?;
    line(format!(
        "  {agents} agents with {} files each are followed after {:.1} s",
        world.files(),
        begun.elapsed().as_secs_f64()
    ));
    settle(&process).await?;
    let mut held = Figure::ratio("crowd, memory an agent", "KiB; bare server", Limit::None);
    held.push((memory(process.pid())?.resident - bare) / agents as f64, bare);
    let mut idle = Figure::ratio("crowd, idle CPU", "% of one core", Limit::None);
    let before = cpu_seconds(process.pid())?;
    tokio::time::sleep(IDLE).await;
    idle.push((cpu_seconds(process.pid())? - before) / IDLE.as_secs_f64() * 100.0, 100.0);
    for figure in [&mut held, &mut idle] {
        figure.values.clone_from(&figure.ours);
    }
    let mut http = Http::connect(process.address()).await?;
    let health: Value = serde_json::from_slice(http.call("GET", &format!("{BASE}/health"), "").await?)?;
    line(format!("  health: {}", health.get("degraded").unwrap_or(&Value::Null)));
    process.stop()?;
    Ok(vec![held, idle])
}
