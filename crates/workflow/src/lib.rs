//! How much is decided without a person, and the control commands with which people say so.
//!
//! The crate is pure: [`ControlCommand`] is the grammar of the text after `*`, [`Workflow`] holds the
//! level of autonomy.
//!
//! # Limitations
//! No workflow can be defined yet: `*workflow:start` and `*workflow:stop` are understood and refused
//! with [`Error::NoWorkflowDefined`].

mod control;
mod workflow;

pub use control::{ControlCommand, HELP, UnknownCommand};
pub use workflow::{Command, Error, Event, Workflow};
