//! Agents' work around one tip: what collides in pairs, and what breaks the whole.

/// What is found, and what is not.
mod findings;
/// What stands in for git.
mod memory;
/// Everyone's work together.
mod union;
