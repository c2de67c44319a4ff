//! Whether a version can be parsed, and where the changes lie that made one that cannot.

use crate::entities::LIMITS;
use crate::finding::{Part, Region};
use crate::overwritten::{Text, translate};
use crate::symbols::text::line_at;
use crate::version::{Id, Path, Source, Version};
use orchestrator_merge::{Hunk, differences};
use orchestrator_syntax::{Language, parse};
use std::collections::HashMap;

/// Contents that are remembered; when there are more, all are forgotten.
const REMEMBERED: usize = 4_096;

/// What the parser says of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parse {
    /// It understands all of it.
    Sound,
    /// It does not: at this line, counted from 0.
    Broken(usize),
    /// It was not asked.
    Unknown,
}

/// What the parser said of contents.
#[derive(Debug, Default)]
pub(super) struct Sound(HashMap<(Language, Id), Parse>);

impl Sound {
    /// The language of a path, where it is known.
    pub(super) fn language(path: &Path) -> Option<Language> {
        Language::of_path(&String::from_utf8_lossy(path))
    }

    /// What the parser says of a version.
    pub(super) fn of<S: Source>(
        &mut self,
        source: &S,
        language: Language,
        version: Version,
    ) -> Result<Parse, S::Error> {
        if version.opaque || !version.mode.is_file() {
            return Ok(Parse::Unknown);
        }
        let known = (language, version.id);
        if let Some(parse) = self.0.get(&known) {
            return Ok(*parse);
        }
        if source.size(&version.id)? > LIMITS.bytes {
            return Ok(Parse::Unknown);
        }
        let text = source.content(&version.id)?;
        let parse = match parse(language, &text, LIMITS) {
            Ok(file) => match file.errors.first() {
                None => Parse::Sound,
                Some(error) => Parse::Broken(line_at(&text, error.start)),
            },
            Err(_) => Parse::Unknown,
        };
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(known, parse);
        Ok(parse)
    }
}

/// For each version of a union that cannot be parsed, its change nearest to the line at which that is so: before all
/// changes, in `first`, and in `second`.
pub(super) fn nearest<S: Source>(
    source: &S,
    base: Option<Version>,
    sides: &[Version],
    (first, second): (Version, Version),
    (result, line): (Version, usize),
) -> Result<Vec<Region>, S::Error> {
    let base = base.filter(|base| base.mode.is_file()).map(|base| source.content(&base.id)).transpose()?;
    let base = base.as_deref().unwrap_or_default();
    let (result, first, second) =
        (source.content(&result.id)?, source.content(&first.id)?, source.content(&second.id)?);
    let at = translate(&differences(&result, base), &(line..line)).start;
    let mut ranges = Vec::new();
    for side in sides {
        let hunks = differences(base, &source.content(&side.id)?);
        let distance = |hunk: &&Hunk| match hunk.before.contains(&at) {
            true => 0,
            false => hunk.before.start.abs_diff(at).min(hunk.before.end.abs_diff(at)),
        };
        ranges.extend(hunks.iter().min_by_key(distance).map(|hunk| hunk.before.clone()));
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges.dedup();
    let (from_first, from_second) = (differences(base, &first), differences(base, &second));
    let (base, first, second) = (Text::new(base), Text::new(&first), Text::new(&second));
    let part = |text: &Text<'_>, hunks: &[Hunk], range| -> Part { text.part(&translate(hunks, range)) };
    let region = |range| Region {
        base: base.part(range),
        first: part(&first, &from_first, range),
        second: part(&second, &from_second, range),
    };
    Ok(ranges.iter().map(region).collect())
}
