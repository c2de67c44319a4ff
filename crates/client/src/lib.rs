//! Rust client of the Independent Orchestration Agent.
//!
//! [`Client`] makes HTTP calls, one method a route. [`AgentConnection`] and [`Listener`] hold a WebSocket
//! that stands for as long as the program runs: after any close they connect again with growing, jittered
//! pauses and resume behind the last frame seen, so a restart of the server loses nothing and repeats
//! nothing. Both are built from options into a part to run, a cheap [`Handle`] to send with and
//! [`Notices`] to receive from.
//!
//! ```no_run
//! use orchestrator_client::{AgentOptions, Client, Notice};
//!
//! # async fn agent() -> Result<(), orchestrator_client::Error> {
//! let client = Client::new("http://localhost:8000")?;
//! let (connection, handle, mut notices) = AgentOptions::new(client, "dev-agent").build();
//! let running = tokio::spawn(connection.run());
//! while let Some(notice) = notices.recv().await {
//!     if let Notice::Frame(frame) = notice
//!         && let Some(message_id) = frame.message_id()
//!     {
//!         println!("{}", frame.text());
//!         handle.acknowledge(message_id).await?;
//!     }
//! }
//! # drop(running);
//! # Ok(())
//! # }
//! ```
//!
//! The library never prints and reads neither the environment nor any file: addresses and secrets are
//! arguments.
//!
//! A call that may be made twice without harm is made once more when its connection turns out to be dead; messages
//! get idempotency keys, so that they are among these. Renewing and releasing leases, claiming messages, settling
//! conflicts and control commands are not, and their failures are reported at once.
//!
//! # Limitations
//! Proxies are not used. An answer is read whole into memory. A control command sent through a [`Handle`]
//! goes out at most once, since repeating it could start a workflow twice; messages and change reports are
//! repeated after a lost connection until the server has confirmed them.

mod agent;
mod base;
mod connection;
mod error;
mod frame;
mod handle;
mod http;
mod listener;
mod notice;
mod outgoing;
mod pause;
mod resume;
mod socket;

pub use agent::{AgentConnection, AgentOptions};
pub use error::Error;
pub use frame::Frame;
pub use handle::Handle;
pub use http::{ApprovalsQuery, Broadcast, ChangesQuery, Client, ImpactQuery, TasksQuery};
pub use listener::{Listener, ListenerOptions};
pub use notice::{Notice, Notices};
