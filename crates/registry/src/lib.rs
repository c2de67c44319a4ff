//! Who is there and who holds what: agents, their liveness, and leases with fencing tokens.
//!
//! The crate is pure. [`Registry::decide`] says which [`Event`]s follow from a [`Command`],
//! [`Registry::apply`] takes them into the state; neither knows a clock, a disk or a network. The
//! sequence number of an event is its identity: an agent's `number`, a lease's id and its fencing
//! token are such numbers, so a token can only grow.
//!
//! Terms, not deadlines, are in the state. A timer outside arms them and comes back with
//! [`Command::ExpireLease`] or [`Command::WentSilent`], which name what they were armed for and do
//! nothing when that has changed in between.
//!
//! # Limitations
//! Whether two globs can match one path is answered on the safe side: they overlap unless their
//! literal beginnings part.

mod agent;
mod command;
mod error;
mod lease;
mod overlap;
mod recommend;
mod registry;

pub use agent::{Agent, Made};
pub use command::{Command, Event, Registration};
pub use error::Error;
pub use lease::{Lease, MAX_TTL_SECONDS};
pub use overlap::is_within;
pub use recommend::{Recommendation, capabilities_for_path};
pub use registry::Registry;
