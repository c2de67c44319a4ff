//! All agents' changes around one tip.

use crate::finding::{Finding, Kind, Region};
use crate::pair::{self, Pair};
use crate::rename::{self, Likenesses};
use crate::version::{Change, Id, Mode, Path, Source, Version};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

/// Whose work it is: a number that the caller gives.
pub type Agent = u64;

/// Merges that are remembered; the oldest half is forgotten when there are more.
const REMEMBERED: usize = 4_096;

/// The three versions of a merge.
pub(crate) type Three = (Option<Version>, Option<Version>, Option<Version>);

/// All agents' changes, and who shares which path.
#[derive(Debug, Default)]
pub struct Star {
    works: BTreeMap<Agent, BTreeMap<Path, Change>>,
    sharers: HashMap<Path, BTreeSet<Agent>>,
    merges: HashMap<(Path, Three), (u64, Pair)>,
    /// Counts merges, for the age of those remembered.
    age: u64,
    likenesses: Likenesses,
    /// Where agents moved the file that is being examined.
    moved: HashMap<Agent, Option<(Path, Version)>>,
}

/// Where one agent's change stands on the tip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Landed {
    /// It goes onto the tip, as this.
    Clean(Option<Version>),
    /// It collides with what has landed.
    Conflict(Kind, Vec<Region>),
}

/// How two agents collide at a path.
struct Collision {
    kind: Kind,
    regions: Vec<Region>,
    /// Where each has the file, when it renamed it.
    paths: [Option<Path>; 2],
    contents: [Option<Id>; 3],
}

impl Collision {
    fn at_path(kind: Kind, regions: Vec<Region>, three: Three) -> Self {
        Self { kind, regions, paths: [None, None], contents: readable(three) }
    }
}

/// The contents of three versions, where they may be read.
pub(crate) fn readable((base, first, second): Three) -> [Option<Id>; 3] {
    [base, first, second].map(|one| one.filter(|one| !one.opaque && one.mode.is_file()).map(|one| one.id))
}

impl Star {
    /// Takes over what an agent has at some paths; `None` where it has nothing of its own any more. Returns the
    /// paths at which something changed: those are to be [examined](Self::examine), each.
    pub fn update(
        &mut self,
        agent: Agent,
        changes: impl IntoIterator<Item = (Path, Option<Change>)>,
    ) -> BTreeSet<Path> {
        let work = self.works.entry(agent).or_default();
        let mut touched = BTreeSet::new();
        let mut moved = false;
        for (path, change) in changes {
            let before = match change {
                Some(change) => work.insert(path.clone(), change),
                None => work.remove(&path),
            };
            if before == change {
                continue;
            }
            let exists =
                |change: Option<Change>| change.is_some_and(|change| change.base.is_some() != change.side.is_some());
            moved |= exists(before) || exists(change);
            let sharers = self.sharers.entry(path.clone()).or_default();
            if change.is_some() {
                sharers.insert(agent);
            } else {
                sharers.remove(&agent);
            }
            if sharers.is_empty() {
                self.sharers.remove(&path);
            }
            touched.insert(path);
        }
        let folders: Vec<Path> = touched.iter().flat_map(|path| self.changed_above(path)).collect();
        touched.extend(folders);
        if moved {
            // A file that came or went may be half of a rename: what was deleted, or added by others too, is to be
            // judged anew.
            let work = self.works.get(&agent).into_iter().flatten();
            let halves =
                work.filter(|(path, change)| change.side.is_none() || (change.base.is_none() && self.is_shared(path)));
            touched.extend(halves.map(|(path, _)| path.clone()));
        }
        touched
    }

    /// Changed paths that would have to be folders for this one to exist.
    fn changed_above(&self, path: &Path) -> Vec<Path> {
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(end, _)| end);
        ends.filter_map(|end| self.sharers.get_key_value(path.get(..end)?)).map(|(above, _)| above.clone()).collect()
    }

    /// Forgets an agent. Returns the paths to examine.
    pub fn remove(&mut self, agent: Agent) -> BTreeSet<Path> {
        let paths: Vec<Path> = self.works.get(&agent).into_iter().flat_map(BTreeMap::keys).cloned().collect();
        let touched = self.update(agent, paths.into_iter().map(|path| (path, None)));
        self.works.remove(&agent);
        touched
    }

    /// The paths that anyone changed.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.sharers.keys()
    }

    /// Whether several agents changed a path.
    pub(crate) fn is_shared(&self, path: &Path) -> bool {
        self.sharers.get(path).is_some_and(|sharers| sharers.len() > 1)
    }

    /// Another file is examined from now on.
    pub(crate) fn forget_moves(&mut self) {
        self.moved.clear();
    }

    /// An agent's changes.
    #[must_use]
    pub fn work(&self, agent: Agent) -> Option<&BTreeMap<Path, Change>> {
        self.works.get(&agent)
    }

    /// All agents' changes at a path, in the order of their numbers.
    pub fn changes_at<'a>(&'a self, path: &'a Path) -> impl Iterator<Item = (Agent, Change)> + 'a {
        let sharers = self.sharers.get(path).into_iter().flatten();
        sharers.filter_map(|agent| Some((*agent, *self.works.get(agent)?.get(path)?)))
    }

    /// All findings at a path, in a stable order: with landed work first, then of every two agents.
    ///
    /// # Errors
    /// Something could not be read; then nothing is known of the path.
    pub fn examine<S: Source>(&mut self, path: &Path, source: &S) -> Result<Vec<Finding>, S::Error> {
        let agents: Vec<Agent> = self.sharers.get(path).into_iter().flatten().copied().collect();
        let tip = source.tip(path)?;
        self.moved.clear();
        let mut findings = Vec::new();
        let mut sides = Vec::new();
        for agent in agents {
            let Some(change) = self.works.get(&agent).and_then(|work| work.get(path)).copied() else { continue };
            match self.landed(source, path, change, tip)? {
                Landed::Clean(version) => sides.push((agent, version)),
                Landed::Conflict(kind, regions) => {
                    let (path, paths) = (path.clone(), [None, None]);
                    let contents = readable((change.base, change.side, tip));
                    findings.push(Finding { path, first: agent, second: None, kind, regions, paths, contents });
                }
            }
        }
        for (place, (first, ours)) in sides.iter().enumerate() {
            for (second, theirs) in sides.iter().skip(place + 1) {
                let found = self.collide(source, path, tip, (*first, *ours), (*second, *theirs))?;
                if let Some(Collision { kind, regions, paths, contents }) = found {
                    let (path, first, second) = (path.clone(), *first, Some(*second));
                    findings.push(Finding { path, first, second, kind, regions, paths, contents });
                }
            }
        }
        findings.extend(self.folder_clashes(path));
        Ok(findings)
    }

    /// Puts an agent's change onto the tip.
    pub(crate) fn landed<S: Source>(
        &mut self,
        source: &S,
        path: &Path,
        change: Change,
        tip: Option<Version>,
    ) -> Result<Landed, S::Error> {
        Ok(match self.merge(source, path, (change.base, change.side, tip))? {
            Pair::Clean(version) | Pair::Settles(version) => Landed::Clean(version),
            Pair::Conflict(kind, regions) => Landed::Conflict(kind, regions),
        })
    }

    fn collide<S: Source>(
        &mut self,
        source: &S,
        path: &Path,
        tip: Option<Version>,
        (first, ours): (Agent, Option<Version>),
        (second, theirs): (Agent, Option<Version>),
    ) -> Result<Option<Collision>, S::Error> {
        let (kind, regions) = match (ours, theirs, tip) {
            (None, None, Some(old)) => return self.both_gone(source, first, second, old),
            _ => match self.merge(source, path, (tip, ours, theirs))? {
                Pair::Clean(_) => return Ok(None),
                Pair::Settles(_) => {
                    return Ok(Some(Collision::at_path(Kind::Settles, Vec::new(), (tip, ours, theirs))));
                }
                Pair::Conflict(kind, regions) => (kind, regions),
            },
        };
        // The one that deleted it may have renamed it.
        let (mover, stayed, is_first) = match (ours, theirs, tip) {
            (None, Some(version), Some(_)) => (first, version, true),
            (Some(version), None, Some(_)) => (second, version, false),
            // Both moved one file here: how that goes together is told at its old path.
            (Some(_), Some(_), None) if self.both_moved_to(source, path, first, second)? => return Ok(None),
            _ => return Ok(Some(Collision::at_path(kind, regions, (tip, ours, theirs)))),
        };
        let Some(old) = tip else { return Ok(None) };
        let Some((to, version)) = self.renamed(source, mover, old)? else {
            return Ok(Some(Collision::at_path(kind, regions, (tip, ours, theirs))));
        };
        let (kind, regions) = match self.merge(source, &to, (Some(old), Some(version), Some(stayed)))? {
            Pair::Clean(_) => return Ok(None),
            Pair::Settles(_) => (Kind::Settles, Vec::new()),
            Pair::Conflict(_, regions) if is_first => (Kind::Rename, regions),
            Pair::Conflict(_, regions) => (Kind::Rename, regions.into_iter().map(Region::swapped).collect()),
        };
        let paths = if is_first { [Some(to), None] } else { [None, Some(to)] };
        let (one, two) = if is_first { (version, stayed) } else { (stayed, version) };
        Ok(Some(Collision { kind, regions, paths, contents: readable((Some(old), Some(one), Some(two))) }))
    }

    /// Whether some file that both took away was moved to this path by both.
    pub(crate) fn both_moved_to<S: Source>(
        &mut self,
        source: &S,
        path: &Path,
        first: Agent,
        second: Agent,
    ) -> Result<bool, S::Error> {
        let (Some(ours), Some(theirs)) = (self.works.get(&first), self.works.get(&second)) else { return Ok(false) };
        let is_gone = |change: &Change| change.side.is_none();
        let gone = ours.iter().filter(|(_, change)| is_gone(change));
        for (from, _) in gone.filter(|(from, _)| theirs.get(*from).is_some_and(is_gone)) {
            let Some(old) = source.tip(from)? else { continue };
            let likenesses = &mut self.likenesses;
            let mut moved_here = |work: &BTreeMap<Path, Change>| {
                let Some(here) = work.get(path).and_then(|change| change.side) else { return Ok(false) };
                // Much cheaper than to look through all that was added.
                Ok(rename::is_like(source, likenesses, old, here)?
                    && rename::find(source, likenesses, work, old)?.is_some_and(|(to, _)| to == *path))
            };
            if moved_here(ours)? && moved_here(theirs)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Both took a file away from its path: fine, unless one of them only moved it.
    fn both_gone<S: Source>(
        &mut self,
        source: &S,
        first: Agent,
        second: Agent,
        old: Version,
    ) -> Result<Option<Collision>, S::Error> {
        let (ours, theirs) = (self.renamed(source, first, old)?, self.renamed(source, second, old)?);
        let there = |found: &Option<(Path, Version)>| found.as_ref().map(|(_, version)| *version);
        let contents = readable((Some(old), there(&ours), there(&theirs)));
        let (kind, regions) = match (&ours, &theirs) {
            (None, None) => return Ok(None),
            (Some((to, one)), Some((same, two))) if to == same => {
                match self.merge(source, to, (Some(old), Some(*one), Some(*two)))? {
                    Pair::Clean(_) => return Ok(None),
                    Pair::Settles(_) => (Kind::Settles, Vec::new()),
                    Pair::Conflict(_, regions) => (Kind::Rename, regions),
                }
            }
            (Some(_), Some(_)) => (Kind::Rename, Vec::new()),
            _ => (Kind::DeleteModify, pair::beside_deletion(source, Some(old), there(&ours), there(&theirs))?),
        };
        let to = |found: Option<(Path, Version)>| found.map(|(path, _)| path);
        Ok(Some(Collision { kind, regions, paths: [to(ours), to(theirs)], contents }))
    }

    pub(crate) fn renamed<S: Source>(
        &mut self,
        source: &S,
        agent: Agent,
        old: Version,
    ) -> Result<Option<(Path, Version)>, S::Error> {
        if let Some(known) = self.moved.get(&agent) {
            return Ok(known.clone());
        }
        let found = match self.works.get(&agent) {
            Some(work) => rename::find(source, &mut self.likenesses, work, old)?,
            None => None,
        };
        self.moved.insert(agent, found.clone());
        Ok(found)
    }

    /// A file of one agent where another has a folder: told at the file's path.
    fn folder_clashes(&self, path: &Path) -> Vec<Finding> {
        let is_there = |change: &Change| change.side.is_some_and(|side| side.mode != Mode::Commit);
        let holds_file = |agent: &Agent| self.works.get(agent).and_then(|work| work.get(path)).is_some_and(is_there);
        let files: Vec<Agent> = self.sharers.get(path).into_iter().flatten().copied().filter(holds_file).collect();
        if files.is_empty() {
            return Vec::new();
        }
        let below: Vec<u8> = [path, b"/".as_slice()].concat();
        let mut findings = Vec::new();
        for (other, work) in &self.works {
            let from: Path = below.as_slice().into();
            let mut inside = work.range::<Path, _>((Bound::Included(from), Bound::Unbounded));
            let has_folder = inside.by_ref().take_while(|(path, _)| path.starts_with(&below)).any(|(_, c)| is_there(c));
            for agent in files.iter().filter(|agent| has_folder && *agent != other) {
                let (first, second) = (*agent.min(other), Some(*agent.max(other)));
                let (path, paths) = (path.clone(), [None, None]);
                let (regions, contents) = (Vec::new(), [None; 3]);
                findings.push(Finding { path, first, second, kind: Kind::Mode, regions, paths, contents });
            }
        }
        findings
    }

    /// Merges, or remembers how that went.
    pub(crate) fn merge<S: Source>(&mut self, source: &S, path: &Path, three: Three) -> Result<Pair, S::Error> {
        let (base, ours, theirs) = three;
        let is_trivial = ours == theirs || ours == base || theirs == base;
        if is_trivial {
            return pair::merge(source, path, base, ours, theirs);
        }
        self.age += 1;
        let age = self.age;
        if let Some((used, pair)) = self.merges.get_mut(&(path.clone(), three)) {
            *used = age;
            return Ok(pair.clone());
        }
        let pair = pair::merge(source, path, base, ours, theirs)?;
        if self.merges.len() >= REMEMBERED {
            let half = age - REMEMBERED as u64 / 2;
            self.merges.retain(|_, (used, _)| *used > half);
        }
        self.merges.insert((path.clone(), three), (age, pair.clone()));
        Ok(pair)
    }
}
