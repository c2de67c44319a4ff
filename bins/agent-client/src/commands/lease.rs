//! `agent-client lease`: claims on files.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::clean;
use crate::table::Table;
use crate::when::{ago, now, word};
use clap::{Args, Subcommand, ValueEnum};
use orchestrator_protocol::{Lease, LeaseAnswer, LeaseMode, LeaseRequest, RenewRequest, Resource, ResourceKind};

/// Arguments of `lease`.
#[derive(Debug, Args)]
#[command(after_help = "\
A claim that is not renewed ends by itself. Renewing gives a new token; older ones are refused from then on.

Examples:
  agent-client lease acquire dev-agent src/api/users.py --ttl 600
  agent-client lease acquire dev-agent 'src/api/**' --shared
  agent-client lease acquire dev-agent 'src/a.py::User.save'
  agent-client lease release l12 --token 12")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What to do with claims.
#[derive(Debug, Subcommand)]
enum Action {
    /// Claim a file or folder, all paths that match a pattern, or a part of a file.
    Acquire(Acquire),
    /// List the claims that stand.
    List,
    /// Hold a claim for another term.
    Renew(Renew),
    /// Give a claim up.
    Release(Release),
}

#[derive(Debug, Args)]
struct Acquire {
    /// Who claims.
    #[arg(value_name = "AGENT")]
    agent_id: String,
    /// What: a path, a pattern, or FILE::NAME.
    #[arg(value_name = "RESOURCE")]
    value: String,
    /// How to read it; told from its form when left out.
    #[arg(long)]
    kind: Option<Kind>,
    /// Let others hold it too, as long as they share.
    #[arg(long)]
    shared: bool,
    /// For so many seconds.
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
}

#[derive(Debug, Args)]
struct Renew {
    /// Which claim.
    #[arg(value_name = "LEASE")]
    id: String,
    /// Its newest token.
    #[arg(long)]
    token: u64,
    /// For so many seconds; as long as before when left out.
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u64>,
}

#[derive(Debug, Args)]
struct Release {
    /// Which claim.
    #[arg(value_name = "LEASE")]
    id: String,
    /// Its newest token.
    #[arg(long)]
    token: u64,
}

/// How a resource is read.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Path,
    Glob,
    Entity,
}

impl From<Kind> for ResourceKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Path => Self::Path,
            Kind::Glob => Self::Glob,
            Kind::Entity => Self::Entity,
        }
    }
}

/// What a resource looks like.
fn kind_of(value: &str) -> ResourceKind {
    if value.contains("::") {
        ResourceKind::Entity
    } else if value.contains(['*', '?', '[', '{']) {
        ResourceKind::Glob
    } else {
        ResourceKind::Path
    }
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    match arguments.action {
        Action::Acquire(Acquire { agent_id, value, kind, shared, ttl }) => {
            let kind = kind.map_or_else(|| kind_of(&value), ResourceKind::from);
            let mode = if shared { LeaseMode::Shared } else { LeaseMode::Exclusive };
            let resource = Resource { kind, value };
            let answer = client.acquire_lease(&LeaseRequest { agent_id, resource, mode, ttl_seconds: ttl }).await?;
            show(context, &answer)
        }
        Action::Renew(Renew { id, token, ttl }) => {
            show(context, &client.renew_lease(&id, &RenewRequest { token: Some(token), ttl_seconds: ttl }).await?)
        }
        Action::Release(Release { id, token }) => {
            let answer = client.release_lease(&id, token).await?;
            if out.is_json { out.json(&answer) } else { out.line(&format!("released {}", clean(&id))) }
        }
        Action::List => {
            let list = client.leases().await?;
            if out.is_json { out.json(&list) } else { out.table(&table(&list.leases), "nothing is claimed") }
        }
    }
}

fn show(context: &Context<'_>, answer: &LeaseAnswer) -> Result<(), Failure> {
    if context.out.is_json {
        return context.out.json(answer);
    }
    context.out.table(&table(std::slice::from_ref(&answer.lease)), "")
}

fn table(leases: &[Lease]) -> Table {
    let now = now();
    let mut table = Table::new(&["LEASE", "TOKEN", "AGENT", "MODE", "KIND", "RESOURCE", "ENDS"]);
    for lease in leases {
        table.row([
            lease.lease_id.clone(),
            lease.token.to_string(),
            lease.agent_id.to_string(),
            word(&lease.mode),
            word(&lease.resource.kind),
            lease.resource.value.clone(),
            ago(lease.expires_at, now),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_resource_tells_its_kind() {
        for (value, kind) in [
            ("src/a.py", ResourceKind::Path),
            ("src/**", ResourceKind::Glob),
            ("src/a.{py,js}", ResourceKind::Glob),
            ("src/a.py::User.save", ResourceKind::Entity),
        ] {
            assert_eq!(kind_of(value), kind, "{value}");
        }
    }
}
