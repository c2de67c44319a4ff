//! Names on disk as text: forward slashes, and lossless when a name is not UTF-8.

use std::{
    ffi::OsString,
    fmt::Write,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

/// The text of a relative path, and whether it had to be escaped.
pub(crate) fn text(path: &Path) -> (String, bool) {
    match path.to_str() {
        Some(text) => (text.to_owned(), false),
        None => (escape(path.as_os_str().as_bytes()), true),
    }
}

fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The path on disk of a `path` that is marked `escaped`; nothing when an escape is malformed.
#[must_use]
pub fn unescape(path: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after.get(2..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(OsString::from_vec(bytes).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_names_that_are_not_utf8_are_escaped() {
        assert_eq!(text(Path::new("a/50%/ä")), ("a/50%/ä".to_owned(), false));
        let path = PathBuf::from(OsString::from_vec(b"a%/\xff\xc3b".to_vec()));
        assert_eq!(text(&path), ("a%25/%FF%C3b".to_owned(), true));
        assert_eq!(unescape("a%2"), None);
        assert_eq!(unescape("a%+1"), None);
    }

    proptest! {
        #[test]
        fn an_escaped_name_comes_back_byte_for_byte(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let path = PathBuf::from(OsString::from_vec(bytes));
            let (text, escaped) = text(&path);
            prop_assert_eq!(escaped, path.to_str().is_none());
            if escaped {
                prop_assert_eq!(unescape(&text), Some(path));
            }
        }
    }
}
