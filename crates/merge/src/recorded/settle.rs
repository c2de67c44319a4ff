//! Recordings applied to what the other layers left.

use super::key::{Places, Read};
use super::{Edit, Key, Recorded};
use crate::align::count;
use crate::choice::taken_over;
use crate::conflict::{Conflict, Kind, Piece, Region};
use crate::data::check_data;
use crate::frame::Frame;
use crate::lines::{OneSided, merge_lines};
use crate::merge::{Options, defined_once, merge_text, settled, steps, whole};
use crate::outcome::{Candidate, Lines, Outcome, Proof, Rule};
use crate::refusal::Refusal;
use crate::tree::Why;
use crate::verify::verify;
use orchestrator_syntax::{Language, Limits, parse};
use std::borrow::Cow;

/// Most candidates that are worth a gate's time.
const MOST_CANDIDATES: usize = 4;

/// What a region may become.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    text: Vec<u8>,
    rule: Rule,
}

/// What the recordings say of one region.
enum Found {
    Nothing,
    Settled(Answer),
    /// At least one.
    Proposed(Vec<Answer>),
}

/// Settles, or proposes for, what `outcome` leaves open. A region that is settled is a change that both sides have taken
/// over; with it the other layers are asked once more for the rest.
pub(crate) fn settle_recorded(
    base: Option<&[u8]>,
    [ours, theirs]: [&[u8]; 2],
    path: &str,
    options: &Options<'_>,
    recorded: &dyn Recorded,
    outcome: Outcome,
) -> Outcome {
    let (Outcome::Conflict(conflict) | Outcome::Candidates { conflict, .. }) = &outcome else { return outcome };
    let base_text = base.unwrap_or_default();
    // The lines are aligned and verified a second time.
    let is_dear = steps(base_text, ours, theirs).saturating_mul(2) > options.budget;
    if !matches!(conflict.kind, Kind::Content | Kind::AddAdd) || is_dear {
        return outcome;
    }
    let Some(frame) = Frame::new(base_text, ours, theirs) else { return outcome };
    let [plain, mine, other] = [base_text, ours, theirs].map(|text| frame.take_out(text));
    let pieces = merge_lines(&plain, &mine, &other, OneSided::Take);
    let places = Places::new(path, &plain);
    let found: Vec<Found> = pieces.iter().filter_map(open).map(|region| look_up(&places, region, recorded)).collect();
    if found.iter().all(|found| matches!(found, Found::Nothing)) {
        return outcome;
    }
    let case = Case { frame, base: base.map(|_| plain), sides: [mine, other], pieces, path, options };
    case.settle(&found, outcome)
}

fn open(piece: &Piece) -> Option<&Region> {
    if let Piece::Open(region) = piece { Some(region) } else { None }
}

fn look_up(places: &Places<'_>, region: &Region, recorded: &dyn Recorded) -> Found {
    let Some(read) = places.read(region) else { return Found::Nothing };
    let answer = |edit: &Edit| {
        let text = read.form.write(&edit.apply(&read.key)?);
        let rule = if edit.has_typed() { Rule::RecordedText } else { Rule::Recorded };
        Some(Answer { text, rule })
    };
    let exact = recorded.exact(&read.key);
    if let [edit] = &exact[..]
        && let Some(answer) = answer(edit)
    {
        return Found::Settled(answer);
    }
    let proposed = if exact.is_empty() { near(&read, recorded) } else { exact };
    let mut answers: Vec<Answer> = Vec::new();
    for answer in proposed.iter().filter_map(answer) {
        if answers.iter().all(|other| other.text != answer.text) && answers.len() < MOST_CANDIDATES {
            answers.push(answer);
        }
    }
    if answers.is_empty() { Found::Nothing } else { Found::Proposed(answers) }
}

/// Edits of near keys: those of the same text first. What a person typed for other text is not proposed.
fn near(read: &Read, recorded: &dyn Recorded) -> Vec<Edit> {
    let key: &Key = &read.key;
    let all: Vec<_> = recorded.near(key).into_iter().filter(|recording| key.is_near(&recording.key)).collect();
    let (same, alike): (Vec<_>, Vec<_>) = all.into_iter().partition(|recording| key.is_same_text(&recording.key));
    let mut edits: Vec<Edit> = same.into_iter().map(|recording| recording.edit).collect();
    for edit in alike.into_iter().map(|recording| recording.edit).filter(|edit| !edit.has_typed()) {
        if key.is_even() {
            let mirrored = edit.mirrored();
            edits.extend([edit, mirrored]);
        } else {
            edits.push(edit);
        }
    }
    edits
}

/// Three files without what they differ in as a whole.
struct Case<'a> {
    frame: Frame,
    base: Option<Cow<'a, [u8]>>,
    sides: [Cow<'a, [u8]>; 2],
    pieces: Vec<Piece>,
    path: &'a str,
    options: &'a Options<'a>,
}

impl Case<'_> {
    fn settle(&self, found: &[Found], outcome: Outcome) -> Outcome {
        let exact: Vec<Option<&Answer>> =
            found.iter().map(|found| if let Found::Settled(answer) = found { Some(answer) } else { None }).collect();
        let pieces = self.with(&exact);
        if exact.iter().all(Option::is_some) {
            return match self.clean(&exact, &pieces) {
                Ok((content, regions)) => Outcome::Clean { content: Some(content), regions },
                Err(_) => refused(outcome),
            };
        }
        let is_settled = exact.iter().any(Option::is_some);
        if is_settled && let Some(outcome) = self.merge_rest(&exact) {
            return outcome;
        }
        let conflict = |outcome: &Outcome| match outcome {
            Outcome::Conflict(conflict) | Outcome::Candidates { conflict, .. } if is_settled => {
                let mut pieces = pieces.clone();
                self.frame.put_back(&mut pieces);
                Some(Conflict { pieces, ..conflict.clone() })
            }
            Outcome::Conflict(conflict) | Outcome::Candidates { conflict, .. } => Some(conflict.clone()),
            _ => None,
        };
        let Some(conflict) = conflict(&outcome) else { return outcome };
        let mut candidates = self.proposals(found);
        if let Outcome::Candidates { candidates: more, .. } = outcome {
            candidates.extend(more);
        }
        let mut distinct: Vec<Candidate> = Vec::new();
        for candidate in candidates {
            if distinct.len() < MOST_CANDIDATES && distinct.iter().all(|other| other.content != candidate.content) {
                distinct.push(candidate);
            }
        }
        if distinct.is_empty() {
            Outcome::Conflict(conflict)
        } else {
            Outcome::Candidates { candidates: distinct, conflict }
        }
    }

    /// The pieces with those regions settled for which there is an answer.
    fn with(&self, answers: &[Option<&Answer>]) -> Vec<Piece> {
        let mut answers = answers.iter();
        let settle = |piece: &Piece| match piece {
            Piece::Open(region) => match answers.next() {
                Some(Some(answer)) => Piece::Settled { text: answer.text.clone(), proof: Some(proof(region, answer)) },
                _ => piece.clone(),
            },
            settled => settled.clone(),
        };
        self.pieces.iter().map(settle).collect()
    }

    /// Both sides with the answers in place of their own lines.
    fn taken(&self, answers: &[Option<&Answer>]) -> [Vec<u8>; 2] {
        let regions = || {
            let regions = self.pieces.iter().filter_map(open).zip(answers);
            regions.filter_map(|(region, answer)| Some((region, (*answer)?)))
        };
        let side = |side: &[u8], own: fn(&Region) -> Lines| {
            let chosen = regions().map(|(region, answer)| (whole_of(region, own(region)), answer.text.clone()));
            taken_over(&crate::align::split(side), chosen)
        };
        [side(&self.sides[0], |region| region.ours.lines), side(&self.sides[1], |region| region.theirs.lines)]
    }

    /// The file in which nothing is open any more.
    fn clean(&self, answers: &[Option<&Answer>], pieces: &[Piece]) -> Result<(Vec<u8>, Vec<Proof>), Refusal> {
        let (content, proofs) = settled(pieces).ok_or(Refusal::Deleted)?;
        self.check(&self.taken(answers), &content)?;
        let content = self.frame.put_back_into(content);
        self.frame.check(&content)?;
        let form = self.frame.rules().map(|rule| self.whole(rule));
        Ok((content, form.chain(proofs).collect()))
    }

    /// What the other layers make of the rest, once both sides have taken over what was recorded.
    fn merge_rest(&self, answers: &[Option<&Answer>]) -> Option<Outcome> {
        let taken = self.taken(answers);
        let options = Options { recorded: None, ..*self.options };
        let outcome = merge_text(self.base.as_deref(), &taken[0], &taken[1], self.path, &options);
        let recorded: Vec<Proof> = self
            .pieces
            .iter()
            .filter_map(open)
            .zip(answers)
            .filter_map(|(region, answer)| Some(proof(region, (*answer)?)))
            .collect();
        let finish = |content: &[u8], regions: &[Proof]| {
            self.is_sound(content).then_some(())?;
            let content = self.frame.put_back_into(content.to_vec());
            self.frame.check(&content).ok()?;
            let mut rules: Vec<Rule> = self.frame.rules().chain(regions.iter().map(|proof| proof.rule)).collect();
            rules.sort_unstable();
            rules.dedup();
            let rest = rules.into_iter().map(|rule| self.whole(rule));
            Some(Candidate { content, regions: recorded.iter().copied().chain(rest).collect() })
        };
        match outcome {
            Outcome::Clean { content: Some(content), regions } => finish(&content, &regions)
                .map(|answer| Outcome::Clean { content: Some(answer.content), regions: answer.regions }),
            Outcome::Candidates { candidates, conflict } => {
                let finished = candidates.iter().filter_map(|one| finish(&one.content, &one.regions));
                let candidates: Vec<Candidate> = finished.collect();
                let mut pieces = self.with(answers);
                self.frame.put_back(&mut pieces);
                let conflict = Conflict { pieces, ..conflict };
                (!candidates.is_empty()).then_some(Outcome::Candidates { candidates, conflict })
            }
            _ => None,
        }
    }

    /// Files in which each region is one of its proposals; none where a region has no proposal.
    fn proposals(&self, found: &[Found]) -> Vec<Candidate> {
        let mut choices: Vec<Vec<Option<&Answer>>> = vec![Vec::new()];
        for found in found {
            let answers = match found {
                Found::Nothing => return Vec::new(),
                Found::Settled(answer) => std::slice::from_ref(answer),
                Found::Proposed(answers) => answers,
            };
            let longer = choices.iter().flat_map(|choice| {
                answers.iter().map(|answer| [&choice[..], &[Some(answer)]].concat()).collect::<Vec<_>>()
            });
            choices = longer.take(MOST_CANDIDATES).collect();
        }
        let candidate = |choice: &Vec<Option<&Answer>>| {
            let (content, regions) = self.clean(choice, &self.with(choice)).ok()?;
            Some(Candidate { content, regions })
        };
        choices.iter().filter_map(candidate).collect()
    }

    /// Whether the result is the merge of the sides after both have taken over what was recorded.
    fn check(&self, [mine, other]: &[Vec<u8>; 2], result: &[u8]) -> Result<(), Refusal> {
        let base = self.base.as_deref();
        verify(base, Some(mine), Some(other), Some(result), self.path)?;
        verify(base, Some(other), Some(mine), Some(result), self.path)?;
        let base = base.unwrap_or_default();
        check_data(base, mine, other, result, self.path)?;
        defined_once([base, mine, other], result, self.path)?;
        if self.is_sound(result) { Ok(()) } else { Err(Refusal::Unparsed) }
    }

    /// Whether the result can be parsed, if both sides can.
    fn is_sound(&self, result: &[u8]) -> bool {
        let [mine, other] = &self.sides;
        let base = self.base.as_deref().unwrap_or_default();
        let data = check_data(base, mine, other, result, self.path);
        if matches!(data, Err(Refusal::DataBroken | Refusal::DataKeyTwice)) {
            return false;
        }
        let Some(language) = Language::of_path(self.path) else { return true };
        let sound = |text: &[u8]| parse(language, text, Limits::default()).is_ok_and(|file| file.is_sound());
        sound(result) || !sound(mine) || !sound(other)
    }

    fn whole(&self, rule: Rule) -> Proof {
        whole(rule, self.base.as_deref(), Some(&self.sides[0]), Some(&self.sides[1]))
    }
}

/// A side's lines of a region, with those that both sides have in common.
fn whole_of(region: &Region, own: Lines) -> Lines {
    let before = count(&region.before);
    Lines { start: own.start - before, count: before + own.count + count(&region.after) }
}

fn proof(region: &Region, answer: &Answer) -> Proof {
    let [ours, theirs] = [region.ours.lines, region.theirs.lines].map(|lines| whole_of(region, lines));
    Proof { rule: answer.rule, label: answer.rule.label(), base: region.base.lines, ours, theirs }
}

/// The outcome without what was recorded, and why.
fn refused(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Conflict(conflict) => Outcome::Conflict(Conflict { why: Some(Why::Recording), ..conflict }),
        other => other,
    }
}
