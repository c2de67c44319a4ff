//! The parts of one statement.

use super::alike::atoms;
use super::version::higher;
use super::{Choice, Merger, Why, hash_atom, same_atoms, space};
use crate::outcome::Rule;
use orchestrator_syntax::statements::{Atom, Token, TokenKind, layout_of_atoms, words_of};

impl Merger {
    pub(super) fn atoms<'t>(
        &mut self,
        base: &[Atom<'t>],
        one: &[Atom<'t>],
        two: &[Atom<'t>],
    ) -> Result<Vec<Atom<'t>>, Why> {
        let [before, mine, other] = [base, one, two].map(layout_of_atoms);
        if mine == before {
            return Ok(two.to_vec());
        }
        if other == before || mine == other {
            return Ok(one.to_vec());
        }
        let to_one = self.align(base, one, hash_atom, hash_atom, atoms)?;
        let to_two = self.align(base, two, hash_atom, hash_atom, atoms)?;
        let mut merged = Vec::new();
        let (mut at, mut in_one, mut in_two) = (0, 0, 0);
        let mut changed = [Vec::new(), Vec::new()];
        let is_version = base.iter().any(names_version);
        loop {
            // The next part that all three have.
            let next = (at..base.len()).find_map(|next| Some((next, to_one[next]?, to_two[next]?)));
            let (end, one_end, two_end) = next.unwrap_or((base.len(), one.len(), two.len()));
            let [before, mine, other] = [&base[at..end], &one[in_one..one_end], &two[in_two..two_end]];
            for (side, changed) in [mine, other].into_iter().zip(&mut changed) {
                changed.extend((!same_atoms(side, before)).then_some((at, false)));
            }
            let behind = [one.get(one_end), two.get(two_end)];
            merged.extend(self.run(before, mine, other, behind)?);
            let Some((next, mine, other)) = next else { break };
            let (before, mine_atom, other_atom) = (&base[next], &one[mine], &two[other]);
            for (side, changed) in [mine_atom, other_atom].into_iter().zip(&mut changed) {
                changed.extend((hash_atom(before) != hash_atom(side)).then_some((next, true)));
            }
            merged.push(self.atom(before, mine_atom, other_atom, is_version)?);
            (at, in_one, in_two) = (next + 1, mine + 1, other + 1);
        }
        // Each side changed a part that the other did not.
        let [one, two] = &changed;
        if one != two && !one.is_empty() && !two.is_empty() {
            self.used(Rule::Words);
            self.is_guess |= !self.in_definition;
        }
        Ok(merged)
    }

    /// What stands between two parts that all three have; `behind` is what comes next in either side.
    fn run<'t>(
        &mut self,
        base: &[Atom<'t>],
        one: &[Atom<'t>],
        two: &[Atom<'t>],
        behind: [Option<&Atom<'t>>; 2],
    ) -> Result<Vec<Atom<'t>>, Why> {
        if same_atoms(one, base) {
            return Ok(two.to_vec());
        }
        if same_atoms(two, base) || same_atoms(one, two) {
            return Ok(one.to_vec());
        }
        if !base.is_empty() {
            return Err(Why::BothChanged);
        }
        let is_line = |atom: &Atom<'t>| matches!(atom, Atom::Token(token) if is_text(token));
        // What one side put there may be part of what the other did.
        let hashes = |atoms: &[Atom<'t>]| atoms.iter().map(hash_atom).collect::<Vec<_>>();
        let (mine, other) = (hashes(one), hashes(two));
        for (long, short, side) in [(&mine, &other, one), (&other, &mine, two)] {
            if long.windows(short.len()).any(|part| part == short) {
                self.used(Rule::SameInsertion);
                self.is_guess |= !side.iter().all(is_line);
                return Ok(side.to_vec());
            }
        }
        let choice = if one.iter().chain(two).all(is_line) { Choice::Lines } else { Choice::Entries };
        self.used(Rule::Order);
        let (first, second, behind) = match (words_of(one) > words_of(two)) != self.is_flipped(choice) {
            true => (two, one, behind[1]),
            false => (one, two, behind[0]),
        };
        let mut second = second.to_vec();
        // At the beginning of a statement nothing stands before either.
        if let (Some(Atom::Token(token)), Some(next)) = (second.first_mut(), behind.and_then(Atom::first))
            && token.space.text.is_empty()
        {
            token.space = next.space;
        }
        Ok([first, &second].concat())
    }

    fn atom<'t>(&mut self, base: &Atom<'t>, one: &Atom<'t>, two: &Atom<'t>, is_version: bool) -> Result<Atom<'t>, Why> {
        match (base, one, two) {
            (Atom::Token(base), Atom::Token(one), Atom::Token(two)) => {
                self.token(base, one, two, is_version).map(Atom::Token)
            }
            (Atom::List(base), Atom::List(one), Atom::List(two)) => self.list(base, one, two).map(Atom::List),
            (Atom::Body(base), Atom::Body(one), Atom::Body(two)) => self.body(base, one, two).map(Atom::Body),
            _ => Err(Why::BothChanged),
        }
    }

    fn token<'t>(
        &mut self,
        base: &Token<'t>,
        one: &Token<'t>,
        two: &Token<'t>,
        is_version: bool,
    ) -> Result<Token<'t>, Why> {
        let space = space(base.space, one.space, two.space);
        if one.text == base.text {
            return Ok(Token { space, ..*two });
        }
        if two.text == base.text || one.text == two.text {
            return Ok(Token { space, ..*one });
        }
        let higher = if is_version { higher(base.text, one.text, two.text) } else { None };
        let text = higher.ok_or(Why::BothChanged)?;
        self.used(Rule::HigherVersion);
        Ok(Token { space, text, kind: base.kind })
    }
}

fn is_text(token: &Token<'_>) -> bool {
    matches!(token.kind, TokenKind::Text | TokenKind::Comment)
}

/// Whether a statement or entry is about a version.
fn names_version(atom: &Atom<'_>) -> bool {
    matches!(atom, Atom::Token(token) if matches!(token.kind, TokenKind::Word | TokenKind::Keyword)
        && token.text.to_ascii_lowercase().windows(7).any(|part| part == b"version"))
}
