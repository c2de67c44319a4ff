//! What stands in for git.

use orchestrator_predict::{Change, Id, Mode, Path, Source, Version};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

pub(crate) const TEXT: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\n";

/// A tip and a store of contents, in memory.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) contents: RefCell<HashMap<Id, Arc<[u8]>>>,
    pub(crate) tip: BTreeMap<Vec<u8>, Version>,
    pub(crate) read: RefCell<usize>,
}

impl Memory {
    pub(crate) fn file(&self, text: &str) -> Version {
        let id = self.keep(text.as_bytes()).unwrap();
        Version { mode: Mode::File, id, opaque: false }
    }

    pub(crate) fn with_tip(files: &[(&str, &str)]) -> Self {
        let mut memory = Self::default();
        for (path, text) in files {
            let version = memory.file(text);
            memory.tip.insert(path.as_bytes().to_vec(), version);
        }
        memory
    }

    /// A change of what stands at the tip; `None` deletes it.
    pub(crate) fn change(&self, name: &str, text: Option<&str>) -> (Path, Option<Change>) {
        let base = self.tip.get(name.as_bytes()).copied();
        (path(name), Some(Change { base, side: text.map(|text| self.file(text)) }))
    }
}

impl Source for Memory {
    type Error = Infallible;

    fn content(&self, id: &Id) -> Result<Arc<[u8]>, Infallible> {
        *self.read.borrow_mut() += 1;
        Ok(self.contents.borrow()[id].clone())
    }

    fn tip(&self, path: &Path) -> Result<Option<Version>, Infallible> {
        Ok(self.tip.get(&path[..]).copied())
    }

    fn keep(&self, content: &[u8]) -> Result<Id, Infallible> {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let mut id = [0; 20];
        id[..8].copy_from_slice(&hasher.finish().to_be_bytes());
        self.contents.borrow_mut().insert(id, content.into());
        Ok(id)
    }
}

pub(crate) fn path(name: &str) -> Path {
    name.as_bytes().into()
}
