//! A merge that is left to someone else, as data.

use crate::outcome::{Lines, Proof};
use crate::refusal::Refusal;
use crate::tree::Why;
use std::fmt;

/// A file in conflict: its settled pieces and, between them, the regions in conflict.
///
/// Where lines were merged, all texts are in the form of the merged file: where the sides differ in byte-order mark, line
/// endings or final newline and the base tells which side changed them, that side's form. A conflict of another kind than
/// `Content`, `AddAdd` and `Refused` is one region with the three files as they are; an absent file is an empty part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// What kind of conflict.
    pub kind: Kind,
    /// The file from its first line to its last.
    pub pieces: Vec<Piece>,
    /// Why the layers beyond lines settle nothing; `None` where they were not asked.
    pub why: Option<Why>,
}

/// Why a file is in conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Both sides changed the same or touching lines.
    Content,
    /// Both sides added the file, with different content.
    AddAdd,
    /// One side deleted the file, the other changed it.
    DeleteModify {
        /// Who deleted it.
        deleted: Side,
    },
    /// Both sides changed a file that is not text.
    Binary,
    /// Both sides changed a file that a program writes; let the program write it again.
    Generated,
    /// The sides chose different line endings, and neither are the base's.
    LineEndings,
    /// The merge would take more steps than the options allow.
    Budget {
        /// Steps it would take.
        needed: usize,
    },
    /// The layers had an answer, and the verifier refused it.
    Refused(Refusal),
}

impl Kind {
    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Content => "content",
            Self::AddAdd => "add-add",
            Self::DeleteModify { .. } => "delete-modify",
            Self::Binary => "binary",
            Self::Generated => "generated",
            Self::LineEndings => "line-endings",
            Self::Budget { .. } => "budget",
            Self::Refused(_) => "refused",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("both sides changed the same or touching lines"),
            Self::AddAdd => f.write_str("both sides added the file, with different content"),
            Self::DeleteModify { deleted: Side::Ours } => f.write_str("ours deleted the file, theirs changed it"),
            Self::DeleteModify { deleted: Side::Theirs } => f.write_str("theirs deleted the file, ours changed it"),
            Self::Binary => f.write_str("both sides changed a file that is not text"),
            Self::Generated => f.write_str("a program writes this file, and both sides changed it; generate it again"),
            Self::LineEndings => f.write_str("the sides chose different line endings"),
            Self::Budget { needed } => write!(f, "the merge would take {needed} steps, more than are allowed"),
            Self::Refused(refusal) => write!(f, "the verifier refused the merged lines: {refusal}"),
        }
    }
}

/// One of the two files to be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The file merged into.
    Ours,
    /// The file merged in.
    Theirs,
}

/// A stretch of a file in conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Lines that are settled.
    Settled {
        /// Their text.
        text: Vec<u8>,
        /// Why; `None` where neither side changed anything.
        proof: Option<Proof>,
    },
    /// Lines in conflict.
    Open(Region),
}

/// Lines in conflict. What both sides begin and end alike with is not part of `ours` and `theirs`; `base` is everything
/// that both replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Lines that both sides wrote before their difference.
    pub before: Vec<u8>,
    /// What stood there.
    pub base: Part,
    /// What ours has instead.
    pub ours: Part,
    /// What theirs has instead.
    pub theirs: Part,
    /// Lines that both sides wrote after their difference.
    pub after: Vec<u8>,
}

/// A region's part in one of the three files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Where it stands in that file.
    pub lines: Lines,
    /// Its text.
    pub text: Vec<u8>,
}

impl Part {
    pub(crate) fn whole(text: Option<&[u8]>) -> Self {
        let text = text.unwrap_or_default();
        Self { lines: (0..crate::align::split(text).len()).into(), text: text.to_vec() }
    }
}

impl Conflict {
    /// A conflict over the whole file.
    pub(crate) fn whole(kind: Kind, base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>) -> Self {
        let [base, ours, theirs] = [base, ours, theirs].map(Part::whole);
        let region = Region { before: Vec::new(), base, ours, theirs, after: Vec::new() };
        Self { kind, pieces: vec![Piece::Open(region)], why: None }
    }

    /// The regions in conflict, in the order of the file.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Open(region) => Some(region),
            Piece::Settled { .. } => None,
        })
    }

    /// The file with every region replaced by what `choose` gives for it.
    pub fn resolve(&self, mut choose: impl FnMut(&Region) -> Vec<u8>) -> Vec<u8> {
        let mut file = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Settled { text, .. } => file.extend_from_slice(text),
                Piece::Open(region) => {
                    file.extend_from_slice(&region.before);
                    file.extend_from_slice(&choose(region));
                    file.extend_from_slice(&region.after);
                }
            }
        }
        file
    }
}
