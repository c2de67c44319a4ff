//! Why a text was not parsed.

use crate::Language;
use thiserror::Error;

/// Why a text was not parsed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The text is longer than the limit.
    #[error("the text has {length} bytes, more than the {limit} that are parsed; raise `Limits::bytes` to parse it")]
    TooLarge {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Parsing or reading took more steps than the limit.
    #[error("parsing took more than {limit} steps; raise `Limits::steps` to parse it")]
    TooLong {
        /// The limit.
        limit: u64,
    },
    /// The text nests deeper than the limit.
    #[error("the text nests deeper than {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Parts of the text could not be understood, and all of it was asked for.
    #[error("parts of the text are no valid program")]
    Unsound,
    /// The language's feature is off.
    #[error("the grammar of {0} is not built in; build with its feature")]
    NotBuiltIn(Language),
}
