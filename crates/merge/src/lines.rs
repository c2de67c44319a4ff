//! The line three-way merge.

use crate::align::{Span, Touched, hunks, spans, split};
use crate::conflict::{Part, Piece, Region};
use crate::outcome::{Proof, Rule};
use std::ops::Range;

/// What becomes of lines that one side alone changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OneSided {
    /// They are taken.
    Take,
    /// They are left open like those that both changed: the verifier refused their sum.
    LeaveOpen,
}

/// Merges three texts into settled and open pieces, in the order of the file.
pub(crate) fn merge_lines(base: &[u8], ours: &[u8], theirs: &[u8], one_sided: OneSided) -> Vec<Piece> {
    let files = Files { base: split(base), ours: split(ours), theirs: split(theirs) };
    let spans = spans(&hunks(&files.base, &files.ours), &hunks(&files.base, &files.theirs));
    let mut pieces = Vec::with_capacity(2 * spans.len() + 1);
    let mut done = 0;
    for span in &spans {
        files.unchanged(done..span.base.start, &mut pieces);
        pieces.push(files.changed(span, one_sided));
        done = span.base.end;
    }
    files.unchanged(done..files.base.len(), &mut pieces);
    pieces
}

struct Files<'a> {
    base: Vec<&'a [u8]>,
    ours: Vec<&'a [u8]>,
    theirs: Vec<&'a [u8]>,
}

impl Files<'_> {
    fn unchanged(&self, lines: Range<usize>, pieces: &mut Vec<Piece>) {
        if !lines.is_empty() {
            pieces.push(Piece::Settled { text: self.base[lines].concat(), proof: None });
        }
    }

    fn changed(&self, span: &Span, one_sided: OneSided) -> Piece {
        let (ours, theirs) = (&self.ours[span.ours.clone()], &self.theirs[span.theirs.clone()]);
        let (rule, text) = match span.touched {
            Touched::Both if ours == theirs => (Rule::SameChange, ours),
            Touched::Ours if one_sided == OneSided::Take => (Rule::OursChanged, ours),
            Touched::Theirs if one_sided == OneSided::Take => (Rule::TheirsChanged, theirs),
            _ => return Piece::Open(self.region(span)),
        };
        let proof = Proof {
            rule,
            label: rule.label(),
            base: span.base.clone().into(),
            ours: span.ours.clone().into(),
            theirs: span.theirs.clone().into(),
        };
        Piece::Settled { text: text.concat(), proof: Some(proof) }
    }

    /// The span without what both sides begin and end alike with.
    fn region(&self, span: &Span) -> Region {
        let (ours, theirs) = (&self.ours[span.ours.clone()], &self.theirs[span.theirs.clone()]);
        let before = ours.iter().zip(theirs).take_while(|(one, two)| one == two).count();
        let rest = ours[before..].iter().rev().zip(theirs[before..].iter().rev());
        let after = rest.take_while(|(one, two)| one == two).count();
        let part =
            |file: &[&[u8]], lines: Range<usize>| Part { text: file[lines.clone()].concat(), lines: lines.into() };
        let inner = |lines: &Range<usize>| lines.start + before..lines.end - after;
        Region {
            before: ours[..before].concat(),
            base: part(&self.base, span.base.clone()),
            ours: part(&self.ours, inner(&span.ours)),
            theirs: part(&self.theirs, inner(&span.theirs)),
            after: ours[ours.len() - after..].concat(),
        }
    }
}
