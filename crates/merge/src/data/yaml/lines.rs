//! What each line of a YAML text is: a part of the structure, or inside a value that began on a line before.

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: usize,
    /// With the line's end.
    pub(super) end: usize,
    /// How many spaces it begins with.
    pub(super) indent: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Blank,
    Comment,
    /// `---`
    Marker,
    /// Entries begin on it.
    Part,
    /// It goes on with a text, a quoted or plain scalar, or brackets.
    Inside,
}

/// What an entry holds, by how its value begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing on its line: entries on the lines below, or nothing at all.
    Below,
    /// Brackets on one line, from the opening one to behind the closing one.
    Flow { from: usize, to: usize },
    /// A scalar on one line.
    Scalar { from: usize, to: usize },
    /// Anything else.
    Other,
}

/// Where the parts of an entry stand on its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// A dash, and where what it stands before begins.
    Dash { rest: usize },
    /// A key, and the value behind its colon.
    Key { end: usize, value: Value },
    /// A value without a key.
    Bare(Value),
}

/// The lines of a text, or `None` where it has what this reader does not know: tabs, directives, keys of several lines.
pub(super) fn lines(text: &str) -> Option<Vec<Line>> {
    let mut lines: Vec<Line> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line = line_at(text, at);
        let body = text[at..line.end].trim_end();
        at = line.end;
        let kind = match body.trim_start_matches(' ') {
            "" => Kind::Blank,
            rest if rest.starts_with('#') => Kind::Comment,
            rest if rest.starts_with('\t') => return None,
            rest if line.indent == 0 && rest.starts_with("---") => {
                let behind = rest[3..].trim_start();
                if !(behind.is_empty() || (behind.starts_with('#') && rest[3..].starts_with(' '))) {
                    return None;
                }
                Kind::Marker
            }
            rest if line.indent == 0 && (rest.starts_with("...") || rest.starts_with('%')) => return None,
            _ => Kind::Part,
        };
        lines.push(Line { kind, ..line });
        if kind == Kind::Part {
            at = inside(text, line, &mut lines)?;
        }
    }
    Some(lines)
}

fn line_at(text: &str, start: usize) -> Line {
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length + 1);
    let indent = text[start..end].bytes().take_while(|byte| *byte == b' ').count();
    Line { start, end, indent, kind: Kind::Blank }
}

/// Adds the lines that the last value of a line goes on over, and says where the line behind them begins.
fn inside(text: &str, line: Line, lines: &mut Vec<Line>) -> Option<usize> {
    let mut at = line.start + line.indent;
    // The column that whatever goes on must be indented deeper than.
    let mut parent = line.indent;
    let from = loop {
        match head(text, at, line.end)? {
            Head::Dash(rest) => {
                parent = at - line.start;
                if rest == line.end {
                    break rest;
                }
                at = rest;
            }
            Head::Key(_, from) => {
                parent = at - line.start;
                break from;
            }
            Head::Bare(from) => break from,
        }
    };
    let from = behind_properties(text, from, line.end);
    let end = match text[from..line.end].chars().next() {
        None | Some('\n' | '#') => return Some(line.end),
        Some('|' | '>') => end_of_block(text, from, line.end, parent)?,
        Some('"' | '\'') => end_of_quoted(text, from)?,
        Some('[' | '{') => end_of_flow(text, from)?,
        Some(_) => end_of_plain(text, line.end, parent),
    };
    let mut next = line.end;
    while next < end {
        let line = line_at(text, next);
        next = line.end;
        lines.push(Line { kind: Kind::Inside, ..line });
    }
    let is_done =
        |rest: &str| rest.trim().is_empty() || (rest.starts_with([' ', '\t']) && rest.trim_start().starts_with('#'));
    (end >= next || is_done(&text[end..next])).then_some(next)
}

enum Head {
    /// Where what stands behind the dash begins; the line's end where nothing does.
    Dash(usize),
    /// The key's end and where its value begins.
    Key(usize, usize),
    /// Where a value begins.
    Bare(usize),
}

fn head(text: &str, at: usize, end: usize) -> Option<Head> {
    let line = &text[at..end];
    if let Some(rest) = line.strip_prefix('-')
        && (rest.is_empty() || rest.starts_with([' ', '\n']))
    {
        let blanks = rest.len() - rest.trim_start_matches(' ').len();
        let rest = rest.trim_start_matches(' ');
        let is_empty = rest.trim().is_empty() || rest.starts_with('#');
        return (!rest.starts_with('\t')).then_some(Head::Dash(if is_empty { end } else { at + 1 + blanks }));
    }
    if line.starts_with("? ") || line.starts_with("?\n") {
        return None;
    }
    let start = behind_properties(text, at, end);
    let key = match text[start..end].chars().next() {
        Some('"' | '\'') => end_of_quoted(text, start).filter(|to| *to < end),
        Some('[' | '{' | '|' | '>') => return Some(Head::Bare(at)),
        _ => end_of_key(text, start, end),
    };
    let behind = key.map_or("", |key| &text[key..end]);
    if !(behind.starts_with(": ") || behind.starts_with(":\n") || behind == ":") {
        return Some(Head::Bare(at));
    }
    if start != at {
        // A name or type for the key, or for all entries?
        return None;
    }
    let key = key?;
    let value = behind[1..].trim_start_matches(' ');
    (!value.starts_with('\t')).then_some(Head::Key(key, end - value.len()))
}

/// What begins at a place of a line of structure.
pub(super) fn start(text: &str, at: usize, end: usize) -> Option<Start> {
    Some(match head(text, at, end)? {
        Head::Dash(rest) => Start::Dash { rest },
        Head::Key(key, from) => Start::Key { end: key, value: value(text, from, end) },
        Head::Bare(from) => Start::Bare(value(text, from, end)),
    })
}

fn value(text: &str, from: usize, end: usize) -> Value {
    let start = behind_properties(text, from, end);
    match text[start..end].chars().next() {
        None | Some('\n' | '#') => Value::Below,
        Some('[' | '{') if start == from => match end_of_flow(text, start) {
            Some(to) if to <= end => Value::Flow { from, to },
            _ => Value::Other,
        },
        Some('"' | '\'') if start == from => match end_of_quoted(text, start) {
            Some(to) if to <= end => Value::Scalar { from, to },
            _ => Value::Other,
        },
        Some('|' | '>') => Value::Other,
        Some(_) => Value::Scalar { from, to: from + plain(&text[from..end]).len() },
    }
}

/// A plain scalar without the comment behind it.
pub(super) fn plain(text: &str) -> &str {
    text.find(" #").map_or(text, |comment| &text[..comment]).trim_end()
}

/// Behind names and types of a value: `&name`, `!type`.
fn behind_properties(text: &str, mut at: usize, end: usize) -> usize {
    while text[at..end].starts_with(['&', '!']) {
        let rest = &text[at..end];
        let word = rest.find([' ', '\n']).unwrap_or(rest.len());
        let blanks = rest[word..].len() - rest[word..].trim_start_matches(' ').len();
        at += word + blanks;
    }
    at
}

/// Where a plain key ends: before the first colon with white space behind it.
fn end_of_key(text: &str, at: usize, end: usize) -> Option<usize> {
    let line = plain(&text[at..end]);
    let colon = line.match_indices(':').find(|(colon, _)| {
        let rest = &line[colon + 1..];
        rest.is_empty() || rest.starts_with(' ')
    });
    colon.map(|(colon, _)| at + colon)
}

/// Behind the closing quote.
pub(super) fn end_of_quoted(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(at)?;
    let mut at = at + 1;
    loop {
        match bytes.get(at)? {
            b'\\' if quote == b'"' => at += 2,
            byte if *byte == quote && quote == b'\'' && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if *byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// Behind the closing bracket.
pub(super) fn end_of_flow(text: &str, mut at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    let mut before = b' ';
    loop {
        let byte = *bytes.get(at)?;
        match byte {
            // Within a word it is no quote.
            b'"' | b'\'' if matches!(before, b' ' | b'\n' | b'[' | b'{' | b',' | b':') => {
                at = end_of_quoted(text, at)? - 1;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.checked_sub(1)?,
            b'#' if matches!(before, b' ' | b'\n') => at += text[at..].find('\n')?,
            _ => {}
        }
        before = *bytes.get(at)?;
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// Where the last line ends that a text under `|` or `>` has.
fn end_of_block(text: &str, from: usize, end: usize, parent: usize) -> Option<usize> {
    let header = plain(&text[from + 1..end]);
    if !header.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9')) {
        return None;
    }
    let given = header.bytes().find(u8::is_ascii_digit).map(|digit| parent + usize::from(digit - b'0'));
    let (mut indent, mut at, mut last) = (given, end, end);
    while at < text.len() {
        let line = line_at(text, at);
        let is_blank = text[at..line.end].trim_matches([' ', '\n']).is_empty();
        if !is_blank {
            let least = *indent.get_or_insert(line.indent.max(parent + 1));
            if line.indent < least {
                break;
            }
        }
        at = line.end;
        if !is_blank || header.contains('+') {
            last = at;
        }
    }
    Some(last)
}

/// Where the last line ends that a plain scalar has.
fn end_of_plain(text: &str, end: usize, parent: usize) -> usize {
    let (mut at, mut last) = (end, end);
    while at < text.len() {
        let line = line_at(text, at);
        let body = text[at..line.end].trim();
        at = line.end;
        if body.is_empty() {
            continue;
        }
        if line.indent <= parent || body.starts_with('#') {
            break;
        }
        last = at;
    }
    last
}
