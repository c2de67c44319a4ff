//! Tasks as people read them.

use crate::exit::Failure;
use crate::output::{Output, clean};
use crate::table::Table;
use crate::when::{ago, clock, now};
use orchestrator_protocol::{Task, TaskStep};

/// How much of a title a table shows.
const TITLE: usize = 40;

pub(super) fn table(tasks: &[Task]) -> Table {
    let now = now();
    let mut table =
        Table::new(&["TASK", "STATE", "PRIORITY", "AGENT", "TITLE", "NEEDS", "PROGRESS", "DEADLINE", "WHY"]);
    for task in tasks {
        table.row([
            task.task_id.clone(),
            task.state.as_str().to_owned(),
            task.priority.to_string(),
            agent(task),
            task.title.chars().take(TITLE).collect(),
            task.capabilities.join(","),
            percent(task.progress.as_ref().and_then(|progress| progress.percent)),
            task.deadline.map(|deadline| ago(deadline, now)).unwrap_or_default(),
            task.reason.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// Who has to do with it: its holder, the one that is to do it, or the one that ended it.
fn agent(task: &Task) -> String {
    let holder = task.claim.as_ref().map(|claim| claim.agent_id.to_string());
    let named = task.assigned_to.as_ref().map(|agent| format!("({agent})"));
    holder.or_else(|| task.finished_by.as_ref().map(ToString::to_string)).or(named).unwrap_or_default()
}

fn percent(percent: Option<u8>) -> String {
    percent.map(|percent| format!("{percent} %")).unwrap_or_default()
}

/// How a task stands, in a line; with the token where it is claimed.
pub(super) fn line(out: &Output, task: &Task) -> Result<(), Failure> {
    let claim = task.claim.as_ref();
    let claim = claim.map(|claim| format!(" by {}, token {}", claim.agent_id, claim.token)).unwrap_or_default();
    let reason = task.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    out.line(&clean(&format!("{} {}{claim}{reason}: {}", task.task_id, task.state.as_str(), task.title)))
}

/// All that is known of a task.
pub(super) fn whole(out: &Output, task: &Task) -> Result<(), Failure> {
    let now = now();
    line(out, task)?;
    let list = |words: &[String]| (!words.is_empty()).then(|| words.join(", "));
    let progress = task.progress.as_ref().map(|progress| {
        let said = [percent(progress.percent), progress.note.clone().unwrap_or_default()];
        let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
        format!("{} ({})", said.join(", "), ago(progress.at, now))
    });
    for (name, value) in [
        ("kind", Some(task.kind.clone())),
        ("priority", (task.priority != 0).then(|| task.priority.to_string())),
        ("asked for by", Some(format!("{}, {}", task.created_by, ago(task.created_at, now)))),
        ("assigned to", task.assigned_to.as_ref().map(ToString::to_string)),
        ("needs", list(&task.capabilities)),
        ("changes", list(&[&task.paths[..], &task.entities[..]].concat())),
        ("builds upon", list(&task.depends_on)),
        ("deadline", task.deadline.map(|deadline| ago(deadline, now))),
        ("progress", progress),
        ("result", task.result.as_ref().map(|result| result.as_str().to_owned())),
    ] {
        if let Some(value) = value {
            out.line(&format!("  {name}: {}", clean(&value)))?;
        }
    }
    if let Some(description) = &task.description {
        description.lines().try_for_each(|text| out.line(&format!("    {}", clean(text))))?;
    }
    task.history.iter().try_for_each(|step| out.line(&out.dim(&clean(&told(step)))))
}

fn told(step: &TaskStep) -> String {
    let agent = step.agent_id.as_ref().filter(|agent| agent.as_str() != step.by);
    let agent = agent.map(|agent| format!(" {agent}")).unwrap_or_default();
    let said = [percent(step.percent), step.note.clone().unwrap_or_default(), step.reason.clone().unwrap_or_default()];
    let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
    let said = if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) };
    format!("  {} {} {}{agent}{said}", clock(step.at), step.by, step.event)
}
