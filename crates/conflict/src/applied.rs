//! A conflict that was settled by a merged result.

use orchestrator_protocol::FileMode;
use serde::{Deserialize, Serialize};

/// The result, and what it was made from. Whoever decides upon it has made all of it durable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The regions that it settles: another fingerprint is another conflict.
    pub fingerprint: String,
    /// Whose side was taken, where the strategy names one.
    pub taken: Option<String>,
    /// The result was taken though it does not parse, or holds markers.
    pub forced: bool,
    /// The ref in the store of unfinished work under which all versions are kept.
    pub kept: String,
    /// The commit that it points to.
    pub commit: String,
    /// Where the result stands.
    pub path: String,
    /// The result; nothing when the file is deleted.
    pub result: Option<Version>,
    /// Bytes of the result.
    pub size: u64,
    /// What both sides changed.
    pub base: Option<Version>,
    /// The sides, in the order of the conflict's agents, then the branch.
    pub sides: Vec<Side>,
    /// What is found while one side has taken the result and the other has not: that is no news.
    pub between: Vec<String>,
}

/// One side that a result was made from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// The agent, or the branch.
    pub name: String,
    /// Where it had the file.
    pub path: String,
    /// What was merged: the side's change put onto the target branch.
    pub merged: Option<Version>,
    /// What stood in the work itself.
    pub own: Option<Version>,
}

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// git's object id, in hex.
    pub id: String,
    /// What it is.
    pub mode: FileMode,
}
