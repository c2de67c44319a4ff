//! What an agent's folder holds that its HEAD commit does not.

use std::{collections::BTreeMap, sync::Arc};

use gix::{
    ObjectId,
    bstr::{BString, ByteSlice},
    objs::{Kind, WriteTo, tree::EntryKind},
};

use crate::{Error, Store};

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link; its content is the target.
    Link,
    /// A commit of another repository.
    Submodule,
}

impl Mode {
    pub(crate) fn kind(self) -> EntryKind {
        match self {
            Self::File => EntryKind::Blob,
            Self::Executable => EntryKind::BlobExecutable,
            Self::Link => EntryKind::Link,
            Self::Submodule => EntryKind::Commit,
        }
    }

    /// Nothing for a folder.
    pub(crate) fn of(mode: gix::objs::tree::EntryMode) -> Option<Self> {
        Some(match mode.kind() {
            EntryKind::Blob => Self::File,
            EntryKind::BlobExecutable => Self::Executable,
            EntryKind::Link => Self::Link,
            EntryKind::Commit => Self::Submodule,
            EntryKind::Tree => return None,
        })
    }
}

/// Why only the identity of a file's content is known, so that it is compared and never merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opaque {
    /// It has a `filter` attribute. Its raw bytes are kept, for no filter is run.
    Filtered,
    /// It is larger than [`Limits::max_file`](crate::Limits). Its bytes are not kept.
    Large,
}

/// One path's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub mode: Mode,
    /// The blob, or the commit of a submodule. Of opaque content: the blob of its raw bytes.
    pub oid: ObjectId,
    /// Set when the content must not be looked into.
    pub opaque: Option<Opaque>,
}

/// How one path differs from HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delta {
    /// HEAD has it, the work does not.
    Deleted,
    /// The work has this.
    Entry(Entry),
}

/// By path from the top of the worktree, bytes as git has them.
pub type Deltas = BTreeMap<BString, Delta>;

/// What a snapshot could not take as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The file is larger than the limit: known by hash, its bytes are not kept.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// The file kept changing while it was read: its last whole version stands.
    Unsettled,
    /// The file or folder may not be read: what was known before stands.
    Unreadable,
    /// A pipe, socket or device where git has a file: the index's version stands.
    NotAFile,
    /// A repository without a commit inside the worktree: git adds nothing of it either.
    UnbornRepository,
    /// The content cannot be converted as its attributes ask: kept raw.
    Unconverted,
}

/// One agent's work at one moment. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The checked-out commit; nothing before the first.
    pub head: Option<ObjectId>,
    /// Its tree; the empty tree before the first commit.
    pub head_tree: ObjectId,
    /// Grows with every change of this workspace; the same number is the same work.
    pub generation: u64,
    /// What differs from `head_tree`.
    pub delta: Arc<Deltas>,
    /// What could not be taken as it stands.
    pub notices: Arc<BTreeMap<BString, Notice>>,
    pub(crate) store: Store,
}

/// Who a commit of the store names as author and committer.
#[derive(Debug, Clone)]
pub struct Author {
    /// The agent's name.
    pub name: String,
    /// The agent's address.
    pub email: String,
    /// Seconds since 1970, UTC.
    pub seconds: i64,
}

impl Snapshot {
    /// The tree of the work, made in memory: what `git add -A && git write-tree` on a copy would give, but raw
    /// bytes of filtered paths, and HEAD's version, or none, of files that are too large.
    /// # Errors
    /// An object of HEAD cannot be read.
    pub fn tree(&self) -> Result<ObjectId, Error> {
        self.store.tree_with(self.head_tree, &self.delta)
    }

    /// A commit of the work on HEAD, in memory until [`Store::make_durable`].
    /// # Errors
    /// An object of HEAD cannot be read, or the author's name holds `<`, `>` or a line break.
    pub fn commit(&self, author: &Author, message: &str) -> Result<ObjectId, Error> {
        self.store.commit(self.tree()?, self.head.as_slice(), author, message)
    }
}

impl Store {
    /// A commit in memory.
    /// # Errors
    /// The author's name or address holds `<`, `>` or a line break.
    pub fn commit(
        &self,
        tree: ObjectId,
        parents: &[ObjectId],
        author: &Author,
        message: &str,
    ) -> Result<ObjectId, Error> {
        if [&author.name, &author.email].iter().any(|part| part.as_bytes().find_byteset(b"<>\n\0").is_some()) {
            return Err(Error::git("write a commit", &"the author's name or address holds `<`, `>` or a line break"));
        }
        let signature = gix::actor::Signature {
            name: author.name.as_str().into(),
            email: author.email.as_str().into(),
            time: gix::date::Time { seconds: author.seconds, offset: 0 },
        };
        let commit = gix::objs::Commit {
            tree,
            parents: parents.iter().copied().collect(),
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: message.replace('\0', "\u{fffd}").into(),
            extra_headers: Vec::new(),
        };
        let mut data = Vec::new();
        commit.write_to(&mut data).map_err(|error| Error::git("write a commit", &error))?;
        self.objects().put(Kind::Commit, &data)
    }
}
