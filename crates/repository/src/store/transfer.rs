//! Work that comes from another machine, as a pack of whole objects.
//!
//! Nothing of a pack is written before all of it was checked: each object's hash, each tree's names, that nothing is
//! missing, and that what it stands on is the target branch's. Deltas are not taken: whole objects can be bounded one by
//! one.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use gix::{
    ObjectId,
    bstr::ByteSlice,
    objs::{Exists, FindHeader, Kind, TreeRefIter, tree::EntryKind},
    odb::pack::data::{self, entry::Header},
    zlib::{Inflate, Status},
};

use super::{Store, durable::Walk, memory::Memory, objects::Objects, pack, refs};
use crate::{Error, workspace::is_git};

/// Objects of one pack.
const MAX_OBJECTS: u32 = 1_000_000;
/// Bytes of one object.
const MAX_OBJECT: u64 = 128 << 20;
/// Bytes of all objects of a pack.
const MAX_INFLATED: u64 = 512 << 20;
/// Paths of one tree.
const MAX_PATHS: u64 = 1_000_000;
/// Folders within folders.
const MAX_DEPTH: u32 = 256;

impl Store {
    /// A pack of a commit and of everything below it that does not lead to `known`, for [`receive`](Self::receive).
    /// # Errors
    /// An object cannot be read.
    pub fn pack(&self, commit: ObjectId, known: &[ObjectId]) -> Result<Vec<u8>, Error> {
        let objects = self.objects();
        let (_, parents) = objects.commit(&commit)?;
        let nothing = |_: &gix::oid| false;
        let mut walk = Walk::new(&objects, &nothing);
        if !parents.is_empty() {
            walk.history = self.beyond(&parents, known, usize::MAX)?.into_iter().collect();
        }
        walk.add(commit)?;
        let failed = |error: &dyn std::fmt::Display| Error::git("make a pack", error);
        let count = u32::try_from(walk.found.len()).map_err(|error| failed(&error))?;
        let mut out = data::header::encode(data::Version::V2, count).to_vec();
        for id in &walk.found {
            let (kind, content) = objects.read(id)?;
            out.extend(pack::entry(kind, &content).map_err(|error| failed(&error))?);
        }
        let sum = checksum(&out)?;
        out.extend_from_slice(sum.as_slice());
        Ok(out)
    }

    /// The first of these commits that leads to `tip`.
    /// # Errors
    /// A commit cannot be read.
    pub fn first_known(&self, commits: &[ObjectId], tip: ObjectId) -> Result<Option<ObjectId>, Error> {
        let objects = self.objects();
        for commit in commits {
            if Exists::exists(&objects, commit) && self.leads_to(*commit, tip)? {
                return Ok(Some(*commit));
            }
        }
        Ok(None)
    }

    fn leads_to(&self, commit: ObjectId, tip: ObjectId) -> Result<bool, Error> {
        let is_commit = self.objects().read(&commit)?.0 == Kind::Commit;
        Ok(is_commit && self.merge_base(commit, tip)? == Some(commit))
    }

    /// Takes a pack's commit, with all that it holds beyond `tip`, makes it durable and points a ref to it. The caller
    /// pins `tip`.
    /// # Errors
    /// [`Error::Pack`] when something about it is wrong, [`Error::UnknownBase`] when it stands on commits that do not
    /// lead to `tip`, [`Error::Taken`]; then nothing of it is kept.
    pub fn receive(&self, pack: &[u8], commit: ObjectId, tip: Option<ObjectId>, name: &str) -> Result<(), Error> {
        refs::check(name)?;
        let memory = Memory::default();
        read(pack, &memory)?;
        let objects = Objects { odb: self.repository().objects, memory: Arc::new(memory) };
        let commits = self.commits(&objects, commit, tip)?;
        let mut weights = HashMap::new();
        for one in &commits {
            check_tree(&objects, objects.tree_of(one)?, &mut weights)?;
        }
        let _one = self.inner.writing.lock();
        self.refuse_taken(name, Some(commit))?;
        let durable = |id: &gix::oid| self.is_durable(id);
        let mut walk = Walk::new(&objects, &durable);
        walk.history = commits.into_iter().collect();
        // A tree of a parent that is missing is the sender's fault, too.
        walk.add(commit).map_err(|error| wrong(&error))?;
        let found = walk.found;
        if let Some(missing) = found.iter().find(|id| !Exists::exists(&objects, id)) {
            return Err(wrong(&format!("the object {missing} is missing")));
        }
        self.write_pack(&objects, &found)?;
        self.write_ref(name, commit)
    }

    /// The commit and those of the pack below it, as far as they do not lead to `tip`.
    fn commits(&self, objects: &Objects, commit: ObjectId, tip: Option<ObjectId>) -> Result<Vec<ObjectId>, Error> {
        let is_theirs = |id: &ObjectId| -> Result<bool, Error> {
            let Some(tip) = tip.filter(|_| Exists::exists(&objects.odb, id)) else { return Ok(false) };
            self.leads_to(*id, tip)
        };
        let (mut found, mut seen, mut open) = (Vec::new(), HashSet::from([commit]), vec![commit]);
        let mut shares = tip.is_none();
        if !objects.memory.contains(&commit) && !self.is_durable(&commit) {
            return Err(wrong(&format!("it does not hold the commit {commit}")));
        }
        while let Some(id) = open.pop() {
            let (_, parents) = objects.commit(&id).map_err(|error| wrong(&error))?;
            if id == commit && parents.len() > 1 {
                return Err(wrong(&"the snapshot's commit has more than one parent"));
            }
            found.push(id);
            for parent in parents {
                if is_theirs(&parent)? {
                    shares = true;
                } else if objects.memory.contains(&parent) {
                    if seen.insert(parent) {
                        open.push(parent);
                    }
                } else {
                    return Err(Error::UnknownBase { commit: parent });
                }
            }
        }
        match shares {
            true => Ok(found),
            false => Err(wrong(&format!("the commit {commit} shares no history with the target branch"))),
        }
    }
}

fn wrong(detail: &dyn std::fmt::Display) -> Error {
    Error::Pack { detail: detail.to_string() }
}

fn checksum(bytes: &[u8]) -> Result<ObjectId, Error> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(bytes);
    hasher.try_finalize().map_err(|error| wrong(&error))
}

/// Puts every object of a pack into a memory.
fn read(pack: &[u8], memory: &Memory) -> Result<(), Error> {
    let cut_off = || wrong(&"it is cut off");
    let (content, sum) = pack.split_last_chunk::<20>().ok_or_else(cut_off)?;
    let (header, mut rest) = content.split_first_chunk::<12>().ok_or_else(|| wrong(&"it is cut off"))?;
    let (_, count) = data::header::decode(header).map_err(|error| wrong(&error))?;
    if count > MAX_OBJECTS {
        return Err(wrong(&format!("it holds {count} objects, at most {MAX_OBJECTS} are taken")));
    }
    if checksum(content)?.as_slice() != sum {
        return Err(wrong(&"its checksum does not fit: it is damaged or cut off"));
    }
    let mut inflated = 0;
    for _ in 0..count {
        let entry = data::Entry::from_bytes(rest, 0, gix::hash::Kind::Sha1).map_err(|error| wrong(&error))?;
        let kind = match entry.header {
            Header::Blob => Kind::Blob,
            Header::Tree => Kind::Tree,
            Header::Commit => Kind::Commit,
            Header::Tag => Kind::Tag,
            Header::RefDelta { .. } | Header::OfsDelta { .. } => return Err(wrong(&"it holds deltas")),
        };
        let size = entry.decompressed_size;
        // What an object costs beside its content.
        inflated += size.saturating_add(256);
        if size > MAX_OBJECT || inflated > MAX_INFLATED {
            return Err(wrong(&format!(
                "its objects have more than {MAX_OBJECT} bytes, or all of them {MAX_INFLATED}"
            )));
        }
        rest = usize::try_from(entry.data_offset).ok().and_then(|at| rest.get(at..)).ok_or_else(cut_off)?;
        let size = usize::try_from(size).map_err(|error| wrong(&error))?;
        // One byte more than it should need, so that the end of the stream is seen.
        let mut object = vec![0; size + 1];
        let (status, taken, written) = Inflate::default().once(rest, &mut object).map_err(|error| wrong(&error))?;
        if !matches!(status, Status::StreamEnd) || written != size {
            return Err(wrong(&"an object is not as long as it says"));
        }
        object.truncate(size);
        rest = rest.get(taken..).ok_or_else(cut_off)?;
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, kind, &object).map_err(|error| wrong(&error))?;
        memory.put(id, kind, &object);
    }
    if rest.is_empty() { Ok(()) } else { Err(wrong(&"something follows its last object")) }
}

/// How many paths a tree stands for, and how deep it is.
type Weight = (u64, u32);

/// Refuses trees with names that no worktree may hold, and those that are more than anyone can look through.
fn check_tree(objects: &Objects, root: ObjectId, known: &mut HashMap<ObjectId, Weight>) -> Result<(), Error> {
    let mut open = vec![root];
    while let Some(tree) = open.last().copied() {
        if known.contains_key(&tree) {
            open.pop();
            continue;
        }
        let data = objects.read_as(&tree, Kind::Tree).map_err(|error| wrong(&error))?;
        let is_new = objects.memory.contains(&tree);
        let (mut paths, mut depth, mut last, mut is_whole) = (0_u64, 0, Vec::new(), true);
        for entry in TreeRefIter::from_bytes(&data, tree.kind()) {
            let entry = entry.map_err(|error| wrong(&format!("the tree {tree} cannot be read: {error}")))?;
            if is_new {
                check_entry(objects, &entry, &tree)?;
                let mut key = entry.filename.to_vec();
                key.extend(entry.mode.is_tree().then_some(b'/'));
                if key <= last {
                    return Err(wrong(&format!("the tree {tree} is not in order")));
                }
                last = key;
            }
            if !entry.mode.is_tree() {
                paths += 1;
                continue;
            }
            match known.get(entry.oid) {
                Some((below, deep)) => {
                    paths = paths.saturating_add(*below);
                    depth = depth.max(*deep);
                }
                None => {
                    is_whole = false;
                    open.push(entry.oid.to_owned());
                }
            }
        }
        if paths > MAX_PATHS || depth >= MAX_DEPTH {
            return Err(wrong(&format!(
                "the tree {tree} is deeper than {MAX_DEPTH} or has more than {MAX_PATHS} paths"
            )));
        }
        if is_whole {
            known.insert(tree, (paths.max(1), depth + 1));
            open.pop();
        }
    }
    Ok(())
}

fn check_entry(objects: &Objects, entry: &gix::objs::tree::EntryRef<'_>, tree: &ObjectId) -> Result<(), Error> {
    let name = entry.filename;
    let is_bad = name.is_empty() || name == "." || name == ".." || name.find_byteset(b"/\0").is_some() || is_git(name);
    if is_bad {
        return Err(wrong(&format!("the tree {tree} has an entry '{}', which no worktree may hold", name.as_bstr())));
    }
    let mode = entry.mode.value();
    if !matches!(mode, 0o040_000 | 0o100_644 | 0o100_755 | 0o120_000 | 0o160_000) {
        return Err(wrong(&format!("the tree {tree} has an entry of the unknown mode {mode:o}")));
    }
    if matches!(entry.mode.kind(), EntryKind::Tree | EntryKind::Commit) {
        return Ok(());
    }
    match objects.try_header(entry.oid).map_err(|error| wrong(&error))? {
        Some(header) if header.kind == Kind::Blob => Ok(()),
        Some(_) => Err(wrong(&format!("'{name}' of the tree {tree} is no file's content"))),
        None => Err(wrong(&format!("the object {} of '{name}' is missing", entry.oid))),
    }
}
