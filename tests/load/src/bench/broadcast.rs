//! `POST /broadcast`, 64 in flight, to 200 sockets: the cost of one delivery, against one write a message.

use super::Plan;
use super::status::repeat;
use crate::child::Process;
use crate::client::http::{BASE, Http, encode};
use crate::client::socket::{Socket, is};
use crate::client::{agent, register};
use crate::figure::{Figure, Limit};
use crate::rounds::{Load, compare};
use anyhow::{Context, Result, bail, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const SOCKETS: usize = 200;
const IN_FLIGHT: u64 = 64;
/// Deliveries that take longer were lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let figure = Figure::ratio("broadcast", "CPU µs/delivery", Limit::AtMost(0.5));
    Ok(vec![compare::<Broadcasts>(plan, figure).await?])
}

struct Broadcasts {
    senders: Vec<(Http, Vec<u8>)>,
    /// Frames that each socket has had so far.
    received: Arc<Vec<AtomicU64>>,
    readers: JoinSet<Result<()>>,
    sent: u64,
}

impl Load for Broadcasts {
    async fn connect(process: &Process) -> Result<Self> {
        let address = process.address();
        register(address, SOCKETS).await?;
        let received: Arc<Vec<AtomicU64>> = Arc::new((0..SOCKETS).map(|_| AtomicU64::new(0)).collect());
        let mut readers = JoinSet::new();
        for number in 0..SOCKETS {
            let socket = Socket::open(address, &format!("{BASE}/ws/agent/{}", agent(number))).await?;
            readers.spawn(read(socket, received.clone(), number));
        }
        let body = r#"{"event":"build","text":"the main branch was rebuilt","commit":"0123456789abcdef"}"#;
        let request = encode(address, "POST", &format!("{BASE}/broadcast"), body);
        let mut senders = Vec::new();
        for _ in 0..IN_FLIGHT {
            senders.push((Http::connect(address).await?, request.clone()));
        }
        Ok(Self { senders, received, readers, sent: 0 })
    }

    async fn run(&mut self, operations: u64) -> Result<u64> {
        let each = operations.div_ceil(SOCKETS as u64 * IN_FLIGHT);
        self.senders = repeat(std::mem::take(&mut self.senders), each).await?;
        self.sent += each * IN_FLIGHT;
        let begun = Instant::now();
        while self.received.iter().any(|received| received.load(Ordering::Relaxed) < self.sent) {
            if let Some(ended) = self.readers.try_join_next() {
                ended??;
                bail!("a reader ended");
            }
            ensure!(begun.elapsed() < PATIENCE, "not all of {} broadcasts reached all sockets", self.sent);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let most = self.received.iter().map(|received| received.load(Ordering::Relaxed)).max();
        ensure!(most == Some(self.sent), "a socket had a broadcast twice");
        Ok(each * IN_FLIGHT * SOCKETS as u64)
    }

    fn remark(&self) -> String {
        format!("{} broadcasts reached each of {SOCKETS} sockets once", self.sent)
    }
}

/// Counts a socket's broadcasts. Any gap in them is an error.
async fn read(mut socket: Socket, received: Arc<Vec<AtomicU64>>, number: usize) -> Result<()> {
    let received = received.get(number).context("no counter")?;
    loop {
        let frame = socket.next().await?;
        if is(frame, "broadcast_message") {
            received.fetch_add(1, Ordering::Relaxed);
        }
        ensure!(!is(frame, "gap") && !is(frame, "error"), "{}", String::from_utf8_lossy(frame));
    }
}
