//! `agent-client rollback`: taking back what landed.

use crate::context::Context;
use crate::exit::Failure;
use crate::output::clean;
use clap::Args;
use orchestrator_protocol::{RollbackRequest, Timestamp};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};

/// Arguments of `rollback`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is taken back lands as a commit of its own: merged with what came later, checked by the gates, and taken back the same \
way. Needs the operator's secret (--operator-secret-file).

Examples:
  agent-client rollback merge-42 --dry-run
  agent-client rollback merge-42
  agent-client rollback 2026-11-23T09:00:00Z --target main")]
pub(crate) struct Arguments {
    /// A landing, or a moment after which everything is taken back.
    #[arg(value_name = "MERGE|TIME")]
    what: String,
    /// With a moment: the branch; the one that something landed on last when left out.
    #[arg(long, value_name = "BRANCH")]
    target: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    let Arguments { what, target, dry_run } = arguments;
    let mut request = RollbackRequest { target, dry_run: Some(dry_run), ..RollbackRequest::default() };
    if what.starts_with("merge-") {
        request.merge_id = Some(what);
    } else {
        let read: StrDeserializer<'_, Error> = what.as_str().into_deserializer();
        let at = Timestamp::deserialize(read).map_err(|_| {
            Failure::usage(format!("'{what}' is no merge and no time"), "give merge-42, or 2026-11-23T09:00:00Z")
        })?;
        request.since = Some(at);
    }
    let answer = client.rollback(&request).await?;
    if out.is_json {
        return out.json(&answer);
    }
    let would = if dry_run { "would take back" } else { "takes back" };
    out.line(&clean(&format!("{would} {} on {}", answer.merges.join(", "), answer.target)))?;
    answer.paths.iter().try_for_each(|path| out.line(&format!("  {}", clean(path))))?;
    for later in &answer.dependents {
        out.line(&clean(&format!("{later} came later, changed some of these paths too, and stays")))?;
    }
    match &answer.merge {
        Some(merge) => out.line(&clean(&format!("see how far it is: agent-client merge show {}", merge.merge_id))),
        None => Ok(()),
    }
}
