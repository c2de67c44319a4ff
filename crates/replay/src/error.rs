//! What can go wrong.

/// Why a replay ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The history cannot be read.
    #[error(transparent)]
    Repository(#[from] orchestrator_repository::Error),
    /// A program to compare with cannot be used.
    #[error("failed to use the program '{given}': {why}; give NAME=COMMAND with %A, as for a git merge driver")]
    Peer {
        /// As it was given.
        given: String,
        /// What is wrong.
        why: String,
    },
    /// The scratch folder cannot be written.
    #[error("failed to write scratch files: {0}; see that the temporary folder has room")]
    Scratch(#[from] std::io::Error),
}
