//! What a work touches: paths, and the names that it defines and uses. Worked out when it is needed and kept in memory.

use crate::Error;
use crate::mail::internal;
use orchestrator_landing::Footprint;
use orchestrator_repository::{Change, Mode, ObjectId, Stage, Store};
use orchestrator_syntax::{ChangeKind, File, Language, Limits, changes, new_uses, parse};
use std::collections::BTreeSet;

/// So many files of a work are read for names. Of a larger one only the paths count.
const MOST_FILES: usize = 200;
/// A file above this is not read, in bytes.
const LARGEST: usize = 256 << 10;

/// What a work touches that is to land on a branch.
pub(super) fn footprint(store: &Store, branch: ObjectId, work: ObjectId) -> Result<Footprint, Error> {
    let Some(base) = store.merge_base(branch, work).map_err(internal)? else { return Ok(Footprint::default()) };
    let tree = |commit| store.read_commit(commit).map(|(tree, _)| tree).map_err(internal);
    let changed = store.diff(tree(base)?, tree(work)?, false).map_err(internal)?;
    let mut print = Footprint::default();
    let is_few = changed.len() <= MOST_FILES;
    for change in &changed {
        let path = change.path.to_string();
        if let Some(language) = Language::of_path(&path).filter(|_| is_few) {
            names(store, language, change, &mut print)?;
        }
        print.paths.insert(path);
    }
    Ok(print)
}

/// Which names a file's change defines anew or otherwise, and which it uses.
fn names(store: &Store, language: Language, change: &Change, print: &mut Footprint) -> Result<(), Error> {
    let read = |stage: Option<Stage>| -> Result<Option<File>, Error> {
        let Some((Mode::File | Mode::Executable, id)) = stage else { return Ok(None) };
        let text = store.blob(id).map_err(internal)?;
        let limits = Limits { bytes: LARGEST, ..Limits::default() };
        Ok(parse(language, &text, limits).ok())
    };
    let empty = || parse(language, b"", Limits::default()).ok();
    let (before, after) = (read(change.from)?, read(change.to)?);
    let (Some(before), Some(after)) = (before.or_else(empty), after.or_else(empty)) else { return Ok(()) };
    let mut touched: BTreeSet<String> = BTreeSet::new();
    for change in changes(&before, &after) {
        print.defines.insert(own_name(&change.path).to_owned());
        if let ChangeKind::Renamed { to, .. } = change.change {
            print.defines.insert(own_name(&to).to_owned());
            touched.insert(to);
        }
        touched.insert(change.path);
    }
    let new: BTreeSet<usize> = new_uses(Some(&before), &after).into_iter().collect();
    for (at, one) in after.uses.iter().enumerate().filter(|(_, one)| !one.is_local) {
        let inside = one.entity.and_then(|entity| after.entities.get(entity));
        if new.contains(&at) || inside.is_some_and(|entity| touched.contains(&entity.path)) {
            print.uses.insert(one.name.clone());
        }
    }
    Ok(())
}

/// `method` of `Class.method`.
fn own_name(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}
