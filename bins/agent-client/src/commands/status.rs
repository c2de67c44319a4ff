//! `agent-client status`: health and monitoring at a glance.

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::clean;
use crate::when::word;
use orchestrator_protocol::{Health, HealthStatus, SyncStatus};
use serde_json::json;

pub(crate) async fn run(context: &Context<'_>) -> Result<(), Failure> {
    let health = context.client.health().await?;
    let sync = context.client.sync_status().await?.sync_status;
    if context.out.is_json {
        context.out.json(&json!({"health": health, "sync_status": sync}))?;
    } else {
        for line in lines(&health, sync.as_ref(), &context.client.base_url()) {
            context.out.line(&line)?;
        }
    }
    if health.status == HealthStatus::Halted {
        let cure = health.degraded.first().map(|one| one.cure.clone()).unwrap_or_default();
        return Err(Failure::new(Exit::Unavailable, "halted", "the server is halted: it records nothing", cure));
    }
    Ok(())
}

fn lines(health: &Health, sync: Option<&SyncStatus>, url: &str) -> Vec<String> {
    let mut lines = vec![format!(
        "server      {} at {url}, version {}, event {}",
        word(&health.status),
        clean(&health.version),
        health.seq
    )];
    for one in &health.degraded {
        lines.push(format!("  {}: {}; {}", clean(&one.name), clean(&one.reason), clean(&one.cure)));
    }
    let agents = sync.map_or(health.sync_service.registered_agents, |sync| sync.registered_agents);
    lines.push(format!("agents      {agents} registered, {} connections", health.websocket_connections));
    if let Some(sync) = sync {
        let watching = if sync.monitoring_active { "on" } else { "off" };
        lines.push(format!("monitoring  {watching}, {} files", sync.total_files_monitored));
        lines.push(format!("changes     {} files in work", sync.active_changes));
        lines.push(format!("conflicts   {} open, {} resolved", sync.active_conflicts, sync.resolved_conflicts));
    }
    lines
}
