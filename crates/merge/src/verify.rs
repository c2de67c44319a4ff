//! The verifier: what must never be in a merged file, whoever merged it. It fails closed.

use crate::align::{Hunk, Touched, hunks, spans, split};
use crate::conflict::Kind;
use crate::frame::Frame;
use crate::merge::{identity, needs_no_lines};
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use std::collections::HashMap;

/// How each line of a conflict marker begins.
const MARKERS: [&[u8]; 4] = [b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"];

/// Longest quotation of a line in a refusal, in characters.
const QUOTED: usize = 60;

/// Whether `result` can be the merge of the two sides. Costs two alignments of the base with a side.
///
/// # Errors
/// The first [`Refusal`] found.
pub fn verify(
    base: Option<&[u8]>,
    ours: Option<&[u8]>,
    theirs: Option<&[u8]>,
    result: Option<&[u8]>,
    path: &str,
) -> Result<(), Refusal> {
    if let Some((_, only)) = identity(base, ours, theirs) {
        return if result == only { Ok(()) } else { Err(Refusal::NotIdentity) };
    }
    match needs_no_lines(base, ours, theirs, path) {
        None => {}
        Some(Kind::DeleteModify { .. }) => return Err(Refusal::DeleteModify),
        Some(Kind::Generated) => return Err(Refusal::Generated),
        Some(_) => return Err(Refusal::Binary),
    }
    let (Some(ours), Some(theirs), Some(result)) = (ours, theirs, result) else { return Err(Refusal::Deleted) };
    let base = base.unwrap_or_default();
    let frame = Frame::new(base, ours, theirs).ok_or(Refusal::LineEndings)?;
    frame.check(result)?;
    let texts = [base, ours, theirs, result].map(|text| frame.take_out(text));
    let [base, ours, theirs, result] = [0, 1, 2, 3].map(|at: usize| split(&texts[at]));
    let tallies = Tallies::new(&base, &ours, &theirs, &result);
    let (ours_hunks, theirs_hunks) = (hunks(&base, &ours), hunks(&base, &theirs));
    let case = Case { ours_hunks, theirs_hunks, base, ours, theirs, result, tallies };
    case.no_foreign_line()?;
    case.no_choice()?;
    case.nothing_lost()?;
    case.nothing_too_often()?;
    case.nothing_twice()
}

/// Whether swapping the sides gives the same `result`, and merging it with a side again gives nothing else, under the
/// caller's own `merge(base, ours, theirs)`. A conflict is nothing else: it leaves the result as it is.
///
/// # Errors
/// [`Refusal::Asymmetric`] or [`Refusal::NotIdempotent`].
pub fn verify_laws(
    base: Option<&[u8]>,
    ours: Option<&[u8]>,
    theirs: Option<&[u8]>,
    result: Option<&[u8]>,
    merge: impl Fn(Option<&[u8]>, Option<&[u8]>, Option<&[u8]>) -> Outcome,
) -> Result<(), Refusal> {
    if merge(base, theirs, ours).content() != Some(result) {
        return Err(Refusal::Asymmetric);
    }
    let again = |side| merge(base, result, side).content().is_none_or(|content| content == result);
    if again(ours) && again(theirs) { Ok(()) } else { Err(Refusal::NotIdempotent) }
}

struct Case<'a> {
    base: Vec<&'a [u8]>,
    ours: Vec<&'a [u8]>,
    theirs: Vec<&'a [u8]>,
    result: Vec<&'a [u8]>,
    ours_hunks: Vec<Hunk>,
    theirs_hunks: Vec<Hunk>,
    tallies: Tallies<'a>,
}

impl Case<'_> {
    fn no_foreign_line(&self) -> Result<(), Refusal> {
        let mut lines = self.result.iter().zip(self.tallies.of_result()).zip(1..);
        match lines.find(|((_, tally), _)| tally.ours + tally.theirs == 0) {
            None => Ok(()),
            Some(((text, _), line)) if is_marker(text) => Err(Refusal::Marker { line }),
            Some(((text, _), line)) => Err(Refusal::Foreign { line, text: quote(text) }),
        }
    }

    /// Where the sides changed lines that touch, each in its own way, any result is a choice.
    fn no_choice(&self) -> Result<(), Refusal> {
        for span in spans(&self.ours_hunks, &self.theirs_hunks) {
            if span.touched != Touched::Both || self.ours[span.ours.clone()] == self.theirs[span.theirs.clone()] {
                continue;
            }
            let line = span.base.start + 1;
            let inside = |hunk: &&Hunk| span.base.start <= hunk.before.start && hunk.before.end <= span.base.end;
            let overlap = self
                .ours_hunks
                .iter()
                .filter(inside)
                .any(|our| self.theirs_hunks.iter().filter(inside).any(|their| overlap(our, their)));
            return Err(if overlap { Refusal::BothChanged { line } } else { Refusal::Adjacent { line } });
        }
        Ok(())
    }

    /// What a side wrote, and what both kept, is in the result and in the side's order.
    fn nothing_lost(&self) -> Result<(), Refusal> {
        in_order(&self.ours, &self.ours_hunks, &self.theirs_hunks, &self.result)?;
        in_order(&self.theirs, &self.theirs_hunks, &self.ours_hunks, &self.result)
    }

    /// A line stands at most as often as both kept it, plus what each side wrote, what both wrote alike counted once.
    fn nothing_too_often(&self) -> Result<(), Refusal> {
        let mut changed: HashMap<&[u8], isize> = HashMap::new();
        let mut add = |lines: &[_], count| {
            for line in lines.iter().copied() {
                *changed.entry(line).or_default() += count;
            }
        };
        for span in spans(&self.ours_hunks, &self.theirs_hunks) {
            add(&self.base[span.base], -1);
            match span.touched {
                Touched::Theirs => add(&self.theirs[span.theirs], 1),
                Touched::Ours | Touched::Both => add(&self.ours[span.ours], 1),
            }
        }
        let room = self.tallies.room(&changed);
        for (line, (tally, room)) in self.result.iter().zip(self.tallies.of_result().zip(room)) {
            let Tally { base: in_base, ours: in_ours, theirs: in_theirs, result: in_result } = *tally;
            let deleted_by_one = in_ours.min(in_theirs) < in_base;
            if in_result > room {
                let text = quote(line);
                return Err(if deleted_by_one { Refusal::DeletionUndone { text } } else { Refusal::Repeated { text } });
            }
            // A line that stands once was moved where a side has it at another place. Both sides deleted it where it
            // was, so the count above lets it pass at both new places, or at one though the other side deleted it.
            let single = in_base == 1 && in_ours.max(in_theirs) == 1 && is_telling(line);
            if single && in_result > in_ours + in_theirs - 1 {
                let text = quote(line);
                return Err(if deleted_by_one { Refusal::DeletionUndone { text } } else { Refusal::Twice { text } });
            }
        }
        Ok(())
    }

    /// Both sides inserted the same lines, and nothing else there, at two places.
    fn nothing_twice(&self) -> Result<(), Refusal> {
        let inserted = |hunk: &&Hunk| hunk.before.is_empty();
        let mut places: HashMap<&[&[u8]], Vec<usize>> = HashMap::new();
        for hunk in self.ours_hunks.iter().filter(inserted) {
            places.entry(&self.ours[hunk.after.clone()]).or_default().push(hunk.before.start);
        }
        for hunk in self.theirs_hunks.iter().filter(inserted) {
            let lines = &self.theirs[hunk.after.clone()];
            let Some(telling) = lines.iter().find(|line| is_telling(line)) else { continue };
            if places.get(lines).is_some_and(|places| !places.contains(&hunk.before.start)) {
                return Err(Refusal::Twice { text: quote(telling) });
            }
        }
        Ok(())
    }
}

/// Whether both change one line of the base, or both insert at one place.
fn overlap(one: &Hunk, two: &Hunk) -> bool {
    one.before.start.max(two.before.start) < one.before.end.min(two.before.end) || one.before == two.before
}

/// Whether all lines of a side but those that the other side deleted stand in the result, in this order.
fn in_order(side: &[&[u8]], own: &[Hunk], other: &[Hunk], result: &[&[u8]]) -> Result<(), Refusal> {
    let mut rest = result.iter();
    let mut own = own.iter().peekable();
    let mut other = other.iter().peekable();
    let mut base = 0;
    let mut at = 0;
    while at < side.len() || own.peek().is_some() {
        if let Some(hunk) = own.next_if(|hunk| hunk.before.start == base) {
            for line in &side[hunk.after.clone()] {
                if !rest.any(|found| found == line) {
                    return Err(Refusal::EditLost { text: quote(line) });
                }
            }
            (base, at) = (hunk.before.end, hunk.after.end);
            continue;
        }
        while other.next_if(|hunk| hunk.before.end <= base).is_some() {}
        let deleted = other.peek().is_some_and(|hunk| hunk.before.start <= base);
        if !deleted && !rest.any(|found| *found == side[at]) {
            return Err(Refusal::LineLost { text: quote(side[at]) });
        }
        (base, at) = (base + 1, at + 1);
    }
    Ok(())
}

/// How often a line stands in each file.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    base: isize,
    ours: isize,
    theirs: isize,
    result: isize,
}

/// The tallies of all lines. Each line of a file is looked up once: hashing is what the verifier would spend most on.
struct Tallies<'a> {
    places: HashMap<&'a [u8], usize>,
    tallies: Vec<Tally>,
    /// Where the tally of each line of the result stands.
    result: Vec<usize>,
}

impl<'a> Tallies<'a> {
    fn new(base: &[&'a [u8]], ours: &[&'a [u8]], theirs: &[&'a [u8]], result: &[&'a [u8]]) -> Self {
        let places = HashMap::with_capacity(base.len());
        let mut all =
            Self { places, tallies: Vec::with_capacity(base.len()), result: Vec::with_capacity(result.len()) };
        for line in base {
            all.tally(line).1.base += 1;
        }
        for line in ours {
            all.tally(line).1.ours += 1;
        }
        for line in theirs {
            all.tally(line).1.theirs += 1;
        }
        for line in result {
            let (place, tally) = all.tally(line);
            tally.result += 1;
            all.result.push(place);
        }
        all
    }

    fn tally(&mut self, line: &'a [u8]) -> (usize, &mut Tally) {
        let place = *self.places.entry(line).or_insert(self.tallies.len());
        if place == self.tallies.len() {
            self.tallies.push(Tally::default());
        }
        (place, &mut self.tallies[place])
    }

    /// The tally of each line of the result, in its order.
    fn of_result(&self) -> impl Iterator<Item = &Tally> {
        self.result.iter().map(|place| &self.tallies[*place])
    }

    /// How often each line of the result, in its order, may stand there: as often as in the base and what `changed` adds.
    fn room(&self, changed: &HashMap<&[u8], isize>) -> impl Iterator<Item = isize> {
        let mut room: Vec<isize> = self.tallies.iter().map(|tally| tally.base).collect();
        for (line, count) in changed {
            if let Some(place) = self.places.get(line) {
                room[*place] += count;
            }
        }
        self.result.iter().map(move |place| room[*place])
    }
}

/// Whether a line may be that of a conflict marker.
pub(crate) fn is_marker(line: &[u8]) -> bool {
    MARKERS.iter().any(|marker| line.starts_with(marker))
}

/// Whether a line says something by itself: brackets and blank lines do not.
pub(crate) fn is_telling(line: &[u8]) -> bool {
    line.iter().any(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())
}

fn quote(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim().chars().take(QUOTED).collect()
}
