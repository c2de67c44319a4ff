//! Gates through the public interface, with real processes.
//!
//! - `definitions`: what an `orchestrator.toml` may say.
//! - `ending`: what each end of a program means.
//! - `leftovers`: nothing that a gate started lives when its report is there.
//! - `limits`: one hostile gate for each limit.
//! - `surroundings`: what a gate sees of the server, and what it leaves.
//! - `lacking`: systems that cannot enforce something say so.
#![expect(clippy::unwrap_used, reason = "a failed set-up fails the test")]

mod definitions;
mod ending;
mod lacking;
mod leftovers;
mod limits;
mod support;
mod surroundings;
