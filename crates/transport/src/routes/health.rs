//! `/health` and `/metrics`.

use crate::context::{Context, metrics_recorder};
use actix_web::{HttpResponse, get, web};
use orchestrator_protocol::{Health, HealthStatus};
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(show_health);
}

/// How the server is: healthy, degraded (200, with what does not work) or halted (503).
#[utoipa::path(tag = "health", responses((status = 200, body = Health), (status = 503, body = Health)))]
#[get("/health")]
async fn show_health(context: web::Data<Context>) -> HttpResponse {
    let health = context.orchestrator.health(context.sockets());
    match health.status {
        HealthStatus::Halted => HttpResponse::ServiceUnavailable().json(health),
        HealthStatus::Healthy | HealthStatus::Degraded => HttpResponse::Ok().json(health),
    }
}

/// All metrics, as Prometheus reads them.
#[utoipa::path(tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
#[get("/metrics")]
pub(crate) async fn show_metrics(context: web::Data<Context>) -> HttpResponse {
    let health = context.orchestrator.health(context.sockets());
    metrics::gauge!("orchestrator_websocket_connections").set(context.sockets() as f64);
    metrics::gauge!("orchestrator_registered_agents").set(health.sync_service.registered_agents as f64);
    metrics::gauge!("orchestrator_degradations").set(health.degraded.len() as f64);
    metrics::gauge!("orchestrator_halted").set(f64::from(u8::from(health.status == HealthStatus::Halted)));
    metrics::gauge!("orchestrator_flushed_seq").set(health.seq as f64);
    if let Some(watched) = context.orchestrator.watched() {
        metrics::gauge!("orchestrator_files_watched").set(watched.files as f64);
        metrics::gauge!("orchestrator_folders_scanned").set(watched.folders_scanned as f64);
    }
    let text = metrics_recorder().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(text)
}
