//! `/audit`: what outsiders need to check the log.

use super::success;
use crate::context::Context;
use actix_web::{HttpResponse, get, web};
use orchestrator_protocol::AuditKey;
use utoipa_actix_web::service_config::ServiceConfig;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(audit_key);
}

/// The public key that signs the heads of the log, and receipts.
#[utoipa::path(tag = "audit", responses((status = 200, body = AuditKey)))]
#[get("/audit/key")]
async fn audit_key(context: web::Data<Context>) -> HttpResponse {
    let public_key = context.orchestrator.public_key();
    HttpResponse::Ok().json(AuditKey { status: success(), algorithm: "ed25519".to_owned(), public_key })
}
