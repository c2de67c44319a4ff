//! What a merge answers.

use crate::Conflict;
use std::ops::Range;

/// The answer for one file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Merged.
    Clean {
        /// The merged file; `None` when it is deleted.
        content: Option<Vec<u8>>,
        /// What was merged and why that is right, in the order of the file.
        regions: Vec<Proof>,
    },
    /// Left to someone else.
    Conflict(Conflict),
}

impl Outcome {
    /// The merged file when the merge is clean: `Some(None)` is a file that is deleted.
    #[must_use]
    pub fn content(&self) -> Option<Option<&[u8]>> {
        match self {
            Self::Clean { content, .. } => Some(content.as_deref()),
            Self::Conflict(_) => None,
        }
    }
}

/// Lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lines {
    /// The first line, counted from 1. With `count` 0: the line before which the place lies.
    pub start: usize,
    /// How many.
    pub count: usize,
}

impl From<Range<usize>> for Lines {
    /// From a range counted from 0.
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start + 1, count: range.len() }
    }
}

/// Why one region of a merge is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// What settled it.
    pub rule: Rule,
    /// How far that is to be trusted.
    pub label: Label,
    /// Its lines in the base.
    pub base: Lines,
    /// Its lines in ours.
    pub ours: Lines,
    /// Its lines in theirs.
    pub theirs: Lines,
}

/// A step of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layer {
    /// Whole files compared.
    Identity,
    /// Line three-way merge.
    Lines,
}

/// What settled a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// Both sides are the same file, or both deleted it.
    SameFile,
    /// Theirs is the base, so ours stands.
    OnlyOurs,
    /// Ours is the base, so theirs stands.
    OnlyTheirs,
    /// The byte-order mark is as in the side that changed it.
    ByteOrderMark,
    /// The line endings are those of the side that changed them.
    LineEndings,
    /// The final newline is as in the side that changed it.
    FinalNewline,
    /// Only ours changed these lines, and theirs changed no line beside them.
    OursChanged,
    /// Only theirs changed these lines, and ours changed no line beside them.
    TheirsChanged,
    /// Both made the same change.
    SameChange,
}

impl Rule {
    /// The layer that the rule belongs to.
    #[must_use]
    pub fn layer(self) -> Layer {
        match self {
            Self::OursChanged | Self::TheirsChanged | Self::SameChange => Layer::Lines,
            _ => Layer::Identity,
        }
    }

    /// What the rule's answer is worth once the verifier has let it pass.
    pub(crate) fn label(self) -> Label {
        match self {
            Self::OursChanged | Self::TheirsChanged => Label::Verified,
            _ => Label::Proven,
        }
    }
}

/// How far a region of a clean merge is to be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Label {
    /// The rule alone makes it right.
    Proven,
    /// The verifier found nothing wrong in it.
    Verified,
}
