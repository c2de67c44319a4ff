//! From a strategy to the bytes of the result.

use super::{Settlement, cannot};
use crate::Error;
use crate::following::Sides;
use orchestrator_conflict::Conflict;
use orchestrator_merge::{Choice, Kind, Options, Outcome, Unsettled, merge, settle};
use orchestrator_predict::{Mode, Version};
use orchestrator_protocol::ErrorCode;
use orchestrator_repository::{ObjectId, Store};

/// What is done where both sides changed something. What only one changed is kept, whatever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Strategy {
    /// One side decides: the first (0) or the second (1).
    Take(usize),
    /// The lines of both, those of the first side first.
    Union,
    /// Only what the merge settles by itself.
    Auto,
    /// The whole file as given.
    Manual(Vec<u8>),
}

/// A result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Made {
    /// Where it stands.
    pub(super) path: String,
    /// What it is; nothing when the file is deleted.
    pub(super) file: Option<(Mode, Vec<u8>)>,
}

impl Strategy {
    /// Reads what was asked for; whether it fits the conflict is seen when the result is made.
    pub(super) fn read(settlement: &Settlement, record: &Conflict) -> Result<Self, Error> {
        let invalid = |detail: String, hint| Error::invalid(ErrorCode::InvalidRequest, detail, hint);
        match settlement.strategy.as_str() {
            "ours" => Ok(Self::Take(0)),
            "theirs" => Ok(Self::Take(1)),
            "union" => Ok(Self::Union),
            "auto" => Ok(Self::Auto),
            "manual" => match &settlement.content {
                Some(content) => Ok(Self::Manual(content.clone())),
                None => Err(invalid(
                    "'manual' takes the whole file, and 'content' is not given".to_owned(),
                    "give 'content', as text or with encoding=base64",
                )),
            },
            "take" => {
                let names: Vec<&str> =
                    record.agents.iter().map(|agent| agent.as_str()).chain(record.target.as_deref()).collect();
                let is_named =
                    |name: &&str| settlement.side.as_deref().is_some_and(|side| side.eq_ignore_ascii_case(name));
                match (names.iter().position(is_named), &settlement.side) {
                    (Some(side), _) => Ok(Self::Take(side)),
                    (None, None) => Err(invalid(
                        format!("'take' needs 'agent', whose side is taken: {}", names.join(" or ")),
                        "give 'agent'",
                    )),
                    (None, Some(other)) => Err(invalid(
                        format!("'{other:.80}' is no side of this conflict; its sides are {}", names.join(" and ")),
                        "name one of its sides",
                    )),
                }
            }
            other => Err(invalid(
                format!("'{other:.80}' is no strategy that merges; use ours, theirs, take, union, auto or manual"),
                "leave 'apply' out to mark the conflict with a free text",
            )),
        }
    }
}

/// Makes the result. It is not checked yet.
pub(super) fn make(store: &Store, sides: &Sides, strategy: &Strategy) -> Result<Made, Error> {
    let [first, second] = &sides.stands;
    let versions = [sides.base, first.merged, second.merged];
    if versions.iter().flatten().any(|version| version.mode == Mode::Commit) {
        return Err(cannot("a submodule is settled by its own commits, not by a merge"));
    }
    let (first, second) = match (first.merged, second.merged) {
        (Some(first), Some(second)) => (first, second),
        (None, None) => return Err(cannot("neither side has the file")),
        (one, two) => return one_deleted(store, sides, strategy, [one, two]),
    };
    let path = place(sides, strategy)?;
    if !is_file(first) || !is_file(second) {
        let Strategy::Take(side) = strategy else { return Err(cannot("a link is not merged with anything")) };
        let taken = if *side == 0 { first } else { second };
        return Ok(Made { path, file: Some((taken.mode, read(store, taken)?)) });
    }
    let mode = mode(sides.base, first.mode, second.mode, strategy)?;
    let content = content(store, sides, [first, second], &path, strategy)?;
    Ok(Made { path, file: Some((mode, content)) })
}

/// One side deleted what the other changed or moved: one of the two decisions stands.
fn one_deleted(
    store: &Store,
    sides: &Sides,
    strategy: &Strategy,
    versions: [Option<Version>; 2],
) -> Result<Made, Error> {
    let holder = usize::from(versions[0].is_none());
    let path = text(&sides.stands[holder].path)?;
    let Some(version) = versions[holder] else { return Err(cannot("neither side has the file")) };
    let file = match strategy {
        Strategy::Take(side) if *side == holder => Some((version.mode, read(store, version)?)),
        Strategy::Take(_) => None,
        Strategy::Manual(content) if is_file(version) => Some((version.mode, content.clone())),
        _ => return Err(cannot("one side deleted what the other changed: only one of the two can stand")),
    };
    Ok(Made { path, file })
}

/// Where the result stands: a rename that only one side made is kept.
fn place(sides: &Sides, strategy: &Strategy) -> Result<String, Error> {
    let place = match (&sides.moved, strategy) {
        ([None, None], _) => &sides.path,
        ([Some(to), None] | [None, Some(to)], _) => to,
        ([Some(one), Some(two)], _) if one == two => one,
        ([Some(one), Some(two)], Strategy::Take(side)) => [one, two][*side],
        _ => return Err(cannot("both sides renamed the file differently: only one of the names can stand")),
    };
    text(place)
}

/// Paths that are no text are nobody's to name in a record that is to be read back.
fn text(path: &[u8]) -> Result<String, Error> {
    std::str::from_utf8(path).map(str::to_owned).map_err(|_| cannot("the path is not UTF-8"))
}

/// The permissions: the side that changed them; where both did, the one that is taken.
fn mode(base: Option<Version>, first: Mode, second: Mode, strategy: &Strategy) -> Result<Mode, Error> {
    match (base.map(|base| base.mode), strategy) {
        _ if first == second => Ok(first),
        (Some(base), _) if base == first => Ok(second),
        (Some(base), _) if base == second => Ok(first),
        (_, Strategy::Take(side)) => Ok([first, second][*side]),
        (_, Strategy::Manual(_)) => Ok(first),
        _ => Err(cannot("the sides give the file different permissions")),
    }
}

fn content(
    store: &Store,
    sides: &Sides,
    [first, second]: [Version; 2],
    path: &str,
    strategy: &Strategy,
) -> Result<Vec<u8>, Error> {
    if let Strategy::Manual(content) = strategy {
        return Ok(content.clone());
    }
    let base = sides.base.filter(|base| is_file(*base));
    let taken = |side: usize| read(store, if side == 0 { first } else { second });
    if first.opaque || second.opaque || base.is_some_and(|base| base.opaque) {
        return match strategy {
            Strategy::Take(side) => taken(*side),
            _ => Err(cannot("the content is only compared, never read: it has a filter, or is too large")),
        };
    }
    let base = base.map(|base| read(store, base)).transpose()?;
    let (ours, theirs) = (read(store, first)?, read(store, second)?);
    let choice = match strategy {
        Strategy::Take(0) => Choice::Ours,
        Strategy::Take(_) => Choice::Theirs,
        Strategy::Union => Choice::Union,
        Strategy::Auto | Strategy::Manual(_) => return settled_alone(base.as_deref(), &ours, &theirs, path),
    };
    match (settle(base.as_deref(), &ours, &theirs, path, choice, &Options::default()), strategy) {
        (Ok(content), _) => Ok(content),
        // There are no lines: the content of a side is one thing.
        (Err(Unsettled::Whole(Kind::Binary | Kind::Generated)), Strategy::Take(side)) => taken(*side),
        (Err(Unsettled::Whole(kind)), _) => Err(cannot(format!("its lines cannot be merged: {}", why(&kind)))),
        (Err(Unsettled::Refused(refusal)), _) => {
            Err(cannot(format!("no merge of the two can be vouched for: {refusal}")))
        }
    }
}

/// What the merge settles without anybody's choice.
fn settled_alone(base: Option<&[u8]>, ours: &[u8], theirs: &[u8], path: &str) -> Result<Vec<u8>, Error> {
    match merge(base, Some(ours), Some(theirs), path, &Options::default()) {
        Outcome::Clean { content: Some(content), .. } => Ok(content),
        Outcome::Candidates { conflict, .. } | Outcome::Conflict(conflict) => {
            let count = conflict.regions().count();
            let regions = if count == 1 { "1 region is".to_owned() } else { format!("{count} regions are") };
            let hint = "take a side (ours, theirs, take), keep both (union), or give the file (manual)";
            let detail = format!("{regions} left that the merge does not settle by itself");
            Err(Error::invalid(ErrorCode::CannotSettle, detail, hint))
        }
        _ => Err(cannot("the merge does not settle it by itself")),
    }
}

fn why(kind: &Kind) -> &'static str {
    match kind {
        Kind::Binary => "it is no text",
        Kind::Generated => "a program writes it; let it write it again",
        Kind::LineEndings => "the sides chose different line endings",
        Kind::Budget { .. } => "it is too long",
        _ => "they collide as a whole",
    }
}

pub(super) fn is_file(version: Version) -> bool {
    matches!(version.mode, Mode::File | Mode::Executable)
}

pub(super) fn read(store: &Store, version: Version) -> Result<Vec<u8>, Error> {
    match store.blob(ObjectId::from(version.id)) {
        Err(orchestrator_repository::Error::Missing { .. }) if version.opaque => {
            Err(cannot("the content is larger than what is kept"))
        }
        read => read.map_err(crate::mail::internal),
    }
}
