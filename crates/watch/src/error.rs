//! What can go wrong with a watcher, each with its cure.

use std::path::PathBuf;

/// Why a watcher did not start or a barrier was not reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The root cannot be read.
    #[error("failed to watch {path:?}: {source}; give a folder that exists and that you may read")]
    Root {
        /// The root as it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The cookie folder cannot be made or emptied.
    #[error("failed to use {path:?} for barriers: {source}; give a folder that can be written")]
    CookieDir {
        /// The folder as it was given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The background thread could not start.
    #[error("failed to start the watching thread: {0}; raise the limit on threads")]
    Thread(std::io::Error),
    /// Nothing is reported now, so no barrier can be reached.
    #[error("failed to reach a barrier: watching is halted because {reason}")]
    Halted {
        /// What happened and the cure.
        reason: &'static str,
    },
    /// Too many barriers are waiting.
    #[error("failed to queue a barrier: {0} are waiting; await the earlier ones first")]
    Busy(usize),
    /// The watcher has ended.
    #[error("failed to reach a barrier: the watcher has stopped; build a new one")]
    Stopped,
}
