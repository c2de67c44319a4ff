//! Start on a log of 1,000,000 records with a checkpoint: time until the first healthy answer.
//!
//! The log is written through `orchestrator-log` with the events that a busy team leaves: statuses, changes,
//! and messages that were sent and acknowledged. The first start has no checkpoint and replays everything; it
//! leaves one when it ends.

use super::Plan;
use crate::child::{Launcher, Process};
use crate::client::agent;
use crate::client::http::{BASE, Http};
use crate::figure::{Figure, Limit, short};
use crate::output::line;
use crate::scratch::Scratch;
use anyhow::{Context, Result, ensure};
use orchestrator::Event;
use orchestrator_conflict as conflict;
use orchestrator_log::{Class, Draft, Log, Options, SqliteLog};
use orchestrator_mailbox as mailbox;
use orchestrator_protocol::{AgentId, AgentStatus, ChangeType, Severity, Workload};
use orchestrator_registry as registry;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const RECORDS: usize = 1_000_000;
/// One record in so many is a message, and one its acknowledgement.
const MESSAGE_EVERY: u64 = 10;
const AGENTS: usize = 200;
const BATCH: usize = 10_000;

/// Runs it.
pub(crate) async fn run(plan: &Plan) -> Result<Vec<Figure>> {
    let records = plan.size(RECORDS, 100_000);
    let scratch = plan.launcher.scratch()?;
    let begun = Instant::now();
    fill(&scratch.log(), records)?;
    line(format!("  start: {records} records written in {:.0} s", begun.elapsed().as_secs_f64()));
    let (seconds, process) = start(&plan.launcher, &scratch).await?;
    let begun = Instant::now();
    process.stop()?;
    let stop = begun.elapsed().as_secs_f64();
    line(format!("  start: {} s without a checkpoint, {} s to leave one", short(seconds), short(stop)));

    let mut figure = Figure::ratio("start", "s", Limit::AtMost(2.0));
    for _ in 0..plan.rounds {
        let (seconds, process) = start(&plan.launcher, &scratch).await?;
        figure.ours.push(seconds);
        figure.values.push(seconds);
        ensure!(agents(&process).await? == AGENTS, "the server does not know its agents again");
        process.stop()?;
    }
    Ok(vec![figure])
}

/// Starts the server and waits for a healthy answer.
async fn start(launcher: &Launcher, scratch: &Scratch) -> Result<(f64, Process)> {
    let begun = Instant::now();
    let process = launcher.server(scratch)?;
    loop {
        if let Ok(mut http) = Http::connect(process.address()).await
            && let Ok(body) = http.call("GET", &format!("{BASE}/health"), "").await
            && serde_json::from_slice::<serde_json::Value>(body)?.get("status").is_some_and(|word| word == "healthy")
        {
            return Ok((begun.elapsed().as_secs_f64(), process));
        }
        ensure!(begun.elapsed() < Duration::from_secs(120), "the server never became healthy");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn agents(process: &Process) -> Result<usize> {
    let mut http = Http::connect(process.address()).await?;
    let list: serde_json::Value = serde_json::from_slice(http.call("GET", &format!("{BASE}/agents"), "").await?)?;
    list.get("agents").and_then(|agents| agents.as_array()).map(Vec::len).context("no list of agents")
}

/// Writes the log.
fn fill(path: &Path, records: usize) -> Result<()> {
    let mut log = SqliteLog::open(path, Options::default())?;
    let ids: Vec<AgentId> = (0..AGENTS).map(|number| agent(number).parse()).collect::<Result<_, _>>()?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let (first, last) = (log.tail().next_seq, log.tail().next_seq + records as u64);
    let mut drafts = Vec::with_capacity(BATCH);
    for seq in first..last {
        let at = now - i64::try_from(last - seq)?;
        let (event, body) = event(seq - first, seq, at, &ids)?;
        drafts.push(draft(seq, at, &event, body)?);
        if drafts.len() == BATCH || seq + 1 == last {
            log.append(&drafts)?;
            drafts.clear();
        }
    }
    Ok(log.shutdown()?)
}

/// The event in a place: all agents join first, then the usual mixture.
fn event(place: u64, seq: u64, at: i64, ids: &[AgentId]) -> Result<(Event, bool)> {
    let of = |number: u64| ids.get(number as usize % ids.len()).cloned().context("no agents");
    let agent = of(place)?;
    if place < ids.len() as u64 {
        let capabilities = vec!["python".to_owned(), "testing".to_owned()];
        let (role, workspace, branch) = (None, None, None);
        let event = registry::Event::Registered { agent, capabilities, role, workspace, branch, at };
        return Ok((Event::Registry(event), false));
    }
    let event = match place % MESSAGE_EVERY {
        0 => {
            let to = of(place / MESSAGE_EVERY)?;
            let sent = mailbox::Event::Sent {
                from: agent.to_string(),
                to: to.to_string(),
                recipients: vec![to],
                kind: "task".to_owned(),
                in_reply_to: None,
                thread: None,
                key: None,
                digest: format!("{place:064x}"),
                at,
            };
            return Ok((Event::Mailbox(sent), true));
        }
        1 => {
            let agent = of((place - 1) / MESSAGE_EVERY)?;
            Event::Mailbox(mailbox::Event::Acknowledged { agent, message: seq - 1 })
        }
        2..=5 => {
            let path = format!("src/{agent}/module_{}.py", place / MESSAGE_EVERY % 10);
            Event::Conflict(conflict::Event::Changed(conflict::Change {
                path,
                agent: Some(agent),
                change_type: ChangeType::Modified,
                hash: Some(format!("{place:064x}")),
                previous_hash: Some(format!("{:064x}", place - 1)),
                previous_path: None,
                conflict_level: Severity::Low,
                affected: Vec::new(),
                at,
                merged: false,
            }))
        }
        _ => {
            let workload = Workload::try_from((place % 100) as f64 / 100.0)?;
            let task = Some(format!("task {place}"));
            Event::Registry(registry::Event::StatusUpdated { agent, status: AgentStatus::Busy, task, workload })
        }
    };
    Ok((event, false))
}

fn draft(seq: u64, at: i64, event: &Event, body: bool) -> Result<Draft> {
    let (class, kind) = match event {
        Event::Registry(registry::Event::StatusUpdated { .. }) => (Class::Telemetry, "agent.status"),
        Event::Conflict(_) => (Class::Telemetry, "change"),
        Event::Registry(_) => (Class::Decision, "agent.registered"),
        Event::Mailbox(mailbox::Event::Sent { .. }) => (Class::Decision, "message.sent"),
        _ => (Class::Decision, "message.acknowledged"),
    };
    let payload = body.then(|| br#"{"title":"review the parser","priority":2}"#.as_slice().into());
    let facts = serde_json::to_vec(&[event])?.into();
    Ok(Draft { seq, events: 1, class, at, actor: "system".into(), kind: kind.into(), version: 1, facts, payload })
}
