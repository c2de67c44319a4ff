//! Comments.

use super::{Merger, Why};
use orchestrator_syntax::statements::Token;

impl Merger {
    pub(super) fn comments<'t>(
        &mut self,
        base: &[Token<'t>],
        one: &[Token<'t>],
        two: &[Token<'t>],
    ) -> Result<Vec<Token<'t>>, Why> {
        let same = |one: &[Token<'t>], two: &[Token<'t>]| {
            one.iter().map(|token| token.text).eq(two.iter().map(|token| token.text))
        };
        if same(one, base) {
            Ok(two.to_vec())
        } else if same(two, base) || same(one, two) {
            Ok(one.to_vec())
        } else {
            Err(Why::Comment)
        }
    }
}
