//! The order of the layers.

use crate::align::count;
use crate::conflict::{Conflict, Kind, Piece, Region, Side};
use crate::data::{check_data, merge_data};
use crate::frame::Frame;
use crate::generated::is_generated;
use crate::lines::{OneSided, merge_lines};
use crate::outcome::{Candidate, Layer, Layers, Outcome, Proof, Rule};
use crate::prose::merge_prose;
use crate::recorded::{Recorded, settle_recorded};
use crate::refusal::Refusal;
use crate::tree::{Structured, is_defined_twice, is_of_tests, merge_trees};
use crate::verify::verify;
use orchestrator_syntax::Language;

/// How many bytes are searched for a NUL: a file with one there is not text.
const TEXT_BYTES: usize = 8_000;

/// What a merge may cost, and what it may use.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Most steps; a merge that would take more is left as [`Kind::Budget`]. A step is one line of one file in one
    /// alignment: the merge and the verifier each align the base with either side. Files that need no merge cost
    /// nothing.
    pub budget: usize,
    /// What may settle a region.
    pub layers: Layers,
    /// What people made of conflicts before; nothing is settled by that where it is left out.
    pub recorded: Option<&'a dyn Recorded>,
}

impl Default for Options<'_> {
    /// Four million steps: three files of half a million lines. All layers, and nothing recorded.
    fn default() -> Self {
        Self { budget: 4_000_000, layers: Layers::ALL, recorded: None }
    }
}

/// Merges the changes from `base` to `ours` and from `base` to `theirs` in one file.
///
/// `None` is a file that is not there. The path tells only what kind of file it is; the bytes are never decoded.
#[must_use]
pub fn merge(
    base: Option<&[u8]>,
    ours: Option<&[u8]>,
    theirs: Option<&[u8]>,
    path: &str,
    options: &Options<'_>,
) -> Outcome {
    if let Some((rule, content)) = identity(base, ours, theirs) {
        let regions = vec![whole(rule, base, ours, theirs)];
        return Outcome::Clean { content: content.map(<[u8]>::to_vec), regions };
    }
    match needs_no_lines(base, ours, theirs, path) {
        Some(kind) => Outcome::Conflict(Conflict::whole(kind, base, ours, theirs)),
        None => {
            let (ours, theirs) = (ours.unwrap_or_default(), theirs.unwrap_or_default());
            let outcome = merge_text(base, ours, theirs, path, options);
            match options.recorded.filter(|_| options.layers.has(Layer::Recorded)) {
                Some(recorded) => settle_recorded(base, [ours, theirs], path, options, recorded, outcome),
                None => outcome,
            }
        }
    }
}

/// The answer where at most one side changed something.
pub(crate) fn identity<'a>(
    base: Option<&[u8]>,
    ours: Option<&'a [u8]>,
    theirs: Option<&'a [u8]>,
) -> Option<(Rule, Option<&'a [u8]>)> {
    if ours == theirs {
        Some((Rule::SameFile, ours))
    } else if theirs == base {
        Some((Rule::OnlyOurs, ours))
    } else if ours == base {
        Some((Rule::OnlyTheirs, theirs))
    } else {
        None
    }
}

/// The conflict of files that both sides touched and whose lines are not to be merged.
pub(crate) fn needs_no_lines(
    base: Option<&[u8]>,
    ours: Option<&[u8]>,
    theirs: Option<&[u8]>,
    path: &str,
) -> Option<Kind> {
    let versions = || [base, ours, theirs].into_iter().flatten();
    if ours.is_none() {
        Some(Kind::DeleteModify { deleted: Side::Ours })
    } else if theirs.is_none() {
        Some(Kind::DeleteModify { deleted: Side::Theirs })
    } else if versions().any(|text| text[..text.len().min(TEXT_BYTES)].contains(&0)) {
        Some(Kind::Binary)
    } else if is_generated(path, versions()) {
        Some(Kind::Generated)
    } else {
        None
    }
}

pub(crate) fn merge_text(
    base: Option<&[u8]>,
    ours: &[u8],
    theirs: &[u8],
    path: &str,
    options: &Options<'_>,
) -> Outcome {
    let base_text = base.unwrap_or_default();
    let left = |kind| Outcome::Conflict(Conflict::whole(kind, base, Some(ours), Some(theirs)));
    let Some(frame) = Frame::new(base_text, ours, theirs) else { return left(Kind::LineEndings) };
    let needed = steps(base_text, ours, theirs);
    if needed > options.budget {
        return left(Kind::Budget { needed });
    }
    let pieces = framed(&frame, base_text, ours, theirs, OneSided::Take);
    let form = frame.rules().map(|rule| whole(rule, base, Some(ours), Some(theirs)));
    let conflict = match settled(&pieces) {
        Some((content, proofs)) => {
            let verified = verify(base, Some(ours), Some(theirs), Some(&content), path);
            let verified = verified.and_then(|()| check_data(base_text, ours, theirs, &content, path));
            match verified.and_then(|()| defined_once([base_text, ours, theirs], &content, path)) {
                Ok(()) => return Outcome::Clean { content: Some(content), regions: form.chain(proofs).collect() },
                Err(refusal) => {
                    let pieces = framed(&frame, base_text, ours, theirs, OneSided::LeaveOpen);
                    Conflict { kind: Kind::Refused(refusal), pieces, why: None }
                }
            }
        }
        // To a merge driver of git a file that both added had an empty base.
        None if base_text.is_empty() => return Outcome::Conflict(Conflict { kind: Kind::AddAdd, pieces, why: None }),
        None => Conflict { kind: Kind::Content, pieces, why: None },
    };
    if options.layers.has(Layer::Sets)
        && let Some(found) = merge_data(base_text, ours, theirs, path)
        && found.rules.iter().all(|rule| options.layers.has(rule.layer()))
    {
        return match (found.rules.first(), found.answers.first()) {
            (Some(rule), Some(content)) if !found.is_choice => {
                let proofs = conflict.pieces.iter().filter_map(|piece| settled_by(*rule, piece));
                Outcome::Clean { content: Some(content.clone()), regions: form.chain(proofs).collect() }
            }
            _ => answered(found, base_text, ours, theirs, conflict),
        };
    }
    let is_open = matches!(conflict.kind, Kind::Content | Kind::Refused(Refusal::DefinedTwice));
    if is_open
        && options.layers.has(Layer::Sets)
        && let Some(found) = merge_prose(base_text, ours, theirs, path)
        && found.rules.iter().all(|rule| options.layers.has(rule.layer()))
    {
        return answered(found, base_text, ours, theirs, conflict);
    }
    let by_syntax = [Layer::Regions, Layer::Sets, Layer::Structure];
    if is_open && by_syntax.iter().any(|layer| options.layers.has(*layer)) {
        return by_structure(&frame, base_text, ours, theirs, path, options, conflict);
    }
    Outcome::Conflict(conflict)
}

/// What settles a piece of a conflict that a further layer settles as a whole.
fn settled_by(rule: Rule, piece: &Piece) -> Option<Proof> {
    match piece {
        Piece::Settled { proof, .. } => *proof,
        Piece::Open(Region { base, ours, theirs, .. }) => {
            Some(Proof { rule, label: rule.label(), base: base.lines, ours: ours.lines, theirs: theirs.lines })
        }
    }
}

/// Refuses lines put together so that a name is defined twice.
pub(crate) fn defined_once(versions: [&[u8]; 3], content: &[u8], path: &str) -> Result<(), Refusal> {
    match Language::of_path(path) {
        Some(language) if is_defined_twice(language, versions, content) => Err(Refusal::DefinedTwice),
        _ => Ok(()),
    }
}

/// What the syntax settles where the lines do not.
fn by_structure(
    frame: &Frame,
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    path: &str,
    options: &Options<'_>,
    conflict: Conflict,
) -> Outcome {
    let Some(language) = Language::of_path(path) else { return Outcome::Conflict(conflict) };
    let [plain, mine, other] = [base, ours, theirs].map(|text| frame.take_out(text));
    match merge_trees(&plain, &mine, &other, language, is_of_tests(path), options.layers, options.budget) {
        // What it took a layer for that is switched off is not settled.
        Ok(found) if !found.rules.iter().all(|rule| options.layers.has(rule.layer())) => Outcome::Conflict(conflict),
        Ok(found) => {
            let answers = found.answers.into_iter().map(|text| frame.put_back_into(text));
            let answers = answers.filter(|text| frame.check(text).is_ok()).collect();
            answered(Structured { answers, ..found }, base, ours, theirs, conflict)
        }
        Err(why) => Outcome::Conflict(Conflict { why: Some(why), ..conflict }),
    }
}

/// The outcome where a further layer has answers for the whole file.
fn answered(found: Structured, base: &[u8], ours: &[u8], theirs: &[u8], conflict: Conflict) -> Outcome {
    let regions: Vec<Proof> =
        found.rules.iter().map(|rule| whole(*rule, Some(base), Some(ours), Some(theirs))).collect();
    let mut answers = found.answers.into_iter();
    if found.is_choice && answers.len() > 0 {
        let candidates = answers.map(|content| Candidate { content, regions: regions.clone() }).collect();
        return Outcome::Candidates { candidates, conflict };
    }
    match answers.next() {
        Some(content) => Outcome::Clean { content: Some(content), regions },
        None => Outcome::Conflict(conflict),
    }
}

/// Lines read by the merge and by the verifier: each aligns the base with either side.
pub(crate) fn steps(base: &[u8], ours: &[u8], theirs: &[u8]) -> usize {
    let [base, ours, theirs] = [base, ours, theirs].map(count);
    2 * (2 * base + ours + theirs)
}

/// Merges the lines of three files, apart from what their form differs in.
pub(crate) fn framed(frame: &Frame, base: &[u8], ours: &[u8], theirs: &[u8], one_sided: OneSided) -> Vec<Piece> {
    let [base, ours, theirs] = [base, ours, theirs].map(|text| frame.take_out(text));
    let mut pieces = merge_lines(&base, &ours, &theirs, one_sided);
    frame.put_back(&mut pieces);
    pieces
}

/// The file when no piece of it is open.
pub(crate) fn settled(pieces: &[Piece]) -> Option<(Vec<u8>, Vec<Proof>)> {
    let (mut content, mut proofs) = (Vec::new(), Vec::new());
    for piece in pieces {
        let Piece::Settled { text, proof } = piece else { return None };
        content.extend_from_slice(text);
        proofs.extend(*proof);
    }
    Some((content, proofs))
}

pub(crate) fn whole(rule: Rule, base: Option<&[u8]>, ours: Option<&[u8]>, theirs: Option<&[u8]>) -> Proof {
    let [base, ours, theirs] = [base, ours, theirs].map(|text| (0..text.map_or(0, count)).into());
    Proof { rule, label: rule.label(), base, ours, theirs }
}
