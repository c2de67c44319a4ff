//! A conflict settled by a choice: what only one side changed is kept, and where both did, the choice decides.

use crate::align::split;
use crate::conflict::{Conflict, Kind, Region};
use crate::frame::Frame;
use crate::merge::{Options, merge};
use crate::outcome::{Layers, Lines, Outcome};
use crate::refusal::Refusal;
use crate::verify::verify;

/// Whose lines stand in a region that both sides changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
    /// Those of both, ours first; what both begin and end alike with once.
    Union,
}

/// Why a choice settles nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// The conflict is not one of lines: whole files collide, and a choice would undo what only one side changed.
    #[error("the files collide as a whole, not line by line")]
    Whole(Kind),
    /// The verifier refused the result.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Merges, and settles each region in conflict by the choice.
///
/// The result is held against the verifier: with each region replaced by what was chosen for it in both sides, the
/// result must be their merge. So a clean change of either side cannot be lost with a choice.
///
/// # Errors
/// There is nothing to choose between line by line, or the verifier refused the result.
pub fn settle(
    base: Option<&[u8]>,
    ours: &[u8],
    theirs: &[u8],
    path: &str,
    choice: Choice,
    options: &Options<'_>,
) -> Result<Vec<u8>, Unsettled> {
    // What further layers would settle is what the caller wants to choose.
    let options = Options { layers: Layers::LINES, ..*options };
    let conflict = match merge(base, Some(ours), Some(theirs), path, &options) {
        Outcome::Clean { content, .. } => return content.ok_or(Unsettled::Refused(Refusal::Deleted)),
        Outcome::Conflict(Conflict { kind: Kind::Refused(refusal), .. }) => return Err(refusal.into()),
        Outcome::Candidates { conflict, .. } | Outcome::Conflict(conflict) => conflict,
    };
    if !matches!(conflict.kind, Kind::Content | Kind::AddAdd) {
        return Err(Unsettled::Whole(conflict.kind));
    }
    let newline = newline(&conflict.resolve(|region| region.ours.text.clone()));
    let result = conflict.resolve(|region| chosen(choice, &region.ours.text, &region.theirs.text, newline));
    check(base, [ours, theirs], &result, path, &conflict, choice)?;
    Ok(result)
}

/// How the lines of a file end.
fn newline(text: &[u8]) -> &'static [u8] {
    if text.windows(2).any(|pair| pair == b"\r\n") { b"\r\n" } else { b"\n" }
}

/// What stands in a region.
fn chosen(choice: Choice, ours: &[u8], theirs: &[u8], newline: &[u8]) -> Vec<u8> {
    match choice {
        Choice::Ours => ours.to_vec(),
        Choice::Theirs => theirs.to_vec(),
        // Two lines never become one.
        Choice::Union if ours.last().is_some_and(|byte| *byte != b'\n') && !theirs.is_empty() => {
            [ours, newline, theirs].concat()
        }
        Choice::Union => [ours, theirs].concat(),
    }
}

/// Whether the result is the merge of the sides after both have taken over what was chosen.
fn check(
    base: Option<&[u8]>,
    [ours, theirs]: [&[u8]; 2],
    result: &[u8],
    path: &str,
    conflict: &Conflict,
    choice: Choice,
) -> Result<(), Refusal> {
    let frame = Frame::new(base.unwrap_or_default(), ours, theirs).ok_or(Refusal::LineEndings)?;
    frame.check(result)?;
    let [ours, theirs, result] = [ours, theirs, result].map(|text| frame.take_out(text));
    let base = base.map(|base| frame.take_out(base));
    let (our_lines, their_lines) = (split(&ours), split(&theirs));
    let newline = newline(&ours);
    let taken = |region: &Region| {
        let part = |lines: &[&[u8]], at: Lines| lines[at.start - 1..at.start - 1 + at.count].concat();
        chosen(choice, &part(&our_lines, region.ours.lines), &part(&their_lines, region.theirs.lines), newline)
    };
    let ours = taken_over(&our_lines, conflict.regions().map(|region| (region.ours.lines, taken(region))));
    let theirs = taken_over(&their_lines, conflict.regions().map(|region| (region.theirs.lines, taken(region))));
    // Where lines repeat, the verifier may see from one side only what is wrong.
    verify(base.as_deref(), Some(&ours), Some(&theirs), Some(&result), path)?;
    verify(base.as_deref(), Some(&theirs), Some(&ours), Some(&result), path)
}

/// A side with what was chosen in place of its own lines.
pub(crate) fn taken_over(lines: &[&[u8]], regions: impl Iterator<Item = (Lines, Vec<u8>)>) -> Vec<u8> {
    let (mut text, mut done) = (Vec::new(), 0);
    for (own, chosen) in regions {
        let start = own.start - 1;
        text.extend(lines[done..start].concat());
        text.extend(chosen);
        done = start + own.count;
    }
    text.extend(lines[done..].concat());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &[u8] = b"one\ntwo\nthree\nfour\nfive\nsix\n";
    const OURS: &[u8] = b"ONE\ntwo\n3\nfour\nfive\nsix\n";
    const THEIRS: &[u8] = b"one\ntwo\nIII\n3b\nfour\nfive\nSIX\n";

    fn settled(base: Option<&[u8]>, ours: &[u8], theirs: &[u8], choice: Choice) -> Result<String, Unsettled> {
        let content = settle(base, ours, theirs, "a.txt", choice, &Options::default())?;
        Ok(String::from_utf8(content).unwrap())
    }

    #[test]
    fn clean_changes_of_both_stay_whatever_is_chosen() {
        for (choice, expected) in [
            (Choice::Ours, "ONE\ntwo\n3\nfour\nfive\nSIX\n"),
            (Choice::Theirs, "ONE\ntwo\nIII\n3b\nfour\nfive\nSIX\n"),
            (Choice::Union, "ONE\ntwo\n3\nIII\n3b\nfour\nfive\nSIX\n"),
        ] {
            assert_eq!(settled(Some(BASE), OURS, THEIRS, choice).unwrap(), expected, "{choice:?}");
        }
    }

    #[test]
    fn a_last_line_without_an_end_is_not_fused_with_the_next() {
        for (ours, theirs, expected) in [(&b"a\nx"[..], &b"a\ny"[..], "a\nx\ny"), (b"a\r\nx", b"a\r\ny", "a\r\nx\r\ny")]
        {
            assert_eq!(settled(None, ours, theirs, Choice::Union).unwrap(), expected);
        }
        assert_eq!(settled(Some(b"b\nc"), b"b\nx", b"b\ny", Choice::Union).unwrap(), "b\nx\ny");
    }

    #[test]
    fn what_is_no_conflict_of_lines_is_not_chosen_between() {
        let unsettled = settled(Some(b"a\0"), b"b\0", b"c\0", Choice::Ours);
        assert_eq!(unsettled, Err(Unsettled::Whole(Kind::Binary)));
        // Both moved one line: the sum of the clean changes has it twice.
        let refused = settled(Some(b"x\na\nb\nc\nd\n"), b"a\nx\nb\nc\nd\n", b"a\nb\nc\nx\nd\n", Choice::Ours);
        assert!(matches!(refused, Err(Unsettled::Refused(_))), "{refused:?}");
    }

    #[test]
    fn the_check_notices_a_clean_change_that_is_lost() {
        let Outcome::Conflict(conflict) = merge(Some(BASE), Some(OURS), Some(THEIRS), "a.txt", &Options::default())
        else {
            panic!("both changed line 3")
        };
        for choice in [Choice::Ours, Choice::Theirs, Choice::Union] {
            let whole_side = if choice == Choice::Theirs { THEIRS } else { OURS };
            assert!(check(Some(BASE), [OURS, THEIRS], whole_side, "a.txt", &conflict, choice).is_err(), "{choice:?}");
        }
    }
}
