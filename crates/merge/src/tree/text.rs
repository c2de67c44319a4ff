//! Comments.

use super::{Merger, Why, is_same};
use orchestrator_syntax::statements::{Atom, Token};

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
        let laid_out = |one: &[Token<'t>], two: &[Token<'t>]| {
            let write = |tokens: &[Token<'t>], out: &mut Vec<u8>| tokens.iter().for_each(|token| token.write(out, b""));
            is_same(|out| write(one, out), |out| write(two, out))
        };
        if laid_out(one, base) || same(one, base) && !same(two, base) {
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
