//! Several versions of a file beside its base: only where any of them differs, each stretch of all at the same height.

use orchestrator_merge::{Hunk, differences};
use std::ops::Range;

/// Lines shown around a difference.
const CONTEXT: usize = 3;

/// A stretch of the base and what each version has there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The first line of the base, counted from 1.
    pub(super) line: usize,
    /// The base, then the versions in the order given.
    pub(super) cells: Vec<Cell>,
}

/// One version's lines of a stretch.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// The lines.
    pub(super) lines: Vec<(String, Mark)>,
}

/// What is to be seen of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// All have it, or nobody cares.
    Plain,
    /// The base has another one; of the base: a version has another one.
    Changed,
    /// The last version has another one than the one before it.
    Disputed,
}

/// The stretches in which any of `versions` differs from `base`, in order. With `compare_last` the last two versions are
/// also compared with each other.
pub(super) fn stretches(base: &[u8], versions: &[&[u8]], compare_last: bool) -> Vec<Stretch> {
    let hunks: Vec<Vec<Hunk>> = versions.iter().map(|version| differences(base, version)).collect();
    let disputed = match versions {
        [.., one, two] if compare_last => differences(one, two),
        _ => Vec::new(),
    };
    let last = versions.len();
    let is_disputed = |version: usize, line: usize| {
        disputed.iter().any(|hunk| match last - version {
            2 => hunk.before.contains(&line),
            1 => hunk.after.contains(&line),
            _ => false,
        })
    };
    let mut changed: Vec<Range<usize>> = hunks.iter().flatten().map(|hunk| hunk.before.clone()).collect();
    changed.sort_by_key(|range| (range.start, range.end));
    let base = split(base);
    let mut shown: Vec<Range<usize>> = Vec::new();
    for range in &changed {
        let range = range.start.saturating_sub(CONTEXT)..(range.end + CONTEXT).min(base.len());
        match shown.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => shown.push(range),
        }
    }
    let versions: Vec<Vec<&[u8]>> = versions.iter().map(|version| split(version)).collect();
    let stretch = |range: Range<usize>| {
        let mark = |is_changed| if is_changed { Mark::Changed } else { Mark::Plain };
        let of_base = cell(&base, range.clone(), |line| mark(changed.iter().any(|range| range.contains(&line))));
        let others = versions.iter().zip(&hunks).enumerate().map(|(at, (version, hunks))| {
            let there = place(hunks, range.start, false)..place(hunks, range.end, true);
            cell(version, there, |line| match is_disputed(at, line) {
                true => Mark::Disputed,
                false => mark(hunks.iter().any(|hunk| hunk.after.contains(&line))),
            })
        });
        let cells = std::iter::once(of_base).chain(others).collect();
        Stretch { line: range.start + 1, cells }
    };
    shown.into_iter().map(stretch).collect()
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

fn cell(lines: &[&[u8]], range: Range<usize>, mark: impl Fn(usize) -> Mark) -> Cell {
    let start = range.start;
    let shown = lines.get(range).unwrap_or_default().iter().enumerate();
    let text = |line: &[u8]| String::from_utf8_lossy(line).trim_end_matches(['\n', '\r']).to_owned();
    Cell { lines: shown.map(|(at, line)| (text(line), mark(start + at))).collect() }
}

/// Where a line of the base, which no change reaches over, is in a version: before what is inserted there, or after it.
fn place(hunks: &[Hunk], line: usize, after: bool) -> usize {
    let is_before =
        |hunk: &&Hunk| hunk.before.end < line || hunk.before.end == line && (after || !hunk.before.is_empty());
    match hunks.iter().take_while(is_before).last() {
        Some(hunk) => hunk.after.end + (line - hunk.before.end),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(stretch: &Stretch) -> Vec<String> {
        let text = |(line, mark): &(String, Mark)| match mark {
            Mark::Plain => line.clone(),
            Mark::Changed => format!("*{line}"),
            Mark::Disputed => format!("!{line}"),
        };
        stretch.cells.iter().map(|cell| cell.lines.iter().map(text).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn versions_stand_beside_the_base() {
        let base = b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
        let insert = b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n";
        let change = b"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\nx\ny\n14\n15\n16\n";
        let found = stretches(base, &[insert, change], false);
        assert_eq!(found.iter().map(|stretch| stretch.line).collect::<Vec<_>>(), [1, 10]);
        assert_eq!(texts(&found[0]), ["1 2 3", "*0 1 2 3", "1 2 3"]);
        assert_eq!(texts(&found[1]), ["10 11 12 *13 14 15 16", "10 11 12 13 14 15 16", "10 11 12 *x *y 14 15 16"]);
    }

    #[test]
    fn what_is_at_an_end_and_what_is_empty_is_shown() {
        assert_eq!(texts(&stretches(b"1\n", &[b"1\n2\n", b""], false)[0]), ["*1", "1 *2", ""]);
        assert_eq!(texts(&stretches(b"", &[b"1\n", b"2"], false)[0]), ["", "*1", "*2"]);
        assert_eq!(stretches(b"1\n", &[b"1\n"], true), []);
    }

    #[test]
    fn the_last_two_are_compared_with_each_other() {
        let found = stretches(b"1\n2\n", &[b"3\n2\n", b"3\n2\n4\n", b"3\n5\n"], true);
        assert_eq!(texts(&found[0]), ["*1 *2", "*3 2", "*3 !2 !4", "*3 !5"]);
    }
}
