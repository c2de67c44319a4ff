//! Why a command was refused.

/// Why a command was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The mailbox is full.
    #[error("the mailbox of '{0}' holds {limit} unread messages, its limit; it must read some first", limit = crate::MAX_UNREAD)]
    Full(String),
    /// The key came before with another body.
    #[error("idempotency key '{0}' was used for another message; take a new key for a new message")]
    KeyReused(String),
    /// No such message, or it ended long ago.
    #[error("no message 'm{0}' is known: never sent, or older than what is kept")]
    Unknown(u64),
    /// It is somebody else's.
    #[error("message 'm{0}' is not in the mailbox of '{1}'")]
    NotYours(u64, String),
    /// It is not in the dead-letter list.
    #[error("message 'm{0}' is not in the dead-letter list")]
    NotDead(u64),
}
