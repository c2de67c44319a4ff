//! From text to tree, within limits.

use crate::walk::walk;
use crate::{Error, File, Language};
use std::ops::ControlFlow;
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

/// What one parse may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest text, in bytes.
    pub bytes: usize,
    /// Most steps: calls of the parser's progress function (each some hundred operations), then nodes read. A count
    /// and not a time, so that the same text always gives the same answer.
    pub steps: u64,
}

impl Default for Limits {
    /// 2 MiB and ten million steps.
    fn default() -> Self {
        Self { bytes: 2 << 20, steps: 10_000_000 }
    }
}

/// Parses a text. Text that is no valid program gives a [`File`] too: one that is not sound.
///
/// # Errors
/// [`Error`] when the text is over a limit or the language is not built in.
pub fn parse(language: Language, text: &[u8], limits: Limits) -> Result<File, Error> {
    let tree = tree(language, text, limits)?;
    walk(language, text, &tree, limits.steps).ok_or(Error::TooLong { limit: limits.steps })
}

/// The syntax tree of a text.
pub(crate) fn tree(language: Language, text: &[u8], limits: Limits) -> Result<Tree, Error> {
    if text.len() > limits.bytes {
        return Err(Error::TooLarge { length: text.len(), limit: limits.bytes });
    }
    let grammar = language.grammar().ok_or(Error::NotBuiltIn(language))?;
    let mut parser = Parser::new();
    parser.set_language(&grammar).map_err(|_| Error::NotBuiltIn(language))?;
    let mut steps = 0_u64;
    let mut progress = |_: &ParseState| {
        steps += 1;
        if steps > limits.steps { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut read = |at: usize, _| text.get(at..).unwrap_or_default();
    parser.parse_with_options(&mut read, None, Some(options)).ok_or(Error::TooLong { limit: limits.steps })
}
