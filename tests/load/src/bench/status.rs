//! `POST /agents/{id}/status` with an object body, on 16 connections.

use super::Plan;
use crate::child::Process;
use crate::client::http::{BASE, Http, encode};
use crate::client::{agent, register};
use crate::figure::{Figure, Limit};
use crate::rounds::{Load, compare};
use anyhow::Result;
use tokio::task::JoinSet;

const CONNECTIONS: usize = 16;

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let figure = Figure::ratio("status", "CPU µs/request", Limit::AtMost(1.7));
    Ok(vec![compare::<Posts>(plan, figure).await?])
}

/// Connections, each with the request of its agent.
struct Posts {
    connections: Vec<(Http, Vec<u8>)>,
}

impl Load for Posts {
    async fn connect(process: &Process) -> Result<Self> {
        let address = process.address();
        register(address, CONNECTIONS).await?;
        let mut connections = Vec::new();
        for number in 0..CONNECTIONS {
            let path = format!("{BASE}/agents/{}/status", agent(number));
            let body = r#"{"status":"busy","task":"implementing the parser","workload":0.75}"#;
            connections.push((Http::connect(address).await?, encode(address, "POST", &path, body)));
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

/// Sends each connection's request `each` times, one in flight on each connection.
pub(crate) async fn repeat(connections: Vec<(Http, Vec<u8>)>, each: u64) -> Result<Vec<(Http, Vec<u8>)>> {
    let mut tasks = JoinSet::new();
    for (mut http, request) in connections {
        tasks.spawn(async move {
            for _ in 0..each {
                http.send(&request).await?;
            }
            anyhow::Ok((http, request))
        });
    }
    let mut back = Vec::new();
    while let Some(done) = tasks.join_next().await {
        back.push(done??);
    }
    Ok(back)
}

/// Size of the last answer, to show that both sides send about the same.
pub(crate) fn answer_size(connections: &[(Http, Vec<u8>)]) -> String {
    let (all, body) = connections.first().map_or((0, 0), |(http, _)| (http.answered(), http.body().len()));
    format!("an answer is {all} bytes, {body} of them its body")
}
