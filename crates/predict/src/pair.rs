//! Two versions of one path on a common one.

use crate::finding::{Kind, Region};
use crate::overwritten::overwritten;
use crate::version::{Mode, Source, Version};
use orchestrator_merge::{self as merge, Layer, Options, Outcome, Rule};

/// What became of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pair {
    /// They go together, as this.
    Clean(Option<Version>),
    /// They go together by a rule that a line merge does not have.
    Settles(Option<Version>),
    /// They do not.
    Conflict(Kind, Vec<Region>),
}

/// Merges. Symmetric: with the sides swapped, the regions are swapped.
pub(crate) fn merge<S: Source>(
    source: &S,
    path: &[u8],
    base: Option<Version>,
    ours: Option<Version>,
    theirs: Option<Version>,
) -> Result<Pair, S::Error> {
    if ours == theirs || theirs == base {
        return Ok(Pair::Clean(ours));
    }
    if ours == base {
        return Ok(Pair::Clean(theirs));
    }
    let (Some(our), Some(their)) = (ours, theirs) else {
        return Ok(Pair::Conflict(Kind::DeleteModify, beside_deletion(source, base, ours, theirs)?));
    };
    if our.mode.is_file() != their.mode.is_file() || (!our.mode.is_file() && our.mode != their.mode) {
        return Ok(Pair::Conflict(Kind::Mode, Vec::new()));
    }
    let Some(mode) = mode(base, our.mode, their.mode) else { return Ok(Pair::Conflict(Kind::Mode, Vec::new())) };
    let version = |id, opaque| Some(Version { mode, id, opaque });
    let same_content = |one: Option<Version>, two: Version| one.is_some_and(|one| one.id == two.id);
    if same_content(ours, their) || same_content(base, their) {
        return Ok(Pair::Clean(version(our.id, our.opaque)));
    }
    if same_content(base, our) {
        return Ok(Pair::Clean(version(their.id, their.opaque)));
    }
    let kind = if base.is_some() { Kind::Content } else { Kind::AddAdd };
    let base = base.filter(|base| base.mode.is_file());
    let is_opaque = our.opaque || their.opaque || base.is_some_and(|base| base.opaque);
    if is_opaque || !our.mode.is_file() {
        return Ok(Pair::Conflict(kind, Vec::new()));
    }
    let before = base.map(|base| source.content(&base.id)).transpose()?;
    let (one, two) = (source.content(&our.id)?, source.content(&their.id)?);
    let name = String::from_utf8_lossy(path);
    match merge::merge(before.as_deref(), Some(&one), Some(&two), &name, &Options::default()) {
        Outcome::Clean { content, regions } => {
            let merged = match content {
                Some(content) => version(source.keep(&content)?, false),
                None => None,
            };
            let is_plain = regions.iter().all(|proof| is_line_rule(proof.rule));
            Ok(if is_plain { Pair::Clean(merged) } else { Pair::Settles(merged) })
        }
        Outcome::Candidates { conflict, .. } | Outcome::Conflict(conflict) => {
            Ok(Pair::Conflict(kind, conflict.regions().map(Region::from).collect()))
        }
        // An answer of a kind that is not known here settles nothing.
        _ => Ok(Pair::Conflict(kind, Vec::new())),
    }
}

/// What the side that kept a file changed in it, beside the other that deleted it.
pub(crate) fn beside_deletion<S: Source>(
    source: &S,
    base: Option<Version>,
    ours: Option<Version>,
    theirs: Option<Version>,
) -> Result<Vec<Region>, S::Error> {
    let changed = overwritten(source, base, ours.or(theirs), None)?.unwrap_or_default();
    Ok(if ours.is_some() { changed } else { changed.into_iter().map(Region::swapped).collect() })
}

/// The permissions that both want; `None` when both changed them differently.
fn mode(base: Option<Version>, ours: Mode, theirs: Mode) -> Option<Mode> {
    match base.map(|base| base.mode) {
        _ if ours == theirs => Some(ours),
        Some(base) if base == ours => Some(theirs),
        Some(base) if base == theirs => Some(ours),
        _ => None,
    }
}

/// Whether git's line merge has the rule, too.
fn is_line_rule(rule: Rule) -> bool {
    use Rule::{ByteOrderMark, FinalNewline, LineEndings};
    rule.layer() <= Layer::Lines && !matches!(rule, ByteOrderMark | LineEndings | FinalNewline)
}
