//! Names of messages and of their files: pure, and strict enough for every file system.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;

/// Longest id of a message, in bytes: with every suffix it stays a file name anywhere.
const MAX_ID: usize = 128;

/// Longest name that a refused file keeps.
const MAX_KEPT: usize = 150;

/// Names that Windows gives to devices, with any extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// What the name of a finished task's file may end in, and whether it went well.
const RESULTS: [(&str, bool); 4] = [(".ok.json", true), (".fail.json", false), (".ok.txt", true), (".fail.txt", false)];

/// Whether a text can be the id of a message: the rules of agent ids, at twice the length.
pub(crate) fn is_message_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=MAX_ID).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text.bytes().all(allowed)
        && !text.ends_with('.')
        && !is_device(text)
}

fn is_device(text: &str) -> bool {
    let key = text.to_ascii_lowercase();
    let stem = key.split('.').next().unwrap_or(&key);
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    DEVICES.contains(&stem) || numbered.is_some_and(|digit| digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit())
}

/// The number in an id that the server gave: `m42`.
pub(crate) fn number(id: &str) -> Option<u64> {
    let number: u64 = id.strip_prefix(['m', 'M'])?.parse().ok()?;
    (id[1..] == number.to_string()).then_some(number)
}

/// The id in the name of a message's file. Ids that end in `.ok` or `.fail` would look like results.
pub(crate) fn message_of(name: &OsStr) -> Option<&str> {
    let id = name.to_str()?.strip_suffix(".json").filter(|id| is_message_id(id))?;
    result_of(name).is_none().then_some(id)
}

/// The id in the name of a result's file, and whether it went well.
pub(crate) fn result_of(name: &OsStr) -> Option<(&str, bool)> {
    let name = name.to_str()?;
    let (id, ok) = RESULTS.iter().find_map(|(suffix, ok)| Some((name.strip_suffix(suffix)?, *ok)))?;
    is_message_id(id).then_some((id, ok))
}

/// Whether a file is nobody's message: still being written, or hidden.
pub(crate) fn is_ignored(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || name.to_ascii_lowercase().ends_with(".tmp")
}

/// A name under which a refused file can be kept anywhere.
pub(crate) fn harmless(name: &OsStr) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let kept: String = name.to_string_lossy().chars().take(MAX_KEPT).map(keep).collect();
    let kept = kept.trim_end_matches('.');
    if kept.is_empty() || kept.starts_with('.') || is_device(kept) { format!("_{kept}") } else { kept.to_owned() }
}

/// Which message has which name in one agent's folders. A name belongs to one message, whatever its case,
/// because some file systems do not tell case apart.
#[derive(Debug, Default)]
pub(crate) struct Names {
    by_number: BTreeMap<u64, String>,
    by_name: HashMap<String, u64>,
}

impl Names {
    /// Gives a message a name, unless another has it.
    pub(crate) fn give(&mut self, message: u64, name: &str) -> bool {
        let key = name.to_ascii_lowercase();
        if self.by_name.get(&key).is_some_and(|owner| *owner != message) {
            return false;
        }
        self.take_back(message);
        self.by_name.insert(key, message);
        self.by_number.insert(message, name.to_owned());
        true
    }

    /// Frees the name of a message.
    pub(crate) fn take_back(&mut self, message: u64) {
        if let Some(name) = self.by_number.remove(&message) {
            self.by_name.remove(&name.to_ascii_lowercase());
        }
    }

    /// The name of a message.
    pub(crate) fn of(&self, message: u64) -> Option<&str> {
        self.by_number.get(&message).map(String::as_str)
    }

    /// The message of a name.
    pub(crate) fn owner(&self, name: &str) -> Option<u64> {
        self.by_name.get(&name.to_ascii_lowercase()).copied()
    }

    /// All messages that have a name.
    pub(crate) fn messages(&self) -> impl Iterator<Item = u64> {
        self.by_number.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_file_names_on_every_system() {
        let long = "x".repeat(129);
        for (id, valid) in [
            ("a", true),
            ("2025-01-27T10.30.00_7f-A", true),
            (&long[1..], true),
            (&long, false),
            ("", false),
            (".a", false),
            ("a.", false),
            ("-a", false),
            ("a b", false),
            ("a/b", false),
            ("..", false),
            ("a\\b", false),
            ("a:b", false),
            ("ä", false),
            ("NUL", false),
            ("com1.x", false),
            ("com10", true),
        ] {
            assert_eq!(is_message_id(id), valid, "{id}");
        }
    }

    #[test]
    fn names_of_files_say_what_they_hold() {
        for (name, id) in
            [("a.json", Some("a")), ("a.b.json", Some("a.b")), ("a.ok.json", None), ("a.txt", None), (".json", None)]
        {
            assert_eq!(message_of(OsStr::new(name)), id, "{name}");
        }
        for (name, result) in
            [("a.ok.json", Some(("a", true))), ("a.fail.txt", Some(("a", false))), ("a.json", None), (".ok.json", None)]
        {
            assert_eq!(result_of(OsStr::new(name)), result, "{name}");
        }
        for (id, expected) in [("m42", Some(42)), ("m042", None), ("m", None), ("x1", None), ("m+1", None)] {
            assert_eq!(number(id), expected, "{id}");
        }
    }

    #[test]
    fn refused_names_become_harmless_ones() {
        for (name, kept) in
            [("a b.json", "a_b.json"), ("ü", "_"), ("..", "_"), ("nul.json", "_nul.json"), (".x", "_.x")]
        {
            assert_eq!(harmless(OsStr::new(name)), kept);
        }
    }

    #[test]
    fn a_name_belongs_to_one_message_whatever_its_case() {
        let mut names = Names::default();
        assert!(names.give(1, "Abc"));
        assert!(!names.give(2, "aBC"));
        assert_eq!((names.owner("abc"), names.of(1)), (Some(1), Some("Abc")));
        names.take_back(1);
        assert!(names.give(2, "aBC"));
        assert_eq!(names.messages().collect::<Vec<_>>(), [2]);
    }
}
