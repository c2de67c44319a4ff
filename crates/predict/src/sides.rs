//! The versions behind a finding: what somebody who settles it works from.

use crate::finding::{Finding, Kind, Region};
use crate::pair::{self, Pair};
use crate::star::{Agent, Landed, Star};
use crate::version::{Path, Source, Version};

/// A finding with the three versions that do not go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sides {
    /// How they collide.
    pub finding: Finding,
    /// What both changed.
    pub base: Option<Version>,
    /// The first agent's.
    pub first: Stand,
    /// The second agent's, or the tip.
    pub second: Stand,
}

/// What one side has, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Where it has the file: another path than the finding's when it renamed it.
    pub path: Path,
    /// What was compared: the change put onto the tip.
    pub merged: Option<Version>,
    /// What stands in the work itself.
    pub own: Option<Version>,
}

impl Star {
    /// The finding at a path between two, with its versions; nothing when they do not collide there, or have nothing at
    /// the path itself: a file of one where the other has a folder.
    ///
    /// # Errors
    /// Something could not be read.
    pub fn sides<S: Source>(
        &mut self,
        path: &Path,
        first: Agent,
        second: Option<Agent>,
        source: &S,
    ) -> Result<Option<Sides>, S::Error> {
        let found = self.examine(path, source)?.into_iter().find(|one| one.first == first && one.second == second);
        let Some(finding) = found else { return Ok(None) };
        let tip = source.tip(path)?;
        let Some(second) = second else {
            let Some(change) = self.work(first).and_then(|work| work.get(path)).copied() else { return Ok(None) };
            let first = Stand { path: path.clone(), merged: change.side, own: change.side };
            let second = Stand { path: path.clone(), merged: tip, own: tip };
            return Ok(Some(Sides { finding, base: change.base, first, second }));
        };
        let first = self.stand(source, path, first, finding.paths[0].as_ref(), tip)?;
        let second = self.stand(source, path, second, finding.paths[1].as_ref(), tip)?;
        Ok(first.zip(second).map(|(first, second)| Sides { finding, base: tip, first, second }))
    }

    fn stand<S: Source>(
        &mut self,
        source: &S,
        path: &Path,
        agent: Agent,
        to: Option<&Path>,
        tip: Option<Version>,
    ) -> Result<Option<Stand>, S::Error> {
        let path = to.unwrap_or(path);
        let Some(change) = self.work(agent).and_then(|work| work.get(path)).copied() else { return Ok(None) };
        if to.is_some() {
            return Ok(Some(Stand { path: path.clone(), merged: change.side, own: change.side }));
        }
        Ok(match self.landed(source, path, change, tip)? {
            Landed::Clean(merged) => Some(Stand { path: path.clone(), merged, own: change.side }),
            Landed::Conflict(..) => None,
        })
    }
}

/// How two versions collide, without anybody's work around them: what would be found if they stood there.
///
/// # Errors
/// A content could not be read.
pub fn collision<S: Source>(
    source: &S,
    path: &Path,
    base: Option<Version>,
    first: Option<Version>,
    second: Option<Version>,
) -> Result<Option<(Kind, Vec<Region>)>, S::Error> {
    Ok(match pair::merge(source, path, base, first, second)? {
        Pair::Clean(_) => None,
        Pair::Settles(_) => Some((Kind::Settles, Vec::new())),
        Pair::Conflict(kind, regions) => Some((kind, regions)),
    })
}
