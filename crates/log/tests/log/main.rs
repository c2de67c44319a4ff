//! The log from outside: what is appended is read back, survives, and cannot be changed unnoticed.

mod appending;
mod auditing;
mod processes;
mod reopening;
mod retention;
mod support;
