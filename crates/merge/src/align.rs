//! Lines, and where two files differ from the base.

use imara_diff::{Algorithm, Diff, InternedInput, Token};
use std::ops::Range;

/// Most lines, of both files together, that are aligned by histogram. A crafted file takes quadratic time and a recursion
/// as deep as a quarter of its lines; longer ones are aligned by Myers' method, whose cost is capped.
const MOST_FOR_HISTOGRAM: usize = 40_000;

/// The stretches in which `after` differs from `before`, in order. Lines end with `\n`; the last one may lack it.
#[must_use]
pub fn differences(before: &[u8], after: &[u8]) -> Vec<Hunk> {
    hunks(&split(before), &split(after))
}

/// Splits after every `\n`; the last line may lack one.
pub(crate) fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// How many lines [`split`] gives.
pub(crate) fn count(text: &[u8]) -> usize {
    text.split_inclusive(|byte| *byte == b'\n').count()
}

/// One stretch in which a file differs from another, as 0-based line ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Lines of the one.
    pub before: Range<usize>,
    /// What the other has instead.
    pub after: Range<usize>,
}

/// The differences in order. Two of them never touch.
///
/// Aligned as git's merge does it, so that the answers agree where equal lines can be aligned in several ways.
pub(crate) fn hunks(before: &[&[u8]], after: &[&[u8]]) -> Vec<Hunk> {
    let mut input = InternedInput::default();
    input.update_before(before.iter().copied());
    input.update_after(after.iter().copied());
    let mut diff = Diff::default();
    if is_monotonous(&input) {
        return one_hunk(&input.before, &input.after);
    }
    if before.len() + after.len() > MOST_FOR_HISTOGRAM {
        diff.compute_with(Algorithm::Myers, &input.before, &input.after, input.interner.num_tokens());
    } else {
        whole_histogram(&input, &mut diff);
    }
    // Hunks slide to their last place, without regard to indentation.
    diff.postprocess_no_heuristic(&input);
    let range = |range: Range<u32>| range.start as usize..range.end as usize;
    diff.hunks().map(|hunk| Hunk { before: range(hunk.before), after: range(hunk.after) }).collect()
}

/// Whether one line stands so often in a long file that the library's preprocessing, which looks around each line that
/// is frequent, takes quadratic time.
fn is_monotonous(input: &InternedInput<&[u8]>) -> bool {
    let lines = input.before.len() + input.after.len();
    if lines <= MOST_FOR_HISTOGRAM {
        return false;
    }
    let mut counts = vec![0_usize; input.interner.num_tokens() as usize];
    for token in input.before.iter().chain(&input.after) {
        if let Some(count) = counts.get_mut(token.0 as usize) {
            *count += 1;
        }
    }
    counts.into_iter().max().unwrap_or_default() > lines / 2
}

/// What differs between what both begin and end with, as a whole.
fn one_hunk(before: &[Token], after: &[Token]) -> Vec<Hunk> {
    let start = before.iter().zip(after).take_while(|(one, two)| one == two).count();
    let rest = before[start..].iter().rev().zip(after[start..].iter().rev());
    let end = rest.take_while(|(one, two)| one == two).count();
    let (before, after) = (start..before.len() - end, start..after.len() - end);
    if before.is_empty() && after.is_empty() { Vec::new() } else { vec![Hunk { before, after }] }
}

/// Histogram over the whole files. The library leaves out what both files begin and end with, which makes other lines
/// rare than git sees; ends that differ keep it from that.
fn whole_histogram(input: &InternedInput<&[u8]>, diff: &mut Diff) {
    let end = input.interner.num_tokens();
    let framed = |lines: &[Token], end: u32| [&[Token(end)], lines, &[Token(end)]].concat();
    diff.compute_with(Algorithm::Histogram, &framed(&input.before, end), &framed(&input.after, end + 1), end + 2);
    // The same alignment without the ends: a line that is kept has its rank among those for a name in both files, all
    // others have a name of their own.
    let mut names = input.before.len() as u32..;
    let mut kept = (0..).map(Token);
    let before: Vec<Token> = (1..=input.before.len() as u32)
        .filter_map(|at| if diff.is_removed(at) { names.next().map(Token) } else { kept.next() })
        .collect();
    let mut kept = (0..).map(Token);
    let after: Vec<Token> = (1..=input.after.len() as u32)
        .filter_map(|at| if diff.is_added(at) { names.next().map(Token) } else { kept.next() })
        .collect();
    diff.compute_with(Algorithm::Histogram, &before, &after, names.start);
}

/// Which sides changed something in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched {
    Ours,
    Theirs,
    Both,
}

/// A maximal run of hunks of both sides that overlap or touch, as 0-based line ranges in the three files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) base: Range<usize>,
    pub(crate) ours: Range<usize>,
    pub(crate) theirs: Range<usize>,
    pub(crate) touched: Touched,
}

/// Groups both sides' hunks. Between two spans lies at least one line that is the same in all three files.
pub(crate) fn spans(ours: &[Hunk], theirs: &[Hunk]) -> Vec<Span> {
    let mut spans = Vec::new();
    let (mut ours, mut theirs) = (Cursor::new(ours), Cursor::new(theirs));
    while let Some(start) = [ours.next_start(), theirs.next_start()].into_iter().flatten().min() {
        let before = (ours.taken, theirs.taken);
        let from = (ours.translate(start), theirs.translate(start));
        let mut end = start;
        while ours.take_touching(&mut end) || theirs.take_touching(&mut end) {}
        let touched = match (ours.taken > before.0, theirs.taken > before.1) {
            (true, true) => Touched::Both,
            (true, false) => Touched::Ours,
            _ => Touched::Theirs,
        };
        let (ours, theirs) = (from.0..ours.translate(end), from.1..theirs.translate(end));
        spans.push(Span { base: start..end, ours, theirs, touched });
    }
    spans
}

/// Walks one side's hunks.
struct Cursor<'a> {
    hunks: &'a [Hunk],
    taken: usize,
}

impl<'a> Cursor<'a> {
    fn new(hunks: &'a [Hunk]) -> Self {
        Self { hunks, taken: 0 }
    }

    fn next_start(&self) -> Option<usize> {
        self.hunks.get(self.taken).map(|hunk| hunk.before.start)
    }

    /// Takes the next hunk when it begins at or before `end`, and moves `end` past it.
    fn take_touching(&mut self, end: &mut usize) -> bool {
        let Some(hunk) = self.hunks.get(self.taken).filter(|hunk| hunk.before.start <= *end) else { return false };
        *end = hunk.before.end.max(*end);
        self.taken += 1;
        true
    }

    /// Where a base line at or after all hunks taken so far stands in this side.
    fn translate(&self, base: usize) -> usize {
        match self.taken.checked_sub(1) {
            Some(last) => base - self.hunks[last].before.end + self.hunks[last].after.end,
            None => base,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans_of(base: &str, ours: &str, theirs: &str) -> Vec<Span> {
        let [base, ours, theirs] = [base, ours, theirs].map(|text| text.as_bytes().chunks(1).collect::<Vec<_>>());
        spans(&hunks(&base, &ours), &hunks(&base, &theirs))
    }

    #[test]
    fn changes_that_touch_are_one_span() {
        for (base, ours, theirs, expected) in [
            ("abc", "Abc", "abC", vec![(0..1, Touched::Ours), (2..3, Touched::Theirs)]),
            ("abc", "Abc", "aBc", vec![(0..2, Touched::Both)]),
            ("abc", "abcX", "abcY", vec![(3..3, Touched::Both)]),
            ("abc", "aXbc", "aBc", vec![(1..2, Touched::Both)]),
            ("abcde", "aBcDe", "abXde", vec![(1..4, Touched::Both)]),
            ("abc", "abc", "c", vec![(0..2, Touched::Theirs)]),
        ] {
            let spans = spans_of(base, ours, theirs);
            let found: Vec<_> = spans.into_iter().map(|span| (span.base, span.touched)).collect();
            assert_eq!(found, expected, "{base} {ours} {theirs}");
        }
    }

    #[test]
    fn a_million_lines_alike_take_no_time() {
        let before = "same\n".repeat(1_000_000);
        let after = before.clone() + "one more\n" + &before;
        let found = hunks(&split(before.as_bytes()), &split(after.as_bytes()));
        assert_eq!(found, [Hunk { before: 1_000_000..1_000_000, after: 1_000_000..2_000_001 }]);
        assert!(hunks(&split(before.as_bytes()), &split(before.as_bytes())).is_empty());
    }

    #[test]
    fn a_crafted_file_costs_neither_the_stack_nor_much_time() {
        // Just few enough lines for the histogram, and far too many.
        for last in [5_001, 60_000] {
            let order: Vec<usize> = (2..last).flat_map(|at| [at - 1, at + 1]).collect();
            let text = |tag: char| {
                order.iter().enumerate().fold(String::new(), |text, (at, n)| text + &format!("{n}\n{tag}{at}\n"))
            };
            let (before, after) = (text('x'), text('y'));
            assert!(hunks(&split(before.as_bytes()), &split(after.as_bytes())).len() > 1_000);
        }
    }
}
