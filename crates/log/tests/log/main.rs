//! The log from outside: what is appended is read back, survives, and cannot be changed unnoticed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod appending;
mod auditing;
mod processes;
mod reopening;
mod retention;
mod support;
