//! `status_update` on `/ws/agent/{id}` until its `status_update_ack`, one in flight on each socket.
//!
//! A status is pushed to the other sockets too. The yardstick pushes every one to every other socket, with a
//! write each; the server pushes an agent's last status of each flush. Both numbers are printed: with 50
//! sockets most of the cost is in the pushes, with one socket there is only the acknowledgement (and, from the
//! server, the push of the agent's own status).

use super::Plan;
use crate::child::Process;
use crate::client::http::BASE;
use crate::client::socket::{Socket, encode, is};
use crate::client::{agent, register};
use crate::figure::{Figure, Limit};
use crate::rounds::{Load, compare};
use anyhow::{Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Runs both variants.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let one = Figure::ratio("socket-ack, 1 socket", "CPU µs/ack", Limit::AtMost(1.5));
    let fifty = Figure::ratio("socket-ack, 50 sockets", "CPU µs/ack", Limit::AtMost(1.5));
    Ok(vec![compare::<Updates<1>>(plan, one).await?, compare::<Updates<50>>(plan, fifty).await?])
}

struct Updates<const SOCKETS: usize> {
    sockets: Vec<Socket>,
    acknowledged: u64,
    pushed: u64,
}

impl<const SOCKETS: usize> Load for Updates<SOCKETS> {
    async fn connect(process: &Process) -> Result<Self> {
        register(process.address(), SOCKETS).await?;
        let mut sockets = Vec::new();
        for number in 0..SOCKETS {
            let path = format!("{BASE}/ws/agent/{}", agent(number));
            sockets.push(Socket::open(process.address(), &path).await?);
        }
        Ok(Self { sockets, acknowledged: 0, pushed: 0 })
    }

    async fn run(&mut self, operations: u64) -> Result<u64> {
        let left = Arc::new(AtomicU64::new(operations));
        let (over, _) = watch::channel(0_usize);
        let over = Arc::new(over);
        let mut tasks = JoinSet::new();
        for socket in std::mem::take(&mut self.sockets) {
            tasks.spawn(updates(socket, left.clone(), over.clone(), SOCKETS));
        }
        while let Some(done) = tasks.join_next().await {
            let (socket, pushed) = done??;
            self.sockets.push(socket);
            self.pushed += pushed;
        }
        self.acknowledged += operations;
        Ok(operations)
    }

    fn remark(&self) -> String {
        let each = self.pushed as f64 / self.acknowledged as f64;
        format!("{each:.2} pushes came for each acknowledgement")
    }
}

/// Sends updates as long as some are left, then reads pushes until all sockets are done.
async fn updates(
    mut socket: Socket,
    left: Arc<AtomicU64>,
    over: Arc<watch::Sender<usize>>,
    sockets: usize,
) -> Result<(Socket, u64)> {
    let frame = encode(r#"{"type":"status_update","status":"busy","task":"implementing the parser","workload":0.75}"#);
    let mut pushed = 0;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        socket.send(&frame).await?;
        pushed += socket.skip_to("status_update_ack").await?;
    }
    let mut done = over.subscribe();
    over.send_modify(|done| *done += 1);
    loop {
        tokio::select! {
            biased;
            _ = done.wait_for(|done| *done == sockets) => return Ok((socket, pushed)),
            frame = socket.next() => {
                ensure!(is(frame?, "agent_status_update"), "an unexpected frame");
                pushed += 1;
            }
        }
    }
}
