//! Memory of an idle connection on `/ws/orchestrator`: what 1,000 of them add, for each.

use super::Plan;
use crate::child::Process;
use crate::client::http::BASE;
use crate::client::socket::Socket;
use crate::figure::{Figure, Limit};
use crate::measure::{Memory, memory};
use anyhow::Result;
use std::time::Duration;

const SOCKETS: usize = 1_000;
/// Until what opening needed has been given back.
const SETTLE: Duration = Duration::from_secs(1);

/// Runs it. Each round takes fresh processes: memory once used is seldom given back.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let mut resident = Figure::ratio("memory, resident", "KiB/connection", Limit::AtMost(20.0));
    let mut proportional = Figure::ratio("memory, proportional", "KiB/connection", Limit::AtMost(20.0));
    for _ in 0..plan.rounds {
        let scratch = plan.launcher.scratch()?;
        let ours = added(&plan.launcher.server(&scratch)?).await?;
        let theirs = added(&plan.launcher.yardstick()?).await?;
        resident.push(ours.resident, theirs.resident);
        proportional.push(ours.proportional, theirs.proportional);
    }
    // The limit is on the memory itself and not on the ratio.
    for figure in [&mut resident, &mut proportional] {
        figure.values.clone_from(&figure.ours);
    }
    Ok(vec![resident, proportional])
}

/// What a connection adds.
async fn added(process: &Process) -> Result<Memory> {
    let path = format!("{BASE}/ws/orchestrator");
    // The first connection pays for what all share.
    let first = Socket::open(process.address(), &path).await?;
    tokio::time::sleep(SETTLE).await;
    let before = memory(process.pid())?;
    let mut sockets = vec![first];
    for _ in 0..SOCKETS {
        sockets.push(Socket::open(process.address(), &path).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let after = memory(process.pid())?;
    drop(sockets);
    Ok(Memory {
        resident: (after.resident - before.resident) / SOCKETS as f64,
        proportional: (after.proportional - before.proportional) / SOCKETS as f64,
    })
}
