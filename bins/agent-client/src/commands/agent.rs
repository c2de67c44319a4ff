//! `agent-client --agent-id ID`: runs an agent until it is told to stop.

use crate::commands::register::Description;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::feed;
use clap::Args;
use clap::builder::PossibleValuesParser;
use orchestrator_client::{AgentOptions, Client, Error, Handle, Notice, Notices};
use orchestrator_protocol::{StatusRequest, Workload};
use signals::Signals;
use std::path::PathBuf;
use std::time::Duration;

mod signals;
mod watching;

/// How long taking leave of the server may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// Exit code of a program that was interrupted, as shells count it.
const INTERRUPTED: i32 = 130;

/// Arguments that run an agent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Running an agent")]
pub(crate) struct Arguments {
    /// The agent's name: register it, stay connected, show and acknowledge what arrives.
    #[arg(long, value_name = "ID")]
    pub(crate) agent_id: Option<String>,
    #[command(flatten)]
    pub(crate) described: Description,
    /// What it does: active, idle, busy, error or offline.
    #[arg(long, hide_possible_values = true, value_parser = PossibleValuesParser::new(["active", "idle", "busy", "error", "offline"]))]
    status: Option<String>,
    /// What it works on.
    #[arg(long, value_name = "TEXT")]
    task: Option<String>,
    /// Share of its capacity in use, 0 to 1.
    #[arg(long, value_name = "SHARE", value_parser = workload)]
    workload: Option<f64>,
    /// Report the changes of files in this folder.
    #[arg(long, value_name = "DIR")]
    watch: Option<PathBuf>,
    /// Begin after this event instead of now.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
}

fn workload(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("'{text}' is not a number"))?;
    Workload::try_from(number).map(f64::from).map_err(|error| error.to_string())
}

impl Arguments {
    /// Whether any of them was given.
    pub(crate) fn is_given(&self) -> bool {
        let Description { capabilities, role, workspace, branch } = &self.described;
        let texts = [&self.agent_id, role, workspace, branch, &self.status, &self.task];
        texts.iter().any(|text| text.is_some())
            || !capabilities.is_empty()
            || self.workload.is_some()
            || self.watch.is_some()
            || self.after.is_some()
    }

    fn first_status(&self) -> StatusRequest {
        let status = self.status.clone().unwrap_or_else(|| "active".to_owned());
        StatusRequest { status: Some(status), task: self.task.clone(), workload: Some(self.workload.unwrap_or(0.0)) }
    }
}

/// Runs the agent.
pub(crate) async fn run(context: &Context<'_>, arguments: Arguments) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let agent_id = arguments.agent_id.clone().unwrap_or_default();
    let status = arguments.first_status();
    let watching = arguments.watch.as_deref().map(watching::Watching::start).transpose()?;
    let options = AgentOptions::new(context.client.clone(), &agent_id);
    let mut options = options.register(arguments.described.request(agent_id.clone()));
    if let Some(after) = arguments.after {
        options = options.after(after);
    }
    let (connection, handle, mut notices) = options.build();
    let running = tokio::spawn(connection.run());
    let work = async {
        handle.status_update(status).await?;
        let Some(watching) = watching else { return show(context, &handle, &mut notices).await };
        tokio::try_join!(show(context, &handle, &mut notices), watching.report(context.out, &handle)).map(drop)
    };
    let ended = tokio::select! {
        ended = work => Some(ended),
        () = signals.next() => None,
    };
    if let Some(Err(failure)) = ended {
        return Err(refusal(running).await.unwrap_or(failure));
    }
    if ended.is_some() {
        // The notices ended: the connection did, and says why.
        return refusal(running).await.map_or(Ok(()), Err);
    }
    context.out.note("leaving; interrupt again to end at once");
    handle.close();
    tokio::select! {
        left = leave(&context.client, &agent_id, running) => left,
        () = signals.next() => std::process::exit(INTERRUPTED),
    }
}

type Running = tokio::task::JoinHandle<Result<(), Error>>;

/// Why the connection ended, when it ended by itself.
async fn refusal(running: Running) -> Option<Failure> {
    running.is_finished().then_some(running)?.await.ok()?.err().map(Failure::from)
}

/// Shows what arrives and acknowledges messages once they are shown.
async fn show(context: &Context<'_>, handle: &Handle, notices: &mut Notices) -> Result<(), Failure> {
    let out = context.out;
    while let Some(notice) = notices.recv().await {
        let frame = match notice {
            Notice::Connected { greeting, resumed } => {
                if !out.is_json {
                    out.note(if resumed { "connected again" } else { "connected" });
                }
                greeting
            }
            Notice::Disconnected { reason, retry_in } => {
                out.note(&format!("not connected: {reason}; trying again in {:.1} s", retry_in.as_secs_f32()));
                continue;
            }
            Notice::Frame(frame) => frame,
        };
        if out.is_json {
            out.line(frame.text())?;
        } else if !is_routine(frame.kind()) {
            out.line(&feed::line(out, frame.text()))?;
        }
        if let Some(message_id) = frame.message_id() {
            handle.acknowledge(message_id).await?;
        }
    }
    Ok(())
}

/// Frames that tell a person nothing.
fn is_routine(kind: &str) -> bool {
    matches!(kind, "agent_connection_established" | "status_update_ack" | "code_change_ack" | "agent_message_ack")
}

/// Ends the connection, then takes the agent off the list.
async fn leave(client: &Client, agent_id: &str, running: Running) -> Result<(), Failure> {
    // A task that panicked has said so on standard error; the agent leaves all the same.
    let closed = running.await.unwrap_or(Ok(()));
    match tokio::time::timeout(GOODBYE, client.unregister(agent_id)).await {
        Ok(unregistered) => unregistered.map_err(|error| {
            let failure = Failure::from(error);
            let what = format!("{agent_id} could not be unregistered: {}", failure.line());
            Failure::new(failure.exit, "not_unregistered", what, "")
        })?,
        Err(_) => {
            let what = format!("{agent_id} could not be unregistered within {} s", GOODBYE.as_secs());
            return Err(Failure::new(Exit::Timeout, "not_unregistered", what, "it will be shown as offline"));
        }
    };
    Ok(closed?)
}
