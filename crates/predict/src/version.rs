//! What stands at a path, and where its content comes from.

use std::sync::Arc;

/// A path from the top of the project, as git has it: bytes, forward slashes.
pub type Path = Arc<[u8]>;

/// Names a content: git's object id.
pub type Id = [u8; 20];

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A file.
    File,
    /// A file that can be executed.
    Executable,
    /// A symbolic link.
    Link,
    /// The commit of a submodule.
    Commit,
}

impl Mode {
    /// Whether the content is lines that can be merged.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }
}

/// What one side has at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// What it is.
    pub mode: Mode,
    /// Its content.
    pub id: Id,
    /// The content is only compared, never read: it is filtered or too large.
    pub opaque: bool,
}

/// An agent's change of one path; `None` is a path that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// What the agent began with.
    pub base: Option<Version>,
    /// What it has now.
    pub side: Option<Version>,
}

/// Where contents and the target's versions come from.
pub trait Source {
    /// Why something could not be read.
    type Error;

    /// A content.
    ///
    /// # Errors
    /// It is nowhere.
    fn content(&self, id: &Id) -> Result<Arc<[u8]>, Self::Error>;

    /// The length of a content in bytes, without reading it where that is possible.
    ///
    /// # Errors
    /// It is nowhere.
    fn size(&self, id: &Id) -> Result<usize, Self::Error> {
        self.content(id).map(|content| content.len())
    }

    /// What the tip of the target branch has at a path.
    ///
    /// # Errors
    /// The tip cannot be read.
    fn tip(&self, path: &Path) -> Result<Option<Version>, Self::Error>;

    /// Keeps a content that a merge made, and names it.
    ///
    /// # Errors
    /// It cannot be kept.
    fn keep(&self, content: &[u8]) -> Result<Id, Self::Error>;
}
