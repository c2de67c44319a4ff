//! JSON, taken apart: objects are lists of members; an array is one text. Without comments and trailing commas.

use super::tree::{Item, List, Node, Order};
use super::versions::{Pin, Scheme};
use std::borrow::Cow;

/// How deep arrays and objects may stand in one another.
const MOST_DEPTH: usize = 100;

/// Objects in which the first key that fits is taken: conditions of packages, patterns of test runners.
const ORDERED: [&str; 5] = ["exports", "imports", "moduleNameMapper", "transform", "typesVersions"];

/// A whole text; `None` where it is no JSON, or an object has a key twice.
pub(super) fn parse<'a>(text: &'a str, file_name: &str) -> Option<Node<'a>> {
    let mut reader = Reader { text, at: 0, scheme: Scheme::of(file_name), path: Vec::new() };
    reader.space();
    let node = reader.value(0, 0, Order::Free)?;
    let end = reader.at;
    reader.space();
    if reader.at != text.len() {
        return None;
    }
    Some(match node {
        Node::List(list) => Node::List(List { tail: &text[end - list.tail.len()..], ..list }),
        Node::Leaf { meaning, .. } => Node::Leaf { text, meaning, pin: None },
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    scheme: Option<Scheme>,
    /// The names of the members that the reader is in.
    path: Vec<String>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// A value whose text begins at `from`: with its name, where it is a member.
    fn value(&mut self, from: usize, depth: usize, order: Order) -> Option<Node<'a>> {
        if depth > MOST_DEPTH {
            return None;
        }
        let start = self.at;
        match self.peek()? {
            b'{' => return self.object(from, depth, order),
            b'[' => self.array(depth)?,
            b'"' => self.string()?,
            _ => self.word()?,
        }
        let meaning = meaning(&self.text[start..self.at]);
        let text = &self.text[from..self.at];
        Some(Node::Leaf { text, meaning, pin: self.pin(text, start - from) })
    }

    /// The version that is a member's value, which begins at `start` of the member.
    fn pin(&self, text: &'a str, start: usize) -> Option<Pin<'a>> {
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        Pin::at(self.scheme.filter(|_| text[start..].starts_with('"')), &path, text, start + 1, text.len() - 1)
    }

    fn object(&mut self, from: usize, depth: usize, order: Order) -> Option<Node<'a>> {
        self.take(b'{')?;
        let (text, head) = (self.text, &self.text[from..self.at]);
        let mut items: Vec<Item<'a>> = Vec::new();
        let tail = loop {
            let lead_from = self.at;
            self.space();
            if items.is_empty() && self.peek()? == b'}' {
                break lead_from;
            }
            let start = self.at;
            self.string()?;
            let name: String = serde_json::from_str(&text[start..self.at]).ok()?;
            self.space();
            self.take(b':')?;
            self.space();
            let order = if ORDERED.contains(&name.as_str()) { Order::Fixed } else { order };
            self.path.push(name);
            let node = self.value(start, depth + 1, order)?;
            let name = self.path.pop()?;
            items.push(Item { key: Cow::Owned(name), lead: &text[lead_from..start], node });
            let end = self.at;
            if self.peek()? == b',' {
                self.at += 1;
                continue;
            }
            self.space();
            // A space before a comma would be lost with the entry.
            if self.peek()? == b'}' {
                break end;
            }
            return None;
        };
        self.take(b'}')?;
        Some(Node::List(List { head, items, tail: &text[tail..self.at], separator: ",", order }))
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        self.take(b'[')?;
        self.space();
        if self.peek()? != b']' {
            loop {
                self.value(self.at, depth + 1, Order::Free)?;
                self.space();
                if self.take(b',').is_none() {
                    break;
                }
                self.space();
            }
        }
        self.take(b']')
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.take(b'"')
    }

    /// A number or a literal; what it is, the parser of values checks.
    fn word(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// A value without white space between its parts.
fn meaning(text: &str) -> Cow<'_, str> {
    if !text.contains([' ', '\t', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let (mut meaning, mut in_string, mut is_escaped) = (String::with_capacity(text.len()), false, false);
    for c in text.chars() {
        if in_string {
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else if c == '"' {
            in_string = true;
        } else if c.is_ascii_whitespace() {
            continue;
        }
        meaning.push(c);
    }
    Cow::Owned(meaning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_taken_apart_is_the_same_when_put_together() {
        for text in
            ["{}", " { } \n", "{\n  \"a\": [1, {\"b\": 2}],\n  \"c\": { \"d\":\"\\\"}\" }\n}\n", "[1, 2]\n", "1"]
        {
            assert_eq!(parse(text, "a.json").unwrap().text(), text);
        }
        for text in ["", "{", "{\"a\": 1,}", "{\"a\": 1 , \"b\": 2}", "{} {}", "// c\n{}", "{\"a\" 1}", "[1,]", "\"a"] {
            assert_eq!(parse(text, "a.json"), None, "{text}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse(&deep, "a.json"), None);
    }
}
