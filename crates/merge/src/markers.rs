//! A conflict written as git writes it.

use crate::align::{hunks, split};
use crate::conflict::{Conflict, Kind, Piece, Region};
use crate::outcome::{Proof, Rule};
use crate::shape::{Endings, endings};

/// Most lines between two conflicts that are put into one: written apart they would take more.
const LINES_WORTH_NO_SPLIT: usize = 3;

/// How long git's markers are where nothing else is asked for.
const USUAL_SIZE: usize = 7;

/// The form of conflict markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Both sides, with as few lines as possible.
    Merge,
    /// Both sides and the base between them, whole.
    Diff3,
    /// As `Diff3`, with what both sides begin and end alike with outside.
    Zdiff3,
}

/// What stands behind the markers; nothing where empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels<'a> {
    /// Behind `<<<<<<<`.
    pub ours: &'a str,
    /// Behind `|||||||`.
    pub base: &'a str,
    /// Behind `>>>>>>>`.
    pub theirs: &'a str,
}

impl Conflict {
    /// The file with its open regions between conflict markers, as `git merge-file` writes it; `None` where there are
    /// no lines to mark: the file is not text, or one side deleted it.
    #[must_use]
    pub fn markers(&self, style: Style, labels: &Labels<'_>) -> Option<Vec<u8>> {
        self.markers_of_size(style, labels, USUAL_SIZE)
    }

    /// The same with markers of so many characters: those of a conflict within a conflict are longer.
    #[must_use]
    pub fn markers_of_size(&self, style: Style, labels: &Labels<'_>, size: usize) -> Option<Vec<u8>> {
        if matches!(self.kind, Kind::Binary | Kind::DeleteModify { .. }) {
            return None;
        }
        let newline: &[u8] = if self.has_crlf() { b"\r\n" } else { b"\n" };
        let mut writer = Writer { labels, size, newline, file: Vec::new() };
        for chunk in self.chunks(style) {
            match chunk {
                Chunk::Same(text) | Chunk::OneSided(text) => writer.file.extend_from_slice(&text),
                Chunk::Differ { ours, base, theirs } => writer.conflict(&ours, base.as_deref(), &theirs),
            }
        }
        Some(writer.file)
    }

    /// Whether all its lines end with `\r\n`.
    fn has_crlf(&self) -> bool {
        let mut found = None;
        for piece in &self.pieces {
            let texts = match piece {
                Piece::Settled { text, .. } => [text, text, text],
                Piece::Open(region) => [&region.base.text, &region.ours.text, &region.theirs.text],
            };
            for ending in texts.into_iter().filter_map(|text| endings(text)) {
                if ending != Endings::Crlf {
                    return false;
                }
                found = Some(ending);
            }
        }
        found.is_some()
    }

    fn chunks(&self, style: Style) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Settled { text, proof } => push(&mut chunks, settled(text, proof.as_ref())),
                Piece::Open(region) => match style {
                    Style::Merge => refine(region, &mut chunks),
                    Style::Diff3 => push(&mut chunks, with_base(region)),
                    Style::Zdiff3 => {
                        push(&mut chunks, Chunk::Same(region.before.clone()));
                        let (ours, theirs) = (region.ours.text.clone(), region.theirs.text.clone());
                        push(&mut chunks, Chunk::Differ { ours, base: Some(region.base.text.clone()), theirs });
                        push(&mut chunks, Chunk::Same(region.after.clone()));
                    }
                },
            }
        }
        if style == Style::Merge { join(chunks) } else { chunks }
    }
}

enum Chunk {
    /// Lines that are the same in both sides.
    Same(Vec<u8>),
    /// Lines taken from one side.
    OneSided(Vec<u8>),
    /// Lines in conflict.
    Differ { ours: Vec<u8>, base: Option<Vec<u8>>, theirs: Vec<u8> },
}

fn push(chunks: &mut Vec<Chunk>, chunk: Chunk) {
    match (chunks.last_mut(), chunk) {
        (_, Chunk::Same(text)) if text.is_empty() => {}
        (Some(Chunk::Same(last)), Chunk::Same(text)) => last.extend(text),
        (_, chunk) => chunks.push(chunk),
    }
}

fn settled(text: &[u8], proof: Option<&Proof>) -> Chunk {
    match proof.map(|proof| proof.rule) {
        None | Some(Rule::SameChange) => Chunk::Same(text.to_vec()),
        Some(_) => Chunk::OneSided(text.to_vec()),
    }
}

fn with_base(region: &Region) -> Chunk {
    let side = |text: &[u8]| [&region.before, text, &region.after].concat();
    let (ours, theirs) = (side(&region.ours.text), side(&region.theirs.text));
    Chunk::Differ { ours, base: Some(region.base.text.clone()), theirs }
}

/// Splits a region into what both sides wrote and what they wrote differently.
fn refine(region: &Region, chunks: &mut Vec<Chunk>) {
    let side = |text: &[u8]| [&region.before, text, &region.after].concat();
    let (ours, theirs) = (side(&region.ours.text), side(&region.theirs.text));
    let (ours, theirs) = (split(&ours), split(&theirs));
    let mut done = 0;
    for hunk in hunks(&ours, &theirs) {
        push(chunks, Chunk::Same(ours[done..hunk.before.start].concat()));
        done = hunk.before.end;
        let (ours, theirs) = (ours[hunk.before].concat(), theirs[hunk.after].concat());
        push(chunks, Chunk::Differ { ours, base: None, theirs });
    }
    push(chunks, Chunk::Same(ours[done..].concat()));
}

/// Puts two conflicts into one where too little stands between them.
fn join(chunks: Vec<Chunk>) -> Vec<Chunk> {
    let mut joined: Vec<Chunk> = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let Chunk::Differ { ours: our, theirs: their, .. } = &chunk else {
            joined.push(chunk);
            continue;
        };
        match &mut joined[..] {
            [.., Chunk::Differ { ours, theirs, .. }, Chunk::Same(between)] if worth_no_split(between) => {
                for (side, text) in [(ours, our), (theirs, their)] {
                    side.extend_from_slice(between);
                    side.extend_from_slice(text);
                }
                joined.pop();
            }
            _ => joined.push(chunk),
        }
    }
    joined
}

fn worth_no_split(between: &[u8]) -> bool {
    split(between).len() <= LINES_WORTH_NO_SPLIT || !between.iter().any(u8::is_ascii_alphanumeric)
}

struct Writer<'a> {
    labels: &'a Labels<'a>,
    size: usize,
    newline: &'a [u8],
    file: Vec<u8>,
}

impl Writer<'_> {
    fn conflict(&mut self, ours: &[u8], base: Option<&[u8]>, theirs: &[u8]) {
        self.marker(b'<', self.labels.ours);
        self.side(ours);
        if let Some(base) = base {
            self.marker(b'|', self.labels.base);
            self.side(base);
        }
        self.marker(b'=', "");
        self.side(theirs);
        self.marker(b'>', self.labels.theirs);
    }

    fn marker(&mut self, sign: u8, label: &str) {
        self.file.extend(std::iter::repeat_n(sign, self.size));
        if !label.is_empty() {
            self.file.push(b' ');
            self.file.extend_from_slice(label.as_bytes());
        }
        self.file.extend_from_slice(self.newline);
    }

    /// A side's text; a newline ends it even where the file has none.
    fn side(&mut self, text: &[u8]) {
        self.file.extend_from_slice(text);
        if text.last().is_some_and(|byte| *byte != b'\n') {
            self.file.extend_from_slice(self.newline);
        }
    }
}
