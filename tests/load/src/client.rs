//! Load generators: raw connections with requests encoded before.

pub(crate) mod http;
pub(crate) mod socket;

use anyhow::Result;
use http::{BASE, Http};
use std::net::SocketAddr;

/// The id of an agent.
pub(crate) fn agent(number: usize) -> String {
    format!("load-agent-{number}")
}

/// Registers agents.
pub(crate) async fn register(address: SocketAddr, agents: usize) -> Result<()> {
    let mut http = Http::connect(address).await?;
    for number in 0..agents {
        let body = format!(r#"{{"agent_id":"{}","capabilities":["python","testing"]}}"#, agent(number));
        http.call("POST", &format!("{BASE}/agents/register"), &body).await?;
    }
    Ok(())
}
