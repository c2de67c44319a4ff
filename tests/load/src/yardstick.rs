//! The yardstick: the least that actix-web and actix-ws need to give the same answers from memory.
//!
//! No checks, no log, no feed. It is what a server of the same framework costs before it does anything of
//! its own, and so what the real server is held against.

mod memory;
mod routes;
mod socket;

use crate::output::line;
use actix_web::{App, HttpServer, web};
use anyhow::Result;
use std::time::Duration;

/// Serves until the process is ended.
pub(crate) fn run(workers: usize) -> Result<()> {
    let state = web::Data::new(memory::Memory::default());
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new().app_data(state.clone()).service(
                web::scope(crate::client::http::BASE)
                    .route("/agents/register", web::post().to(routes::register))
                    .route("/agents/{id}/status", web::post().to(routes::status))
                    .route("/agents", web::get().to(routes::list))
                    .route("/broadcast", web::post().to(routes::broadcast))
                    .route("/health", web::get().to(routes::health))
                    .route("/ws/orchestrator", web::get().to(socket::orchestrator))
                    .route("/ws/agent/{id}", web::get().to(socket::agent)),
            )
        })
        .workers(workers)
        .keep_alive(Duration::from_secs(600))
        .bind(("127.0.0.1", 0))?;
        for address in server.addrs() {
            line(format!("yardstick on http://{address}"));
        }
        Ok(server.run().await?)
    })
}
