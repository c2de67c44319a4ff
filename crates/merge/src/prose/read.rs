//! A text for people taken apart: sections, and in them entries of lists, link targets, and everything else.
//!
//! Lines are read and nothing is understood: what looks like a heading or an entry in Markdown, reStructuredText or a
//! plain list of changes is one. Put together, the parts are the text again.

use std::collections::HashMap;

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// A heading with what stands below it, and how deep.
    Section(usize),
    /// An entry of an unordered list.
    Entry {
        /// What it begins with.
        mark: u8,
        /// How far it is indented.
        indent: usize,
    },
    /// The target of a link.
    Link,
    /// A paragraph, a table, a piece of code.
    Other,
}

/// A part of a text.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// What it is.
    pub(super) class: Class,
    /// What it is known by among its neighbours: a heading's words, a link's name, or all that it says.
    pub(super) key: String,
    /// The empty lines before it.
    pub(super) lead: &'a str,
    /// Its lines; of a section those of its heading.
    pub(super) text: &'a str,
    /// A section beside another of its name: which is which cannot be told where they are not what they were.
    pub(super) is_double: bool,
    /// Of a section.
    pub(super) parts: Vec<Part<'a>>,
}

impl Part<'_> {
    /// Its lines and those of all its parts.
    pub(super) fn written(&self) -> String {
        let mut into = self.text.to_owned();
        self.write_parts(&mut into);
        into
    }

    fn write_parts(&self, into: &mut String) {
        for part in &self.parts {
            into.extend([part.lead, part.text]);
            part.write_parts(into);
        }
    }
}

/// A whole text.
#[derive(Debug, Clone)]
pub(super) struct Text<'a> {
    /// A section without a heading.
    pub(super) root: Part<'a>,
    /// The empty lines at its end.
    pub(super) tail: &'a str,
    /// How headings are marked, the highest first, where the text itself says which is higher.
    pub(super) marks: Vec<Mark>,
}

/// How a heading is marked: the sign, whether it stands above the words too, and how often where that counts.
pub(super) type Mark = (u8, bool, usize);

/// Takes a text apart whose lines end with `\n`.
pub(super) fn read(text: &str, is_markdown: bool) -> Option<Text<'_>> {
    let root = part(Class::Section(0), String::new(), "", "");
    let mut reader = Reader { lines: Lines::new(text), is_markdown, marks: Vec::new(), open: vec![root] };
    let mut at = 0;
    while at < reader.lines.count() {
        let start = reader.lines.skip_empty(at);
        let lead = reader.lines.text(at, start);
        if start == reader.lines.count() {
            let Reader { marks, open, .. } = reader;
            return Some(Text { root: closed(open)?, tail: lead, marks });
        }
        at = reader.part(lead, start)?;
    }
    let Reader { marks, open, .. } = reader;
    Some(Text { root: closed(open)?, tail: "", marks })
}

fn part<'a>(class: Class, key: String, lead: &'a str, text: &'a str) -> Part<'a> {
    Part { class, key, lead, text, is_double: false, parts: Vec::new() }
}

struct Reader<'a> {
    lines: Lines<'a>,
    is_markdown: bool,
    marks: Vec<Mark>,
    /// The section at hand, behind those around it.
    open: Vec<Part<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads the part that begins at a line, and tells where it ends.
    fn part(&mut self, lead: &'a str, start: usize) -> Option<usize> {
        if let Some((mark, words, end)) = heading(&self.lines, start, self.is_markdown) {
            let level = self.level(mark);
            while self.open.last().is_some_and(|open| matches!(open.class, Class::Section(around) if around >= level)) {
                close(&mut self.open)?;
            }
            let (class, key) = (Class::Section(level), words_of(self.lines.get(words)));
            self.open.push(part(class, key, lead, self.lines.text(start, end)));
            return Some(end);
        }
        let (class, end) = block(&self.lines, start, self.is_markdown);
        let text = self.lines.text(start, end);
        let key = match class {
            Class::Link => words_of(text.split_once(':').map_or(text, |(name, _)| name)),
            _ => words_of(text),
        };
        self.open.last_mut()?.parts.push(part(class, key, lead, text));
        Some(end)
    }

    /// How deep a heading is: in Markdown the sign says so, elsewhere which sign came first. From 1.
    fn level(&mut self, mark: Mark) -> usize {
        match mark {
            (b'#', false, count) if self.is_markdown => count,
            (b'=', ..) if self.is_markdown => 1,
            _ if self.is_markdown => 2,
            mark => {
                let known = self.marks.iter().position(|known| *known == mark);
                known.unwrap_or_else(|| {
                    self.marks.push(mark);
                    self.marks.len() - 1
                }) + 1
            }
        }
    }
}

/// Ends the section at hand.
fn close(open: &mut Vec<Part<'_>>) -> Option<()> {
    let mut done = open.pop()?;
    number_alike(&mut done.parts);
    open.last_mut()?.parts.push(done);
    Some(())
}

fn closed(mut open: Vec<Part<'_>>) -> Option<Part<'_>> {
    while open.len() > 1 {
        close(&mut open)?;
    }
    let mut root = open.pop()?;
    number_alike(&mut root.parts);
    Some(root)
}

/// Tells parts that are known by the same words apart by their number.
fn number_alike(parts: &mut [Part<'_>]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for part in parts.iter_mut() {
        if matches!(part.class, Class::Section(_)) {
            part.key.push_str("\nsection");
        }
        let count = counts.entry(part.key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            part.key = format!("{}\n{count}", part.key);
        }
    }
    for part in parts {
        let of_all = part.key.split_once("\nsection").map(|(words, _)| format!("{words}\nsection"));
        part.is_double = of_all.is_some_and(|key| counts.get(&key).is_some_and(|count| *count > 1));
    }
}

/// A heading that begins at a line: its mark, the line of its words, and its end.
fn heading(lines: &Lines<'_>, at: usize, is_markdown: bool) -> Option<(Mark, usize, usize)> {
    let line = lines.get(at);
    let signs = line.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&signs) && line[signs..].starts_with(' ') {
        return Some(((b'#', false, signs), at, at + 1));
    }
    if let Some(sign) = rule(line) {
        let is_heading = !is_markdown
            && !lines.is_empty_at(at + 1)
            && rule(lines.get(at + 1)).is_none()
            && lines.get(at + 2).trim_end() == line.trim_end();
        return is_heading.then_some(((sign, true, 0), at + 1, at + 3));
    }
    let sign = rule(lines.get(at + 1))?;
    let is_heading = !line.starts_with([' ', '\t']) && entry(line).is_none();
    let is_sign = !is_markdown || matches!(sign, b'=' | b'-');
    (is_heading && is_sign).then_some(((sign, false, 0), at, at + 2))
}

/// The sign that a line consists of.
fn rule(line: &str) -> Option<u8> {
    let line = line.trim_end();
    let sign = *line.as_bytes().first()?;
    let is_rule = line.len() >= 3 && b"=-~^\"'`#*+.:_".contains(&sign) && line.bytes().all(|byte| byte == sign);
    is_rule.then_some(sign)
}

/// The block that begins at a line, and its end.
fn block(lines: &Lines<'_>, start: usize, is_markdown: bool) -> (Class, usize) {
    let line = lines.get(start);
    if is_link(line) {
        return (Class::Link, lines.indented_end(start + 1));
    }
    let class = entry(line).unwrap_or(Class::Other);
    let deep = indent(line);
    let begins_another = |at: usize| {
        let line = lines.get(at);
        let is_entry = entry(line).is_some() && indent(line) <= deep;
        // A line with others above it in one paragraph is underlined together with them.
        let is_heading =
            heading(lines, at, is_markdown).is_some_and(|(_, words, end)| class != Class::Other || end == words + 1);
        is_entry || is_heading
    };
    (class, lines.block_end(start, begins_another, deep))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The class of an entry that a line begins.
fn entry(line: &str) -> Option<Class> {
    let indent = indent(line);
    let mark = *line.as_bytes().get(indent)?;
    let begins = matches!(mark, b'-' | b'*' | b'+') && line[indent + 1..].starts_with(' ');
    (begins && !line[indent + 1..].trim().is_empty()).then_some(Class::Entry { mark, indent })
}

/// Whether a line is the target of a link: `.. _name: address` or `[name]: address`.
fn is_link(line: &str) -> bool {
    let after = |rest: &str, end: &str| rest.find(end).is_some_and(|at| at > 0);
    line.strip_prefix(".. _").is_some_and(|rest| after(rest, ":"))
        || line.strip_prefix('[').is_some_and(|rest| after(rest, "]:"))
}

/// The words of a text, however they are set apart, without what marks a heading or an entry.
fn words_of(text: &str) -> String {
    text.trim_start_matches('#').split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Lines<'a> {
    text: &'a str,
    /// Where each line begins, and the text ends.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        let ends = text.split_inclusive('\n').scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        });
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// A line with its end; nothing behind the last.
    fn get(&self, at: usize) -> &'a str {
        self.text(at, at + 1)
    }

    fn text(&self, from: usize, to: usize) -> &'a str {
        let start = |at: usize| self.starts.get(at).copied().unwrap_or(self.text.len());
        &self.text[start(from)..start(to)]
    }

    fn is_empty_at(&self, at: usize) -> bool {
        self.get(at).trim().is_empty()
    }

    fn skip_empty(&self, mut at: usize) -> usize {
        while at < self.count() && self.is_empty_at(at) {
            at += 1;
        }
        at
    }

    /// Where the indented lines end that begin here.
    fn indented_end(&self, mut at: usize) -> usize {
        while at < self.count() && !self.is_empty_at(at) && indent(self.get(at)) > 0 {
            at += 1;
        }
        at
    }

    /// Where a block ends: at an empty line unless what follows is indented deeper, and where another begins. What is
    /// fenced in is not looked into.
    fn block_end(&self, start: usize, begins: impl Fn(usize) -> bool, deep: usize) -> usize {
        let mut at = self.fence_end(start).unwrap_or(start + 1);
        while at < self.count() {
            if let Some(end) = self.fence_end(at) {
                at = end;
                continue;
            }
            if self.is_empty_at(at) {
                let next = self.skip_empty(at);
                if next == self.count() || indent(self.get(next)) <= deep {
                    return at;
                }
                at = next;
            } else if begins(at) {
                return at;
            } else {
                at += 1;
            }
        }
        at
    }

    /// Where the code ends whose fence begins here.
    fn fence_end(&self, start: usize) -> Option<usize> {
        let fence = |line: &str| {
            let line = line.trim_start();
            ["```", "~~~"].into_iter().find(|fence| line.starts_with(fence))
        };
        let opened = fence(self.get(start))?;
        // A rule that underlines a heading is no fence.
        if rule(self.get(start)).is_some_and(|sign| sign == b'~') {
            return None;
        }
        let end = (start + 1..self.count()).find(|at| self.get(*at).trim() == opened)?;
        Some(end + 1)
    }
}
