//! The ways to merge three versions of a file, and which of them are answers.

use super::check::{Checker, Fault};
use super::rename::renamed;
use super::replay::Replay;
use super::wrap::Edge;
use super::{Choice, Merger, Structured, Why};
use crate::outcome::{Layer, Layers, Rule};
use orchestrator_syntax::statements::{Tree, statements_and_file};
use orchestrator_syntax::{File, Language, Limits};
use std::sync::Arc;

/// Most candidates that are worth a gate's time.
const MOST_CANDIDATES: usize = 4;

/// Merges three versions of a file that are no two of them equal. The answer does not depend on which side is which.
pub(crate) fn merge_trees(
    base: &[u8],
    ours: &[u8],
    theirs: &[u8],
    language: Language,
    has_tests: bool,
    layers: Layers,
    steps: usize,
) -> Result<Structured, Why> {
    let (one, two) = in_turn(ours, theirs);
    let mut job = Job { language, has_tests, layers, steps, left: steps };
    let (trees, files) = job.read([base, one, two])?;
    let plain = job.settle(&trees, &files);
    let mut found = match plain {
        Err(why) if why != Why::Budget && layers.has(Layer::Renames) => job.with_renames(&trees, &files).ok_or(why)?,
        _ => plain?,
    };
    found.is_choice |= !job.is_stable([base, one, two], &found);
    Ok(found)
}

/// Two versions, always in the same order.
fn in_turn<'t>(ours: &'t [u8], theirs: &'t [u8]) -> (&'t [u8], &'t [u8]) {
    if ours <= theirs { (ours, theirs) } else { (theirs, ours) }
}

/// Three trees, the base first.
pub(super) type Trees<'a> = [Tree<'a>; 3];

/// What they define and use.
pub(super) type Files = [Arc<File>; 3];

/// One merge.
pub(super) struct Job {
    pub(super) language: Language,
    /// Whether the file is one of tests.
    has_tests: bool,
    layers: Layers,
    /// Steps that were allowed.
    steps: usize,
    /// Those that are left for all passes together.
    pub(super) left: usize,
}

impl Job {
    /// Merges the versions as they are, and where that is no clean answer, with what one side did to the form of the
    /// file done in all of them.
    fn settle(&mut self, trees: &Trees<'_>, files: &Files) -> Result<Structured, Why> {
        let checker = Checker::new(self.language, trees, files);
        let plain = self.answers(trees, &checker, None);
        let is_clean = plain.as_ref().is_ok_and(|found| !found.is_choice);
        if is_clean || !self.layers.has(Layer::Structure) {
            return plain;
        }
        let mut found = Vec::new();
        for edge in [Edge::Outside, Edge::Inside] {
            let mut replay = Replay::new(&checker, trees, edge);
            let answers = replay.answers(self, trees);
            match answers {
                Ok(answers) if edge == Edge::Inside && replay.is_whole => found.insert(0, answers),
                Ok(answers) => found.push(answers),
                Err(_) => {}
            }
            if !replay.has_edges {
                break;
            }
        }
        joined(found).map_or(plain, Ok)
    }

    /// Merges the versions with what one side renamed, and the other uses anew, renamed in all of them.
    fn with_renames(&mut self, trees: &Trees<'_>, files: &Files) -> Option<Structured> {
        let texts = renamed(trees, files)?;
        let (trees, files) = self.read(texts.each_ref().map(|text| &text[..])).ok()?;
        let mut found = self.settle(&trees, &files).ok()?;
        // That a new use means what the name meant before is a guess.
        found.is_choice = true;
        found.rules.insert(Rule::Renamed);
        Some(found)
    }

    /// Whether merging a clean answer with either side gives nothing else, moves included: of two definitions that changed
    /// places, which one was moved is a matter of reading, and another reading may put them another way.
    fn is_stable(&self, [base, one, two]: [&[u8]; 3], found: &Structured) -> bool {
        let [answer] = &found.answers[..] else { return true };
        if found.is_choice || !found.rules.contains(&Rule::Moved) {
            return true;
        }
        [one, two].into_iter().all(|side| {
            let mut job = Self { left: self.steps, ..*self };
            let (one, two) = in_turn(answer, side);
            let Ok((trees, files)) = job.read([base, one, two]) else { return false };
            // What is left open is nothing else.
            job.settle(&trees, &files).map_or(true, |again| again.is_choice || again.answers == found.answers)
        })
    }

    fn read<'t>(&self, texts: [&'t [u8]; 3]) -> Result<(Trees<'t>, Files), Why> {
        let read = |text| statements_and_file(self.language, text, Limits::default()).map_err(|_| Why::Unparsed);
        let [base, one, two] = texts;
        let ((base, base_file), (one, one_file), (two, two_file)) = (read(base)?, read(one)?, read(two)?);
        Ok(([base, one, two], [base_file, one_file, two_file].map(Arc::new)))
    }

    /// One way to merge three versions.
    fn pass(&mut self, trees: &Trees<'_>, flipped: Vec<bool>) -> Result<(Vec<u8>, Merger), Why> {
        let mut merger = self.merger();
        merger.flipped = flipped;
        let text = merger.file(trees.each_ref());
        self.left = merger.steps;
        text.map(|text| (text, merger))
    }

    /// With the steps that are left.
    pub(super) fn merger(&self) -> Merger {
        Merger::new(self.language, self.has_tests, self.left, Vec::new())
    }

    /// The answers that nothing speaks against. `given` are the versions as they were, where the trees are others.
    pub(super) fn answers(
        &mut self,
        trees: &Trees<'_>,
        checker: &Checker<'_>,
        given: Option<&Trees<'_>>,
    ) -> Result<Structured, Why> {
        let (text, mut first) = self.pass(trees, Vec::new())?;
        if first.rules.is_empty() && given.is_none() {
            first.used(Rule::Layout);
        }
        let is_choice = first.is_choice();
        let mut answers = Vec::new();
        let mut fault = None;
        let drops_versions = first.rules.contains(&Rule::HigherVersion);
        let (steps, has_tests) = (self.steps, self.has_tests);
        let may_be_open = is_choice || given.is_some();
        let mut consider = |text: Vec<u8>, answers: &mut Vec<Vec<u8>>| {
            if !answers.contains(&text) {
                let read = statements_and_file(first.language, &text, Limits::default());
                let checked = read.map_err(|_| Fault::Unparsed).and_then(|(answer, file)| {
                    checker.check(&answer, &file, drops_versions)?;
                    idempotent(
                        &text,
                        &answer,
                        given.unwrap_or(trees),
                        |language| Merger::new(language, has_tests, steps, Vec::new()),
                        may_be_open,
                    )
                });
                match checked {
                    Ok(()) => answers.push(text),
                    Err(found) => fault = fault.or(Some(found)),
                }
            }
        };
        consider(text, &mut answers);
        for flipped in variants(&first.choices) {
            if answers.len() == MOST_CANDIDATES {
                break;
            }
            // What cannot be merged this way is no candidate.
            if let Ok((text, _)) = self.pass(trees, flipped) {
                consider(text, &mut answers);
            }
        }
        match fault {
            Some(fault) if answers.is_empty() => Err(Why::Refused(fault)),
            _ => Ok(Structured { answers, is_choice, rules: first.rules }),
        }
    }
}

/// The answers of several ways to read what the sides did, the likeliest first.
fn joined(found: Vec<Structured>) -> Option<Structured> {
    let mut found = found.into_iter();
    let mut all = found.next()?;
    for other in found {
        all.is_choice = true;
        all.rules.extend(other.rules);
        for text in other.answers {
            if all.answers.len() < MOST_CANDIDATES && !all.answers.contains(&text) {
                all.answers.push(text);
            }
        }
    }
    Some(all)
}

/// Whether merging an answer with either side gives nothing else; what has to be chosen then is nothing else where
/// `may_be_open` says so.
fn idempotent(
    text: &[u8],
    answer: &Tree<'_>,
    [base, one, two]: &Trees<'_>,
    merger: impl Fn(Language) -> Merger,
    may_be_open: bool,
) -> Result<(), Fault> {
    for side in [one, two] {
        let trees = [base, answer, side];
        let mut merger = merger(base.language);
        let is_other = merger.file(trees).is_ok_and(|again| again != text);
        if is_other && !(may_be_open && merger.is_choice()) {
            return Err(Fault::NotIdempotent);
        }
    }
    Ok(())
}

/// The other ways to make some choices: those of one kind together, then each alone, then all.
fn variants(choices: &[Choice]) -> Vec<Vec<bool>> {
    let mut variants: Vec<Vec<bool>> = Vec::new();
    let kinds = [Choice::Statements, Choice::Positional, Choice::Lines, Choice::Entries];
    variants.extend(kinds.map(|kind| choices.iter().map(|choice| *choice == kind).collect()));
    variants.push(vec![true; choices.len()]);
    let alone = |at: usize| (0..choices.len()).map(move |other| other == at).collect();
    variants.extend((0..choices.len().min(8)).map(alone));
    variants.retain(|variant| variant.contains(&true));
    variants
}
