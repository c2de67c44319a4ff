//! What changed between two versions of a file, entity by entity.

use crate::{Entity, EntityKind, File, Passing, Signature};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is different about a signature.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the fields are names as written")]
pub enum SignatureChange {
    /// A parameter that calls must pass.
    RequiredAdded { name: String },
    /// A parameter that calls may pass.
    OptionalAdded { name: String },
    /// A parameter is gone.
    ParameterRemoved { name: String },
    /// The same place has another name.
    ParameterRenamed { from: String, to: String },
    /// The same names stand in another order.
    Reordered,
    /// A parameter may no longer be left out.
    BecameRequired { name: String },
    /// A parameter may now be left out.
    BecameOptional { name: String },
    /// A parameter is passed in another way: by name only, as a rest.
    PassingChanged { name: String },
    /// A parameter's written type is another one.
    TypeChanged { name: String },
    /// The result's or the variable's written type is another one.
    ResultChanged,
    /// It is asynchronous now, or no longer.
    AsyncChanged,
    /// The receiver is another: `static` or not, `&self` or `&mut self`.
    ReceiverChanged,
    /// The visibility as written.
    VisibilityChanged,
}

/// How an entity changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another name; `to` is its new path. The signature may have changed too.
    Renamed {
        /// The new path.
        to: String,
        /// What else changed.
        signature: Vec<SignatureChange>,
    },
    /// Its signature changed, and perhaps its body.
    Signature(Vec<SignatureChange>),
    /// Only what is inside changed.
    Body,
}

/// One entity's change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityChange {
    /// Its path in the older version; for what is new, in the newer one.
    pub path: String,
    /// What it is.
    pub kind: EntityKind,
    /// How it changed.
    pub change: ChangeKind,
}

/// Two bodies this alike are the same under another name.
const LIKENESS: f64 = 0.6;

/// All changes from `base` to `side`, in order of path. Comments and layout are no change. Of a type that is new, gone
/// or renamed its members are not listed, unless they changed in a renamed one.
#[must_use]
pub fn changes(base: &File, side: &File) -> Vec<EntityChange> {
    let mut found = Vec::new();
    let renames = renames(base, side);
    let renamed_to: BTreeSet<&str> = renames.values().map(String::as_str).collect();
    let now = |path: &str| moved(path, &renames);
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for entity in base.entities.iter().filter(|entity| entity.kind != EntityKind::Impl) {
        if !seen.insert(&entity.path) {
            continue;
        }
        let before: Vec<&Entity> = base.find_all(&entity.path).filter(|one| one.kind != EntityKind::Impl).collect();
        let path = now(&entity.path);
        let after: Vec<&Entity> = side.find_all(&path).filter(|one| one.kind != EntityKind::Impl).collect();
        let own_rename = renames.contains_key(&entity.path);
        if after.is_empty() {
            let outer = entity.path.rsplit_once('.').map(|(outer, _)| outer);
            let implied = outer.is_some_and(|outer| base.find(outer).is_some() && side.find(&now(outer)).is_none());
            if !implied {
                found.push(change(entity, ChangeKind::Removed));
            }
            continue;
        }
        let difference = compare_groups(&before, &after);
        let kind = match (own_rename, difference) {
            (true, difference) => {
                let signature =
                    if let Some(ChangeKind::Signature(changes)) = difference { changes } else { Vec::new() };
                ChangeKind::Renamed { to: path, signature }
            }
            (false, Some(kind)) => kind,
            (false, None) => continue,
        };
        found.push(change(entity, kind));
    }
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let known: BTreeSet<String> = base.entities.iter().map(|entity| now(&entity.path)).collect();
    for entity in side.entities.iter().filter(|entity| entity.kind != EntityKind::Impl) {
        let implied = entity.parent.and_then(|at| side.entities.get(at)).is_some_and(|outer| {
            !outer.path.is_empty() && !known.contains(&outer.path) && outer.kind != EntityKind::Impl
        });
        let is_new = !known.contains(&entity.path) && !renamed_to.contains(entity.path.as_str());
        if is_new && !implied && seen.insert(&entity.path) {
            found.push(change(entity, ChangeKind::Added));
        }
    }
    found.sort_by(|one, two| one.path.cmp(&two.path));
    found
}

fn change(entity: &Entity, change: ChangeKind) -> EntityChange {
    EntityChange { path: entity.path.clone(), kind: entity.kind, change }
}

/// A path with the renamed part in front replaced.
fn moved(path: &str, renames: &BTreeMap<String, String>) -> String {
    let mut end = path.len();
    loop {
        let (head, rest) = path.split_at(end);
        if let Some(to) = renames.get(head) {
            return format!("{to}{rest}");
        }
        match head.rfind('.') {
            Some(cut) => end = cut,
            None => return path.to_owned(),
        }
    }
}

/// Pairs what is gone with what is new: same kind, same place, body alike. Types first, so that members of a renamed
/// type are compared with each other.
fn renames(base: &File, side: &File) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let depth_of = |path: &str| path.matches('.').count();
    let deepest = base.entities.iter().map(|entity| depth_of(&entity.path)).max().unwrap_or(0).min(8);
    for depth in 0..=deepest {
        let at_depth = |entity: &&Entity| depth_of(&entity.path) == depth && entity.kind != EntityKind::Impl;
        let gone: Vec<&Entity> = base
            .entities
            .iter()
            .filter(at_depth)
            .filter(|entity| side.find(&moved(&entity.path, &found)).is_none())
            .take(200)
            .collect();
        let targets: BTreeSet<String> = base.entities.iter().map(|entity| moved(&entity.path, &found)).collect();
        let new: Vec<&Entity> =
            side.entities.iter().filter(at_depth).filter(|entity| !targets.contains(&entity.path)).take(200).collect();
        let mut pairs: Vec<(u32, usize, usize)> = Vec::new();
        for (left, gone) in gone.iter().enumerate() {
            let parent = gone.path.rsplit_once('.').map_or(String::new(), |(outer, _)| moved(outer, &found));
            for (right, new) in new.iter().enumerate() {
                let same_parent = new.path.rsplit_once('.').map_or("", |(outer, _)| outer) == parent;
                if same_parent && gone.kind == new.kind {
                    pairs.extend(likeness(gone, new).map(|score| (score, left, right)));
                }
            }
        }
        // Best first; between equals the order in the file decides.
        pairs.sort_by(|one, two| two.0.cmp(&one.0).then(one.1.cmp(&two.1)).then(one.2.cmp(&two.2)));
        let (mut lefts, mut rights) = (BTreeSet::new(), BTreeSet::new());
        for (_, left, right) in pairs {
            if !lefts.contains(&left) && !rights.contains(&right) {
                lefts.insert(left);
                rights.insert(right);
                if let (Some(gone), Some(new)) = (gone.get(left), new.get(right)) {
                    found.insert(gone.path.clone(), new.path.clone());
                }
            }
        }
    }
    found
}

/// How alike two entities are, in thousandths; `None` when they are not the same under another name.
fn likeness(one: &Entity, two: &Entity) -> Option<u32> {
    let same_signature =
        one.signature.parameters == two.signature.parameters && one.signature.result == two.signature.result;
    if one.tokens.is_empty() && two.tokens.is_empty() {
        // Nothing but the signature speaks for it: a lone type is not enough.
        let speaks = !one.signature.parameters.is_empty() || one.signature.result.is_some();
        return (same_signature && speaks).then_some(700);
    }
    if one.body_hash == two.body_hash {
        return Some(if same_signature { 1_000 } else { 900 });
    }
    let mut counts: HashMap<u32, i32> = HashMap::new();
    for token in &one.tokens {
        *counts.entry(*token).or_default() += 1;
    }
    let mut shared = 0_usize;
    for token in &two.tokens {
        if let Some(count) = counts.get_mut(token).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    }
    let share = 2.0 * shared as f64 / (one.tokens.len() + two.tokens.len()) as f64;
    let enough = if same_signature { LIKENESS } else { LIKENESS + 0.2 };
    (share >= enough && one.tokens.len().min(two.tokens.len()) >= 8).then_some((share * 800.0) as u32)
}

/// Compares what stands under one path: overloads are paired by signature.
fn compare_groups(before: &[&Entity], after: &[&Entity]) -> Option<ChangeKind> {
    let mut signature: BTreeSet<SignatureChange> = BTreeSet::new();
    let mut body = false;
    let mut left: Vec<&Entity> = after.to_vec();
    let mut unmatched = Vec::new();
    for one in before {
        match left
            .iter()
            .position(|two| same_signature(&one.signature, &two.signature) && one.is_declaration == two.is_declaration)
        {
            Some(at) => body |= left.remove(at).body_hash != one.body_hash,
            None => unmatched.push(*one),
        }
    }
    for one in unmatched {
        if left.is_empty() {
            signature.insert(SignatureChange::ParameterRemoved { name: String::new() });
            continue;
        }
        let at = left.iter().position(|two| two.is_declaration == one.is_declaration).unwrap_or(0);
        let two = left.remove(at);
        signature.extend(compare(&one.signature, &two.signature));
        body |= one.body_hash != two.body_hash;
    }
    body |= !left.is_empty();
    if signature.is_empty() {
        body.then_some(ChangeKind::Body)
    } else {
        Some(ChangeKind::Signature(signature.into_iter().collect()))
    }
}

pub(crate) fn same_signature(one: &Signature, two: &Signature) -> bool {
    one.parameters == two.parameters
        && one.receiver == two.receiver
        && one.result == two.result
        && one.is_async == two.is_async
        && one.visibility == two.visibility
}

/// What is different between two signatures.
pub(crate) fn compare(one: &Signature, two: &Signature) -> Vec<SignatureChange> {
    use SignatureChange as Change;
    let mut found = Vec::new();
    let names =
        |signature: &Signature| signature.parameters.iter().map(|one| one.name.clone()).collect::<Vec<String>>();
    let (old, new) = (names(one), names(two));
    let named = |all: &[String]| {
        all.iter().all(|name| !name.is_empty()) && all.iter().collect::<BTreeSet<_>>().len() == all.len()
    };
    let reordered = old != new
        && old.len() == new.len()
        && old.iter().collect::<BTreeSet<_>>() == new.iter().collect::<BTreeSet<_>>();
    if reordered && named(&old) {
        found.push(Change::Reordered);
    }
    let by_name = named(&old) && named(&new);
    let mut used = BTreeSet::new();
    for (at, parameter) in one.parameters.iter().enumerate() {
        let same =
            if by_name { new.iter().position(|name| *name == parameter.name) } else { (at < new.len()).then_some(at) };
        let renamed = || {
            (at < new.len() && old.len() == new.len())
                .then_some(at)
                .filter(|at| new.get(*at).is_some_and(|name| !old.contains(name)))
        };
        let Some(place) = same.or_else(renamed) else {
            found.push(Change::ParameterRemoved { name: parameter.name.clone() });
            continue;
        };
        let Some(other) = two.parameters.get(place) else { continue };
        used.insert(place);
        if other.name != parameter.name {
            found.push(Change::ParameterRenamed { from: parameter.name.clone(), to: other.name.clone() });
        }
        if parameter.is_optional && !other.is_optional {
            found.push(Change::BecameRequired { name: other.name.clone() });
        } else if !parameter.is_optional && other.is_optional {
            found.push(Change::BecameOptional { name: other.name.clone() });
        }
        if parameter.passing != other.passing {
            found.push(Change::PassingChanged { name: other.name.clone() });
        }
        if parameter.written_type != other.written_type {
            found.push(Change::TypeChanged { name: other.name.clone() });
        }
    }
    for (_, parameter) in two.parameters.iter().enumerate().filter(|(place, _)| !used.contains(place)) {
        let free = parameter.is_optional || matches!(parameter.passing, Passing::Variadic | Passing::KeywordVariadic);
        let name = parameter.name.clone();
        found.push(if free { Change::OptionalAdded { name } } else { Change::RequiredAdded { name } });
    }
    if one.result != two.result {
        found.push(Change::ResultChanged);
    }
    if one.is_async != two.is_async {
        found.push(Change::AsyncChanged);
    }
    if one.receiver != two.receiver {
        found.push(Change::ReceiverChanged);
    }
    if one.visibility != two.visibility {
        found.push(Change::VisibilityChanged);
    }
    found
}
