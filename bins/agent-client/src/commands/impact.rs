//! `agent-client impact`: what changes of definitions break in others' code, and who uses what.

use crate::context::Context;
use crate::exit::Failure;
use crate::table::Table;
use crate::when::word;
use clap::Args;
use orchestrator_client::ImpactQuery;
use orchestrator_protocol::{AffectedUse, AgentId, Certainty, Impact, SymbolUse};

/// Arguments of `impact`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  agent-client impact --symbol Cart.total
  agent-client impact --path src/cart.py --agent dev-agent")]
pub(crate) struct Arguments {
    /// Only definitions or uses in this file.
    #[arg(long)]
    path: Option<String>,
    /// Only this definition: 'method', 'Class.method' or 'src/a.py::Class.method'.
    #[arg(long, value_name = "NAME")]
    symbol: Option<String>,
    /// Only what this agent changed, or uses.
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// At most so many impacts, and so many uses.
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u64>,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    let Arguments { path, symbol, agent, limit } = arguments;
    let is_named = path.is_some() || symbol.is_some();
    let list = client.impact(&ImpactQuery { path, symbol, agent, limit }).await?;
    if out.is_json {
        return out.json(&list);
    }
    let mut table = Table::new(&["IMPACT", "CHANGED BY", "DEFINITION", "CHANGE", "USED BY", "WHERE", "USE"]);
    for impact in &list.impacts {
        table.row(broken(impact));
    }
    out.table(&table, "no change breaks anything that is known")?;
    if is_named {
        let mut table = Table::new(&["DEFINITION", "USED BY", "WHERE", "SURE", "USE"]);
        for one in &list.uses {
            table.row(used(one));
        }
        out.table(&table, "nobody is known to use it")?;
    }
    if list.truncated {
        out.note("there is more: narrow it down, or raise --limit");
    }
    if list.indexing {
        out.note("not all files are read yet: ask again in a moment");
    }
    if list.left_out > 0 {
        out.note(&format!("{} source files are too large to be read, or too many", list.left_out));
    }
    Ok(())
}

fn broken(impact: &Impact) -> [String; 7] {
    let what = match (impact.certainty, impact.is_new) {
        (Certainty::Definite, true) => "conflict",
        (Certainty::Definite, false) => "breaks",
        (Certainty::Possible, _) => "perhaps",
    };
    [
        what.to_owned(),
        name(impact.author.as_ref(), "landed"),
        format!("{}::{}", impact.definition.path, impact.definition.entity),
        impact.definition.change.clone(),
        name(impact.user.as_ref(), "the project"),
        place(&impact.affected),
        first_line(&impact.affected),
    ]
}

fn used(one: &SymbolUse) -> [String; 5] {
    let agent = name(one.agent.as_ref(), "the project");
    [one.definition.clone(), agent, place(&one.used), word(&one.certainty), first_line(&one.used)]
}

fn name(agent: Option<&AgentId>, otherwise: &str) -> String {
    agent.map_or_else(|| otherwise.to_owned(), ToString::to_string)
}

fn place(one: &AffectedUse) -> String {
    format!("{}:{}", one.path, one.line)
}

fn first_line(one: &AffectedUse) -> String {
    one.text.text.lines().next().unwrap_or_default().trim().chars().take(80).collect()
}
