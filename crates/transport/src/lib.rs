//! How the world reaches the orchestrator: HTTP, WebSocket and files. The only crate that knows actix.
//!
//! [`Server::bind`] takes addresses and an [`Orchestrator`](orchestrator::Orchestrator), and
//! [`Server::run`] serves until it is told to stop. Handlers extract, make one call and answer; rules
//! live in the crates below. Every request passes the access rules first: `Host`, `Origin` and
//! `Sec-Fetch-Site` are checked before any handler sees it.
//!
//! # Limitations
//! Only loopback addresses are served: there are no tokens yet.

mod access;
mod answer;
mod app;
pub mod bus;
mod context;
mod input;
mod limits;
mod openapi;
mod operator;
mod routes;
mod server;
mod socket;

pub use access::AccessRules;
pub use operator::OperatorSecret;
pub use server::{BindError, Server, ServerOptions};
