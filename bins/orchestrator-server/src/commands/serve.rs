//! `orchestrator-server`: opens the log, listens, and runs until it is told to stop.

use super::{say, tell};
use crate::settings::{self, Flags, Settings};
use crate::telemetry;
use anyhow::Context;
use orchestrator::{Actor, Orchestrator};
use orchestrator_repository::Project;
use orchestrator_transport::{OperatorSecret, Server, ServerOptions, bus};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

pub(crate) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let project = settings::project(flags)?;
    let settings = settings::load(flags, &project)?;
    if flags.print_config {
        say(toml_edit::ser::to_string_pretty(&settings)?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let filter = settings.log.filter.as_deref().unwrap_or("warn");
    let _logs = telemetry::start(filter, settings.log.folder.as_deref(), settings.log.json)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(serve(project, settings))
}

async fn serve(project: Project, settings: Settings) -> anyhow::Result<ExitCode> {
    let state_dir = settings::state_dir(&settings, &project);
    let orchestrator = Orchestrator::open(settings.options(project.clone(), &state_dir))
        .with_context(|| format!("failed to open the state folder {}", state_dir.display()))?;
    let operator = OperatorSecret::load_or_create(&state_dir.join("operator.secret"))
        .context("failed to make the operator's secret")?;
    let options = ServerOptions {
        bind: settings.bind,
        origins: settings.allow_origins.clone(),
        operator,
        workers: settings.workers,
    };
    let server = Server::bind(orchestrator.clone(), options)?;
    if settings.sync.autostart {
        orchestrator.set_monitoring(Actor::System, true).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    }
    let shutdown = CancellationToken::new();
    // Whoever reads the ready line may send a signal at once.
    let signals = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(stop_on_signal(signals, shutdown.clone()));
    tokio::spawn(end_on_failure(orchestrator.clone()));
    let bus = settings.bus.enabled.then(|| {
        let root = project.root().join(&settings.bus.path);
        let bus = bus::Options { root, ..bus::Options::new(&project) }.build(orchestrator.clone());
        tokio::spawn(bus.run(shutdown.clone()))
    });
    announce(&project, server.addresses(), &state_dir);
    let served = server.run(shutdown.clone()).await;
    shutdown.cancel();
    if let Some(bus) = bus {
        bus.await.context("the file bus ended badly")?;
    }
    orchestrator.shutdown().await;
    served.context("the server ended")?;
    tell("stopped; everything acknowledged is in the log");
    Ok(ExitCode::SUCCESS)
}

/// Says where it is and what to do next.
fn announce(project: &Project, addresses: &[SocketAddr], state_dir: &Path) {
    let listed: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    let port = addresses.first().map_or(8000, SocketAddr::port);
    let url = format!("http://localhost:{port}");
    let kind = if project.git_common_dir().is_some() { "repository" } else { "folder, no git" };
    tell(format_args!("Independent Orchestration Agent {}", env!("CARGO_PKG_VERSION")));
    tell(format_args!("  project    {} ({kind})", project.root().display()));
    tell(format_args!("  listening  {}", listed.join(" and ")));
    tell(format_args!("  state      {}", state_dir.display()));
    tell("Next:");
    tell(format_args!("  curl {url}/api/orchestration/health"));
    tell(format_args!("  curl -X POST {url}/api/orchestration/sync/start     begin to watch the folder"));
    tell(format_args!("  agent-client --base-url {url} --agent-id dev-agent --capabilities python,backend"));
    tell(format_args!("  {url}/docs                                  all routes, to try out"));
    tell("Ctrl-C stops it; nothing that was acknowledged is lost.");
}

/// The first signal stops in order, the second at once: that loses nothing either.
async fn stop_on_signal((mut interrupt, mut terminate): (Signal, Signal), shutdown: CancellationToken) {
    for stopping in [false, true] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stopping {
            std::process::exit(130);
        }
        tracing::info!("stopping");
        shutdown.cancel();
    }
}

/// It is not known what reached the disk: end at once, so that the next start recovers from the log.
async fn end_on_failure(orchestrator: Orchestrator) {
    let reason = orchestrator.failed().await;
    super::complain(&anyhow::anyhow!("the log failed: {reason}; start again: it recovers what was acknowledged"));
    std::process::exit(1);
}
