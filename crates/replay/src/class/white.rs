//! Equal but for white space.

use crate::language::White;
use std::borrow::Cow;

/// Whether two files are the same but for line endings, white space at the ends of lines, a byte-order mark, and
///
/// - free: indentation, blank lines, how wide a gap between two words is;
/// - indent: blank lines;
/// - text: how many blank lines there are between two others.
///
/// A line broken in two is another line everywhere. White space within a string is not told apart from other.
pub(crate) fn same(white: White, one: &[u8], two: &[u8]) -> bool {
    lines(white, one) == lines(white, two)
}

/// The lines that mean something, in the form in which they are compared.
pub(crate) fn lines(white: White, text: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines: Vec<Cow<'_, [u8]>> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.trim_ascii_end();
        let is_wanted = match white {
            White::Free | White::Indent => !line.is_empty(),
            White::Text => !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()),
        };
        if is_wanted {
            lines.push(if white == White::Free { narrow(line.trim_ascii_start()) } else { Cow::Borrowed(line) });
        }
    }
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines
}

/// Every gap is one blank.
fn narrow(line: &[u8]) -> Cow<'_, [u8]> {
    let is_wide = |pair: &[u8]| matches!(pair, [b'\t', _] | [_, b'\t'] | [b' ', b' ']);
    if !line.windows(2).any(is_wide) {
        return Cow::Borrowed(line);
    }
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(&b' '))
}
