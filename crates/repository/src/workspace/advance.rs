//! A worktree follows its branch: files and index, where nothing of it was changed.
//!
//! Order: lock the index, so that no commit is made from the old one; look at every path that changes; write the index; move
//! the branch; write the files, each looked at once more right before. A crash leaves some files new and some old, and the
//! same call finishes it.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
};

use gix::{
    ObjectId,
    bstr::{BStr, BString, ByteSlice},
    index::entry::{Flags, Mode as IndexMode, Stat},
    objs::Kind,
};

use super::{
    Workspace,
    beneath::{Folder, Way},
    index::open as open_index,
    is_rule_file,
    restore::{
        Step, holdable,
        place::{hash, is_half_written, remove, split, standing, write},
    },
    rules::Rules,
    standing::{head, is_unfinished},
};
use crate::{
    Error,
    landing::{Lock, Moved},
    snapshot::Mode,
    store::objects::Objects,
    tree::{Change, Stage, join},
};

/// What came of following a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advanced {
    /// The branch moved, and with it files and index. Files that somebody changed at that moment stay as they are.
    Done {
        /// Those files.
        kept: Vec<BString>,
    },
    /// Nothing was touched: these are in the way.
    Blocked(Vec<InTheWay>),
    /// Nothing was touched: the branch did not move.
    NotMoved(Moved),
}

/// What keeps a worktree from following its branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTheWay {
    /// The path; empty for the whole worktree.
    pub path: BString,
    /// What it is.
    pub detail: &'static str,
}

impl Workspace {
    /// Lets the worktree follow its branch from one tree to another, which `move_branch` moves in between. What was
    /// brought there before is no hindrance, so that a call that was cut off can be made again.
    /// # Errors
    /// git's data cannot be read, or the disk refuses: then the same call goes on.
    pub fn advance(
        &mut self,
        from: ObjectId,
        to: ObjectId,
        move_branch: impl FnOnce() -> Result<Moved, Error>,
    ) -> Result<Advanced, Error> {
        self.follow(from, to, Purpose::Move, move_branch)
    }

    /// What keeps the worktree from following its branch from one tree to another. Nothing is touched.
    /// # Errors
    /// git's data cannot be read.
    pub fn in_the_way(&mut self, from: ObjectId, to: ObjectId) -> Result<Vec<InTheWay>, Error> {
        match self.follow(from, to, Purpose::Look, || Ok(Moved::Locked))? {
            Advanced::Blocked(found) => Ok(found),
            Advanced::Done { .. } | Advanced::NotMoved(_) => Ok(Vec::new()),
        }
    }

    /// The rest of an [`advance`](Self::advance) that was cut off after the branch had moved. A path that somebody changed
    /// since is nothing to wait for any more: it stays, and git shows it as an edit.
    /// # Errors
    /// As [`advance`](Self::advance).
    pub fn catch_up(&mut self, from: ObjectId, to: ObjectId) -> Result<Advanced, Error> {
        self.follow(from, to, Purpose::CatchUp, || Ok(Moved::Done))
    }

    fn follow(
        &mut self,
        from: ObjectId,
        to: ObjectId,
        purpose: Purpose,
        move_branch: impl FnOnce() -> Result<Moved, Error>,
    ) -> Result<Advanced, Error> {
        let local = self.repository.to_thread_local();
        let index_path = local.index_path();
        let whole = |detail| Ok(Advanced::Blocked(vec![InTheWay { path: BString::default(), detail }]));
        if is_unfinished(local.git_dir()) {
            return whole("a rebase, merge, cherry-pick or revert is not finished there");
        }
        let Some(lock) = Lock::take(&index_path, &self.common)? else {
            return whole("another git command is at work there (index.lock)");
        };
        let objects = self.store.objects();
        let mut index = open_index(&index_path)?;
        if index.entries().iter().any(|entry| entry.stage_raw() != 0) {
            return whole("a conflict is not resolved there");
        }
        let root = Folder::root(&self.root).map_err(Error::io("open", &self.root))?;
        let mut rules = Rules::new(&local, &self.index.rules)?;
        let changes = self.store.diff(from, to, false)?;
        let changing = changes.iter().map(|change| change.path.clone()).collect();
        let place = Place { root: &root, index: &index, changing, max_file: self.limits.max_file };
        let (mut steps, mut blocked, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for change in &changes {
            holdable(&change.path)?;
            match place.look((&objects, &mut rules), change)? {
                Look::Step(step) => steps.push(step),
                Look::InTheWay(_) if purpose == Purpose::CatchUp => {
                    steps.extend(place.only_noted(change));
                    kept.push(change.path.clone());
                }
                Look::InTheWay(detail) => blocked.push(InTheWay { path: change.path.clone(), detail }),
            }
        }
        let save = |index: &gix::index::File| -> Result<(), Error> {
            let mut content = Vec::new();
            let options = gix::index::write::Options::default();
            index.write_to(&mut content, options).map_err(|error| Error::git("write the index", &error))?;
            lock.replace(&content).map_err(Error::io("write the index", &index_path))?;
            if let Some(folder) = index_path.parent() {
                fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("flush", folder))?;
            }
            Ok(())
        };
        if purpose == Purpose::Look {
            return Ok(if blocked.is_empty() { Advanced::NotMoved(Moved::Locked) } else { Advanced::Blocked(blocked) });
        }
        if !blocked.is_empty() {
            if lock.was_ours() && give_back(&mut index, &changes) {
                save(&index)?;
            }
            return Ok(Advanced::Blocked(blocked));
        }
        // Rule files first, for the others are written as they say.
        steps.sort_by_key(|one| (one.step.to.is_some(), !is_rule_file(one.step.path.as_ref()), one.step.path.clone()));
        // The index is new before the branch: a `git commit` that reads the branch, the index and only then takes the lock
        // must not put the old files onto the new commit. One that read the old branch is refused by its own comparison.
        let touched: HashSet<&BStr> = steps.iter().map(|one| one.step.path.as_bstr()).collect();
        // What a crash left is no state to go back to.
        let before = if lock.was_ours() { None } else { fs::read(&index_path).ok() };
        index.remove_entries(|_, path, _| touched.contains(path));
        steps.iter().for_each(|one| note(&mut index, one));
        index.sort_entries();
        index.remove_tree();
        save(&index)?;
        let moved = move_branch();
        // What failed may have moved it all the same, and then the index is right as it is.
        let stays = match &moved {
            Ok(moved) => *moved != Moved::Done,
            Err(_) => {
                head(&self.repository.to_thread_local())?.map(|head| objects.tree_of(&head)).transpose()? != Some(to)
            }
        };
        if stays {
            match before {
                Some(before) => lock.replace(&before).map_err(Error::io("write the index", &index_path))?,
                None if give_back(&mut index, &changes) => save(&index)?,
                None => {}
            }
        }
        match moved? {
            Moved::Done => {}
            other => return Ok(Advanced::NotMoved(other)),
        }
        if purpose == Purpose::CatchUp {
            clear_leftovers(&root, &steps)?;
        }
        for one in steps.iter().filter(|one| one.write) {
            match put(&root, &one.step, (&objects, &mut rules)) {
                Ok(()) => {}
                // Somebody changed it since: it stays, and git shows it as an edit.
                Err(Error::Unsaved { .. }) => kept.push(one.step.path.clone()),
                Err(error) => return Err(error),
            }
            if is_rule_file(one.step.path.as_ref()) {
                rules = Rules::new(&local, &self.index.rules)?;
            }
        }
        Ok(Advanced::Done { kept })
    }
}

/// What is wanted of a look at a worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Look,
    Move,
    CatchUp,
}

/// Puts what the index has of a branch that did not move back to what it was; true when there was any.
fn give_back(index: &mut gix::index::File, changes: &[Change]) -> bool {
    let mut new: BTreeMap<BString, (Option<Stage>, Flags)> = BTreeMap::new();
    for change in changes {
        let entry = index.entry_by_path(change.path.as_ref());
        let staged = entry.and_then(|entry| Some((Mode::of(entry.mode.to_tree_entry_mode()?)?, entry.id)));
        if staged == change.to {
            let is_hidden = entry.is_some_and(|entry| entry.flags.contains(Flags::SKIP_WORKTREE));
            let flags = if is_hidden { Flags::SKIP_WORKTREE | Flags::EXTENDED } else { Flags::empty() };
            new.insert(change.path.clone(), (change.from, flags));
        }
    }
    index.remove_entries(|_, path, _| new.contains_key(path));
    for (path, (stage, flags)) in &new {
        if let Some((mode, id)) = stage {
            index.dangerously_push_entry(Stat::default(), *id, *flags, index_mode(*mode), path.as_ref());
        }
    }
    index.sort_entries();
    index.remove_tree();
    !new.is_empty()
}

fn index_mode(mode: Mode) -> IndexMode {
    match mode {
        Mode::Executable => IndexMode::FILE_EXECUTABLE,
        Mode::Link => IndexMode::SYMLINK,
        _ => IndexMode::FILE,
    }
}

struct FileStep {
    step: Step,
    write: bool,
    /// The file is meant to be absent (sparse checkout).
    is_hidden: bool,
}

enum Look {
    Step(FileStep),
    InTheWay(&'static str),
}

/// Where the files stand.
struct Place<'a> {
    root: &'a Folder,
    index: &'a gix::index::File,
    /// Files that come, go or change: each is looked at by itself.
    changing: HashSet<BString>,
    max_file: u64,
}

impl Place<'_> {
    /// What stands at one path, against what may stand there: what it was, or what it is to be.
    fn look(&self, (objects, rules): (&Objects, &mut Rules), change: &Change) -> Result<Look, Error> {
        let path = change.path.as_bstr();
        if is_submodule(change) {
            return Ok(Look::InTheWay("it is a submodule"));
        }
        let (staged, is_hidden) = self.staged(path);
        if staged != change.from && staged != change.to {
            return Ok(Look::InTheWay("something else is staged there"));
        }
        let step = |standing, write| {
            let step = Step { path: change.path.clone(), to: change.to, standing };
            FileStep { step, write, is_hidden }
        };
        if is_hidden {
            return Ok(Look::Step(step(None, false)));
        }
        let found = match standing(self.root, path, self.max_file) {
            Ok(found) => found,
            Err(Error::Unsaved { .. }) => return Ok(Look::InTheWay("what stands there cannot be read whole")),
            Err(error) => return Err(error),
        };
        let Some((mode, bytes)) = found else {
            return Ok(match (change.from, change.to) {
                _ if self.has_others_below(path) => Look::InTheWay("a folder stands there"),
                (_, Some(_)) if self.is_below_a_file(path) => Look::InTheWay("a file stands where its folder comes"),
                (None, _) | (_, None) => Look::Step(step(None, true)),
                _ => Look::InTheWay("it was deleted there"),
            });
        };
        let mut is = |stage: Option<Stage>| -> Result<bool, Error> {
            let Some((wanted, id)) = stage else { return Ok(false) };
            if wanted != mode {
                return Ok(false);
            }
            let stored = objects.read_as(&id, Kind::Blob)?;
            Ok(stored == bytes || (mode != Mode::Link && rules.checked_out(path, &stored, objects)? == bytes))
        };
        let (was, will) = (is(change.from)?, is(change.to)?);
        if !was && !will {
            return Ok(Look::InTheWay(match change.from {
                Some(_) => "it was changed there",
                None => "a file that git does not track stands there",
            }));
        }
        Ok(Look::Step(step(Some((mode, hash(&bytes)?)), !will)))
    }

    /// What the index holds, and whether the file is meant to be absent.
    fn staged(&self, path: &BStr) -> (Option<Stage>, bool) {
        let entry = self.index.entry_by_path(path);
        let staged = entry.and_then(|entry| Some((Mode::of(entry.mode.to_tree_entry_mode()?)?, entry.id)));
        (staged, entry.is_some_and(|entry| entry.flags.contains(Flags::SKIP_WORKTREE)))
    }

    /// The step of a path whose file stays as it is; nothing where something else is staged, which stays as well.
    fn only_noted(&self, change: &Change) -> Option<FileStep> {
        let (staged, is_hidden) = self.staged(change.path.as_ref());
        let step = Step { path: change.path.clone(), to: change.to, standing: None };
        let is_ours = staged == change.from || staged == change.to;
        (is_ours && !is_submodule(change)).then_some(FileStep { step, write: false, is_hidden })
    }

    /// Whether a folder stands there that holds anything else than what changes.
    fn has_others_below(&self, path: &BStr) -> bool {
        let Ok(Way::Whole(folder)) = self.root.below(path) else { return false };
        // What cannot be listed may hold anything.
        let Ok(entries) = folder.entries() else { return true };
        entries.iter().any(|(name, kind)| {
            let path = join(path, name.as_ref());
            if kind.is_dir() { self.has_others_below(path.as_ref()) } else { !self.changing.contains(&path) }
        })
    }

    fn is_below_a_file(&self, path: &BStr) -> bool {
        let (parent, _) = split(path);
        let Ok(Way::Ends(at)) = self.root.below(parent) else { return false };
        let (folder, name) = split(parent[..at].as_bstr());
        let Ok(Way::Whole(folder)) = self.root.below(folder) else { return false };
        folder.stat(name).is_ok() && !self.changing.contains(parent[..at].as_bstr())
    }
}

fn is_submodule(change: &Change) -> bool {
    [change.from, change.to].iter().flatten().any(|(mode, _)| *mode == Mode::Submodule)
}

/// Removes half-written files of a process that died, beside those that it was to write.
fn clear_leftovers(root: &Folder, steps: &[FileStep]) -> Result<(), Error> {
    let folders: HashSet<&BStr> = steps.iter().map(|one| split(one.step.path.as_ref()).0).collect();
    for path in folders {
        let failed = |source| Error::io("clear", &path.to_path_lossy())(source);
        let Way::Whole(folder) = root.below(path).map_err(failed)? else { continue };
        let entries = folder.entries().map_err(failed)?;
        for (name, _) in entries.iter().filter(|(name, kind)| kind.is_file() && is_half_written(name.as_ref())) {
            fs::remove_file(folder.at(name.as_ref())).map_err(failed)?;
        }
    }
    Ok(())
}

fn put(root: &Folder, step: &Step, (objects, rules): (&Objects, &mut Rules)) -> Result<(), Error> {
    let Some((mode, id)) = step.to else { return remove(root, step) };
    let stored = objects.read_as(&id, Kind::Blob)?;
    let content = match mode {
        Mode::Link => stored,
        _ => rules.checked_out(step.path.as_ref(), &stored, objects)?,
    };
    write(root, step, mode, &content)
}

/// Puts the new state of one path into the index, which holds nothing of it. Without a stat: git looks into the file once,
/// and sees what somebody wrote there at this moment.
fn note(index: &mut gix::index::File, one: &FileStep) {
    let Some((mode, id)) = one.step.to else { return };
    let flags = if one.is_hidden { Flags::SKIP_WORKTREE | Flags::EXTENDED } else { Flags::empty() };
    index.dangerously_push_entry(Stat::default(), id, flags, index_mode(mode), one.step.path.as_bstr());
}
