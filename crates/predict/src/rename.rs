//! Where a deleted file went, told by the likeness of contents.

use crate::version::{Change, Id, Path, Source, Version};
use std::collections::{BTreeMap, HashMap};

/// A renamed file has at least half of its lines in common with the old one, as in git.
const LIKE: f64 = 0.5;
/// Added files that are looked at for one that was deleted.
const CANDIDATES: usize = 200;

/// Likenesses that are remembered; when there are more, all are forgotten.
const REMEMBERED: usize = 1 << 16;

/// How alike contents are that were compared before: in many deletions and additions the same ones meet again and again.
#[derive(Debug, Default)]
pub(crate) struct Likenesses(HashMap<(Id, Id), f64>);

impl Likenesses {
    fn of<S: Source>(&mut self, source: &S, old: Id, new: Id) -> Result<f64, S::Error> {
        if let Some(known) = self.0.get(&(old, new)) {
            return Ok(*known);
        }
        let like = likeness(&source.content(&old)?, &source.content(&new)?);
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert((old, new), like);
        Ok(like)
    }
}

/// Whether a file may be `old` under another name.
pub(crate) fn is_like<S: Source>(
    source: &S,
    likenesses: &mut Likenesses,
    old: Version,
    new: Version,
) -> Result<bool, S::Error> {
    let is_readable = |version: Version| version.mode.is_file() && !version.opaque;
    Ok(old.id == new.id || (is_readable(old) && is_readable(new) && likenesses.of(source, old.id, new.id)? >= LIKE))
}

/// The path that an agent's `old` was renamed to, with what stands there: an added file with the same content, else
/// the most alike; of equals, the first by name.
pub(crate) fn find<S: Source>(
    source: &S,
    likenesses: &mut Likenesses,
    changes: &BTreeMap<Path, Change>,
    old: Version,
) -> Result<Option<(Path, Version)>, S::Error> {
    let added = || {
        let new = |(path, change): (&Path, &Change)| {
            let side = change.side.filter(|side| change.base.is_none() && side.mode.is_file() && !side.opaque)?;
            Some((path.clone(), side))
        };
        changes.iter().filter_map(new).take(CANDIDATES)
    };
    if let Some(same) = added().find(|(_, side)| side.id == old.id) {
        return Ok(Some(same));
    }
    if old.opaque || !old.mode.is_file() {
        return Ok(None);
    }
    let mut best: Option<(f64, (Path, Version))> = None;
    for (path, side) in added() {
        let like = likenesses.of(source, old.id, side.id)?;
        if like >= LIKE && best.as_ref().is_none_or(|(most, _)| like > *most) {
            best = Some((like, (path, side)));
        }
    }
    Ok(best.map(|(_, found)| found))
}

/// The share of bytes of the larger file that stand in lines of both.
fn likeness(one: &[u8], two: &[u8]) -> f64 {
    let larger = one.len().max(two.len());
    if larger == 0 || one.len().min(two.len()) * 2 < larger {
        return 0.0;
    }
    let mut lines: HashMap<&[u8], usize> = HashMap::new();
    for line in one.split_inclusive(|byte| *byte == b'\n') {
        *lines.entry(line).or_default() += 1;
    }
    let mut common = 0;
    for line in two.split_inclusive(|byte| *byte == b'\n') {
        if let Some(left) = lines.get_mut(line).filter(|left| **left > 0) {
            *left -= 1;
            common += line.len();
        }
    }
    common as f64 / larger as f64
}
