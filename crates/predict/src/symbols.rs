//! What the project and each agent's work define and use.

mod examine;
mod library;
mod questions;
pub(crate) mod text;

use crate::Agent;
use crate::pair::{self, Pair};
use crate::version::{Change, Path, Source, Version};
use library::{Library, Parsed, read};
use orchestrator_syntax::{File, Index, Language, breaking_names};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use examine::Landed;
pub use questions::{Answer, Question};

/// Bytes of source of the tip that are indexed; what comes later is left out. An outline takes six to eleven times its
/// text.
const TEXT: usize = 64 << 20;

/// Definitions and uses of the tip, file by file, and of every agent's work on it.
///
/// Of the tip's files only outlines are kept, whole files where an agent changed them. They are read in small steps
/// ([`Symbols::index_some`]); until then a pair of agents is compared by what is read and by the files that they changed.
#[derive(Debug, Default)]
pub struct Symbols {
    base: Index,
    /// The tip's source files.
    tip: BTreeMap<Path, Version>,
    /// The tip's files that are not read yet.
    waiting: BTreeSet<Path>,
    /// Bytes of text of each indexed file.
    sizes: HashMap<Path, usize>,
    indexed: usize,
    /// The tip's files that are not indexed: unreadable, too large, or beyond all limits.
    left_out: BTreeSet<Path>,
    library: Library,
    works: BTreeMap<Agent, Work>,
}

/// One agent's work.
#[derive(Debug, Default)]
struct Work {
    changes: BTreeMap<Path, Change>,
    /// What it has at those paths when it is put onto the tip.
    landed: BTreeMap<Path, Option<Version>>,
    /// The same, parsed.
    index: Index,
    /// The names by which uses lead to what it breaks, by file.
    breaks: HashMap<Path, HashSet<String>>,
}

impl Work {
    fn forget(&mut self, path: &Path) {
        self.landed.remove(path);
        self.breaks.remove(path);
        if let Some((name, _)) = known(path) {
            self.index.forget(name);
        }
    }

    fn names(&self) -> HashSet<String> {
        self.breaks.values().flatten().cloned().collect()
    }
}

/// A path's name and language, when it is source of a known one.
fn known(path: &Path) -> Option<(&str, Language)> {
    let name = std::str::from_utf8(path).ok()?;
    Some((name, Language::of_path(name).filter(|language| language.is_built_in())?))
}

impl Symbols {
    /// The tip has other files than before; `None` where it has none any more. Agents' work is put onto it anew.
    ///
    /// # Errors
    /// Something could not be read; then the work of some agents is that on the old tip, and the call is to be repeated.
    pub fn tip_moved<S: Source>(
        &mut self,
        files: impl IntoIterator<Item = (Path, Option<Version>)>,
        source: &S,
    ) -> Result<(), S::Error> {
        for (path, version) in files {
            let Some((name, _)) = known(&path) else { continue };
            self.base.forget(name);
            self.left_out.remove(&path);
            self.indexed -= self.sizes.remove(&path).unwrap_or_default();
            match version {
                Some(version) => {
                    self.tip.insert(path.clone(), version);
                    self.waiting.insert(path);
                }
                None => {
                    self.tip.remove(&path);
                    self.waiting.remove(&path);
                }
            }
        }
        let agents: Vec<Agent> = self.works.keys().copied().collect();
        for agent in agents {
            let paths: Vec<Path> =
                self.works.get(&agent).into_iter().flat_map(|work| work.changes.keys().cloned()).collect();
            self.place(agent, paths, source)?;
        }
        Ok(())
    }

    /// Takes over what an agent has at some paths; `None` where it has nothing of its own any more. Returns whether
    /// anything that is source changed.
    ///
    /// # Errors
    /// Something could not be read; the call is to be repeated.
    pub fn update<S: Source>(
        &mut self,
        agent: Agent,
        changes: impl IntoIterator<Item = (Path, Option<Change>)>,
        source: &S,
    ) -> Result<bool, S::Error> {
        let work = self.works.entry(agent).or_default();
        let mut paths = Vec::new();
        for (path, change) in changes {
            if known(&path).is_none() {
                continue;
            }
            match change {
                Some(change) => {
                    // What is the same but was not placed, is tried again.
                    if work.changes.insert(path.clone(), change) != Some(change) || !work.landed.contains_key(&path) {
                        work.forget(&path);
                        paths.push(path);
                    }
                }
                None => {
                    if work.changes.remove(&path).is_some() {
                        work.forget(&path);
                        paths.push(path);
                    }
                }
            }
        }
        let any = !paths.is_empty();
        self.place(agent, paths, source)?;
        Ok(any)
    }

    /// Forgets an agent.
    pub fn remove(&mut self, agent: Agent) {
        self.works.remove(&agent);
    }

    /// The agents known.
    pub fn agents(&self) -> impl Iterator<Item = Agent> {
        self.works.keys().copied()
    }

    /// Reads at least one file of the tip that was not read yet, and goes on for as long as `more` says. Whatever cannot
    /// be read is left out.
    pub fn index_some<S: Source>(&mut self, source: &S, mut more: impl FnMut() -> bool) {
        while let Some(path) = self.waiting.pop_first() {
            self.outline(path, source);
            if !more() {
                break;
            }
        }
    }

    /// Whether all of the tip was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Files of the tip: those that are source, those that wait, and those left out.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        [self.tip.len(), self.waiting.len(), self.left_out.len()]
    }

    fn outline<S: Source>(&mut self, path: Path, source: &S) {
        let Some((name, language)) = known(&path) else { return };
        let Some(version) = self.tip.get(&path).copied().filter(|_| !self.base.touches(name)) else { return };
        let size = source.size(&version.id).unwrap_or(usize::MAX);
        let file = match self.indexed.saturating_add(size) {
            0..TEXT => read(source, language, version).ok().flatten(),
            _ => None,
        };
        match file {
            Some(file) => {
                self.base.set(name, Some(file.into_outline()));
                self.indexed += size;
                self.sizes.insert(path, size);
            }
            None => {
                self.left_out.insert(path);
            }
        }
    }

    /// The tip's file, whole, in the base.
    fn whole<S: Source>(&mut self, path: &Path, source: &S) -> Result<Option<Arc<File>>, S::Error> {
        let Some((name, language)) = known(path) else { return Ok(None) };
        let Some(version) = self.tip.get(path).copied() else { return Ok(None) };
        if let Some(Some(file)) =
            self.base.entry(name).filter(|file| file.as_ref().is_some_and(|one| !one.is_outline()))
        {
            return Ok(Some(file));
        }
        let Parsed::File(file) = self.library.file(source, language, version)? else {
            self.left_out.insert(path.clone());
            return Ok(None);
        };
        self.base.set_shared(name, Some(file.clone()));
        Ok(Some(file))
    }

    /// Puts an agent's changes of some paths onto the tip and parses them.
    fn place<S: Source>(&mut self, agent: Agent, paths: Vec<Path>, source: &S) -> Result<(), S::Error> {
        for path in paths {
            let Some(work) = self.works.get(&agent) else { return Ok(()) };
            let Some((name, language)) = known(&path) else { continue };
            let tip = self.tip.get(&path).copied();
            let landed = match work.changes.get(&path) {
                None => tip,
                Some(change) if change.base == tip => change.side,
                Some(change) => match pair::merge(source, &path, change.base, change.side, tip)? {
                    Pair::Clean(version) | Pair::Settles(version) => version,
                    // The conflict with what has landed is told; until it is settled nothing can be said here.
                    Pair::Conflict(..) => tip,
                },
            };
            let before = if landed == tip { None } else { self.whole(&path, source)? };
            let after = match landed.filter(|_| landed != tip) {
                Some(version) => self.library.file(source, language, version)?.file(),
                None => None,
            };
            let Some(work) = self.works.get_mut(&agent) else { return Ok(()) };
            work.forget(&path);
            let is_gone = landed.is_none() && tip.is_some();
            if landed == tip || (after.is_none() && !is_gone) {
                // Nothing of its own, or nothing that can be read.
                work.landed.insert(path, tip);
                continue;
            }
            let names = before.as_deref().map(|before| breaking_names(before, after.as_deref())).unwrap_or_default();
            work.index.set_shared(name, after);
            if !names.is_empty() {
                work.breaks.insert(path.clone(), names);
            }
            work.landed.insert(path, landed);
        }
        Ok(())
    }
}
