//! `agent-client agents`: who is there.

use crate::context::Context;
use crate::exit::Failure;
use crate::table::Table;
use crate::when::{ago, now};
use clap::Args;
use orchestrator_protocol::Agent;

/// Arguments of `agents`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  agent-client agents\n  agent-client agents dev-agent --json")]
pub(crate) struct Arguments {
    /// Show only this agent, with all that is known of it.
    #[arg(value_name = "ID")]
    agent_id: Option<String>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    if let Some(id) = arguments.agent_id {
        let agent = client.agent(&id).await?;
        return if out.is_json { out.json(&agent) } else { out.table(&in_full(&agent), "") };
    }
    let list = client.agents().await?;
    if out.is_json {
        return out.json(&list);
    }
    let now = now();
    let mut table = Table::new(&["ID", "STATUS", "LOAD", "TASK", "CAPABILITIES", "LAST SEEN"]);
    for agent in list.agents {
        table.row([
            agent.agent_id.to_string(),
            agent.status.as_str().to_owned(),
            percent(agent.workload.get()),
            agent.current_task.unwrap_or_default(),
            agent.capabilities.join(","),
            ago(agent.last_activity, now),
        ]);
    }
    out.table(&table, "no agent is registered; run one with 'agent-client --agent-id ID'")
}

/// Everything known of one agent.
fn in_full(agent: &Agent) -> Table {
    let mut table = Table::new(&["AGENT", agent.agent_id.as_str()]);
    for (name, value) in [
        ("status", agent.status.as_str().to_owned()),
        ("task", agent.current_task.clone().unwrap_or_default()),
        ("workload", percent(agent.workload.get())),
        ("capabilities", agent.capabilities.join(",")),
        ("role", agent.role.clone().unwrap_or_default()),
        ("workspace", agent.workspace.clone().unwrap_or_default()),
        ("branch", agent.branch.clone().unwrap_or_default()),
        ("connections", agent.connections.to_string()),
        ("last seen", agent.last_activity.to_string()),
    ] {
        table.row([name.to_owned(), value]);
    }
    table
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}
