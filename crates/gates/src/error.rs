//! What can be wrong with the definitions.

/// Why the gates of an `orchestrator.toml` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the gates of orchestrator.toml: line {line}: {what}; {cure}")]
pub struct Error {
    /// The line it stands in, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub cure: String,
}
