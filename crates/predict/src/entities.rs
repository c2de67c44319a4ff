//! Which entities colliding lines lie in, and which a change touches.

use crate::finding::{Finding, Part};
use crate::symbols::text::line_at;
use crate::version::{Change, Id, Path, Source, Version};
use orchestrator_syntax::{ChangeKind, Entity, File, Language, Limits, changes, parse};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Entities that are named.
const NAMED: usize = 16;
/// Parsing must not delay what is told: a larger file's entities are not named.
pub(crate) const LIMITS: Limits = Limits { bytes: 256 << 10, steps: 500_000 };

/// What lies where lines collide.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Paths of the entities below their file, joined with dots.
    pub entities: Vec<String>,
    /// The collision is about an entity's signature: one side changed, renamed or removed it there.
    pub signature: bool,
}

/// A content with its parse.
struct Side {
    text: Arc<[u8]>,
    file: File,
}

impl Finding {
    /// The entities at the colliding lines of any side. Parses up to three contents; nothing is found in a file of no
    /// known language, and in one that is large.
    ///
    /// # Errors
    /// A content could not be read.
    pub fn touched<S: Source>(&self, source: &S) -> Result<Touched, S::Error> {
        let path = String::from_utf8_lossy(&self.path);
        let Some(language) = Language::of_path(&path).filter(|_| !self.regions.is_empty()) else {
            return Ok(Touched::default());
        };
        let [base, first, second] = self.contents;
        let read = |id: Option<Id>| id.map(|id| side(source, language, &id)).transpose().map(Option::flatten);
        let sides = [read(base)?, read(first)?, read(second)?];
        let mut names = BTreeSet::new();
        let mut signature = false;
        for region in &self.regions {
            for (side, part) in sides.iter().zip([&region.base, &region.first, &region.second]) {
                let found = side.iter().flat_map(|side| side.file.entities_at_lines(&lines(part)));
                names.extend(found.map(|entity| entity.path.clone()));
            }
            let [base, first, second] = &sides;
            signature |= match (base, first, second) {
                (Some(base), Some(first), Some(second)) => {
                    changes_signature(base, &region.base, first) || changes_signature(base, &region.base, second)
                }
                (None, Some(first), Some(second)) => changes_signature(first, &region.first, second),
                _ => false,
            };
        }
        Ok(Touched { entities: names.into_iter().take(NAMED).collect(), signature })
    }
}

/// An entity that a change makes different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedEntity {
    /// Its path below its file, joined with dots.
    pub path: String,
    /// It comes, goes or gets another name, and all within it.
    pub whole: bool,
}

/// The entities that a change makes different. Nothing where that cannot be told: no known language, too large, no text.
///
/// # Errors
/// A content could not be read.
pub fn changed_entities<S: Source>(path: &Path, change: Change, source: &S) -> Result<Vec<ChangedEntity>, S::Error> {
    let Some(language) = Language::of_path(&String::from_utf8_lossy(path)) else { return Ok(Vec::new()) };
    let read = |version: Option<Version>| match version {
        Some(version) if !version.opaque && version.mode.is_file() => side(source, language, &version.id),
        _ => Ok(None),
    };
    let (base, now) = (read(change.base)?, read(change.side)?);
    let all = |side: &Side| {
        let outer = side.file.entities.iter().filter(|one| one.parent.is_none());
        outer.map(|one| ChangedEntity { path: one.path.clone(), whole: true }).collect()
    };
    Ok(match (&base, &now) {
        (Some(base), Some(now)) => {
            let is_whole = |change: &ChangeKind| !matches!(change, ChangeKind::Body | ChangeKind::Signature(_));
            let changes = changes(&base.file, &now.file).into_iter();
            changes.map(|one| ChangedEntity { whole: is_whole(&one.change), path: one.path }).collect()
        }
        (Some(base), None) if change.side.is_none() => all(base),
        (None, Some(now)) if change.base.is_none() => all(now),
        _ => Vec::new(),
    })
}

fn side<S: Source>(source: &S, language: Language, id: &Id) -> Result<Option<Side>, S::Error> {
    if source.size(id)? > LIMITS.bytes {
        return Ok(None);
    }
    let text = source.content(id)?;
    Ok(parse(language, &text, LIMITS).ok().map(|file| Side { text, file }))
}

/// Lines counted from 0.
fn lines(part: &Part) -> std::ops::Range<usize> {
    let start = part.start.saturating_sub(1);
    start..start + part.lines
}

/// Whether an entity whose signature stands in these lines has another one on the other side.
fn changes_signature(from: &Side, part: &Part, to: &Side) -> bool {
    let lines = lines(part);
    let stands_there = |entity: &&Entity| {
        let head = &entity.signature_range;
        let (first, last) = (line_at(&from.text, head.start), line_at(&from.text, head.end.saturating_sub(1)));
        entity.signature.has_parameters && first < lines.end && lines.start <= last
    };
    from.file.entities.iter().filter(stands_there).any(|entity| {
        let same = |other: &Entity| other.signature.text == entity.signature.text;
        !to.file.find_all(&entity.path).any(same)
    })
}
