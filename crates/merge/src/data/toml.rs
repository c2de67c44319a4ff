//! TOML, taken apart: a list of sections, each a list of entries. Inline tables are lists too, and arrays where their
//! order means nothing. An array of tables with all its elements is one text.

use super::entries::requirement_name;
use super::tree::{Item, List, Node, Order};
use super::versions::{Pin, Scheme};
use std::borrow::Cow;
use std::ops::Range;
use toml_edit::Key;

/// How deep inline tables may stand in one another.
const MOST_DEPTH: usize = 100;

/// Joins the names of a path to one key. A name may hold it; then the values, which are compared besides, differ.
const JOINT: &str = "\u{1f}";

/// A whole text; `None` where it is nothing that this reader understands.
pub(super) fn parse<'a>(text: &'a str, file_name: &str) -> Option<Node<'a>> {
    let reader = Reader { text, sets: Sets::of(file_name), scheme: Scheme::of(file_name) };
    let mut sections = vec![Section { path: Vec::new(), key: String::new(), lead: "", head: "", entries: Vec::new() }];
    let mut statements = reader.statements()?.into_iter().peekable();
    let mut end = 0;
    let mut items = Vec::new();
    while let Some(statement) = statements.next() {
        let lead = &text[end..statement.range.start];
        end = statement.range.end;
        let whole = &text[statement.range.clone()];
        match statement.kind {
            Kind::Table => {
                let key = statement.path.join(JOINT);
                sections.push(Section { path: statement.path, key, lead, head: whole, entries: Vec::new() });
            }
            Kind::ArrayOfTables => {
                let belongs = |next: &Statement| {
                    matches!(next.kind, Kind::Entry { .. }) || next.path.starts_with(&statement.path)
                };
                while let Some(next) = statements.next_if(belongs) {
                    end = next.range.end;
                }
                items.extend(sections.drain(..).map(Section::item));
                let key = Cow::Owned(format!("[[{}", statement.path.join(JOINT)));
                items.push(Item { key, lead, node: Node::leaf(&text[statement.range.start..end]) });
            }
            Kind::Entry { value } => {
                // An entry without a section stands in none of those that were put away with an array.
                let section = sections.last_mut()?;
                let path = [&section.path[..], &statement.path].concat();
                let node = reader.node(statement.range, value, &path, 0);
                section.entries.push(Item { key: Cow::Owned(statement.path.join(JOINT)), lead, node });
            }
        }
    }
    items.extend(sections.into_iter().map(Section::item));
    Some(Node::List(List { head: "", items, tail: &text[end..], separator: "", order: Order::Free }))
}

struct Section<'a> {
    path: Vec<String>,
    key: String,
    lead: &'a str,
    head: &'a str,
    entries: Vec<Item<'a>>,
}

impl<'a> Section<'a> {
    fn item(self) -> Item<'a> {
        let Self { key, lead, head, entries: items, .. } = self;
        let node = Node::List(List { head, items, tail: "", separator: "", order: Order::Free });
        Item { key: Cow::Owned(key), lead, node }
    }
}

struct Statement {
    /// Its lines, with the last one's end.
    range: Range<usize>,
    path: Vec<String>,
    kind: Kind,
}

enum Kind {
    Table,
    ArrayOfTables,
    /// Where its value stands.
    Entry {
        value: Range<usize>,
    },
}

struct Reader<'a> {
    text: &'a str,
    sets: Sets,
    scheme: Option<Scheme>,
}

impl<'a> Reader<'a> {
    fn statements(&self) -> Option<Vec<Statement>> {
        let text = self.text;
        let mut statements = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let end = end_of_line(text, at);
            let line = text[at..end].trim();
            if line.is_empty() || line.starts_with('#') {
                at = end;
                continue;
            }
            let (path, kind, end) = match line.strip_prefix('[') {
                Some(rest) => {
                    let (name, kind) = match rest.strip_prefix('[') {
                        Some(rest) => (rest, Kind::ArrayOfTables),
                        None => (rest, Kind::Table),
                    };
                    (path(&name[..scan(name, 0, b"]")?])?, kind, end)
                }
                None => {
                    let equals = scan(text, at, b"=")?;
                    let from = equals + 1 + blanks(&text[equals + 1..]);
                    let stop = scan(text, from, b"#\n")?;
                    let value = from..from + text[from..stop].trim_end().len();
                    (path(&text[at..equals])?, Kind::Entry { value }, end_of_line(text, stop))
                }
            };
            statements.push(Statement { range: at..end, path, kind });
            at = end;
        }
        Some(statements)
    }

    /// The node of an entry, which goes on after its value: with a line's end, or with nothing.
    fn node(&self, entry: Range<usize>, value: Range<usize>, path: &[String], depth: usize) -> Node<'a> {
        self.list(&entry, value.clone(), path, depth)
            .unwrap_or_else(|| Node::pinned(&self.text[entry.clone()], self.pin(&entry, &value, path)))
    }

    /// The version that is an entry's value.
    fn pin(&self, entry: &Range<usize>, value: &Range<usize>, path: &[String]) -> Option<Pin<'a>> {
        let inner = string(&self.text[value.clone()])?;
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        let from = value.start + 1 - entry.start;
        Pin::at(self.scheme, &path, &self.text[entry.clone()], from, from + inner.len())
    }

    fn list(&self, entry: &Range<usize>, value: Range<usize>, path: &[String], depth: usize) -> Option<Node<'a>> {
        let text = self.text;
        let inner = value.start + 1..value.end.checked_sub(1)?;
        let (is_table, closing) = match text.as_bytes().get(value.start)? {
            b'{' => (true, b"}"),
            b'[' if self.sets.has(path) => (false, b"]"),
            _ => return None,
        };
        if depth > MOST_DEPTH || scan(text, inner.start, closing)? != inner.end {
            return None;
        }
        let mut items = Vec::new();
        let mut at = inner.start;
        let tail = loop {
            let stop = scan(text, at, b",#}]")?;
            let part = &text[at..stop];
            let start = at + part.len() - part.trim_start().len();
            let end = start + part.trim().len();
            if start == end {
                // After the last comma, which is part of the tail, or between empty brackets.
                let is_last = stop == inner.end && (items.is_empty() == (at == inner.start));
                break is_last.then(|| at.saturating_sub(usize::from(!items.is_empty())))?;
            }
            let (key, node) = if is_table {
                let equals = scan(text, start, b"=").filter(|equals| *equals < end)?;
                let name = self::path(&text[start..equals])?;
                let from = equals + 1 + blanks(&text[equals + 1..]);
                let node = self.node(start..end, from..end, &[path, &name].concat(), depth + 1);
                (name.join(JOINT), node)
            } else {
                let element = &text[start..end];
                (self.sets.key(element)?, Node::pinned(element, self.sets.pin(element)))
            };
            items.push(Item { key: Cow::Owned(key), lead: &text[at..start], node });
            if stop == inner.end {
                break end;
            }
            if end != stop || text.as_bytes()[stop] != b',' {
                return None;
            }
            at = stop + 1;
        };
        let (head, tail) = (&text[entry.start..inner.start], &text[tail..entry.end]);
        Some(Node::List(List { head, items, tail, separator: ",", order: Order::Free }))
    }
}

/// Arrays whose order means nothing, by the file they stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sets {
    Cargo,
    Pyproject,
    None,
}

impl Sets {
    fn of(file_name: &str) -> Self {
        match file_name {
            "Cargo.toml" => Self::Cargo,
            "pyproject.toml" => Self::Pyproject,
            _ => Self::None,
        }
    }

    fn has(self, path: &[String]) -> bool {
        is_set(self, path.iter().map(String::as_str).collect::<Vec<_>>().as_slice())
    }

    /// What tells an element from the others.
    fn key(self, text: &str) -> Option<String> {
        let value: toml_edit::Value = text.parse().ok()?;
        let value = value.as_str()?;
        Some(if self == Self::Pyproject { requirement_name(value) } else { value.to_owned() })
    }

    /// The version that an element asks for.
    fn pin(self, text: &str) -> Option<Pin<'_>> {
        string(text).filter(|_| self == Self::Pyproject).and_then(Pin::of_requirement)
    }
}

fn is_set(sets: Sets, path: &[&str]) -> bool {
    match (sets, path) {
        (Sets::Cargo, ["features", _]) => true,
        (Sets::Cargo, [before @ .., _, "features"]) => before.last().is_some_and(|name| name.ends_with("dependencies")),
        (Sets::Pyproject, ["project", "dependencies"] | ["build-system", "requires"]) => true,
        (Sets::Pyproject, ["project", "optional-dependencies", _] | ["dependency-groups", _]) => true,
        _ => false,
    }
}

/// Whether a file has arrays that are sets.
pub(super) fn has_sets(file_name: &str) -> bool {
    Sets::of(file_name) != Sets::None
}

/// Whether the array at a path of a file is a set.
pub(super) fn is_set_of(file_name: &str, path: &[&str]) -> bool {
    is_set(Sets::of(file_name), path)
}

/// What stands between the quotes of a string of one line in which nothing is escaped.
fn string(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\', '\n'])).then_some(inner)
}

/// Whether the set at a path of a file holds requirements.
pub(super) fn has_requirements(file_name: &str) -> bool {
    Sets::of(file_name) == Sets::Pyproject
}

fn path(text: &str) -> Option<Vec<String>> {
    let keys = Key::parse(text.trim()).ok()?;
    Some(keys.iter().map(|key| key.get().to_owned()).collect())
}

fn end_of_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |length| at + length + 1)
}

fn blanks(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '\t']).len()
}

/// Where one of some bytes stands outside strings, brackets and the comments in them, or the text ends; `None` where a
/// string or a bracket does not end.
fn scan(text: &str, mut at: usize, wanted: &[u8]) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        if depth == 0 && wanted.contains(byte) {
            return Some(at);
        }
        match byte {
            b'"' | b'\'' => {
                at = end_of_string(bytes, at)?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b'#' if depth > 0 => at = end_of_line(text, at) - 1,
            _ => {}
        }
        at += 1;
    }
    (depth == 0 && wanted.contains(&b'\n')).then_some(at)
}

fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let quote = *bytes.get(start)?;
    let is_long = bytes[start..].starts_with(&[quote; 3]);
    let closing = if is_long { 3 } else { 1 };
    let mut at = start + closing;
    loop {
        match bytes.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            b'\n' if !is_long => return None,
            _ if bytes[at..].starts_with(&[quote; 3][..closing]) => break,
            _ => at += 1,
        }
    }
    // A long string may end with one or two quotes of its own.
    let own = bytes[at + closing..].iter().take(2).take_while(|byte| is_long && **byte == quote).count();
    Some(at + closing + own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_taken_apart_is_the_same_when_put_together() {
        for text in [
            "",
            "# only a comment\n",
            "a = 1\n",
            "# c\na = \"x # y\" # z\n\n[b.\"c.d\"]\ne = [1, # one\n  2,\n]\n# end\n",
            "[dependencies]\na = { version = \"1\", features = [\"x\", \"y\"] }\nb = {}\nc.features = [\n  \"x\",\n]\n",
            "[[bin]]\nname = \"a\"\n[bin.x]\ny = 1\n[[bin]]\nname = \"b\"\n\n[z]\n",
            "s = \"\"\"\n[no.section]\na = 1\"\"\"\"\nt = '''\\'''\n",
        ] {
            assert_eq!(parse(text, "Cargo.toml").unwrap().text(), text);
        }
        for text in ["a = [", "a = \"x\n", "a\n", "[a\n", "a = ]\n"] {
            assert_eq!(parse(text, "Cargo.toml"), None, "{text}");
        }
    }

    #[test]
    fn entries_of_tables_and_sets_are_told_apart() {
        let text =
            "[dependencies]\na = { version = \"1\", features = [\"x\"] }\n[[bin]]\nname = 1\n[features]\nf = [\"y\"]\n";
        let keys = |node: &Node<'_>| match node {
            Node::List(list) => list.items.iter().map(|item| item.key.to_string()).collect(),
            Node::Leaf { .. } => Vec::new(),
        };
        let item = |node: &Node<'static>, at: usize| match node {
            Node::List(list) => list.items[at].node.clone(),
            Node::Leaf { .. } => panic!("a leaf"),
        };
        let whole = parse(text, "Cargo.toml").unwrap();
        assert_eq!(keys(&whole), ["", "dependencies", "[[bin", "features"]);
        let entry = item(&item(&whole, 1), 0);
        assert_eq!(keys(&entry), ["version", "features"]);
        assert_eq!(keys(&item(&entry, 1)), ["x"]);
        assert_eq!(keys(&item(&item(&whole, 3), 0)), ["y"]);
        assert!(keys(&item(&item(&parse(text, "a.toml").unwrap(), 3), 0)).is_empty());
    }
}
