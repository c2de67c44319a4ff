//! Local variables that an answer uses where they are none: outside of the block that defines them.

use orchestrator_syntax::{File, Use};
use std::collections::HashSet;
use std::sync::Arc;

/// Names by the entity that they are used in.
type Names = HashSet<(String, String)>;

/// What the versions use.
pub(super) struct FreeNames {
    /// As a local variable, in some version.
    local: Names,
    /// As something else, in some version.
    free: Names,
}

impl FreeNames {
    pub(super) fn new(versions: &[Arc<File>; 3]) -> Self {
        let used = |is_local| versions.iter().flat_map(move |file| names(file, is_local)).collect();
        Self { local: used(true), free: used(false) }
    }

    /// Whether a name that is always a local variable where it is used, is not in the answer.
    pub(super) fn has_lost(&self, answer: &File) -> bool {
        names(answer, false).any(|name| self.local.contains(&name) && !self.free.contains(&name))
    }
}

fn names(file: &File, is_local: bool) -> impl Iterator<Item = (String, String)> + '_ {
    let uses = file.uses.iter().filter(move |one| one.is_local == is_local && one.receiver.is_none());
    let entity = |one: &Use| one.entity.and_then(|at| file.entities.get(at)).map(|entity| entity.path.clone());
    uses.map(move |one| (entity(one).unwrap_or_default(), one.name.clone()))
}
