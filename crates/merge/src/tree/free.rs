//! Local variables that an answer uses where they are none: outside of the block that defines them.

use orchestrator_syntax::{File, Use};
use std::collections::HashSet;
use std::sync::Arc;

/// Whether a name is in the answer what it is in no version, where it is used: something else than a local variable.
pub(super) fn has_lost_local(versions: &[Arc<File>; 3], answer: &File) -> bool {
    let used = |is_local| versions.iter().flat_map(move |file| names(file, is_local));
    let free: HashSet<_> = used(false).collect();
    let mut lost = names(answer, false).filter(|name| !free.contains(name)).peekable();
    if lost.peek().is_none() {
        return false;
    }
    let local: HashSet<_> = used(true).collect();
    lost.any(|name| local.contains(&name))
}

/// Names by the entity that they are used in.
fn names(file: &File, is_local: bool) -> impl Iterator<Item = (&str, &str)> {
    let uses = file.uses.iter().filter(move |one| one.is_local == is_local && one.receiver.is_none());
    let entity = |one: &Use| one.entity.and_then(|at| file.entities.get(at)).map_or("", |entity| &entity.path);
    uses.map(move |one| (entity(one), &one.name[..]))
}
