//! The union of everyone's work, path by path.
//!
//! Work that goes together two by two may still not go together as a whole. At each path that several agents changed
//! their versions are merged one after the other, in the order of their numbers. Whose work collides with another
//! one's, or with what has landed, is left out at every path.

mod fold;
mod sound;

use self::fold::Fold;
use self::sound::Sound;
use crate::finding::{Finding, Kind};
use crate::star::{Agent, Landed, Star};
use crate::version::{Path, Source, Version};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whom a collision is between; the second is nothing for landed work.
type Between = (Agent, Option<Agent>);

/// One side at a path: whose it is, and the change put onto the tip.
type Side = (Agent, Option<Version>);

/// The union of several agents' versions of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Whose versions are in it, in the order in which they were merged.
    pub agents: Vec<Agent>,
    /// Where it stands: another path than that which they changed when some of them moved the file.
    pub at: Path,
    /// What it is; nothing when the file is gone.
    pub version: Option<Version>,
    /// Whose versions are not in it, as they do not go together with those that are.
    pub breaks: Vec<Break>,
    /// It may be no program any more: it, or one of the versions, is too large to be parsed.
    pub is_unparsed: bool,
}

/// Work that goes together two by two, and not as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// As of two sides: the agent whose addition breaks it, and the union of the others. The second agent is the first
    /// of them.
    pub finding: Finding,
    /// The fewest others that it takes, in their order; all of them where there are many.
    pub with: Vec<Agent>,
    /// In which way.
    pub cause: Cause,
}

/// In which way a union breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The last version does not merge with the union of the others.
    Collides,
    /// Each version can be parsed, and so can the union without the last, but not with it.
    DoesNotParse,
}

/// What the union of everyone's work is, as far as it was asked for.
#[derive(Debug, Default)]
pub struct Union {
    /// What collides two by two.
    collisions: HashMap<Path, Vec<Between>>,
    /// Who is left out, with the paths at which it collides.
    left_out: BTreeMap<Agent, BTreeSet<Path>>,
    /// Paths that are to be joined anew.
    due: BTreeSet<Path>,
    /// Of the paths that several agents in it changed.
    joined: BTreeMap<Path, Joined>,
    sound: Sound,
}

impl Union {
    /// Takes over what was found at a path between two; call it for every path that was examined. The path becomes due,
    /// and so do the paths of agents that are left out from now on, or are back.
    pub fn note(&mut self, star: &Star, path: &Path, findings: &[Finding]) {
        let collides = findings.iter().filter(|one| one.kind != Kind::Settles);
        let now: Vec<Between> = collides.map(|one| (one.first, one.second)).collect();
        let before = match now.is_empty() {
            true => self.collisions.remove(path),
            false => self.collisions.insert(path.clone(), now.clone()),
        };
        let before = before.unwrap_or_default();
        self.mark(star, path);
        if before == now {
            return;
        }
        let agents = |between: &[Between]| between.iter().flat_map(|(a, b)| [Some(*a), *b]).flatten().collect();
        let (before, now): (BTreeSet<Agent>, BTreeSet<Agent>) = (agents(&before), agents(&now));
        for agent in before.symmetric_difference(&now) {
            let was_out = self.left_out.contains_key(agent);
            let at = self.left_out.entry(*agent).or_default();
            if now.contains(agent) {
                at.insert(path.clone());
            } else {
                at.remove(path);
            }
            let is_out = !at.is_empty();
            if !is_out {
                self.left_out.remove(agent);
            }
            if was_out != is_out {
                let paths = star.work(*agent).into_iter().flat_map(BTreeMap::keys);
                paths.for_each(|path| self.mark(star, path));
            }
        }
    }

    fn mark(&mut self, star: &Star, path: &Path) {
        if star.is_shared(path) || self.joined.contains_key(path) {
            self.due.insert(path.clone());
        }
    }

    /// Takes a path that is to be joined anew.
    pub fn next_due(&mut self) -> Option<Path> {
        self.due.pop_first()
    }

    /// Whether a path is to be joined anew.
    #[must_use]
    pub fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Joins what the agents have at a path. Nothing when fewer than two of those in the union changed it.
    ///
    /// # Errors
    /// Something could not be read; then nothing new is known of the union there, and what was joined last stands.
    pub fn join<S: Source>(&mut self, star: &mut Star, path: &Path, source: &S) -> Result<Option<&Joined>, S::Error> {
        self.due.remove(path);
        let tip = source.tip(path)?;
        let sides = self.sides(star, path, tip, source)?;
        let joined =
            if sides.len() < 2 { None } else { Fold { star, sound: &mut self.sound, source, path, tip }.run(sides)? };
        Ok(match joined {
            Some(joined) => Some(self.joined.entry(path.clone()).insert_entry(joined).into_mut()),
            None => {
                self.joined.remove(path);
                None
            }
        })
    }

    /// What those in the union have at a path other than the tip, in the order of their numbers.
    fn sides<S: Source>(
        &self,
        star: &mut Star,
        path: &Path,
        tip: Option<Version>,
        source: &S,
    ) -> Result<Vec<Side>, S::Error> {
        let mut sides = Vec::new();
        let changes: Vec<_> = star.changes_at(path).filter(|(agent, _)| !self.left_out.contains_key(agent)).collect();
        for (agent, change) in changes {
            if let Landed::Clean(version) = star.landed(source, path, change, tip)?
                && version != tip
            {
                sides.push((agent, version));
            }
        }
        Ok(sides)
    }

    /// Who is left out, with where it collides and with whom; nobody is landed work.
    pub fn left_out(&self) -> impl Iterator<Item = (Agent, Vec<(&Path, Option<Agent>)>)> {
        self.left_out.iter().map(|(agent, paths)| {
            let mut with = Vec::new();
            for path in paths {
                for (first, second) in self.collisions.get(path).into_iter().flatten() {
                    if first == agent {
                        with.push((path, *second));
                    } else if *second == Some(*agent) {
                        with.push((path, Some(*first)));
                    }
                }
            }
            (*agent, with)
        })
    }

    /// Whether an agent is left out.
    #[must_use]
    pub fn leaves_out(&self, agent: Agent) -> bool {
        self.left_out.contains_key(&agent)
    }

    /// The paths that several agents in it changed, as they were joined last.
    pub fn joined(&self) -> impl Iterator<Item = (&Path, &Joined)> {
        self.joined.iter()
    }

    /// Where the union differs from the tip, and what it has there. Where it breaks, that is the union of those that go
    /// together.
    ///
    /// # Errors
    /// Something could not be read.
    pub fn changes<S: Source>(&self, star: &mut Star, source: &S) -> Result<BTreeMap<Path, Option<Version>>, S::Error> {
        let mut changes = BTreeMap::new();
        let paths: Vec<Path> = star.paths().cloned().collect();
        for path in paths.into_iter().filter(|path| !self.joined.contains_key(path)) {
            let tip = source.tip(&path)?;
            // Of several that are not joined here, the file was moved to this path: its union stands at the old one.
            if let [(_, version)] = self.sides(star, &path, tip, source)?.as_slice() {
                changes.insert(path, *version);
            }
        }
        for (path, joined) in &self.joined {
            if joined.at != *path {
                changes.insert(path.clone(), None);
            }
        }
        // Who added a moved file at its new path alike, and did not move it, is joined there: the move has more.
        let (moved, stayed): (Vec<_>, Vec<_>) = self.joined.iter().partition(|(path, joined)| joined.at != **path);
        let all = stayed.into_iter().chain(moved);
        changes.extend(all.map(|(_, joined)| (joined.at.clone(), joined.version)));
        Ok(changes)
    }
}
