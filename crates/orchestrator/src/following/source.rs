//! Contents from the store of unfinished work, and the tip of the target branch.

use orchestrator_predict::{Id, Mode, Path, Source, Version};
use orchestrator_repository::bstr::ByteSlice;
use orchestrator_repository::{self as repository, Error, ObjectId, Store};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// Bytes of contents that are remembered; beyond it all are forgotten.
const REMEMBERED: usize = 64 << 20;

/// What was read, for the next merge of the same file: of three contents, a save changes one.
#[derive(Default)]
pub(crate) struct Memory {
    contents: HashMap<Id, Arc<[u8]>>,
    bytes: usize,
    /// What the tip has, by path.
    tip: HashMap<Path, Option<Version>>,
    /// The tree that the tip's entries are of.
    tree: Option<ObjectId>,
}

/// What contents are read from.
pub(crate) struct Tip<'a> {
    store: &'a Store,
    memory: RefCell<&'a mut Memory>,
}

impl<'a> Tip<'a> {
    /// `tree` is that of the target branch's newest commit; nothing before the first.
    pub(crate) fn new(store: &'a Store, memory: &'a mut Memory, tree: Option<ObjectId>) -> Self {
        if memory.tree != tree {
            memory.tip.clear();
            memory.tree = tree;
        }
        Self { store, memory: RefCell::new(memory) }
    }
}

impl Source for Tip<'_> {
    type Error = Error;

    fn content(&self, id: &Id) -> Result<Arc<[u8]>, Error> {
        let mut memory = self.memory.borrow_mut();
        if let Some(content) = memory.contents.get(id) {
            return Ok(content.clone());
        }
        let content: Arc<[u8]> = self.store.blob(ObjectId::from(*id))?.into();
        if memory.bytes + content.len() > REMEMBERED {
            memory.contents.clear();
            memory.bytes = 0;
        }
        memory.bytes += content.len();
        memory.contents.insert(*id, content.clone());
        Ok(content)
    }

    fn size(&self, id: &Id) -> Result<usize, Error> {
        if let Some(content) = self.memory.borrow().contents.get(id) {
            return Ok(content.len());
        }
        self.store.blob_size(ObjectId::from(*id)).map(|size| usize::try_from(size).unwrap_or(usize::MAX))
    }

    fn tip(&self, path: &Path) -> Result<Option<Version>, Error> {
        let mut memory = self.memory.borrow_mut();
        if let Some(version) = memory.tip.get(path) {
            return Ok(*version);
        }
        let version = at(self.store, memory.tree, path)?;
        memory.tip.insert(path.clone(), version);
        Ok(version)
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

/// A mode as trees have it, the other way round.
pub(crate) fn tree_mode(mode: Mode) -> repository::Mode {
    match mode {
        Mode::File => repository::Mode::File,
        Mode::Executable => repository::Mode::Executable,
        Mode::Link => repository::Mode::Link,
        Mode::Commit => repository::Mode::Submodule,
    }
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
