//! Three files as texts of one form, and the merged text as a file again.

use crate::frame::Frame;
use crate::shape::{BOM, Endings, endings};
use std::borrow::Cow;

/// Longer files are left to the line merge.
pub(crate) const MOST_BYTES: usize = 4 << 20;

/// Three texts whose lines end with `\n`, the last one too, and what they had in common instead.
pub(crate) struct Form {
    /// What they differ in.
    pub(crate) frame: Frame,
    /// Base, ours and theirs.
    pub(crate) texts: [String; 3],
    has_bom: bool,
    has_crlf: bool,
    lacks_newline: bool,
}

impl Form {
    /// `None` where they are too long, no text, or differ in what cannot be taken out.
    pub(crate) fn new(files: [&[u8]; 3]) -> Option<Self> {
        let [base, ours, theirs] = files;
        if files.iter().any(|file| file.len() > MOST_BYTES) {
            return None;
        }
        let frame = Frame::new(base, ours, theirs)?;
        let files = files.map(|file| frame.take_out(file));
        let has_bom = agreed(files.each_ref().map(|file| Some(file.starts_with(BOM))))?;
        let ends = files.each_ref().map(|file| endings(file));
        if ends.contains(&Some(Endings::Mixed)) {
            return None;
        }
        let has_crlf = agreed(ends.map(|ends| ends.map(|ends| ends == Endings::Crlf)))?;
        let lacks_newline = agreed(files.each_ref().map(|file| file.last().map(|byte| *byte != b'\n')))?;
        let text = |file: Cow<'_, [u8]>| {
            let text = std::str::from_utf8(&file).ok()?;
            let text = if has_bom { &text['\u{feff}'.len_utf8()..] } else { text };
            let text = if has_crlf { text.replace("\r\n", "\n") } else { text.to_owned() };
            Some(if lacks_newline && !text.is_empty() { text + "\n" } else { text })
        };
        let [base, ours, theirs] = files.map(text);
        Some(Self { frame, texts: [base?, ours?, theirs?], has_bom, has_crlf, lacks_newline })
    }

    /// The merged text as a file.
    pub(crate) fn put_back(&self, mut text: String) -> Vec<u8> {
        if self.lacks_newline {
            text.pop();
        }
        if self.has_crlf {
            text = text.replace('\n', "\r\n");
        }
        let text = [if self.has_bom { BOM } else { b"" }, text.as_bytes()].concat();
        self.frame.put_back_into(text)
    }
}

/// What all say that say something; `false` where none does.
fn agreed(said: [Option<bool>; 3]) -> Option<bool> {
    let mut said = said.into_iter().flatten();
    let first = said.next().unwrap_or_default();
    said.all(|other| other == first).then_some(first)
}
