//! Receipts: what a landed commit says of how it came to be, signed by the server that landed it.
//!
//! A receipt is one line of JSON in a trailer of the commit's message, and the signature is the last line:
//!
//! ```text
//! Add a retry
//!
//! Orchestrator-Agent: ann
//! Orchestrator-Merge: merge-42
//! Orchestrator-Receipt: {"version":1,"merge":"merge-42",…}
//! Orchestrator-Signature: 5f0c…
//! ```
//!
//! The signature (Ed25519, 128 hex digits) covers the commit's tree, its parents and its whole message up to the signature:
//! a receipt that is put into another commit, or whose commit holds another tree, is not signed. Author, committer and
//! times are not covered. [`seal`] writes both lines, [`Sealed::read`] reads them, [`Sealed::check`] says what is wrong.
//!
//! What a receipt cannot say: that the gates are any good, or that the server's machine was honest. It says what that
//! server saw, and nobody without its key can say it in its name.

mod check;
mod receipt;
mod seal;

pub use check::{Fault, Required};
pub use receipt::{GateResult, Head, Receipt, Region};
pub use seal::{Commit, Error, Key, Sealed, hex, seal};
