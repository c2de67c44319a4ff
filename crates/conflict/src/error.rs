//! Why a command was refused.

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such conflict, or it was resolved long ago.
    #[error("no conflict '{0}' is known: never found, or resolved longer ago than is kept")]
    Unknown(String),
    /// It is settled already.
    #[error("conflict '{id}' is resolved already, with strategy '{strategy}'")]
    AlreadyResolved {
        /// Its id.
        id: String,
        /// How it was settled.
        strategy: String,
    },
    /// What collides is not what was settled.
    #[error("what collides in conflict '{0}' is not what was looked at: somebody changed it meanwhile")]
    Changed(String),
}
