//! The versions of one path, merged one after the other.

use super::sound::{Parse, Sound, nearest};
use super::{Break, Cause, Joined, Side};
use crate::finding::{Finding, Kind, Region};
use crate::pair::Pair;
use crate::star::{Agent, Star, readable};
use crate::version::{Path, Source, Version};

/// Of more others it is not worked out which of them it takes to break a union.
const OTHERS: usize = 16;

/// One path with what its versions are merged with.
pub(super) struct Fold<'a, S> {
    pub(super) star: &'a mut Star,
    pub(super) sound: &'a mut Sound,
    pub(super) source: &'a S,
    pub(super) path: &'a Path,
    pub(super) tip: Option<Version>,
}

/// Versions merged as far as they go together.
#[derive(Default)]
struct Whole {
    sides: Vec<Side>,
    version: Option<Version>,
    /// Those that do not, with those that were in it by then.
    collided: Vec<(Side, Vec<Side>)>,
}

impl<S: Source> Fold<'_, S> {
    /// Merges all, two at least. Nothing when their union stands at another path, from which they moved it.
    pub(super) fn run(mut self, sides: Vec<Side>) -> Result<Option<Joined>, S::Error> {
        if self.tip.is_none() && self.is_moved_here(&sides)? {
            return Ok(None);
        }
        let Some((at, mut sides)) = self.placed(sides)? else { return Ok(None) };
        let (mut breaks, mut is_unparsed) = (Vec::new(), false);
        let whole = loop {
            let whole = self.merge(&at, &sides)?;
            match self.first_broken(&at, &whole)? {
                Parse::Broken(line) => {
                    let (place, line) = self.breaker(&at, &whole.sides, line)?;
                    let (before, by) = (whole.sides.get(..place).unwrap_or_default(), whole.sides.get(place));
                    let Some(by) = by else { break whole };
                    breaks.push(self.unparsed(&at, before, *by, line)?);
                    sides.retain(|side| side != by);
                }
                Parse::Unknown => {
                    is_unparsed = true;
                    break whole;
                }
                Parse::Sound => break whole,
            }
        };
        for (by, before) in whole.collided {
            breaks.push(self.collision(&at, &before, by)?);
        }
        let agents = whole.sides.into_iter().map(|(agent, _)| agent).collect();
        Ok(Some(Joined { agents, at, version: whole.version, breaks, is_unparsed }))
    }

    /// Where the union is to stand, with everyone's version of it: who took the file away may have moved it.
    fn placed(&mut self, sides: Vec<Side>) -> Result<Option<(Path, Vec<Side>)>, S::Error> {
        let mut at = self.path.clone();
        let Some(old) = self.tip else { return Ok(Some((at, sides))) };
        self.star.forget_moves();
        let mut placed = Vec::with_capacity(sides.len());
        for (agent, version) in sides {
            let moved = if version.is_none() { self.star.renamed(self.source, agent, old)? } else { None };
            match moved {
                Some((to, version)) => {
                    at = to;
                    placed.push((agent, Some(version)));
                }
                None => placed.push((agent, version)),
            }
        }
        // Taken away by one and kept by another is no union; it is told as a collision of the two.
        let gone = placed.iter().filter(|(_, version)| version.is_none()).count();
        Ok((gone == 0 || gone == placed.len()).then_some((at, placed)))
    }

    fn merge(&mut self, at: &Path, sides: &[Side]) -> Result<Whole, S::Error> {
        let mut whole = Whole::default();
        for side in sides {
            match self.add(at, &whole.sides, whole.version, *side)? {
                Pair::Clean(version) | Pair::Settles(version) => {
                    whole.version = version;
                    whole.sides.push(*side);
                }
                Pair::Conflict(..) => whole.collided.push((*side, whole.sides.clone())),
            }
        }
        Ok(whole)
    }

    /// Adds one version to the union of others. The regions are those of the union, then those of the one.
    /// Two are merged as they were when they were compared: the one of the lower number comes first.
    fn add(&mut self, at: &Path, others: &[Side], union: Option<Version>, (_, side): Side) -> Merged<S> {
        match others {
            [] => Ok(Pair::Clean(side)),
            _ => self.star.merge(self.source, at, (self.tip, union, side)),
        }
    }

    /// Whether all that went in can be parsed, and what came out cannot.
    fn first_broken(&mut self, at: &Path, whole: &Whole) -> Result<Parse, S::Error> {
        let Some(language) = Sound::language(at) else { return Ok(Parse::Sound) };
        let Some(result) = whole.version.filter(|_| whole.sides.len() > 1) else { return Ok(Parse::Sound) };
        for version in self.tip.into_iter().chain(whole.sides.iter().filter_map(|(_, version)| *version)) {
            match self.sound.of(self.source, language, version)? {
                Parse::Sound => (),
                Parse::Broken(_) => return Ok(Parse::Sound),
                Parse::Unknown => return Ok(Parse::Unknown),
            }
        }
        self.sound.of(self.source, language, result)
    }

    /// Whose addition made the union no program any more, and the line of it that is none.
    fn breaker(&mut self, at: &Path, sides: &[Side], line: usize) -> Result<(usize, usize), S::Error> {
        for place in 1..sides.len().saturating_sub(1) {
            if let Parse::Broken(line) = self.parsed(at, sides.get(..=place).unwrap_or_default())? {
                return Ok((place, line));
            }
        }
        Ok((sides.len().saturating_sub(1), line))
    }

    /// What the parser says of the union of these; not known where they do not merge.
    fn parsed(&mut self, at: &Path, sides: &[Side]) -> Result<Parse, S::Error> {
        let whole = self.merge(at, sides)?;
        match (Sound::language(at), whole.version) {
            (Some(language), Some(version)) if whole.collided.is_empty() => {
                self.sound.of(self.source, language, version)
            }
            _ => Ok(Parse::Unknown),
        }
    }

    fn collision(&mut self, at: &Path, before: &[Side], by: Side) -> Result<Break, S::Error> {
        let others = self.fewest(before, |this, fewer| {
            let whole = this.merge(at, fewer)?;
            let collides = matches!(this.add(at, fewer, whole.version, by)?, Pair::Conflict(..));
            Ok(whole.collided.is_empty() && collides)
        })?;
        let union = self.merge(at, &others)?.version;
        let (kind, regions) = match self.add(at, &others, union, by)? {
            Pair::Conflict(kind, regions) => (kind, regions.into_iter().map(Region::swapped).collect()),
            Pair::Clean(_) | Pair::Settles(_) => (Kind::Content, Vec::new()),
        };
        Ok(self.told(&others, union, by, kind, regions, Cause::Collides))
    }

    fn unparsed(&mut self, at: &Path, before: &[Side], by: Side, line: usize) -> Result<Break, S::Error> {
        let with = |fewer: &[Side]| fewer.iter().copied().chain([by]).collect::<Vec<_>>();
        let others = self.fewest(before, |this, fewer| {
            let is_sound = this.parsed(at, fewer)? == Parse::Sound;
            Ok(is_sound && matches!(this.parsed(at, &with(fewer))?, Parse::Broken(_)))
        })?;
        let all = with(&others);
        let line = if let Parse::Broken(line) = self.parsed(at, &all)? { line } else { line };
        let (union, result) = (self.merge(at, &others)?.version, self.merge(at, &all)?.version);
        let sides: Vec<Version> = all.iter().filter_map(|(_, version)| *version).collect();
        let regions = match (union, by.1, result) {
            (Some(union), Some(own), Some(result)) => {
                nearest(self.source, self.tip, &sides, (own, union), (result, line))?
            }
            _ => Vec::new(),
        };
        let kind = if self.tip.is_some() { Kind::Content } else { Kind::AddAdd };
        Ok(self.told(&others, union, by, kind, regions, Cause::DoesNotParse))
    }

    /// The fewest of them with which it still breaks.
    fn fewest(
        &mut self,
        all: &[Side],
        breaks: impl Fn(&mut Self, &[Side]) -> Result<bool, S::Error>,
    ) -> Result<Vec<Side>, S::Error> {
        let mut kept = all.to_vec();
        if kept.len() > OTHERS {
            return Ok(kept);
        }
        for side in all {
            let fewer: Vec<Side> = kept.iter().filter(|one| *one != side).copied().collect();
            if !fewer.is_empty() && breaks(self, &fewer)? {
                kept = fewer;
            }
        }
        Ok(kept)
    }

    fn told(
        &self,
        others: &[Side],
        union: Option<Version>,
        (first, own): Side,
        kind: Kind,
        regions: Vec<Region>,
        cause: Cause,
    ) -> Break {
        let with: Vec<Agent> = others.iter().map(|(agent, _)| *agent).collect();
        let (path, second, contents) = (self.path.clone(), with.first().copied(), readable((self.tip, own, union)));
        let finding = Finding { path, first, second, kind, regions, paths: [None, None], contents };
        Break { finding, with, cause }
    }

    /// Whether this path is where two of them moved one file to.
    fn is_moved_here(&mut self, sides: &[Side]) -> Result<bool, S::Error> {
        for (place, (first, _)) in sides.iter().enumerate() {
            for (second, _) in sides.iter().skip(place + 1) {
                if self.star.both_moved_to(self.source, self.path, *first, *second)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

type Merged<S> = Result<Pair, <S as Source>::Error>;
