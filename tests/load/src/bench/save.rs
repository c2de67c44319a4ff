//! What one save costs the server: in a repository ten times as large, and with more agents that share the path.

use super::Plan;
use super::collide::settle;
use crate::child::Process;
use crate::figure::{Figure, Limit};
use crate::measure::cpu_seconds;
use crate::world::World;
use anyhow::Result;
use std::time::Duration;

/// Agents that share the path, at most.
const CROWD: usize = 17;
/// Each agent edits a line of its own, far from the others': their changes go together.
const APART: usize = 2;

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let (small, large) = (plan.size(20, 2), plan.size(200, 20));
    let saves = plan.size(400, 40);
    let mut size = Figure::ratio("save, 10 times the files", "µs CPU; fewer", Limit::AtMost(1.3));
    {
        let worlds = [World::new(&plan.launcher, large, 2)?, World::new(&plan.launcher, small, 2)?];
        let mut sides = Vec::new();
        for world in &worlds {
            let process = world.serve(&plan.launcher).await?;
            world.edit(1, 0, APART, "other")?;
            settle(&process).await?;
            sides.push((world, process));
        }
        for round in 0..plan.rounds {
            let mut costs = Vec::new();
            for (world, process) in &sides {
                costs.push(cost(world, process, 0, saves, round).await?);
            }
            if let [large, small] = costs.as_slice() {
                size.push(*large, *small);
            }
        }
    }
    let world = World::new(&plan.launcher, small, CROWD)?;
    let process = world.serve(&plan.launcher).await?;
    let mut crowd = Figure::ratio("save, 16 others' cost each", "µs CPU; 1 other", Limit::AtMost(1.3));
    // File 0 is shared by two, file 1 by all.
    for agent in 1..CROWD {
        world.edit(agent, 1, APART * agent, "other")?;
    }
    world.edit(1, 0, APART, "other")?;
    settle(&process).await?;
    for round in 0..plan.rounds {
        let all = cost(&world, &process, 1, saves, round).await?;
        let one = cost(&world, &process, 0, saves, round).await?;
        crowd.push(all / (CROWD - 1) as f64, one);
    }
    process.stop()?;
    Ok(vec![size, crowd])
}

/// Microseconds of the server's processor time for one save of a file by the first agent.
async fn cost(world: &World, process: &Process, file: usize, saves: usize, round: u32) -> Result<f64> {
    let before = cpu_seconds(process.pid())?;
    for save in 0..saves {
        world.edit(0, file, 0, &format!("{round} {save}"))?;
        // Longer than the window, so that each save is looked at.
        tokio::time::sleep(Duration::from_millis(75)).await;
    }
    settle(process).await?;
    Ok((cpu_seconds(process.pid())? - before) * 1e6 / saves as f64)
}
