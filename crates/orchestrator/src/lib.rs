//! The Independent Orchestration Agent as a library.
//!
//! One sentence: every decision is a record in one append-only log, and the state is a pure function of
//! that log. [`decide()`] says which events follow from a [`Command`] on a [`State`]; [`State::apply`]
//! takes an [`Event`] in; both know no clock, disk, network or randomness. [`Orchestrator`] is the
//! running whole around them: [`submit`](Orchestrator::submit) a command, [`read`](Orchestrator::read)
//! the state, [`subscribe`](Orchestrator::subscribe) to what happens.
//!
//! Nothing leaves before it is on stable storage: durable replies, pushes, effects and every sequence
//! number wait for the flush of their batch. A flush that fails ends the process; a write that is refused
//! drops its batch, and the server is halted until a trial write is flushed.
//!
//! ```
//! use orchestrator::{Actor, Command, Options, Orchestrator, Reply};
//! use orchestrator_protocol::AgentId;
//! use orchestrator_registry as registry;
//! use orchestrator_repository::Project;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let project = Project::plain(folder.path())?;
//! let orchestrator = Orchestrator::open(Options::new(project, folder.path().join("state")))?;
//! let agent: AgentId = "dev-agent".parse()?;
//! let register = registry::Command::Register {
//!     agent: agent.clone(),
//!     registration: registry::Registration::default(),
//!     only_if_absent: false,
//! };
//! let reply = orchestrator.submit(Actor::Agent(agent), Command::Registry(register)).await?;
//! assert_eq!(reply, Reply::Done(true));
//! assert_eq!(orchestrator.agents().await?.len(), 1);
//! orchestrator.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Limitations
//! One process serves a state folder; a second is refused. State lives in memory.

mod approvals;
mod batch;
mod checkpointer;
mod command;
mod control;
mod core;
mod decide;
mod effects;
mod engine;
mod error;
mod event;
mod feed;
mod following;
mod health;
mod history;
mod landings;
mod mail;
mod monitor;
mod options;
mod policy;
mod presence;
mod pushed;
mod recovery;
mod render;
mod resolving;
mod snapshots;
mod state;
mod tasks;
mod views;
mod workspaces;
mod writer;

pub use approvals::{ApprovalFilter, ApprovalPage};
pub use command::{Actor, Command, Outgoing, Reply};
pub use decide::decide;
pub use effects::{Effect, Terms, asked, wanted};
pub use engine::{OpenError, Orchestrator};
pub use error::Error;
pub use event::{DecodeError, Event};
pub use feed::{Chunk, Lagged, Subscription};
pub use following::{ImpactFilter, ImpactView, Work};
pub use history::History;
pub use landings::{Dirty, LandingOptions, Style, Undo, Undone, Wish};
pub use options::{Options, SnapshotOptions};
pub use presence::Presence;
pub use pushed::Spool;
pub use recovery::RecoveryError;
pub use render::{Audience, Entry, Mail};
pub use resolving::{KeptResult, Pull, Settlement};
pub use snapshots::{Command as SnapshotCommand, Event as SnapshotEvent, Kept, Record, Retention, Snapshots};
pub use state::State;
pub use tasks::{TaskCommand, TaskFilter, TaskPage};
pub use views::ChangeFilter;
