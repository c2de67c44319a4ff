//! A branch as it grew: its commits by first parent, and what each of them changed.

use gix::{ObjectId, bstr::BString, objs::Kind};

use super::{History, Reader};
use crate::{Error, tree};

/// A commit with what its author wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The commit.
    pub id: ObjectId,
    /// Its tree.
    pub tree: ObjectId,
    /// Its parents, the first one first.
    pub parents: Vec<ObjectId>,
    /// Its message; what is no UTF-8 is replaced.
    pub message: String,
}

impl History {
    /// The newest commit.
    #[must_use]
    pub fn tip(&self) -> ObjectId {
        self.tip
    }
}

impl Reader {
    /// A commit.
    /// # Errors
    /// It is missing, as in a shallow clone, or is none.
    pub fn commit(&self, id: ObjectId) -> Result<Written, Error> {
        let data = self.objects.read_as(&id, Kind::Commit)?;
        let decoded = gix::objs::CommitRef::from_bytes(&data, id.kind())
            .map_err(|error| Error::git(format!("decode the commit {id}"), &error))?;
        let (tree, parents) = (decoded.tree(), decoded.parents().collect());
        Ok(Written { id, tree, parents, message: String::from_utf8_lossy(decoded.message).into_owned() })
    }

    /// A file of a tree; nothing where it has none at that path.
    /// # Errors
    /// An object is missing, as in a shallow clone.
    pub fn file(&self, tree: ObjectId, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match tree::lookup(&self.objects, tree, path.into())? {
            Some((mode, id)) if mode.is_blob() => self.blob(id).map(Some),
            _ => Ok(None),
        }
    }

    /// Paths of files that differ between two trees.
    /// # Errors
    /// An object is missing, as in a shallow clone.
    pub fn changed(&self, from: ObjectId, to: ObjectId) -> Result<Vec<BString>, Error> {
        let found = tree::differences(&self.objects, &self.repository, from, to, false)?;
        Ok(found.into_iter().map(|change| change.path).collect())
    }
}
