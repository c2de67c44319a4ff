//! `agent-client pull`: taking the merged results of settled conflicts into an agent's folder.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Output, clean};
use crate::when::word;
use clap::Args;
use orchestrator_protocol::{PullAnswer, PullRequest, PullState, Pulled};

/// Arguments of `pull`.
#[derive(Debug, Args)]
#[command(after_help = "\
What stands in the folder is backed up first. A result that does not go together with what was edited since is left
alone, and the program ends with 5.

Examples:
  agent-client pull dev-agent --dry-run
  agent-client pull dev-agent
  agent-client pull dev-agent c12")]
pub(crate) struct Arguments {
    /// Whose folder.
    #[arg(value_name = "AGENT")]
    agent_id: String,
    /// Only the results of these conflicts, also such as were taken before; all that are new when left out.
    #[arg(value_name = "CONFLICT")]
    conflicts: Vec<String>,
    /// Say what would happen, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let Context { client, out } = context;
    let Arguments { agent_id, conflicts, dry_run } = arguments;
    let conflicts = (!conflicts.is_empty()).then_some(conflicts);
    let answer = client.pull(&agent_id, &PullRequest { conflicts, dry_run: dry_run.then_some(true) }).await?;
    if out.is_json {
        out.json(&answer)?;
    } else {
        show(out, &answer)?;
    }
    let count = |state| answer.results.iter().filter(|one| one.state == state).count();
    match (count(PullState::Conflict), count(PullState::Busy)) {
        (0, 0) => Ok(()),
        (0, busy) => Err(Failure::new(
            Exit::Unavailable,
            "busy",
            format!("{busy} of {} results could not be taken", answer.results.len()),
            "see that nothing writes there, then pull again",
        )),
        (conflicts, _) => Err(Failure::new(
            Exit::Conflict,
            "pull_conflict",
            format!("{conflicts} of {} results do not go together with the folder", answer.results.len()),
            "merge them by hand: GET /api/orchestration/conflicts/ID/resolution has the bytes",
        )),
    }
}

fn show(out: &Output, answer: &PullAnswer) -> Result<(), Failure> {
    if answer.results.is_empty() {
        return out.line("nothing to pull");
    }
    for one in &answer.results {
        let Pulled { conflict_id, file_path, state, reason, regions, backup } = one;
        let what = match state {
            PullState::Pulled if answer.dry_run => "would be pulled".to_owned(),
            state => word(state),
        };
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        out.line(&format!(
            "{}  {}  {}",
            out.bold(&clean(conflict_id)),
            clean(file_path),
            clean(&format!("{what}{reason}"))
        ))?;
        for region in regions {
            let at = region.sides.first().unwrap_or(&region.base);
            let lines = if at.line_count == 1 { "1 line".to_owned() } else { format!("{} lines", at.line_count) };
            out.line(&format!("  at line {} of the file ({lines})", at.start_line))?;
        }
        if let Some(backup) = backup {
            out.line(&format!("  what stood there is kept as {} ({})", clean(&backup.name), clean(&backup.commit)))?;
            out.line(&format!("  to get it back: {}", clean(&backup.restore)))?;
        }
    }
    Ok(())
}
