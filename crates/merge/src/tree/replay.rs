//! What one side did to the form of a file, done in its other versions before they are merged: then it is no change, and
//! what is left are the edits. A block that one side wrapped is wrapped in all; a definition that one side moved and the other
//! edited is the edited one where it was moved to.

use super::answers::{Job, Trees};
use super::check::Checker;
use super::wrap::Edge;
use super::{Structured, Why};
use crate::outcome::Rule;
use orchestrator_syntax::Limits;
use orchestrator_syntax::statements::statements;
use std::collections::BTreeSet;

/// One way to do that.
pub(super) struct Replay<'a, 't> {
    checker: &'a Checker<'t>,
    /// The versions as they were given.
    given: &'a Trees<'t>,
    edge: Edge,
    rules: BTreeSet<Rule>,
    is_guess: bool,
    /// Whether there is another way: with the other [`Edge`].
    pub(super) has_edges: bool,
    /// Whether that is the likelier one.
    pub(super) is_whole: bool,
}

/// What is done one after the other: which rule, and which version's change.
const STEPS: [(Rule, usize); 4] = [(Rule::Moved, 1), (Rule::Moved, 2), (Rule::Wrapped, 1), (Rule::Wrapped, 2)];

impl<'a, 't> Replay<'a, 't> {
    pub(super) fn new(checker: &'a Checker<'t>, given: &'a Trees<'t>, edge: Edge) -> Self {
        Self { checker, given, edge, rules: BTreeSet::new(), is_guess: false, has_edges: false, is_whole: false }
    }

    /// The answers, if something was done to the form.
    pub(super) fn answers(&mut self, job: &mut Job, trees: &Trees<'_>) -> Result<Structured, Why> {
        self.from(0, job, trees)
    }

    /// The steps from one on; one for each call, since each reads new texts.
    fn from(&mut self, first: usize, job: &mut Job, trees: &Trees<'_>) -> Result<Structured, Why> {
        for (at, (rule, side)) in STEPS.iter().enumerate().skip(first) {
            let Some(texts) = self.step(*rule, *side, job, trees)? else { continue };
            self.rules.insert(*rule);
            let read = |text| statements(job.language, text, Limits::default()).map_err(|_| Why::Unparsed);
            let [base, one, two] = &texts;
            let trees = [read(base)?, read(one)?, read(two)?];
            return self.from(at + 1, job, &trees);
        }
        if self.rules.is_empty() {
            return Err(Why::BothChanged);
        }
        let mut found = job.answers(trees, self.checker, Some(self.given))?;
        found.is_choice |= self.is_guess;
        found.rules.extend(&self.rules);
        Ok(found)
    }

    /// The versions after one step; `None` where there is nothing to be done.
    fn step(&mut self, rule: Rule, side: usize, job: &mut Job, trees: &Trees<'_>) -> Result<Option<[Vec<u8>; 3]>, Why> {
        let [base, one, two] = trees;
        let (author, other) = if side == 1 { (one, two) } else { (two, one) };
        let mut merger = job.merger();
        let (texts, is_guess) = if rule == Rule::Moved {
            let moves = merger.moves([base, author, other]);
            job.left = merger.steps;
            let moves = moves?;
            if moves.side.is_empty() {
                return Ok(None);
            }
            ([base.text(), moves.side.text(author), moves.other.text(other)], moves.is_guess)
        } else {
            let wraps = merger.wraps([base, author, other], self.edge);
            job.left = merger.steps;
            let wraps = wraps?;
            self.has_edges |= wraps.has_edges;
            self.is_whole |= wraps.is_whole;
            if wraps.base.is_empty() {
                return Ok(None);
            }
            ([wraps.base.text(base), author.text(), wraps.other.text(other)], true)
        };
        self.is_guess |= is_guess;
        let [base, author, other] = texts;
        Ok(Some(if side == 1 { [base, author, other] } else { [base, other, author] }))
    }
}
