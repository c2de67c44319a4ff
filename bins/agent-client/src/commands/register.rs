//! `agent-client register`: makes an agent known.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::clean;
use clap::Args;
use orchestrator_protocol::RegisterRequest;

/// Arguments of `register`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  agent-client register dev-agent --capabilities python,backend --role developer")]
pub(crate) struct Arguments {
    /// The agent's name.
    #[arg(value_name = "ID")]
    agent_id: String,
    #[command(flatten)]
    described: Description,
}

/// What an agent says of itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct Description {
    /// What it can do, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) capabilities: Vec<String>,
    /// Its part in the team.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// The folder it works in, as an absolute path.
    #[arg(long, value_name = "DIR")]
    pub(crate) workspace: Option<String>,
    /// The branch it works on.
    #[arg(long)]
    pub(crate) branch: Option<String>,
}

impl Description {
    /// The request that registers an agent of this description. Capabilities that are not given stay as they are.
    pub(crate) fn request(self, agent_id: String) -> RegisterRequest {
        let words = self.capabilities.into_iter().map(|word| word.trim().to_owned()).filter(|word| !word.is_empty());
        let capabilities: Vec<String> = words.collect();
        RegisterRequest {
            agent_id: Some(agent_id),
            capabilities: (!capabilities.is_empty()).then_some(capabilities),
            role: self.role,
            workspace: self.workspace,
            branch: self.branch,
        }
    }
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let answer = context.client.register(&arguments.described.request(arguments.agent_id)).await?;
    if context.out.is_json {
        return context.out.json(&answer);
    }
    let what = if answer.updated { "updated" } else { "registered" };
    let capabilities = answer.capabilities.join(", ");
    let capabilities = if capabilities.is_empty() { "no capabilities" } else { &capabilities };
    context.out.line(&format!("{what} {}: {}", answer.agent_id, clean(capabilities)))
}
