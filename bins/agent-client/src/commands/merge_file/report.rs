//! What a merge says of itself: lines for people, and a value for programs.

use super::Verdict;
use crate::output::Output;
use orchestrator_merge::{Conflict, Lines, Outcome, Part, Proof};
use serde::Serialize;

/// Tells what settled each region, and why the others are left.
pub(super) fn explain(outcome: &Outcome, verdict: &Verdict, path: &str, out: &Output) {
    let (word, settled, conflict) = match (verdict, outcome) {
        (Verdict::Merged { regions, .. }, _) => ("merged", regions.as_slice(), None),
        (Verdict::Left(conflict), Outcome::Clean { regions, .. }) => ("not proven", regions.as_slice(), Some(conflict)),
        (Verdict::Left(conflict), _) => ("conflict", &[][..], Some(conflict)),
    };
    match (verdict, outcome) {
        (Verdict::Left(conflict), Outcome::Conflict(_) | Outcome::Candidates { .. }) => {
            out.note(&format!("{path}: {word}: {}", conflict.kind));
        }
        _ => out.note(&format!("{path}: {word}")),
    }
    let inside = conflict.into_iter().flat_map(settled_pieces);
    for proof in settled.iter().chain(inside) {
        let (layer, rule, label) = (proof.rule.layer().name(), proof.rule.name(), proof.label.name());
        out.note(&format!("  settled {}: {layer}, {rule}, {label}", places(proof.base, proof.ours, proof.theirs)));
    }
    for region in conflict.into_iter().flat_map(Conflict::regions) {
        out.note(&format!("  open    {}", places(region.base.lines, region.ours.lines, region.theirs.lines)));
    }
    if let Some(why) = conflict.and_then(|conflict| conflict.why) {
        out.note(&format!("  left    by the layers beyond lines: {why}"));
    }
    if let Outcome::Candidates { candidates, .. } = outcome {
        for (candidate, number) in candidates.iter().zip(1..) {
            let rules: Vec<_> = candidate.regions.iter().map(|proof| proof.rule.name()).collect();
            out.note(&format!("  candidate {number}: {}", rules.join(", ")));
        }
    }
}

fn settled_pieces(conflict: &Conflict) -> impl Iterator<Item = &Proof> {
    conflict.pieces.iter().filter_map(|piece| match piece {
        orchestrator_merge::Piece::Settled { proof, .. } => proof.as_ref(),
        orchestrator_merge::Piece::Open(_) => None,
    })
}

fn places(base: Lines, ours: Lines, theirs: Lines) -> String {
    format!("base {}, ours {}, theirs {}", place(base), place(ours), place(theirs))
}

fn place(lines: Lines) -> String {
    match lines.count {
        0 => format!("before {}", lines.start),
        1 => lines.start.to_string(),
        count => format!("{}-{}", lines.start, lines.start + count - 1),
    }
}

/// What `--json` prints.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    path: &'a str,
    /// `clean`, `candidates` or `conflict`: what the engine answered.
    outcome: &'static str,
    /// Whether that was accepted: exit code 0.
    merged: bool,
    /// The merged file, or the one with markers; null where the file is gone or is not UTF-8.
    content: Option<&'a str>,
    /// What settled each region of the merged file.
    regions: Vec<Settled>,
    /// What is left.
    conflict: Option<Left>,
    /// The answers to choose from.
    candidates: Vec<Choice>,
}

#[derive(Serialize)]
struct Settled {
    layer: &'static str,
    rule: &'static str,
    label: &'static str,
    base: Place,
    ours: Place,
    theirs: Place,
}

#[derive(Serialize)]
struct Place {
    start: usize,
    count: usize,
}

#[derive(Serialize)]
struct Left {
    kind: &'static str,
    reason: String,
    /// Why the layers beyond lines settle nothing; null where they were not asked.
    why: Option<String>,
    settled: Vec<Settled>,
    regions: Vec<Open>,
}

#[derive(Serialize)]
struct Open {
    base: Text,
    ours: Text,
    theirs: Text,
}

#[derive(Serialize)]
struct Text {
    start: usize,
    count: usize,
    text: String,
}

#[derive(Serialize)]
struct Choice {
    content: Option<String>,
    regions: Vec<Settled>,
}

/// The report of one merge.
pub(super) fn json<'a>(outcome: &Outcome, verdict: &Verdict, content: Option<&'a [u8]>, path: &'a str) -> Report<'a> {
    let (regions, conflict) = match verdict {
        Verdict::Merged { regions, .. } => (settled(regions), None),
        Verdict::Left(conflict) => (Vec::new(), Some(left(conflict))),
    };
    let (word, candidates) = match outcome {
        Outcome::Clean { .. } => ("clean", &[][..]),
        Outcome::Candidates { candidates, .. } => ("candidates", candidates.as_slice()),
        _ => ("conflict", &[][..]),
    };
    let choice = |candidate: &orchestrator_merge::Candidate| Choice {
        content: String::from_utf8(candidate.content.clone()).ok(),
        regions: settled(&candidate.regions),
    };
    Report {
        path,
        outcome: word,
        merged: conflict.is_none(),
        content: content.and_then(|content| std::str::from_utf8(content).ok()),
        regions,
        conflict,
        candidates: candidates.iter().map(choice).collect(),
    }
}

fn settled<'a>(proofs: impl IntoIterator<Item = &'a Proof>) -> Vec<Settled> {
    let place = |lines: Lines| Place { start: lines.start, count: lines.count };
    let one = |proof: &Proof| Settled {
        layer: proof.rule.layer().name(),
        rule: proof.rule.name(),
        label: proof.label.name(),
        base: place(proof.base),
        ours: place(proof.ours),
        theirs: place(proof.theirs),
    };
    proofs.into_iter().map(one).collect()
}

fn left(conflict: &Conflict) -> Left {
    let text = |part: &Part| Text {
        start: part.lines.start,
        count: part.lines.count,
        text: String::from_utf8_lossy(&part.text).into_owned(),
    };
    let open = conflict.regions().map(|region| Open {
        base: text(&region.base),
        ours: text(&region.ours),
        theirs: text(&region.theirs),
    });
    Left {
        kind: conflict.kind.name(),
        reason: conflict.kind.to_string(),
        why: conflict.why.map(|why| why.to_string()),
        settled: settled(settled_pieces(conflict)),
        regions: open.collect(),
    }
}
