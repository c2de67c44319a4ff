//! Our block in a file of git attributes.

use crate::exit::Failure;

const BEGIN: &str = "# agent-client merge-driver: begin";
/// The same where the line before had no end of its own.
const BEGIN_AFTER_OPEN_LINE: &str = "# agent-client merge-driver: begin, after a line without an end";
const END: &str = "# agent-client merge-driver: end";

/// One line a pattern.
pub(super) fn lines(patterns: &[String], driver: &str) -> Result<String, Failure> {
    patterns.iter().map(|pattern| Ok(format!("{} merge={driver}\n", written(pattern)?))).collect()
}

/// A pattern as an attributes file has it.
fn written(pattern: &str) -> Result<String, Failure> {
    let refused = |why: &str| Err(Failure::usage(format!("'{pattern}' is no pattern: {why}"), "write one as '*.py'"));
    if pattern.is_empty() || pattern.contains(|c: char| c.is_control()) {
        return refused("it is empty, or has control characters");
    }
    if pattern.starts_with('!') || pattern.starts_with("[attr]") {
        return refused("attributes have no negative patterns, and [attr] defines a macro");
    }
    let is_plain = !pattern.contains(char::is_whitespace) && !pattern.starts_with(['"', '#']);
    Ok(if is_plain {
        pattern.to_owned()
    } else {
        format!("\"{}\"", pattern.replace('\\', "\\\\").replace('"', "\\\""))
    })
}

/// The file with the block in its last place, whether it had one or not.
pub(super) fn with(text: &[u8], lines: &str) -> Vec<u8> {
    let mut text = without(text);
    let is_open = text.last().is_some_and(|byte| *byte != b'\n');
    let (before, begin) = if is_open { ("\n", BEGIN_AFTER_OPEN_LINE) } else { ("", BEGIN) };
    text.extend_from_slice(format!("{before}{begin}\n{lines}{END}\n").as_bytes());
    text
}

/// The file without the block. One that has no end is left: nobody knows what belongs to it.
pub(super) fn without(text: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let is = |line: &[u8], mark: &str| line.trim_ascii_end() == mark.as_bytes();
    let Some(begin) = lines.iter().position(|line| is(line, BEGIN) || is(line, BEGIN_AFTER_OPEN_LINE)) else {
        return text.to_vec();
    };
    let Some(length) = lines[begin..].iter().position(|line| is(line, END)) else { return text.to_vec() };
    let mut before = lines[..begin].concat();
    if is(lines[begin], BEGIN_AFTER_OPEN_LINE) {
        before.pop_if(|byte| *byte == b'\n');
    }
    [before, lines[begin + length + 1..].concat()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_is_taken_out_again() {
        for text in ["", "*.c merge=union\n", "*.c merge=union", "a\n\n"] {
            let once = with(text.as_bytes(), "*.py merge=x\n");
            assert_eq!(with(&once, "*.py merge=x\n"), once, "{text:?}");
            assert_eq!(without(&with(&once, "*.rs merge=x\n")), text.as_bytes(), "{text:?}");
        }
        let later = [with(b"a\n", "p merge=x\n"), b"b\n".to_vec()].concat();
        assert_eq!(without(&later), b"a\nb\n");
        let cut = format!("a\n{BEGIN}\nb\n");
        assert_eq!(without(cut.as_bytes()), cut.as_bytes());
    }

    #[test]
    fn patterns_are_quoted_where_they_must_be() {
        for (pattern, expected) in
            [("*.py", "*.py"), ("a b/*.py", "\"a b/*.py\""), ("\"x", "\"\\\"x\""), ("#x", "\"#x\""), ("a\"b", "a\"b")]
        {
            assert_eq!(written(pattern).unwrap(), expected);
        }
        for pattern in ["", "!a", "a\nb", "[attr]x"] {
            assert!(written(pattern).is_err(), "{pattern:?}");
        }
    }
}
