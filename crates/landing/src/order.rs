//! Which work goes first, and which works depend on each other.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Bound;

/// So many landings that were asked for later and begin before one raise it by one priority.
pub const RAISE: u32 = 8;

/// What a work touches. Nothing of it is in the log: it can be worked out again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Paths that it changes.
    pub paths: BTreeSet<String>,
    /// Names of entities whose definition it adds, changes or removes.
    pub defines: BTreeSet<String>,
    /// Names that it newly uses.
    pub uses: BTreeSet<String>,
}

impl Footprint {
    /// Whether both touch one path, or one stands where the other has a folder.
    #[must_use]
    pub fn shares_paths(&self, other: &Self) -> bool {
        let (few, many) = if self.paths.len() <= other.paths.len() { (self, other) } else { (other, self) };
        few.paths.iter().any(|path| {
            let below = format!("{path}/");
            let mut next = many.paths.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
            let folders = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
            many.paths.contains(path)
                || next.next().is_some_and(|next| next.starts_with(&below))
                || folders.into_iter().any(|folder| many.paths.contains(folder))
        })
    }

    /// Whether what comes of one may depend on the other: they share a path, or one uses what the other defines.
    #[must_use]
    pub fn depends(&self, other: &Self) -> bool {
        self.shares_paths(other) || !self.defines.is_disjoint(&other.uses) || !other.defines.is_disjoint(&self.uses)
    }
}

/// Work that waits for its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its landing.
    pub id: u64,
    /// Higher goes first; already raised for having waited.
    pub priority: i64,
    /// What it touches, where that is known.
    pub footprint: Option<&'a Footprint>,
}

/// The order in which works have their turn: the highest priority; then the smallest, by how often the number of its paths
/// can be halved; then who shares paths with the fewest others of these; then the oldest. What is not known is the largest.
#[must_use]
pub fn order(candidates: &[Candidate<'_>]) -> Vec<u64> {
    let rank = |one: &Candidate<'_>| {
        let size = one.footprint.map_or(u32::MAX, |own| own.paths.len().checked_ilog2().map_or(0, |size| size + 1));
        let shares = |other: &&Candidate<'_>| match (one.footprint, other.footprint) {
            (Some(own), Some(their)) => other.id != one.id && own.shares_paths(their),
            _ => false,
        };
        (Reverse(one.priority), size, candidates.iter().filter(shares).count(), one.id)
    };
    let mut ranked: Vec<_> = candidates.iter().map(rank).collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(.., id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &str) -> BTreeSet<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn paths(names: &str) -> Footprint {
        Footprint { paths: set(names), ..Footprint::default() }
    }

    fn ordered(all: &[(i64, &str)]) -> Vec<u64> {
        let prints: Vec<Footprint> = all.iter().map(|(_, names)| paths(names)).collect();
        let mut candidates = Vec::new();
        for ((id, (priority, _)), print) in (0..).zip(all).zip(&prints) {
            candidates.push(Candidate { id, priority: *priority, footprint: Some(print) });
        }
        order(&candidates)
    }

    #[test]
    fn by_priority_then_small_then_least_overlapping_then_old() {
        assert_eq!(ordered(&[(0, "a"), (5, "b c d e"), (5, "f")]), [2, 1, 0]);
        assert_eq!(ordered(&[(0, "a b"), (0, "c d"), (0, "e f"), (0, "a g")]), [1, 2, 0, 3], "2 and 3 paths are alike");
        assert_eq!(ordered(&[(0, "a b c d"), (0, "e f g")]), [1, 0], "four are more than three");
        assert_eq!(ordered(&[(0, "a"), (0, "b")]), [0, 1]);
        let unknown = Candidate { id: 1, priority: 0, footprint: None };
        assert_eq!(order(&[unknown, Candidate { id: 2, footprint: Some(&paths("a b")), ..unknown }]), [2, 1]);
    }

    #[test]
    fn what_shares_a_path_a_folder_or_a_name_depends() {
        let check = |one: &str, other: &str| {
            let (one, other) = (paths(one), paths(other));
            assert_eq!(one.shares_paths(&other), other.shares_paths(&one));
            one.depends(&other)
        };
        assert!(check("a b", "b c"));
        assert!(!check("a b", "c d e"));
        assert!(check("a/b", "a") && check("a", "x a/b/c y"), "a file where the other has a folder");
        assert!(!check("a/b", "a/c") && !check("a", "ab a-b"));
        let defines = Footprint { defines: set("price"), ..paths("lib.py") };
        let uses = Footprint { uses: set("price total"), ..paths("shop.py") };
        assert!(defines.depends(&uses) && uses.depends(&defines));
        assert!(!uses.depends(&uses.clone()) || uses.shares_paths(&uses), "using one name is nothing shared");
        assert!(!defines.depends(&Footprint { uses: set("total"), ..paths("x.py") }));
    }
}
