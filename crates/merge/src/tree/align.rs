//! Which parts of one list are those of another one, in order.

use super::{Merger, Why};
use crate::align::hunks;

/// Weight of parts that are equal.
pub(super) const EQUAL: u32 = 100;

/// Most pairs that are weighed against each other at once.
const MOST_PAIRS: usize = 20_000;

impl Merger {
    /// The part of `after` for each of `before`, so that the sum of weights is largest. Weight 0 never goes together.
    pub(super) fn align<A, B>(
        &mut self,
        before: &[A],
        after: &[B],
        hash_before: impl Fn(&A) -> u64,
        hash_after: impl Fn(&B) -> u64,
        weight: impl Fn(&A, &B) -> u32,
    ) -> Result<Vec<Option<usize>>, Why> {
        let mut found = vec![None; before.len()];
        let hashes_before: Vec<u64> = before.iter().map(hash_before).collect();
        let hashes_after: Vec<u64> = after.iter().map(hash_after).collect();
        let start = hashes_before.iter().zip(&hashes_after).take_while(|(one, two)| one == two).count();
        let rest = hashes_before[start..].iter().rev().zip(hashes_after[start..].iter().rev());
        let end = rest.take_while(|(one, two)| one == two).count();
        for (at, place) in found.iter_mut().enumerate().take(start) {
            *place = Some(at);
        }
        let (before_end, after_end) = (before.len() - end, after.len() - end);
        for at in 0..end {
            found[before_end + at] = Some(after_end + at);
        }
        let gaps = if (before_end - start) * (after_end - start) <= MOST_PAIRS {
            vec![(start..before_end, start..after_end)]
        } else {
            let bytes = |hashes: &[u64]| hashes.iter().map(|hash| hash.to_le_bytes()).collect::<Vec<_>>();
            let (one, two) = (bytes(&hashes_before[start..before_end]), bytes(&hashes_after[start..after_end]));
            let [one, two] = [&one, &two].map(|side| side.iter().map(|hash| &hash[..]).collect::<Vec<_>>());
            self.spend(one.len() + two.len())?;
            let mut gaps = Vec::new();
            let (mut at, mut other) = (start, start);
            for hunk in hunks(&one, &two) {
                while at < start + hunk.before.start {
                    found[at] = Some(other);
                    (at, other) = (at + 1, other + 1);
                }
                (at, other) = (start + hunk.before.end, start + hunk.after.end);
                gaps.push((start + hunk.before.start..at, start + hunk.after.start..other));
            }
            while at < before_end {
                found[at] = Some(other);
                (at, other) = (at + 1, other + 1);
            }
            gaps
        };
        for (one, two) in gaps {
            if one.is_empty() || two.is_empty() || one.len() * two.len() > MOST_PAIRS {
                continue;
            }
            self.spend(one.len() * two.len())?;
            let weights: Vec<Vec<u32>> = one
                .clone()
                .map(|at| {
                    let of = |other: usize| match hashes_before[at] == hashes_after[other] {
                        true => EQUAL,
                        false => weight(&before[at], &after[other]),
                    };
                    two.clone().map(of).collect()
                })
                .collect();
            for (at, other) in heaviest(&weights, two.len()) {
                found[one.start + at] = Some(two.start + other);
            }
        }
        Ok(found)
    }
}

/// The pairs of rows and columns, in order in both, whose weights have the largest sum.
fn heaviest(weights: &[Vec<u32>], columns: usize) -> Vec<(usize, usize)> {
    let rows = weights.len();
    let mut best = vec![vec![0_u32; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let weight = weights[row][column];
            let skipped = best[row + 1][column].max(best[row][column + 1]);
            let taken = if weight > 0 { best[row + 1][column + 1] + weight } else { 0 };
            best[row][column] = skipped.max(taken);
        }
    }
    let (mut row, mut column, mut pairs) = (0, 0, Vec::new());
    while row < rows && column < columns {
        let weight = weights[row][column];
        if weight > 0 && best[row][column] == best[row + 1][column + 1] + weight {
            pairs.push((row, column));
            (row, column) = (row + 1, column + 1);
        } else if best[row][column] == best[row + 1][column] {
            row += 1;
        } else {
            column += 1;
        }
    }
    pairs
}

/// What stands in `after` between the parts that have one in `before`: for each place before a part, and behind the
/// last, the range of parts without one. `matched` is as [`Merger::align`] gives it.
pub(super) fn gaps(matched: &[Option<usize>], after: usize) -> Vec<Vec<usize>> {
    let mut gaps = vec![Vec::new(); matched.len() + 1];
    let mut taken = vec![None; after];
    for (at, place) in matched.iter().enumerate() {
        if let Some(place) = place {
            taken[*place] = Some(at);
        }
    }
    let mut gap = 0;
    for (place, taken) in taken.iter().enumerate() {
        match taken {
            Some(at) => gap = at + 1,
            None => gaps[gap].push(place),
        }
    }
    gaps
}
