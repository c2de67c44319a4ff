//! The form of three files: what they differ in is taken out before their lines are merged, and put back after.

use crate::conflict::{Piece, Region};
use crate::outcome::Rule;
use crate::refusal::Refusal;
use crate::shape::{BOM, Endings, Shape};
use std::borrow::Cow;

/// One trait of the form, over three files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facet<T> {
    /// What the merged file must have, where that can be said.
    expected: Option<T>,
    /// Whether the files differ in it, so that it is taken out before their lines are merged, and put back after.
    differs: bool,
}

impl<T: Copy + PartialEq> Facet<T> {
    const UNTOUCHED: Self = Self { expected: None, differs: false };

    /// `None` when both sides changed it, each in its own way.
    fn new(base: Option<T>, ours: Option<T>, theirs: Option<T>) -> Option<Self> {
        let (our, their) = (ours.or(base), theirs.or(base));
        let expected = if our == their || their == base {
            our
        } else if our == base {
            their
        } else {
            return None;
        };
        let mut said = [base, ours, theirs].into_iter().flatten();
        let first = said.next();
        Some(Self { expected, differs: said.any(|other| Some(other) != first) })
    }
}

/// The form of three files that are to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    bom: Facet<bool>,
    endings: Facet<Endings>,
    final_newline: Facet<bool>,
}

impl Frame {
    /// `None` when both sides changed the line endings, each in its own way.
    pub(crate) fn new(base: &[u8], ours: &[u8], theirs: &[u8]) -> Option<Self> {
        let [base, ours, theirs] = [base, ours, theirs].map(Shape::of);
        let bom = Facet::new(base.bom, ours.bom, theirs.bom).unwrap_or(Facet::UNTOUCHED);
        let mut final_newline =
            Facet::new(base.final_newline, ours.final_newline, theirs.final_newline).unwrap_or(Facet::UNTOUCHED);
        let endings = Facet::new(base.endings, ours.endings, theirs.endings);
        let mixed = |shape: Shape| shape.endings == Some(Endings::Mixed);
        let endings = if mixed(ours) || mixed(theirs) || (mixed(base) && endings.is_some()) {
            final_newline = Facet { differs: false, expected: None };
            Facet::UNTOUCHED
        } else {
            let mut endings = endings?;
            // A final newline is put on as `\n` and becomes `\r\n` with the others.
            endings.differs |= final_newline.differs && endings.expected == Some(Endings::Crlf);
            endings
        };
        Some(Self { bom, endings, final_newline })
    }

    /// The rules by which the merged file gets its form.
    pub(crate) fn rules(&self) -> impl Iterator<Item = Rule> {
        let bom = self.bom.differs.then_some(Rule::ByteOrderMark);
        let endings = self.endings.differs.then_some(Rule::LineEndings);
        let final_newline = self.final_newline.differs.then_some(Rule::FinalNewline);
        [bom, endings, final_newline].into_iter().flatten()
    }

    /// Takes out of a file what the files differ in. The number of lines stays.
    pub(crate) fn take_out<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut text = Cow::Borrowed(text);
        if self.bom.differs
            && let Some(rest) = text.strip_prefix(BOM)
        {
            text = Cow::Owned(rest.to_vec());
        }
        if self.endings.differs {
            text = Cow::Owned(to_lf(&text));
        }
        if self.final_newline.differs && text.last().is_some_and(|byte| *byte != b'\n') {
            text.to_mut().push(b'\n');
        }
        text
    }

    /// Puts back into the pieces of a file what was taken out, as the side that changed it has it.
    pub(crate) fn put_back(&self, pieces: &mut Vec<Piece>) {
        if self.final_newline.differs && self.final_newline.expected == Some(false) {
            let ends = |piece: &&mut Piece| !matches!(piece, Piece::Settled { text, .. } if text.is_empty());
            for text in pieces.iter_mut().rev().find(ends).map(last_texts).unwrap_or_default() {
                text.pop_if(|byte| *byte == b'\n');
            }
        }
        if self.endings.differs && self.endings.expected == Some(Endings::Crlf) {
            for text in pieces.iter_mut().flat_map(texts) {
                *text = to_crlf(text);
            }
        }
        if self.bom.differs && self.bom.expected == Some(true) {
            pieces.insert(0, Piece::Settled { text: BOM.to_vec(), proof: None });
        }
    }

    /// Puts back into a merged file what was taken out.
    pub(crate) fn put_back_into(&self, text: Vec<u8>) -> Vec<u8> {
        let mut pieces = vec![Piece::Settled { text, proof: None }];
        self.put_back(&mut pieces);
        pieces
            .iter()
            .flat_map(|piece| if let Piece::Settled { text, .. } = piece { &text[..] } else { b"" })
            .copied()
            .collect()
    }

    /// Whether a merged file has the form that it must have.
    pub(crate) fn check(&self, result: &[u8]) -> Result<(), Refusal> {
        let shape = Shape::of(result);
        if differ(shape.bom, self.bom.expected) {
            return Err(Refusal::ByteOrderMark);
        }
        if differ(shape.endings, self.endings.expected) {
            return Err(Refusal::LineEndings);
        }
        if differ(shape.final_newline, self.final_newline.expected) {
            return Err(Refusal::FinalNewline);
        }
        Ok(())
    }
}

fn differ<T: Copy + PartialEq>(found: Option<T>, expected: Option<T>) -> bool {
    found.is_some() && expected.is_some() && found != expected
}

fn to_lf(text: &[u8]) -> Vec<u8> {
    let mut bytes = text.iter().copied().peekable();
    let mut lf = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&b'\n') {
            lf.push(byte);
        }
    }
    lf
}

fn to_crlf(text: &[u8]) -> Vec<u8> {
    let mut crlf = Vec::with_capacity(text.len() + text.len() / 16);
    for byte in text {
        if *byte == b'\n' {
            crlf.push(b'\r');
        }
        crlf.push(*byte);
    }
    crlf
}

fn texts(piece: &mut Piece) -> Vec<&mut Vec<u8>> {
    match piece {
        Piece::Settled { text, .. } => vec![text],
        Piece::Open(region) => vec![
            &mut region.before,
            &mut region.base.text,
            &mut region.ours.text,
            &mut region.theirs.text,
            &mut region.after,
        ],
    }
}

/// The texts that a piece can end with.
fn last_texts(piece: &mut Piece) -> Vec<&mut Vec<u8>> {
    match piece {
        Piece::Settled { text, .. } => vec![text],
        Piece::Open(region) => {
            let Region { base, ours, theirs, after, .. } = region;
            if after.is_empty() {
                vec![&mut base.text, &mut ours.text, &mut theirs.text]
            } else {
                vec![&mut base.text, after]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_side_that_changed_a_trait_decides() {
        let expected = |base, ours, theirs| Facet::new(base, ours, theirs).map(|facet| facet.expected);
        for (base, ours, theirs, answer) in [
            (Some(1), Some(1), Some(2), Some(Some(2))),
            (Some(1), Some(2), Some(2), Some(Some(2))),
            (Some(1), None, Some(2), Some(Some(2))),
            (Some(1), None, None, Some(Some(1))),
            (None, None, Some(2), Some(Some(2))),
            (None, Some(1), Some(2), None),
            (Some(3), Some(1), Some(2), None),
        ] {
            assert_eq!(expected(base, ours, theirs), answer);
            assert_eq!(expected(base, theirs, ours), answer);
        }
    }
}
