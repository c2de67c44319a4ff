//! From a person's resolution of a whole file to one recording for each region.

use super::key::Places;
use super::{Edit, Recording};
use crate::align::{Hunk, hunks, split};
use crate::conflict::{Piece, Region};
use crate::frame::Frame;
use crate::lines::{OneSided, merge_lines};
use crate::merge::{Options, identity, needs_no_lines, steps};
use crate::verify::{is_marker, is_telling};
use std::ops::Range;

/// What a person made of each region that both sides changed, in the order of the file; `None` for a region where that
/// cannot be said: the lines around it are not those of the merge, or a marker was left.
///
/// Empty where nothing is in conflict by lines, where the files collide as a whole, and for files beyond the usual budget.
#[must_use]
pub fn learn(base: Option<&[u8]>, ours: &[u8], theirs: &[u8], path: &str, resolved: &[u8]) -> Vec<Option<Recording>> {
    let has_lines = needs_no_lines(base, Some(ours), Some(theirs), path).is_none();
    let is_settled = identity(base, Some(ours), Some(theirs)).is_some();
    let base = base.unwrap_or_default();
    if !has_lines || is_settled || steps(base, ours, theirs) > Options::default().budget {
        return Vec::new();
    }
    let Some(frame) = Frame::new(base, ours, theirs) else { return Vec::new() };
    let [base, ours, theirs, resolved] = [base, ours, theirs, resolved].map(|text| frame.take_out(text));
    let pieces = merge_lines(&base, &ours, &theirs, OneSided::Take);
    let regions: Vec<&Region> = pieces.iter().filter_map(open).collect();
    if regions.is_empty() {
        return Vec::new();
    }
    let places = Places::new(path, &base);
    let lines = split(&resolved);
    let results = results(&pieces, &lines);
    let recording = |(region, result): (&&Region, Option<Range<usize>>)| {
        let result = &lines[result?];
        if result.iter().any(|line| is_marker(line)) {
            return None;
        }
        let read = places.read(region)?;
        let edit = Edit::new(&read.key, &read.form.read(&result.concat())?);
        Some(Recording { key: read.key, edit })
    };
    regions.iter().zip(results).map(recording).collect()
}

fn open(piece: &Piece) -> Option<&Region> {
    if let Piece::Open(region) = piece { Some(region) } else { None }
}

/// Which lines of the resolution stand in each open region, by aligning what is settled.
fn results(pieces: &[Piece], resolved: &[&[u8]]) -> Vec<Option<Range<usize>>> {
    // In place of each region stands a line that is like no other, so that it never is aligned.
    let holes: Vec<Vec<u8>> = (0..pieces.len()).map(|at| format!("\0{at}").into_bytes()).collect();
    let (mut settled, mut places): (Vec<&[u8]>, Vec<usize>) = (Vec::new(), Vec::new());
    for (piece, hole) in pieces.iter().zip(&holes) {
        match piece {
            Piece::Settled { text, .. } => settled.extend(split(text)),
            Piece::Open(_) => {
                places.push(settled.len());
                settled.push(hole);
            }
        }
    }
    let hunks = hunks(&settled, resolved);
    places.iter().map(|place| result(*place, &hunks, &settled, resolved)).collect()
}

fn result(place: usize, hunks: &[Hunk], settled: &[&[u8]], resolved: &[&[u8]]) -> Option<Range<usize>> {
    let at = hunks.iter().position(|hunk| hunk.before == (place..place + 1))?;
    let mut result = hunks[at].after.clone();
    let (mut before, mut after) = (hunks[..at].iter().rev().peekable(), hunks[at + 1..].iter().peekable());
    // Lines that are equal can be aligned in several ways. What was put beside the region belongs into it wherever both
    // give the same file.
    while let Some(next) = after.next_if(|next| {
        let kept = &resolved[result.end..next.after.start];
        next.before.is_empty() && *kept == resolved[next.after.end - kept.len()..next.after.end]
    }) {
        result.end += next.after.len();
    }
    while let Some(last) = before.next_if(|last| {
        let kept = &resolved[last.after.end..result.start];
        last.before.is_empty() && *kept == resolved[last.after.start..last.after.start + kept.len()]
    }) {
        result.start -= last.after.len();
    }
    // The lines beside it must be those of the merge, or the person rewrote more than the region.
    let kept_before = resolved[before.peek().map_or(0, |hunk| hunk.after.end)..result.start].iter();
    let kept_after = resolved[result.end..after.peek().map_or(resolved.len(), |hunk| hunk.after.start)].iter();
    let is_first = !settled[..place].iter().any(|line| is_telling(line)) && before.peek().is_none();
    let is_last = !settled[place + 1..].iter().any(|line| is_telling(line)) && after.peek().is_none();
    let is_anchored = (is_first || kept_before.clone().any(|line| is_telling(line)))
        && (is_last || kept_after.clone().any(|line| is_telling(line)));
    is_anchored.then_some(result)
}
