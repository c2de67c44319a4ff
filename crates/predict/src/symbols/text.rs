//! Lines of a content, to be shown.

use crate::Part;
use std::ops::Range;

/// Lines of one part.
const LINES: usize = 12;

/// The lines that bytes lie in; the first ones, when there are many.
pub(crate) fn lines_of(text: &[u8], bytes: &Range<usize>) -> Part {
    let start = text
        .get(..bytes.start)
        .map_or(0, |before| before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
    let shown = text.get(bytes.clone()).unwrap_or_default();
    let shown = shown.trim_ascii_end().len();
    let rest = text.get((bytes.start + shown).max(start)..).unwrap_or_default();
    let end = bytes.start + shown + rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
    let all = text.get(start..end).unwrap_or_default();
    let kept: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').take(LINES).collect();
    Part { start: line_at(text, start) + 1, lines: kept.len(), text: kept.concat(), deleted: false }
}

/// The line that a byte lies in, the first being 0.
pub(crate) fn line_at(text: &[u8], at: usize) -> usize {
    text.get(..at).unwrap_or(text).iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_whole_lines() {
        let text = b"one\n  two(\n    three)\nfour";
        for (bytes, start, shown) in [
            (6..9, 2, "  two(\n"),
            (6..20, 2, "  two(\n    three)\n"),
            (6..21, 2, "  two(\n    three)\n"),
            (0..3, 1, "one\n"),
            (22..26, 4, "four"),
            (90..99, 4, ""),
        ] {
            let part = lines_of(text, &bytes);
            if shown.is_empty() {
                assert!(part.text.is_empty(), "{bytes:?}");
            } else {
                assert_eq!((part.start, std::str::from_utf8(&part.text).unwrap()), (start, shown), "{bytes:?}");
            }
        }
    }
}
