//! What of one agent's change is gone in a version that another one wrote later into the same file.

use crate::{Part, Region, Source, Version};
use orchestrator_merge::{Hunk, differences};
use std::ops::Range;
use std::sync::Arc;

/// Larger files are not compared.
const LARGEST: usize = 8 << 20;

/// What of the change from `base` to `ours` is not in `theirs`, which was written after `ours`; nothing where all of it is
/// there or was edited further. Without regions it is a content that is not lines.
///
/// A stretch is gone when what stood there before is back: most of the lines that the change took away stand there again
/// and most of those that it put there do not. Lines that were only added are gone when none is left and what stands at
/// their place resembles none of them. All is gone with the file. On purpose or not looks the same.
///
/// # Errors
/// A content could not be read.
pub fn overwritten<S: Source>(
    source: &S,
    base: Option<Version>,
    ours: Option<Version>,
    theirs: Option<Version>,
) -> Result<Option<Vec<Region>>, S::Error> {
    let same = |one: Option<Version>, two: Option<Version>| one.map(|v| (v.id, v.mode)) == two.map(|v| (v.id, v.mode));
    if same(base, ours) || same(ours, theirs) {
        return Ok(None);
    }
    // Who wrote something else where a file had been deleted made a file of their own.
    if ours.is_none() {
        return Ok(same(base, theirs).then(Vec::new));
    }
    let deleted = theirs.is_none();
    let mut texts: [Arc<[u8]>; 3] = std::array::from_fn(|_| Arc::from([]));
    for (text, version) in texts.iter_mut().zip([base, ours, theirs]) {
        let Some(version) = version else { continue };
        if version.opaque || !version.mode.is_file() || source.size(&version.id)? > LARGEST {
            return Ok(None);
        }
        *text = source.content(&version.id)?;
    }
    let [base, ours, theirs] = &texts;
    if [base, ours, theirs].iter().any(|text| text.contains(&0)) {
        return Ok(Some(Vec::new()));
    }
    let regions = if deleted { all(base, ours) } else { gone(base, ours, theirs) };
    Ok((!regions.is_empty()).then_some(regions))
}

/// The whole change, when the file is deleted.
fn all(base: &[u8], ours: &[u8]) -> Vec<Region> {
    let hunks = differences(base, ours);
    let ([base, ours], second) =
        ([base, ours].map(Text::new), Part { start: 1, lines: 0, text: Vec::new(), deleted: true });
    let part = |hunk: &Hunk| (base.part(&hunk.before), ours.part(&hunk.after));
    hunks.iter().map(part).map(|(base, first)| Region { base, first, second: second.clone() }).collect()
}

/// A text by lines.
pub(crate) struct Text<'a>(Vec<&'a [u8]>);

impl<'a> Text<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self(text.split_inclusive(|byte| *byte == b'\n').collect())
    }

    fn lines(&self, range: &Range<usize>) -> &[&'a [u8]] {
        self.0.get(range.clone()).unwrap_or_default()
    }

    /// How often these lines stand in it, one after the other.
    fn count(&self, lines: &[&[u8]]) -> usize {
        self.0.windows(lines.len().max(1)).filter(|window| *window == lines).count()
    }

    pub(crate) fn part(&self, range: &Range<usize>) -> Part {
        Part { start: range.start + 1, lines: range.len(), text: self.lines(range).concat(), deleted: false }
    }
}

fn gone(base: &[u8], ours: &[u8], theirs: &[u8]) -> Vec<Region> {
    let own = differences(base, ours);
    let (from_base, from_ours) = (differences(base, theirs), differences(ours, theirs));
    let [base, ours, theirs] = [base, ours, theirs].map(Text::new);
    let is_gone = |hunk: &&Hunk| {
        let (taken, put) = (base.lines(&hunk.before), ours.lines(&hunk.after));
        if !put.is_empty() && theirs.count(put) > base.count(put) {
            return false;
        }
        let kept = kept(&from_ours, &hunk.after, put);
        if taken.is_empty() {
            let instead = theirs.lines(&standing(&from_base, hunk.before.start));
            let resembles = |one: &&[u8]| instead.iter().any(|other| resemble(one, other));
            return kept == 0 && !put.iter().any(resembles);
        }
        let back = self::kept(&from_base, &hunk.before, taken);
        back > 0 && back * 2 >= weight(taken) && (put.is_empty() || kept * 2 < weight(put))
    };
    let region = |hunk: &Hunk| Region {
        base: base.part(&hunk.before),
        first: ours.part(&hunk.after),
        second: theirs.part(&translate(&from_base, &hunk.before)),
    };
    own.iter().filter(is_gone).map(region).collect()
}

/// Lines that say something count; where there are none, all do.
fn weight(lines: &[&[u8]]) -> usize {
    match lines.iter().filter(|line| says(line)).count() {
        0 => lines.len(),
        count => count,
    }
}

fn says(line: &[u8]) -> bool {
    line.iter().any(u8::is_ascii_alphanumeric) || !line.is_ascii()
}

/// How many of the lines in the range are in the other text, counted as [`weight`] does.
fn kept(hunks: &[Hunk], range: &Range<usize>, lines: &[&[u8]]) -> usize {
    let all = !lines.iter().any(|line| says(line));
    let is_kept = |at: usize| !hunks.iter().any(|hunk| hunk.before.contains(&at));
    range.clone().zip(lines).filter(|(at, line)| (all || says(line)) && is_kept(*at)).count()
}

/// What the other text has where nothing stood before line `at`.
fn standing(hunks: &[Hunk], at: usize) -> Range<usize> {
    let touching = hunks.iter().find(|hunk| hunk.before.start <= at && at <= hunk.before.end);
    touching.map_or(0..0, |hunk| hunk.after.clone())
}

/// Where a range of lines stands in the other text.
pub(crate) fn translate(hunks: &[Hunk], range: &Range<usize>) -> Range<usize> {
    let place = |at: usize, is_end: bool| {
        let mut place = at;
        for hunk in hunks {
            let is_past = hunk.before.end < at || (hunk.before.end == at && (is_end || !hunk.before.is_empty()));
            if is_past {
                place = at - hunk.before.end + hunk.after.end;
            } else if hunk.before.start < at {
                return if is_end { hunk.after.end } else { hunk.after.start };
            }
        }
        place
    };
    let start = place(range.start, false);
    start..place(range.end, true).max(start)
}

/// Whether one line looks like the other, edited: half of the longer one is what both begin and end with.
fn resemble(one: &[u8], other: &[u8]) -> bool {
    let (one, other) = (one.trim_ascii(), other.trim_ascii());
    let begin = one.iter().zip(other).take_while(|(a, b)| a == b).count();
    let (rest, other_rest) = (one.get(begin..).unwrap_or_default(), other.get(begin..).unwrap_or_default());
    let end = rest.iter().rev().zip(other_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    (begin + end) * 2 >= one.len().max(other.len()) && begin + end > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of one letter each; what is gone, as the base's and the first's text.
    fn lost(base: &str, ours: &str, theirs: &str) -> Vec<(String, String)> {
        let text =
            |text: &str| text.split_whitespace().map(|line| format!("{line}\n")).collect::<String>().into_bytes();
        let regions = gone(&text(base), &text(ours), &text(theirs));
        let shown = |part: &Part| String::from_utf8_lossy(&part.text).replace('\n', " ").trim().to_owned();
        regions.iter().map(|region| (shown(&region.base), shown(&region.first))).collect()
    }

    fn one(base: &str, ours: &str) -> Vec<(String, String)> {
        vec![(base.to_owned(), ours.to_owned())]
    }

    #[test]
    fn what_is_back_as_it_was_is_gone() {
        assert_eq!(lost("a b c d", "a B c d", "a b c D"), one("b", "B"), "a stale copy with an edit elsewhere");
        assert_eq!(lost("a b c d", "A b c D", "a b c D"), one("a", "A"), "one of two");
        assert_eq!(lost("a b c d", "a c d", "a b c D"), one("b", ""), "a deletion");
        assert_eq!(lost("a b", "a b new", "a b"), one("", "new"));
        assert_eq!(lost("a b", "a b first", "a b other"), one("", "first"), "both appended, one over the other");
        assert_eq!(lost("a b c d", "a B C d", "a b X d"), one("b c", "B C"), "a stale copy, edited beside it");
        assert_eq!(lost("", "mine", "yours"), one("", "mine"));
        assert_eq!(lost("a b c", "a B c", ""), Vec::new(), "nothing is back; who deletes a file is asked elsewhere");
    }

    #[test]
    fn what_is_there_or_was_edited_further_is_not() {
        for (base, ours, theirs) in [
            ("a b c d", "a B c d", "a B c D"),
            ("a b c d", "a B c d", "a X c d"),
            ("a b", "a b call(1)", "a b call(2)"),
            ("a b c", "new a b c", "a b c new"),
            ("a b c", "a c", "a c d"),
            ("a b c d", "a B C d", "a B X d"),
        ] {
            assert_eq!(lost(base, ours, theirs), Vec::new(), "{base} | {ours} | {theirs}");
        }
    }

    #[test]
    fn the_place_in_the_newest_version_is_named() {
        let regions = gone(b"a\nb\nc\n", b"a\nB\nc\n", b"x\na\nb\nc\n");
        let places: Vec<_> = regions.iter().map(|one| (one.base.start, one.first.start, one.second.start)).collect();
        assert_eq!(places, [(2, 2, 3)]);
        assert_eq!(regions[0].second.text, b"b\n");
    }
}
