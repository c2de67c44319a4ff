//! Comments.

use super::{Merger, Why};
use orchestrator_syntax::statements::{Atom, Token, layout_of_tokens};

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
        let is_kept = layout_of_tokens(one) == layout_of_tokens(base);
        if is_kept || same(one, base) && !same(two, base) {
            Ok(two.to_vec())
        } else if same(two, base) || same(one, two) {
            Ok(one.to_vec())
        } else {
            let atoms = |tokens: &[Token<'t>]| tokens.iter().copied().map(Atom::Token).collect::<Vec<_>>();
            let merged = self.atoms(&atoms(base), &atoms(one), &atoms(two)).map_err(|_| Why::Comment)?;
            Ok(merged
                .into_iter()
                .filter_map(|atom| if let Atom::Token(token) = atom { Some(token) } else { None })
                .collect())
        }
    }
}
