//! What must be written so that an object survives power loss and the user's own `git gc`.

use std::collections::HashSet;

use gix::{
    ObjectId,
    objs::{Kind, TreeRefIter},
};

use crate::{Error, store::objects::Objects};

/// Collects objects to write, those they stand on left out.
pub(crate) struct Walk<'a> {
    objects: &'a Objects,
    /// True for what is in a pack of ours.
    durable: &'a dyn Fn(&gix::oid) -> bool,
    /// Commits that are taken too where one that is taken stands on them.
    pub(crate) history: HashSet<ObjectId>,
    seen: HashSet<ObjectId>,
    taken: HashSet<ObjectId>,
    /// Each once, in the order found: commits, then their trees and blobs.
    pub(crate) found: Vec<ObjectId>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(objects: &'a Objects, durable: &'a dyn Fn(&gix::oid) -> bool) -> Self {
        Self {
            objects,
            durable,
            history: HashSet::new(),
            seen: HashSet::new(),
            taken: HashSet::new(),
            found: Vec::new(),
        }
    }

    /// A commit: itself, every parent that is only in memory or of the history, and all content that no parent has at the same
    /// place. A tree: what of it is in memory. A blob: itself.
    pub(crate) fn add(&mut self, id: ObjectId) -> Result<(), Error> {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if !self.seen.insert(id) {
                continue;
            }
            match self.objects.read(&id)?.0 {
                Kind::Commit => {
                    let (tree, parents) = self.objects.commit(&id)?;
                    self.take(id);
                    let mut bases = Vec::new();
                    for parent in parents {
                        bases.push(self.objects.tree_of(&parent)?);
                        if self.objects.memory.contains(&parent) || self.history.contains(&parent) {
                            open.push(parent);
                        }
                    }
                    self.tree(tree, &bases)?;
                }
                Kind::Tree => self.memory_tree(id)?,
                Kind::Blob | Kind::Tag => self.take(id),
            }
        }
        Ok(())
    }

    /// Everything that `id` needs from our packs, for writing them anew.
    pub(crate) fn add_all(&mut self, id: ObjectId) -> Result<(), Error> {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let durable = (self.durable)(&id);
            // What is not ours is the user's, and pinned there.
            if !(durable || self.objects.memory.contains(&id)) || !self.seen.insert(id) {
                continue;
            }
            if durable {
                self.found.push(id);
            }
            match self.objects.read(&id)? {
                (Kind::Commit, _) => {
                    let (tree, parents) = self.objects.commit(&id)?;
                    open.push(tree);
                    open.extend(parents);
                }
                (Kind::Tree, data) => {
                    for entry in entries(&data, &id) {
                        let (_, mode, entry) = entry?;
                        if !mode.is_commit() {
                            open.push(entry);
                        }
                    }
                }
                (Kind::Blob | Kind::Tag, _) => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, id: ObjectId) {
        if !(self.durable)(&id) && self.taken.insert(id) {
            self.found.push(id);
        }
    }

    fn tree(&mut self, tree: ObjectId, bases: &[ObjectId]) -> Result<(), Error> {
        if bases.contains(&tree) {
            return Ok(());
        }
        self.take(tree);
        let data = self.objects.read_as(&tree, Kind::Tree)?;
        let bases = bases.iter().map(|base| self.objects.read_as(base, Kind::Tree)).collect::<Result<Vec<_>, _>>()?;
        for entry in entries(&data, &tree) {
            let (name, mode, id) = entry?;
            let mut below = Vec::new();
            let mut held = mode.is_commit();
            for base in &bases {
                let at_same_place = entries(base, &tree).filter_map(Result::ok).find(|(other, ..)| *other == name);
                if let Some((_, other_mode, other)) = at_same_place {
                    held |= other == id;
                    if other_mode.is_tree() {
                        below.push(other);
                    }
                }
            }
            if held {
                continue;
            }
            if mode.is_tree() {
                self.tree(id, &below)?;
            } else {
                self.take(id);
            }
        }
        Ok(())
    }

    fn memory_tree(&mut self, tree: ObjectId) -> Result<(), Error> {
        let Some((_, data)) = self.objects.memory.get(&tree) else { return Ok(()) };
        self.take(tree);
        for entry in entries(&data, &tree) {
            let (_, mode, id) = entry?;
            if self.objects.memory.contains(&id) && self.seen.insert(id) {
                if mode.is_tree() { self.memory_tree(id)? } else { self.take(id) }
            }
        }
        Ok(())
    }
}

type Named<'a> = (&'a [u8], gix::objs::tree::EntryMode, ObjectId);

fn entries<'a>(data: &'a [u8], tree: &gix::oid) -> impl Iterator<Item = Result<Named<'a>, Error>> {
    let tree = tree.to_owned();
    TreeRefIter::from_bytes(data, tree.kind()).map(move |entry| match entry {
        Ok(entry) => Ok((entry.filename.as_ref(), entry.mode, entry.oid.to_owned())),
        Err(error) => Err(Error::git(format!("decode the tree {tree}"), &error)),
    })
}
