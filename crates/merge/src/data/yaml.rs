//! YAML, taken apart: mappings are lists of entries by key, sequences lists by what tells their elements apart, a stream
//! of several documents a list of them. Texts, and brackets over several lines, are one text.

mod lines;

use super::tree::{Item, List, Node, Order};
use super::versions::{Pin, Scheme};
use lines::{Kind, Line, Start, Value, end_of_flow, end_of_quoted, lines, plain, start};
use std::borrow::Cow;
use std::collections::HashSet;

/// How deep lists may stand in one another.
const MOST_DEPTH: usize = 60;

/// Entries that tell an element of a sequence from the others, the first that it has.
pub(super) const IDENTITIES: [&str; 7] = ["id", "name", "key", "repo", "uses", "$ref", "host"];

/// Mappings in which the first entry that fits is taken.
const ORDERED: [&str; 3] = ["routes", "firewalls", "access_control"];

/// Joins the parts of a name.
const JOINT: &str = "\u{1f}";

/// A whole text; `None` where it is nothing that this reader understands.
pub(super) fn parse<'a>(text: &'a str, file_name: &str) -> Option<Node<'a>> {
    let lines = lines(text)?;
    let order = if file_name.contains("rout") { Order::Fixed } else { Order::Free };
    let reader = Reader { text, lines, scheme: Scheme::of(file_name) };
    let mut parts = Vec::new();
    let mut from = 0;
    for at in 0..reader.lines.len() {
        let has_parts = reader.lines[from..at].iter().any(|line| line.kind == Kind::Part);
        // What stands before the first marker belongs to what is behind it.
        if reader.lines[at].kind == Kind::Marker && (has_parts || !parts.is_empty()) {
            parts.push(from..at);
            from = at;
        }
    }
    parts.push(from..reader.lines.len());
    let mut documents = Vec::new();
    for part in parts {
        documents.push(reader.document(part.start, part.end, order)?);
    }
    let is_stream = documents.len() > 1 || documents.iter().any(|document| name_of_resource(document).is_some());
    if !is_stream {
        return documents.pop();
    }
    let item = |node| Item { key: Cow::Borrowed(""), lead: "", node };
    let mut items: Vec<Item<'a>> = documents.into_iter().map(item).collect();
    name(&mut items, name_of_resource)?;
    Some(Node::List(List { head: "", items, tail: "", separator: "", order: Order::Sequence }))
}

struct Reader<'a> {
    text: &'a str,
    lines: Vec<Line>,
    scheme: Option<Scheme>,
}

/// A run of lines that hold one value, which begins on the first at some place.
#[derive(Clone, Copy)]
struct Block {
    from: usize,
    to: usize,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn document(&self, from: usize, to: usize, order: Order) -> Option<Node<'a>> {
        let start = self.start_of(from);
        let whole = || Node::leaf(&self.text[start..self.start_of(to)]);
        // The marker and what is before it, or nothing: comments before a file without one belong to its first entry.
        let marker = (from..to).find(|at| self.lines[*at].kind == Kind::Marker);
        let head_end = marker.map_or(start, |marker| self.lines[marker].end);
        let first = marker.map_or(from, |marker| marker + 1);
        let Some(part) = (first..to).find(|at| self.lines[*at].kind == Kind::Part) else { return Some(whole()) };
        let at = self.lines[part].start + self.lines[part].indent;
        let block = Block { from: part, to, at, depth: 0 };
        let Some((items, order, end)) = self.block(block, head_end, order)? else { return Some(whole()) };
        let (head, tail) = (&self.text[start..head_end], &self.text[end..self.start_of(to)]);
        Some(Node::List(List { head, items, tail, separator: "", order }))
    }

    fn start_of(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.text.len(), |line| line.start)
    }

    /// The entries of a value, what their order means, and where the last one ends; `Some(None)` where they cannot be told
    /// apart. The lead of the first begins at `lead`.
    fn block(&self, block: Block, lead: usize, order: Order) -> Option<Option<(Vec<Item<'a>>, Order, usize)>> {
        if block.depth > MOST_DEPTH {
            return None;
        }
        let column = block.at - self.lines[block.from].start;
        let is_sequence = match start(self.text, block.at, self.lines[block.from].end)? {
            Start::Dash { .. } => true,
            Start::Key { .. } => false,
            Start::Bare(_) => return Some(None),
        };
        let is_dash = |line: &Line| {
            let at = line.start + line.indent;
            matches!(start(self.text, at, line.end), Some(Start::Dash { .. }))
        };
        let mut starts = vec![block.from];
        for at in block.from + 1..block.to {
            let line = &self.lines[at];
            match line.kind {
                Kind::Part if line.indent < column => return None,
                // A sequence may stand as far out as the key that it belongs to.
                Kind::Part if line.indent == column && is_dash(line) == is_sequence => starts.push(at),
                Kind::Part if line.indent == column && is_sequence => return None,
                Kind::Marker => return None,
                _ => {}
            }
        }
        let mut items = Vec::new();
        let mut end = lead;
        for (place, from) in starts.iter().copied().enumerate() {
            let at = if place == 0 { block.at } else { self.lines[from].start + column };
            let until = starts.get(place + 1).copied().unwrap_or(block.to);
            // Comments that are not deeper, and blank lines, belong to what comes next.
            let is_own = |line: &Line| match line.kind {
                Kind::Blank => false,
                Kind::Comment => line.indent > column,
                _ => true,
            };
            let to = (from..until).rev().find(|at| is_own(&self.lines[*at])).map_or(until, |last| last + 1);
            let lead = &self.text[end..at];
            end = self.start_of(to);
            let entry = Block { from, to, at, depth: block.depth + 1 };
            let (key, node) = if is_sequence { self.element(entry)? } else { self.entry(entry, order)? };
            items.push(Item { key: Cow::Owned(key), lead, node });
        }
        if is_sequence {
            return Some(name(&mut items, name_of_element).map(|()| (items, Order::Sequence, end)));
        }
        Some(Some((items, order, end)))
    }

    /// An entry of a mapping.
    fn entry(&self, block: Block, order: Order) -> Option<(String, Node<'a>)> {
        let line = self.lines[block.from];
        let Start::Key { end, value } = start(self.text, block.at, line.end)? else { return None };
        let key = unquoted(&self.text[block.at..end]).to_owned();
        let order = if ORDERED.contains(&key.as_str()) { Order::Fixed } else { order };
        let column = block.at - line.start;
        let node = match value {
            Value::Below => self.below(block, column, order)?,
            Value::Flow { from, to } => self.flow(block, from, to),
            Value::Scalar { .. } | Value::Other => None,
        };
        let leaf = || match (self.leaf(block, matches!(value, Value::Scalar { .. })), value) {
            (Node::Leaf { text, meaning, .. }, Value::Scalar { from, to }) if key == "rev" => {
                let pin = Pin::at(self.scheme, &["repos", "rev"], text, from - block.at, to - block.at);
                Node::Leaf { text, meaning, pin }
            }
            (leaf, _) => leaf,
        };
        let node = node.unwrap_or_else(leaf);
        Some((key, node))
    }

    /// An element of a sequence, with its text as its name.
    fn element(&self, block: Block) -> Option<(String, Node<'a>)> {
        let line = self.lines[block.from];
        let Start::Dash { rest } = start(self.text, block.at, line.end)? else { return None };
        if rest == line.end {
            let node = self.below(block, block.at - line.start, Order::Free)?;
            return Some((String::new(), node.unwrap_or_else(|| self.leaf(block, false))));
        }
        let inner = start(self.text, rest, line.end)?;
        let (key, node) = match inner {
            Start::Dash { .. } | Start::Key { .. } => {
                let node = self.block(Block { at: rest, ..block }, rest, Order::Free)?;
                (String::new(), node.map(|inner| self.list(block, rest, inner)))
            }
            Start::Bare(Value::Flow { from, to }) => (String::new(), self.flow(block, from, to)),
            Start::Bare(Value::Scalar { from, to }) => (unquoted(&self.text[from..to]).to_owned(), None),
            Start::Bare(_) => (String::new(), None),
        };
        let leaf = || self.leaf(block, matches!(inner, Start::Bare(Value::Scalar { .. })));
        Some((key, node.unwrap_or_else(leaf)))
    }

    /// Entries on the lines below a key or dash; `Some(None)` where there are none.
    fn below(&self, block: Block, column: usize, order: Order) -> Option<Option<Node<'a>>> {
        let head_end = self.lines[block.from].end;
        let Some(part) = (block.from + 1..block.to).find(|at| self.lines[*at].kind == Kind::Part) else {
            return Some(None);
        };
        let at = self.lines[part].start + self.lines[part].indent;
        let is_inner = self.lines[part].indent > column
            || matches!(start(self.text, at, self.lines[part].end), Some(Start::Dash { .. }));
        if !is_inner {
            return None;
        }
        let inner = self.block(Block { from: part, at, ..block }, head_end, order)?;
        Some(inner.map(|inner| self.list(block, head_end, inner)))
    }

    fn list(&self, block: Block, head: usize, (items, order, end): (Vec<Item<'a>>, Order, usize)) -> Node<'a> {
        let (head, tail) = (&self.text[block.at..head], &self.text[end..self.start_of(block.to)]);
        Node::List(List { head, items, tail, separator: "", order })
    }

    fn leaf(&self, block: Block, is_line: bool) -> Node<'a> {
        let text = &self.text[block.at..self.start_of(block.to)];
        let is_line = is_line && text.trim_end_matches('\n').find('\n').is_none();
        Node::Leaf { text, meaning: Cow::Borrowed(if is_line { text.trim_end() } else { text }), pin: None }
    }

    /// Brackets on one line; `None` where their entries cannot be told apart.
    fn flow(&self, block: Block, from: usize, to: usize) -> Option<Node<'a>> {
        let text = self.text;
        let is_mapping = text[from..].starts_with('{');
        let inner = &text[..to - 1];
        let (mut items, mut at) = (Vec::new(), from + 1);
        let tail = loop {
            let part = &inner[at..];
            let start = at + part.len() - part.trim_start_matches(' ').len();
            let stop = end_of_entry(inner, start)?;
            let entry = &inner[start..stop];
            if entry.trim().is_empty() {
                // Empty brackets; a comma at the end is another form.
                break (items.is_empty() && stop == inner.len()).then_some(from + 1)?;
            }
            let is_last = stop == inner.len();
            if entry.ends_with(' ') && !is_last {
                return None;
            }
            let entry = entry.trim_end_matches(' ');
            let key = if is_mapping { unquoted(entry.split_once(": ")?.0) } else { unquoted(entry) };
            items.push(Item { key: Cow::Borrowed(key), lead: &inner[at..start], node: Node::leaf(entry) });
            if is_last {
                break start + entry.len();
            }
            at = stop + 1;
        };
        let order = if is_mapping { Order::Free } else { Order::Sequence };
        let (head, tail) = (&text[block.at..from + 1], &text[tail..self.start_of(block.to)]);
        let keys: HashSet<_> = items.iter().map(|item| &item.key).collect();
        (keys.len() == items.len()).then_some(Node::List(List { head, items, tail, separator: ",", order }))
    }
}

/// The comma behind an entry between brackets, or the end.
fn end_of_entry(text: &str, mut at: usize) -> Option<usize> {
    let mut is_first = true;
    while let Some(byte) = text.as_bytes().get(at) {
        match byte {
            b',' => return Some(at),
            b'"' | b'\'' if is_first => at = end_of_quoted(text, at)?,
            b'[' | b'{' => at = end_of_flow(text, at)?,
            _ => at += 1,
        }
        is_first = matches!(byte, b' ' | b':');
    }
    Some(at)
}

/// Names elements by what tells them apart, or by their text; `None` where two are alike.
fn name(items: &mut [Item<'_>], identity: fn(&Node<'_>) -> Option<String>) -> Option<()> {
    let names: Vec<_> = items.iter().map(|item| identity(&item.node)).collect();
    for (item, name) in items.iter_mut().zip(&names) {
        let is_only = name.is_some() && names.iter().filter(|other| *other == name).count() == 1;
        match name {
            Some(name) if is_only => item.key = Cow::Owned(name.clone()),
            _ if item.key.is_empty() => item.key = Cow::Owned(item.node.text().trim().to_owned()),
            _ => {}
        }
    }
    let keys: HashSet<_> = items.iter().map(|item| &item.key).collect();
    (keys.len() == items.len()).then_some(())
}

/// What tells an element from the others of its sequence.
fn name_of_element(node: &Node<'_>) -> Option<String> {
    let (entry, value) = IDENTITIES.iter().find_map(|entry| Some((entry, scalar(node, entry)?)))?;
    Some(identity(entry, value))
}

/// The name of an element with such an entry. What an action is used in is no part of it.
pub(super) fn identity(entry: &str, value: &str) -> String {
    let value = if entry == "uses" { value.split('@').next().unwrap_or_default() } else { value };
    [entry, value].join(JOINT)
}

/// The kind and name that a document says it has.
fn name_of_resource(node: &Node<'_>) -> Option<String> {
    let name = |node| scalar(node, "name");
    Some([scalar(node, "kind")?, name(entry(node, "metadata")?)?].join(JOINT))
}

fn entry<'n, 'a>(node: &'n Node<'a>, key: &str) -> Option<&'n Node<'a>> {
    let Node::List(list) = node else { return None };
    list.items.iter().find(|item| item.key == key).map(|item| &item.node)
}

/// The value of an entry that is one scalar.
fn scalar<'a>(node: &Node<'a>, key: &str) -> Option<&'a str> {
    let Node::Leaf { text, .. } = entry(node, key)? else { return None };
    match start(text, 0, text.len())? {
        Start::Key { value: Value::Scalar { from, to }, .. } => Some(unquoted(&text[from..to])),
        _ => None,
    }
}

/// A scalar without its quotes, where nothing in it is escaped.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let quote = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    match quote('"').or_else(|| quote('\'')) {
        Some(inner) if !inner.contains(['"', '\'', '\\']) => inner,
        _ => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_taken_apart_is_the_same_when_put_together() {
        for text in [
            "",
            "# only a comment\n",
            "a: 1\n",
            "# c\n---\na: 1 # x\n\n# about b\nb:\n  # first\n  c: [x, 'y, z', {k: v}]\n  # last\nd:\n- e\n-   f: 1\n    g: 2\n- - h\n  - i\n# end\n",
            "a: |\n  # no comment\n   b: c\n\n# comment\nd: >-\n\n  e\n  f\n\ng: \"h\n  # i\n  j\" # k\nl: m\n  n # o\n",
            "a: [\n  b, # ]\n  c\n]\nd: {e: f,\ng: h}\n? x\n",
            "a: &x\n  b: 1\nc:\n  <<: *x\n  d: !t e\n- f\n",
            "kind: A\nmetadata:\n  name: b\n---\nkind: A\nmetadata: {name: c}\n---\n# nothing\n",
            "\"on\": push\n'a b': {}\n\"x: y\": |+\n  z\n\n\n",
            "a:\n\tb: 1\n",
            "- |\n  a\n   b\n- >2\n    c\n-\n  d: 1\n- # e\n  f\n",
            "just a text\nof two lines\n",
        ] {
            if let Some(node) = parse(text, "a.yml") {
                assert_eq!(node.text(), text);
            }
        }
    }

    fn keys(node: &Node<'_>) -> Vec<String> {
        match node {
            Node::List(list) => list.items.iter().map(|item| item.key.replace(JOINT, " ")).collect(),
            Node::Leaf { .. } => Vec::new(),
        }
    }

    #[test]
    fn entries_elements_and_documents_are_told_apart() {
        let text =
            "on:\n  push: [main, \"dev\"]\nsteps:\n- uses: a/b@v1\n- name: c\n  run: |\n    name: d\n- e\n- {f: g}\n";
        let whole = parse(text, "a.yml").unwrap();
        assert_eq!(keys(&whole), ["on", "steps"]);
        assert_eq!(keys(entry(entry(&whole, "on").unwrap(), "push").unwrap()), ["main", "dev"]);
        assert_eq!(keys(entry(&whole, "steps").unwrap()), ["uses a/b", "name c", "e", "- {f: g}"]);
        let stream = "kind: A\nmetadata:\n  name: b\n---\nc: d\n";
        assert_eq!(keys(&parse(stream, "a.yml").unwrap()), ["A b", "---\nc: d"]);
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        for text in [
            "a:\n\tb: 1\n",
            "%YAML 1.2\n---\na: 1\n",
            "? a\n: b\n",
            "a: \"b\n",
            "a: [b\n",
            "  a: 1\nb: 2\n",
            "a:\nb\n- c\n",
        ] {
            assert_eq!(parse(text, "a.yml"), None, "{text}");
        }
        // Alike: nobody can say which of them another version has.
        let alike = parse("a:\n- b\n- b\n", "a.yml").unwrap();
        assert!(keys(entry(&alike, "a").unwrap()).is_empty());
    }
}
