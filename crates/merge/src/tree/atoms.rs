//! The parts of one statement.

use super::alike::atoms;
use super::{Merger, Why, hash_atom, same_atoms, space};
use crate::outcome::Rule;
use orchestrator_syntax::statements::{Atom, Token, TokenKind};

impl Merger {
    pub(super) fn atoms<'t>(
        &mut self,
        base: &[Atom<'t>],
        one: &[Atom<'t>],
        two: &[Atom<'t>],
    ) -> Result<Vec<Atom<'t>>, Why> {
        if same_atoms(one, base) {
            return Ok(two.to_vec());
        }
        if same_atoms(two, base) || same_atoms(one, two) {
            return Ok(one.to_vec());
        }
        let to_one = self.align(base, one, hash_atom, hash_atom, atoms)?;
        let to_two = self.align(base, two, hash_atom, hash_atom, atoms)?;
        let mut merged = Vec::new();
        let (mut at, mut in_one, mut in_two) = (0, 0, 0);
        loop {
            // The next part that all three have.
            let next = (at..base.len()).find_map(|next| Some((next, to_one[next]?, to_two[next]?)));
            let (end, one_end, two_end) = next.unwrap_or((base.len(), one.len(), two.len()));
            merged.extend(self.run(&base[at..end], &one[in_one..one_end], &two[in_two..two_end])?);
            let Some((next, mine, other)) = next else { return Ok(merged) };
            merged.push(self.atom(&base[next], &one[mine], &two[other])?);
            (at, in_one, in_two) = (next + 1, mine + 1, other + 1);
        }
    }

    /// What stands between two parts that all three have.
    fn run<'t>(&mut self, base: &[Atom<'t>], one: &[Atom<'t>], two: &[Atom<'t>]) -> Result<Vec<Atom<'t>>, Why> {
        if same_atoms(one, base) {
            Ok(two.to_vec())
        } else if same_atoms(two, base) || same_atoms(one, two) {
            Ok(one.to_vec())
        } else {
            Err(Why::BothChanged)
        }
    }

    fn atom<'t>(&mut self, base: &Atom<'t>, one: &Atom<'t>, two: &Atom<'t>) -> Result<Atom<'t>, Why> {
        match (base, one, two) {
            (Atom::Token(base), Atom::Token(one), Atom::Token(two)) => self.token(base, one, two).map(Atom::Token),
            (Atom::List(base), Atom::List(one), Atom::List(two)) => self.list(base, one, two).map(Atom::List),
            (Atom::Body(base), Atom::Body(one), Atom::Body(two)) => self.body(base, one, two).map(Atom::Body),
            _ => Err(Why::BothChanged),
        }
    }

    fn token<'t>(&mut self, base: &Token<'t>, one: &Token<'t>, two: &Token<'t>) -> Result<Token<'t>, Why> {
        let space = space(base.space, one.space, two.space);
        if one.text == base.text {
            return Ok(Token { space, ..*two });
        }
        if two.text == base.text || one.text == two.text {
            return Ok(Token { space, ..*one });
        }
        match base.kind {
            TokenKind::Text | TokenKind::Comment => {
                self.used(Rule::Words);
                Err(Why::BothChanged)
            }
            _ => Err(Why::BothChanged),
        }
    }
}
