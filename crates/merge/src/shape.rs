//! The form of a file apart from its lines: byte-order mark, line endings, final newline.

/// The byte-order mark of UTF-8.
pub(crate) const BOM: &[u8] = b"\xEF\xBB\xBF";

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endings {
    /// All with `\n`.
    Lf,
    /// All with `\r\n`.
    Crlf,
    /// In several ways, or with more than one `\r`.
    Mixed,
}

/// What one file says about its form; `None` where it is too short to say anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) bom: Option<bool>,
    pub(crate) endings: Option<Endings>,
    pub(crate) final_newline: Option<bool>,
}

impl Shape {
    pub(crate) fn of(text: &[u8]) -> Self {
        let (bom, text) = match text.strip_prefix(BOM) {
            Some(rest) => (Some(true), rest),
            None => ((!text.is_empty()).then_some(false), text),
        };
        let final_newline = text.last().map(|byte| *byte == b'\n');
        Self { bom, endings: endings(text), final_newline }
    }
}

/// How the lines of a text end; `None` where none ends.
pub(crate) fn endings(text: &[u8]) -> Option<Endings> {
    let mut found = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let ending = match line {
            [.., b'\r', b'\r', b'\n'] => Endings::Mixed,
            [.., b'\r', b'\n'] => Endings::Crlf,
            [.., b'\n'] => Endings::Lf,
            // A newline after it would make it another ending.
            [.., b'\r'] => Endings::Mixed,
            _ => continue,
        };
        if found.is_some_and(|found| found != ending) {
            return Some(Endings::Mixed);
        }
        found = Some(ending);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_tells_its_line_endings() {
        for (text, expected) in [
            ("", None),
            ("a", None),
            ("a\n", Some(Endings::Lf)),
            ("a\rb\nc", Some(Endings::Lf)),
            ("a\r\nb", Some(Endings::Crlf)),
            ("a\r\nb\n", Some(Endings::Mixed)),
            ("a\r\r\n", Some(Endings::Mixed)),
            ("a\r\nb\r", Some(Endings::Mixed)),
            ("a\r", Some(Endings::Mixed)),
        ] {
            assert_eq!(endings(text.as_bytes()), expected, "{text:?}");
        }
    }
}
