//! One thread's view of all objects: memory first, then `work.git`, then its alternates.

use std::sync::Arc;

use gix::{
    ObjectId,
    objs::{Data, Exists, Find, FindHeader, Header, Kind},
    odb::HeaderExt,
};

use crate::{Error, store::memory::Memory};

/// Reads everything, writes to memory only. Not for sharing between threads; making one is cheap.
pub(crate) struct Objects {
    pub(crate) odb: gix::OdbHandle,
    pub(crate) memory: Arc<Memory>,
}

impl Objects {
    /// Writes `data` to memory unless it is there.
    pub(crate) fn put(&self, kind: Kind, data: &[u8]) -> Result<ObjectId, Error> {
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, data)
            .map_err(|error| Error::git("hash an object", &error))?;
        self.memory.put(id, kind, data);
        Ok(id)
    }

    /// The object's kind and content.
    pub(crate) fn read(&self, id: &gix::oid) -> Result<(Kind, Vec<u8>), Error> {
        let mut buffer = Vec::new();
        if *id == *ObjectId::empty_tree(id.kind()) {
            return Ok((Kind::Tree, buffer));
        }
        let found =
            self.try_find(id, &mut buffer).map_err(|error| Error::git(format!("read the object {id}"), &error))?;
        let kind = found.map(|data| data.kind).ok_or_else(|| Error::Missing { id: id.to_owned() })?;
        Ok((kind, buffer))
    }

    /// The content of an object that must be of `kind`.
    pub(crate) fn read_as(&self, id: &gix::oid, kind: Kind) -> Result<Vec<u8>, Error> {
        let (found, data) = self.read(id)?;
        if found != kind {
            return Err(Error::git(format!("read the {kind} {id}"), &format!("it is a {found}")));
        }
        Ok(data)
    }

    /// The tree of a commit.
    pub(crate) fn tree_of(&self, commit: &gix::oid) -> Result<ObjectId, Error> {
        Ok(self.commit(commit)?.0)
    }

    /// The tree and the parents of a commit.
    pub(crate) fn commit(&self, commit: &gix::oid) -> Result<(ObjectId, Vec<ObjectId>), Error> {
        let data = self.read_as(commit, Kind::Commit)?;
        let broken = |error: &dyn std::fmt::Display| Error::git(format!("decode the commit {commit}"), error);
        let decoded = gix::objs::CommitRef::from_bytes(&data, commit.kind()).map_err(|error| broken(&error))?;
        Ok((decoded.tree(), decoded.parents().collect()))
    }

    /// When the commit was made, in seconds since 1970.
    pub(crate) fn committed_at(&self, commit: &gix::oid) -> Result<i64, Error> {
        let data = self.read_as(commit, Kind::Commit)?;
        let broken = |error: &dyn std::fmt::Display| Error::git(format!("decode the commit {commit}"), error);
        let decoded = gix::objs::CommitRef::from_bytes(&data, commit.kind()).map_err(|error| broken(&error))?;
        decoded.time().map(|time| time.seconds).map_err(|error| broken(&error))
    }
}

impl Find for Objects {
    fn try_find<'a>(&self, id: &gix::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        if let Some((kind, data)) = self.memory.get(id) {
            buffer.clear();
            buffer.extend_from_slice(&data);
            return Ok(Some(Data { kind, object_hash: id.kind(), data: buffer }));
        }
        self.odb.try_find(id, buffer)
    }
}

impl FindHeader for Objects {
    fn try_header(&self, id: &gix::oid) -> gix::Result<Option<Header>> {
        if let Some((kind, data)) = self.memory.get(id) {
            return Ok(Some(Header { kind, size: data.len() as u64 }));
        }
        if !Exists::exists(&self.odb, id) {
            return Ok(None);
        }
        let header = self.odb.header(id)?;
        Ok(Some(Header { kind: header.kind(), size: header.size() }))
    }
}

impl Exists for Objects {
    fn exists(&self, id: &gix::oid) -> bool {
        self.memory.contains(id) || Exists::exists(&self.odb, id)
    }
}
