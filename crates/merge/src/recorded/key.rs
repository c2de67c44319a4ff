//! By what a recorded resolution is found again.

use crate::align::{count, split};
use crate::conflict::Region;
use crate::outcome::Lines;
use crate::verify::is_telling;
use orchestrator_syntax::{File, Language, Limits, parse};
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Most lines of a region, all versions together: beyond it no two conflicts are alike.
const MOST_LINES: usize = 2_000;

/// How many lines on either side say where a region outside of all entities stands.
const AROUND: usize = 3;

/// A region in conflict, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// The file.
    pub path: String,
    /// Its language, or where no grammar reads it, what its name ends with.
    pub language: String,
    /// Where in the file.
    pub place: Place,
    /// What stood there: lines without their ends and without the indentation that all lines of the region share.
    pub base: Vec<String>,
    /// What one side has instead. Which side this is depends on both texts alone.
    pub one: Vec<String>,
    /// What the other side has instead.
    pub two: Vec<String>,
}

/// Where in a file a region stands, told by the base.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In these entities: paths of the innermost ones, with the signature where several share a path.
    Entities(Vec<String>),
    /// Outside of all entities, between these lines.
    Between {
        /// The last lines before it that say something.
        before: Vec<String>,
        /// The first lines after it that say something.
        after: Vec<String>,
    },
}

impl Key {
    /// Whether a recording of the other key may be proposed for this one: the same text in another place of the same
    /// language, or text of the same shape in the same file, which is the same but for its words.
    #[must_use]
    pub fn is_near(&self, other: &Self) -> bool {
        self != other && (self.is_same_text(other) || (self.path == other.path && self.is_alike(other)))
    }

    pub(super) fn is_same_text(&self, other: &Self) -> bool {
        self.language == other.language && (&self.base, &self.one, &self.two) == (&other.base, &other.one, &other.two)
    }

    fn is_alike(&self, other: &Self) -> bool {
        let shapes = |key: &Self| [&key.base, &key.one, &key.two].map(|lines| shape(lines));
        self.language == other.language && shapes(self) == shapes(other)
    }

    /// Whether both sides have one shape, so that which of them is `one` says nothing to another key of that shape.
    pub(super) fn is_even(&self) -> bool {
        shape(&self.one) == shape(&self.two)
    }

    /// Hashes of what near keys share, for a store to look them up: those of equal text have the first in common, those
    /// of one shape in one file the second. They are no part of a stored form.
    pub(super) fn near_hashes(&self) -> [u64; 2] {
        let hash = |value: &dyn Fn(&mut DefaultHasher)| {
            let mut hasher = DefaultHasher::new();
            value(&mut hasher);
            hasher.finish()
        };
        let text = hash(&|hasher| (&self.language, &self.base, &self.one, &self.two).hash(hasher));
        let alike = hash(&|hasher| {
            (&self.path, &self.language).hash(hasher);
            [&self.base, &self.one, &self.two].map(|lines| shape(lines)).hash(hasher);
        });
        [text, alike]
    }
}

/// The lines with a sign in place of each word.
fn shape(lines: &[String]) -> Vec<String> {
    let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
    let of = |line: &String| {
        let mut shape = String::new();
        for sign in line.chars() {
            match is_word(sign) {
                true if shape.ends_with('w') => {}
                true => shape.push('w'),
                false => shape.push(sign),
            }
        }
        shape
    };
    lines.iter().map(of).collect()
}

/// How the lines of a region are written where they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    indent: String,
    newline: &'static str,
    /// Whether the region's last line has no end.
    is_cut: bool,
}

/// A region in conflict, read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) key: Key,
    pub(super) form: Form,
}

/// What the keys of one file share.
pub(super) struct Places<'a> {
    path: &'a str,
    language: String,
    base: Vec<&'a [u8]>,
    /// Entities of the base, where it can be parsed.
    file: Option<File>,
}

impl<'a> Places<'a> {
    pub(super) fn new(path: &'a str, base: &'a [u8]) -> Self {
        let language = Language::of_path(path);
        let file = language.and_then(|language| parse(language, base, Limits::default()).ok());
        let name = path.rsplit('/').next().unwrap_or(path);
        let ending = || name.rsplit_once('.').map_or(name, |(_, ending)| ending).to_lowercase();
        let language = language.map_or_else(ending, |language| language.to_string());
        Self { path, language, base: split(base), file }
    }

    /// `None` for text that cannot be brought into one form: line ends that differ, bytes that are no UTF-8, too much.
    pub(super) fn read(&self, region: &Region) -> Option<Read> {
        let whole = |text: &[u8]| [&region.before, text, &region.after].concat();
        let texts = [region.base.text.clone(), whole(&region.ours.text), whole(&region.theirs.text)];
        if texts.iter().map(|text| count(text)).sum::<usize>() > MOST_LINES {
            return None;
        }
        let form = Form::of(&texts)?;
        let [base, ours, theirs] = texts.map(|text| form.read(&text));
        let (base, mut one, mut two) = (base?, ours?, theirs?);
        if (shape(&two), &two) < (shape(&one), &one) {
            std::mem::swap(&mut one, &mut two);
        }
        let place = self.place(region.base.lines);
        let (path, language) = (self.path.to_owned(), self.language.clone());
        Some(Read { key: Key { path, language, place, base, one, two }, form })
    }

    fn place(&self, lines: Lines) -> Place {
        let lines = lines.start - 1..lines.start - 1 + lines.count;
        let entities = self.file.as_ref().map(|file| entities(file, &lines)).unwrap_or_default();
        if !entities.is_empty() {
            return Place::Entities(entities);
        }
        let telling = |line: &&&[u8]| is_telling(line);
        let text = |line: &&[u8]| String::from_utf8_lossy(line).trim().to_owned();
        let before = self.base.get(..lines.start).unwrap_or_default().iter().rev().filter(telling).take(AROUND);
        let after = self.base.get(lines.end..).unwrap_or_default().iter().filter(telling).take(AROUND);
        Place::Between { before: before.map(text).collect(), after: after.map(text).collect() }
    }
}

/// The innermost entities that lines lie in; those that a place between two lines lies in.
fn entities(file: &File, lines: &Range<usize>) -> Vec<String> {
    let found = if lines.is_empty() {
        let holds = |lines: &Range<usize>, at: usize| lines.start < at && at < lines.end;
        let around = file.entities.iter().filter(|entity| holds(&entity.lines, lines.start));
        around.max_by_key(|entity| entity.lines.start).into_iter().collect()
    } else {
        file.entities_at_lines(lines)
    };
    let is_shared = |path: &str| file.find_all(path).nth(1).is_some();
    let name = |entity: &&orchestrator_syntax::Entity| match is_shared(&entity.path) {
        true => format!("{} {}", entity.path, entity.signature.text),
        false => entity.path.clone(),
    };
    let mut names: Vec<String> = found.iter().map(name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Form {
    /// The form of a region's versions; `None` where they have none in common.
    fn of(texts: &[Vec<u8>; 3]) -> Option<Self> {
        let ends = |line: &&[u8]| line.ends_with(b"\n").then(|| line.ends_with(b"\r\n"));
        let mut crlf = texts.iter().flat_map(|text| split(text)).filter_map(|line| ends(&line));
        let is_crlf = crlf.next().unwrap_or_default();
        if crlf.any(|other| other != is_crlf) {
            return None;
        }
        let mut cut = texts.iter().filter_map(|text| text.last()).map(|byte| *byte != b'\n');
        let is_cut = cut.next().unwrap_or_default();
        if cut.any(|other| other != is_cut) {
            return None;
        }
        let indent_of = |line: &'_ [u8]| line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let lines = texts.iter().flat_map(|text| split(text)).filter(|line| !line.trim_ascii().is_empty());
        let common = lines.map(|line| &line[..indent_of(line)]).reduce(|one, two| {
            let same = one.iter().zip(two).take_while(|(one, two)| one == two).count();
            &one[..same]
        });
        let indent = String::from_utf8(common.unwrap_or_default().to_vec()).ok()?;
        Some(Self { indent, newline: if is_crlf { "\r\n" } else { "\n" }, is_cut })
    }

    /// The lines of a text without their ends and the shared indentation; blank ones as they are. `None` where a line
    /// ends in another way or is indented less.
    pub(super) fn read(&self, text: &[u8]) -> Option<Vec<String>> {
        let text = std::str::from_utf8(text).ok()?;
        let line = |line: &str| {
            let bare = line.strip_suffix('\n').map_or(Some(line), |_| line.strip_suffix(self.newline))?;
            if bare.ends_with('\r') {
                None
            } else if bare.trim_ascii().is_empty() {
                Some(bare.to_owned())
            } else {
                bare.strip_prefix(&self.indent).map(str::to_owned)
            }
        };
        text.split_inclusive('\n').map(line).collect()
    }

    /// The lines as they stand in the file.
    pub(super) fn write(&self, lines: &[String]) -> Vec<u8> {
        let mut text = String::new();
        for line in lines {
            if !line.trim_ascii().is_empty() {
                text.push_str(&self.indent);
            }
            text.push_str(line);
            text.push_str(self.newline);
        }
        if self.is_cut && !lines.is_empty() {
            text.truncate(text.len() - self.newline.len());
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(texts: [&str; 3]) -> Option<Form> {
        Form::of(&texts.map(|text| text.as_bytes().to_vec()))
    }

    #[test]
    fn what_is_read_is_written_again() {
        for (texts, indent) in [
            (["    a\n", "    b\n\n      c\n", "    d\n"], "    "),
            (["\ta\r\n", "\t\tb\r\n \r\n", ""], "\t"),
            (["", "  a", "    b"], "  "),
            (["", "a\n", "\n"], ""),
        ] {
            let form = form(texts).unwrap();
            assert_eq!(form.indent, indent, "{texts:?}");
            for text in texts {
                assert_eq!(form.write(&form.read(text.as_bytes()).unwrap()), text.as_bytes(), "{text:?}");
            }
        }
    }

    #[test]
    fn texts_without_a_common_form_have_no_key() {
        assert_eq!(form(["a\n", "b\r\n", "c\n"]), None);
        assert_eq!(form(["a\n", "b", "c\n"]), None);
        assert_eq!(form(["  a\n", "  b\n", ""]).unwrap().read(b" c\n"), None);
        assert_eq!(form(["a\n", "b\n", ""]).unwrap().read(b"c\r\n"), None);
    }

    #[test]
    fn a_shape_keeps_signs_and_drops_words() {
        let lines = ["a = load(b, 12)".to_owned(), "größe_2 = load(w, w)".to_owned()];
        assert_eq!(shape(&lines), ["w = w(w, w)"; 2]);
    }
}
