//! Three-way merge of trees of statements.
//!
//! What only one side changed is taken from it, statement by statement, entry by entry, token by token; what both
//! changed alike is taken once. Where both put something into one place, the order is a *choice*: one that means
//! nothing is made by content, any other gives candidates. Whatever else both changed is left to someone else.

mod align;
mod alike;
mod answers;
mod atoms;
mod body;
mod check;
mod early;
mod free;
mod imports;
mod item;
mod list;
mod moved;
mod nested;
mod rename;
mod replay;
mod slots;
mod suite;
mod text;
mod version;
mod wrap;

use crate::outcome::Rule;
pub(crate) use answers::merge_trees;
pub use check::Fault;
pub(crate) use check::is_defined_twice;
use orchestrator_syntax::Language;
use orchestrator_syntax::statements::{Atom, Space, Token, Tree, hash_atoms};
use std::collections::BTreeSet;
pub(crate) use suite::is_of_tests;

/// Deepest that lists and statements are merged within one another.
const MOST_DEPTH: usize = 40;

/// What one part costs that is looked at, compared and copied.
const STEPS_A_PART: usize = 8;

/// Why the structure settles nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// No grammar, or a version that cannot be parsed.
    #[error("a version of the file cannot be parsed as a whole")]
    Unparsed,
    /// Both changed one token, each in its own way.
    #[error("both sides changed the same words, each in its own way")]
    BothChanged,
    /// One side deleted what the other changed.
    #[error("one side deleted what the other side changed")]
    DeletedAndChanged,
    /// Both added something of one name, with different content.
    #[error("both sides added something of the same name, with different content")]
    SameName,
    /// Both changed a comment.
    #[error("both sides changed the same comment")]
    Comment,
    /// More steps than allowed.
    #[error("the merge would take more steps than allowed")]
    Budget,
    /// The verifier refused every answer.
    #[error("the answer was refused: {0}")]
    Refused(Fault),
    /// What people made of these regions before was refused.
    #[error("what was recorded for these regions was refused by the verifier")]
    Recording,
}

/// Answers of one merge.
#[derive(Debug)]
pub(crate) struct Structured {
    /// The files, the likeliest first; one alone when nothing had to be chosen.
    pub(crate) answers: Vec<Vec<u8>>,
    /// Whether something had to be chosen that may mean something.
    pub(crate) is_choice: bool,
    /// What was used, in the order of `Rule`; at least one.
    pub(crate) rules: BTreeSet<Rule>,
}

/// A choice between two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Of parameters or arguments: definitions and calls go together.
    Positional,
    /// Of statements.
    Statements,
    /// Of lines of a text.
    Lines,
    /// Of other entries.
    Entries,
}

/// The state of one pass.
pub(crate) struct Merger {
    language: Language,
    /// Steps left.
    steps: usize,
    depth: usize,
    /// Which choices are made the other way round, by their place in `choices`.
    flipped: Vec<bool>,
    choices: Vec<Choice>,
    /// Whether something was put together that may not go together.
    is_guess: bool,
    /// Whether the file is one of tests.
    has_tests: bool,
    /// Whether the atoms at hand are those of a definition.
    in_definition: bool,
    /// Whether the next list has the arguments of a call that names a test.
    in_test: bool,
    rules: BTreeSet<Rule>,
}

impl Merger {
    fn new(language: Language, has_tests: bool, steps: usize, flipped: Vec<bool>) -> Self {
        Self {
            language,
            steps,
            depth: 0,
            flipped,
            choices: Vec::new(),
            is_guess: false,
            has_tests,
            in_definition: false,
            in_test: false,
            rules: BTreeSet::new(),
        }
    }

    fn spend(&mut self, steps: usize) -> Result<(), Why> {
        self.steps = self.steps.checked_sub(steps).ok_or(Why::Budget)?;
        Ok(())
    }

    /// Whether two things that both sides put into one place go the other way round than usual.
    fn is_flipped(&mut self, choice: Choice) -> bool {
        let flipped = self.flipped.get(self.choices.len()).copied().unwrap_or_default();
        self.choices.push(choice);
        flipped
    }

    /// Goes one level deeper, into lists of so many parts in all.
    fn enter<T>(&mut self, parts: usize, merge: impl FnOnce(&mut Self) -> Result<T, Why>) -> Result<T, Why> {
        self.spend(parts * STEPS_A_PART)?;
        if self.depth == MOST_DEPTH {
            return Err(Why::Budget);
        }
        self.depth += 1;
        let merged = merge(self);
        self.depth -= 1;
        merged
    }

    fn used(&mut self, rule: Rule) {
        self.rules.insert(rule);
    }
}

impl Merger {
    /// Whether something was put together that may mean something in another way.
    fn is_choice(&self) -> bool {
        self.is_guess || !self.choices.is_empty()
    }

    fn file(&mut self, [base, one, two]: [&Tree<'_>; 3]) -> Result<Vec<u8>, Why> {
        let body = self.body(&base.body, &one.body, &two.body)?;
        let end = space(base.end, one.end, two.end);
        Ok(Tree { language: base.language, body, end }.text())
    }
}

/// White space where both sides may have changed it: that of the side that did.
fn space<'t>(base: Space<'t>, one: Space<'t>, two: Space<'t>) -> Space<'t> {
    if one.is_like(&base) { two } else { one }
}

/// A bracket of all three versions, laid out as by the side that changed that.
fn bracket<'t>(base: Option<Token<'t>>, one: Option<Token<'t>>, two: Option<Token<'t>>) -> Option<Token<'t>> {
    match (base, one, two) {
        (Some(base), Some(one), Some(two)) => Some(Token { space: space(base.space, one.space, two.space), ..one }),
        _ => one,
    }
}

/// Two runs of parts, one behind the other.
fn in_order<T: Clone>(one: Vec<T>, two: Vec<T>, is_swapped: bool) -> Vec<T> {
    if is_swapped { [two, one].concat() } else { [one, two].concat() }
}

fn same_atoms(one: &[Atom<'_>], two: &[Atom<'_>]) -> bool {
    one.len() == two.len() && hash_atoms(one) == hash_atoms(two)
}

fn hash_atom(atom: &Atom<'_>) -> u64 {
    hash_atoms(std::slice::from_ref(atom))
}
