//! Messages between agents: delivery, acknowledgement, redelivery, threads and dead letters.
//!
//! The crate is pure: [`Mailbox::decide`] says which [`Event`]s follow from a [`Command`] and
//! [`Mailbox::apply`] takes them into the state. A message is the sequence number of the event that
//! recorded it. The state holds who has to read what, never a body: bodies stand in the log.
//!
//! What is promised, whoever dies: an accepted message is delivered at least once until it is
//! acknowledged (M2); the same idempotency key is one message (M3); a receiver sees a sender's messages
//! in the order in which they were accepted, and a claim never overtakes one that is still out (M4);
//! after [`MAX_DELIVERIES`] tries of a receiver that does acknowledge, a message goes to the dead-letter
//! list and stays there (M5); only the addressee acknowledges (M6).
//!
//! # Limitations
//! The final state of the newest 100,000 ended messages and the newest 100,000 idempotency keys are
//! remembered; a key older than that counts as new.

mod bounded;
mod command;
mod error;
mod mailbox;
mod message;

pub use command::{Command, Event};
pub use error::Error;
pub use mailbox::{Mailbox, SOCKET_TERM};
pub use message::{Ended, Receipt, Waiting};

/// Tries after which a message is given up, where its receiver acknowledges at all.
pub const MAX_DELIVERIES: u32 = 8;

/// Most messages of one mailbox that wait to be delivered.
pub const MAX_UNREAD: usize = 10_000;
