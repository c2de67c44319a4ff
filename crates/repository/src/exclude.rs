//! One more line in `info/exclude`, the ignore file that is never committed.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::Error;

static ATTEMPT: AtomicU32 = AtomicU32::new(0);

/// Adds `pattern` unless a line says it already; true when it was added. Readers see the old file or the new
/// one, never half of it.
pub(crate) fn add(file: &Path, pattern: &str) -> Result<bool, Error> {
    if pattern.trim().is_empty() || pattern.starts_with('#') || pattern.contains(['\n', '\r', '\0']) {
        return Err(Error::Pattern { pattern: pattern.to_owned() });
    }
    replace(file, pattern).map_err(|source| Error::Exclude { path: file.to_owned(), source })
}

fn replace(file: &Path, pattern: &str) -> io::Result<bool> {
    let mut content = match fs::read(file) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    if content.split(|byte| *byte == b'\n').any(|line| line.strip_suffix(b"\r").unwrap_or(line) == pattern.as_bytes()) {
        return Ok(false);
    }
    if !content.is_empty() && !content.ends_with(b"\n") {
        content.push(b'\n');
    }
    content.extend_from_slice(pattern.as_bytes());
    content.push(b'\n');

    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let attempt = ATTEMPT.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!("exclude.orchestrator-{}-{attempt}", std::process::id()));
    let written = write_and_rename(&temporary, file, &content);
    if written.is_err() {
        // The first error is the one to report; a leftover temporary file is harmless.
        let _ = fs::remove_file(&temporary);
    }
    written.map(|()| true)
}

fn write_and_rename(temporary: &Path, file: &Path, content: &[u8]) -> io::Result<()> {
    let mut handle = fs::OpenOptions::new().write(true).create_new(true).open(temporary)?;
    if let Ok(old) = fs::metadata(file) {
        handle.set_permissions(old.permissions())?;
    }
    handle.write_all(content)?;
    handle.sync_all()?;
    fs::rename(temporary, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(before: Option<&str>, pattern: &str, after: &str, added: bool) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("info").join("exclude");
        if let Some(before) = before {
            fs::create_dir(folder.path().join("info")).unwrap();
            fs::write(&file, before).unwrap();
        }
        assert_eq!(add(&file, pattern).unwrap(), added);
        assert_eq!(fs::read_to_string(&file).unwrap(), after);
        assert!(!add(&file, pattern).unwrap(), "a second time changes nothing");
        assert_eq!(fs::read_to_string(&file).unwrap(), after);
        assert_eq!(fs::read_dir(folder.path().join("info")).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_line_is_added_once_and_the_rest_is_kept() {
        check(None, "/.x/", "/.x/\n", true);
        check(Some(""), "/.x/", "/.x/\n", true);
        check(Some("# c\n*.o\n"), "/.x/", "# c\n*.o\n/.x/\n", true);
        check(Some("*.o"), "/.x/", "*.o\n/.x/\n", true);
        check(Some("/.x/\n*.o\n"), "/.x/", "/.x/\n*.o\n", false);
        check(Some("/.x/\r\n"), "/.x/", "/.x/\r\n", false);
        check(Some("a/.x/\n"), "/.x/", "a/.x/\n/.x/\n", true);
    }

    #[test]
    fn a_pattern_is_one_line() {
        for pattern in ["", " ", "a\nb", "a\rb", "a\0b", "# a"] {
            assert!(matches!(add(Path::new("nowhere"), pattern), Err(Error::Pattern { .. })), "{pattern:?}");
        }
    }
}
