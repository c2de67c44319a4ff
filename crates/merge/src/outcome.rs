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
    /// Several answers that nothing speaks against, and no proof for one of them: the project's own checks choose.
    Candidates {
        /// At least one, the likeliest first, no two alike, each passed by the verifier.
        candidates: Vec<Candidate>,
        /// What the file is where nobody chooses.
        conflict: Conflict,
    },
    /// Left to someone else.
    Conflict(Conflict),
}

/// An answer that needs a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The merged file.
    pub content: Vec<u8>,
    /// What was merged and how, in the order of the file.
    pub regions: Vec<Proof>,
}

impl Outcome {
    /// The merged file when the merge is clean: `Some(None)` is a file that is deleted.
    #[must_use]
    pub fn content(&self) -> Option<Option<&[u8]>> {
        match self {
            Self::Clean { content, .. } => Some(content.as_deref()),
            Self::Candidates { .. } | Self::Conflict(_) => None,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// Whole files compared.
    Identity,
    /// Line three-way merge.
    Lines,
    /// Edits of different parts of one statement or line.
    Regions,
    /// Imports, keys, entries of lists whose order means nothing.
    Sets,
    /// Entities and statements of the syntax tree.
    Structure,
    /// New uses of what the other side renamed; they are only proposed.
    Renames,
    /// What people made of the same conflict before.
    Recorded,
}

impl Layer {
    /// All, in the order in which they are tried.
    pub const ALL: [Self; 7] =
        [Self::Identity, Self::Lines, Self::Regions, Self::Sets, Self::Structure, Self::Renames, Self::Recorded];

    /// Its name in reports and options.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Lines => "lines",
            Self::Regions => "regions",
            Self::Sets => "sets",
            Self::Structure => "structure",
            Self::Renames => "renames",
            Self::Recorded => "recorded",
        }
    }
}

/// Some of the layers. Identity and lines are always among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layers(u8);

impl Layers {
    /// All of them.
    pub const ALL: Self = Self(u8::MAX);
    /// Identity and lines alone, which settle what git settles.
    pub const LINES: Self = Self(0);

    /// These and one more.
    #[must_use]
    pub fn with(self, layer: Layer) -> Self {
        Self(self.0 | 1 << layer as u8)
    }

    /// These without one.
    #[must_use]
    pub fn without(self, layer: Layer) -> Self {
        Self(self.0 & !(1 << layer as u8))
    }

    /// Whether it is among these.
    #[must_use]
    pub fn has(self, layer: Layer) -> bool {
        matches!(layer, Layer::Identity | Layer::Lines) || self.0 & 1 << layer as u8 != 0
    }
}

/// What settled a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Statements beside each other, each changed by one side.
    BesideStatements,
    /// Definitions beside each other, each changed by one side.
    BesideDefinitions,
    /// What one side laid out anew and the other changed.
    Layout,
    /// Different words of one statement, each changed by one side.
    Words,
    /// Both raised a version: the higher one.
    HigherVersion,
    /// Both put the same into one place.
    SameInsertion,
    /// Both extended the imports.
    Imports,
    /// Both put definitions into one place.
    Definitions,
    /// Both put tests of different names into one place.
    Tests,
    /// Different entries of one list, each changed by one side.
    Entries,
    /// Both put keys into one list.
    Keys,
    /// Both put into one place what may mean something else in another order.
    Order,
    /// One side put statements into a new one, and the other changed them: the change goes into it.
    Wrapped,
    /// One side moved a definition or member, and the other edited it: the edit goes to its new place.
    Moved,
    /// One side renamed a definition, and the other used it anew under its old name: the new uses have the new name.
    Renamed,
    /// Blocks of a text for people, each changed by one side; entries and versions that both put into a change log.
    Blocks,
    /// Data merged by key: the result's value is the merge of the values.
    Values,
    /// Entries of a list whose order means nothing: what both kept and what either added.
    EntrySet,
    /// What a person made of the same region before, out of lines of its three versions.
    Recorded,
    /// The same, with lines that the person typed: neither side wrote them.
    RecordedText,
}

impl Rule {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SameFile => "same-file",
            Self::OnlyOurs => "only-ours",
            Self::OnlyTheirs => "only-theirs",
            Self::ByteOrderMark => "byte-order-mark",
            Self::LineEndings => "line-endings",
            Self::FinalNewline => "final-newline",
            Self::OursChanged => "ours-changed",
            Self::TheirsChanged => "theirs-changed",
            Self::SameChange => "same-change",
            Self::BesideStatements => "beside-statements",
            Self::BesideDefinitions => "beside-definitions",
            Self::Layout => "layout",
            Self::Words => "words",
            Self::HigherVersion => "higher-version",
            Self::SameInsertion => "same-insertion",
            Self::Imports => "imports",
            Self::Definitions => "definitions",
            Self::Tests => "tests",
            Self::Entries => "entries",
            Self::Keys => "keys",
            Self::Order => "order",
            Self::Wrapped => "wrapped",
            Self::Moved => "moved",
            Self::Renamed => "renamed",
            Self::Blocks => "blocks",
            Self::Values => "values",
            Self::EntrySet => "entry-set",
            Self::Recorded => "recorded",
            Self::RecordedText => "recorded-text",
        }
    }

    /// The layer that the rule belongs to.
    #[must_use]
    pub fn layer(self) -> Layer {
        match self {
            Self::OursChanged | Self::TheirsChanged | Self::SameChange => Layer::Lines,
            Self::Layout | Self::Words | Self::Entries => Layer::Regions,
            Self::Imports | Self::Keys | Self::HigherVersion | Self::Blocks | Self::Values | Self::EntrySet => {
                Layer::Sets
            }
            Self::BesideStatements
            | Self::BesideDefinitions
            | Self::SameInsertion
            | Self::Definitions
            | Self::Tests
            | Self::Order
            | Self::Wrapped
            | Self::Moved => Layer::Structure,
            Self::Renamed => Layer::Renames,
            Self::Recorded | Self::RecordedText => Layer::Recorded,
            _ => Layer::Identity,
        }
    }

    /// What the rule's answer is worth once the verifier has let it pass.
    pub(crate) fn label(self) -> Label {
        match self {
            Self::Recorded | Self::RecordedText => Label::Recorded,
            _ if self.layer() > Layer::Lines => Label::Verified,
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
    /// A person settled this region so before, and the verifier found nothing wrong in it.
    Recorded,
}

impl Label {
    /// Its name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Verified => "verified",
            Self::Recorded => "recorded",
        }
    }
}
