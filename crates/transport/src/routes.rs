//! All routes, one file a resource.

pub(crate) mod agents;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod conflicts;
pub(crate) mod control;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod inbox;
pub(crate) mod leases;
pub(crate) mod merges;
pub(crate) mod messages;
pub(crate) mod pull;
pub(crate) mod pushes;
pub(crate) mod snapshots;
pub(crate) mod sockets;
pub(crate) mod sync;
pub(crate) mod tasks;
pub(crate) mod workspaces;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers everything under `/api/orchestration`.
pub(crate) fn configure(config: &mut ServiceConfig) {
    agents::configure(config);
    workspaces::configure(config);
    snapshots::configure(config);
    pushes::configure(config);
    sync::configure(config);
    conflicts::configure(config);
    pull::configure(config);
    messages::configure(config);
    inbox::configure(config);
    leases::configure(config);
    tasks::configure(config);
    approvals::configure(config);
    merges::configure(config);
    events::configure(config);
    control::configure(config);
    health::configure(config);
    audit::configure(config);
    sockets::configure(config);
}

/// `success`, as every documented answer begins.
pub(crate) fn success() -> String {
    "success".to_owned()
}

/// Now, as a label.
pub(crate) fn now() -> orchestrator_protocol::Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    orchestrator_protocol::Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
