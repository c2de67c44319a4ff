//! Contents from the store of unfinished work, and the tip of the target branch.

use orchestrator_predict::{Id, Mode, Path, Source, Version};
use orchestrator_repository::bstr::ByteSlice;
use orchestrator_repository::{self as repository, Error, ObjectId, Store};
use std::sync::Arc;

/// What contents are read from.
pub(crate) struct Tip<'a> {
    pub(crate) store: &'a Store,
    /// Tree of the target branch's newest commit; nothing before the first.
    pub(crate) tree: Option<ObjectId>,
}

impl Source for Tip<'_> {
    type Error = Error;

    fn content(&self, id: &Id) -> Result<Arc<[u8]>, Error> {
        self.store.blob(ObjectId::from(*id)).map(Into::into)
    }

    fn tip(&self, path: &[u8]) -> Result<Option<Version>, Error> {
        at(self.store, self.tree, path)
    }

    fn keep(&self, content: &[u8]) -> Result<Id, Error> {
        self.store.write_blob(content).map(id)
    }
}

/// What a tree has at a path; nothing where there is no tree.
pub(crate) fn at(store: &Store, tree: Option<ObjectId>, path: &[u8]) -> Result<Option<Version>, Error> {
    let Some(tree) = tree else { return Ok(None) };
    Ok(store.entry(tree, path.as_bstr())?.map(|(mode, oid)| version(mode, oid, false)))
}

/// An entry as prediction knows it.
pub(crate) fn version(mode: repository::Mode, oid: ObjectId, opaque: bool) -> Version {
    let mode = match mode {
        repository::Mode::File => Mode::File,
        repository::Mode::Executable => Mode::Executable,
        repository::Mode::Link => Mode::Link,
        repository::Mode::Submodule => Mode::Commit,
    };
    Version { mode, id: id(oid), opaque }
}

fn id(oid: ObjectId) -> Id {
    let mut id = [0; 20];
    for (to, from) in id.iter_mut().zip(oid.as_slice()) {
        *to = *from;
    }
    id
}

/// A path as records name it: bytes that are not UTF-8, and then `%` too, as `%XX`.
pub(crate) fn name(path: &Path) -> String {
    match std::str::from_utf8(path) {
        Ok(text) => text.to_owned(),
        Err(_) => path
            .iter()
            .map(|byte| match byte {
                b'%' | 128.. => format!("%{byte:02X}"),
                _ => char::from(*byte).to_string(),
            })
            .collect(),
    }
}
