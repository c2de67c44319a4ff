//! Logs: to stderr for people, and to a file when a folder is given.

use anyhow::Context;
use std::path::Path;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// The file in `--log-dir`.
const FILE: &str = "orchestrator.log";

/// Starts logging. The guard writes what is left when it is dropped.
pub(crate) fn start(filter: &str, folder: Option<&Path>, json: bool) -> anyhow::Result<Option<WorkerGuard>> {
    let filter = || EnvFilter::try_new(filter).with_context(|| format!("'{filter}' is no log filter; try info"));
    let (file, guard) = match folder {
        None => (None, None),
        Some(folder) => {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to make the log folder {}", folder.display()))?;
            let (writer, guard) = tracing_appender::non_blocking(tracing_appender::rolling::never(folder, FILE));
            let layer = fmt::layer().with_writer(writer).with_ansi(false);
            let layer = if json { layer.json().boxed() } else { layer.boxed() };
            // Every request stands in the file, whatever stderr shows.
            let detailed = EnvFilter::new("info,orchestrator_transport=debug");
            (Some(layer.with_filter(detailed)), Some(guard))
        }
    };
    let stderr = fmt::layer().with_writer(std::io::stderr);
    let stderr = if json { stderr.json().boxed() } else { stderr.boxed() };
    tracing_subscriber::registry().with(stderr.with_filter(filter()?)).with(file).init();
    Ok(guard)
}
