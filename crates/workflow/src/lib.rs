//! How work is handed out and decided: tasks, approvals, how much is decided without a person, and the control commands
//! with which people say so.
//!
//! The crate is pure: [`task::Tasks`] and [`approval::Approvals`] hold who works on what and what waits for a person,
//! [`ControlCommand`] is the grammar of the text after `*`, [`Workflow`] holds the level of autonomy. Each decides which
//! events follow from a command, and takes events in; time comes in as commands.
//!
//! ```
//! use orchestrator_protocol::TaskState;
//! use orchestrator_workflow::task::{Command, Request, Tasks};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut tasks = Tasks::default();
//! let request = Request { capabilities: vec!["rust".into()], ..Request::new("Add a parser", "ann") };
//! let made = tasks.decide(&Command::Create(request.into()), 0)?;
//! tasks.apply(1, &made[0]);
//! let claim = Command::Claim { id: 1, agent: "bob".parse()?, capabilities: vec!["Rust".into()] };
//! let claimed = tasks.decide(&claim, 0)?;
//! tasks.apply(2, &claimed[0]);
//! let task = tasks.get(1).ok_or("it was made")?;
//! assert_eq!((task.state, task.claim.as_ref().map(|claim| claim.token)), (TaskState::Claimed, Some(2)));
//! # Ok(())
//! # }
//! ```
//!
//! # Limitations
//! No workflow can be defined yet: `*workflow:start` and `*workflow:stop` are understood and refused
//! with [`Error::NoWorkflowDefined`].

pub mod approval;
mod control;
pub mod task;
mod workflow;

pub use control::{ControlCommand, HELP, UnknownCommand};
pub use workflow::{Command, Error, Event, Workflow};
