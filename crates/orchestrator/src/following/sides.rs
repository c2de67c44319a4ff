//! The versions that collide, for somebody who settles the conflict.

use orchestrator_predict::{Path, Stand, Version};
use orchestrator_protocol::AgentId;

/// An overlap as a record names it.
#[derive(Debug, Clone)]
pub(crate) struct Between {
    /// The file.
    pub(crate) path: String,
    /// The two agents; one, when it collides with landed work.
    pub(crate) agents: Vec<AgentId>,
    /// The branch.
    pub(crate) target: Option<String>,
}

/// What collides at the moment.
#[derive(Debug, Clone)]
pub(crate) struct Sides {
    /// Tells these regions from others, as the record's does.
    pub(crate) fingerprint: String,
    /// Where both had it.
    pub(crate) path: Path,
    /// Where each has it, when it renamed it.
    pub(crate) moved: [Option<Path>; 2],
    /// What both changed.
    pub(crate) base: Option<Version>,
    /// The sides, in the order of the record's agents, then the branch.
    pub(crate) stands: [Stand; 2],
}
