//! `GET /agents` with 50 agents, on 16 connections; both sides write the list anew for each answer.

use super::Plan;
use super::status::{answer_size, repeat};
use crate::child::Process;
use crate::client::http::{BASE, Http, encode};
use crate::client::register;
use crate::figure::{Figure, Limit};
use crate::rounds::{Load, compare};
use anyhow::Result;

const AGENTS: usize = 50;
const CONNECTIONS: usize = 16;

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let figure = Figure::ratio("list", "CPU µs/request", Limit::AtMost(1.7));
    Ok(vec![compare::<Lists>(plan, figure).await?])
}

struct Lists {
    connections: Vec<(Http, Vec<u8>)>,
}

impl Load for Lists {
    async fn connect(process: &Process) -> Result<Self> {
        let address = process.address();
        register(address, AGENTS).await?;
        let request = encode(address, "GET", &format!("{BASE}/agents"), "");
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push((Http::connect(address).await?, request.clone()));
        }
        Ok(Self { connections })
    }

    async fn run(&mut self, operations: u64) -> Result<u64> {
        let each = operations.div_ceil(CONNECTIONS as u64);
        self.connections = repeat(std::mem::take(&mut self.connections), each).await?;
        Ok(each * CONNECTIONS as u64)
    }

    fn remark(&self) -> String {
        answer_size(&self.connections)
    }
}
