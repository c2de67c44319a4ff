//! Keeping a result and all that it was made from, before the log names it.

use super::Settlement;
use super::made::Made;
use crate::Error;
use crate::following::{Memory, Parties, Sides, Tip, tree_mode, version};
use crate::mail::internal;
use orchestrator_conflict::{self as conflict, Applied, Conflict, Side};
use orchestrator_predict::{self as predict, Finding, Kind, Mode, Touched, Version};
use orchestrator_protocol::FileMode;
use orchestrator_repository::bstr::BString;
use orchestrator_repository::{Author, Delta, Deltas, Entry, ObjectId, Store};

/// Under which refs results are kept.
pub(super) const REFS: &str = "refs/resolution/";

/// How it was settled.
pub(super) struct How<'a> {
    pub(super) settlement: &'a Settlement,
    pub(super) is_forced: bool,
}

/// Makes everything durable under a ref of its own. When the record is then refused, the ref is removed; when a crash
/// comes in between, it names what nothing refers to, and harms nobody.
pub(super) fn keep(
    store: &Store,
    id: u64,
    record: &Conflict,
    sides: &Sides,
    made: Made,
    how: &How<'_>,
) -> Result<Applied, Error> {
    let size = made.file.as_ref().map_or(0, |(_, content)| content.len() as u64);
    let result = match made.file {
        Some((mode, content)) => Some((mode, store.write_blob(&content).map_err(internal)?)),
        None => None,
    };
    let [first, second] = &sides.stands;
    let stage = |version: Version| (version.mode, ObjectId::from(version.id));
    let versions = [
        ("base", sides.base.map(stage)),
        ("first", first.merged.map(stage)),
        ("second", second.merged.map(stage)),
        ("first-own", first.own.map(stage)),
        ("second-own", second.own.map(stage)),
        ("result", result),
    ];
    let there = versions.into_iter().filter_map(|(name, stage)| Some((name, stage?)));
    // What is too large is known by its hash alone, and cannot be kept.
    let is_held = |oid: ObjectId| store.blob(oid).is_ok();
    let entry = |(mode, oid)| Delta::Entry(Entry { mode: tree_mode(mode), oid, opaque: None });
    let tree: Deltas =
        there.filter(|(_, (_, oid))| is_held(*oid)).map(|(name, stage)| (BString::from(name), entry(stage))).collect();
    let tree = store.tree_with(ObjectId::empty_tree(ObjectId::from([0; 20]).kind()), &tree).map_err(internal)?;
    let seconds = crate::engine::now().0 / 1_000;
    let author = Author { name: "orchestrator".to_owned(), email: "orchestrator@localhost".to_owned(), seconds };
    let message = format!("Conflict c{id} settled ({})\n\n{}\n", how.settlement.strategy, made.path);
    let commit = store.commit(tree, &[], &author, &message).map_err(internal)?;
    let hex = commit.to_string();
    let kept = format!("{REFS}c{id}-{hex}");
    store.keep(&[(kept.clone(), commit)]).map_err(internal)?;

    let names = record.agents.iter().map(ToString::to_string).chain(record.target.clone());
    let named = names.zip(&sides.stands).map(|(name, stand)| Side {
        name,
        path: String::from_utf8_lossy(&stand.path).into_owned(),
        merged: stand.merged.map(stage).map(recorded),
        own: stand.own.map(stage).map(recorded),
    });
    Ok(Applied {
        fingerprint: sides.fingerprint.clone(),
        taken: how.settlement.side.clone().filter(|_| how.settlement.strategy == "take"),
        forced: how.is_forced,
        kept,
        commit: hex,
        between: between(store, record, sides, result)?,
        path: made.path,
        result: result.map(recorded),
        size,
        base: sides.base.map(stage).map(recorded),
        sides: named.collect(),
    })
}

/// What will be found while one agent has taken the result and the other has not: it is settled, so nobody is told.
fn between(
    store: &Store,
    record: &Conflict,
    sides: &Sides,
    result: Option<(Mode, ObjectId)>,
) -> Result<Vec<String>, Error> {
    let mut memory = Memory::default();
    let source = Tip::new(store, &mut memory, None);
    let result = result.map(|(mode, oid)| version(tree_mode(mode), oid, false));
    let mut fingerprints = Vec::new();
    for taker in 0..record.agents.len().min(2) {
        let mut versions = [sides.stands[0].merged, sides.stands[1].merged];
        versions[taker] = result;
        let found = predict::collision(&source, &sides.path, sides.base, versions[0], versions[1]);
        let Some((kind, regions)) = found.map_err(internal)? else { continue };
        let kind = if sides.moved.iter().any(Option::is_some) && kind == Kind::Content { Kind::Rename } else { kind };
        let second = record.target.is_none().then_some(1);
        let finding = Finding {
            path: sides.path.clone(),
            first: 0,
            second,
            kind,
            regions,
            paths: sides.moved.clone(),
            contents: [None; 3],
        };
        let agent = |number: u64| record.agents.get(usize::try_from(number).ok()?).cloned();
        let parties = Parties::new(agent, record.target.as_deref(), 0, second);
        if let Some(conflict::Command::Found { overlap, .. }) =
            parties.map(|parties| parties.found(&finding, &Touched::default()))
        {
            fingerprints.push(overlap.fingerprint);
        }
    }
    Ok(fingerprints)
}

fn recorded((mode, oid): (Mode, ObjectId)) -> conflict::Version {
    let mode = match mode {
        Mode::File => FileMode::File,
        Mode::Executable => FileMode::Executable,
        Mode::Link => FileMode::Link,
        Mode::Commit => FileMode::Submodule,
    };
    conflict::Version { id: oid.to_string(), mode }
}
