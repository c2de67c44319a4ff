//! What prediction reports.

use crate::{Agent, Id, Path};
use orchestrator_merge as merge;

/// Two changes that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where. For a rename, the old path.
    pub path: Path,
    /// Whose change comes first: the lower of the two.
    pub first: Agent,
    /// Whose change comes second; `None` is landed work.
    pub second: Option<Agent>,
    /// In which way they collide.
    pub kind: Kind,
    /// The lines that collide, where both sides have lines.
    pub regions: Vec<Region>,
    /// Where the first and the second have the file, when they renamed it.
    pub paths: [Option<Path>; 2],
    /// The contents that were merged: before both changes, the first's and the second's. Nothing where there is none
    /// that may be read.
    pub contents: [Option<Id>; 3],
}

/// In which way two changes collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Both changed the same lines, or a content that is not lines.
    Content,
    /// One changed what the other deleted.
    DeleteModify,
    /// Both added the path with different contents.
    AddAdd,
    /// One renamed what the other changed, and that does not merge; or both renamed it differently.
    Rename,
    /// Different kinds of things: a file and a link, a file and a folder, different permissions.
    Mode,
    /// They go together only by a rule that a line merge does not have.
    Settles,
}

/// Lines that collide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Before both changes.
    pub base: Part,
    /// In the first agent's work.
    pub first: Part,
    /// In the second's, or on the tip.
    pub second: Part,
}

/// One side of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The first line, counted from 1. Without lines: the line before which the place lies.
    pub start: usize,
    /// How many lines.
    pub lines: usize,
    /// Their bytes.
    pub text: Vec<u8>,
    /// This side deleted the whole file.
    pub deleted: bool,
}

impl From<&merge::Region> for Region {
    fn from(region: &merge::Region) -> Self {
        let part = |part: &merge::Part| {
            let (start, lines, text) = (part.lines.start, part.lines.count, part.text.clone());
            Part { start, lines, text, deleted: false }
        };
        Self { base: part(&region.base), first: part(&region.ours), second: part(&region.theirs) }
    }
}

impl Region {
    /// The same region seen from the other side.
    pub(crate) fn swapped(self) -> Self {
        Self { base: self.base, first: self.second, second: self.first }
    }
}
