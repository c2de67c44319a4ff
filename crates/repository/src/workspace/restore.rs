//! Puts a kept state back into a worktree, after what stands there was backed up.
//!
//! Order: look at everything; back up what is to be written over, byte for byte; make it durable; only then
//! change files, each looked at once more right before. A crash leaves some files new and some old, and the
//! backup whole.

pub(crate) mod place;

use std::collections::{BTreeMap, BTreeSet};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    objs::Kind,
};

use self::place::{hash, remove, standing, unsaved, write};
use super::{State, Workspace, beneath::Folder, cleaned, is_rule_file, rules::Rules};
use crate::{
    Error,
    snapshot::{Author, Delta, Entry, Mode, Opaque},
    store::objects::Objects,
    tree::Stage,
};

/// A line of a backup's message: this path's bytes are as they were on disk, not as git would store them.
const RAW: &str = "Orchestrator-Raw: ";

/// What to put back.
#[derive(Debug, Clone)]
pub struct Restore {
    /// A snapshot's commit, or any other.
    pub commit: ObjectId,
    /// Files and folders to put back; nothing for all.
    pub paths: Option<Vec<BString>>,
    /// The backup becomes `refs/backup/<backup>`, and its base is pinned as `backup-<backup>` in the project's
    /// repository.
    pub backup: String,
    /// Newest commit of the target branch: a backup of commits that only a clone has stands on what they share with it.
    pub tip: Option<ObjectId>,
    /// Who the backup is by.
    pub author: Author,
    /// The backup's message.
    pub message: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What stood there before: a durable commit, named by its ref.
    pub backup: ObjectId,
    /// Paths that were written.
    pub written: Vec<BString>,
    /// Paths that were removed.
    pub removed: Vec<BString>,
    /// Submodules that differ: they are left alone.
    pub skipped: Vec<BString>,
}

/// What a restore would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Paths that would be written.
    pub written: Vec<BString>,
    /// Paths that would be removed.
    pub removed: Vec<BString>,
    /// Submodules that differ: they would be left alone.
    pub skipped: Vec<BString>,
}

/// What stands at a path: what it is and the hash of its raw bytes.
pub(super) type Standing = Option<(Mode, ObjectId)>;

pub(super) struct Step {
    pub(super) path: BString,
    pub(super) to: Option<Stage>,
    pub(super) standing: Standing,
}

struct Plan {
    /// The tree of the work.
    now: ObjectId,
    root: Folder,
    steps: Vec<Step>,
    skipped: Vec<BString>,
    /// What stands there and is in the work's tree with other bytes, or not at all.
    raw: BTreeMap<BString, Delta>,
}

impl Workspace {
    /// Makes the files equal to those of a commit, where they differ. Ignored files stay.
    ///
    /// The index is not touched, so `git status` shows what was put back as edits.
    /// # Errors
    /// git is busy there; the commit holds a name that no worktree may hold; something would be lost that the backup
    /// cannot hold (a file that is too large, or ignored, or changing); the disk refuses. Then the files not yet written stand as they were.
    pub fn restore(&mut self, wanted: &Restore) -> Result<Restored, Error> {
        self.put_back(wanted, None)
    }

    /// The same, when the work at the paths to write is still that of `seen`, a tree that the caller worked from.
    /// # Errors
    /// As [`restore`](Self::restore), and [`Error::Unseen`].
    pub fn restore_onto(&mut self, seen: ObjectId, wanted: &Restore) -> Result<Restored, Error> {
        self.put_back(wanted, Some(seen))
    }

    fn put_back(&mut self, wanted: &Restore, seen: Option<ObjectId>) -> Result<Restored, Error> {
        let mut plan = self.look_at(wanted.commit, wanted.paths.as_deref(), seen)?;
        let backup = self.back_up(wanted, &plan)?;
        let objects = self.store.objects();
        let raw = raw_paths(&objects, wanted.commit)?;
        // Rule files first, for the others are written as they say.
        plan.steps.sort_by_key(|step| (!is_rule_file(step.path.as_ref()), step.path.clone()));
        let (gone, new): (Vec<_>, Vec<_>) = plan.steps.into_iter().partition(|step| step.to.is_none());
        let mut restored = Restored { backup, written: Vec::new(), removed: Vec::new(), skipped: plan.skipped };
        for step in gone.into_iter().rev() {
            remove(&plan.root, &step)?;
            restored.removed.push(step.path);
        }
        let local = self.repository.to_thread_local();
        let mut rules = None;
        for step in new {
            if rules.is_none() || is_rule_file(step.path.as_ref()) {
                rules = Some(Rules::new(&local, &self.index.rules)?);
            }
            let Some((mode, oid)) = step.to else { continue };
            let stored = objects.read_as(&oid, Kind::Blob)?;
            let content = match &mut rules {
                Some(rules) if mode != Mode::Link && !raw.contains(&step.path) => {
                    rules.checked_out(step.path.as_ref(), &stored, &objects)?
                }
                _ => stored,
            };
            write(&plan.root, &step, mode, &content)?;
            restored.written.push(step.path);
        }
        let touched: Vec<_> = restored.written.iter().chain(&restored.removed).cloned().collect();
        self.refresh(&touched)?;
        Ok(restored)
    }

    /// What [`restore`](Self::restore) would do now. Nothing is changed and nothing is kept.
    /// # Errors
    /// Those that it would refuse with.
    pub fn would_restore(&mut self, commit: ObjectId, paths: Option<&[BString]>) -> Result<Planned, Error> {
        let plan = self.look_at(commit, paths, None)?;
        let (gone, new): (Vec<_>, Vec<_>) = plan.steps.into_iter().partition(|step| step.to.is_none());
        let paths = |steps: Vec<Step>| steps.into_iter().map(|step| step.path).collect();
        Ok(Planned { written: paths(new), removed: paths(gone), skipped: plan.skipped })
    }

    /// What differs from the commit, what stands there, and that a backup can hold it.
    fn look_at(&mut self, commit: ObjectId, paths: Option<&[BString]>, seen: Option<ObjectId>) -> Result<Plan, Error> {
        if self.rescan()?.state != State::Ready {
            return Err(Error::Busy { path: self.root.clone() });
        }
        let objects = self.store.objects();
        let snapshot = self.snapshot();
        let (now, target) = (snapshot.tree()?, objects.tree_of(&commit)?);
        let root = Folder::root(&self.root).map_err(Error::io("open", &self.root))?;
        let mut plan = Plan { now, root, steps: Vec::new(), skipped: Vec::new(), raw: BTreeMap::new() };
        let unheld = self.delta.iter().filter(|(_, delta)| is_large(delta)).map(|(path, _)| path.clone());
        let differing = self.store.diff(now, target, false)?.into_iter().map(|change| change.path);
        let differing: BTreeSet<BString> = differing.chain(unheld).filter(|path| is_wanted(paths, path)).collect();
        // A tree may hold any name: whoever wrote it need not have been git.
        differing.iter().try_for_each(holdable)?;
        let local = self.repository.to_thread_local();
        let mut rules = Rules::new(&local, &self.index.rules)?;
        for path in differing {
            let (from, to) = (self.store.entry(now, path.as_ref())?, self.store.entry(target, path.as_ref())?);
            if let Some(seen) = seen
                && self.store.entry(seen, path.as_ref())? != from
            {
                return Err(Error::Unseen { path: path.to_path_lossy().into_owned() });
            }
            if [from, to].iter().flatten().any(|(mode, _)| *mode == Mode::Submodule) {
                plan.skipped.push(path);
                continue;
            }
            if self.delta.get(&path).is_some_and(is_large) {
                return Err(unsaved(&path, "it is larger than the limit"));
            }
            let step = self.look_at_one(&mut plan, path, to, (&objects, &mut rules))?;
            plan.steps.push(step);
        }
        Ok(plan)
    }

    fn look_at_one(
        &self,
        plan: &mut Plan,
        path: BString,
        to: Option<Stage>,
        (objects, rules): (&Objects, &mut Rules),
    ) -> Result<Step, Error> {
        let Some((mode, bytes)) = standing(&plan.root, path.as_ref(), self.limits.max_file)? else {
            return Ok(Step { path, to, standing: None });
        };
        let oid = hash(&bytes)?;
        let held = match self.store.entry(plan.now, path.as_ref())? {
            // Nothing of it is in the snapshot: it is ignored.
            None => return Err(unsaved(&path, "it is ignored by git")),
            Some((_, stored)) if stored == oid && mode == Mode::Link => true,
            Some((_, stored)) => {
                let stored = objects.read_as(&stored, Kind::Blob)?;
                rules.checked_out(path.as_ref(), &stored, objects)? == bytes
            }
        };
        if !held {
            objects.put(Kind::Blob, &bytes)?;
            plan.raw.insert(path.clone(), Delta::Entry(Entry { mode, oid, opaque: None }));
        }
        Ok(Step { path, to, standing: Some((mode, oid)) })
    }

    /// A durable commit that holds every byte the steps would write over.
    fn back_up(&self, wanted: &Restore, plan: &Plan) -> Result<ObjectId, Error> {
        let mut message = wanted.message.trim_end().to_owned();
        message.push('\n');
        for path in plan.raw.keys() {
            message.push_str(&format!("\n{RAW}{}", escape(path.as_ref())));
        }
        let tree = self.store.tree_with(plan.now, &plan.raw)?;
        let name = format!("refs/backup/{}", wanted.backup);
        // Before the pin moves, which the other backup would stand on.
        self.store.refuse_taken(&name, None)?;
        // A clone may go, and its commits with it: the backup must not need them.
        let base = self.store.pin_base(self.head, wanted.tip, |_| format!("backup-{}", wanted.backup))?;
        let commit = self.store.commit(tree, base.as_slice(), &wanted.author, &message)?;
        self.store.keep(&[(name, commit)])?;
        Ok(commit)
    }
}

/// Paths of a backup whose bytes are written as they are.
fn raw_paths(objects: &Objects, commit: ObjectId) -> Result<BTreeSet<BString>, Error> {
    let data = objects.read_as(&commit, Kind::Commit)?;
    let message = data.find(b"\n\n").map_or(&[][..], |at| &data[at + 2..]);
    Ok(message.lines().filter_map(|line| line.strip_prefix(RAW.as_bytes())).map(unescape).collect())
}

/// Printable text of one line.
fn escape(path: &BStr) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'%';
    path.iter().map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

fn unescape(text: &[u8]) -> BString {
    let mut path = BString::default();
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|code| u8::from_str_radix(code.to_str().ok()?, 16).ok());
        match code {
            Some(byte) if *first == b'%' => {
                path.push(byte);
                rest = &after[2..];
            }
            _ => {
                path.push(*first);
                rest = after;
            }
        }
    }
    path
}

fn is_wanted(paths: Option<&[BString]>, path: &BString) -> bool {
    paths.is_none_or(|paths| {
        paths.iter().any(|wanted| {
            let rest = path.strip_prefix(wanted.trim_end_with(|last| last == '/'));
            rest.is_some_and(|rest| rest.is_empty() || wanted.is_empty() || rest[0] == b'/')
        })
    })
}

/// Refuses a name that leaves the worktree or is git's own.
pub(crate) fn holdable(path: &BString) -> Result<(), Error> {
    match cleaned(path.as_ref()) {
        Ok(Some(clean)) if clean == *path => Ok(()),
        _ => Err(Error::Name { path: path.to_path_lossy().into_owned() }),
    }
}

fn is_large(delta: &Delta) -> bool {
    matches!(delta, Delta::Entry(Entry { opaque: Some(Opaque::Large), .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_one_line_and_comes_back() {
        for path in [&b"a/b c"[..], b"%41", b"x\ny", b"\xff\0", "\u{e4}".as_bytes()] {
            let text = escape(path.as_bstr());
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            assert_eq!(unescape(text.as_bytes()), path);
        }
    }
}
