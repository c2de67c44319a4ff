//! The append-only log: opaque records on SQLite, and the only crate that knows SQL.
//!
//! A record is one all-or-none unit. It occupies the sequence numbers `seq..seq + events`, carries
//! `facts` (what a state is rebuilt from, never erased) and perhaps a `payload` (a body that may be
//! erased later). *Decisions* are hash-chained, and the head of the chain can be signed;
//! *telemetry* is numbered in the same sequence but not chained, and may be pruned.
//!
//! The main type is [`SqliteLog`], the single writer. The crate blocks: its owner gives it a thread
//! of its own, hands it batches, and acknowledges a record only after [`Log::append`] returned.
//! Everybody else reads through a [`Reader`], which sees flushed records only.
//!
//! # Why this shape
//! A flush costs milliseconds and a row microseconds, so a batch is one transaction with one
//! flush. The chain covers the hash of each part and not the part itself, so a payload can be erased
//! while the chain stays whole; and it covers the stored bytes, so nothing is ever serialised again
//! to check it.
//!
//! # Limitations
//! - Decisions removed after the newest signed head leave no trace in the log itself; anchors kept
//!   elsewhere ([`audit::Anchor`]) cover them. [`audit::verify`] prints the range it vouches for.
//! - Telemetry is not chained: changes to it are not detected.
//! - The hash of an erased payload stays, so a guess of a short payload can be confirmed.
//! - One process at a time may write. A reader in another process needs write access to the folder
//!   (SQLite's shared-memory file).
//!
//! # Example
//! ```
//! use orchestrator_log::{Class, Draft, Log, Options, SqliteLog};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let mut log = SqliteLog::open(folder.path().join("log.db"), Options::default())?;
//! let flushed = log.append(&[Draft {
//!     seq: log.tail().next_seq,
//!     events: 1,
//!     class: Class::Decision,
//!     at: 1_700_000_000_000,
//!     actor: "alice".into(),
//!     kind: "message.sent".into(),
//!     version: 1,
//!     facts: b"{\"to\":\"bob\"}".as_slice().into(),
//!     payload: Some(b"hello".as_slice().into()),
//! }])?;
//! let records = log.reader().read(1, 10)?;
//! assert_eq!(records[0].last_seq(), flushed);
//! # Ok(())
//! # }
//! ```

pub mod audit;
mod chain;
mod connection;
mod durable;
mod error;
mod key;
mod lock;
mod reader;
mod record;
mod rows;
mod schema;
mod writer;

pub use error::{AppendError, Error};
pub use key::{HeadKey, PublicKey};
pub use reader::Reader;
pub use record::{Class, Draft, Link, Payload, Record};
pub use writer::{Checkpoint, Log, Options, PruneBefore, Pruned, SignedHead, SqliteLog, Tail};
