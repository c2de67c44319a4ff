//! A real server in the test's own process, and clients for it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod server;

pub use client::{Answer, Socket};
pub use server::{TestServer, commit, git, git_text, write};
