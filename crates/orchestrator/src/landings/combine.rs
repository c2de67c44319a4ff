//! Merging work onto a branch: trees by git's rules, files that both sides changed by the merge engine, the whole by its
//! verifier. Nothing is written; what is made is in the store's memory.

use crate::workspaces::refused;
use crate::{Error, mail::internal};
use orchestrator_landing::{Open, Region};
use orchestrator_merge::{self as engine, EntryMode, Options, Outcome, Severity, TreeEntries, TreeEntry};
use orchestrator_repository::{
    Change, Conflict, Delta, Deltas, Entry, Mode, ObjectId, Stage, Store,
    bstr::{BStr, BString},
};
use std::collections::BTreeMap;

/// Most regions that are recorded of one landing.
const MOST_REGIONS: usize = 1_000;

/// What is to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    /// The commit of the branch.
    pub(super) tip: ObjectId,
    /// The commit of the work.
    pub(super) work: ObjectId,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Combined {
    /// One tree that holds what both hold.
    Whole(Whole),
    /// Somebody has to decide these.
    Left(Vec<Open>),
    /// The branch holds all of it.
    Nothing,
}

/// A merged tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Whole {
    pub(super) tree: ObjectId,
    /// Where it differs from the branch.
    pub(super) changed: Vec<String>,
    /// What settled files that both sides had changed, and how many.
    pub(super) settled: Vec<(String, usize)>,
    /// The same region by region.
    pub(super) regions: Vec<Region>,
}

/// Merges the work onto the branch.
pub(super) fn combine(store: &Store, sides: Sides) -> Result<Combined, Error> {
    let Joined { tree, settled, regions, left } = join(store, sides)?;
    if !left.is_empty() {
        return Ok(Combined::Left(left));
    }
    let (tip, _) = store.read_commit(sides.tip).map_err(internal)?;
    if tree == tip {
        return Ok(Combined::Nothing);
    }
    let changed = store.diff(tip, tree, false).map_err(internal)?;
    let changed = changed.into_iter().map(|change| change.path.to_string()).collect();
    Ok(Combined::Whole(Whole { tree, changed, settled: settled.into_iter().collect(), regions }))
}

/// Two sides in one tree, when nothing is left to somebody.
pub(super) struct Joined {
    pub(super) tree: ObjectId,
    settled: BTreeMap<String, usize>,
    regions: Vec<Region>,
    left: Vec<Open>,
}

/// Merges. Swapping the sides gives the same.
pub(super) fn join(store: &Store, sides: Sides) -> Result<Joined, Error> {
    let base = store.merge_base(sides.tip, sides.work).map_err(internal)?;
    let tree = |commit| store.read_commit(commit).map(|(tree, _)| tree).map_err(internal);
    let (tip, work) = (tree(sides.tip)?, tree(sides.work)?);
    let whole = |tree| Ok(Joined { tree, settled: BTreeMap::new(), regions: Vec::new(), left: Vec::new() });
    let Some(base) = base else {
        let detail = "the work shares no history with the branch".to_owned();
        return Ok(Joined { left: vec![Open { path: String::new(), detail }], ..whole(tip)? });
    };
    let base = tree(base)?;
    if base == work || tip == work {
        return whole(tip);
    }
    if base == tip {
        return whole(work);
    }
    let merged = store.merge_trees(base, tip, work).map_err(internal)?;
    let (settled, regions, left) = Default::default();
    let mut merger = Merger { store, delta: Deltas::new(), settled, regions, left };
    for conflict in &merged.conflicts {
        merger.settle(conflict)?;
    }
    let is_open = |path: &BString| merged.conflicts.iter().any(|conflict| conflict.path == *path);
    for three in both_changed(store, base, tip, work)? {
        if !is_open(&three.path) {
            let stands = store.entry(merged.tree, three.path.as_ref()).map_err(internal)?;
            merger.check(&three, stands)?;
        }
    }
    let Merger { delta, settled, regions, mut left, .. } = merger;
    left.sort_unstable_by(|one, other| one.path.cmp(&other.path));
    left.dedup();
    let mut joined = Joined { tree: merged.tree, settled, regions, left };
    if joined.left.is_empty() {
        joined.tree = store.tree_with(merged.tree, &delta).map_err(internal)?;
        joined.left = faults(store, [base, tip, work, joined.tree])?;
    }
    Ok(joined)
}

/// A file that both sides changed, each in its own way.
struct Three {
    path: BString,
    base: Option<Stage>,
    tip: Option<Stage>,
    work: Option<Stage>,
}

/// Files that both sides have and that both changed, by the path that they have in the end.
fn both_changed(store: &Store, base: ObjectId, tip: ObjectId, work: ObjectId) -> Result<Vec<Three>, Error> {
    let of = |to| store.diff(base, to, true).map_err(internal);
    let old = |change: &Change| change.renamed_from.clone().unwrap_or_else(|| change.path.clone());
    let ours: BTreeMap<BString, Change> = of(tip)?.into_iter().map(|change| (old(&change), change)).collect();
    let mut found = Vec::new();
    for their in of(work)? {
        let Some(our) = ours.get(&old(&their)).filter(|our| our.to != their.to) else { continue };
        // The side that renamed it says where it is.
        let path = if our.renamed_from.is_some() { our.path.clone() } else { their.path.clone() };
        found.push(Three { path, base: their.from, tip: our.to, work: their.to });
    }
    Ok(found)
}

struct Merger<'a> {
    store: &'a Store,
    /// What the merge of trees gives otherwise.
    delta: Deltas,
    settled: BTreeMap<String, usize>,
    regions: Vec<Region>,
    left: Vec<Open>,
}

impl Merger<'_> {
    /// What git leaves is given to the engine.
    fn settle(&mut self, conflict: &Conflict) -> Result<(), Error> {
        let path = conflict.path.as_ref();
        if conflict.their_path.is_some() {
            return self.leave(path, "both sides renamed it, or one did and the other put something there");
        }
        match (conflict.ours, conflict.theirs) {
            (Some(ours), Some(theirs)) if is_file(ours) && is_file(theirs) => {
                let base = conflict.base.filter(|base| is_file(*base));
                let Some(mode) = mode(base, ours, theirs) else {
                    return self.leave(path, "the sides give it different permissions");
                };
                let three = Three { path: conflict.path.clone(), base, tip: Some(ours), work: Some(theirs) };
                self.merge(&three, mode)
            }
            (Some(_), Some(_)) => self.leave(path, "both sides changed what is no plain file"),
            _ => self.leave(path, "one side deleted what the other changed"),
        }
    }

    /// What git merged is checked: the engine must come to one answer, too, and its answer stands.
    fn check(&mut self, three: &Three, stands: Option<Stage>) -> Result<(), Error> {
        match (three.tip, three.work, stands) {
            (Some(tip), Some(work), Some((mode, _))) if is_file(tip) && is_file(work) && is_file((mode, tip.1)) => {
                self.merge(three, mode)
            }
            // Modes, links and deletions are the tree verifier's.
            _ => Ok(()),
        }
    }

    fn merge(&mut self, three: &Three, mode: Mode) -> Result<(), Error> {
        let read = |stage: Option<Stage>| stage.map(|(_, id)| self.store.blob(id)).transpose().map_err(internal);
        let [base, ours, theirs] = [read(three.base)?, read(three.tip)?, read(three.work)?];
        let name = three.path.to_string();
        let outcome = engine::merge(base.as_deref(), ours.as_deref(), theirs.as_deref(), &name, &Options::default());
        match outcome {
            Outcome::Clean { content: Some(content), regions } => {
                let oid = self.store.write_blob(&content).map_err(internal)?;
                self.delta.insert(three.path.clone(), Delta::Entry(Entry { mode, oid, opaque: None }));
                // The last layer that was needed.
                let layer = regions.iter().map(|proof| proof.rule.layer()).max().unwrap_or(engine::Layer::Identity);
                *self.settled.entry(layer.name().to_owned()).or_default() += 1;
                let room = MOST_REGIONS.saturating_sub(self.regions.len());
                self.regions.extend(regions.iter().take(room).map(|proof| region(&name, proof)));
                Ok(())
            }
            Outcome::Clean { content: None, .. } => self.leave(three.path.as_ref(), "the merge deletes it"),
            Outcome::Candidates { candidates, .. } => {
                let detail = format!("both sides changed it; {} ways to put them together", candidates.len());
                self.leave(three.path.as_ref(), &detail)
            }
            Outcome::Conflict(conflict) => {
                let count = conflict.regions().count();
                let why = conflict.why.map(|why| format!(": {why}")).unwrap_or_default();
                let detail = match count {
                    0 => format!("both sides changed it{why}"),
                    1 => format!("both sides changed one place of it in different ways{why}"),
                    count => format!("both sides changed {count} places of it in different ways{why}"),
                };
                self.leave(three.path.as_ref(), &detail)
            }
            _ => self.leave(three.path.as_ref(), "both sides changed it"),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "every end of a merge is one call")]
    fn leave(&mut self, path: &BStr, detail: &str) -> Result<(), Error> {
        self.left.push(Open { path: path.to_string(), detail: detail.to_owned() });
        Ok(())
    }
}

fn region(path: &str, proof: &engine::Proof) -> Region {
    Region {
        path: path.to_owned(),
        lines: (proof.base.start + 1, proof.base.count),
        layer: proof.rule.layer().name().to_owned(),
        rule: proof.rule.name().to_owned(),
        proof: proof.label.name().to_owned(),
    }
}

fn is_file((mode, _): Stage) -> bool {
    matches!(mode, Mode::File | Mode::Executable)
}

/// The permissions: the side that changed them.
fn mode(base: Option<Stage>, ours: Stage, theirs: Stage) -> Option<Mode> {
    match base.map(|(mode, _)| mode) {
        _ if ours.0 == theirs.0 => Some(ours.0),
        Some(base) if base == ours.0 => Some(theirs.0),
        Some(base) if base == theirs.0 => Some(ours.0),
        _ => None,
    }
}

/// What is wrong with the whole, across files.
fn faults(store: &Store, trees: [ObjectId; 4]) -> Result<Vec<Open>, Error> {
    let mut entries = Vec::with_capacity(4);
    for tree in trees {
        entries.push(of_tree(store, tree)?);
    }
    let [base, ours, theirs, result] = entries.as_slice() else { return Ok(Vec::new()) };
    let findings = engine::verify_tree(base, ours, theirs, result, |id| store.blob(*id).ok());
    let grave = findings.into_iter().filter(|finding| finding.severity == Severity::Error);
    Ok(grave.map(|finding| Open { path: finding.at.path, detail: finding.what }).collect())
}

/// Paths that are no text have no language and nobody's use.
fn of_tree(store: &Store, tree: ObjectId) -> Result<TreeEntries<ObjectId>, Error> {
    let files = store.files(tree).map_err(refused)?;
    let named = files.into_iter().filter_map(|(path, (mode, id))| {
        let mode = match mode {
            Mode::File => EntryMode::File,
            Mode::Executable => EntryMode::Executable,
            Mode::Link => EntryMode::Symlink,
            Mode::Submodule => EntryMode::Submodule,
        };
        Some((String::from_utf8(path.into()).ok()?, TreeEntry { mode, id }))
    });
    Ok(named.collect())
}
