//! Where an index differs from a tree.

use std::collections::{BTreeMap, HashMap};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::{
        entry::{Flags, Mode as IndexMode},
        extension::Tree as CachedTree,
    },
    objs::{Kind, TreeRefIter},
};

use crate::{
    Error,
    snapshot::Mode,
    store::objects::Objects,
    tree::{Stage, for_each, join},
};

/// The index against a tree, folders left out whose cached tree is the same.
pub(super) struct Compare<'a> {
    pub(super) objects: &'a Objects,
    pub(super) file: &'a gix::index::File,
    pub(super) staged: &'a mut BTreeMap<BString, Option<(Mode, Option<ObjectId>)>>,
}

impl Compare<'_> {
    pub(super) fn folder(
        &mut self,
        cached: Option<&CachedTree>,
        tree: Option<ObjectId>,
        prefix: &BStr,
        mut range: std::ops::Range<usize>,
    ) -> Result<(), Error> {
        if cached.is_some_and(|cached| cached.num_entries.is_some() && Some(cached.id) == tree) {
            return Ok(());
        }
        let entries = self.file.entries();
        let mut heads = HashMap::new();
        if let Some(tree) = tree {
            let data = self.objects.read_as(&tree, Kind::Tree)?;
            for entry in TreeRefIter::from_bytes(&data, tree.kind()) {
                let entry = entry.map_err(|error| Error::git(format!("decode the tree {tree}"), &error))?;
                heads.insert(BString::from(entry.filename), (entry.mode, entry.oid.to_owned()));
            }
        }
        let skip = if prefix.is_empty() { 0 } else { prefix.len() + 1 };
        while !range.is_empty() {
            let entry = &entries[range.start];
            let path = entry.path(self.file);
            let rest = path[skip..].as_bstr();
            let Some(end) = rest.find_byte(b'/') else {
                range.start += 1;
                self.file(entry, path, rest, &mut heads)?;
                continue;
            };
            let folder = path[..=skip + end].as_bstr();
            let inside = entries[range.clone()].partition_point(|entry| {
                let path = entry.path(self.file);
                path.starts_with(folder) || path < folder
            });
            let name = rest[..end].as_bstr();
            let sub = path[..skip + end].as_bstr();
            let head = match heads.get(name) {
                Some((mode, id)) if mode.is_tree() => {
                    let id = *id;
                    heads.remove(name);
                    Some(id)
                }
                _ => None,
            };
            if entry.mode == IndexMode::DIR && path == folder {
                self.sparse(head, entry.id, sub)?;
            } else {
                let child = cached
                    .and_then(|cached| cached.children.iter().find(|child| child.name.as_slice() == name.as_bytes()));
                self.folder(child, head, sub, range.start..range.start + inside)?;
            }
            range.start += inside;
        }
        for (name, (mode, id)) in heads {
            let path = join(prefix, name.as_ref());
            match mode.is_tree() {
                true => for_each(self.objects, id, path.as_ref(), &mut |path, _| {
                    self.staged.insert(path, None);
                })?,
                false => {
                    self.staged.entry(path).or_insert(None);
                }
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        entry: &gix::index::Entry,
        path: &BStr,
        name: &BStr,
        heads: &mut HashMap<BString, (gix::objs::tree::EntryMode, ObjectId)>,
    ) -> Result<(), Error> {
        let stage = entry.mode.to_tree_entry_mode().and_then(Mode::of).map(|mode| {
            let meant = entry.flags.contains(Flags::INTENT_TO_ADD);
            (mode, (!meant).then_some(entry.id))
        });
        let Some(stage) = stage else { return Ok(()) };
        match heads.get(name) {
            Some((mode, id)) if Mode::of(*mode) == Some(stage.0) && stage.1 == Some(*id) => {
                heads.remove(name);
            }
            Some((mode, _)) if mode.is_tree() => {
                self.staged.insert(path.to_owned(), Some(stage));
            }
            _ => {
                heads.remove(name);
                self.staged.insert(path.to_owned(), Some(stage));
            }
        }
        Ok(())
    }

    /// A folder that is one entry: told apart file by file.
    fn sparse(&mut self, head: Option<ObjectId>, tree: ObjectId, folder: &BStr) -> Result<(), Error> {
        if head == Some(tree) {
            return Ok(());
        }
        let mut before: BTreeMap<BString, Stage> = BTreeMap::new();
        if let Some(head) = head {
            for_each(self.objects, head, folder, &mut |path, stage| {
                before.insert(path, stage);
            })?;
        }
        for_each(self.objects, tree, folder, &mut |path, stage| {
            if before.remove(&path) != Some(stage) {
                self.staged.insert(path, Some((stage.0, Some(stage.1))));
            }
        })?;
        self.staged.extend(before.into_keys().map(|path| (path, None)));
        Ok(())
    }
}
